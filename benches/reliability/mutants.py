"""Damages valid small inputs of every format that cookc reads, and counts how it takes them.

    python3 benches/reliability/mutants.py target/release/cookc --count 20000 --seed 1 --out mutants.jsonl
    python3 benches/reliability/mutants.py target/release/cookc --seed 1 --only gguf:117 --keep /tmp/mutant
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
import argparse
import json
import math
import multiprocessing
import os
import random
import re
import shlex
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import inputs
import mutations
import processes

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
ROOT = Path(__file__).resolve().parents[2]

options = None


@dataclass
class Case:
    """One input of a format, and the command that reads it."""

    label: str
    target: str  # the file that is damaged, seen from the working folder
    kind: str  # how it is damaged: a kind of mutations.damage
    argv: list  # without cookc itself
    stdin: str | None = None
    outputs: list = field(default_factory=list)  # what the command writes, removed after it
    part: str | None = None  # a run folder's copy that the command resumes, made anew for each mutant
    of_part: bool = False  # the target is in that copy
    reference: str | None = None  # the run that was never stopped
    then: list | None = None  # a second command, where the first accepts


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
        argv, done = case.argv, self.run(case.argv, case.stdin and self.folder / case.stdin)
        outcome, different = done.outcome, []
        if outcome == "accepted" and case.reference:
            different = self.differs(case)
            if different:
                outcome = "told" if TOLD.search(done.text) else "silent"
            # What an undamaged run says is kept when the format is set up.
            if outcome == "accepted" and words(done.text) == self.words.setdefault(at, words(done.text)):
                outcome = "unseen" if self.name == "checkpoint" and how != "nothing" else outcome
        if outcome == "accepted" and case.then:
            argv, done = case.then, self.run(case.then)
            # A legal template may need more memory or time than it is given here.
            outcome = done.outcome
        if not case.of_part:
            target.write_bytes(self.valid[at])
        for name in case.outputs:
            path = self.folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        row = {"format": self.name, "case": case.label, "how": how, "argv": argv, "outcome": outcome,
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


# ---------------------------------------------------------------- the formats


def cook(make):
    texts = {"task": inputs.TEMPLATE, "wide": inputs.WIDE}
    for path in sorted((ROOT / "stdlib").glob("*.cook")):
        text = path.read_text()
        # Words of a file beside the template are another format.
        if "\nprompt" in text and ".txt" not in text and len(text) < 4000:
            texts[path.stem] = text
    for name, text in texts.items():
        (make.folder / f"{name}.cook").write_text(text)
    return [Case(name, f"{name}.cook", "cook", ["check", f"{name}.cook"]) for name in texts]


def module(make):
    """A module; `argv` of a case has the text of a template that uses it."""
    users = {"own": (inputs.MODULE, inputs.USES_MODULE)}
    for name, user in (("pairs", "multi_key"), ("tokens", "stack_machine"), ("brackets", "dyck_complete")):
        text = (ROOT / "stdlib" / f"{user}.cook").read_text().replace("{", "{{").replace("}", "}}")
        if f"use {name}:" in text and ".txt" not in text:
            text = text.replace(f"use {name}:", "use {module}:")
            users[name] = ((ROOT / "stdlib" / f"{name}.cook").read_text(), text)
    cases = []
    for name, (text, user) in users.items():
        (make.folder / f"{name}.cook").write_text(text)
        (make.folder / f"user_of_{name}.cook").write_text(user.format(module=name))
        cases.append(Case(name, f"{name}.cook", "cook", [user]))
    return cases


def word_list(make):
    (make.folder / "words.txt").write_text("\n".join(inputs.WORDS) + "\n")
    (make.folder / "task.cook").write_text(inputs.TEMPLATE)
    generate = ["generate", "task.cook", "-n", "3", "--vocab", "words.txt"]
    return [Case("generate", "words.txt", "words", generate),
            Case("check", "words.txt", "words", ["check", "task.cook", "--vocab", "words.txt"]),
            Case("sample", "words.txt", "words", ["sample", "task.cook", "--vocab", "words.txt"])]


def recipe(make):
    work = make.folder
    (work / "task.cook").write_text(inputs.TEMPLATE)
    (work / "words.txt").write_text("\n".join(inputs.WORDS) + "\n")
    inputs.model(work / "m")
    (work / "short.toml").write_text('[[template]]\nfile = "task.cook"\n')
    (work / "run.toml").write_text(inputs.recipe(vocab='"words.txt"'))
    (work / "lora.toml").write_text(inputs.recipe("m", vocab='"tokenizer"', data='format = "chat"', lora=LORA))
    make.run(["run", "--train", "run.toml", "--dry-run"], stdout=work / "whole.toml")
    two = work / "whole.toml"
    two.write_text(two.read_text() + '\n[[template]]\nfile = "task.cook"\nlevel = "easy"\nset = { length = 5 }\n')
    names = ["short", "run", "lora", "whole"]
    return [Case(name, f"{name}.toml", "toml", ["run", "--train", f"{name}.toml", "--dry-run"]) for name in names]


LORA = 'rank = 2\nalpha = 4\ntargets = ["q_proj", "v_proj"]'


def replies(make):
    work = make.folder
    (work / "task.cook").write_text(inputs.TEMPLATE)
    (work / "wide.cook").write_text(inputs.WIDE)
    for name in ("task", "wide"):
        make.must("generate", f"{name}.cook", "-n", "12", "-o", f"{name}.jsonl")
    right = [json.loads(line) for line in (work / "task.jsonl").read_text().splitlines()]
    short = [{"index": row["index"], "reply": row["reply"]} for row in right]
    (work / "short.jsonl").write_text("".join(json.dumps(row) + "\n" for row in short))
    judge = lambda template, file, *more: ["judge", f"{template}.cook", f"{file}.jsonl", *more]
    return [Case("rows", "task.jsonl", "jsonl", judge("task", "task")),
            Case("short", "short.jsonl", "jsonl", judge("task", "short")),
            Case("wide", "wide.jsonl", "jsonl", judge("wide", "wide", "--format", "json")),
            Case("interpreter", "wide.jsonl", "jsonl", judge("wide", "wide", "--engine", "interpreter"))]


def model_folders(make):
    """Two models, and recipes that use them as plain text and as chats."""
    work = make.folder
    (work / "task.cook").write_text(inputs.TEMPLATE)
    (work / "wide.cook").write_text(inputs.WIDE)
    (work / "said").write_text("Which word is second: anchor barley copper?")
    shapes = {"m": inputs.model(work / "m"), "s": inputs.model(work / "s", "mistral", True, chat="settings")}
    for name in shapes:
        (work / f"{name}.toml").write_text(inputs.recipe(name, vocab="64", lora=LORA))
        chat = inputs.recipe(name, vocab="64", lora=LORA, data='format = "chat"', template="wide.cook")
        (work / f"{name}-chat.toml").write_text(chat)
    return shapes


def chat(model, *more):
    return ["chat", model, "--tokens", "3", *more]


def export(model, *more):
    return ["export", model, "--gguf", "out.gguf", *more]


def dry(recipe):
    return ["run", "--train", recipe, "--dry-run"]


def config(make):
    model_folders(make)
    cases = []
    for name in ("m", "s"):
        target = f"{name}/config.json"
        cases += [Case(f"{name} chat", target, "json", chat(name), "said"),
                  Case(f"{name} export", target, "json", export(name), outputs=["out.gguf"]),
                  Case(f"{name} run", target, "json", dry(f"{name}.toml"))]
    return cases


def tokenizer(make):
    model_folders(make)
    cases = []
    for name in ("m", "s"):
        target = f"{name}/tokenizer.json"
        cases += [Case(f"{name} chat", target, "json", chat(name), "said"),
                  Case(f"{name} run", target, "json", dry(f"{name}.toml"))]
    return cases


def chat_template(make):
    model_folders(make)
    cases = []
    for name, target, kind in (("m", "m/chat_template.jinja", "jinja"), ("s", "s/tokenizer_config.json", "json"),
                               ("m", "m/tokenizer_config.json", "json"), ("m", "m/generation_config.json", "json")):
        label = target.replace("/", " ")
        cases += [Case(f"{label} run", target, kind, dry(f"{name}-chat.toml")),
                  Case(f"{label} chat", target, kind, chat(name, "--system", "Be brief."), "said")]
    # A damaged template within sound settings.
    return cases + cases[:2] * 2


def safetensors(make):
    model_folders(make)
    work = make.folder
    split(work / "m", work / "parts")
    cases = []
    for name in ("m", "s"):
        target = f"{name}/model.safetensors"
        cases += [Case(f"{name} chat", target, "safetensors", chat(name), "said"),
                  Case(f"{name} export", target, "safetensors", export(name, "--kind", "q8_0"), outputs=["out.gguf"])]
    cases.append(Case("shard", "parts/model-00001-of-00002.safetensors", "safetensors", chat("parts"), "said"))
    cases.append(Case("index", "parts/model.safetensors.index.json", "json", chat("parts"), "said"))
    return cases


def split(model, folder):
    """The same model as two shards and their index."""
    shutil.copytree(model, folder)
    (folder / "model.safetensors").unlink()
    shapes = inputs.shapes(json.loads((model / "config.json").read_text()))
    known = sorted(shapes)
    parts = {"model-00001-of-00002.safetensors": known[::2], "model-00002-of-00002.safetensors": known[1::2]}
    for file, some in parts.items():
        (folder / file).write_bytes(inputs.safetensors({name: shapes[name] for name in some}))
    where = {name: file for file, some in parts.items() for name in some}
    size = sum(4 * math.prod(shape) for shape in shapes.values())
    index = {"metadata": {"total_size": size}, "weight_map": where}
    inputs.put_json(folder / "model.safetensors.index.json", index)


def adapter(make):
    shapes = model_folders(make)
    inputs.adapter(make.folder / "a", shapes["m"])
    merge = ["merge", "m", "--adapter", "a", "--out", "merged"]
    talk = chat("m", "--adapter", "a")
    cases = []
    for target, kind in (("a/adapter_config.json", "json"), ("a/adapter_model.safetensors", "safetensors")):
        label = target.removeprefix("a/adapter_")
        cases += [Case(f"{label} merge", target, kind, merge, outputs=["merged"]),
                  Case(f"{label} chat", target, kind, talk, "said")]
    return cases


def gguf(make):
    model_folders(make)
    work = make.folder
    cases = []
    for name, kind in (("m", "f32"), ("s", "q8_0"), ("m", "f16")):
        file = f"{name}-{kind}.gguf"
        make.must("export", name, "--gguf", file, "--kind", kind)
        (work / f"{file}.toml").write_text(inputs.recipe(file, vocab="64", lora=LORA))
        cases += [Case(f"{file} chat", file, "gguf", chat(file), "said"),
                  Case(f"{file} export", file, "gguf", export(file), outputs=["out.gguf"]),
                  Case(f"{file} run", file, "gguf", dry(f"{file}.toml"))]
    return cases


def runs(make):
    """Three runs that were never stopped, and what a kill after step 8 leaves of each. Gives their names."""
    work = make.folder
    (work / "task.cook").write_text(inputs.TEMPLATE)
    (work / "words.txt").write_text("\n".join(inputs.WORDS) + "\n")
    inputs.model(work / "m")
    recipes = {"scratch": inputs.recipe(vocab='"words.txt"'), "two": inputs.recipe(vocab='"words.txt"', keep=2),
               "lora": inputs.recipe("m", vocab='"words.txt"', lora=LORA, every=4)}
    for name, text in recipes.items():
        (work / f"{name}.toml").write_text(text)
        make.must("run", "--train", f"{name}.toml", "--out", name)
        stopped(work / name, work / f"{name}-part", 8)
    return list(recipes)


def stopped(run, part, step):
    """The run folder as a kill after a checkpoint leaves it: without results, and no later line."""
    shutil.copytree(run, part)
    for name in ("model", "adapter", "best"):
        if name != "best":
            shutil.rmtree(part / name, ignore_errors=True)
    for name in ("report.json", "report.html", "samples.jsonl"):
        (part / name).unlink()
    lines = (part / "metrics.jsonl").read_text().splitlines(keepends=True)
    (part / "metrics.jsonl").write_text("".join(line for line in lines if json.loads(line)["step"] <= step))


def resumed(name, label, target, kind, of_part):
    argv = ["run", "--resume", "part"]
    return Case(f"{name} {label}", target, kind, argv, part=f"{name}-part", of_part=of_part, reference=name)


def checkpoint(make):
    cases = []
    for name in runs(make):
        folder = make.folder / f"{name}-part"
        newest = max((folder / "checkpoints").glob("*.safetensors")).relative_to(folder)
        cases.append(resumed(name, "checkpoint", str(newest), "checkpoint", True))
    return cases


def metrics(make):
    return [resumed(name, "metrics", "metrics.jsonl", "jsonl", True) for name in runs(make)]


def run_inputs(make):
    runs(make)
    cases = [resumed(name, "recipe", "recipe.toml", "toml", True) for name in ("scratch", "lora")]
    for target, kind in (("task.cook", "cook"), ("words.txt", "words"), ("m/tokenizer.json", "json"),
                         ("m/config.json", "json"), ("m/model.safetensors", "checkpoint")):
        cases.append(resumed("lora", target, target, kind, False))
    return cases


FORMATS = {"cook": cook, "module": module, "words": word_list, "recipe": recipe, "replies": replies, "config": config,
           "tokenizer": tokenizer, "chat template": chat_template, "safetensors": safetensors, "adapter": adapter,
           "gguf": gguf, "checkpoint": checkpoint, "metrics": metrics, "run inputs": run_inputs}
BATCHED = {"cook", "module"}
WEIGHTS = {"checkpoint": 3, "metrics": 2, "run inputs": 2, "chat template": 4}


# ---------------------------------------------------------------- the work


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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cookc", nargs="?", type=lambda path: Path(path).resolve(), help="the program to try")
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", help="a JSON line a mutant")
    parser.add_argument("--formats", nargs="*", choices=FORMATS, default=list(FORMATS))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--examples", type=int, default=3, help="bad ones of each kind that are shown")
    parser.add_argument("--only", metavar="FORMAT:INDEX")
    parser.add_argument("--keep", help="the folder for --only")
    parser.add_argument("--table", help="only prints the table of raw results")
    options = parser.parse_args()
    if options.table:
        return report([json.loads(line) for line in open(options.table)])
    if options.cookc is None:
        parser.error("name the program to try")
    if options.only:
        return only(options.only)
    began = time.monotonic()
    rows = all_mutants(options.formats)
    report(rows)
    print(f"\n{len(rows)} mutants, seed {options.seed}, {time.monotonic() - began:.0f} s")
    sys.exit(1 if any(row["outcome"] in BAD for row in rows) else 0)


if __name__ == "__main__":
    main()
