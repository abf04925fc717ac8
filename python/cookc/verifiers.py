"""A taskset for verifiers, endless, and a reward for the tasks of others.

A taskset is named by a module: write `tasks.py` with `from cookc.verifiers import *`, and

    [env.taskset]
    id = "tasks"
    templates = ["std:retrieval"]
    level = "easy"

A task whose `id` is that of a sample is scored by configuration alone:
`[env.taskset.task.rewards]`, `cookc = {fn = "cookc.verifiers:score"}`.
"""

import functools
import itertools

import verifiers.v1 as vf

import cookc as _cookc
from cookc.rewards import Problems, Scorer, name_of, opened

__all__ = ["Config", "Data", "Task", "TaskConfig", "Taskset"]


class Data(vf.TaskData):
    """A sample's texts. `id` names it, and `template` says where its template is."""

    template: str
    level: str = "default"
    answer: str = "strict"


class TaskConfig(vf.TaskConfig):
    """How replies are scored: see `cookc.rewards.Scorer`."""

    reward: str | dict[str, float] = "exact"


class Config(vf.TasksetConfig):
    """Which samples are drawn. With `follow`, the levels of the template follow the replies' scores."""

    templates: list[str] = ["std:retrieval"]
    level: str = "default"
    answer: str = "strict"
    seed: int = 0
    split: str = "train"
    follow: bool = False
    task: TaskConfig = TaskConfig()


class Task(vf.Task[Data, vf.State, TaskConfig]):
    """One sample."""

    record = None  # What its taskset is told of a score.

    @property
    def key(self):
        """The sample's id."""
        return self.data.id

    @vf.reward
    async def cookc(self, trace) -> float:
        """The reward of the reply."""
        score = self._score(trace)
        if self.record is not None:
            self.record(self.data.level, float(score.exact))
        return self._scorer.reward_of(score)

    @vf.metric
    async def exact(self, trace) -> float:
        """1 if every rule holds."""
        return float(self._score(trace).exact)

    @vf.metric
    async def unreadable(self, trace) -> float:
        """1 if the reply could not be read."""
        return float(self._score(trace).unreadable is not None)

    # Made from data and configuration alone: a saved run is scored again from them.
    @property
    def _scorer(self):
        reward = self.config.reward
        weights = tuple(reward.items()) if isinstance(reward, dict) else reward
        return _scorer(self.data.template, weights, self.data.answer)

    def _score(self, trace):
        return self._scorer.score(self.data.id, trace.last_reply)


class Taskset(vf.Taskset[Task, Config]):
    """The samples of some templates, without an end."""

    INFINITE = True

    def __init__(self, config):
        super().__init__(config)
        templates = [opened(name) for name in config.templates]
        self.curriculum = _cookc.Curriculum(templates[0].levels) if config.follow else None
        if not config.follow:
            compiles = [template.level(config.level) for template in templates]
            templates = [compile.answer(config.answer).compile() for compile in compiles]
        self.problems = Problems(
            templates,
            seed=config.seed,
            split=config.split,
            curriculum=self.curriculum,
            answer=config.answer,
        )

    def load(self):
        """Each task is a sample, from the number 0 on."""
        sources = {name_of(name): name for name in self.config.templates}
        record = None if self.curriculum is None else self.curriculum.record
        for number in itertools.count():
            sample = self.problems[number]
            data = Data(
                id=sample.id,
                prompt=sample.prompt,
                system_prompt=sample.system,
                template=sources[sample.key.template],
                level=sample.key.level,
                answer=self.config.answer,
            )
            task = Task(data, self.config.task)
            task.record = record
            yield task


async def score(task, trace) -> float:
    """The reward of a reply to a task whose `id` is that of a sample of a template that is built in."""
    return _scorer(None, "mean", None).score(task.id, trace.last_reply).mean


@functools.cache
def _scorer(template, reward, answer):
    reward = reward if isinstance(reward, str) else dict(reward)
    return Scorer(template, reward=reward, answer=answer)
