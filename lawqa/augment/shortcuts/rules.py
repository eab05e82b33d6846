"""Solvers that look at the surface of one question only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from lawqa.augment.shortcuts.stems import asks_for_wrong
from lawqa.augment.shortcuts.surface import (
    Surface,
    folded,
    longest_run,
    statements_in,
    surfaces,
    without_name,
)
from lawqa.choices import LABELS
from lawqa.questions import Question

_ALIKE = 1e-9

Measure = Callable[[Surface], float]
"""What a rule looks at; it answers with a choice of the largest value."""

_MEASURES: Mapping[str, Measure] = {
    "verbatim in the context": lambda s: s.verbatim,
    "not verbatim in the context": lambda s: not s.verbatim,
    "longest run from the context": lambda s: s.run,
    "shortest run from the context": lambda s: -s.run,
    "most 3-grams of the context": lambda s: s.in_context,
    "fewest 3-grams of the context": lambda s: -s.in_context,
    "most 3-grams of the question": lambda s: s.in_text,
    "fewest 3-grams of the question": lambda s: -s.in_text,
    "most like the other choices": lambda s: s.in_choices,
    "least like the other choices": lambda s: -s.in_choices,
    "longest": lambda s: s.length,
    "shortest": lambda s: -s.length,
    "most hedged": lambda s: s.hedges,
    "least hedged": lambda s: -s.hedges,
    "most absolute": lambda s: s.absolutes,
    "least absolute": lambda s: -s.absolutes,
    "most negations": lambda s: s.negations,
    "fewest negations": lambda s: -s.negations,
    "most figures": lambda s: s.figures,
    "fewest figures": lambda s: -s.figures,
    "first in the context": lambda s: -s.first_seen,
    "last in the context": lambda s: s.first_seen,
    "farthest from the others in the context": lambda s: s.apart,
    "nearest to the others in the context": lambda s: -s.apart,
}
_POSITIONS = tuple(f"always {label}" for label in LABELS)
_FLIPPED = "context 3-grams: most, or fewest if the wrong one is asked for"
_COUNTED = "number of listed statements that are verbatim in the context"

SHORTCUT_RULES: tuple[str, ...] = (*_MEASURES, _FLIPPED, _COUNTED, *_POSITIONS)
"""The names of all rules."""

_NUMBERS = {"なし": 0, "0": 0, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}
_NEARLY = 0.9
"""The share of a listed statement that must be one piece of the context to be taken for verbatim."""


def credits_of(question: Question) -> dict[str, float]:
    """Return what each rule earns on a question: 1 if it picks the gold choice, less where several tie.

    A rule that cannot choose between k choices earns 1/k if the gold choice is among them.
    """
    seen, gold = surfaces(question), LABELS.index(question.gold)
    earned = {name: credit([m(s) for s in seen], gold) for name, m in _MEASURES.items()}
    earned[_FLIPPED] = earned[
        "fewest 3-grams of the context"
        if asks_for_wrong(question.text)
        else "most 3-grams of the context"
    ]
    earned[_COUNTED] = credit(_counted(question), gold)
    earned.update({name: float(name[-1] == question.gold) for name in _POSITIONS})
    return earned


def credit(values: Sequence[float], gold: int) -> float:
    """Return what a solver earns that answers with a choice of the largest value."""
    best = [place for place, value in enumerate(values) if value >= max(values) - _ALIKE]
    return 1 / len(best) if gold in best else 0.0


def _counted(question: Question) -> list[float]:
    """Return 1 for the choice that names the number of listed statements taken for true; else 0 for all."""
    stated = [folded(without_name(each)) for each in statements_in(question.text)]
    context = folded(question.context)
    true = sum(longest_run(each, context)[0] >= _NEARLY * len(each) for each in stated if each)
    if asks_for_wrong(question.text):
        true = len(stated) - true
    numbers = [_number(choice) for choice in question.choices]
    return [float(bool(stated) and number == true) for number in numbers]


def _number(choice: str) -> int | None:
    return _NUMBERS.get(folded(choice).replace("つ", "").replace("個", ""))
