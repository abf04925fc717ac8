"""What the tests share: templates, samplers, and PyTorch or what stands for it."""

import importlib.util
import pathlib
import sys

import pytest

import cookc

ROOT = pathlib.Path(__file__).resolve().parents[2]

ECHO = """\
param length in 2..9 = 3
level hard: length = 8
words_ ~ distinct(length, vocab)
last   = at(size(words_) - 1, words_)
rule ends: last == at(size(words_) - 1, words_)
system "You \\"echo\\"."
prompt "Words: {words_}. The last?"
reply "{last}"
"""

# One sample in some cannot be drawn.
ZERO = 'n ~ uniform(0..3)\nm = 6 / n\nprompt "{n}"\nreply "{m}"\n'

# The data sets of `cookc.torch` are tested with PyTorch where it is, and with two classes and a
# function of its API where it is not: it is large.
if importlib.util.find_spec("torch") is None:
    sys.path.insert(0, str(pathlib.Path(__file__).parent / "without_torch"))


@pytest.fixture(scope="session")
def echo():
    return cookc.Template.parse("echo.cook", ECHO)


@pytest.fixture(scope="session")
def sampler(echo):
    return echo.compile()


@pytest.fixture(scope="session")
def retrieval():
    return cookc.Template.builtin("retrieval").level("easy").compile()


@pytest.fixture(scope="session")
def zero():
    return cookc.Template.parse("zero.cook", ZERO).compile()


@pytest.fixture(scope="session")
def failing(zero):
    """The first index that cannot be drawn."""
    samples = zero.samples()
    for index in range(1000):
        try:
            next(samples)
        except cookc.Error:
            return index
    raise AssertionError("every sample can be drawn")
