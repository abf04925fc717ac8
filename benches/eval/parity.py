"""Sets the per-item log of `cookc eval` beside lm-evaluation-harness's reference, item by item.

    scripts/get-tasks.sh target/tasks
    python benches/eval/reference.py target/tasks MODEL target/ref
    cookc eval MODEL --tasks gpt4all --limit 500 --data target/tasks -o target/ours
    python benches/eval/parity.py target/ref target/ours > docs/results/eval-parity.jsonl

MODEL is a folder that both read: `cookc merge` writes one from a GGUF file. A prediction is the choice with the largest sum of
log-probabilities (acc), and the largest sum / length in characters (acc_norm). Every prediction has to be the same, except
where the reference's two best are closer than --margin (1e-4 nats, or nats a character); those are listed. Accuracies have to
agree to four digits. Exits with 1 if any of it is not so. Lines of JSON on standard output, a table on standard error.

Standard library only.
"""
import argparse
import json
import os
import statistics
import sys

TASKS = ["arc_easy", "arc_challenge", "boolq", "hellaswag", "openbookqa", "piqa", "winogrande"]
METRICS = ["acc", "acc_norm"]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("reference")
    words.add_argument("ours", help="the folder that `cookc eval -o` made")
    words.add_argument("--margin", type=float, default=1e-4)
    words.add_argument("--items", type=int, default=500, help="least number of items a task, else it fails")
    words.add_argument("--log", help="append each item's log-likelihoods, of both sides, to this file")
    words.add_argument("--tasks", default=",".join(TASKS))
    asked = words.parse_args()
    tasks = [compare(asked, name) for name in asked.tasks.split(",")]
    table(tasks)
    sys.exit(0 if all(task["equal"] for task in tasks) else 1)


def compare(asked, name):
    theirs = read(os.path.join(asked.reference, f"ref_{name}.jsonl"), dict)
    ours = read(os.path.join(asked.ours, f"samples_{name}.jsonl"), cookc)
    both = sorted(theirs.keys() & ours.keys())
    pairs = [(theirs[at], ours[at]) for at in both]
    wrong = [at for at in both if theirs[at]["gold"] != ours[at]["gold"]]
    wrong += [at for at in both if len(theirs[at]["loglikelihoods"]) != len(ours[at]["loglikelihoods"])]
    if wrong:
        sys.exit(f"{name}: items {wrong[:5]} have another gold choice or number of choices: not the same rows")
    apart = [abs(a - b) for left, right in pairs for a, b in zip(left["loglikelihoods"], right["loglikelihoods"])]
    task = {
        "task": name, "items": len(both), "largest_difference": max(apart), "median_difference": statistics.median(apart),
        "largest_loglikelihood": max(abs(value) for left, _ in pairs for value in left["loglikelihoods"]),
    }
    if asked.log:
        with open(asked.log, "a") as file:
            for left, right in pairs:
                shown = {"task": name, "doc_id": left["doc_id"], "gold": left["gold"], "reference": left["loglikelihoods"]}
                file.write(json.dumps(shown | {"ours": right["loglikelihoods"]}) + "\n")
    # The first items, with none left out.
    equal = len(both) >= asked.items and both == list(range(len(both)))
    for metric in METRICS:
        if pairs[0][0][metric] is None:
            continue
        other = [line(metric, left, right) for left, right in pairs if left[metric] != right[metric]]
        rates = [sum(row[metric] == row["gold"] for row in side) / len(both) for side in zip(*pairs)]
        task |= {
            f"{metric}_reference": rates[0], f"{metric}_ours": rates[1], f"{metric}_other_predictions": len(other),
            f"{metric}_other_beyond_margin": sum(row["margin"] >= asked.margin for row in other),
        }
        equal &= all(row["margin"] < asked.margin for row in other) and round(rates[0], 4) == round(rates[1], 4)
        for row in other:
            print(json.dumps({"task": name, **row}))
    task["equal"] = equal
    print(json.dumps(task))
    return task


def read(path, form):
    with open(path) as file:
        rows = [form(json.loads(text)) for text in file]
    found = {row["doc_id"]: row for row in rows}
    assert len(found) == len(rows), f"{path} has an item twice"
    return found


def cookc(row):
    """An item of `cookc eval`'s log in the form of the reference."""
    for metric in METRICS:
        assert metric not in row or row[metric] == float(row[f"prediction_{metric}"] == row["target"]), row["doc_id"]
    return {
        "doc_id": row["doc_id"], "gold": row["target"], "loglikelihoods": [value for value, _ in row["filtered_resps"]],
        **{metric: row.get(f"prediction_{metric}") for metric in METRICS},
    }


def line(metric, left, right):
    """An item whose predictions differ, and how far apart the reference's two best are."""
    divisors = left["lengths"] if metric == "acc_norm" else [1] * len(left["lengths"])
    values = sorted((a / b for a, b in zip(left["loglikelihoods"], divisors)), reverse=True)
    return {
        "doc_id": left["doc_id"], "metric": metric, "reference": left[metric], "ours": right[metric], "gold": left["gold"],
        "margin": values[0] - values[1], "loglikelihoods_reference": left["loglikelihoods"],
        "loglikelihoods_ours": right["loglikelihoods"],
    }


def table(tasks):
    head = ("task", "items", "acc ref", "acc ours", "norm ref", "norm ours", "other", "beyond", "largest", "median")
    print("{:14}{:>6}{:>9}{:>9}{:>9}{:>10}{:>7}{:>7}{:>10}{:>10}".format(*head), file=sys.stderr)
    for task in tasks:
        rates = [task.get(f"{metric}_{side}") for metric in METRICS for side in ("reference", "ours")]
        counts = [sum(task.get(f"{metric}_{what}", 0) for metric in METRICS) for what in ("other_predictions", "other_beyond_margin")]
        cells = ["" if rate is None else f"{rate:.4f}" for rate in rates]
        print(
            "{:14}{:>6}{:>9}{:>9}{:>9}{:>10}{:>7}{:>7}".format(task["task"], task["items"], *cells, *counts)
            + f"{task['largest_difference']:10.1e}{task['median_difference']:10.1e}" + ("" if task["equal"] else "  NOT EQUAL"),
            file=sys.stderr,
        )


if __name__ == "__main__":
    main()
