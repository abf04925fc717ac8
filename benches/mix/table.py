#!/usr/bin/env python3
"""Tables of docs/results/mix.md: policies over the seeds of `cookc mix RECIPE --validate N --json`.

    benches/mix/table.py validations.jsonl  # a line a seed

For each policy: the mean over the seeds of Spearman's correlation, of the accuracy of its choice and of
its regret, with the standard error over the seeds (the sample's deviation over the root of their
number); and how often its choice was not below equal weights.
"""

import json
import statistics
import sys


def shown(values, digits=3):
    values = [value for value in values if value is not None]
    if not values:
        return "–"
    error = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return f"{statistics.mean(values):.{digits}f} ± {error:.{digits}f}"


runs = [json.loads(line) for path in sys.argv[1:] for line in open(path)]
print(f"{len(runs)} seeds, {len(runs[0]['mixtures'])} mixtures each; base", shown([run["base"][0] for run in runs]))
for run in runs:
    ranked = sorted(one["accuracy"] for one in run["mixtures"])
    print(f"seed {run['seed']}: mixtures {ranked[0]:.3f} to {ranked[-1]:.3f}, standard error of one {run['mixtures'][0]['error']:.3f}")
print("\n| policy | right answers | Spearman | accuracy | regret | not below equal weights |")
print("| --- | --- | --- | --- | --- | --- |")
order = []
for run in runs:
    for one in run["compared"]:
        key = (one["policy"], one["is_labelled"])
        if key not in order:
            order.append(key)
for key in order:
    rows = [(run, one) for run in runs for one in run["compared"] if (one["policy"], one["is_labelled"]) == key]
    ranks = [one["spearman"][0] if one["spearman"] else None for _, one in rows]
    scores = [one["choice"]["accuracy"] for _, one in rows]
    equal = [next(o["choice"]["accuracy"] for o in run["compared"] if o["policy"] == "uniform") for run, _ in rows]
    held = sum(score >= base for score, base in zip(scores, equal))
    seen = "–" if key[0] == "uniform" else "seen" if key[1] else "not seen"
    regrets = shown([one["regret"] for _, one in rows])
    print(f"| {key[0]} | {seen} | {shown(ranks, 2)} | {shown(scores)} | {regrets} | {held} of {len(rows)} |")
