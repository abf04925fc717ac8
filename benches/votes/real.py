#!/usr/bin/env python3
"""Real votes: what adapters of one base answered to public tasks, and how often they are right: estimated
without the right answers by `cookc mix --estimate`, beside the labelled accuracy.

    benches/votes/real.py COOKC CACHE BASE TASK...

CACHE is the folder of runs of a study (runs/NAME-mix), and BASE the folder in it of the model that all were made
from. Prints two JSON lines a task: without and with `--source BASE`.
"""
import json, pathlib, subprocess, sys, tempfile

cookc, cache, base, names = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3], sys.argv[4:]
# Several studies may share the folder: the targets that most models were asked.
asked = {}
for path in cache.glob("*/answers-*.json"):
    answers = json.loads(path.read_text())["answers"]
    key = tuple((one["target"], len(one["given"])) for one in answers)
    asked.setdefault(key, {})[path.parent.name] = answers
models = max(asked.values(), key=len)
for name in names:
    of = {model: next(one for one in answers if one["target"] == name) for model, answers in models.items()}
    first = next(iter(of.values()))
    options = first["options"]
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        for item in range(len(first["given"])):
            file.write(json.dumps({"item": item, "votes": {model: one["given"][item] for model, one in of.items()}}) + "\n")
        file.flush()
        estimate = [cookc, "mix", "--estimate", file.name, "--options", str(options), "--json"]
        for source in (None, base):
            done = subprocess.run(estimate + (["--source", source] if source else []), capture_output=True, text=True)
            truth = {model: sum(one["right"]) / len(one["right"]) for model, one in of.items()}
            row = {"task": name, "items": len(first["given"]), "voters": len(of), "source": source, "labelled": truth}
            # An estimate that is refused is printed too, with another exit status.
            row["found"] = json.loads(done.stdout) if done.stdout else done.stderr.strip()
            print(json.dumps(row))
