#!/usr/bin/env bash
# reasoning-gym 0.1.25: the wrapper that makes a data set endless gives nearly the same problems again in each chunk.
#
# Expected: `reasoning_gym.dataset.ReseedingDataset` makes any data set infinite, and each chunk has a seed of its own (the docstrings of
# the class and of `_create_chunk`): a training that reads on gets new problems.
#
# What happens: chunk k is drawn with the seed s + k, and entry i of a data set with the seed s is drawn with the seed s + i. So a chunk is
# the one before it, moved by one: of 2,000 entries in chunks of 500 there are about 500 different ones. A data set of size 2,000
# and the same seed has nearly 2,000. The shift holds for plain data sets too: those of seeds 42 and 43 share all entries but one.
#
# Why it matters: the wrapper is what an endless reinforcement learning run reads. It sees each problem once a chunk, without a
# warning; and a "held-out" set with the next seed is the training set.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet reasoning-gym==0.1.25
"$work/venv/bin/python" - <<'PYTHON'
from itertools import islice

import reasoning_gym
from reasoning_gym.dataset import ReseedingDataset

def questions(entries):
    return {entry["question"] for entry in entries}

size, count = 500, 2000
data = reasoning_gym.create_dataset("chain_sum", seed=42, size=size)
endless = questions(islice(ReseedingDataset(data, chunk_size=size), count))
plain = questions(reasoning_gym.create_dataset("chain_sum", seed=42, size=count))
next_seed = questions(reasoning_gym.create_dataset("chain_sum", seed=43, size=size))
shared = len(questions(data) & next_seed)
print(f"{count} entries of the endless data set: {len(endless)} different questions")
print(f"{count} entries of one data set: {len(plain)} different questions")
print(f"seeds 42 and 43, {size} entries each: {shared} questions are in both")
assert len(endless) < 1.1 * size, "the chunks differ now"
assert len(plain) > 0.9 * count
assert shared > 0.9 * size, "neighbouring seeds differ now"
PYTHON
