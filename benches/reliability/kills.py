"""Kills `cookc run` and `cookc generate` at any moment, goes on, and compares the end with an undisturbed run's.

    python3 benches/reliability/kills.py target/release/cookc --count 300 --seed 1 --out kills.jsonl
    python3 benches/reliability/kills.py --table kills.jsonl

A trial starts a command, kills it with SIGKILL, and goes on as a user would: with `--resume` where the folder
has a recipe, else from the start. Some trials kill the second and third process too. Half of the kills come at
a random time of the whole duration; the others are aimed: the folder is watched, and the kill comes right
after the n-th change of a file that is written as a whole. Then the last process runs to its end, and

    torn         files under a final name that were not whole after a kill
    differences  parts of the result (model, adapter, best, metrics without times, samples, report) that are
                 not those of the run that was never killed, or files that are missing
    litter       files that the undisturbed run does not leave: what a kill left and no later start removed
    checkpoints  more of them than `keep_checkpoints` says
    refused      --resume was refused, though the folder has a recipe: the run was begun anew
    stuck        nothing that a user would try gets to the end

The kinds are `run` (a model from scratch, judged and saved on the way), `large` (few steps, and checkpoints of
megabytes), `adapter` (LoRA on a model's folder), `generate` (one file of JSON lines), `parquet` (one file of Parquet),
`shards` and `shards-parquet` (a folder of files with its manifest, gone on with by `--resume`) and `resume-file` (one file
of JSON lines, gone on with by `--resume`; `kept` counts the rows that were there before); `merge` and `export` can be asked
for by --kinds. A trial depends on --seed and its number, up to the machine's own timing. Raw results, a JSON line a
trial, go to --out. Linux, Python 3.11, standard library.
"""
import json
import os
import random
import shutil
import statistics
import sys
import time
import traceback
from collections import Counter, defaultdict
from pathlib import Path

import inputs
import processes

WALL_SECONDS = 120
KINDS = ["run", "large", "adapter", "generate", "parquet", "shards", "shards-parquet", "resume-file"]
# Files of a folder.
SHARDS = 15
# The file or the folder that a kind of data set is written into.
OUTPUTS = {
    "generate": "out.jsonl",
    "parquet": "out.parquet",
    "shards": "data",
    "shards-parquet": "data",
    "resume-file": "out.jsonl",
}
FAULTS = ["torn", "differences", "litter", "checkpoints", "refused", "stuck"]

options = None


