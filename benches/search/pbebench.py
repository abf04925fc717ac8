#!/usr/bin/env python3
"""PBEBench-Lite without a language model: five words in, five words out, which replacements lie between?

    benches/search/pbebench.py COOKC TASKS.jsonl [--seconds 10] [--limit N] > pbebench.jsonl

TASKS.jsonl has the tasks of cmu-llab's PBEBench: "inputs", "outputs", "cascade_length" and "programs", the true replacements. A
task is solved if all its outputs are reproduced by the rule that `cookc synth` writes within the time, on one thread. Unseen inputs are
20 words made of the letters of the inputs, of the same lengths, with the outputs of the true replacements; an unseen input counts
where the true replacements change it. Prints a line of JSON a task, then the shares by the number of replacements.
"""
import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time

UNSEEN = 20


def run(steps, word):
    for old, new in steps:
        word = word.replace(old, new)
    return word


def main():
    words = argparse.ArgumentParser()
    words.add_argument("cookc")
    words.add_argument("tasks")
    words.add_argument("--seconds", type=float, default=10)
    words.add_argument("--limit", type=int)
    asked = words.parse_args()
    with open(asked.tasks) as lines:
        tasks = [json.loads(line) for line in lines][: asked.limit]
    by = {}
    for at, task in enumerate(tasks):
        steps = [re.fullmatch(r'replace\("(.*)", "(.*)"\)', step).groups() for step in task["programs"]]
        letters = sorted(set("".join(task["inputs"])))
        chance = random.Random(at)
        fresh = []
        for _ in range(100 * UNSEEN):
            word = "".join(chance.choice(letters) for _ in range(len(chance.choice(task["inputs"]))))
            if run(steps, word) != word and word not in task["inputs"] and len(fresh) < UNSEEN:
                fresh.append(word)
        with tempfile.TemporaryDirectory() as folder:
            examples, unseen = os.path.join(folder, "examples.jsonl"), os.path.join(folder, "unseen.jsonl")
            with open(examples, "w") as lines:
                for given, wanted in zip(task["inputs"], task["outputs"]):
                    lines.write(json.dumps({"input": given, "output": wanted}) + "\n")
            with open(unseen, "w") as lines:
                lines.writelines(json.dumps({"input": word}) + "\n" for word in task["inputs"] + fresh)
            command = [asked.cookc, "synth", examples, "--fill", unseen, "--seconds", str(asked.seconds), "--threads", "1"]
            start = time.monotonic()
            done = subprocess.run(command, capture_output=True, text=True)
            seconds = time.monotonic() - start
        filled = [json.loads(line)["output"] for line in done.stdout.splitlines()]
        solved = filled[: len(task["inputs"])] == task["outputs"]
        right = sum(one == run(steps, word) for one, word in zip(filled[len(task["inputs"]) :], fresh))
        row = {"task": at, "steps": len(steps), "solved": solved, "unseen": right, "of": len(fresh), "seconds": round(seconds, 2)}
        print(json.dumps(row), flush=True)
        by.setdefault(len(steps), []).append(row)
    every = [row for rows in by.values() for row in rows]
    for name, rows in [*sorted(by.items()), ("all", every)]:
        unseen = sum(row["unseen"] for row in rows) / max(1, sum(row["of"] for row in rows))
        share = sum(row["solved"] for row in rows) / len(rows)
        mean = sum(row["seconds"] for row in rows) / len(rows)
        print(json.dumps({"steps": name, "tasks": len(rows), "solved": share, "unseen": unseen, "seconds": mean}), flush=True)


if __name__ == "__main__":
    sys.exit(main())
