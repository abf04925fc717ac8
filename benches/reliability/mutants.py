"""Damages valid small inputs of every format that cookc reads, and counts how it takes them.

    python3 benches/reliability/mutants.py target/release/cookc --count 20000 --seed 1 --out mutants.jsonl
    python3 benches/reliability/mutants.py target/release/cookc --seed 1 --only gguf:117 --keep mutant
    python3 benches/reliability/mutants.py --table mutants.jsonl

Mutants are bits flipped, files cut off, parts removed, doubled and exchanged, other numbers, strange bytes,
and deep nesting. Each is read by a real command in a scratch folder, under a limit of processor time, of time
on the wall, and of memory. How it ends:

    refused    exit 1 or 2 and a message        machine  exit 3 and a message
    accepted   exit 0                           silent   exit 0, and another result than the undamaged input
    told       the same as silent, but the message says what has changed
    panic      exit 101, or a panic's text      abort    ended by a signal, out of memory included
    hang       a limit of time was reached      mute     an error without a message; other: any other exit

Silent can be told where a result is known: runs that are resumed (checkpoint, metrics, the run's inputs),
whose model, metrics, samples and report must be those of a run that was never stopped. Lines of metrics.jsonl
from before the checkpoint must stay as they were, times too, unless their steps were done again. A damaged
checkpoint with which a run ends as it should, without a word of the damage, is `unseen`. `steers` counts messages
with control characters or marks of text direction in them, which a terminal would obey.

The first mutants of each format show how long one takes; the rest are shared out so that slow formats get
fewer. Mutant I of a format depends on --seed and I alone: --only makes it again, keeps its files and shows
the command (metrics.jsonl has times in it, so there it makes another one of the same kind). --formats takes
some formats only. The raw results, a JSON line a mutant, go to --out. Linux, Python 3.11, standard library.
"""
import json
import math
import multiprocessing
import random
import re
import shlex
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from pathlib import Path

import mutations
import processes
from formats import BATCHED, FORMATS, WEIGHTS

CPU_SECONDS = 10
WALL_SECONDS = 60
MEMORY = 3 << 30
# Files that one process of `cookc check` reads.
BATCH = 25
# Mutants of each format by which its rate is told.
PILOT = 16
BAD = ["silent", "panic", "abort", "hang", "mute", "other"]
OUTCOMES = ["refused", "machine", "accepted", "told", "unseen", *BAD]
# What a run says of an edit that it takes.
TOLD = re.compile(r"^changed since step", re.MULTILINE)

options = None