class Kind:
    """A command in a folder of its own: how it is begun, how it goes on, and what it comes to undisturbed."""

    def __init__(self, name, work):
        self.name, self.work = name, work
        self.env = processes.environment(work, threads=1)
        work.mkdir(parents=True)
        self.trials = work / "trials"
        self.trials.mkdir()
        self.prepare()
        seconds, changes = [], []
        for at in range(3):
            folder = self.trials / "undisturbed"
            shutil.rmtree(folder, ignore_errors=True)
            lay_out(self, folder)
            done, seen = self.watched(self.begin(folder), folder)
            if done.code != 0:
                sys.exit(f"{name} fails undisturbed: {done.text}")
            seconds.append(done.seconds)
            changes.append(seen)
        self.seconds, self.changes = statistics.median(seconds), max(changes)
        self.result, self.names = self.outcome(folder), processes.names(folder)

    def prepare(self):
        (self.work / "task.cook").write_text(inputs.TEMPLATE)
        if self.name in ("adapter", "merge", "export"):
            of_model = inputs.model(self.work / "m", width=32 if self.name == "adapter" else 192)
            inputs.adapter(self.work / "a", of_model)
        lora = "rank = 4\nalpha = 8" if self.name == "adapter" else ""
        base = "m" if lora else "scratch:tiny"
        text = inputs.recipe(base, lora=lora, steps=60, save_every=5, samples=8, every=15, vocab="64")
        if self.name == "large":
            text = inputs.recipe(steps=16, save_every=2, samples=4, every=8, vocab="64")
            text = text.replace(inputs.SCRATCH, "width = 256\nlayers = 2\nheads = 4\nfeed_forward = 512\n")
        (self.work / "run.toml").write_text(text)

    @property
    def is_run(self):
        return self.name in ("run", "large", "adapter")

    @property
    def is_sharded(self):
        return self.name.startswith("shards")

    def begin(self, folder, force=False):
        if self.is_run:
            return ["run", "--train", "run.toml", "--out", folder, *(["--force"] if force else [])]
        if self.name == "merge":
            return ["merge", "m", "--adapter", "a", "--out", folder / "merged"]
        if self.name == "export":
            return ["export", "m", "--gguf", folder / "out.gguf"]
        argv = ["generate", "task.cook", "-n", options.samples, "-o", folder / OUTPUTS[self.name]]
        if self.name == "resume-file":
            return [*argv, "--resume"]
        if not self.is_sharded:
            return argv
        ending = "parquet" if self.name == "shards-parquet" else "jsonl"
        return [*argv, "--format", ending, "--shard-size", options.samples // SHARDS, "--resume"]

    def outcome(self, folder):
        if self.is_run:
            return processes.result(folder)
        return {name: processes.digest(folder / name) for name in sorted(processes.names(folder))}

    def run(self, argv):
        return processes.run([options.cookc, *argv], self.work, self.env, self.work / "errors", wall=WALL_SECONDS)

    def watched(self, argv, folder, seconds=None, changes=None):
        """Runs a command and kills it after that time, or after so many changes of its folder; gives how it
        ended, and how many changes were seen."""
        errors = self.work / "errors"
        with open(errors, "wb") as file:
            began = time.monotonic()
            process = processes.start([options.cookc, *argv], self.work, self.env, file)
        seen, last = 0, replaced(folder)
        while True:
            if seconds is not None:
                time.sleep(max(0.0, min(0.02, began + seconds - time.monotonic())))
                due = time.monotonic() - began >= seconds
            else:
                now = replaced(folder)
                seen, last = seen + (now != last), now
                due = changes is not None and seen >= changes
            if due or time.monotonic() - began > WALL_SECONDS:
                processes.end(process)
                break
            if os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                break
        return processes.reap(process, began, errors), seen


def replaced(folder):
    """The state of a folder, without files that grow line by line."""
    return [one for one in processes.state(folder) if "tensorboard" not in one[0] and "metrics.jsonl" not in one[0]]


def trial(kind, number):
    """One trial, as a row of the raw results."""
    draw = random.Random(f"{options.seed}/{number}")
    folder = kind.trials / str(number)
    row = {"kind": kind.name, "trial": number, "kills": [], "kept": [], **{fault: [] for fault in FAULTS}}
    old = lay_out(kind, folder, draw)
    argv = kind.begin(folder)
    for at in range(draw.choice([1, 1, 1, 2, 3])):
        aimed = draw.random() < 0.5
        seconds = None if aimed else draw.uniform(0, 1.02) * kind.seconds
        changes = draw.randint(1, max(1, kind.changes)) if aimed else None
        done, _ = kind.watched(argv, folder, seconds, changes)
        while done.code == 0 and at == 0:
            # It was over before the kill: the same again, with an earlier one.
            shutil.rmtree(folder)
            old = lay_out(kind, folder, draw)
            if changes and changes > 1:
                changes = changes * 2 // 3
            else:
                seconds, changes = (seconds or kind.seconds) * 0.7, None
            done, _ = kind.watched(argv, folder, seconds, changes)
        if done.code != -9:
            break
        row["kills"].append("aimed" if aimed else "timed")
        row["torn"] += torn_after(kind, folder, old)
        row["kept"].append(kept(kind, folder))
        argv = next_command(kind, folder)
    if done.code != 0:
        finish(kind, folder, argv, row)
    if not row["stuck"]:
        compare(kind, folder, row)
    if options.keep and is_bad(row):
        shutil.copytree(folder, Path(options.keep) / f"{kind.name}-{number}", dirs_exist_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return row


def lay_out(kind, folder, draw=None):
    """An empty folder, or none for a run; with an older file in some, whose digest is given."""
    if kind.is_run:
        return None
    folder.mkdir()
    if kind.name not in OUTPUTS or kind.is_sharded or draw is None or draw.random() < 0.5:
        return None
    old = folder / OUTPUTS[kind.name]
    old.write_text('{"old": true}\n')
    return processes.digest(old)


def torn_after(kind, folder, old):
    """Files that are not whole under their final names."""
    if not folder.exists():
        return []
    if kind.name not in OUTPUTS:
        return processes.torn(folder)
    name = OUTPUTS[kind.name]
    if not kind.is_sharded:
        good = {old, kind.result[name]}
        out = folder / name
        return [name] if out.exists() and processes.digest(out) not in good else []
    there = [one for one in sorted(processes.names(folder)) if Path(one).name.startswith("data-")]
    torn = [one for one in there if processes.digest(folder / one) != kind.result[one]]
    manifest = folder / name / "cookc.json"
    if manifest.exists():
        try:
            json.loads(manifest.read_text())
        except ValueError:
            torn.append("cookc.json")
    return torn


def kept(kind, folder):
    """The rows that the next process goes on with."""
    place = folder / f".cookc-{OUTPUTS.get(kind.name)}.place"
    return json.loads(place.read_text())["rows_there"] if place.exists() else 0


def next_command(kind, folder):
    if not kind.is_run:
        return kind.begin(folder)
    if (folder / "recipe.toml").exists():
        return ["run", "--resume", folder]
    return kind.begin(folder, force=folder.exists() and any(folder.iterdir()))


def finish(kind, folder, argv, row):
    """Runs to the end: what comes next, and where that is refused, from the start."""
    done = kind.run(argv)
    if done.code == 0:
        return
    if done.outcome in ("refused", "machine"):
        row["refused"].append(f"{argv[0]}: exit {done.code}: {done.text.strip()[-300:]}")
    else:
        row["stuck"].append(f"{done.outcome}: {done.text.strip()[-300:]}")
    if kind.is_run:
        done = kind.run(kind.begin(folder, force=True))
    if done.code != 0:
        row["stuck"].append(f"exit {done.code}: {done.text.strip()[-300:]}")


def strange(names, kind):
    return names - kind.names


def compare(kind, folder, row):
    names = processes.names(folder)
    extra = strange(names, kind)
    checkpoints = {name for name in extra if name.startswith("checkpoints/step-")}
    row["checkpoints"] += sorted(checkpoints)
    row["litter"] += [f"{name} ({(folder / name).stat().st_size} bytes)" for name in sorted(extra - checkpoints)]
    found = kind.outcome(folder)
    row["differences"] += processes.different(kind.result, found)
    # A run that was stopped may have kept another checkpoint of the same run.
    row["differences"] += [f"{name} is missing" for name in sorted(kind.names - names) if not checkpoints]


def worker(folder, tasks, results):
    kinds = {}
    for name, number in iter(tasks.get, None):
        try:
            if name not in kinds:
                kinds[name] = Kind(name, folder / name)
            results.put(trial(kinds[name], number))
        except BaseException:
            results.put(traceback.format_exc())


def all_trials():
    names = list(options.kinds)
    return processes.share_out(options, names, worker, "kills-", is_bad)


def is_bad(row):
    return any(row[fault] for fault in FAULTS)


def report(rows):
    by_kind = defaultdict(list)
    for row in rows:
        by_kind[row["kind"]].append(row)
    lines = []
    for name in [*by_kind, "all"]:
        some = rows if name == "all" else by_kind[name]
        kills = Counter(kill for row in some for kill in row["kills"])
        counts = [sum(bool(row[fault]) for row in some) for fault in FAULTS]
        lines.append([name, len(some), kills.total(), kills["aimed"], *counts])
    processes.table(["kind", "trials", "kills", "aimed", *FAULTS], lines)
    some = [number for row in rows if row["kind"] == "resume-file" for number in row["kept"]]
    if some:
        print(f"\n{sum(number > 0 for number in some)} of {len(some)} kills of resume-file left rows to go on with")
    for fault in FAULTS:
        bad = [row for row in sorted(rows, key=lambda row: row["trial"]) if row[fault]]
        for row in bad[: options.examples]:
            print(f"\n{fault}: trial {row['trial']} ({row['kind']}, {', '.join(row['kills']) or 'not killed'}): "
                  f"{'; '.join(row[fault])[:400]}")


def main():
    global options
    parser = processes.arguments(__doc__, "trials", count=300, workers=2, examples=3)
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=[*KINDS, "merge", "export"])
    parser.add_argument("--samples", type=int, default=60000, help="of a data set")
    parser.add_argument("--keep", help="a folder for what trials with a fault leave")
    options = parser.parse_args()
    processes.main(parser, options, "trials", all_trials, report, is_bad)


if __name__ == "__main__":
    main()
