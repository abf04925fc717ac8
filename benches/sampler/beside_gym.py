#!/usr/bin/env python3
"""Samples a CPU second: templates beside the tasks of reasoning-gym that they resemble, both with their defaults, one thread.

    PYTHON-WITH-REASONING-GYM benches/sampler/beside_gym.py COOKC [--seconds 0.5] [--rounds 3] [--only TASK…]

In turns; of cookc the CPU time of `generate` as JSON lines, less that of a call for one sample; of reasoning-gym that of its dataset's
items. Prints a line of JSON a task with the medians and their ratio, then the median of all ratios and those below 1.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from starts import cpu

# Tasks of several kinds first; other names that both have come after.
NAMES = {
    "tower_of_hanoi": "tower_of_hanoi", "jugs": "water_jugs", "knights_knaves": "knights_knaves", "self_reference": "self_reference",
    "game_of_life": "game_of_life", "shortest_path": "shortest_path", "largest_island": "largest_island", "graph_color": "graph_color",
    "dice": "dice", "ab": "string_rewriting", "bf": "tape_program", "calendar_arithmetic": "day_of_week", "syllogism": "syllogism",
    "propositional_logic": "propositional_logic", "list_functions": "list_functions", "n_queens": "n_queens",
    "time_intervals": "time_intervals", "countdown": "countdown", "polynomial_equations": "quadratic_equation",
    "zebra_puzzles": "zebra_puzzle", "family_relationships": "family_relationships", "cryptarithm": "cryptarithm",
    "quantum_lock": "quantum_lock", "sokoban": "sokoban", "rubiks_cube": "pocket_cube",
}


def gym(task, seconds):
    import reasoning_gym

    data = reasoning_gym.create_dataset(task, size=1_000_000, seed=int(time.time()))
    data[0]
    begun, count = time.process_time(), 0
    while (spent := time.process_time() - begun) < seconds:
        count += 1
        data[count]
    return count / spent


def cook(cookc, name, seconds):
    words = lambda count: [cookc, "generate", f"std:{name}", "-n", str(count), "-o", os.devnull, "--format", "jsonl", "--threads", "1"]
    count = 256
    while True:
        spent = (cpu(words(count)) - cpu(words(1))) / 1e3
        if spent > seconds:
            return count / spent
        count = int(count * max(1.3 * seconds / max(spent, seconds / 16), 2))


def main():
    words = argparse.ArgumentParser()
    words.add_argument("cookc")
    words.add_argument("--seconds", type=float, default=0.5)
    words.add_argument("--rounds", type=int, default=3)
    words.add_argument("--only", nargs="*")
    asked = words.parse_args()
    from reasoning_gym.factory import DATASETS

    listed = subprocess.run([asked.cookc, "list", "--format", "json"], check=True, capture_output=True, text=True)
    ours = [one["name"].removeprefix("std:") for one in json.loads(listed.stdout)["templates"]]
    names = {**NAMES, **{name: name for name in ours if name in DATASETS and name not in NAMES}}
    ratios = {}
    for task in asked.only or names:
        rounds = [(gym(task, asked.seconds), cook(asked.cookc, names[task], asked.seconds)) for _ in range(asked.rounds)]
        theirs, own = (statistics.median(speeds) for speeds in zip(*rounds))
        ratios[task] = statistics.median(b / a for a, b in rounds)
        line = {"task": task, "template": names[task], "reasoning-gym": round(theirs, 1), "cookc": round(own), "ratio": round(ratios[task], 2)}
        print(json.dumps(line), flush=True)
    slower = {task: round(ratio, 2) for task, ratio in ratios.items() if ratio < 1}
    first = [ratio for task, ratio in ratios.items() if task in NAMES]
    print(json.dumps({"median of the first": round(statistics.median(first or [0]), 1), "of all": round(statistics.median(ratios.values()), 1), "slower": slower}))


if __name__ == "__main__":
    main()
