"""Speed beside lm-evaluation-harness and transformers on the CPU: all sides in one run, in turn, each a process of its own.

    python benches/eval/speed.py tasks DATA MODEL --ours "target/release/cookc eval {model} --data {data}
        --tasks {tasks} --limit {limit} --dtype {dtype} -o {out}" --limit 100 --pairs 5 --out docs/results/eval-speed.jsonl
    python benches/eval/speed.py decode DATA MODEL --ours "… {model} {prompts} {new} {dtype}" --pairs 5 --out …
    python benches/eval/speed.py table docs/results/eval-speed.jsonl

`tasks`: the first --limit items of each of the seven tasks. `decode`: 128 prompts of 54 tokens, 18 new tokens each, greedy;
{prompts} is a file with a line of JSON a prompt (`ids`, `text`). In --ours, {dtype} is f32 or bf16, {out} a fresh folder, and
what it prints last may be a line of JSON with its own `seconds` (decode), or OUT/results.json may have
`total_evaluation_time_seconds` (tasks); without either, the seconds of the process count, its start and the loading included.

First the other side's best batch size is found for each type: one run of each of --batches, the fastest is kept. Then rounds:
in each, every side runs once, and rounds take turns in which is first. What counts is
  seconds          without loading the model, as each side says itself: for lm-eval from the loaded model to its results, so
                   reading rows, making requests, tokenizing and scoring; for `generate` the calls alone, after a warm-up
  process_seconds  the whole process, start and loading included
  peak_bytes       peak resident memory of the process, as the kernel says
Nothing else should run meanwhile. Raw lines are appended to --out as they come.
"""
import argparse
import json
import os
import platform
import shlex
import statistics
import sys
import tempfile
from pathlib import Path

from process import run

HERE = Path(__file__).parent
TASKS = ["arc_easy", "arc_challenge", "boolq", "hellaswag", "openbookqa", "piqa", "winogrande"]
PROMPTS, LENGTH, NEW = 128, 54, 18
TYPES = {"f32": "float32", "bf16": "bfloat16"}


def main():
    words = argparse.ArgumentParser()
    kinds = words.add_subparsers(dest="kind", required=True)
    for name in ("tasks", "decode"):
        one = kinds.add_parser(name)
        one.add_argument("data")
        one.add_argument("model")
        one.add_argument("--ours", required=True)
        one.add_argument("--ours-dtypes", default="f32,bf16")
        one.add_argument("--dtypes", default="f32,bf16", help="of the other side")
        one.add_argument("--batches", default="1,4,16,64" if name == "tasks" else "1,8,32,128")
        one.add_argument("--pairs", type=int, default=5)
        one.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
        one.add_argument("--out", required=True)
        one.add_argument("--limit", type=int, default=100)
        one.add_argument("--tasks", default=",".join(TASKS))
        one.add_argument("--prompts", type=int, default=PROMPTS)
    kinds.add_parser("table").add_argument("raw")
    asked = words.parse_args()
    if asked.kind == "table":
        return table([json.loads(line) for line in open(asked.raw)])
    with tempfile.TemporaryDirectory() as work:
        measure(asked, Path(work))


