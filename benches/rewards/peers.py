#!/usr/bin/env python3
"""Shortcut baselines on every task of reasoning-gym, reasoning-core and cookc's stdlib.

    python3 -m venv /tmp/peers && /tmp/peers/bin/pip install -r benches/rewards/requirements.txt cookc
    /tmp/peers/bin/python benches/rewards/peers.py -o docs/results/reward-audit.jsonl
    python3 benches/rewards/peers_table.py docs/results/reward-audit.jsonl

A task's own scorer gives the score of every reply. Three sets of samples, each with its own seed: the
constants come from the first, the best shortcut is chosen on the second, and its score is that on the
third. A task runs in its own process, with limits on CPU time and memory. Tasks that are in the output
file already are kept, so a run can be stopped and resumed.
"""

import argparse
import collections
import contextlib
import hashlib
import json
import math
import os
import pathlib
import random
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import zlib

import replies

LEARN, CHOOSE, MEASURE = 1_000_000, 2_000_000, 3_000_000
COUNT = 100  # samples of LEARN and of CHOOSE; MEASURE has twice as many
# Tasks whose samples take 50 ms or more each to draw. A fixed list, so that the same seeds give the same output.
FEW = 16
SLOW = set(
    """futoshiki intermediate_integration knight_swap puzzle24 zebra_puzzles
    arithmetics belief_tracking code_analysis code_runnability constrained_continuation constraint_satisfaction
    equation_system function_manipulation inverse_math math_word_problem most_probable_evidence
    most_probable_outcome parsing_derivation planar_geometry_relations qualitative_reasoning regex_following
    regex_reasoning sequential_induction set_expression set_missing_element syntax_error_detection
    table_equivalence table_qa table_statistics coreference graph_pathfinding""".split()
)
HEDGED, DRESSED = 50, 10  # samples with hedged and with dressed right answers
CONSTANTS = 8  # the most frequent replies of LEARN that compete
SEEN_TWICE = 4  # samples that another process draws again
CPU_SECONDS, WALL_SECONDS, CALL_SECONDS, BYTES = 90, 300, 5, 8 << 30

Item = collections.namedtuple("Item", "prompt answer entry")


def each(make, count):
    """What `make` returns for each index; one that a generator gives up on is left out, unless all of the first are."""
    failed = 0
    for index in range(count):
        try:
            entry = make(index)
        except Exception:
            failed += 1
            if failed == index + 1 >= 3:
                raise
            continue
        yield entry


class Gym:
    """reasoning-gym: every registered task with its default configuration."""

    name, package = "reasoning-gym", "reasoning_gym"

    def tasks(self):
        from reasoning_gym.factory import DATASETS

        return sorted(set(DATASETS) - {"composite"})

    def open(self, task):
        import reasoning_gym

        self.task, self.create = task, reasoning_gym.create_dataset
        self.scorer = reasoning_gym.create_dataset(task, seed=0, size=1)

    def draw(self, seed, count):
        data = self.create(self.task, seed=seed, size=count)
        for entry in each(data.__getitem__, count):
            yield Item(entry["question"], self.answer(entry), entry)

    def answer(self, entry):
        """The entry's answer, or the example that stands in for it where several answers are right."""
        examples = ("example_answer", "example_correct_answer", "possible_answer")
        found = [entry["metadata"][name] for name in examples if entry["metadata"].get(name) is not None]
        if entry["answer"] is not None or not found:
            return entry["answer"]
        return found[0] if isinstance(found[0], str) else json.dumps(found[0])

    def score(self, item, reply):
        return self.scorer.score_answer(reply, item.entry)


class Core:
    """reasoning-core: the tasks of `list_tasks()` at level 0, unbalanced."""

    name, package = "reasoning-core", "reasoning_core"

    def tasks(self):
        import reasoning_core

        return sorted(reasoning_core.list_tasks())

    def open(self, task):
        import reasoning_core

        self.task, self.scorer = reasoning_core.get_task(task), reasoning_core.score_answer
        # gramforge calls random.seed(None), which would take a seed from the operating system.
        seed = random.seed
        random.seed = lambda value=None, version=2: None if value is None else seed(value, version)

    def draw(self, seed, count):
        # Its tasks draw from the global generators, so these are seeded before each sample.
        import faker
        import numpy

        def make(index):
            number = zlib.crc32(f"{seed} {index}".encode())
            random.seed(number)
            numpy.random.seed(number)
            faker.Faker.seed(number)
            return self.task.generate_example()

        for entry in each(make, count):
            yield Item(entry.prompt, entry.answer, entry)

    def score(self, item, reply):
        return self.scorer(reply, item.entry)


