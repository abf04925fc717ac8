"""Rewards and problems for TRL's trainers.

>>> from trl import GRPOTrainer                                               # doctest: +SKIP
>>> trainer = GRPOTrainer(                                                    # doctest: +SKIP
...     model, reward_funcs=cookc.trl.reward(sampler), train_dataset=cookc.trl.dataset(sampler, 10_000)
... )
"""

from cookc.rewards import Problems, Scorer, prompt_of, shares, text_of

__all__ = ["dataset", "environment", "groups", "reward"]


def reward(samplers=None, *, reward="exact", curriculum=None, answer=None):
    """A reward function: the score of each completion to the sample that the column `id` names.

    `samplers`, `reward` and `answer` are those of `cookc.rewards.Scorer`; without samplers, rows of any template that
    is built in are scored. It logs the shares of right, wrong and unreadable completions, and tells a
    curriculum of them.
    """
    scorer = Scorer(samplers, reward=reward, answer=answer)

    def cookc(completions, id=None, environments=None, log_metric=None, log_extra=None, **columns):
        if id is None and environments is not None:
            id = [one.id for one in environments]
        if id is None:
            raise ValueError("the data set has no column `id`, which names each row's sample")
        scores = scorer.scores(id, map(text_of, completions))
        if curriculum is not None:
            for one, score in zip(id, scores):
                curriculum.record(scorer.sampler_of(one).level, float(score.exact))
        if log_metric is not None:
            for name, share in shares(scores).items():
                log_metric(f"cookc/{name}", share)
        if log_extra is not None:
            log_extra("unreadable", [score.unreadable or "" for score in scores])
        return [scorer.reward_of(score) for score in scores]

    return cookc


def dataset(
    samplers,
    count=None,
    *,
    seed=0,
    start=0,
    split="train",
    curriculum=None,
    answer=None,
    chat=True,
):
    """Rows with `id` and `prompt`: a `datasets.Dataset` of `count` rows, or a stream without an end, for
    which the trainer needs `max_steps`. A stream can follow a curriculum. The prompts are conversations, or,
    without `chat`, texts."""
    import datasets

    problems = Problems(samplers, seed=seed, split=split, curriculum=curriculum, answer=answer)

    def row(number):
        sample = problems[number]
        prompt = sample.messages[:-1] if chat else prompt_of(sample)
        return {"id": sample.id, "prompt": prompt}

    def rows():
        number = start
        while True:
            yield row(number)
            number += 1

    if count is not None:
        return datasets.Dataset.from_list([row(number) for number in range(start, start + count)])
    return datasets.IterableDataset.from_generator(rows)


def groups(count, *, start=0):
    """A data set for `environment`: the number of each group's problem, and an empty prompt that
    `reset` fills. The trainer repeats a row for all members of its group, so they see one problem."""
    import datasets

    numbers = list(range(start, start + count))
    empty = [{"role": "user", "content": ""}]
    return datasets.Dataset.from_dict({"prompt": [empty] * count, "group_id": numbers})


def environment(
    samplers,
    *,
    seed=0,
    split="train",
    reward="exact",
    curriculum=None,
    answer=None,
    tool=True,
):
    """An environment for `environment_factory`, which draws a group's problem when it is reset.

    TRL does not show an environment the completion, but its tool calls: the model hands its answer in with
    the tool `submit`, and `get_reward` scores it. Without `tool` the completion itself is the answer: then
    give the trainer `reward_funcs=cookc.trl.reward(samplers)` as well, which asks the environments for the
    ids. `train_dataset` must be `groups(count)`: without a data set TRL does not say which group is reset.
    """
    problems = Problems(samplers, seed=seed, split=split, curriculum=curriculum, answer=answer)
    scorer = Scorer(problems.samplers, reward=reward)

    class Cookc:
        """One rollout's problem."""

        def __init__(self):
            self._sample = self._answer = None

        @property
        def id(self):
            """The id of the problem's sample."""
            return self._sample.id

        def reset(self, group_id=None, **columns):
            if group_id is None:
                raise ValueError(
                    "`reset` was not told which group it is, so its members would see different problems: "
                    "pass `train_dataset=cookc.trl.groups(count)`"
                )
            self._sample, self._answer = problems[int(group_id)], None
            return prompt_of(self._sample)

    class CookcTool(Cookc):
        """One rollout's problem, whose answer is handed in."""

        def submit(self, answer: str) -> str:
            """
            Hands in the answer. Only the first one counts.

            Args:
                answer: The answer, and nothing else.
            """
            if self._answer is None:
                self._answer = answer
            return "The answer was handed in."

        def get_reward(self) -> float:
            score = scorer.score(self._sample.id, text_of(self._answer))
            problems.record(self._sample, score)
            return scorer.reward_of(score)

    return CookcTool if tool else Cookc
