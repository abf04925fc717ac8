"""Sets cookc beside PEFT on the same batches, interleaved, and prints a table with the spread.

    python benches/train/prepare.py smollm2.gguf FOLDER
    cargo bench --bench train --no-run
    python benches/train/compare.py FOLDER TRAIN_BENCH --rounds 5 --steps 3 > raw.jsonl

A round runs each side as a process of its own, one after the other; the first step of each, which
also touches memory for the first time, is left out. `--curve` runs 50 steps of both in f32 once, and
tells how far the losses are apart at each step.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("bench", help="the bench's executable, of target/release/deps")
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--steps", type=int, default=3, help="steps that count, of each side in a round")
parser.add_argument("--sequences", type=int, nargs="*", default=[256, 512])
parser.add_argument("--dtypes", nargs="*", default=["f32"])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--curve", action="store_true")
options = parser.parse_args()

peft = [sys.executable, str(Path(__file__).with_name("peft_side.py"))]


def run(side, command, sequence, dtype, steps, number):
    arguments = [options.folder, "--sequence", sequence, "--steps", steps, "--dtype", dtype]
    arguments += ["--threads", options.threads]
    words = [str(word) for word in command + arguments]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{side}: {done.stderr}")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    for row in rows:
        print(json.dumps({"side": side, "sequence": sequence, "dtype": dtype, "round": number, **row}))
    sys.stdout.flush()
    return rows[:-1], rows[-1]["peak_memory_bytes"]


def rate(rows, key):
    return sum(row["tokens"] for row in rows) / sum(row[key] for row in rows)


def spread(values):
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


def compare(sequence, dtype):
    sides = {"cookc": [options.bench], "peft": peft}
    rates = {side: [] for side in sides}
    frugal = {side: [] for side in sides}
    memory = {side: [] for side in sides}
    for number in range(options.rounds):
        for side, command in sides.items():
            rows, peak = run(side, command, sequence, dtype, options.steps + 1, number)
            rates[side].append(rate(rows[1:], "seconds"))
            frugal[side].append(rate(rows[1:], "cpu_seconds"))
            memory[side].append(peak / 2**30)
    lines = []
    for name, table in [("tokens/s", rates), ("tokens/CPU-s", frugal), ("peak GiB", memory)]:
        ratio = [a / b for a, b in zip(table["cookc"], table["peft"])]
        cells = [spread(table["cookc"]), spread(table["peft"]), spread(ratio)]
        lines.append(f"| {sequence} {dtype} {name} | " + " | ".join(cells) + " |")
    return lines


def curve():
    ours, _ = run("cookc", [options.bench], 256, "f32", 50, "curve")
    theirs, _ = run("peft", peft, 256, "f32", 50, "curve")
    apart = [abs(a["loss"] / b["loss"] - 1) for a, b in zip(ours, theirs)]
    first, last = theirs[0]["loss"], theirs[-1]["loss"]
    return [f"loss {first:.3f} to {last:.3f} in 50 steps; farthest apart {max(apart):.3%}"]


if options.curve:
    lines = curve()
else:
    lines = ["| | cookc | PEFT | ratio |", "| --- | --- | --- | --- |"]
    for sequence in options.sequences:
        for dtype in options.dtypes:
            lines += compare(sequence, dtype)
print("\n".join(lines), file=sys.stderr)
