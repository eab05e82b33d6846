"""`lawqa rescore`."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional

from lawqa.amounts import counted
from lawqa.cli.console import ConsoleFlags, JsonFlag
from lawqa.errors import ConfigError, DataError
from lawqa.settings import RunBy

if TYPE_CHECKING:
    from lawqa.pipelines.comparing.explanation import Explained
    from lawqa.pipelines.comparing.rescore import AfterText, Flip, Rescored

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rescore:
    """Read stored answers again with today's parser; no model is needed."""

    runs: Positional[tuple[Path, ...]]
    """Run directories, output files of `lawqa evaluate`, or the lab's old result files."""
    by: RunBy = "own"
    """How the prompts of a question become its final answer; `own` for the rule that the run calls for."""
    write: FlagCreatePairsOff[bool] = False
    """Store the new reading beside each run, never over it."""
    explain: str | None = None
    """Show the evidence in one stored answer and why one piece of it won: a question's id, with `#SAMPLE`
    (as `repeat` counts them), `#ORDER` or `#ORDER#SAMPLE` behind it where it has several answers."""
    explain_text: Path | None = None
    """The same for the text in this file, or of standard input (`-`); no run is read."""
    as_json: JsonFlag = False
    """Print JSON."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.comparing.rescore import rescore, to_json

        if self.explain is not None or self.explain_text is not None:
            print(self._explained())
            return 0
        if not self.runs:
            raise ConfigError("no run was given", "lawqa rescore RUN_OR_JSON...")
        rescored = [rescore(path, self.by, write=self.write) for path in self.runs]
        if self.as_json:
            content = {str(one.run.path): to_json(one) for one in rescored}
            print(json.dumps({"schema_version": 1, "runs": content}, ensure_ascii=False, indent=1))
        else:
            print(rescored_text(rescored))
        for one in rescored:
            if one.path is not None:
                logger.info("wrote %s", one.path)
        return 0

    def _explained(self) -> str:
        from lawqa.pipelines.comparing.explanation import explain_stored, explain_text
        from lawqa.runs.stored import read_stored_run

        if self.write:
            raise ConfigError(
                "--write stores a whole run read again", "leave --explain or --write out"
            )
        if self.explain is not None and self.explain_text is not None:
            raise ConfigError(
                "--explain and --explain-text were both given", "leave one of them out"
            )
        if self.explain_text is not None:
            if self.runs:
                raise ConfigError(
                    f"--explain-text reads {self.explain_text} and no run, and {self.runs[0]} was given",
                    "lawqa rescore --explain-text FILE, or lawqa rescore RUN --explain ID",
                )
            explained = explain_text(str(self.explain_text), _text_of(self.explain_text))
        else:
            if len(self.runs) != 1:
                raise ConfigError(
                    f"--explain takes one run, and {len(self.runs) or 'none'} "
                    f"{'were' if len(self.runs) > 1 else 'was'} given",
                    "lawqa rescore RUN --explain ID",
                )
            explained = explain_stored(read_stored_run(self.runs[0]), self.explain or "")
        if self.as_json:
            return json.dumps(
                {"schema_version": 1, **explained.to_json()}, ensure_ascii=False, indent=1
            )
        return explained_text(explained)


def _text_of(path: Path) -> str:
    """Return the text of a file, or of standard input; what is not UTF-8 is read as replacement
    characters.
    """
    if str(path) == "-":
        return sys.stdin.buffer.read().decode("utf-8", "replace")
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError as problem:
        raise DataError(
            f"{path}: {problem.strerror or problem}", "--explain-text FILE, or - for standard input"
        ) from None


def explained_text(found: Explained) -> str:
    """Return the evidence in the order of the text, each piece with what became of it."""
    from lawqa.report.table import Table, render_text

    answer = found.explanation.answer
    soft = " (soft)" if answer.soft else ""
    lines = [
        f"{found.name}: {answer.label or 'no answer'}{soft}, by {answer.rule} ({answer.status})",
        f"{found.explanation.read} of {len(found.text)} characters were read",
    ]
    if replaced := found.text.count("\ufffd"):
        lines.append(f"! not all of it is UTF-8: U+FFFD is in it {counted(replaced, 'time')}")
    evidence = found.explanation.evidence
    if not evidence:
        return "\n".join([*lines, "no evidence was found"])
    columns = ["at", "rule", "does", "label", "strength", "fate", "text"]
    rows: list[list[str]] = []
    for piece in evidence:
        words = " ".join(found.text[slice(*piece.span)].split())
        words = words if len(words) <= _WORDS else f"{words[: _WORDS - 3]}..."
        rows.append(
            [
                str(piece.span[0]),
                piece.rule,
                piece.does,
                piece.label or "-",
                piece.strength,
                piece.fate,
                words,
            ]
        )
    decides = next((piece for piece in evidence if piece.fate == "decides"), None)
    lines += ["", render_text(Table(columns, rows))]
    if decides is not None and decides.reason:
        lines += ["", f"{decides.rule}: {decides.reason}"]
    return "\n".join(lines)


_WORDS = 50
"""So much of a piece of evidence is shown."""


def rescored_text(rescored: list[Rescored]) -> str:
    """Return recorded against re-parsed accuracy, then every answer that flipped."""
    from lawqa.report.summary_text import summary_table

    blocks = []
    for one in rescored:
        lines = [str(one.run.path), *(f"! {note}" for note in one.run.notes)]
        lines += (
            [f"! as recorded: {one.recorded.collapse.sentence}"] if one.recorded.collapse else []
        )
        lines += [f"! re-parsed: {one.reparsed.collapse.sentence}"] if one.reparsed.collapse else []
        lines += [summary_table({"as recorded": one.recorded, "re-parsed": one.reparsed}), ""]
        if one.after_text:
            lines += [_after_text(one.after_text), ""]
        count = len(one.flips)
        lines.append(f"{count} answer{' is' if count == 1 else 's are'} read differently")
        lines += [f"  {_flip_text(flip)}" for flip in one.flips]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _after_text(found: AfterText) -> str:
    shown = ", ".join(f"{label} {count}" for label, count in found.labels.items())
    texts = "text commits" if found.texts == 1 else "texts commit"
    return (
        f"apart from these figures: {found.texts} {texts} to nothing and "
        f"{'has' if found.texts == 1 else 'have'} label probabilities stored after "
        f"{'it' if found.texts == 1 else 'them'}; the likeliest labels would be {shown}, "
        f"{found.correct} of them right"
    )


def _flip_text(flip: Flip) -> str:
    shown = " ".join(flip.text.split())
    shown = shown if len(shown) <= 40 else f"{shown[:37]}..."
    verdict = {True: "now right", False: "still wrong"}[flip.reparsed == flip.gold]
    if flip.recorded == flip.gold:
        verdict = "was right"
    return (
        f"{flip.question_id}: {flip.recorded or 'none'} -> {flip.reparsed or 'none'} "
        f"(gold {flip.gold}, {verdict}; {flip.rule}" + (f": {shown})" if shown else ")")
    )
