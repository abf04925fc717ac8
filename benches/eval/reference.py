"""Writes lm-evaluation-harness's side of the comparison: a line an item, task by task; goes on where it was stopped.

    python benches/eval/reference.py DATA MODEL OUT [--adapter DIR] [--tasks arc_easy,…] [--limit 100,500]

OUT/ref_TASK.jsonl has the first items of each task as lm_eval_side.py describes them, scored one at a time (`hf`, batch 1,
float32): the first 100 of each task, then up to 500. Takes about an hour for 500 items of all tasks with SmolLM2-135M on two cores.
"""
import argparse
import json
import os
import sys
import time

import lm_eval_side as side

CHUNK = 50
# The quick ones first.
ORDER = ["winogrande", "openbookqa", "arc_easy", "arc_challenge", "piqa", "hellaswag", "boolq"]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("data")
    words.add_argument("model")
    words.add_argument("out")
    words.add_argument("--adapter")
    words.add_argument("--tasks", default=",".join(ORDER))
    words.add_argument("--limit", default="500")
    asked = words.parse_args()

    from lm_eval.tasks import TaskManager

    side.quiet()
    os.makedirs(asked.out, exist_ok=True)
    manager, lm = TaskManager(), side.load(asked.model, asked.adapter, "float32", 1)
    for limit in map(int, asked.limit.split(",")):
        for name in asked.tasks.split(","):
            up_to(limit, lm, manager, asked, name)


def up_to(limit, lm, manager, asked, name):
    file = os.path.join(asked.out, f"ref_{name}.jsonl")
    done = sum(1 for _ in open(file)) if os.path.exists(file) else 0
    while done < limit:
        begun = time.time()
        items = list(range(done, min(done + CHUNK, limit)))
        rows, _ = side.evaluate(lm, manager, asked.data, [name], samples={name: items})
        assert [row["doc_id"] for row in rows[name]] == items
        with open(file, "a") as out:
            out.write("".join(json.dumps(row) + "\n" for row in rows[name]))
        done += len(items)
        rate = len(items) / (time.time() - begun)
        print(f"{name}: {done} of {limit} items, {rate:.2f} a second", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
