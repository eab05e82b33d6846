"""Which drafts are kept, what their questions are called, and where the right answer of each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from lawqa.augment.questions.drafts import TYPE_NAMES, Draft, rank, shuffled
from lawqa.choices import LABELS, Label

ID_PREFIX = "生成"
"""What the ids of generated questions begin with; no question of lawqa_jp does."""

NamedDraft = tuple[str, Draft]
"""The id of a question to be, and its draft."""


def named_drafts(drafts: Iterable[Draft]) -> list[NamedDraft]:
    """Each draft with the id of its question: 生成_LAW_ARTICLE_TYPE_NUMBER."""
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
    """A multiple of four of them, in their order; which ones, the seed decides."""
    wanted = len(named) if limit is None else min(limit, len(named))
    left_out["over the limit"] += len(named) - wanted
    order = shuffled(named, lambda entry: entry[0], seed, "limit")[:wanted]
    free = [entry for entry in order if entry[1].label is None]
    placed = [[e for e in order if e[1].label == label] for label in LABELS]
    least = min(len(entries) for entries in placed)
    chosen = {name for name, _ in free[: len(free) - len(free) % len(LABELS)]}
    chosen.update(name for entries in placed for name, _ in entries[:least])
    left_out["left over, so that the labels balance"] += wanted - len(chosen)
    return [entry for entry in named if entry[0] in chosen]


def labels_of(named: Sequence[NamedDraft], seed: int) -> dict[str, Label]:
    """Where each right answer stands: dealt in turn, so every type and statute balances to within one."""
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