class Cookc:
    """The templates of cookc's stdlib, at each of their levels, with replies read in one form of answers."""

    package = "cookc"

    def __init__(self, form):
        self.form, self.reads = form, form != "strict"
        self.name = f"cookc --answer {form}" if self.reads else "cookc"

    def tasks(self):
        import cookc

        levels = {name: cookc.Template.builtin(name).levels for name in cookc.templates()}
        return [f"{name} {level}" for name, each in levels.items() for level in each]

    def open(self, task):
        import cookc

        name, level = task.split()
        self.sampler = cookc.Template.builtin(name).level(level).answer(self.form).compile()

    def draw(self, seed, count):
        for sample in self.sampler.samples(seed=seed, count=count):
            yield Item(sample.prompt, sample.reply, sample.key)

    def score(self, item, reply):
        return self.score_all([item], [reply])[0]

    def score_all(self, items, texts):
        indices, seed = [item.entry.index for item in items], items[0].entry.seed
        return [score.mean for score in self.sampler.score_many(indices, texts, seed=seed)]


SUITES = {suite.name: suite for suite in (Gym(), Core(), Cookc("strict"), Cookc("any"))}


class Slow(BaseException):
    """A call needed more than CALL_SECONDS of CPU time."""


@contextlib.contextmanager
def limited(seconds):
    def stop(*_):
        raise Slow

    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


class Scorer:
    """A task's scorer; what it raises counts as 0 and is remembered."""

    def __init__(self, suite):
        self.suite, self.raised, self.slow = suite, False, False

    def __call__(self, item, reply):
        if reply is None:
            return 0.0
        try:
            with limited(CALL_SECONDS):
                return float(self.suite.score(item, reply))
        except Slow:
            self.slow = True
        except Exception:
            self.raised = True
        return 0.0

    def all(self, items, texts):
        """The scores of replies to samples of one seed, in one call where the suite takes many."""
        if hasattr(self.suite, "score_all") and None not in texts:
            with contextlib.suppress(Exception):
                return self.suite.score_all(items, texts)
        return [self(item, reply) for item, reply in zip(items, texts)]


def text(answer):
    """An answer as a training loop has it."""
    return answer if isinstance(answer, str) else str(answer)


def mean(scores):
    return sum(scores) / len(scores)


def interval(share, count):
    """Wilson's 95 % interval; of a mean of graded scores it is too wide rather than too narrow."""
    z = 1.959964
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def chance(items, learned):
    """The score of a guess among the options that the prompts show; 0 where they show none."""
    distinct = sorted(set(learned))
    if all(re.fullmatch(r"[A-Z]", answer) for answer in distinct):
        each = [len(replies.labels(item.prompt)) for item in items]
        if min(each) > 1:
            return mean([1 / count for count in each])
    if 1 < len(distinct) <= 10:
        shown = [re.compile(rf"(?<!\w){re.escape(answer)}(?!\w)", re.I) for answer in distinct]
        every = [all(one.search(item.prompt) for one in shown) for item in items]
        if mean(every) >= 0.95:
            return 1 / len(distinct)
    return 0.0


def rng(task, index):
    return random.Random(f"{task} {index}")


def digest(items):
    return hashlib.sha256(repr([(item.prompt, text(item.answer)) for item in items]).encode()).hexdigest()


def overlap(some, others):
    seen = {item.prompt for item in others}
    return mean([item.prompt in seen for item in some])


