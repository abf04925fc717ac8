"""Simulated votes: a copying model with a known accuracy of every voter.

An item's right answer is uniform over K options. A group of voters shares one more vote, the source,
which is right with the probability `a_s` and otherwise uniform over the wrong options. A member of the
group copies the source with the probability c = sqrt(r), and otherwise votes by itself: right with its
own probability `o_j`, otherwise uniform over the wrong options. All draws are independent. So a member is
right with the probability a_j = c a_s + (1 - c) o_j, and given the right answer the errors of two members
that are alike correlate by r. Own accuracies are spread evenly over centre - d to centre + d, in random
order; `a_s` is the mean of the members' own accuracies. `scope` is `third` (a third of the voters, at
least two, share the source) or `all`.
"""

import itertools
import zlib

import numpy as np

CENTRE = {2: 0.7, 4: 0.6}


def cells(full):
    """Every cell of the grid: options, voters, spread, correlation, items, scope."""
    voters = (3, 5, 8, 12, 16) if full else (3, 5, 8)
    for scope in ("third", "all"):
        grid = itertools.product((2, 4), voters, (0.0, 0.1, 0.2), (0.0, 0.2, 0.4, 0.6), (300, 1000))
        for k, n, d, r, items in grid:
            if scope == "all" and r == 0.0:
                continue  # The same as a third that shares nothing.
            yield dict(k=k, n=n, d=d, r=r, items=items, scope=scope)


def name(cell, seed):
    return "k{k} n{n} d{d} r{r} items{items} {scope}".format(**cell) + f" seed{seed}"


def draw(cell, seed):
    """Right answers, votes (items by voters), and each voter's accuracy."""
    k, n, items = cell["k"], cell["n"], cell["items"]
    random = np.random.default_rng(zlib.crc32(name(cell, seed).encode()))
    centre, spread = CENTRE[k], cell["d"]
    own = random.permutation(np.linspace(centre - spread, centre + spread, n))
    members = max(2, round(n / 3)) if cell["scope"] == "third" else n
    group = random.permutation(n)[:members]
    copied = np.sqrt(cell["r"])
    right = random.integers(0, k, items)

    def votes(accuracy):
        is_right = random.random(items) < accuracy
        wrong = (right + random.integers(1, k, items)) % k
        return np.where(is_right, right, wrong)

    table = np.stack([votes(accuracy) for accuracy in own], axis=1)
    accuracy = own.copy()
    source_accuracy = own[group].mean()
    source = votes(source_accuracy)
    for voter in group:
        copies = random.random(items) < copied
        table[copies, voter] = source[copies]
        accuracy[voter] = copied * source_accuracy + (1 - copied) * own[voter]
    return right, table, accuracy
