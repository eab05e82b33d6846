"""Which drafts are kept, what their questions are called, and where the right answer of each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from lawqa.augment.question_types import ID_PREFIX, READING_TYPES, TYPE_NAMES
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.shortcuts.stems import asks_for_wrong
from lawqa.choices import LABELS, Label

_PER_NEGATIVE = 4
"""One in N questions that must be read asks for the wrong choice; of lawqa_jp's 140 it is 41 (29%)."""

NamedDraft = tuple[str, Draft]
"""The id of a question to be, and its draft."""


def named_drafts(drafts: Iterable[Draft]) -> list[NamedDraft]:
    """Return each draft with the id of its question: 生成_LAW_ARTICLE_TYPE_NUMBER."""
    counts: Counter[str] = Counter()
    named = []
    for draft in drafts:
        right = draft.provisions[0]
        stem = "_".join([ID_PREFIX, right.law, right.article_name, TYPE_NAMES[draft.type]])
        counts[stem] += 1
        named.append((f"{stem}_{counts[stem]}", draft))
    return named


def limited(
    named: Sequence[NamedDraft], limit: int | None, seed: int, left_out: Counter[str]
) -> list[NamedDraft]:
    """Return a multiple of four of them, in their order; which ones, the seed decides.

    Of those that must be read a quarter asks for the wrong choice, to the question: what is above it is left
    out. Where fewer are made, all of them are kept.
    """
    wanted = len(named) if limit is None else min(limit, len(named))
    left_out["over the limit"] += len(named) - wanted
    order = shuffled(named, lambda entry: entry[0], seed, "limit")
    quoted = [entry for entry in order[:wanted] if entry[1].type not in READING_TYPES]
    chosen = {name for name, _ in quoted[: len(quoted) - len(quoted) % len(LABELS)]}
    reading = [entry for entry in order if entry[1].type in READING_TYPES]
    chosen |= {name for name, _ in _of_reading(reading, wanted - len(chosen))}
    left_out["left over, so that labels and negative questions balance"] += wanted - len(chosen)
    return [entry for entry in named if entry[0] in chosen]


def _of_reading(order: Sequence[NamedDraft], most: int) -> list[NamedDraft]:
    """Return a multiple of four, at most N, of drafts that must be read; those that come first
    are preferred.
    """
    negative = [entry for entry in order if asks_for_wrong(entry[1].text)]
    positive = [entry for entry in order if not asks_for_wrong(entry[1].text)]
    size = min(most, len(order), len(positive) * _PER_NEGATIVE // (_PER_NEGATIVE - 1))
    size -= size % len(LABELS)
    wrong = min(len(negative), size // _PER_NEGATIVE)
    wrongs, rights = _placed(negative, wrong), _placed(positive, size - wrong)
    # Labels that balance may have cost some of either: the share is kept, by leaving out some more.
    most_wrong = len(rights) // (_PER_NEGATIVE - 1)
    wrongs = _without_some(wrongs, len(wrongs) - most_wrong)
    if len(wrongs) == most_wrong:
        rights = _without_some(rights, len(rights) - most_wrong * (_PER_NEGATIVE - 1))
    return wrongs + _without_some(rights, (len(wrongs) + len(rights)) % len(LABELS))


def _without_some(chosen: list[NamedDraft], number: int) -> list[NamedDraft]:
    """Return all but the last N of those whose label is free."""
    free = [entry for entry in chosen if entry[1].label is None]
    spare = free[max(0, len(free) - max(0, number)) :]
    return [entry for entry in chosen if entry not in spare]


def _placed(order: Sequence[NamedDraft], wanted: int) -> list[NamedDraft]:
    """Return at most N drafts; of those whose label is given, equally many of each label."""
    given = sum(draft.label is not None for _, draft in order[:wanted])
    by_label = [[entry for entry in order if entry[1].label == label] for label in LABELS]
    each = min(given // len(LABELS), *map(len, by_label))
    free = [entry for entry in order if entry[1].label is None]
    placed = [entry for entries in by_label for entry in entries[:each]]
    return placed + free[: wanted - len(placed)]


def labels_of(named: Sequence[NamedDraft], seed: int) -> dict[str, Label]:
    """Return where each right answer goes: dealt in turn, so every type and statute balances
    to within one.
    """
    order = sorted(
        (entry for entry in named if entry[1].label is None),
        key=lambda entry: (
            entry[1].type,
            entry[1].provisions[0].law,
            rank(seed, "label", entry[0]),
        ),
    )
    dealt = {name: LABELS[place % len(LABELS)] for place, (name, _) in enumerate(order)}
    return dealt | {name: draft.label for name, draft in named if draft.label is not None}


def draw_some(drafts: Iterable[Draft], most: int, seed: int) -> Iterator[Draft]:
    """Give a few drafts of each type, drawn at random."""
    grouped: dict[str, list[Draft]] = {}
    for draft in drafts:
        grouped.setdefault(draft.type, []).append(draft)
    for group in grouped.values():
        yield from shuffled(group, lambda draft: draft.text + draft.right, seed, "law")[:most]