class Format:
    """A format in a worker's folder: its cases, and the bytes of each one's target."""

    def __init__(self, name, folder, cookc):
        self.name, self.folder, self.cookc = name, folder, cookc
        self.env = processes.environment(folder, threads=1)
        folder.mkdir(parents=True)
        self.cases = FORMATS[name](self)
        self.valid = [self.place(case, undamaged=True).read_bytes() for case in self.cases]
        self.results, self.words = {}, {}
        for case in self.cases:
            if case.reference and case.reference not in self.results:
                self.results[case.reference] = processes.result(folder / case.reference)
        for index, case in enumerate(self.cases):
            self.must_accept(index, case)

    def place(self, case, undamaged=False):
        folder = self.folder
        if case.of_part:
            folder = folder / (case.part if undamaged else "part")
        return folder / case.target

    def run(self, argv, stdin=None, stdout=None):
        return processes.run([self.cookc, *argv], self.folder, self.env, self.folder / "errors", stdin, stdout,
                             CPU_SECONDS, WALL_SECONDS, MEMORY)

    def must(self, *argv):
        """A command of the set-up, which has to work."""
        done = self.run(argv)
        if done.code != 0:
            sys.exit(f"set-up of {self.name}: cookc {shlex.join(map(str, argv))} ended with {done.code}\n{done.text}")

    def must_accept(self, index, case):
        if self.name == "module":
            return self.must("check", f"user_of_{case.label}.cook")
        row = self.judged(index, case, self.valid[index], "nothing")
        if row["outcome"] != "accepted":
            sys.exit(f"{self.name}: the undamaged {case.label} ends as {row['outcome']}: {row}")

    def mutant(self, index):
        """The case of a mutant, its bytes, and how they came to be."""
        case = index % len(self.cases)
        draw = random.Random(f"{options.seed}/{self.name}/{index}")
        data, how = mutations.damage(self.valid[case], self.cases[case].kind, draw)
        return case, data, how

    def one(self, index):
        case, data, how = self.mutant(index)
        return self.judged(case, self.cases[case], data, how) | {"index": index}

    def judged(self, at, case, data, how):
        """Writes the bytes, runs the command, and puts everything back."""
        part = self.folder / "part"
        if case.part:
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(self.folder / case.part, part)
        target = self.place(case)
        target.write_bytes(data)
        done = self.run(case.argv, case.stdin and self.folder / case.stdin)
        outcome, different = done.outcome, []
        if outcome == "accepted" and case.reference:
            different = self.differs(case)
            if different:
                outcome = "told" if TOLD.search(done.text) else "silent"
            # What an undamaged run says is kept when the format is set up.
            if outcome == "accepted" and words(done.text) == self.words.setdefault(at, words(done.text)):
                outcome = "unseen" if self.name == "checkpoint" and how != "nothing" else outcome
        if not case.of_part:
            target.write_bytes(self.valid[at])
        for name in case.outputs:
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        row = {"format": self.name, "case": case.label, "how": how, "argv": case.argv, "outcome": outcome,
               "code": done.code, "seconds": round(done.seconds, 3), "peak_mib": done.peak_bytes >> 20}
        if done.steers:
            row["steers"] = True
        if different:
            row["different"] = different
        if outcome in BAD or done.steers:
            row["text"] = done.text[:600]
        return row

    def differs(self, case):
        """The parts in which a resumed run is another than the one that was never stopped."""
        part = self.folder / "part"
        found = processes.different(self.results[case.reference], processes.result(part))
        if "metrics" not in found:
            before, after = ((folder / "metrics.jsonl").read_text(errors="replace").splitlines()
                             for folder in (self.folder / case.part, part))
            if not all(map(same_line, before, after)):
                found.append("times in metrics.jsonl")
        return found

    def several(self, indices):
        """Mutants of a format whose command takes many files; each has to be seen alone in the end."""
        made, folder = {}, self.folder
        for index in indices:
            case, data, how = self.mutant(index)
            file = self.batch_file(index, data, case)
            made[index] = (case, data, how, file)
        out = folder / "found"
        files = [file for *_, file in made.values()]
        done = self.run(["check", "--format", "json", *files], stdout=out)
        rows = []
        if done.code in (0, 1) and done.outcome in ("accepted", "refused"):
            refused = {stem(file) for file in faulty(out)}
            for index, (case, _, how, file) in made.items():
                outcome = "refused" if stem(file) in refused else "accepted"
                seconds = round(done.seconds / len(made), 4)
                row = {"format": self.name, "index": index, "case": self.cases[case].label, "how": how,
                       "argv": ["check", file], "outcome": outcome, "code": int(outcome == "refused"),
                       "seconds": seconds, "peak_mib": done.peak_bytes >> 20}
                if outcome == "accepted":
                    row |= self.alone(["generate", file, "-n", "2"])
                elif processes.STEERING.search(made[index][1].decode("utf-8", "replace")):
                    row |= self.alone(["check", file])
                rows.append(row)
        else:
            for index, (case, _, how, file) in made.items():
                row = {"format": self.name, "index": index, "case": self.cases[case].label, "how": how}
                row |= self.alone(["check", file])
                if row["outcome"] == "accepted":
                    row |= self.alone(["generate", file, "-n", "2"])
                rows.append(row)
        for path in folder.glob("mutant_*"):
            path.unlink()
        return rows

    def alone(self, argv):
        shown = self.folder / "shown"
        done = self.run(argv, stdout=shown)
        # `check` writes what it finds to standard output.
        outcome = "refused" if done.outcome == "mute" and done.code == 1 and argv[0] == "check" else done.outcome
        if argv[0] == "check":
            done.text += processes.tail(shown)
        row = {"argv": argv, "outcome": outcome, "code": done.code, "seconds": round(done.seconds, 3),
               "peak_mib": done.peak_bytes >> 20}
        row |= {"steers": True} if done.steers else {}
        return row | ({"text": done.text[:600]} if outcome in BAD or done.steers else {})

    def batch_file(self, index, data, case):
        """Writes a mutant under a name of its own; of a module, also a template that uses it."""
        name = f"mutant_{index}.cook"
        (self.folder / name).write_bytes(data)
        if self.name != "module":
            return name
        user = self.cases[case].argv[0]
        (self.folder / f"mutant_{index}_user.cook").write_text(user.format(module=f"mutant_{index}"))
        return f"mutant_{index}_user.cook"


