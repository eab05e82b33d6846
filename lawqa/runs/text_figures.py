"""How generated texts ended, what that cost, and what the label probabilities behind them say."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from lawqa.amounts import percent
from lawqa.files import JsonObject
from lawqa.runs.result import Result
from lawqa.scoring import Accuracy, LabelMass, ScoredAnswer, accuracy_of, label_mass_of

_CUT = ("limit", "memory")


@dataclass(frozen=True)
class LimitFigures:
    """Answers that ran into a limit: the most tokens, the memory, or the thinking budget."""

    answers: int
    """How many did."""
    share: float
    """Of all texts, 0 to 1."""
    cut: int
    """Of them, those that ended there; the others had their think block closed and went on."""
    accuracy: Accuracy
    """Of them as they are."""
    others: Accuracy | None
    """Of the texts that ran into none; None where there is none."""
    if_like_others: float | None
    """The accuracy of all texts if those that ran into a limit were as often right as the others."""
    if_all_right: float
    """And if all of them were right: no larger limit can do more."""

    @property
    def sentence(self) -> str:
        """What a larger limit would have changed, as far as these answers can say."""
        like = ""
        if self.if_like_others is not None:
            like = f"; {percent(self.if_like_others)} if those were right as often as the others"
        return f"with a larger limit: at most {percent(self.if_all_right)} of all texts right{like}"


@dataclass(frozen=True)
class TextFigures:
    """How generated texts ended."""

    stopped: Mapping[str, int]
    """Texts by what ended them: end, limit, final-answer, loop."""
    thinking_closed: int
    """Texts whose think block was closed at the thinking budget."""
    completion_tokens: int
    """Tokens of all texts."""
    median_tokens: float = 0.0
    """Of a text."""
    p90_tokens: float = 0.0
    """Nine of ten texts have no more tokens."""
    budget: Accuracy | None = None
    """Of the answers whose think block was closed at the thinking budget; None where none was."""
    limits: LimitFigures | None = None
    """Answers that ran into a limit; None where none did."""
    scored: int = 0
    """Texts with label probabilities of the place where their answer's label belongs."""
    named: int = 0
    """Of them, those whose text names a label too."""
    disagree: int = 0
    """Of these, those that name another label than the likeliest."""
    by_probability: Accuracy | None = None
    """Of the likeliest labels of these texts; None where there are none."""
    label_mass: LabelMass | None = None
    """How much of the probability the labels had there."""

    def record(self) -> JsonObject:
        """Return what `summary.json` says: how texts ended, their tokens, limits, and label probabilities."""
        limits = self.limits
        return {
            "texts": {
                "stopped": dict(self.stopped),
                "thinking_closed": self.thinking_closed,
                "completion_tokens": self.completion_tokens,
            },
            "tokens": {
                "median": self.median_tokens, "p90": self.p90_tokens, "sum": self.completion_tokens,
            },
            "budget": asdict(self.budget) if self.budget else None,
            "limits": {**asdict(limits), "sentence": limits.sentence} if limits else None,
            "text_labels": {
                "scored": self.scored,
                "named": self.named,
                "disagree": self.disagree,
                "accuracy": asdict(self.by_probability),
                "label_mass": self.label_mass.to_json() if self.label_mass else None,
            }
            if self.by_probability
            else None,
        }  # fmt: skip


NO_TEXTS: Mapping[str, None] = dict.fromkeys(("texts", "tokens", "budget", "limits", "text_labels"))
"""What `summary.json` says of a run without texts."""


class TextCounts:
    """Counts texts one by one; none is kept."""

    def __init__(self) -> None:
        self._stopped: Counter[str] = Counter()
        self._tokens: list[int] = []
        self._budget: list[ScoredAnswer] = []
        self._limited: list[ScoredAnswer] = []
        self._free: list[ScoredAnswer] = []
        self._probable: list[ScoredAnswer] = []
        self._masses: list[float | None] = []
        self._cut = self._named = self._disagree = 0

    def add(self, result: Result, answer: ScoredAnswer) -> None:
        """Count a result, if it is a text.

        Args:
            result: as stored.
            answer: its score.
        """
        if not result.is_text:
            return
        # lawqa 0.1 stored first only whether the limit was hit.
        stopped = result.stopped or ("limit" if result.hit_limit else "end")
        self._stopped[stopped] += 1
        if result.completion_tokens is not None:  # unknown in a damaged row
            self._tokens.append(result.completion_tokens)
        if result.thinking_closed:
            self._budget.append(answer)
        limited = stopped in _CUT or bool(result.thinking_closed)
        (self._limited if limited else self._free).append(answer)
        self._cut += stopped in _CUT
        probable = result.scored_by_probability()
        if probable is not None:
            self._probable.append(probable)
            self._masses.append(result.label_mass)
            self._named += result.label is not None
            self._disagree += result.label not in (None, probable.predicted)

    def figures(self) -> TextFigures | None:
        """Return the figures; None where there was no text."""
        if not self._stopped:
            return None
        return TextFigures(
            stopped=dict(sorted(self._stopped.items())),
            thinking_closed=len(self._budget),
            completion_tokens=sum(self._tokens),
            median_tokens=_quantile(self._tokens, 0.5),
            p90_tokens=_quantile(self._tokens, 0.9),
            budget=accuracy_of(self._budget) if self._budget else None,
            limits=self._limits(),
            scored=len(self._probable),
            named=self._named,
            disagree=self._disagree,
            by_probability=accuracy_of(self._probable) if self._probable else None,
            label_mass=label_mass_of(self._masses),
        )

    def _limits(self) -> LimitFigures | None:
        if not self._limited:
            return None
        own = accuracy_of(self._limited)
        others = accuracy_of(self._free) if self._free else None
        texts = len(self._limited) + len(self._free)
        right = others.correct if others else 0
        return LimitFigures(
            answers=len(self._limited),
            share=len(self._limited) / texts,
            cut=self._cut,
            accuracy=own,
            others=others,
            if_like_others=others.value if others else None,
            if_all_right=(right + len(self._limited)) / texts,
        )


def _quantile(values: list[int], share: float) -> float:
    """Return the smallest value that this share of all is not above; of two in the middle their mean."""
    if not values:
        return 0.0
    ordered = sorted(values)
    place = share * len(ordered)
    at = min(math.ceil(place), len(ordered)) - 1
    if place.is_integer() and at + 1 < len(ordered):
        return (ordered[at] + ordered[at + 1]) / 2
    return float(ordered[at])
