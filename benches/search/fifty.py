#!/usr/bin/env python3
"""The page of the fifty grown templates that differ most, with a sample of each.

    cookc grow 200 -o grown
    benches/search/fifty.py COOKC grown > docs/grown.md

What a template is like is a row of features: its inputs, what its reply is, how deep its operations stand in one another, and the
operations. The first is the one with the most common inputs; each further one is the template that has least in common with the one it is
most like of those before.
"""
import json
import os
import re
import subprocess
import sys

COUNT = 50
KINDS = {
    "selection": ["where", "take", "drop", "at", "within", "intersect", "without", "around", "after", "before"],
    "comparison": ["less", "equal", "at_most", "max", "min", "all", "any", "in"],
    "order": ["sort", "reverse", "unique", "position"],
    "counting": ["size", "count", "sum", "plus", "minus", "times", "rest", "part"],
    "structure": ["chunks", "concat", "joined", "single", "union", "replace", "range", "for"],
}


def depth(rule):
    deepest = now = 0
    for sign in rule:
        now += {"(": 1, "[": 1, ")": -1, "]": -1}.get(sign, 0)
        deepest = max(deepest, now)
    return deepest + len(re.findall(r"\b(?:for|count|all|any) ", rule))


def features(one):
    reply, rest = one["feature"].split(" of ", 1)
    inputs, operations = rest.split(": ")
    operations = operations.split()
    kinds = {kind for kind, names in KINDS.items() if set(names) & set(operations)}
    table = {("inputs", inputs), ("reply", reply), ("depth", min(depth(one["rule"]), 4))}
    return table | {("kind", kind) for kind in kinds} | {("operation", name) for name in operations}


def likeness(one, other):
    return len(one & other) / len(one | other)


def chosen(grown):
    rows = [(one, features(one)) for one in grown]
    kept = [rows[0]]
    while len(kept) < min(COUNT, len(rows)):
        left = [row for row in rows if all(row[0] is not one for one, _ in kept)]
        kept.append(min(left, key=lambda row: max(likeness(row[1], other) for _, other in kept)))
    return kept


def main():
    cookc, folder = sys.argv[1:]
    with open(os.path.join(folder, "grown.json")) as file:
        report = json.load(file)
    kept = chosen(report["templates"])
    tried = len(report["templates"]) + sum(sum(why.values()) for why in report["refused"].values())
    covered = {feature for _, own in kept for feature in own if feature[0] != "operation"}
    print("# Grown templates\n")
    print(
        f"`cookc grow {len(report['templates'])} -o grown` made {len(report['templates'])} templates of {tried} that it tried: each passes\n"
        "`cookc test` at all its levels, and is none of those that are built in. These are the fifty that differ most, by their inputs, what their\n"
        "reply is, how deep operations stand in one another, and the operations. No person and no model wrote them: a prompt\n"
        "shows what is given and asks for the answer, and the rule is what is to be learned. `benches/search/fifty.py` makes this page.\n"
    )
    print("| feature | of these fifty |\n| --- | ---: |")
    for feature in sorted(covered, key=str):
        count = sum(feature in own for _, own in kept)
        print(f"| {feature[0]}: {feature[1]} | {count} |")
    for one, _ in kept:
        path = os.path.join(folder, f"{one['name']}.cook")
        shown = subprocess.run([cookc, "sample", path, "-n", "1", "--json"], check=True, capture_output=True, text=True).stdout
        sample = json.loads(shown.splitlines()[0])
        print(f"\n## `{one['name']}`\n\n```text\nanswer = {one['rule']}\n\n{sample['prompt']} {sample['reply']}\n```")


if __name__ == "__main__":
    main()