def audit(suite, task):
    """The record of a task."""
    count = FEW if task in SLOW else COUNT
    suite.open(task)
    score = Scorer(suite)
    learn, choose = list(suite.draw(LEARN, count)), list(suite.draw(CHOOSE, count))
    measure = list(suite.draw(MEASURE, 2 * count))
    learned = [text(item.answer) for item in learn if item.answer is not None]
    frequent = collections.Counter(learned).most_common()
    measured = {}
    answered = [item for item in measure if item.answer is not None]
    measured["oracle"] = score.all(answered, [text(item.answer) for item in answered])
    for name, reply in replies.GARBAGE.items():
        measured[name] = score.all(measure, [reply] * len(measure))

    shortcuts = {
        f"constant {reply}" if reply else "empty": lambda prompt, draw, reply=reply: reply
        for reply in replies.CONSTANTS
    }
    for place, (reply, _) in enumerate(frequent[:CONSTANTS], 1):
        shortcuts[f"frequent answer {place}"] = lambda prompt, draw, reply=reply: reply
    shortcuts |= replies.ECHOES

    def run(name, items):
        reply = shortcuts[name]
        return score.all(items, [reply(item.prompt, rng(task, index)) for index, item in enumerate(items)])

    chosen = {name: run(name, choose) for name in shortcuts}
    chosen_on = {name: mean(scores) for name, scores in chosen.items()}
    best = max(shortcuts, key=lambda name: chosen_on[name])
    best_full = max(shortcuts, key=lambda name: mean([full(score) for score in chosen[name]]))
    reply_of = lambda name: shortcuts[name]("", None)[:60] if name.startswith("frequent") else None
    near = list(suite.draw(MEASURE + 1, count)) if suite.name != "reasoning-core" else None
    scores = run(best, measure)
    low, high = interval(min(1.0, max(0.0, mean(scores))), len(scores))
    floor = [score for name in replies.GARBAGE for score in measured[name]]
    record = {
        "suite": suite.name,
        "task": task,
        "samples": [len(learn), len(choose), len(measure)],
        "answers": len(frequent),
        "most_frequent": frequent[0][1] / len(learn) if frequent else None,
        "oracle": mean(measured["oracle"]) if measured["oracle"] else None,
        "oracle_full": mean([full(score) for score in measured["oracle"]]) if measured["oracle"] else None,
        "chance": chance(measure, learned),
        "best": best,
        "best_reply": reply_of(best),
        "score": mean(scores),
        "low": low,
        "high": high,
        "full": mean([full(score) for score in scores]),
        "full_best": best_full,
        "full_best_reply": reply_of(best_full),
        "full_score": mean([full(score) for score in run(best_full, measure)]),
        "garbage": mean(floor),
        "garbage_most": max(floor),
        "empty": chosen_on["empty"],
        "empty_full": mean([full(score) for score in chosen["empty"]]),
        "chosen_on": dict(sorted(chosen_on.items(), key=lambda pair: -pair[1])[:6]),
    }
    right = [item for item, value in zip(answered, measured["oracle"]) if full(value)]
    record["outside"] = any(not 0 <= value <= 1 for value in scores + floor + measured["oracle"])
    record["hedged"] = hedged(score, task, right[:HEDGED], learned)
    record["dressed"], record["dressed_extracted"] = dressed(score, right[:DRESSED])
    record["overlap_far"] = overlap(measure, learn + choose)
    record["overlap_next"] = near and overlap(near, measure)
    record["repeats"] = 1 - len({item.prompt for item in measure}) / len(measure)
    record["digest"] = digest(measure[:SEEN_TWICE])
    record["raised"], record["slow"] = score.raised, score.slow
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in record.items()} | {
        "chosen_on": {name: round(value, 3) for name, value in record["chosen_on"].items()}
    }


def full(score):
    return score >= 0.999


def hedged(score, task, items, learned):
    """The mean score, and the share of full credit, of replies that hold the right answer and a wrong one."""
    found = collections.defaultdict(list)
    for index, item in enumerate(items):
        answer = text(item.answer)
        others = sorted(set(learned) - {answer})
        rng(task, index).shuffle(others)
        # Several answers can be right, and a wrong one can have a part of the credit: the worst of a few.
        others = others[:5]
        graded = sorted(zip(score.all([item] * len(others), others), others))
        if not graded or full(graded[0][0]):
            continue
        reads = getattr(score.suite, "reads", False)
        names, hedges = zip(*replies.hedges(answer, graded[0][1], extracting=not reads))
        for name, value in zip(names, score.all([item] * len(hedges), list(hedges))):
            found[name].append(value)
    return {"samples": max(map(len, found.values()), default=0)} | {
        name: [round(mean(scores), 3), round(mean([full(score) for score in scores]), 3)]
        for name, scores in found.items()
    }


