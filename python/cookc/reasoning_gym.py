"""Every template as a data set of reasoning-gym: importing this module registers them.

>>> import reasoning_gym, cookc.reasoning_gym                                          # doctest: +SKIP
>>> data = reasoning_gym.create_dataset("cookc.retrieval", level="easy", seed=42, size=10)  # doctest: +SKIP
>>> data.score_answer(data[0]["answer"], data[0])                                      # doctest: +SKIP
1.0
"""

import dataclasses

import cookc
from cookc.rewards import Problems, Scorer, prompt_of
from reasoning_gym.dataset import ProceduralDataset
from reasoning_gym.factory import DATASETS, register_dataset

__all__ = ["Config", "register"]


@dataclasses.dataclass
class Config:
    """What reasoning-gym's configurations say of a data set. `parameters` are the template's; with a
    `cookc.Curriculum`, it chooses each item's level, and each answer that is scored moves it."""

    seed: int | None = None
    size: int = 500
    level: str = "default"
    split: str = "train"
    reward: str | dict = "exact"
    answer: str = "strict"
    parameters: dict = dataclasses.field(default_factory=dict)
    curriculum: cookc.Curriculum | None = None


class _Dataset(ProceduralDataset):
    template: cookc.Template
    name: str

    def __init__(self, config, seed=None, size=None):
        seed = config.seed if seed is None else seed
        super().__init__(config, seed, config.size if size is None else size)
        levels = [config.level] if config.curriculum is None else config.curriculum.levels
        compiles = [self.template.level(level).answer(config.answer) for level in levels]
        samplers = [compile.compile(**config.parameters) for compile in compiles]
        self.problems = Problems(
            samplers, seed=self.seed, split=config.split, curriculum=config.curriculum
        )
        self.scorer = Scorer(
            [*samplers, self.template], reward=config.reward, answer=config.answer
        )

    @property
    def category(self):
        return "cookc"

    def __getitem__(self, idx):
        if not 0 <= idx < self.size:
            raise IndexError(f"there are {self.size} items, and none is {idx}")
        sample = self.problems[idx]
        metadata = {
            "source_dataset": self.name,
            "source_index": idx,
            "id": sample.id,
            "difficulty": {"level": sample.key.level},
        }
        return {"question": prompt_of(sample), "answer": sample.reply, "metadata": metadata}

    def score_answer(self, answer, entry):
        """The reward of an answer to an entry; what is no text scores 0."""
        id = entry["metadata"]["id"]
        score = self.scorer.score(id, answer)
        if self.config.curriculum is not None:
            level = self.scorer.sampler_of(id).level
            self.config.curriculum.record(level, float(score.exact))
        return self.scorer.reward_of(score)


def register(template, name=None):
    """Makes a template a data set of reasoning-gym's, under a name: `cookc.` and the template's, unless
    another is given. The class is returned."""
    name = name or f"cookc.{template.name}"
    made = type(f"Cookc_{template.name}", (_Dataset,), {"template": template, "name": name})
    register_dataset(name, made, Config)
    return made


for _name in cookc.templates():
    if f"cookc.{_name}" not in DATASETS:
        register(cookc.Template.builtin(_name))
