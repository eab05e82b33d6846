"""What training on one format did to the others: how texts end in every mode with the adapter and without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from lawqa.amounts import counted
from lawqa.files import JsonObject
from lawqa.prompting import PromptSpec
from lawqa.report.table import Table, render_text

_LOST_BLOCKS = 0.5
"""Share of the texts whose think block is gone, or never closed, that is an alarm."""
_LOST_ANSWERS = 0.25
"""Share of the texts without an answer that is an alarm, beyond those without the adapter."""
_SHORT = 0.25
"""Reasoning of less than this share of the length without the adapter is an alarm."""


@dataclass(frozen=True)
class ModeFigures:
    """Texts in one mode."""

    texts: int
    """How many."""
    opened: int
    """Those with a think block."""
    closed: int
    """Those with a think block that ends."""
    unparsed: int
    """Those that name no label."""
    cut: int
    """Those that ended in the limit of tokens."""
    correct: int
    """Those that name the right label."""
    median_tokens: float
    """Of a text."""


@dataclass(frozen=True)
class AskedMode:
    """One mode of a model without an adapter."""

    spec: str
    """The prompt spec."""
    figures: ModeFigures
    """Of its texts."""

    def to_json(self) -> JsonObject:
        """Return what a file keeps."""
        return asdict(self)


@dataclass(frozen=True)
class ProbedMode:
    """One mode, without and with the adapter."""

    spec: str
    """The prompt spec."""
    trained: bool
    """Whether the adapter learnt this mode."""
    before: ModeFigures
    """Of the base model: the adapter switched off."""
    after: ModeFigures
    """Of the adapter."""

    @property
    def warning(self) -> str | None:
        """What training took from a mode that it did not teach, in words; None for nothing."""
        was, now, texts = self.before, self.after, self.after.texts
        lost = []
        if was.opened - now.opened >= _LOST_BLOCKS * texts:
            lost.append(f"texts with a think block {was.opened} -> {now.opened}")
        elif was.closed - now.closed >= _LOST_BLOCKS * texts:
            lost.append(f"think blocks that end {was.closed} -> {now.closed}")
        if now.unparsed - was.unparsed >= _LOST_ANSWERS * texts:
            lost.append(f"texts without an answer {was.unparsed} -> {now.unparsed}")
        reasons = PromptSpec.from_id(self.spec).reasons
        if reasons and now.median_tokens < _SHORT * was.median_tokens:
            lost.append(f"median length {was.median_tokens:g} -> {now.median_tokens:g} tokens")
        if self.trained or not lost:
            return None
        return (
            f"{self.spec}, which was not trained: {'; '.join(lost)} (of {counted(texts, 'text')})"
        )

    def to_json(self) -> JsonObject:
        """Return what the manifest keeps."""
        return {**asdict(self), "warning": self.warning}

    @classmethod
    def from_json(cls, stored: JsonObject) -> ProbedMode:
        """Return what `to_json` described."""
        sides = (ModeFigures(**stored[side]) for side in ("before", "after"))
        return cls(stored["spec"], stored["trained"], *sides)


def modes_text(modes: Sequence[ProbedMode | AskedMode]) -> str:
    """Return the modes side by side, and what was lost; empty where none was asked."""
    if not modes:
        return ""
    rows = []
    for mode in modes:
        if isinstance(mode, ProbedMode):
            name = f"{mode.spec}{' (trained)' if mode.trained else ''}"
            rows += [_row(name, "base", mode.before), _row("", "adapter", mode.after)]
        else:
            rows.append(_row(mode.spec, "base", mode.figures))
    columns = ["mode", "", "think blocks", "closed", "median tokens", "unparsed", "cut", "right"]
    warnings = [mode.warning for mode in modes if isinstance(mode, ProbedMode)]
    lost = [f"! MODE LOST: {warning}" for warning in warnings if warning]
    return "\n".join([render_text(Table(columns, rows)), *lost])


def _row(mode: str, name: str, figures: ModeFigures) -> tuple[str, ...]:
    return (
        mode, name, f"{figures.opened}/{figures.texts}", f"{figures.closed}/{figures.texts}",
        f"{figures.median_tokens:g}", f"{figures.unparsed / figures.texts:.0%}",
        f"{figures.cut / figures.texts:.0%}", f"{figures.correct}/{figures.texts}",
    )  # fmt: skip
