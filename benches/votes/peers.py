"""What crowd-kit 1.4.2 and ntqr 0.9 estimate from a table of votes."""

import itertools
import random
import warnings

import numpy as np
import ntqr.r2.evaluators
import pandas as pd
from crowdkit.aggregation import DawidSkene, MajorityVote, OneCoinDawidSkene
from ntqr.r2.datasketches import TrioVoteCounts
from ntqr.r2.evaluators import ErrorIndependentEvaluation

TRIOS = 12

# Its exact square roots are simplified by sympy, half a second a trio. Thirty digits are the same
# answer for a table, a hundred times faster.
ntqr.r2.evaluators.sympy.simplify = lambda expression: expression.evalf(30)


def estimates(table, k):
    """For each peer, each voter's accuracy; None where it has none."""
    items, voters = table.shape
    frame = pd.DataFrame({
        "task": np.repeat(np.arange(items), voters),
        "worker": np.tile(np.arange(voters), items),
        "label": table.reshape(-1),
    })
    found = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        random.seed(0)
        np.random.seed(0)
        for name, model in (
            ("majority", MajorityVote()),
            ("dawid_skene", DawidSkene(n_iter=100)),
            ("one_coin", OneCoinDawidSkene(n_iter=100)),
        ):
            labels = model.fit_predict(frame).reindex(np.arange(items)).to_numpy()
            found[name] = [float((table[:, j] == labels).mean()) for j in range(voters)]
            if name == "one_coin":
                found["one_coin_skills"] = [float(model.skills_[j]) for j in range(voters)]
        found["ntqr"] = trios(table) if k == 2 else None
    return found


def trios(table):
    """The mean over trios of what its evaluator for independent errors finds, where that is real and lies
    from 0 to 1. Of its two solutions, that with the higher mean accuracy. At most TRIOS trios a voter."""
    voters = table.shape[1]
    found = [[] for _ in range(voters)]
    all_trios = list(itertools.combinations(range(voters), 3))
    order = np.random.default_rng(0).permutation(len(all_trios))
    for trio in (all_trios[at] for at in order):
        if all(len(found[j]) >= TRIOS for j in trio):
            continue
        patterns, counts = np.unique(table[:, trio], axis=0, return_counts=True)
        votes = {tuple("ab"[v] for v in p): int(c) for p, c in zip(patterns, counts)}
        try:
            solutions = ErrorIndependentEvaluation(TrioVoteCounts(votes)).evaluation_exact
            best = None
            for solution in solutions:
                share = complex(solution["prevalence"]["a"])
                each = [
                    share * complex(one["a"]) + (1 - share) * complex(one["b"])
                    for one in solution["accuracy"]
                ]
                numbers = [share] + [complex(v) for one in solution["accuracy"] for v in one.values()]
                if any(abs(v.imag) > 1e-9 or not -1e-9 <= v.real <= 1 + 1e-9 for v in numbers):
                    continue
                each = [v.real for v in each]
                if best is None or sum(each) > sum(best):
                    best = each
        except (ZeroDivisionError, TypeError, ValueError):
            continue
        if best is not None:
            for j, accuracy in zip(trio, best):
                found[j].append(accuracy)
    return [float(np.mean(one)) if one else None for one in found]
