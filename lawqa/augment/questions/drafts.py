"""What the makers of questions hand over: a question before its choices are put in order.

Every choice that could fall one way or the other is made by `rank`, a hash of the seed and of names, so that
the same questions come out on every machine, in every process and under every Python version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from lawqa.augment.provisions import Provision
from lawqa.augment.question_types import QuestionType
from lawqa.choices import Label

Thing = TypeVar("Thing")


@dataclass(frozen=True)
class Draft:
    """A question with its right and wrong answers."""

    type: QuestionType
    kind: str
    """What is asked for or altered, such as `quantity` or `actor`; several joined by `+`."""
    provisions: tuple[Provision, ...]
    """What it is made of; the first one holds the right answer."""
    text: str
    """What is asked."""
    right: str
    wrong: tuple[str, str, str]
    """The wrong choices, in no meaningful order."""
    context: str
    """The provisions under the data set's headings."""
    excerpt: str
    """The words of the statute that decide it, for finding duplicates."""
    facts: tuple[str, ...]
    """What was blanked or altered, for the record: `三十年` or `三十年→二十年`."""
    label: Label | None = None
    """Where the right choice is, for choices with an order of their own (一つ, 二つ, …); else None."""


def rank(seed: int, *names: str) -> str:
    """Return a number in hex that orders things as if at random, and always alike for the same seed and
    names.
    """
    return hashlib.sha256("\x1f".join([str(seed), *names]).encode()).hexdigest()[:16]


def shuffled(
    things: Iterable[Thing], name: Callable[[Thing], str], seed: int, *names: str
) -> list[Thing]:
    """Return the things in an order that depends on the seed, their names and nothing else."""
    return sorted(things, key=lambda thing: (rank(seed, *names, name(thing)), name(thing)))
