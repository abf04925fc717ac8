#!/usr/bin/env bash
# nemo-gym 0.7.0: a number of 2^47 or more that all rollouts of a task share ends the aggregation of metrics with a ValueError.
#
# Expected: a resources server may put any fields in what it answers to /verify, and `compute_aggregate_metrics` "produce[s]
# baseline stats (mean/max/min/median/std)" of the numbers among them (its docstring in reward_profile.py). The fields of a row
# are in that answer too, so this holds for a seed, an id, or a time in microseconds that a row brings along.
#
# What happens: for each numeric field a wandb histogram of 64 bins is made as well. numpy widens the range of equal values to
# a half on both sides, and from 2^47 on a float has no room for 64 edges within 1: "Too many bins for data range. Cannot
# create 64 finite-sized bins." The histograms are not in the answer: `prepare_for_serialization` takes them out again. One
# field of one task is enough for the whole answer, and a task with a single rollout has equal values in all its fields.
#
# Why it matters: the error comes after the last rollout, and there are no metrics at all then. Seeds of 64 bits and times in
# microseconds (1.8 * 10^15 now) are common; 2^47 is 1.4 * 10^14.
#
# nemo-gym asks for Python 3.13.14 or later. What is run here does not need it, so an earlier 3.13 does.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3.13 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --ignore-requires-python nemo-gym==0.7.0 numpy==2.5.5 pandas==3.1.1 wandb==0.31.0
"$work/venv/bin/python" - <<'PYTHON'
from nemo_gym.reward_profile import compute_aggregate_metrics


def aggregated(seeds):
    """The mean reward of rollouts that bring these numbers along, a task each; or the error."""
    rollouts = [{"_ng_task_index": at, "reward": 1.0, "seed": seed} for at, seed in enumerate(seeds)]
    try:
        metrics = compute_aggregate_metrics(rollouts)
    except ValueError as error:
        return f"ValueError: {error}"
    assert not any("histogram" in name for name in metrics.agent_metrics), "histograms are in the answer now"
    return f"mean reward {metrics.agent_metrics['mean/reward']}"


found = {}
for name, seeds in {
    "one rollout, 2**47 - 1": [2**47 - 1],
    "one rollout, 2**47": [2**47],
    "one rollout, a time in microseconds": [1_795_996_800_000_000],
    "99 small numbers and 2**47": [*range(99), 2**47],
}.items():
    found[name] = aggregated(seeds)
    print(f"{name}: {found[name]}")
fails = [said.startswith("ValueError: Too many bins for data range") for said in found.values()]
assert fails == [False, True, True, True], "it is not as described any more"
print("as described")
PYTHON
