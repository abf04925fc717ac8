"""Runs two commands on one folder or file at once: each must be right, or be refused with a message.

    python3 benches/reliability/pairs.py target/release/cookc --count 200 --seed 1 --out pairs.jsonl
    python3 benches/reliability/pairs.py --table pairs.jsonl

A trial starts a first command and, some time into it, a second. In a third of the trials the first is halted
(SIGSTOP), as a busy machine may do, at a random moment or while it writes a file, until the second has ended
or has waited for two seconds; then it goes on. Afterwards:

    wrong         what is there is neither what one of the two makes alone, nor what one makes after the other;
                  or a command that was refused has changed it all the same
    crash         a panic, a signal, a limit of time, or an error without a message
    litter        files that neither command leaves when it runs alone
    both refused  neither has done its work; not wrong, but nobody was served

--kinds takes some of the pairs only; their names are in the table. A trial depends on --seed and its number,
up to the machine's own timing. Raw results, a JSON line a trial, go to --out. Linux, Python 3.11, standard
library.
"""
import json
import os
import random
import shutil
import signal
import sys
import time
import traceback
from collections import defaultdict
from pathlib import Path

import inputs
import processes

WALL_SECONDS = 90
HALTED_SECONDS = 2.0
SAMPLES = 40000
FAULTS = ["wrong", "crash", "litter"]

options = None


class Pairs:
    """A working folder with everything that the commands read, made once."""

    def __init__(self, work):
        self.work = work
        work.mkdir(parents=True)
        self.env = processes.environment(work, threads=1)
        (work / "task.cook").write_text(inputs.TEMPLATE)
        (work / "wide.cook").write_text(inputs.WIDE)
        # A fault with a fix, and a layout that `fmt` changes.
        faulty = inputs.TEMPLATE.replace('reply "{answer}"', 'reply "{answe}"').replace("answer = ", "answer  =  ")
        (work / "faulty.cook").write_text(faulty)
        (work / "a.toml").write_text(inputs.recipe(steps=60, save_every=5, every=15, samples=8))
        (work / "b.toml").write_text(inputs.recipe(steps=60, save_every=7, every=20, samples=8))
        of_model = inputs.model(work / "m", width=512)
        for name, seed in (("one", 1), ("two", 2)):
            inputs.adapter(work / name, of_model, seed=seed)
        lora = "rank = 2\nalpha = 4"
        inputs.model(work / "small")
        (work / "lora.toml").write_text(inputs.recipe("small", lora=lora, steps=30, save_every=5))
        self.must("run", "--train", "a.toml", "--out", "whole")
        self.must("run", "--train", "lora.toml", "--out", "tuned")
        self.must("generate", "task.cook", "-n", "2000", "-o", "rows.jsonl")
        self.part_way()
        self.alone = {}

    def part_way(self):
        """A run that was killed half-way, as it is: the first try that has a checkpoint."""
        for attempt in range(20):
            shutil.rmtree(self.work / "part", ignore_errors=True)
            with open(self.work / "errors", "wb") as file:
                began = time.monotonic()
                argv = [options.cookc, "run", "--train", "a.toml", "--out", "part"]
                process = processes.start(argv, self.work, self.env, file)
            while process.poll() is None and not list((self.work / "part").glob("checkpoints/step-*")):
                time.sleep(0.001)
            if process.returncode is None:
                processes.end(process)
                processes.reap(process, began, self.work / "errors")
                if not (self.work / "part" / "report.json").exists():
                    return
        sys.exit("no run could be killed between its first checkpoint and its end")

    def must(self, *argv):
        done = self.run(argv)
        if done.code != 0:
            sys.exit(f"set-up: cookc {' '.join(map(str, argv))}: {done.text}")
        return done

    def run(self, argv, cwd=None):
        argv = [options.cookc, *argv]
        return processes.run(argv, cwd or self.work, self.env, self.work / "errors", wall=WALL_SECONDS)


class Pair:
    """Two commands, what lies there before, and what is looked at after."""

    def __init__(self, first, second, before=None, state=None, both=()):
        self.first, self.second = first, second
        self.before = before or (lambda pairs, folder: None)
        self.state = state or files
        # Other orders that are right when both end well, such as one edit after the other: lists of commands.
        self.both = both