def words(text):
    """The lines of a message without figures, and without those on how far it is."""
    lines = (re.sub(r"[\d.,]+", "", line).strip() for line in text.splitlines() if not line.startswith("step "))
    return [line for line in lines if line]


def same_line(before, after):
    """Whether a line of metrics.jsonl from before the checkpoint is as it was, or of a step that was done
    again, from an older checkpoint: then its times are others, and fit each other."""
    if before == after:
        return True
    try:
        before, after = json.loads(before), json.loads(after)
        if before == after:
            return True
        fits = math.isclose(after["tokens_per_second"] * after["seconds"], after["tokens"], rel_tol=1e-6)
        return fits and before["seconds"] != after["seconds"]
    except (KeyError, TypeError, ValueError):
        return False


def stem(file):
    """The name of a mutant without its ending: what its template and its module share."""
    return "_".join(Path(file).name.removesuffix(".cook").split("_")[:2])


def faulty(out):
    """Files that `check --format json` found a fault in."""
    for line in out.read_bytes().split(b"\n"):
        if line.strip():
            row = json.loads(line)
            # Since a release the severity may be called an error.
            if row.get("code") is None or row.get("severity") in ("fault", "error"):
                yield row["file"]


def worker(folder, tasks, results):
    """Takes (format, indices) until there is None; gives the rows of each."""
    formats = {}
    for name, indices in iter(tasks.get, None):
        try:
            if name not in formats:
                formats[name] = Format(name, folder / name.replace(" ", "-"), options.cookc)
            began = time.monotonic()
            one = formats[name]
            rows = one.several(indices) if name in BATCHED else [one.one(index) for index in indices]
            results.put((name, rows, time.monotonic() - began))
        except BaseException:
            results.put((name, traceback.format_exc(), 0.0))


def shares(count, seconds, done):
    """How many of `count` mutants each format gets: more of fast ones, by the root of the rate, and more of
    those whose result is known or that run a program of a stranger's."""
    weights = {name: WEIGHTS.get(name, 1) / math.sqrt(one) for name, one in seconds.items()}
    total = sum(weights.values())
    wanted = {name: max(done, int(count * weight / total)) for name, weight in weights.items()}
    fastest = max(wanted, key=wanted.get)
    wanted[fastest] += count - sum(wanted.values())
    return wanted


