"""An answer to a dev question, and how the answers of a prompt's samples become one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lawqa.choices import Order
from lawqa.scoring import ScoredAnswer, majority


@dataclass(frozen=True)
class DevAnswer:
    """One answer; of a prompt with several samples one of them."""

    scored: ScoredAnswer
    """Its labels and outcome."""
    tokens: int | None = None
    """Of its text; None where letters are scored."""
    cut: bool = False
    """Whether the text ended in the limit of tokens, or of the memory."""


def voted(answers: Iterable[ScoredAnswer]) -> list[ScoredAnswer]:
    """Return one answer for each prompt: the label that most of its samples name, sorted by prompt.

    Ties are drawn by the question's id, so every scoring breaks them alike.
    """
    groups: dict[tuple[str, Order], list[ScoredAnswer]] = {}
    for answer in sorted(answers, key=lambda answer: answer.key):
        groups.setdefault((answer.question_id, answer.order), []).append(answer)
    return [_majority_of(group) if len(group) > 1 else group[0] for group in groups.values()]


def _majority_of(group: list[ScoredAnswer]) -> ScoredAnswer:
    first = group[0]
    label = majority([answer.predicted for answer in group], seed=first.question_id).label
    if label is not None:
        return next(answer for answer in group if answer.predicted == label)
    # A limit is the more useful news where samples were lost in several ways.
    cut = next((answer for answer in group if answer.outcome == "truncated"), None)
    kept = next((answer for answer in group if answer.outcome != "failed"), first)
    return replace(cut or kept, repeat=0)