def files(folder):
    """Every file and its digest."""
    return {name: processes.digest(folder / name) for name in sorted(processes.names(folder))}


def run_state(folder):
    """The results of each run in a folder, without times."""
    found = {}
    for path in sorted(path.parent for path in folder.rglob("recipe.toml")):
        of_run = processes.result(path) | {"recipe": (path / "recipe.toml").read_text()}
        found[str(path.relative_to(folder))] = of_run
    return found


def run_and_file(folder):
    """Of a run and a file beside it."""
    return run_state(folder) | {path.name: files(path) if path.is_dir() else processes.digest(path)
                                for path in sorted(folder.iterdir()) if path.name in ("out.gguf", "merged")}


def copied(*names):
    """Puts copies of folders and files of the set-up into a trial's folder: `from` or `from:to`."""
    def lay_out(pairs, folder):
        for name in names:
            source, _, target = name.partition(":")
            source, target = pairs.work / source, folder / (target or source)
            shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    return lay_out


def train(recipe, *more):
    return ["run", "--train", f"../../{recipe}.toml", *more]


OUT = ("--out", "run")
RESUME = ["run", "--resume", "run"]
MERGE = lambda which: ["merge", "../../m", "--adapter", f"../../{which}", "--out", "merged"]
EXPORT = lambda *more: ["export", "../../m", "--gguf", "out.gguf", *more]
GENERATE = lambda *more: ["generate", "../../task.cook", "-n", str(SAMPLES), "-o", "out.jsonl", *more]
JUDGE = lambda *more: ["judge", "../../task.cook", "../../rows.jsonl", "-o", "scores.jsonl", *more]

PAIRS = {
    "run, run": Pair(train("a", *OUT), train("a", *OUT), state=run_state),
    "run, another run": Pair(train("a", *OUT), train("b", *OUT), state=run_state),
    "run, the same with another seed": Pair(train("a", *OUT), train("a", *OUT, "--seed", "5"), state=run_state),
    "run, run without --out": Pair(train("a"), train("a"), state=run_state, both=[[train("a"), train("a")]]),
    "run --force, run --force": Pair(train("a", *OUT, "--force"), train("b", *OUT, "--force"), copied("whole:run"),
                                     run_state),
    "resume, resume": Pair(RESUME, RESUME, copied("part:run"), run_state),
    "resume, run --force": Pair(RESUME, train("b", *OUT, "--force"), copied("part:run"), run_state),
    "run --force, resume": Pair(train("b", *OUT, "--force"), RESUME, copied("part:run"), run_state,
                                both=[[train("b", *OUT, "--force"), RESUME]]),
    "run, resume": Pair(train("a", *OUT), RESUME, state=run_state, both=[[train("a", *OUT), RESUME]]),
    "export, export of another kind": Pair(EXPORT("--kind", "f32"), EXPORT("--kind", "q8_0")),
    "export, export": Pair(EXPORT(), EXPORT()),
    "export, export with an adapter": Pair(EXPORT("--kind", "f32"), EXPORT("--kind", "f32", "--adapter", "../../one")),
    "merge, merge": Pair(MERGE("one"), MERGE("one")),
    "merge, merge of another adapter": Pair(MERGE("one"), MERGE("two")),
    "generate, generate": Pair(GENERATE(), GENERATE()),
    "generate, another seed": Pair(GENERATE(), GENERATE("--seed", "7")),
    "judge, judge": Pair(JUDGE(), JUDGE("--engine", "interpreter")),
    "new, new": Pair(["new", "mine"], ["new", "mine"]),
    "new, new --from": Pair(["new", "mine"], ["new", "mine", "--from", "std:retrieval"]),
    "check --fix, check --fix": Pair(["check", "faulty.cook", "--fix"], ["check", "faulty.cook", "--fix"],
                                     copied("faulty.cook"), both=[[["check", "faulty.cook", "--fix"]]]),
    "check --fix, fmt": Pair(["check", "wide.cook", "--fix"], ["fmt", "wide.cook"], copied("wide.cook"),
                             both=[[["check", "wide.cook", "--fix"], ["fmt", "wide.cook"]],
                                   [["fmt", "wide.cook"], ["check", "wide.cook", "--fix"]]]),
    "run --force, export": Pair(train("lora", *OUT, "--force"),
                                ["export", "../../small", "--adapter", "run/adapter", "--gguf", "out.gguf"],
                                copied("tuned:run"), run_and_file,
                                both=[[train("lora", *OUT, "--force"),
                                       ["export", "../../small", "--adapter", "run/adapter", "--gguf", "out.gguf"]]]),
    "run --force, merge": Pair(train("lora", *OUT, "--force", "--seed", "9"),
                               ["merge", "../../small", "--adapter", "run/adapter", "--out", "merged"],
                               copied("tuned:run"), run_and_file,
                               both=[[train("lora", *OUT, "--force", "--seed", "9"),
                                      ["merge", "../../small", "--adapter", "run/adapter", "--out", "merged"]],
                                     [["merge", "../../small", "--adapter", "run/adapter", "--out", "merged"],
                                      train("lora", *OUT, "--force", "--seed", "9")]]),
}


