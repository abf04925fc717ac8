#!/usr/bin/env python3
"""The tables of docs/results/votes.md, from the lines that compare.py wrote.

A cell is a point of the grid; its figures are means over voters and seeds. The error is that to each
voter's share of right votes on the same items. Sets that cookc refuses enter no method's mean in a cell;
a cell of which all sets are refused has no figure. The interval covers if it holds the probability in the
model with which the voter is right.
"""

import collections
import json
import sys

PEERS = ("majority", "dawid_skene", "one_coin", "ntqr")
MORE = ("one_coin_skills",)


def error(estimate, wanted):
    """The mean absolute error over the voters that have an estimate; none if half have none."""
    each = [abs(a - b) for a, b in zip(estimate or [], wanted) if a is not None]
    return sum(each) / len(each) if len(each) * 2 >= len(wanted) else None


def mean(numbers):
    numbers = [one for one in numbers if one is not None]
    return sum(numbers) / len(numbers) if numbers else None


def shown(number, digits=4):
    return "–" if number is None else f"{number:.{digits}f}"


class Cells:
    """Sets by cell, and what is said of some of the cells."""

    def __init__(self, rows):
        self.cells = collections.defaultdict(list)
        for row in rows:
            if "cookc" in row:
                key = tuple(row[name] for name in ("scope", "k", "n", "r", "d", "items"))
                self.cells[key].append(row)

    def figures(self, rows, key="accuracy"):
        """Of one cell: cookc's error, each peer's, over the sets with an estimate."""
        rows = [row for row in rows if key != "accuracy" or not row["cookc"]["refused"]]
        def given(found):
            return found["independent" if key == "either" and found["refused"] else
                         "accuracy" if key == "either" else key]
        found = {"cookc": mean(error(given(row["cookc"]), row["labelled"]) for row in rows)}
        for peer in PEERS + MORE:
            found[peer] = mean(error(row[peer], row["labelled"]) for row in rows)
        return found

    def summary(self, keep, key="accuracy", peers=PEERS):
        """Of the cells that are kept: how many, refused sets, cells where cookc is not above."""
        cells = [rows for at, rows in self.cells.items() if keep(at)]
        sets = [row for rows in cells for row in rows]
        figures = [self.figures(rows, key) for rows in cells]
        figures = [one for one in figures if one["cookc"] is not None]
        def best(one):
            return min(one[peer] for peer in peers if one[peer] is not None)
        strictly = sum(one["cookc"] <= best(one) for one in figures)
        about = sum(one["cookc"] <= best(one) + 0.001 for one in figures)
        covered, width = [], []
        for row in sets:
            found = row["cookc"]
            for low, high, wanted in zip(found["low"], found["high"], row["accuracy"]):
                if low is not None:
                    covered.append(low <= wanted <= high)
                    width.append(high - low)
        return {
            "cells": len(cells),
            "estimated": len(figures),
            "refused": mean([bool(row["cookc"]["refused"]) for row in sets]),
            "strictly": strictly / len(figures) if figures else None,
            "about": about / len(figures) if figures else None,
            "cookc": mean(one["cookc"] for one in figures),
            **{peer: mean(one[peer] for one in figures) for peer in PEERS + MORE},
            "covered": mean(covered),
            "width": mean(width),
        }


HEADER = ("", "cells", "refused sets", "cookc", "majority", "Dawid–Skene", "OneCoin", "OneCoin's skills", "ntqr",
          "not above the best", "within 0.001", "covered", "width")


def line(title, found):
    share = lambda one: "–" if one is None else f"{100 * one:.0f} %"
    numbers = [shown(found[name]) for name in
               ("cookc", "majority", "dawid_skene", "one_coin", "one_coin_skills", "ntqr")]
    cells = [title, f"{found['estimated']} of {found['cells']}", share(found["refused"]), *numbers,
             share(found["strictly"]), share(found["about"]), shown(found["covered"], 3), shown(found["width"], 3)]
    return "| " + " | ".join(cells) + " |"


def table(title, rows):
    print(f"**{title}**\n")
    print("| " + " | ".join(HEADER) + " |")
    print("| --- |" + " ---: |" * (len(HEADER) - 1))
    for row in rows:
        print(row)
    print()


def main():
    with open(sys.argv[1]) as file:
        cells = Cells(map(json.loads, file))
    third = lambda at: at[0] == "third"
    rows = [line("all", cells.summary(third))]
    for n in (3, 5, 8, 12, 16):
        rows.append(line(f"{n} voters", cells.summary(lambda at: third(at) and at[2] == n)))
    for r in (0.0, 0.2, 0.4, 0.6):
        rows.append(line(f"r = {r}", cells.summary(lambda at: third(at) and at[3] == r)))
    for k in (2, 4):
        rows.append(line(f"{k} options", cells.summary(lambda at: third(at) and at[1] == k)))
    for items in (300, 1000):
        rows.append(line(f"{items} items", cells.summary(lambda at: third(at) and at[5] == items)))
    for d in (0.0, 0.1, 0.2):
        rows.append(line(f"spread {d}", cells.summary(lambda at: third(at) and at[4] == d)))
    peers = PEERS + MORE
    rows.append(line("all, OneCoin's skills as a peer too", cells.summary(third, peers=peers)))
    rows.append(line("all, refused sets by their figure under independence", cells.summary(third, key="either")))
    table("A third of the voters shares a source", rows)
    reasons = collections.Counter(row["cookc"]["refused"] for at, all_rows in cells.cells.items()
                                  for row in all_rows if third(at))
    print("Sets by refusal:", ", ".join(f"{reason or 'none'} {count}" for reason, count in reasons.most_common()))
    print()
    whole = lambda at: at[0] == "all"
    rows = [line("all", cells.summary(whole))]
    for k in (2, 4):
        for r in (0.2, 0.4, 0.6):
            keep = lambda at: whole(at) and at[1] == k and at[3] == r
            rows.append(line(f"{k} options, r = {r}", cells.summary(keep)))
    table("All voters share one source", rows)
    three = lambda at: third(at) and at[2] == 3
    rows = [line(f"r = {r}", cells.summary(lambda at: three(at) and at[3] == r, key="independent"))
            for r in (0.0, 0.2, 0.4, 0.6)]
    table("Three voters, refused: the figure under independence that is shown beside the refusal", rows)


if __name__ == "__main__":
    main()
