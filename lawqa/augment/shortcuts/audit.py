"""How often each cheap solver is right on a file of questions, overall and kind by kind, and the limits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lawqa.augment.shortcuts.rules import SHORTCUT_RULES, credits_of
from lawqa.augment.shortcuts.stems import asks_for_wrong
from lawqa.augment.shortcuts.surface import folded
from lawqa.augment.shortcuts.words import known_answers, learned_words
from lawqa.choices import LABELS
from lawqa.questions import Question

_LEARNED: Mapping[str, Callable[[Sequence[Question]], list[float]]] = {
    "right most often elsewhere in the file": known_answers,
    "learned from the choices of other questions": learned_words,
}


@dataclass(frozen=True)
class ShortcutLimits:
    """The most that a cheap solver may score; guessing scores .25."""

    overall: float = 0.45
    """On all questions."""
    wrong_asked: float = 0.35
    """On those that ask for the wrong one."""
    commonest: float = 0.40
    """The share of a kind's questions that have the kind's commonest answer."""


LIMITS = ShortcutLimits()

_ENOUGH = 10
"""Of fewer questions of a kind the share of the commonest answer says nothing."""


@dataclass(frozen=True)
class RuleScore:
    """What one cheap solver earns."""

    rule: str
    overall: float
    """Mean credit; 1/k where k choices tie."""
    wrong_asked: float | None
    """On the questions that ask for the wrong one; None where there are none."""
    kinds: Mapping[str, float]
    """By kind of question."""


@dataclass(frozen=True)
class Commonest:
    """The commonest right answer of a kind."""

    kind: str
    n: int
    """Questions of the kind."""
    answer: str
    share: float
    """Of the kind's questions."""


@dataclass(frozen=True)
class Breach:
    """A limit that is broken."""

    what: str
    """The rule, or the kind whose commonest answer is too common."""
    where: str
    """`overall`, `wrong asked` or `commonest answer`."""
    score: float
    limit: float


@dataclass(frozen=True)
class ShortcutAudit:
    """All cheap solvers on one file."""

    n: int
    n_wrong_asked: int
    """Questions that ask for the wrong one."""
    kinds: Mapping[str, int]
    """Questions by kind."""
    labels: Mapping[str, int]
    """Right answers by label."""
    scores: tuple[RuleScore, ...]
    commonest: tuple[Commonest, ...]
    """Of every kind."""
    breaches: tuple[Breach, ...]
    """Empty where the file keeps all limits."""


def audit_shortcuts(
    questions: Sequence[Question],
    kind_of: Callable[[Question], str],
    limits: ShortcutLimits = LIMITS,
) -> ShortcutAudit:
    """Score every cheap solver.

    Args:
        questions: any; one or more.
        kind_of: by what the scores are broken down.
        limits: what no solver may exceed.
    """
    kinds = [kind_of(question) for question in questions]
    wrong = [asks_for_wrong(question.text) for question in questions]
    earned = [credits_of(question) for question in questions]
    columns = {rule: [each[rule] for each in earned] for rule in SHORTCUT_RULES}
    columns.update({rule: solver(questions) for rule, solver in _LEARNED.items()})
    scores = tuple(_score(rule, column, wrong, kinds) for rule, column in columns.items())
    commonest = _commonest(questions, kinds)
    return ShortcutAudit(
        n=len(questions),
        n_wrong_asked=sum(wrong),
        kinds=dict(sorted(Counter(kinds).items())),
        labels={label: sum(q.gold == label for q in questions) for label in LABELS},
        scores=scores,
        commonest=commonest,
        breaches=_breaches(scores, commonest, limits),
    )


def _score(
    rule: str, column: Sequence[float], wrong: Sequence[bool], kinds: Sequence[str]
) -> RuleScore:
    by_kind = {
        kind: _mean([c for c, own in zip(column, kinds, strict=True) if own == kind])
        for kind in sorted(set(kinds))
    }
    of_wrong = [c for c, asked in zip(column, wrong, strict=True) if asked]
    return RuleScore(rule, _mean(column), _mean(of_wrong) if of_wrong else None, by_kind)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _commonest(questions: Sequence[Question], kinds: Sequence[str]) -> tuple[Commonest, ...]:
    answers: dict[str, Counter[str]] = {}
    for question, kind in zip(questions, kinds, strict=True):
        answer = question.choices[LABELS.index(question.gold)]
        answers.setdefault(kind, Counter())[folded(answer)] += 1
    shares = []
    for kind, counter in sorted(answers.items()):
        answer, count = min(counter.items(), key=lambda item: (-item[1], item[0]))
        shares.append(Commonest(kind, counter.total(), answer, count / counter.total()))
    return tuple(shares)


def _breaches(
    scores: Sequence[RuleScore], commonest: Sequence[Commonest], limits: ShortcutLimits
) -> tuple[Breach, ...]:
    breaches = []
    for score in scores:
        if score.overall > limits.overall:
            breaches.append(Breach(score.rule, "overall", score.overall, limits.overall))
        if score.wrong_asked is not None and score.wrong_asked > limits.wrong_asked:
            breaches.append(
                Breach(score.rule, "wrong asked", score.wrong_asked, limits.wrong_asked)
            )
    for each in commonest:
        if each.n >= _ENOUGH and each.share > limits.commonest:
            breaches.append(Breach(each.kind, "commonest answer", each.share, limits.commonest))
    return tuple(breaches)
