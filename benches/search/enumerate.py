#!/usr/bin/env python3
"""Values a second: `cookc synth`, and a plain enumerator in Python of the same operations, in turns, on one core each.

    taskset -c 0 benches/search/enumerate.py COOKC [--seconds 5] [--rounds 3]

Both make all expressions by their cost and keep one for each list of values (observational equivalence). The tasks have no
short rule, so that both search until the time is over. A value is that of one expression for one example; both count the values that
they compute, those of expressions that are dropped too. Prints a line of JSON a task, then the ratio.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
import time


def tasks():
    """Rows of inputs with outputs that follow from nothing: no rule is found in time."""
    drawn = random.Random(11)
    numbers = [{"a": drawn.randrange(500), "b": drawn.randrange(500), "c": drawn.randrange(10**6)} for _ in range(12)]
    lists = [
        {"xs": [drawn.randrange(20) for _ in range(6)], "n": drawn.randrange(1, 5), "out": [drawn.randrange(10**6) for _ in range(4)]}
        for _ in range(12)
    ]
    return {"numbers": (numbers, ["a", "b"], "c"), "lists": (lists, ["xs", "n"], "out")}


def divided(a, b):
    return a // b


def remainder(a, b):
    return a % b


def at(index, xs):
    if index < 0:
        raise IndexError
    return xs[index]


def first(count, xs):
    if not 0 <= count <= len(xs):
        raise IndexError
    return xs[:count]


def others(count, xs):
    if not 0 <= count <= len(xs):
        raise IndexError
    return xs[count:]


def position(x, xs):
    return xs.index(x)


def ranged(low, high):
    if high - low >= 64:
        raise IndexError
    return tuple(range(low, high + 1))


def within(part, xs):
    return any(xs[at : at + len(part)] == part for at in range(len(xs) - len(part) + 1))


def unique(xs):
    return tuple(dict.fromkeys(xs))


I, B, L = "int", "bool", "list"
# Operation, kinds of operands, kind of result, cost, and whether its operands may change places.
ROWS = [
    (lambda a, b: a + b, (I, I), I, 1, True),
    (lambda a, b: a - b, (I, I), I, 1, False),
    (lambda a, b: a * b, (I, I), I, 1, True),
    (divided, (I, I), I, 1, False),
    (remainder, (I, I), I, 1, False),
    (lambda a, b: a == b, (I, I), B, 1, True),
    (lambda a, b: a < b, (I, I), B, 1, False),
    (lambda a, b: a <= b, (I, I), B, 2, False),
    (lambda a: not a, (B,), B, 1, False),
    (lambda a, b: a and b, (B, B), B, 1, True),
    (lambda a, b: a or b, (B, B), B, 2, True),
    (lambda a, b, c: b if a else c, (B, I, I), I, 1, False),
    (lambda a, b, c: b if a else c, (B, L, L), L, 1, False),
    (ranged, (I, I), L, 1, False),
    (sum, (L,), I, 2, False),
    (max, (L,), I, 2, False),
    (min, (L,), I, 2, False),
    (len, (L,), I, 1, False),
    (at, (I, L), I, 1, False),
    (lambda a: (a,), (I,), L, 1, False),
    (position, (I, L), I, 2, False),
    (first, (I, L), L, 1, False),
    (others, (I, L), L, 2, False),
    (lambda a: a[::-1], (L,), L, 2, False),
    (unique, (L,), L, 2, False),
    (lambda a, b: a + b, (L, L), L, 1, False),
    (lambda a, b: tuple(x for x in b if x not in a), (L, L), L, 2, False),
    (lambda a, b: tuple(x for x in unique(a) if x in b), (L, L), L, 3, False),
    (lambda a, b: unique(a + b), (L, L), L, 3, False),
    (lambda a, b: a in b, (I, L), B, 1, False),
    (within, (L, L), B, 2, False),
    (lambda a, b, c: tuple(b if x == a else x for x in c), (I, I, L), L, 3, False),
    (lambda a, b: a == b, (L, L), B, 1, True),
    (lambda a: tuple(sorted(a)), (L,), L, 2, False),
]
FAULTS = (IndexError, ValueError, ZeroDivisionError)


def enumerate_all(rows, inputs, seconds):
    """The number of values computed until the time is over."""
    width = len(rows)
    terms = {kind: {} for kind in (I, B, L)}
    seen = {kind: set() for kind in (I, B, L)}

    def keep(kind, cost, values):
        if values not in seen[kind]:
            seen[kind].add(values)
            terms[kind].setdefault(cost, []).append(values)

    for name in inputs:
        values = tuple(tuple(row[name]) if isinstance(row[name], list) else row[name] for row in rows)
        keep(L if isinstance(values[0], tuple) else I, 1, values)
    for number in (0, 1, 2):
        keep(I, 1, (number,) * width)
    for number in (3, 4, 5, 10):
        keep(I, 2, (number,) * width)
    keep(L, 2, ((),) * width)
    computed, start, cost = 0, time.perf_counter(), 1
    while True:
        cost += 1
        for run, takes, gives, own, is_symmetric in ROWS:
            left = cost - own
            for split in splits(left, len(takes)):
                if is_symmetric and split[0] > split[1]:
                    continue
                for operands in product([terms[kind].get(part, ()) for kind, part in zip(takes, split)]):
                    made = []
                    try:
                        for values in zip(*operands):
                            computed += 1
                            made.append(run(*values))
                    except FAULTS:
                        continue
                    keep(gives, cost, tuple(made))
                    if computed & 1023 < width and time.perf_counter() - start > seconds:
                        return computed, time.perf_counter() - start


def splits(left, parts):
    if parts == 1:
        return [(left,)] if left > 0 else []
    return [(first, *rest) for first in range(1, left) for rest in splits(left - first, parts - 1)]


def product(lists):
    if len(lists) == 1:
        return ((one,) for one in lists[0])
    if len(lists) == 2:
        return ((a, b) for a in lists[0] for b in lists[1])
    return ((a, b, c) for a in lists[0] for b in lists[1] for c in lists[2])


def searched(cookc, rows, inputs, output, seconds):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "rows.jsonl")
        with open(path, "w") as lines:
            lines.writelines(json.dumps(row) + "\n" for row in rows)
        names = subprocess.run([cookc, "list", "--format", "json"], check=True, capture_output=True, text=True).stdout
        without = ",".join(one["name"].removeprefix("std:") for one in json.loads(names)["templates"])
        command = [cookc, "synth", path, "--inputs", ",".join(inputs), "--output", output, "--json", "--without", without]
        command += ["--seconds", str(seconds), "--threads", "1", "--megabytes", "8192"]
        ended = subprocess.run(command, capture_output=True, text=True)
        assert ended.stdout, ended.stderr
        outcome = json.loads(ended.stdout)
        assert outcome["explained"] < len(rows), "a rule was found"
        return outcome["computed"], outcome["seconds"]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("cookc")
    words.add_argument("--seconds", type=float, default=5)
    words.add_argument("--rounds", type=int, default=3)
    asked = words.parse_args()
    for name, (rows, inputs, output) in tasks().items():
        ours, theirs = [], []
        for _ in range(asked.rounds):
            computed, seconds = searched(asked.cookc, rows, inputs, output, asked.seconds)
            ours.append(computed / seconds)
            computed, seconds = enumerate_all(rows, inputs, asked.seconds)
            theirs.append(computed / seconds)
        print(
            json.dumps(
                {
                    "task": name,
                    "cookc, values a second": [round(one) for one in ours],
                    "Python, values a second": [round(one) for one in theirs],
                    "ratio": round(statistics.median(ours) / statistics.median(theirs), 1),
                }
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
