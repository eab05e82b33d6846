"""From marks to one answer: enumerations struck out, the last commitment wins over what is not firmer.

The resolver knows marks only, not the text: which are later, how firm they are, what they take back. Its
laws are tested as such: an unrelated mark before changes nothing, permuting the labels permutes the answer,
a later firm commitment wins.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Literal, NamedTuple

from lawqa.answers.marks import Mark, Strength
from lawqa.choices import LABELS

_CYCLE = list(LABELS)
_NEAR = 80
"""Marks with no more characters between them than this belong to one run of lines."""

Fate = Literal["decides", "replaced", "taken back", "not firm enough", "enumeration", "no effect"]
"""What became of a mark, as `Decision.fates` tells."""


class Decision(NamedTuple):
    """What the marks come to.

    Args:
        mark: the mark that decides: the standing claim, or else the mark that left none standing.
        fates: every mark with what became of it, in the order of the text.
    """

    mark: Mark | None
    fates: tuple[tuple[Mark, Fate], ...]


class _Resolver:
    """The marks read so far: which claim holds, what voided the last one, what became of the others."""

    def __init__(self) -> None:
        self.standing: Mark | None = None
        self.void: Mark | None = None
        self.fates: list[tuple[Mark, Fate]] = []
        self._strength = Strength.HINT  # of the standing claim; second thoughts lower it
        self._reopened = False

    def read(self, mark: Mark) -> None:
        """Take the next mark in the order of the text."""
        if mark.kind == "claim":
            self._claim(mark)
        elif mark.kind == "reopen":
            self.fates.append((mark, "no effect"))
            self._strength = min(self._strength, Strength.CLAIM)
            self._reopened = True
        elif mark.kind == "retract":
            if self.standing is not None and self.standing.label == mark.label:
                self._clear(mark._replace(label=None), "taken back")
            else:
                self.fates.append((mark, "no effect"))
        elif self.standing is None or mark.strength >= min(self._strength, Strength.STATED):
            self._clear(mark, "taken back")
        else:
            self.fates.append((mark, "not firm enough"))

    def _claim(self, mark: Mark) -> None:
        if self.standing is None or mark.strength >= self._strength:
            if self._wavers(mark):
                self._clear(
                    mark._replace(kind="void", label=None, rule="contradiction"), "replaced"
                )
                return
            if self.standing is not None:
                self.fates.append((self.standing, "replaced"))
            self.standing, self._strength, self._reopened = mark, mark.strength, False
        elif mark.strength >= Strength.STATED and mark.label != self.standing.label:
            # Another answer is announced behind the last word, with no sign of a correction.
            self._clear(mark._replace(kind="void", label=None, rule="contradiction"), "replaced")
        else:
            self.fates.append((mark, "not firm enough"))

    def _wavers(self, mark: Mark) -> bool:
        """Return whether two choices are called likely one after the other: then neither is chosen."""
        before = self.standing
        return (
            before is not None
            and "soft-forced" not in (mark.soft or "soft-forced", before.soft or "soft-forced")
            and mark.label != before.label
            and not self._reopened
            and mark.span[0] - before.span[1] <= _NEAR
        )

    def _clear(self, void: Mark, fate: Fate) -> None:
        if self.standing is not None:
            self.fates.append((self.standing, fate))
        if self.void is not None:
            self.fates.append((self.void, "replaced"))
        self.standing, self.void = None, void

    def decision(self) -> Decision:
        """Return what the marks come to when all are read."""
        decides = self.standing or self.void
        rest = [(mark, fate) for mark, fate in self.fates]
        if self.standing is not None and self.void is not None:
            rest.append((self.void, "replaced"))
        if decides is not None:
            rest.append((decides, "decides"))
        return Decision(decides, tuple(sorted(rest, key=lambda pair: pair[0].at)))


def decide(marks: Sequence[Mark]) -> Decision:
    """Resolve the marks of a text, in any order."""
    resolver = _Resolver()
    kept, struck = _strike_enumerations(marks)
    resolver.fates += [(mark, "enumeration") for mark in struck]
    for mark in sorted(kept, key=lambda m: (m.at, m.strength)):
        resolver.read(mark)
    return resolver.decision()


def _strike_enumerations(marks: Sequence[Mark]) -> tuple[list[Mark], list[Mark]]:
    """Return the marks without claims that go through the labels instead of naming one, and those claims.

    In the place of a struck run is a void that is weaker than anything firm that came before it: a loop
    does not unsay a conclusion.
    """
    claims = [m for m in marks if m.kind == "claim"]
    kept = [m for m in marks if m.kind != "claim"]
    in_line = _one_per_place([m for m in claims if m.in_line])
    in_prose = _one_per_place([m for m in claims if not m.in_line])
    if len({m.label for m in claims}) < 2:
        return kept + in_line + in_prose, []
    struck: list[Mark] = []
    for sequence in (in_line, in_prose):
        for run in [sequence] if _goes_round(sequence) else _runs(sequence):
            genuine = _genuine(run)
            kept += genuine
            struck += [mark for mark in run if mark not in genuine]
            if not genuine:
                kept.append(
                    run[-1]._replace(
                        kind="void", label=None, strength=Strength.HINT, rule="enumeration"
                    )
                )
    return kept, struck


def _goes_round(claims: list[Mark]) -> bool:
    """Return whether the claims of the text change label again and again, with prose between them or not."""
    return _changes(claims) > 6


def _changes(claims: list[Mark]) -> int:
    return sum(one.label != two.label for one, two in pairwise(claims))


def _one_per_place(claims: list[Mark]) -> list[Mark]:
    """Return the firmest claim for each place: several rules may have read the same label."""
    best: dict[int, Mark] = {}
    for mark in claims:
        if mark.at not in best or mark.strength > best[mark.at].strength:
            best[mark.at] = mark
    return [best[at] for at in sorted(best)]


def _runs(claims: list[Mark]) -> Iterator[list[Mark]]:
    """Yield claims that follow each other closely; between runs there is prose."""
    run: list[Mark] = []
    for mark in claims:
        if run and mark.span[0] - run[-1].span[1] > _NEAR:
            yield run
            run = []
        run.append(mark)
    if run:
        yield run


def _genuine(run: list[Mark]) -> list[Mark]:
    """Return what is left of a run when enumerations of the labels are taken out of it.

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
    """Return the claims, or nothing where they name more labels than `most` or swing to and fro."""
    labels = {mark.label for mark in claims}
    return [] if len(labels) > most or _changes(claims) > 2 else claims