def measure(asked, work):
    threads = {name: str(asked.threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS")}
    say(asked, {"machine": machine(), "kind": asked.kind, "threads": asked.threads, "limit": asked.limit, "ours": asked.ours})
    if asked.kind == "decode":
        write_prompts(asked, work / "prompts.jsonl")
    theirs = [best(asked, work, dtype, threads) for dtype in asked.dtypes.split(",")]
    sides = [("ours", dtype, None) for dtype in asked.ours_dtypes.split(",")]
    sides += [("theirs", dtype, batch) for dtype, batch in theirs]
    for number in range(asked.pairs):
        # A round begins with another side each time, so that none is always first.
        for side in sides[number % len(sides):] + sides[:number % len(sides)]:
            say(asked, {"round": number, **once(asked, work, *side, threads)})
    table([json.loads(line) for line in open(asked.out)])


def best(asked, work, dtype, threads):
    """The fastest batch size, by a run of each."""
    tried = {}
    for batch in map(int, asked.batches.split(",")):
        row = once(asked, work, "theirs", dtype, batch, threads)
        say(asked, {"round": "choice", **row})
        tried[batch] = row["seconds"]
    return dtype, min(tried, key=tried.get)


def once(asked, work, side, dtype, batch, threads):
    with tempfile.TemporaryDirectory(dir=work) as out:
        measured = run(command(asked, work, side, dtype, batch, out), threads)
        said = {**measured.pop("said"), **results(Path(out))}
    seconds = next((said[key] for key in ("evaluate_seconds", "seconds", "total_evaluation_time_seconds") if key in said), None)
    return {
        "kind": asked.kind, "side": side, "dtype": dtype, "batch": batch,
        "items": asked.prompts if asked.kind == "decode" else asked.limit * len(asked.tasks.split(",")),
        # Where a side does not say, its start and loading count as well.
        "seconds": float(seconds or measured["process_seconds"]), "says_itself": seconds is not None, **measured,
    }


def command(asked, work, side, dtype, batch, out):
    prompts = str(work / "prompts.jsonl")
    if side == "ours":
        values = {"model": asked.model, "tasks": asked.tasks, "limit": asked.limit, "data": asked.data, "out": f"{out}/run",
                  "dtype": dtype, "prompts": prompts, "new": NEW}
        return [word.format(**values) for word in shlex.split(asked.ours)]
    if asked.kind == "decode":
        words = ["decode_side.py", asked.model, prompts, "--new", NEW]
    else:
        words = ["lm_eval_side.py", asked.data, asked.model, "--tasks", asked.tasks, "--limit", asked.limit]
    words += ["--dtype", TYPES[dtype], "--batch", batch]
    return [sys.executable, str(HERE / words[0]), *map(str, words[1:])]


def results(folder):
    files = sorted(folder.rglob("results*.json"))
    return json.loads(files[-1].read_text()) if files else {}


def write_prompts(asked, path):
    """Prompts of LENGTH tokens each out of BoolQ's passages, which come back the same after decoding and encoding."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(asked.model)
    made = []
    for line in open(Path(asked.data) / "super_glue/boolq/validation/data.jsonl"):
        ids = tokenizer(json.loads(line)["passage"])["input_ids"][:LENGTH]
        text = tokenizer.decode(ids)
        if len(ids) == LENGTH and tokenizer(text)["input_ids"] == ids:
            made.append(json.dumps({"text": text, "ids": ids}) + "\n")
        if len(made) == asked.prompts:
            break
    assert len(made) == asked.prompts
    path.write_text("".join(made))


def machine():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "")
    flags = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in open("/proc/cpuinfo").read()]
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {' '.join(flags)}, Linux {platform.release()}"


def say(asked, row):
    with open(asked.out, "a") as file:
        file.write(json.dumps(row) + "\n")
    if "seconds" in row:
        name = f"{row['side']} {row['dtype']} {row['batch'] or ''}"
        print(f"round {row['round']}: {name}: {row['seconds']:.2f} s, {row['items'] / row['seconds']:.2f} a second",
              file=sys.stderr, flush=True)


def table(rows):
    for row in rows:
        if "machine" in row:
            print(f"{row['kind']}: {row['machine']}; {row['threads']} threads\n  ours: {row['ours']}")
    rounds = [row for row in rows if isinstance(row.get("round"), int)]
    for kind in sorted({row["kind"] for row in rounds}):
        sides = {}
        for row in rounds:
            if row["kind"] == kind:
                sides.setdefault((row["side"], row["dtype"], row["batch"]), {})[row["round"]] = row
        print(f"\n{kind}, median (least to greatest) of {len(next(iter(sides.values())))} rounds")
        for side, found in sides.items():
            rates = [row["items"] / row["seconds"] for row in found.values()]
            whole = [row["process_seconds"] for row in found.values()]
            busy = [row["cpu_seconds"] / row["process_seconds"] for row in found.values()]
            peak = [row["peak_bytes"] / 2**20 for row in found.values()]
            print(f"  {name(side):20} {spread(rates)} a second; process {spread(whole)} s, {spread(busy)} cores; "
                  f"{spread(peak)} MiB" + ("" if all(row["says_itself"] for row in found.values()) else "; start included"))
        ratios(sides)


def ratios(sides):
    """Ours against theirs, round by round."""
    for ours, mine in sides.items():
        for other, found in sides.items():
            if (ours[0], other[0]) == ("ours", "theirs"):
                both = sorted(mine.keys() & found.keys())
                faster = [found[at]["seconds"] / mine[at]["seconds"] for at in both]
                smaller = [mine[at]["peak_bytes"] / found[at]["peak_bytes"] for at in both]
                print(f"  {name(ours)} is {spread(faster)} times as fast as {name(other)}, in {spread(smaller)} of its memory")


def name(side):
    return f"{side[0]} {side[1]}" + (f" batch {side[2]}" if side[2] else "")


def spread(values):
    return f"{statistics.median(values):.3g} ({min(values):.3g} to {max(values):.3g})"


if __name__ == "__main__":
    main()
