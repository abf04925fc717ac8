#!/usr/bin/env python3
"""Do grown templates teach? A mix of twenty grown ones beside twenty written by hand, for as many tokens, on templates of neither.

    cookc grow 200 -o grown
    benches/search/teach.py COOKC grown BASE [--seeds 3] [--steps 600] [--then 400] [--tasks FILE…] [--data DIR] [--limit 100] -o teach > teach.jsonl

BASE is `scratch:NAME`, a new small model, or a model's folder or file, which gets an adapter. Both mixes have equal weights; the twenty
by hand are built-in templates over words and numbers, at their easy levels, and none that the evaluation asks for; of both the first
twenty that the model has words for. Steps of
the grown mix are such that both read as many tokens. Each run is evaluated before and after on the built-in templates of HELD_OUT that
the model has words for, which are in neither mix, and on tasks with known answers if --tasks names them. With --then, each model from
scratch then learns those templates as well, with an adapter and for so many steps, beside one that has seen no mix (5 steps of it): is a
new rule learned sooner after a mix? Prints a line of JSON a run, then the differences of the two mixes with intervals of 95 % over samples
and seeds.
"""
import argparse
import itertools
import json
import math
import os
import statistics
import subprocess

COUNT = 20
LOSSES = 40  # the last steps, whose mean loss is given
BY_HAND = (
    "answer_overlap associative_recall copy_sentence count_word deduplicate document_qa entity_match evidence_retrieval "
    "induction_heads key_value list_difference list_intersection list_union most_frequent_word number_filtering number_sorting "
    "odd_one_out reverse_words set_missing_element word_sorting multi_key most_probable_worlds niah_multivalue group_anagrams "
    "tracking_shuffled_objects permutation_composition pattern_insertion rule_switching graph_successors path_star lineup "
    "entity_disambiguation reference_tracking replace_word self_reference topological_sort string_rewriting"
).split()
HELD_OUT = "retrieval selective_copy table_lookup list_functions restore_order needle_haystack".split()


def recipe(asked, entries, steps, seed, base=None):
    base = base or asked.base
    text = ["[model]", f'base = "{base}"']
    for file, level, weight in entries:
        text += ["", "[[template]]", f'file = "{file}"', f"weight = {weight}"] + ([f'level = "{level}"'] if level else [])
    is_scratch = base.startswith("scratch:")
    text += ["", "[data]", f"seed = {seed}", "vocab = 256" if is_scratch else 'vocab = "tokenizer"']
    text += [] if is_scratch else ["", "[lora]", f"rank = {asked.rank}", f"alpha = {2 * asked.rank}"]
    text += ["", "[train]", f"steps = {steps}", f"micro_batch_size = {asked.batch}"]
    text += [f"learning_rate = {3e-3 if asked.base.startswith('scratch:') else 1e-3}", "warmup_ratio = 0.1", "", "[eval]", f"samples = {asked.samples}"]
    if asked.tasks:
        text += ["", "[eval.tasks]", f'names = "{",".join(asked.tasks)}"', f"limit = {asked.limit}"]
        text += [f'data = "{asked.data}"'] if asked.data else []
    return "\n".join(text) + "\n"


def run(asked, name, entries, steps, seed, base=None):
    folder = os.path.join(asked.out, f"{name}-{seed}")
    report = os.path.join(folder, "report.json")
    if not os.path.exists(report):
        path = os.path.join(asked.out, f"{name}-{seed}.toml")
        with open(path, "w") as file:
            file.write(recipe(asked, entries, steps, seed, base))
        subprocess.run([asked.cookc, "run", "--train", path, "--out", folder, "--force"], check=True, capture_output=True)
    with open(os.path.join(folder, "metrics.jsonl")) as lines:
        losses = [row["loss"] for row in map(json.loads, lines) if "loss" in row]
    with open(report) as file:
        return json.load(file) | {"loss": round(statistics.mean(losses[-LOSSES:]), 3)}


def is_usable(asked, entry):
    """Can the model show what this template draws? One from scratch has a word for each text and small number."""
    path = os.path.join(asked.out, "usable.toml")
    with open(path, "w") as file:
        file.write(recipe(asked, [(entry[0], entry[1], 1.0)], 1, 0))
    return subprocess.run([asked.cookc, "run", "--train", path, "--dry-run"], capture_output=True).returncode == 0


def tokens(report):
    return report["tokens"]