class Expected:
    """What a pair comes to: states after nothing, after one of the two, and after both in turn."""

    def __init__(self, pairs, name):
        pair, scratch = PAIRS[name], pairs.work / "trials" / f"expected-{len(pairs.alone)}"
        self.names, self.states, self.seconds = set(), {}, 0.0

        def after(key, commands, must):
            shutil.rmtree(scratch, ignore_errors=True)
            scratch.mkdir(parents=True)
            pair.before(pairs, scratch)
            for argv in commands:
                done = pairs.run(argv, scratch)
                if key == "first":
                    self.seconds = done.seconds
                if must and done.code != 0:
                    sys.exit(f"{name}: {argv} fails alone: {done.text}")
                if done.code != 0:
                    return
            self.states.setdefault(key, []).append(pair.state(scratch))
            self.names |= processes.names(scratch)

        after("before", [], True)
        after("first", [pair.first], True)
        # To resume a run that is not there is refused alone.
        after("second", [pair.second], False)
        for commands in [[pair.first, pair.second], [pair.second, pair.first], *pair.both]:
            after("both", commands, False)
        shutil.rmtree(scratch)

    def right(self, first, second):
        """The states that are right after those two ended well, or did not."""
        keys = {(True, True): ["first", "second", "both"], (True, False): ["first"], (False, True): ["second"],
                (False, False): ["before"]}[first, second]
        # A resume that is refused alone goes on with what the first has begun, and ends as that does.
        if keys == ["second"] and "second" not in self.states:
            keys = ["first"]
        return [one for key in keys for one in self.states.get(key, [])]


def trial(pairs, name, number):
    pair = PAIRS[name]
    if name not in pairs.alone:
        pairs.alone[name] = Expected(pairs, name)
    expected = pairs.alone[name]
    draw = random.Random(f"{options.seed}/{number}")
    folder = pairs.work / "trials" / str(number)
    folder.mkdir(parents=True)
    pair.before(pairs, folder)
    argvs = [pair.first, pair.second]
    halted = draw.random() < 1 / 3
    if draw.random() < 0.5 and not halted and name != "run, resume":
        argvs.reverse()
    delay = 0.0 if draw.random() < 0.25 else draw.uniform(0, 1) * expected.seconds
    aimed = draw.randint(1, 6) if halted and draw.random() < 0.7 else 0
    delay *= 0.3 if aimed else 1
    dones = both(pairs, argvs, folder, delay, halted, aimed)
    row = {"pair": name, "trial": number, "halted": halted, "delay": round(delay, 3),
           "codes": [done.code for done in dones], **{fault: [] for fault in FAULTS}}
    row["crash"] = [f"{done.outcome}: {done.text.strip()[-300:]}" for done in dones
                    if done.outcome not in ("accepted", "refused", "machine")]
    well = [done.code == 0 for done in dones]
    first, second = well if argvs[0] is pair.first else well[::-1]
    row["both_refused"] = not first and not second
    state, right = pair.state(folder), expected.right(first, second)
    if state not in right:
        row["wrong"] = [f"exits {row['codes']}, differ: {told(state, right)}"]
        row["wrong"] += [done.text.strip()[-200:] for done in dones]
    row["litter"] = sorted(processes.names(folder) - expected.names)
    if options.keep and is_bad(row):
        shutil.copytree(folder, Path(options.keep) / str(number), dirs_exist_ok=True)
    shutil.rmtree(folder)
    return row


