"""Rewards for verl: its `custom_reward_function` on rows that `cookc generate --shape verl` writes.

    reward.custom_reward_function.path=pkg://cookc.verl
    reward.custom_reward_function.name=compute_score

Templates that are not built in, and another reward, are named by
`+reward.custom_reward_function.reward_kwargs.templates=[my.cook]` and `….reward_kwargs.reward=exact`; so is the form
of answers, `….reward_kwargs.answer=tags`.
"""

import threading
from collections.abc import Mapping

from cookc.rewards import Scorer, several

__all__ = ["compute_score"]

_scorers, _lock = {}, threading.Lock()


def compute_score(
    data_source,
    solution_str,
    ground_truth=None,
    extra_info=None,
    *,
    templates=None,
    reward="exact",
    vocabulary=None,
    answer=None,
    **others,
):
    """The score of a solution to the sample that `extra_info["id"]` names: `score`, `acc` (1 if every rule
    holds) and `unreadable` (1 if the solution could not be read). Threads may call it at once."""
    id = (extra_info or {}).get("id")
    if id is None:
        raise ValueError(
            f"a row of `{data_source}` has no `extra_info.id`, which names its sample: "
            "`cookc generate --shape verl` writes it"
        )
    scorer = _scorer(templates, reward, vocabulary, answer)
    score = scorer.score(str(id), solution_str)
    unreadable = float(score.unreadable is not None)
    return {"score": scorer.reward_of(score), "acc": float(score.exact), "unreadable": unreadable}


def _scorer(templates, reward, vocabulary, answer):
    # Lists and dicts of a configuration are no keys.
    weights = dict(reward) if isinstance(reward, Mapping) else reward
    templates = None if templates is None else several(templates)
    key = repr((templates, weights, vocabulary, answer))
    with _lock:
        if key not in _scorers:
            _scorers[key] = Scorer(
                templates, reward=weights, vocabulary=vocabulary, answer=answer
            )
        return _scorers[key]