def scores(report):
    """The share of right replies before and after, and its items, by what is asked."""
    found = {}
    for one in report["templates"]:
        if one["template"] in HELD_OUT:
            found[one["template"]] = (one["exact_before"], one["exact_after"], one["alignment_before"], one["alignment_after"], one["samples"])
    for one in report.get("tasks", []):
        if one["metric"] in ("acc", "acc_norm", "exact_match"):
            found[f"{one['task']} {one['metric']}"] = (one["before"], one["after"], one["before"], one["after"], one["items"])
    return found


def change(rows):
    """The mean change of a score over seeds, and half an interval of 95 %: over items within a seed, and over seeds."""
    changes = [after - before for before, after, _ in rows]
    within = sum(before * (1 - before) + after * (1 - after) for before, after, _ in rows) / rows[0][2] / len(rows) ** 2
    between = statistics.variance(changes) / len(changes) if len(changes) > 1 else 0.0
    return statistics.mean(changes), 1.96 * math.sqrt(max(within, between))


def main():
    words = argparse.ArgumentParser()
    words.add_argument("cookc")
    words.add_argument("grown")
    words.add_argument("base")
    words.add_argument("--seeds", type=int, default=3)
    words.add_argument("--steps", type=int, default=600)
    words.add_argument("--then", type=int, default=0)
    words.add_argument("--rank", type=int, default=16)
    words.add_argument("--batch", type=int, default=32)
    words.add_argument("--samples", type=int, default=200)
    words.add_argument("--tasks", nargs="*", default=[])
    words.add_argument("--data")
    words.add_argument("--limit", type=int, default=100)
    words.add_argument("-o", "--out", required=True)
    asked = words.parse_args()
    os.makedirs(asked.out, exist_ok=True)
    with open(os.path.join(asked.grown, "grown.json")) as file:
        grown = [one["name"] for one in json.load(file)["templates"]]
    usable = lambda entries: list(itertools.islice((entry for entry in entries if is_usable(asked, entry)), COUNT))
    held_out = usable((f"std:{name}", "easy", 0.0) for name in HELD_OUT)
    arms = {
        "by hand": usable((f"std:{name}", "easy", 1.0) for name in BY_HAND),
        "grown": usable((os.path.abspath(os.path.join(asked.grown, f"{name}.cook")), "", 1.0) for name in grown),
    }
    print(json.dumps({name: [entry[0].rsplit("/")[-1] for entry in entries] for name, entries in arms.items()}), flush=True)
    learned = [(file, level, 1.0) for file, level, _ in held_out]
    found = {name: [] for name in [*arms, *(f"{name}, then" for name in [*arms, "no mix"] if asked.then)]}
    for seed in range(asked.seeds):
        steps = asked.steps
        for name, entries in arms.items():
            report = run(asked, name.replace(" ", "-"), entries + held_out, steps, seed)
            found[name].append(scores(report))
            row = {"mix": name, "seed": seed, "steps": steps, "tokens": tokens(report), "loss": report["loss"], "scores": scores(report)}
            print(json.dumps(row), flush=True)
            if name == "by hand":
                short = run(asked, "short", arms["grown"] + held_out, 5, seed)
                steps = max(1, round(tokens(report) / (tokens(short) / 5)))
        for name in [*arms, "no mix"] if asked.then else []:
            base = os.path.abspath(os.path.join(asked.out, f"{'short' if name == 'no mix' else name.replace(' ', '-')}-{seed}", "model"))
            report = run(asked, f"then-{name.replace(' ', '-')}", learned, asked.then, seed, base)
            found[f"{name}, then"].append(scores(report))
            row = {"mix": f"{name}, then", "seed": seed, "steps": asked.then, "tokens": tokens(report)}
            row |= {"loss": report["loss"], "scores": scores(report)}
            print(json.dumps(row), flush=True)
    for asked_for in found["grown"][0]:
        row = {"asked": asked_for}
        for name, seeds in found.items():
            of = [(one[asked_for][0], one[asked_for][1], one[asked_for][4]) for one in seeds]
            mean, half = change(of)
            row[name] = {"before": round(statistics.mean(one[0] for one in of), 3), "change": round(mean, 3), "± 95 %": round(half, 3)}
            row[name]["alignment, each seed"] = [round(one[asked_for][3], 3) for one in seeds]
        for end in ["", ", then"] if asked.then else [""]:
            both = zip(found[f"grown{end}"], found[f"by hand{end}"])
            gaps = [one[asked_for][1] - other[asked_for][1] for one, other in both]
            row[f"grown less by hand{end}"] = [round(gap, 3) for gap in gaps]
        print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main()
