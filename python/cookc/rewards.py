"""Rewards: from the id of a sample and a model's reply to a number. The adapters of all trainers are built on it.

A row of a data set names its sample by `id`: template, digest, split, seed and index. `Scorer` knows the
sampler of an id, or compiles it, and says so where it cannot. It scores any reply: what is no text, or
cannot be read, scores 0, and its `cookc.Score` says why.

>>> scorer = Scorer("std:retrieval")
>>> sample = cookc.Template.builtin("retrieval").compile()[7]
>>> [float(score) for score in scorer.scores([sample.id, sample.id], [sample.reply, None])]
[1.0, 0.0]
"""

import os
import threading
from collections.abc import Mapping

import cookc

__all__ = ["Problems", "Scorer", "prompt_of", "shares", "text_of"]

_NO_TEXT = ("the reply is no text", "no_text")


class _Shared:
    """What threads share behind a lock, which a pickle is without."""

    def __init__(self):
        self._lock = threading.Lock()

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "_lock"}

    def __setstate__(self, state):
        vars(self).update(state, _lock=threading.Lock())


class Scorer(_Shared):
    """Scores replies to samples that are named by their ids.

    `samplers` says whose samples: a sampler; a template, or its name (`std:retrieval`, a path), which
    stands for all of its levels; or a list of them. Without it, the templates that are built in. Samples
    of other parameters need their own sampler; `vocabulary` has the words of the templates, and `answer` is the
    form of the answers to them: see `Compile.vocabulary` and `Compile.answer`.

    `reward` says what `reward_of` makes of a score: `"exact"` (1 if every rule holds, or 0), `"mean"` of the
    rules, which may pay a part to an empty reply where some rules hold of it, a dict of weights by rule, or a function of a `cookc.Score`. Threads share a scorer, and it can be
    pickled.
    """

    def __init__(self, samplers=None, *, reward="exact", vocabulary=None, answer=None):
        super().__init__()
        self._vocabulary, self._answer = vocabulary, answer
        self._reward = reward if isinstance(reward, str) or callable(reward) else dict(reward)
        if isinstance(reward, str) and reward not in ("exact", "mean"):
            raise ValueError(f"`reward` is `exact`, `mean`, weights by rule or a function, and is {reward!r}")
        self._samplers, self._templates = {}, {}
        sources = several(cookc.templates() if samplers is None else samplers)
        for source in sources:
            if isinstance(source, cookc.Sampler):
                self._add(source)
            else:
                self._templates[name_of(source)] = source

    def sampler_of(self, id):
        """The sampler that drew the sample with an id. It is a LookupError if there is none."""
        return self._named(_parts(id)[0], id)

    def scores(self, ids, replies):
        """The `cookc.Score` of each reply, in their order, scored on all cores without Python's lock."""
        ids, replies = list(ids), list(replies)
        if len(ids) != len(replies):
            raise ValueError(f"each id needs a reply: there are {len(ids)} ids and {len(replies)} replies")
        scores, batches = [None] * len(ids), {}
        for at, (id, reply) in enumerate(zip(ids, replies)):
            name, split, seed, index = _parts(id)
            sampler = self._named(name, id)
            if isinstance(reply, str):
                batches.setdefault((name, split, seed), (sampler, []))[1].append((at, index))
            else:
                scores[at] = cookc.Score(sampler.rules, [0.0] * len(sampler.rules), _NO_TEXT, False, 0.0)
        for (_, split, seed), (sampler, batch) in batches.items():
            if len(batch) == 1:  # Not worth a thread.
                [(at, index)] = batch
                scores[at] = sampler.score(index, replies[at], seed=seed, split=split)
                continue
            texts = [replies[at] for at, _ in batch]
            found = sampler.score_many([index for _, index in batch], texts, seed=seed, split=split)
            for (at, _), score in zip(batch, found):
                scores[at] = score
        return scores

    def score(self, id, reply):
        """The `cookc.Score` of one reply."""
        return self.scores([id], [reply])[0]

    def reward_of(self, score):
        """The reward of a score."""
        if self._reward == "exact":
            return float(score.exact)
        if self._reward == "mean":
            return score.mean
        if callable(self._reward):
            return float(self._reward(score))
        rules = score.rules
        return sum(weight * rules[name] for name, weight in self._reward.items()) / sum(self._reward.values())

    def _named(self, name, id):
        sampler = self._samplers.get(name)
        if sampler is None:
            with self._lock:
                sampler = self._samplers.get(name) or self._compiled(name, id)
        return sampler

    def _compiled(self, name, id):
        template = name.split("/")[0]
        if template not in self._templates:
            known = sorted({*self._templates, *(one.split("/")[0] for one in self._samplers)})
            raise LookupError(
                f"no sampler here draws `{id}`: the templates are {', '.join(known)}; "
                f"pass the sampler that drew it, or the path of `{template}.cook`"
            )
        template = opened(self._templates[template])
        for level in ["default", *template.levels]:
            if self._add(_compiled(template, level, self._vocabulary, self._answer)) == name:
                return self._samplers[name]
        raise LookupError(
            f"no level of `{template.name}` draws `{id}`: the template was another then, or had other "
            "parameters, words or answers; pass the sampler that drew it"
        )

    def _add(self, sampler):
        if isinstance(self._reward, dict):
            other = [name for name in self._reward if name not in sampler.rules]
            if other or not sum(self._reward.values()) > 0:
                what = f"has no rule `{other[0]}`" if other else "needs weights above 0"
                raise ValueError(f"`{sampler.name}` {what}: its rules are {', '.join(sampler.rules)}")
        name = f"{sampler.name}/{sampler.digest}"
        self._samplers.setdefault(name, sampler)
        return name


