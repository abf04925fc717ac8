#!/usr/bin/env python3
"""The tables of docs/results/reward-audit.md, from the lines that peers.py wrote.

A task pays a shortcut if the mean score on the third set of samples is more than 0.05 above the chance
level, and the 95 % interval's lower end is above that level too.
"""

import json
import sys

import replies

MARGIN = 0.05
# Options that a prompt states where peers.py does not see them, and so the chance level. Means over samples.
STATED = {
    "number_format": 1 / 3,  # one of 2 to 5 candidates
    "color_cube_rotation": 1 / 6,  # one of six colours
    "analogical_case_matching": 1 / 3,  # one of three cases
    "key_value easy": 1 / 3,  # one of three values
    "key_value hard": 1 / 64,
    "retrieval easy": 1 / 2,  # one of two documents
    "retrieval hard": 1 / 16,
    "number_format easy": 1 / 3,  # one of three numbers
    "number_format hard": 1 / 10,
    "needle_haystack easy": 1 / 6,  # one of six numbers
    "needle_haystack hard": 1 / 128,
    "day_of_week easy": 1 / 7,
    "day_of_week hard": 1 / 7,
    "induction_heads easy": 1 / 12,  # one of twelve words
    "grid_navigation": 1 / 9,  # left, right, aligned by above, below, aligned
}
SUITES = ("reasoning-gym", "reasoning-core", "cookc", "cookc --answer any")


def table(header, rows, align=None):
    align = align or ["---"] + ["---:"] * (len(header) - 1)
    for row in (header, align, *rows):
        print("| " + " | ".join(str(cell) for cell in row) + " |")
    print()


def code(reply):
    """A reply in a table's cell, shortened."""
    if not reply:
        return ""
    shown = reply.replace("\n", "⏎").replace("|", "\\|").replace("`", "'")
    return f" `{shown[:27]}…`" if len(shown) > 28 else f" `{shown}`"


def pays(one):
    return one["score"] > one["chance"] + MARGIN and one["low"] > one["chance"]


def pays_in_full(one):
    return one["full"] > one["chance"] + MARGIN


def pays_exact(one):
    """The same of the shortcut that has full credit most often, where the lines tell which that is."""
    return one["full_score"] > one["chance"] + MARGIN


def share(count, of):
    return f"{count} of {of}" if of else "–"


def counts(by):
    def row(title, test, of=lambda one: True):
        return [title, *(share(sum(map(test, filter(of, by[s]))), sum(map(of, by[s]))) for s in SUITES)]

    has = lambda one: one["oracle"] is not None
    hedged = lambda one: one["hedged"]["samples"] > 0
    measured = lambda one: "full_score" in one
    both = lambda one: one["hedged"]["right or wrong"]
    table(
        ["tasks", *SUITES],
        [
            row("the entry's answer gets 1.0 on every sample", lambda one: one["oracle_full"] == 1, has),
            row("a shortcut gets more than 0.05 above chance", pays),
            row("… and in full credit alone", lambda one: pays(one) and pays_in_full(one)),
            row("the shortcut with full credit most often: more than 0.05 above chance", pays_exact, measured),
            row("an empty reply gets full credit on a sample", lambda one: one["empty_full"] > 0, measured),
            row("an empty reply gets more than 0.05", lambda one: one["empty"] > MARGIN),
            row("garbage gets more than 0 on average", lambda one: one["garbage"] > 0),
            row("garbage gets more than 0.05 on average", lambda one: one["garbage"] > MARGIN),
            row("`right or wrong` gets full credit on a sample", lambda one: both(one)[1] > 0, hedged),
            row("the scorer raised, or took over 5 s, on some reply", lambda one: one["raised"] or one["slow"]),
            row("a reply was scored outside 0 to 1", lambda one: one["outside"]),
            row("other samples in a process with another hash seed", lambda one: not one["same_with_hash_seed_1"]),
            row("… and with the same hash seed", lambda one: not one["same_with_hash_seed_0"]),
        ],
    )


def paying(by, suite, wanted):
    found = [one for one in by[suite] if pays(one) and wanted(one)]
    found.sort(key=lambda one: (one["chance"] - one["score"], one["task"]))
    if not found:
        return print("none\n")
    table(
        ["task", "shortcut", "score (95 %)", "full credit", "chance", "different answers", "n"],
        [
            [
                f"`{one['task']}`",
                one["best"] + code(one["best_reply"]),
                f"{one['score']:.2f} ({one['low']:.2f} to {one['high']:.2f})",
                f"{one['full']:.2f}",
                f"{one['chance']:.2f}" if one["chance"] else "–",
                share(one["answers"], one["samples"][0]),
                one["samples"][2],
            ]
            for one in found
        ],
        ["---", "---", "---", "---:", "---:", "---:", "---:"],
    )


