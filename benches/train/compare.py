"""Sets cookc beside PEFT on the same batches, interleaved, and prints a table with the spread.

    python benches/train/prepare.py smollm2.gguf FOLDER
    cargo bench --bench train --no-run
    python benches/train/compare.py FOLDER TRAIN_BENCH --rounds 5 --steps 3 > raw.jsonl

A round runs both sides at each length and type, each as a process of its own, one after the other;
the first two steps of each are left out. `--table raw.jsonl` prints the table again. `--curve` runs
50 steps of both in f32 once, and tells how far the losses are apart at each step.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("folder", nargs="?")
parser.add_argument("bench", nargs="?", help="the bench's executable, of target/release/deps")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--steps", type=int, default=3, help="steps that count, of each side in a round")
parser.add_argument("--sequences", type=int, nargs="*", default=[256, 512])
parser.add_argument("--dtypes", nargs="*", default=["f32"])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--curve", action="store_true")
parser.add_argument("--table", help="only prints the table of raw lines in this file")
options = parser.parse_args()

# Steps that do not count: memory is touched for the first time, and PEFT is slow in its second too.
WARM_UP = 2

peft = [sys.executable, str(Path(__file__).with_name("peft_side.py"))]


def run(side, command, sequence, dtype, steps, number):
    arguments = [options.folder, "--sequence", sequence, "--steps", steps, "--dtype", dtype]
    arguments += ["--threads", options.threads]
    words = [str(word) for word in command + arguments]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{side}: {done.stderr}")
    key = {"side": side, "sequence": sequence, "dtype": dtype, "round": number}
    rows = [{**key, **json.loads(line)} for line in done.stdout.splitlines()]
    for row in rows:
        print(json.dumps(row))
    sys.stdout.flush()
    return rows


def rounds():
    sides = {"cookc": [options.bench], "peft": peft}
    return [
        row
        for number in range(options.rounds)
        for sequence in options.sequences
        for dtype in options.dtypes
        for side, command in sides.items()
        for row in run(side, command, sequence, dtype, options.steps + WARM_UP, number)
    ]


def rate(rows, key):
    rows = [row for row in rows if row.get("step", 0) > WARM_UP]
    return sum(row["tokens"] for row in rows) / sum(row[key] for row in rows)


def peak(rows):
    return max(row.get("peak_memory_bytes", 0) for row in rows) / 2**30


def spread(values):
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def table(rows):
    """A line a figure: median, least and greatest over the rounds, and of the ratios of each round."""
    figures = {
        "tokens/s": lambda rows: rate(rows, "seconds"),
        "tokens/CPU-s": lambda rows: rate(rows, "cpu_seconds"),
        "peak GiB": peak,
    }
    lines = ["| | cookc | PEFT | ratio |", "| --- | --- | --- | --- |"]
    for sequence, dtype in dict.fromkeys((row["sequence"], row["dtype"]) for row in rows):
        own = [row for row in rows if (row["sequence"], row["dtype"]) == (sequence, dtype)]
        numbers = sorted({row["round"] for row in own})
        for name, figure in figures.items():
            cookc, theirs = (
                [figure([r for r in own if (r["side"], r["round"]) == (side, n)]) for n in numbers]
                for side in ["cookc", "peft"]
            )
            ratio = [a / b for a, b in zip(cookc, theirs)]
            cells = " | ".join(spread(values) for values in [cookc, theirs, ratio])
            lines.append(f"| {sequence} {dtype} {name} | {cells} |")
    return lines


def curve():
    ours = run("cookc", [options.bench], 256, "f32", 50, "curve")[:-1]
    theirs = run("peft", peft, 256, "f32", 50, "curve")[:-1]
    apart = [abs(a["loss"] / b["loss"] - 1) for a, b in zip(ours, theirs)]
    first, last = theirs[0]["loss"], theirs[-1]["loss"]
    return [f"loss {first:.3f} to {last:.3f} in 50 steps; farthest apart {max(apart):.3%}"]


if options.table:
    lines = table([json.loads(line) for line in Path(options.table).read_text().splitlines()])
elif options.curve:
    lines = curve()
else:
    lines = table(rounds())
print("\n".join(lines), file=sys.stderr)
