"""Ties: who is level, and who wins where nothing but luck is left to decide."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from lawqa.choices import LABELS, ORIGINAL_ORDER, Label, Order
from lawqa.scoring.outcomes import ScoredAnswer, order_name

TIE = 1e-12
"""Scores this close are level: the means of the same numbers in another sequence differ by less."""


def leaders(scores: Mapping[Label, float]) -> tuple[Label, ...]:
    """Return the labels with the highest score, in the sequence a-d; more than one where they are level."""
    best = max(scores.values())
    return tuple(label for label in LABELS if label in scores and scores[label] >= best - TIE)


def draw(level: Sequence[Label], seed: str) -> Label:
    """Return one of several level labels, each equally likely over seeds and always the same for one seed.

    Two runs that are level on the same labels of a question draw alike, so the draw adds nothing to their
    difference. SHA-256 instead of `random`: the same in every version of Python.

    Args:
        level: the labels, in any sequence.
        seed: the question's id.
    """
    number = int.from_bytes(
        hashlib.sha256(seed.encode("utf-8", "surrogatepass")).digest()[:8], "big"
    )
    return sorted(level)[number % len(level)]


def tie_seed(question_id: str, order: Order = ORIGINAL_ORDER, repeat: int = 0) -> str:
    """Return what the draw for a prompt is seeded by: the question's id, for another order or sample those
    too.
    """
    if order == ORIGINAL_ORDER and repeat == 0:
        return question_id
    return f"{question_id} {order_name(order)} {repeat}"


def likeliest_label(
    logprobs: Sequence[float], question_id: str, order: Order = ORIGINAL_ORDER, repeat: int = 0
) -> Label:
    """Return the displayed label with the highest log-probability; of level ones (a dead head)
    one is drawn.
    """
    level = leaders(dict(zip(LABELS, logprobs, strict=True)))
    return level[0] if len(level) == 1 else draw(level, tie_seed(question_id, order, repeat))


def level_labels(answer: ScoredAnswer) -> tuple[Label, ...]:
    """Return the displayed labels among which this scored answer was a draw; none where it was not."""
    if answer.predicted is None or answer.label_logprobs is None or answer.by_text:
        return ()
    level = leaders(dict(zip(LABELS, answer.label_logprobs, strict=True)))
    return level if len(level) > 1 and answer.predicted in level else ()


def with_tie_drawn(answer: ScoredAnswer) -> ScoredAnswer:
    """Return a scored answer whose tie, if it has one, is drawn; older runs stored the first of
    level labels.
    """
    if not level_labels(answer) or answer.label_logprobs is None:
        return answer
    label = likeliest_label(answer.label_logprobs, answer.question_id, answer.order, answer.repeat)
    return replace(answer, predicted=label, outcome="correct" if label == answer.gold else "wrong")
