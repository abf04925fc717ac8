"""Times two builds of cookc against each other, whole processes, in turn: is AFTER as fast as BEFORE?

    python3 benches/reliability/speed.py old/cookc target/release/cookc --pairs 9 --out speed.jsonl
    python3 benches/reliability/speed.py --table speed.jsonl

Each pair runs both builds once, one right after the other, and pairs take turns in which is first. Of a job
that takes milliseconds a pair is several such runs in turn, and the median of each build counts. Jobs:

    version        cookc --version
    generate one   one sample of std:retrieval: start-up, checking and compiling
    check          all files of stdlib/ that are templates or modules, one process
    generate       200,000 samples of std:retrieval to /dev/null
    judge          50,000 replies to std:retrieval, half of them right
    train          40 steps of the retrieval of examples/quickstart.toml from scratch
    resume         the last 20 of these, from the checkpoint after step 20
    tune           10 steps of LoRA on a small model's folder, ids made by its tokenizer

For each the table has, of both builds, the seconds of processor time (user and system) and on the wall: least,
median, greatest; and the ratio AFTER / BEFORE pair by pair: least, median, greatest. Training adds tokens per
second from the run's own report, whose ratio is turned over, so that above 1 is slower everywhere.

Before, each job runs once on both sides, and what they make is compared: prompts and replies, the figures of the
scores, weights. A difference is printed and ends with exit code 1, but for `tune`, whose ids a tokenizer makes and
a correction may change. --limit 0.03 also ends so if a median ratio of processor time is above 1.03.

Nothing else should run meanwhile. --jobs takes some only. Linux, Python 3.11, standard library.
"""
import argparse
import hashlib
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

import inputs
import processes

ROOT = Path(__file__).resolve().parents[2]
SIDES = ["before", "after"]

options = None


class Job:
    """Something that is timed: `argv(side)`, how often in a pair, and what must be equal."""

    def __init__(self, argv, times=1, read=None, prepare=None, made=None, report=None):
        self.argv, self.times = argv, times
        self.read = read or (lambda out: None)
        self.prepare = prepare or (lambda side: None)
        self.made = made or (lambda side: None)
        self.report = report


def jobs(work):
    """All jobs, and the files that they read."""
    work.mkdir(exist_ok=True)
    retrieval = (ROOT / "examples" / "retrieval.cook").read_text()
    (work / "retrieval.cook").write_text(retrieval)
    train = "steps = {steps}\nbatch = 32\nlearning_rate = 3e-3\nwarmup = 0.1\nsave_every = 20\nkeep_checkpoints = 2\n"
    parts = '[[template]]\nfile = "retrieval.cook"\n\n[[template]]\nfile = "retrieval.cook"\nlevel = "easy"\n'
    data = "[data]\nvocab = 504\n"
    (work / "train.toml").write_text(
        f'[model]\nbase = "scratch:small"\n\n{parts}\n{data}\n'
        f"[train]\n{train.format(steps=40)}\n[eval]\nsamples = 20\n")
    inputs.model(work / "m", width=256, layers=4)
    tune = train.format(steps=10).replace("batch = 32", "batch = 16")
    (work / "tune.toml").write_text(
        f'[model]\nbase = "m"\n\n{parts}\n{data}format = "chat"\n[lora]\nrank = 8\n\n'
        f"[train]\n{tune}\n[eval]\nsamples = 4\n")
    replies(work)
    stdlib = sorted(str(path) for path in (ROOT / "stdlib").glob("*.cook") if path.name != "builtin.cook")
    folder = lambda side, name: work / f"{side}-{name}"
    clear = lambda name: lambda side: shutil.rmtree(folder(side, name), ignore_errors=True)

    def weights(name):
        def made(side):
            below = folder(side, name)
            return {one: processes.digest(below / one) for one in sorted(processes.names(below))
                    if one.endswith(("model/model.safetensors", "adapter/adapter_model.safetensors"))}
        return made

    def half(side):
        """The run as a kill after its checkpoint leaves it."""
        whole, part = folder(side, "train"), folder(side, "part")
        shutil.rmtree(part, ignore_errors=True)
        shutil.copytree(whole, part)
        shutil.rmtree(part / "model")
        for name in ("report.json", "report.html", "samples.jsonl"):
            (part / name).unlink()
        checkpoints = sorted((part / "checkpoints").glob("step-*"))
        for path in checkpoints[1:]:
            path.unlink()
        lines = (part / "metrics.jsonl").read_text().splitlines(keepends=True)
        (part / "metrics.jsonl").write_text("".join(line for line in lines if json.loads(line)["step"] <= 20))

    generate = ["generate", "std:retrieval", "--seed", "3"]
    return {
        "version": Job(lambda side: ["--version"], 40),
        "generate one": Job(lambda side: [*generate, "-n", "1"], 20, samples),
        "check": Job(lambda side: ["check", *stdlib], 5),
        "generate": Job(lambda side: [*generate, "-n", "200000"], 5, samples),
        "judge": Job(lambda side: ["judge", "std:retrieval", "replies.jsonl", "--seed", "3"], 5, figures),
        "train": Job(lambda side: ["run", "--train", "train.toml", "--out", folder(side, "train")],
                     prepare=clear("train"), made=weights("train"), report="train"),
        "resume": Job(lambda side: ["run", "--resume", folder(side, "part")], prepare=half, made=weights("part")),
        "tune": Job(lambda side: ["run", "--train", "tune.toml", "--out", folder(side, "tune")],
                    prepare=clear("tune"), made=weights("tune"), report="tune"),
    }


