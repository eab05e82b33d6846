"""What the makers of questions hand over: a question before its choices are put in order.

Every choice that could fall one way or the other is made by `rank`, a hash of the seed and of names, so that
the same questions come out on every machine, in every process and under every Python version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, TypeVar, get_args

from lawqa.augment.provisions import Provision
from lawqa.choices import Label

QuotedType = Literal["cloze", "altered", "which"]
"""cloze: the missing words; altered: the true statement among altered ones; which: the provision."""

ReadingType = Literal[
    "judged", "counted", "listed", "excepted", "penalised", "defined", "referred", "applied"
]  # fmt: skip
"""judged: the right or the wrong one of four statements in other words; counted: how many of four are right;
listed: what a list holds; excepted: the exception to a rule; penalised: what a breach of a rule is punished
with; defined: who or what a rule speaks of, by its definition; referred: whose permission a rule speaks of,
by a reference to another; applied: what holds where a provision applies another mutatis mutandis (準用)."""

QuestionType = QuotedType | ReadingType

QUOTED_TYPES: tuple[QuotedType, ...] = get_args(QuotedType)
"""Types whose answer is in the words of the statute; string matching solves them."""

READING_TYPES: tuple[ReadingType, ...] = get_args(ReadingType)
"""Types whose answer cannot be found by string matching."""

QUESTION_TYPES: tuple[QuestionType, ...] = (*QUOTED_TYPES, *READING_TYPES)

TYPE_NAMES: dict[QuestionType, str] = {
    "cloze": "穴埋め",
    "altered": "正誤",
    "which": "条文",
    "judged": "判断",
    "counted": "個数",
    "listed": "列挙",
    "excepted": "例外",
    "penalised": "罰則",
    "defined": "定義",
    "referred": "参照",
    "applied": "準用",
}
"""What question ids call the types."""

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