def all_mutants(names):
    rows, out = [], open(options.out, "w") if options.out else None
    with tempfile.TemporaryDirectory(prefix="mutants-") as scratch:
        tasks, results = multiprocessing.Queue(), multiprocessing.Queue()
        start = lambda at: multiprocessing.Process(
            target=worker, args=(Path(scratch) / f"worker-{at}", tasks, results), daemon=True)
        workers = [start(at) for at in range(options.workers)]
        for one in workers:
            one.start()

        def collect(pending, spent=None):
            last = time.monotonic()
            for left in range(pending, 0, -1):
                name, found, seconds = results.get()
                if isinstance(found, str):
                    stop(workers, found)
                rows.extend(found)
                if spent is not None:
                    spent[name] += seconds
                for row in found if out else []:
                    out.write(json.dumps(row, ensure_ascii=False) + "\n")
                if time.monotonic() - last > 30:
                    last = time.monotonic()
                    bad = sum(row["outcome"] in BAD for row in rows)
                    print(f"{len(rows)} mutants, {bad} bad, {left} tasks left", file=sys.stderr, flush=True)

        pilot = min(PILOT, max(1, options.count // len(names)))
        for name in names:
            tasks.put((name, list(range(pilot))))
        spent = defaultdict(float)
        collect(len(names), spent)
        wanted = shares(options.count, {name: max(1e-4, spent[name] / pilot) for name in names}, pilot)
        left = sum((wanted[name] - pilot) * spent[name] / pilot for name in names) / options.workers
        print(f"about {left / 60:.1f} minutes for the rest", file=sys.stderr, flush=True)
        chunks = []
        for name in names:
            size = BATCH if name in BATCHED else 10
            chunks += [(name, list(range(at, min(at + size, wanted[name])))) for at in range(pilot, wanted[name], size)]
        random.Random(options.seed).shuffle(chunks)
        for chunk in chunks:
            tasks.put(chunk)
        collect(len(chunks))
        for one in workers:
            tasks.put(None)
        for one in workers:
            one.join()
    if out:
        out.close()
    return rows


def stop(workers, why):
    """Ends the program when a worker has failed."""
    for one in workers:
        one.terminate()
        one.join()
    sys.exit(why)


def only(which):
    """Makes one mutant again, keeps its files, and shows what happened."""
    name, index = which.rsplit(":", 1)
    folder = Path(options.keep or tempfile.mkdtemp(prefix="mutant-")) / name.replace(" ", "-")
    one = Format(name, folder, options.cookc)
    case, data, how = one.mutant(int(index))
    row = one.several([int(index)])[0] if name in BATCHED else one.one(int(index))
    target = folder / one.cases[case].target
    if one.cases[case].of_part:
        target = folder / "part" / one.cases[case].target
    if name in BATCHED:
        target = folder / one.batch_file(int(index), data, case)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    print(json.dumps(row, indent=1, ensure_ascii=False))
    print(f"the mutant is {target} ({how})\ncd {folder} && {shlex.join([str(options.cookc), *map(str, row['argv'])])}")


def report(rows):
    """The table, and the first bad ones of each kind."""
    by_format = defaultdict(list)
    for row in rows:
        by_format[row["format"]].append(row)
    heads = ["format", "mutants", *OUTCOMES, "steers", "slowest, s", "most, MiB"]
    lines = []
    for name in [*(name for name in FORMATS if name in by_format), "all"]:
        some = rows if name == "all" else by_format[name]
        counts = Counter(row["outcome"] for row in some)
        slowest, most = (max(row[key] for row in some) for key in ("seconds", "peak_mib"))
        steers = sum(bool(row.get("steers")) for row in some)
        lines.append([name, len(some), *(counts[one] for one in OUTCOMES), steers, f"{slowest:.1f}", most])
    processes.table(heads, lines)
    shown = Counter()
    for row in sorted(rows, key=lambda row: (row["format"], row["index"])):
        kind = (row["format"], row["outcome"] if row["outcome"] in BAD else "steers" if row.get("steers") else None)
        if kind[1] is None:
            continue
        shown[kind] += 1
        if shown[kind] <= options.examples:
            words = " ".join(map(str, row["argv"]))
            said = " ".join(row.get("text", "").split())[:200]
            different = f" ({', '.join(row['different'])} differ)" if row.get("different") else ""
            print(f"\n{kind[1]}{different}: --only '{row['format']}:{row['index']}' "
                  f"[{row['case']}: {row['how'][:160]}]")
            print(f"  cookc {words}: exit {row['code']}, {row['seconds']} s: {said}")


def main():
    global options
    parser = processes.arguments(__doc__, "mutants", count=20000, workers=2, examples=3)
    parser.add_argument("--formats", nargs="*", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--only", metavar="FORMAT:INDEX")
    parser.add_argument("--keep", help="the folder for --only")
    options = parser.parse_args()
    if options.only and options.cookc:
        return only(options.only)
    is_bad = lambda row: row["outcome"] in BAD
    processes.main(parser, options, "mutants", lambda: all_mutants(options.formats), report, is_bad)


if __name__ == "__main__":
    main()