def exactly(by, suite):
    """The tasks whose full credit alone pays a shortcut, which is chosen for it."""
    found = [one for one in by[suite] if "full_score" in one and pays_exact(one)]
    found.sort(key=lambda one: (one["chance"] - one["full_score"], one["task"]))
    if found:
        print(f"## {suite}: by full credit alone\n")
        table(
            ["task", "shortcut", "full credit", "chance", "different answers", "n"],
            [
                [
                    f"`{one['task']}`",
                    one["full_best"] + code(one["full_best_reply"]),
                    f"{one['full_score']:.2f}",
                    f"{one['chance']:.2f}" if one["chance"] else "–",
                    share(one["answers"], one["samples"][0]),
                    one["samples"][2],
                ]
                for one in found
            ],
            ["---", "---", "---:", "---:", "---:", "---:"],
        )


def hedges(by):
    def cell(ones, name):
        pairs = [one["hedged"][name] for one in ones] or [(float("nan"),) * 2]
        return f"{sum(a for a, _ in pairs) / len(pairs):.2f} / {sum(b for _, b in pairs) / len(pairs):.2f}"

    ones = {suite: [one for one in by[suite] if one["hedged"]["samples"]] for suite in SUITES}
    table(
        ["reply", *(f"{suite} ({len(ones[suite])} tasks)" for suite in SUITES)],
        [[name, *(cell(ones[suite], name) for suite in SUITES)] for name in replies.HEDGES],
    )


def dresses(by):
    def cell(ones, key, place):
        tried = sum(one[key][0] for one in ones) or 1
        return f"{100 * sum(one[key][place] for one in ones) / tried:.0f}"

    kinds = [(suite, key) for suite in SUITES for key in ("dressed", "dressed_extracted")]
    rows = [
        [f"`` {name} ``" if "`" in name else f"`{name}`", *(cell(by[suite], key, place) for suite, key in kinds)]
        for place, name in enumerate(replies.DRESSES, 1)
    ]
    total = []
    for suite, key in kinds:
        tried = sum(one[key][0] for one in by[suite]) * len(replies.DRESSES) or 1
        total.append(f"**{100 * sum(sum(one[key][1:]) for one in by[suite]) / tried:.0f}**")
    table(["dress", *(suite + (", tags" if "ext" in key else "") for suite, key in kinds)], [*rows, ["**all**", *total]])


def listed(by, suite, test, show):
    found = [show(one) for one in by[suite] if test(one)]
    print(f"{suite}, {len(found)}: " + (", ".join(found) or "none") + "\n")


def seeds(by):
    def cell(ones, key):
        values = sorted(one[key] for one in ones if one[key] is not None)
        if not values:
            return "–"
        return f"{values[len(values) // 2]:.3f}; {sum(value >= 0.5 for value in values)} of {len(values)}"

    names = {"overlap_next": "seed s + 1 with seed s", "overlap_far": "seeds far apart", "repeats": "within a set"}
    table(
        ["prompts of one set that are in the other: median; tasks with half or more", *SUITES],
        [[title, *(cell(by[suite], key) for suite in SUITES)] for key, title in names.items()],
    )


def main():
    with open(sys.argv[1]) as file:
        every = [json.loads(line) for line in file]
    for one in every:
        if one["task"] in STATED:
            one["chance"] = STATED[one["task"]]
    by = {suite: [one for one in every if one["suite"] == suite and "reason" not in one] for suite in SUITES}
    print("## Counts\n")
    counts(by)
    for suite in SUITES:
        exactly(by, suite)
        print(f"## {suite}: in full credit\n")
        paying(by, suite, pays_in_full)
        print(f"## {suite}: in parts of the credit only\n")
        paying(by, suite, lambda one: not pays_in_full(one))
    print("## Oracle below 1.0, and none\n")
    for suite in SUITES:
        show = lambda one: f"`{one['task']}` {one['oracle']:.3f} (full on {100 * one['oracle_full']:.1f} %)"
        listed(by, suite, lambda one: one["oracle"] is not None and one["oracle_full"] < 1, show)
        listed(by, suite, lambda one: one["oracle"] is None, lambda one: f"`{one['task']}`")
    print("## Garbage\n")
    for suite in SUITES:
        show = lambda one: f"`{one['task']}` {one['garbage']:.3f} (most {one['garbage_most']:.2f})"
        listed(by, suite, lambda one: one["garbage"] > 0, show)
        listed(by, suite, lambda one: one["empty"] > 0, lambda one: f"`{one['task']}` {one['empty']:.3f}")
    print("## Hedges: mean score / share of full credit\n")
    hedges(by)
    for suite in SUITES:
        name = "right or wrong"
        show = lambda one: f"`{one['task']}` {one['hedged'][name][1]:.2f}"
        listed(by, suite, lambda one: one["hedged"]["samples"] and one["hedged"][name][1] > 0, show)
    print("## Dresses, % in full credit\n")
    dresses(by)
    print("## Seeds\n")
    seeds(by)
    for suite in SUITES:
        listed(by, suite, lambda one: not one["same_with_hash_seed_1"], lambda one: f"`{one['task']}`")
        listed(by, suite, lambda one: not one["same_with_hash_seed_0"], lambda one: f"`{one['task']}`")
    print("## Not run\n")
    for one in every:
        if "reason" in one:
            print(f"- {one['suite']} `{one['task']}`: {one['reason']}")


if __name__ == "__main__":
    main()