def dressed(score, items):
    """How many of the right answers get full credit in each dress, as they are and after extraction."""
    plain, extracted = [0] * len(replies.DRESSES), [0] * len(replies.DRESSES)
    for item in items:
        worn = [dress(text(item.answer)) for dress in replies.DRESSES.values()]
        inner = [reply if found is None else found for reply in worn for found in [replies.extract(reply)]]
        for counts, texts in ((plain, worn), (extracted, inner)):
            for place, value in enumerate(score.all([item] * len(texts), texts)):
                counts[place] += full(value)
    return [len(items), *plain], [len(items), *extracted]


def first(suite, task):
    """A digest of a task's first samples, for the comparison of processes."""
    suite.open(task)
    return {"suite": suite.name, "task": task, "digest": digest(list(suite.draw(MEASURE, SEEN_TWICE)))}


def apart(work, suite, task):
    """What `work` returns of a task in its own process, or why there is nothing."""
    reader, writer = os.pipe()
    folder = tempfile.TemporaryDirectory()  # some tasks run code that writes files
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        os.close(reader)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        os.chdir(folder.name)
        hidden = os.open(os.devnull, os.O_WRONLY)
        os.dup2(hidden, 1)
        os.dup2(hidden, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        random.seed(0)
        try:
            record = work(suite, task)
        except BaseException as error:
            record = {"suite": suite.name, "task": task, "reason": f"{type(error).__name__}: {error}".partition(";")[0]}
        with open(writer, "w") as pipe:
            json.dump(record, pipe)
        os._exit(0)
    os.close(writer)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(WALL_SECONDS)
    with open(reader) as pipe:
        said = pipe.read()
    signal.alarm(0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    folder.cleanup()
    if said:
        return json.loads(said)
    return {"suite": suite.name, "task": task, "reason": "over the limit of time or memory"}


def elsewhere(suite, tasks, hash_seed):
    """The digests that fresh processes with another seed of Python's hashes come to."""
    names = [part for task in tasks for part in ("--task", task)]
    command = [sys.executable, __file__, "--digests", "--suite", suite.name, *names]
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    return {one["task"]: one.get("digest") for one in map(json.loads, said.splitlines())}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("-o", "--output", type=pathlib.Path)
    parser.add_argument("--suite", choices=SUITES, action="append")
    parser.add_argument("--task", action="append")
    parser.add_argument("--digests", action="store_true", help="only a digest of each task's first samples")
    options = parser.parse_args()
    lines = options.output.read_text().splitlines() if options.output and options.output.exists() else []
    done = {(one["suite"], one["task"]) for one in map(json.loads, lines)}
    for suite in (SUITES[name] for name in options.suite or SUITES):
        tasks = [task for task in options.task or suite.tasks() if (suite.name, task) not in done]
        others = {} if options.digests else elsewhere(suite, tasks, "1") if tasks else {}
        for task in tasks:
            start, before = time.time(), cpu()
            record = apart(first if options.digests else audit, suite, task)
            if "digest" in record and not options.digests:
                found = record.pop("digest")
                same = others[task] == found
                record["same_with_hash_seed_1"] = same
                record["same_with_hash_seed_0"] = same or elsewhere(suite, [task], "0")[task] == found
            line = json.dumps(record, ensure_ascii=False, separators=(",", ":"))
            if options.output:
                with options.output.open("a") as file:
                    print(line, file=file)
            else:
                print(line, flush=True)
            print(f"{suite.name} {task}: {time.time() - start:.1f} s, CPU {cpu() - before:.1f} s", file=sys.stderr)
    if options.output:
        order = list(SUITES)
        lines = options.output.read_text().splitlines()
        lines.sort(key=lambda line: (order.index(json.loads(line)["suite"]), json.loads(line)["task"]))
        options.output.write_text("".join(f"{line}\n" for line in lines))


def cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    wanted = {"PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    if "PYTHONHASHSEED" not in os.environ:
        os.execve(sys.executable, [sys.executable, *sys.argv], os.environ | wanted)
    main()