def told(state, right):
    """Where a state differs from the nearest right one."""

    def differences(one):
        found = []
        for key in sorted({*state, *one}):
            a, b = state.get(key), one.get(key)
            if isinstance(a, dict) and isinstance(b, dict):
                found += [f"{key}/{part}" for part in sorted({*a, *b}) if a.get(part) != b.get(part)]
            elif a != b:
                found.append(f"{key} as a whole")
        return found

    return ", ".join(min(map(differences, right), key=len, default=["no end of this kind is right"]))


def both(pairs, argvs, folder, delay, halted, aimed):
    """Runs both; gives how each ended, in the order of `argvs`. `aimed`: the first is halted after so
    many changes of the folder."""
    errors = [folder.parent / f"{folder.name}-{at}.errors" for at in (1, 2)]
    began, started = [], []

    def start(at):
        with open(errors[at], "wb") as file:
            began.append(time.monotonic())
            started.append(processes.start([options.cookc, *argvs[at]], folder, pairs.env, file))
        return started[-1]

    first = start(0)
    time.sleep(delay)
    # A file that is made is a change, and so is each write to it.
    for _ in range(aimed):
        before = processes.state(folder)
        while processes.state(folder) == before and not ended(first):
            pass
    if halted:
        os.kill(first.pid, signal.SIGSTOP)
    second = start(1)
    if halted:
        until = time.monotonic() + HALTED_SECONDS
        # A second command may rightly wait for the first.
        while time.monotonic() < until and not ended(second):
            time.sleep(0.005)
        os.kill(first.pid, signal.SIGCONT)
    dones = [processes.reap(started[at], began[at], errors[at], WALL_SECONDS) for at in (0, 1)]
    for path in errors:
        path.unlink()
    return dones


def ended(process):
    """Whether a process has ended; it can still be waited for."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def worker(folder, tasks, results):
    try:
        pairs = Pairs(folder)
        for name, number in iter(tasks.get, None):
            results.put(trial(pairs, name, number))
    except BaseException:
        results.put(traceback.format_exc())


def all_trials():
    names = list(options.kinds)
    random.Random(options.seed).shuffle(names)
    return processes.share_out(options, names, worker, "pairs-", is_bad)


def is_bad(row):
    return any(row[fault] for fault in FAULTS)


def report(rows):
    by_pair = defaultdict(list)
    for row in rows:
        by_pair[row["pair"]].append(row)
    lines = []
    for name in [*(name for name in PAIRS if name in by_pair), "all"]:
        some = rows if name == "all" else by_pair[name]
        well = sum(row["codes"].count(0) == 2 for row in some)
        one = sum(row["codes"].count(0) == 1 for row in some)
        none = sum(row["both_refused"] for row in some)
        halted = sum(row["halted"] for row in some)
        counts = [sum(bool(row[fault]) for row in some) for fault in FAULTS]
        lines.append([name, len(some), halted, well, one, none, *counts])
    heads = ["pair", "trials", "one halted", "both done", "one refused", "both refused", *FAULTS]
    processes.table(heads, lines)
    for fault in FAULTS:
        bad = [row for row in sorted(rows, key=lambda row: row["trial"]) if row[fault]]
        for row in bad[: options.examples]:
            print(f"\n{fault}: trial {row['trial']} ({row['pair']}, second after {row['delay']} s"
                  f"{', first halted' if row['halted'] else ''}): {' | '.join(map(str, row[fault]))[:600]}")


def main():
    global options
    parser = processes.arguments(__doc__, "trials", count=200, workers=1, examples=4)
    parser.add_argument("--kinds", nargs="*", default=list(PAIRS), choices=list(PAIRS), metavar="PAIR")
    parser.add_argument("--keep", help="a folder for what trials with a fault leave")
    options = parser.parse_args()
    processes.main(parser, options, "trials", all_trials, report, is_bad)


if __name__ == "__main__":
    main()
