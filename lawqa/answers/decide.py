"""From marks to one answer: enumerations struck out, the last commitment wins over what is not firmer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from lawqa.answers.marks import Mark, Strength
from lawqa.choices import LABELS

_CYCLE = list(LABELS)
_NEAR = 80
"""Marks with no more characters between them than this belong to one run of lines."""


def decide(marks: Sequence[Mark]) -> Mark | None:
    """The mark that decides: the standing claim, or else the mark that left none standing."""
    standing: Mark | None = None
    last_void: Mark | None = None
    for mark in sorted(_strike_enumerations(marks), key=lambda m: (m.at, m.strength)):
        if mark.kind == "claim":
            if standing is None or mark.strength >= standing.strength:
                standing = mark
            elif _contradicts(mark, standing):
                void = mark._replace(kind="void", label=None, rule="contradiction")
                standing, last_void = None, void
        elif mark.kind == "reopen":
            if standing is not None:
                reopened = min(standing.strength, Strength.CLAIM)
                standing = standing._replace(strength=reopened)
        elif mark.kind == "retract":
            if standing is not None and standing.label == mark.label:
                standing, last_void = None, mark._replace(label=None)
        elif standing is None or mark.strength >= min(standing.strength, Strength.STATED):
            standing, last_void = None, mark
    return standing or last_void


def _contradicts(later: Mark, standing: Mark) -> bool:
    """Whether another answer is announced behind the last word, with no sign of a correction."""
    return later.strength >= Strength.STATED and later.label != standing.label


def _strike_enumerations(marks: Sequence[Mark]) -> Iterator[Mark]:
    """Drop claims that go through the labels instead of naming one."""
    lines = _one_per_place([m for m in marks if m.kind == "claim" and m.in_line])
    sentences = _one_per_place([m for m in marks if m.kind == "claim" and not m.in_line])
    yield from (m for m in marks if m.kind != "claim")
    for sequence in (lines, sentences):
        for run in [sequence] if _goes_round(sequence) else _runs(sequence):
            kept = _genuine(run)
            yield from kept
            if not kept:
                # Weaker than anything firm that came before it: a loop does not unsay a conclusion.
                yield run[-1]._replace(
                    kind="void",
                    label=None,
                    strength=Strength.HINT,
                    rule="enumeration",
                )


def _goes_round(claims: list[Mark]) -> bool:
    """Whether the claims of the text change label again and again, with prose between them or not."""
    return _changes(claims) > 6


def _changes(claims: list[Mark]) -> int:
    return sum(one.label != two.label for one, two in pairwise(claims))


def _one_per_place(claims: list[Mark]) -> list[Mark]:
    """The firmest claim for each place: several rules may have read the same label."""
    best: dict[int, Mark] = {}
    for mark in claims:
        if mark.at not in best or mark.strength > best[mark.at].strength:
            best[mark.at] = mark
    return [best[at] for at in sorted(best)]


def _runs(claims: list[Mark]) -> Iterator[list[Mark]]:
    """Claims that follow each other closely; between runs there is prose."""
    run: list[Mark] = []
    for mark in claims:
        if run and mark.span[0] - run[-1].span[1] > _NEAR:
            yield run
            run = []
        run.append(mark)
    if run:
        yield run


def _genuine(run: list[Mark]) -> list[Mark]:
    """What is left of a run when enumerations of the labels are taken out of it.

    `a b c d` is the list of choices. A single label after one list is the answer; after several lists
    it is the beginning of the next one. What stood before the first list was said before the loop began.
    """
    labels = [mark.label for mark in run]
    before: list[Mark] = []
    after: list[Mark] = []
    cycles = i = 0
    while i < len(run):
        if labels[i : i + 4] == _CYCLE:
            cycles, i, after = cycles + 1, i + 4, []
        else:
            (after if cycles else before).append(run[i])
            i += 1
    if cycles:
        begun = [m.label for m in after] == _CYCLE[: len(after)] and cycles > 1
        return _unless_mixed(after if after and not begun else before, most=1)
    return _unless_mixed(before, most=2)


def _unless_mixed(claims: list[Mark], *, most: int) -> list[Mark]:
    """The claims, or nothing where they name more labels than `most` or swing to and fro."""
    labels = {mark.label for mark in claims}
    return [] if len(labels) > most or _changes(claims) > 2 else claims
