#!/usr/bin/env python3
"""The reference values of tests/it/votes.rs: the same models in numpy, by enumeration, and the votes themselves.

    python3 benches/votes/reference.py tests/votes/shared.jsonl   # writes the votes, prints the values

It shares no code with cookc: every right label, source and copy of every item is enumerated.
"""

import itertools
import json
import sys

import numpy as np

K, ITEMS, VOTERS, GROUP, COPIED, PRIOR = 3, 500, 7, (0, 1, 4), 0.7, 4.0
OWN = (0.55, 0.6, 0.7, 0.8, 0.5, 0.65, 0.7)


def draw():
    random = np.random.default_rng(20261128)
    right = random.integers(0, K, ITEMS)

    def votes(accuracy):
        wrong = (right + random.integers(1, K, ITEMS)) % K
        return np.where(random.random(ITEMS) < accuracy, right, wrong)

    source = votes(0.55)
    table = np.stack([votes(accuracy) for accuracy in OWN], axis=1)
    for voter in GROUP:
        table[:, voter] = np.where(random.random(ITEMS) < COPIED, source, table[:, voter])
    table[random.random((ITEMS, VOTERS)) < 0.05] = -1
    return right, table


def coin(accuracy):
    """P(label | right label), a row a right label."""
    return np.full((K, K), (1 - accuracy) / (K - 1)) + np.eye(K) * (accuracy - (1 - accuracy) / (K - 1))


def fit(table, group, passes=600):
    """The expected shares of right votes, and the log-likelihood, where a group copies one source."""
    given = table >= 0
    own = np.full(VOTERS, 0.6)
    source, copied = 0.6, 0.5
    for _ in range(passes):
        joint = np.zeros((ITEMS, K, K))  # by item, right label y, source's label s
        chance = np.zeros((VOTERS, ITEMS, K, K))
        share = np.zeros((VOTERS, ITEMS, K, K))
        for y, s in itertools.product(range(K), range(K)):
            joint[:, y, s] = np.log(1 / K) + np.log(coin(source)[y, s])
            for j in range(VOTERS):
                alone = coin(own[j])[y, table[:, j]]
                c = copied if j in group else 0.0
                copies = c * (table[:, j] == s)
                chance[j, :, y, s] = copies + (1 - c) * alone
                share[j, :, y, s] = copies / chance[j, :, y, s]
                joint[:, y, s] += np.where(given[:, j], np.log(chance[j, :, y, s]), 0)
        most = joint.max(axis=(1, 2), keepdims=True)
        weight = np.exp(joint - most)
        total = weight.sum(axis=(1, 2), keepdims=True)
        likelihood = float((most + np.log(total)).sum())
        weight /= total
        is_right = np.arange(K)[None, :, None]
        own_right, own_all = np.zeros(VOTERS), np.zeros(VOTERS)
        copies, votes = 0.0, 0.0
        accuracy = np.zeros(VOTERS)
        for j in range(VOTERS):
            right = (table[:, j][:, None, None] == is_right) & given[:, j][:, None, None]
            accuracy[j] = (weight * right).sum() / given[:, j].sum()
            alone = weight * (1 - share[j]) * given[:, j][:, None, None]
            own_right[j], own_all[j] = (alone * right).sum(), alone.sum()
            if j in group:
                copies += (weight * share[j] * given[:, j][:, None, None]).sum()
                votes += given[:, j].sum()
        mean = own_right.sum() / own_all.sum()
        own = (own_right + PRIOR * mean) / (own_all + PRIOR)
        if group:
            source_right = sum(weight[:, y, y].sum() for y in range(K))
            source = (source_right + PRIOR * mean) / (ITEMS + PRIOR)
            copied = (copies + PRIOR / 2) / (votes + PRIOR)
    return accuracy, likelihood


def rank_one(table, group):
    """Skills by least squares over pairs that share no source (scipy-free gradient descent)."""
    given = table >= 0
    pairs = [(a, b) for a, b in itertools.combinations(range(VOTERS), 2) if not (a in group and b in group)]
    agreement = {}
    for a, b in pairs:
        both = given[:, a] & given[:, b]
        agreement[a, b] = (K * (table[both, a] == table[both, b]).mean() - 1) / (K - 1)
    skill = np.full(VOTERS, 0.5)
    for _ in range(20000):
        slope = np.zeros(VOTERS)
        for (a, b), wanted in agreement.items():
            miss = skill[a] * skill[b] - wanted
            slope[a] += miss * skill[b]
            slope[b] += miss * skill[a]
        skill -= 0.1 * slope
    return (1 + (K - 1) * skill) / K


def main():
    right, table = draw()
    with open(sys.argv[1], "w") as file:
        for item in range(ITEMS):
            votes = {f"v{j}": "abc"[table[item, j]] for j in range(VOTERS) if table[item, j] >= 0}
            file.write(json.dumps({"item": item, "votes": votes, "gold": "abc"[right[item]]}) + "\n")
    given = table >= 0
    share = ((table == right[:, None]) & given).sum(axis=0) / given.sum(axis=0)
    print("labelled   ", np.round(share, 4).tolist())
    for name, group in (("independent", ()), ("group", GROUP)):
        accuracy, likelihood = fit(table, group)
        print(name.ljust(11), np.round(accuracy, 4).tolist(), round(likelihood, 3))
    print("rank_one   ", np.round(rank_one(table, GROUP), 4).tolist())


if __name__ == "__main__":
    main()
