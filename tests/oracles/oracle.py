"""What an oracle says about one prompt."""

from dataclasses import dataclass
from typing import Callable


@dataclass
class Oracle:
    """`accepts` tells whether a reply is right; `answers` are some right replies."""

    accepts: Callable[[str], bool]
    answers: list[str]


def exactly(answer: str) -> Oracle:
    """One reply is right, however its words are spaced."""
    return Oracle(lambda reply: reply.split() == answer.split(), [answer])
