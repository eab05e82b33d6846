"""Questions left out until no cheap solver does well on those that stay.

A simple form of adversarial filtering (Zellers et al. 2018, "SWAG"; Le Bras et al. 2020, "Adversarial
Filters of Dataset Biases"): the solvers are fixed rules, so nothing is fitted to a
model that is trained later.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from lawqa.augment.questions.drafts import rank
from lawqa.augment.shortcuts.rules import credits_of
from lawqa.augment.shortcuts.stems import asks_for_wrong
from lawqa.questions import Question

AIM = 0.30
"""The most that a rule may score on the questions of one type that stay; guessing scores .25."""

_SHARE = 0.02
"""How many are left out at a time, as a share of those that are left."""

_LEAST = 8
"""Of fewer questions a score says nothing; they all stay."""


def thinned(questions: Sequence[Question], seed: int) -> frozenset[str]:
    """Return the ids of the questions that stay, type by type, and apart where the wrong choice is asked for.

    Args:
        questions: with whatever label; the rules that look at places are not used.
        seed: decides among questions that are equally easy.
    """
    groups: dict[tuple[str, bool], list[Question]] = {}
    for question in questions:
        kind = question.id.split("_")[-2]
        groups.setdefault((kind, asks_for_wrong(question.text)), []).append(question)
    kept: set[str] = set()
    for group in groups.values():
        kept.update(_thinned(group, seed))
    return frozenset(kept)


def _thinned(questions: Sequence[Question], seed: int) -> Collection[str]:
    earned = {q.id: _earned(q) for q in questions}
    order = {q.id: rank(seed, "thin", q.id) for q in questions}
    left = dict(earned)
    while len(left) > _LEAST:
        excess = _excess(left)
        if not excess:
            break
        easy = {
            name: sum(weight * rules[rule] for rule, weight in excess.items())
            for name, rules in left.items()
        }
        drop = sorted(left, key=lambda name: (-easy[name], order[name]))
        for name in drop[: max(1, int(len(left) * _SHARE))]:
            del left[name]
    return left


def _earned(question: Question) -> dict[str, float]:
    return {
        rule: value for rule, value in credits_of(question).items() if not rule.startswith("always")
    }


def _excess(left: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return by how much each rule scores too well; only those that do."""
    # Of few questions some rule is always lucky: 1.5 standard errors above guessing are no shortcut.
    aim = max(AIM, 0.25 + 1.5 * (0.25 * 0.75 / len(left)) ** 0.5)
    totals: dict[str, float] = {}
    for rules in left.values():
        for rule, value in rules.items():
            totals[rule] = totals.get(rule, 0.0) + value
    return {
        rule: total / len(left) - aim for rule, total in totals.items() if total > aim * len(left)
    }