class Problems(_Shared):
    """Samples by number: all who ask for a number, such as the members of a group, get one sample.

    With a `cookc.Curriculum`, a number's level is what the curriculum picks when it is first asked for, and
    `record` tells it how a reply did. `samplers` are as for `Scorer`; a template is compiled at the levels of
    the curriculum, or at its defaults. Samples of several templates come in turn.
    """

    # Numbers whose level is remembered.
    _REMEMBERED = 1 << 16

    def __init__(self, samplers, *, seed=0, split="train", curriculum=None, answer=None):
        super().__init__()
        self.seed, self.split, self.curriculum = seed, split, curriculum
        self._picked = {}
        levels = ["default"] if curriculum is None else curriculum.levels
        self._samplers = []
        for source in several(samplers):
            if isinstance(source, cookc.Sampler):
                self._samplers.append(source)
            else:
                template = opened(source)
                self._samplers += [_compiled(template, level, None, answer) for level in levels]
        if not self._samplers:
            raise ValueError("there is no sampler to draw from")
        missing = [level for level in levels if not self._at(level)]
        if curriculum is not None and missing:
            raise ValueError(f"the curriculum has the level `{missing[0]}`, and no sampler is of it")

    @property
    def samplers(self):
        """All samplers that are drawn from."""
        return list(self._samplers)

    def __getitem__(self, number):
        """The sample with a number."""
        samplers = self._samplers
        if self.curriculum is not None:
            samplers = self._at(self._level(number))
        sampler = samplers[number % len(samplers)]
        return sampler.sample(number, seed=self.seed, split=self.split)

    def record(self, sample, score):
        """Tells the curriculum, if there is one, how a reply to a sample did."""
        if self.curriculum is not None:
            self.curriculum.record(sample.key.level, float(score.exact))

    def _level(self, number):
        with self._lock:
            if number not in self._picked:
                while len(self._picked) >= self._REMEMBERED:
                    del self._picked[next(iter(self._picked))]
                self._picked[number] = self.curriculum.pick(number)
            return self._picked[number]

    def _at(self, level):
        return [sampler for sampler in self._samplers if sampler.level == level]


def text_of(completion):
    """A completion's text: it is one, or the last message that the model wrote in a conversation, whose
    content may come in parts. None where there is no text."""
    if completion is None or isinstance(completion, str):
        return completion
    if isinstance(completion, Mapping):
        return text_of(completion.get("content", completion.get("text")))
    if not isinstance(completion, (list, tuple)):
        return None
    if any(isinstance(one, Mapping) and "role" in one for one in completion):
        said = [one for one in completion if isinstance(one, Mapping) and one.get("role") == "assistant"]
        return text_of(said[-1]) if said else None
    texts = [text for text in map(text_of, completion) if text is not None]
    return "".join(texts) if texts else None


def prompt_of(sample):
    """What a model reads of a sample, as one text."""
    return sample.prompt if sample.system is None else f"{sample.system}\n{sample.prompt}"


def shares(scores):
    """The shares of replies that are right, wrong and unreadable: a model's skill and its format apart."""
    count = max(1, len(scores))
    exact = sum(score.exact for score in scores)
    unreadable = sum(score.unreadable is not None for score in scores)
    wrong = len(scores) - exact - unreadable
    return {"exact": exact / count, "wrong": wrong / count, "unreadable": unreadable / count}


def several(samplers):
    """Samplers, templates or names as a list; one of them stands for a list of one."""
    one = isinstance(samplers, (cookc.Sampler, cookc.Template, str, os.PathLike))
    return [samplers] if one else list(samplers)


def _compiled(template, level, vocabulary, answer):
    compile = template.level(level)
    if vocabulary is not None:
        compile = compile.vocabulary(vocabulary)
    if answer is not None:
        compile = compile.answer(answer)
    return compile.compile()


def _parts(id):
    parts = id.split("/") if isinstance(id, str) else []
    try:
        template, digest, split, seed, index = parts
        return f"{template}/{digest}", split, int(seed), int(index)
    except ValueError:
        must = "it must be template/digest/split/seed/index, as in the column `id` of a data set"
        raise ValueError(f"{id!r} is no id of a sample: {must}") from None


def name_of(source):
    """The name of a template, which need not be read for it."""
    if isinstance(source, cookc.Template):
        return source.name
    if not isinstance(source, (str, os.PathLike)):
        what = type(source).__name__
        raise TypeError(f"a sampler, a template or its name is needed, and there is a `{what}`")
    name = os.fspath(source).removeprefix("std:")
    return os.path.basename(name).removesuffix(".cook")


def opened(source):
    """A template, which may be named."""
    if isinstance(source, cookc.Template):
        return source
    name = os.fspath(source)
    built_in = name.removeprefix("std:")
    if name.startswith("std:") or built_in in cookc.templates():
        return cookc.Template.builtin(built_in)
    return cookc.Template.open(name)
