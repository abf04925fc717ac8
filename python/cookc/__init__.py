"""cookc, the compiler for training data: rules become samples, and the verifiers that score replies.

>>> import cookc
>>> sampler = cookc.Template.builtin("retrieval").level("easy").compile()
>>> sample = sampler[7]
>>> sampler.score(7, sample.reply).exact
True

A sample is a pure function of template, level, parameters, words, split, seed and index: the same
key has the same texts on any machine, with any number of threads or processes.

`cookc.torch` has data sets for PyTorch, `cookc.ray` a data source for Ray Data and `cookc.datatrove` a
reader for datatrove. `cookc.trl`, `cookc.verifiers`, `cookc.verl`, `cookc.skyrl`, `cookc.openrlhf` and
`cookc.reasoning_gym` are rewards and problems for trainers, and `cookc.rewards` what they share. Each is
imported when it is first used. The command line comes with the package: `cookc --help`.
"""

from importlib import import_module as _import_module

from cookc._cookc import (
    Compile,
    Curriculum,
    Diagnostic,
    Error,
    Key,
    Rows,
    Sample,
    Sampler,
    Samples,
    Score,
    Stream,
    Template,
    TokenRows,
    Vocabulary,
    __version__,
    shapes,
    templates,
)

__all__ = [
    "Compile",
    "Curriculum",
    "Diagnostic",
    "Error",
    "Key",
    "Rows",
    "Sample",
    "Sampler",
    "Samples",
    "Score",
    "Stream",
    "Template",
    "TokenRows",
    "Vocabulary",
    "__version__",
    "datatrove",
    "openrlhf",
    "ray",
    "reasoning_gym",
    "rewards",
    "shapes",
    "skyrl",
    "templates",
    "torch",
    "trl",
    "verifiers",
    "verl",
]

_MODULES = (
    "datatrove",
    "openrlhf",
    "ray",
    "reasoning_gym",
    "rewards",
    "skyrl",
    "torch",
    "trl",
    "verifiers",
    "verl",
)


def __getattr__(name):
    if name in _MODULES:
        return _import_module(f"cookc.{name}")
    raise AttributeError(f"module 'cookc' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
