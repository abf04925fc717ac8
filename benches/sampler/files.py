#!/usr/bin/env python3
"""`cookc generate` into a file system in memory, beside a loop that writes ready bytes.

    benches/sampler/files.py COOKC [--template std:document_qa] [--set length=1000] [--count 60000] [--rounds 5]
        [--folder /dev/shm]

In each round, in turn: the data set on one thread, on two, and its bytes, which are there already, written in pieces of a
mebibyte. A call's seconds are those of the whole process but those of one that writes a single sample. Prints a line of JSON a
round, then the medians; the files of both numbers of threads must be the same. `--memory COUNT` instead draws that many samples
into /dev/null, and prints the peak memory of that and of a hundredth of it.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time

PIECE = 1 << 20


def call(cookc, template, count, out, threads):
    begun = time.perf_counter()
    words = [cookc, "generate", *template, "-n", str(count), "-o", out, "--format", "jsonl", "--threads", str(threads)]
    subprocess.run(words, check=True, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begun


def write(data, out):
    begun = time.perf_counter()
    with open(out, "wb", buffering=0) as file:
        for start in range(0, len(data), PIECE):
            file.write(data[start : start + PIECE])
    return time.perf_counter() - begun


def peak(cookc, template, count):
    child = os.fork()
    if child == 0:
        call(cookc, template, count, "/dev/null", 2)
        print(json.dumps({"samples": count, "peak_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024}), flush=True)
        os._exit(0)
    os.waitpid(child, 0)


def main():
    words = argparse.ArgumentParser()
    words.add_argument("cookc")
    words.add_argument("--template", default="std:document_qa")
    words.add_argument("--set", action="append", default=[])
    words.add_argument("--count", type=int, default=60_000)
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--folder", default="/dev/shm")
    words.add_argument("--memory", type=int)
    asked = words.parse_args()
    template = [asked.template, *(word for one in asked.set for word in ("--set", one))]
    if asked.memory:
        for count in (asked.memory // 100, asked.memory):
            peak(asked.cookc, template, count)
        return
    paths = [os.path.join(asked.folder, f"cookc-files-{name}") for name in ("one", "two", "ready")]
    start = min(call(asked.cookc, template, 1, paths[0], 1) for _ in range(3))
    rounds = []
    for _ in range(asked.rounds):
        one = call(asked.cookc, template, asked.count, paths[0], 1) - start
        two = call(asked.cookc, template, asked.count, paths[1], 2) - start
        with open(paths[0], "rb") as file:
            data = file.read()
        with open(paths[1], "rb") as file:
            assert file.read() == data, "the same bytes on any number of threads"
        ready = write(data, paths[2])
        rate = {name: len(data) / seconds / 1e9 for name, seconds in (("one", one), ("two", two), ("ready", ready))}
        rounds.append(rate)
        print(json.dumps({"bytes": len(data), **rate}), flush=True)
        for path in paths:
            os.remove(path)
    ratios = {"one by ready": ("one", "ready"), "two by one": ("two", "one")}
    for name, (above, below) in ratios.items():
        all_of = sorted(rate[above] / rate[below] for rate in rounds)
        print(f"{name}: {statistics.median(all_of):.2f} ({all_of[0]:.2f} to {all_of[-1]:.2f})", file=sys.stderr)


main()
