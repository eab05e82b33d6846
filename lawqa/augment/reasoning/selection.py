"""Which of the samples that pass the filters are learnt from."""

from __future__ import annotations

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lawqa.augment.reasoning.balance import Offer, taken_evenly, taken_freely
from lawqa.augment.reasoning.filters import (
    FILTERS,
    Checked,
    Sample,
    SampleFilter,
    Verdict,
    agreed,
    check,
    verdict_of,
)
from lawqa.choices import LABELS, Label
from lawqa.prompting import PromptSpec

MAX_SIMILARITY = 0.7
"""Shared character trigrams (Jaccard) above which two pieces of reasoning are the same."""
MIN_FOR_QUANTILES = 20
"""With fewer traces than this, quantiles of their lengths say nothing and none is left out for its length."""


@dataclass(frozen=True)
class SelectionRules:
    """What is taken of the samples that pass."""

    keep: int = 2
    """The most of one question, so that easy ones do not flood."""
    limit: int | None = None
    """The most in all; None for no limit."""
    skipped: tuple[SampleFilter, ...] = ()
    """Filters that are not applied; they are counted all the same."""
    quantiles: tuple[float, float] = (0.05, 0.95)
    """Of the lengths of all traces that pass: what is outside is left out."""
    even_labels: bool = True
    """Whether the labels of what is taken differ in number by at most one."""


@dataclass(frozen=True)
class JudgedSample:
    """A sample with what became of it."""

    checked: Checked
    verdict: Verdict

    @property
    def sample(self) -> Sample:
        """The sample itself."""
        return self.checked.sample


def select(
    samples: Sequence[Sample],
    spec: PromptSpec,
    contexts: Mapping[str, str],
    rules: SelectionRules,
) -> tuple[JudgedSample, ...]:
    """Judge samples, and take those that are learnt from.

    Questions of which the model gets at most half of its samples right come first. Of one question the traces
    whose length is nearest to the middle of its own are preferred: the shortest skip steps.

    Args:
        samples: all samples of all questions, those of one question in whatever orders.
        spec: how they were asked.
        contexts: by question id the statute text that its prompts showed; missing or empty for none.
        rules: what is taken.

    Returns:
        Every sample with its verdict, in the order of `samples`.
    """
    checked = with_agreement(
        [check(one, spec, contexts.get(one.question.id, "")) for one in samples]
    )
    verdicts: list[Verdict] = [verdict_of(one, rules.skipped) for one in checked]
    _leave_out_lengths(checked, verdicts, rules.quantiles)
    groups: dict[str, list[int]] = defaultdict(list)
    for place, one in enumerate(checked):
        groups[one.sample.question.id].append(place)
    candidates = {name: _different(checked, verdicts, places) for name, places in groups.items()}
    hard = [name for name, places in groups.items() if is_hard([checked[p] for p in places])]
    _take(checked, verdicts, candidates, hard, rules)
    return tuple(JudgedSample(one, verdict) for one, verdict in zip(checked, verdicts, strict=True))


def with_agreement(checked: Sequence[Checked]) -> list[Checked]:
    """Add the verdict of `agreed`, which all samples of a question decide together."""
    groups: dict[str, list[Checked]] = defaultdict(list)
    for one in checked:
        groups[one.sample.question.id].append(one)
    majority = {name: agreed(group) for name, group in groups.items()}
    return [
        replace(one, checks={**one.checks, "agreed": majority[one.sample.question.id]})
        if one.label is not None
        else one
        for one in checked
    ]


def is_hard(samples: Sequence[Checked]) -> bool:
    """Return whether a model gets a question right sometimes, and at most in half of its samples (1 to 4 of
    8).
    """
    right = sum(one.checks.get("right") is True for one in samples)
    return 0 < right * 2 <= len(samples)


def filter_counts(judged: Sequence[JudgedSample]) -> dict[SampleFilter, tuple[int, int, int]]:
    """Return for each filter how many samples pass it, fail it, and have nothing that it could check."""
    counts = {name: Counter(one.checked.checks.get(name) for one in judged) for name in FILTERS}
    return {name: (each[True], each[False], each[None]) for name, each in counts.items()}


def _leave_out_lengths(
    checked: Sequence[Checked], verdicts: list[Verdict], quantiles: tuple[float, float]
) -> None:
    """Mark traces whose length is outside the quantiles of all that pass; a quantile itself is inside."""
    passing = [place for place, verdict in enumerate(verdicts) if verdict == "kept"]
    if len(passing) < MIN_FOR_QUANTILES:
        return
    lengths = sorted(len(checked[place].reasoning) for place in passing)
    low, high = (lengths[round(share * (len(lengths) - 1))] for share in quantiles)
    for place in passing:
        if not low <= len(checked[place].reasoning) <= high:
            verdicts[place] = "too short or long"


def _different(
    checked: Sequence[Checked], verdicts: list[Verdict], places: Sequence[int]
) -> list[int]:
    """Return a question's traces that are not alike, the preferred first; the others are marked."""
    passing = [place for place in places if verdicts[place] == "kept"]
    if not passing:
        return []
    middle = statistics.median(len(checked[place].reasoning) for place in passing)
    passing.sort(key=lambda place: (abs(len(checked[place].reasoning) - middle), place))
    kept: list[int] = []
    for place in passing:
        own = checked[place].reasoning
        if any(_similarity(own, checked[other].reasoning) > MAX_SIMILARITY for other in kept):
            verdicts[place] = "similar"
        else:
            kept.append(place)
    return kept


def _take(
    checked: Sequence[Checked],
    verdicts: list[Verdict],
    candidates: Mapping[str, Sequence[int]],
    hard: Sequence[str],
    rules: SelectionRules,
) -> None:
    """Mark what is not taken: beyond the cap of its question, for its label, or over the limit."""
    names = list(candidates)
    by_label = [_by_label(checked, candidates[name]) for name in names]
    offers = [
        Offer({label: len(places) for label, places in own.items()}, rules.keep) for own in by_label
    ]
    first = set(hard)
    units = [
        (name not in first, turn, position)
        for position, name in enumerate(names)
        for turn in range(min(rules.keep, len(candidates[name])))
    ]
    preferred = [position for _, _, position in sorted(units)]
    taking = taken_evenly if rules.even_labels else taken_freely
    taken = taking(offers, preferred, rules.limit)
    full = rules.limit is not None and sum(sum(one.values()) for one in taken) >= rules.limit
    for own, counts in zip(by_label, taken, strict=True):
        enough = sum(counts.values()) >= rules.keep
        for label, places in own.items():
            for place in places[counts[label] :]:
                verdicts[place] = (
                    "enough" if enough else "over the limit" if full else "uneven labels"
                )


def _by_label(checked: Sequence[Checked], places: Sequence[int]) -> dict[Label, list[int]]:
    own: dict[Label, list[int]] = {label: [] for label in LABELS}
    for place in places:
        own[checked[place].sample.question.gold].append(place)
    return own


def _similarity(one: str, other: str) -> float:
    left, right = _trigrams(one), _trigrams(other)
    return len(left & right) / max(len(left | right), 1)


def _trigrams(text: str) -> set[str]:
    folded = "".join(text.split())
    return {folded[i : i + 3] for i in range(len(folded) - 2)}
