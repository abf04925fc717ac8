#!/usr/bin/env python3
"""CPU time of one sample of each built-in template, from the start of the process to its end, of several builds in turns.

    benches/sampler/starts.py COOKC… [--rounds 5] [--only NAME…]

The time of a process that does nothing (`true`) is measured beside and subtracted: it is the machine's own. Prints a line of JSON a
template with each build's median in milliseconds, then the median and the worst of each build.
"""
import argparse
import json
import os
import statistics
import subprocess


def cpu(words):
    child = os.fork()
    if child == 0:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        os.execvp(words[0], words)
    _, status, used = os.wait4(child, 0)
    assert status == 0, words
    return (used.ru_utime + used.ru_stime) * 1e3


def main():
    words = argparse.ArgumentParser()
    words.add_argument("builds", nargs="+")
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--only", nargs="*")
    asked = words.parse_args()
    listed = subprocess.run([asked.builds[0], "list", "--format", "json"], check=True, capture_output=True, text=True)
    names = asked.only or [one["name"].removeprefix("std:") for one in json.loads(listed.stdout)["templates"]]
    nothing = statistics.median(cpu(["true"]) for _ in range(25))
    print(json.dumps({"true": round(nothing, 2)}), flush=True)
    all_of = [[] for _ in asked.builds]
    for name in names:
        rounds = [[cpu([build, "sample", f"std:{name}", "-n", "1"]) for build in asked.builds] for _ in range(asked.rounds)]
        medians = [statistics.median(times) - nothing for times in zip(*rounds)]
        for times, median in zip(all_of, medians):
            times.append((median, name))
        print(json.dumps({"template": name, "ms": [round(median, 2) for median in medians]}), flush=True)
    for build, times in zip(asked.builds, all_of):
        median = statistics.median(time for time, _ in times)
        worst = [(round(time, 2), name) for time, name in sorted(times, reverse=True)[:5]]
        under = sum(time < 3 for time, _ in times)
        print(json.dumps({"build": build, "median": round(median, 2), "worst": worst, "under 3 ms": f"{under} of {len(times)}"}))


if __name__ == "__main__":
    main()
