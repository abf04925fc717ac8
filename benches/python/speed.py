#!/usr/bin/env python3
"""Samples and scores a second, beside reasoning-gym's same task, in one process and in turns.

    pip install cookc-*.whl pyarrow reasoning-gym==0.1.25
    python benches/python/speed.py --wheel cookc-*.whl > docs/results/python-speed.jsonl

The task is `chain_sum`, which both have: a sum of five numbers of up to three digits, and its result. Each
round runs all workloads once, so that a machine whose speed drifts is fair to both; the rate is the
median of the rounds, with the least and the most beside it.
"""

import argparse
import gc
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

import reasoning_gym

import cookc

TERMS = 5


def workloads():
    """Name, how many samples a round has, and what draws or scores that many from an index on."""
    sampler = cookc.Template.builtin("chain_sum").compile(terms=TERMS, largest=999)
    peer = reasoning_gym.create_dataset(
        "chain_sum", seed=42, size=10_000_000, min_terms=TERMS, max_terms=TERMS, min_digits=1, max_digits=3
    )
    entries = [peer[i] for i in range(20_000)]
    answers = [entry["answer"] for entry in entries]
    replies = [one.reply for one in sampler.samples(42, count=500_000)]
    few = range(len(entries))
    grouped = [i // 8 for i in range(len(replies))]
    replies_of_groups = [replies[i] for i in grouped]
    many = range(len(replies))
    assert all(one.exact for one in sampler.score_many(many, replies, seed=42))
    assert all(peer.score_answer(answer, entry) == 1.0 for answer, entry in zip(answers, entries))

    def each(count):
        def work(first):
            for _ in sampler.samples(42, first, count):
                pass

        return work

    def texts(count):
        def work(first):
            for one in sampler.samples(42, first, count):
                one.prompt, one.reply

        return work

    return [
        ("reasoning-gym dataset[i]", 20_000, lambda first: [peer[i] for i in range(first, first + 20_000)]),
        ("cookc samples()", 100_000, each(100_000)),
        ("cookc samples(), prompt and reply read", 100_000, texts(100_000)),
        ("cookc rows[i], as dicts", 50_000, rows(sampler, 50_000)),
        ("cookc batch(), full", 1_000_000, lambda first: sampler.batch(42, first, 1_000_000)),
        (
            "cookc batch(), prompt-completion",
            1_000_000,
            lambda first: sampler.batch(42, first, 1_000_000, shape="prompt-completion"),
        ),
        (
            "cookc batch() of 1,000, prompt-completion",
            100_000,
            lambda first: [
                sampler.batch(42, at, 1000, shape="prompt-completion")
                for at in range(first, first + 100_000, 1000)
            ],
        ),
        (
            "reasoning-gym score_answer",
            len(entries),
            lambda _: [peer.score_answer(answers[i], entries[i]) for i in few],
        ),
        ("cookc score()", 100_000, lambda _: [sampler.score(i, replies[i], seed=42) for i in range(100_000)]),
        ("cookc score_many()", len(replies), lambda _: sampler.score_many(many, replies, seed=42)),
        (
            "cookc score_many(), 8 replies to a sample",
            len(replies),
            lambda _: sampler.score_many(grouped, replies_of_groups, seed=42),
        ),
    ]


def rows(sampler, count):
    def work(first):
        rows = sampler.rows(42, shape="prompt-completion")
        for index in range(first, first + count):
            rows[index]

    return work


def put(**values):
    print(json.dumps(values), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--wheel", type=pathlib.Path)
    parser.add_argument("--only", default="", help="measure only the workloads with this text in their names")
    arguments = parser.parse_args()
    if arguments.wheel:
        put(what="wheel", name=arguments.wheel.name, bytes=arguments.wheel.stat().st_size)
    for module in () if arguments.only else ("cookc", "reasoning_gym"):
        code = f"import time; a = time.perf_counter(); import {module}; print(time.perf_counter() - a)"
        command = [sys.executable, "-c", code]
        times = [float(subprocess.run(command, capture_output=True).stdout) for _ in range(11)]
        put(what=f"import {module}", seconds=statistics.median(times), least=min(times), most=max(times))
    started = time.perf_counter()
    cookc.Template.builtin("chain_sum").compile()
    put(what="open and compile", seconds=time.perf_counter() - started)
    threads = int(os.environ.get("RAYON_NUM_THREADS", 0)) or os.cpu_count()
    put(what="machine", cores=os.cpu_count(), threads=threads, python=sys.version.split()[0])
    all_work = [work for work in workloads() if arguments.only in work[0]]
    # What the workloads keep would be looked through at each collection of garbage, most of all in the peer's rounds.
    gc.collect()
    gc.freeze()
    rates = {name: [] for name, _, _ in all_work}
    for turn in range(arguments.rounds + 1):
        for name, count, work in all_work:
            gc.collect()  # What one leaves behind decides how often the next is collected.
            started = time.perf_counter()
            work(turn * 1_000_000)
            if turn:  # The first warms up.
                rates[name].append(count / (time.perf_counter() - started))
    for name, _, _ in all_work:
        of = rates[name]
        peer = "reasoning-gym score_answer" if "score" in name else "reasoning-gym dataset[i]"
        ratios = [ours / theirs for ours, theirs in zip(of, rates[peer])]
        put(
            what=name,
            a_second=round_to(statistics.median(of)),
            least=round_to(min(of)),
            most=round_to(max(of)),
            times_reasoning_gym=round(statistics.median(ratios), 2),
        )


def round_to(number):
    return int(float(f"{number:.4g}"))


if __name__ == "__main__":
    main()