def samples(out):
    """A digest of prompts and replies; rows may have other keys in another release."""
    found = hashlib.sha256()
    with open(out) as lines:
        for line in lines:
            row = json.loads(line)
            found.update(json.dumps([row["index"], row["prompt"], row["reply"]]).encode())
    return found.hexdigest()


def figures(out):
    """The numbers of a summary; its words may be others in another release."""
    return re.findall(r"\d+(?:\.\d+)?", out.read_text())


def replies(work):
    """50,000 replies to judge, every other one of another sample."""
    env = processes.environment(work)
    argv = [options.before, "generate", "std:retrieval", "--seed", "3", "-n", "50000", "-o", "rows.jsonl"]
    done = processes.run(argv, work, env, work / "errors")
    if done.code != 0:
        sys.exit(done.text)
    rows = [json.loads(line) for line in (work / "rows.jsonl").read_text().splitlines()]
    with open(work / "replies.jsonl", "w") as file:
        for at, row in enumerate(rows):
            reply = row["reply"] if at % 2 == 0 else rows[at - 1]["reply"]
            file.write(json.dumps({"index": row["index"], "reply": reply}) + "\n")


def measured(job, side, work, stdout=None):
    """Of one process of a side: seconds of processor time and on the wall, and tokens per second."""
    job.prepare(side)
    argv = [getattr(options, side), *job.argv(side)]
    done = processes.run(argv, work, processes.environment(work), work / "errors", stdout=stdout)
    if done.code != 0:
        sys.exit(f"{side}: {argv} ended with {done.code}: {done.text}")
    one = {"cpu": done.cpu_seconds, "wall": done.seconds}
    if job.report:
        report = json.loads((work / f"{side}-{job.report}" / "report.json").read_text())
        one["tokens_per_second"] = report["tokens_per_second"]
    return one


def pair(name, job, order, work):
    """A row for each side of a pair."""
    runs = defaultdict(list)
    for _ in range(job.times):
        for side in order:
            runs[side].append(measured(job, side, work))
    median = lambda some, key: statistics.median(one[key] for one in some)
    return [{"job": name, "side": side, **{key: median(some, key) for key in some[0]}} for side, some in runs.items()]


def same(job, work):
    """Runs both sides once, uncounted, and compares what they print and make."""
    seen = []
    for side in SIDES:
        out = work / "out"
        measured(job, side, work, stdout=out)
        seen.append((job.read(out), job.made(side)))
        out.unlink()
    return seen[0] == seen[1]


def all_pairs():
    rows, failed = [], False
    out = open(options.out, "w") if options.out else None
    with tempfile.TemporaryDirectory(prefix="speed-") as scratch:
        work = Path(scratch)
        every = jobs(work)
        for name in options.jobs or every:
            if name == "resume" and not (work / "before-train").exists():
                for side in SIDES:
                    measured(every["train"], side, work)
            if not same(every[name], work):
                failed = failed or name != "tune"
                print(f"the two builds make something else: {name}", flush=True)
        for number in range(options.pairs):
            for name in options.jobs or every:
                order = SIDES if number % 2 == 0 else SIDES[::-1]
                for row in pair(name, every[name], order, work):
                    row |= {"pair": number, "at": round(time.time())}
                    rows.append(row)
                    if out:
                        out.write(json.dumps(row) + "\n")
                        out.flush()
            print(f"pair {number + 1} of {options.pairs}, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    return rows, failed


def spread(values):
    digits = 4 if max(values) < 0.1 else 3 if max(values) < 10 else 0 if max(values) >= 1000 else 2
    return ", ".join(f"{one:.{digits}f}" for one in (min(values), statistics.median(values), max(values)))


def report(rows):
    """Prints the table; gives the greatest median ratio of processor time."""
    found = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        for what in ("cpu", "wall", "tokens_per_second"):
            if what in row:
                found[row["job"], what][row["pair"]][row["side"]] = row[what]
    lines, worst = [], 0.0
    for (job, what), by_pair in found.items():
        sides = [[one[side] for one in by_pair.values()] for side in SIDES]
        ratios = [after / before for before, after in zip(*sides)]
        if what == "tokens_per_second":
            ratios = [1 / one for one in ratios]
        if what == "cpu":
            worst = max(worst, statistics.median(ratios))
        said = {"cpu": "processor, s", "wall": "wall, s", "tokens_per_second": "tokens/s"}[what]
        ratio = ", ".join(f"{one:.3f}" for one in (min(ratios), statistics.median(ratios), max(ratios)))
        lines.append([job, said, len(ratios), *map(spread, sides), ratio])
    processes.table(["job", "what", "pairs", "before", "after", "ratio"], lines)
    return worst


def main():
    global options
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    path = lambda text: Path(text).resolve()
    parser.add_argument("before", nargs="?", type=path)
    parser.add_argument("after", nargs="?", type=path)
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--jobs", nargs="*", help="some of them only")
    parser.add_argument("--limit", type=float, help="the greatest median ratio less 1 that is taken")
    parser.add_argument("--out", help="a JSON line a measurement")
    parser.add_argument("--table", help="only prints the table of raw results")
    options = parser.parse_args()
    if options.table:
        report([json.loads(line) for line in open(options.table)])
        return
    if options.after is None:
        parser.error("name both builds")
    rows, failed = all_pairs()
    worst = report(rows)
    slow = options.limit is not None and worst > 1 + options.limit
    sys.exit(1 if failed or slow else 0)


if __name__ == "__main__":
    main()
