"""A four-choice question, in any order of its choices, and what marks it as the same question."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lawqa.choices import (
    LABELS,
    ORIGINAL_ORDER,
    Label,
    Order,
    all_orders,
    permute,
    permute_label,
)
from lawqa.errors import DataError
from lawqa.statutes.folding import fold


@dataclass(frozen=True)
class Question:
    """One four-choice question in one order of its choices."""

    id: str
    """The data set's name for the question; the same for all orders of it."""
    text: str
    """What is asked, without the choices."""
    choices: tuple[str, str, str, str]
    """The choice texts a-d, without their letters."""
    gold: Label
    """The right choice."""
    context: str = ""
    """Statute text that the data set gives with the question; empty where there is none."""
    instruction: str = ""
    """The data set's own wording of the task; kept for writing, never put into a prompt."""
    references: tuple[str, ...] = ()
    """Addresses of the sources."""
    order: int = 1
    """The data set's number of this order of the choices; 1 is the original."""
    permutation: Order = ORIGINAL_ORDER
    """How the choices are ordered relative to the lowest order number of this question in its file."""

    @property
    def law(self) -> str:
        """The law a question is on: the part of the id before the first underscore."""
        return self.id.split("_", 1)[0]

    @property
    def key(self) -> str:
        """The key of this question and order: `id#order`."""
        return f"{self.id}#{self.order}"


def choices_text(choices: Sequence[str]) -> str:
    """Return the choices as four lines `a …` to `d …`, as the data set and the prompts show them."""
    return "\n".join(f"{label} {choice}" for label, choice in zip(LABELS, choices, strict=True))


def reordered(question: Question, order: Order) -> Question:
    """Return the question with its choices in another order; its order number is the order's rank.

    Args:
        question: the question in its original order.
        order: position i shows the choice that stood at position order[i].

    Returns:
        The question whose `order` is the rank of the order among all 24, from 1 for the original.

    Raises:
        DataError: the question is a reordered one already.
    """
    if question.permutation != ORIGINAL_ORDER or question.order != 1:
        raise DataError(
            f"{question.key}: is one of several orders already",
            "give the file with the original order of every question",
        )
    first, second, third, fourth = permute(question.choices, order)
    return replace(
        question,
        choices=(first, second, third, fourth),
        gold=permute_label(question.gold, order),
        order=all_orders().index(order) + 1,
        permutation=order,
    )


def fingerprint(question: Question) -> str:
    """Return a hash of what is asked, whatever the id and the order of the choices.

    Two questions with the same wording and the same set of choices share it, so a question that was
    renamed or reordered is still recognised as trained on.
    """
    text, *choices = (fold(part) for part in (question.text, *question.choices))
    joined = "\x00".join([text, *sorted(choices)])
    # A question file holds no half surrogate; a row that somebody has changed may, and is only to differ.
    return hashlib.sha256(joined.encode(errors="surrogatepass")).hexdigest()[:16]
