#!/usr/bin/env python3
"""What each adapter needs to score a reply, in microseconds, beside the library's own call.

    pip install cookc trl   # or verifiers, verl, skyrl-gym, openrlhf, reasoning-gym: see tests/rewards/README.md
    python benches/rewards/adapters.py >> docs/results/adapters.jsonl

It measures the adapters whose packages are installed: run it in the environment of each package. A third of the replies is right, a
third is another sample's, a third cannot be read. All adapters come once a round, in turns; the first round warms up, and is
not counted. The clock is that of the wall, so measure on a machine that does nothing else. With an optimized wheel, 20 s.
"""

import argparse
import asyncio
import gc
import importlib
import importlib.metadata
import json
import os
import pathlib
import platform
import statistics
import sys
import time
from types import SimpleNamespace

import cookc

SEED = 42
GROUP = 64  # completions of a call of TRL's
NO_ANSWER = "I am not sure what is asked here."


def library(sampler, samples, replies):
    """`Sampler.score`, which all of them come to."""

    def work():
        return [float(sampler.score(one.index, reply, seed=SEED).exact) for one, reply in zip(samples, replies)]

    return work


def trl(sampler, samples, replies):
    adapter = importlib.import_module("cookc.trl").reward(sampler)
    ids = [one.id for one in samples]
    said = [[{"role": "assistant", "content": reply}] for reply in replies]

    def work():
        rewards = []
        for at in range(0, len(ids), GROUP):
            rewards += adapter(completions=said[at : at + GROUP], id=ids[at : at + GROUP])
        return rewards

    return work


def trl_alone(sampler, samples, replies):
    adapter = importlib.import_module("cookc.trl").reward(sampler)

    def work():
        return [adapter(completions=[reply], id=[one.id])[0] for one, reply in zip(samples, replies)]

    return work


def verl(sampler, samples, replies):
    compute_score = importlib.import_module("cookc.verl").compute_score
    templates = [f"std:{sampler.name}"]
    rows = [{"id": one.id} for one in samples]

    def work():
        return [
            compute_score("cookc", reply, "", extra_info=row, templates=templates)["score"]
            for row, reply in zip(rows, replies)
        ]

    return work


def skyrl(sampler, samples, replies):
    env = importlib.import_module("cookc.skyrl").Env
    config = {"templates": [f"std:{sampler.name}"]}
    rows = [{"extra_info": {"id": one.id}} for one in samples]

    def work():
        return [env(config, row).step(reply)["reward"] for row, reply in zip(rows, replies)]

    return work


def openrlhf(sampler, samples, replies):
    adapter = importlib.import_module("cookc.openrlhf").reward(sampler)
    prompts = [f"<|im_start|>user\n{one.prompt}<|im_end|>\n<|im_start|>assistant\n" for one in samples]
    queries = [f"{prompt}{reply}<|im_end|>" for prompt, reply in zip(prompts, replies)]
    labels = [one.id for one in samples]

    def work():
        each = zip(queries, prompts, labels)
        return [float(adapter([query], [prompt], [label])["rewards"][0]) for query, prompt, label in each]

    return work


def reasoning_gym(sampler, samples, replies):
    importlib.import_module("cookc.reasoning_gym")
    gym = importlib.import_module("reasoning_gym")
    data = gym.create_dataset(f"cookc.{sampler.name}", seed=SEED, size=len(samples), level=sampler.level)
    entries = list(data)
    assert [entry["metadata"]["id"] for entry in entries] == [one.id for one in samples]

    def work():
        return [data.score_answer(reply, entry) for reply, entry in zip(replies, entries)]

    return work


def verifiers(sampler, samples, replies):
    ours = importlib.import_module("cookc.verifiers")
    config = ours.Config(templates=[f"std:{sampler.name}"], level=sampler.level, seed=SEED)
    tasks = [task for task, _ in zip(ours.Taskset(config).load(), samples)]
    assert [task.data.id for task in tasks] == [one.id for one in samples]
    traces = [SimpleNamespace(last_reply=reply) for reply in replies]

    async def scored():
        return [await task.cookc(trace) for task, trace in zip(tasks, traces)]

    return lambda: asyncio.run(scored())


# The adapter, what is called, the package whose release is stated.
ADAPTERS = {
    "Sampler.score": (library, "cookc"),
    f"cookc.trl.reward, {GROUP} completions a call": (trl, "trl"),
    "cookc.trl.reward, one completion a call": (trl_alone, "trl"),
    "cookc.verl.compute_score": (verl, "verl"),
    "cookc.skyrl.Env, made and stepped": (skyrl, "skyrl-gym"),
    "cookc.openrlhf.reward, one query a call": (openrlhf, "openrlhf"),
    "cookc.reasoning_gym score_answer": (reasoning_gym, "reasoning-gym"),
    "cookc.verifiers Task.cookc": (verifiers, "verifiers"),
}


def processor():
    found = [line for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    return found[0].partition(": ")[2]


def release(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--template", action="append", help="retrieval and chain_sum, if none is said")
    parser.add_argument("--level", default="easy")
    parser.add_argument("--replies", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=15)
    arguments = parser.parse_args()
    works, missing = [], []
    for template in arguments.template or ["retrieval", "chain_sum"]:
        sampler = cookc.Template.builtin(template).level(arguments.level).compile()
        samples = list(sampler.samples(SEED, count=arguments.replies))
        own = [one.reply for one in samples]
        replies = [[reply, own[at - 1], NO_ANSWER][at % 3] for at, reply in enumerate(own)]
        rewards = library(sampler, samples, replies)()
        assert sum(rewards) >= len(replies) / 3
        for name, (make, package) in ADAPTERS.items():
            if release(package) is None:
                missing.append(f"{name}: {package} is not installed")
                continue
            work = make(sampler, samples, replies)
            found = work()
            assert found == rewards, f"{name} does not give the library's rewards"
            works.append((template, name, package, work))
    gc.collect()
    gc.freeze()
    times = [[] for _ in works]
    for turn in range(arguments.rounds + 1):
        for (_, _, _, work), of in zip(works, times):
            gc.collect()
            started = time.perf_counter()
            work()
            if turn:
                of.append((time.perf_counter() - started) / arguments.replies * 1e6)
    machine = {"processor": processor(), "cores": os.cpu_count(), "python": platform.python_version()}
    print(json.dumps({"what": "machine", **machine, "load": os.getloadavg()[0], "cookc": release("cookc")}))
    for (template, name, package, _), of in zip(works, times):
        spread = {"median": statistics.median(of), "least": min(of), "most": max(of)}
        spread = {name: round(value, 2) for name, value in spread.items()}
        named = {"template": template, "level": arguments.level, "adapter": name, package: release(package)}
        print(json.dumps({**named, "microseconds": spread, "rounds": len(of), "replies": arguments.replies}))
    for line in dict.fromkeys(missing):
        print(f"not measured: {line}", file=sys.stderr)


main()
