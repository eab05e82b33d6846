"""What a summary holds: the cells of the grid, the comparisons within them, earlier figures beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from lawqa.report.phrase import Phrase
from lawqa.runs.manifest import Manifest
from lawqa.scoring import Accuracy, Interval
from lawqa.scoring.comparisons import Judged
from lawqa.settings import Condition, LadderWay

WAYS: tuple[LadderWay, ...] = get_args(LadderWay)
CONDITIONS: tuple[Condition, ...] = get_args(Condition)

WAY_WORDS: dict[str, Phrase] = {
    "direct": Phrase("one letter", "1 文字で答える"),
    "orders": Phrase("one letter, several orders", "1 文字・並びを変えた平均"),
    "cot": Phrase("reasoning (cot)", "考えてから答える（cot）"),
    "thinking": Phrase("thinking", "モデル自身の思考（thinking）"),
    "?": Phrase("not known", "聞き方が不明"),
}


@dataclass(frozen=True)
class GridRun:
    """A run as a cell shows it."""

    path: str
    name: str
    way: str
    """One of `WAYS`; `?` for a result file, which does not say it."""
    condition: str
    """closed, gold, rag, or `?`."""
    adapter: bool
    how: str
    """How it was asked in full, in Japanese: `rag・thinking・8 票の多数決`."""
    accuracy: Accuracy
    """Of final answers, one a question."""
    by: str
    """The rule of the final answers, as scoring names it."""
    failed: int
    notes: tuple[str, ...]
    """What a reader must know first."""
    finished: bool
    manifest: Manifest | None = None


@dataclass(frozen=True)
class GridRow:
    """One way of asking with one condition."""

    way: str
    condition: str
    base: tuple[GridRun, ...] = ()
    """The run without an adapter; several where they differ in the seed alone."""
    adapter: tuple[GridRun, ...] = ()
    """The run with one, of all questions where it is pooled from folds."""
    judged: Judged | None = None
    """The adapter against the base; None where one of them is missing or they share too little."""
    reasons: tuple[str, ...] = ()
    """Why the comparison may not be judged, in Japanese."""
    differs: tuple[str, ...] = ()
    """What else besides the adapter differs between them."""
    primary: bool = False
    """Whether this is the row that the experiment decides by; it is judged by itself."""


@dataclass(frozen=True)
class AgainstReference:
    """An accuracy beside a figure that is known by its counts alone."""

    run: GridRun
    reference: str
    correct: int
    asked: int
    difference: float
    """Of the run less the reference, from -1 to 1."""
    interval: Interval
    """Newcombe's of two independent shares."""

    @property
    def higher(self) -> bool:
        """Whether the interval lies above 0."""
        return self.interval.low > 0


@dataclass(frozen=True)
class GridContent:
    """Everything that a summary shows."""

    title: str
    made: str
    version: str
    rows: tuple[GridRow, ...]
    """All ways and conditions, those without a run as well."""
    others: tuple[GridRun, ...]
    """Runs that no cell shows, because another one of their cell was asked more questions."""
    references: tuple[AgainstReference, ...]
    problems: tuple[str, ...]
    """Directories that could not be read, with the reason."""
    verdict: Phrase
    """What the primary row says, as decided beforehand; else how many differences are significant."""

    @property
    def compared(self) -> Sequence[GridRow]:
        """The rows with a comparison, the primary one first."""
        judged = [row for row in self.rows if row.judged is not None]
        return sorted(judged, key=lambda row: not row.primary)
