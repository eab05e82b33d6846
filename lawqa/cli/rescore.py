"""`lawqa rescore`."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg

from lawqa.cli.by import RunBy
from lawqa.cli.telling import TellingFlags
from lawqa.errors import ConfigError

if TYPE_CHECKING:
    from lawqa.pipelines.rescore import Flip, Rescored

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
    as_json: Annotated[FlagCreatePairsOff[bool], arg(name="json")] = False
    """Print JSON."""
    telling: OmitArgPrefixes[TellingFlags] = field(default_factory=TellingFlags)

    def run(self) -> int:
        from lawqa.pipelines.rescore import rescore, to_json, write_rescored
        from lawqa.pipelines.stored import read_stored_run

        if not self.runs:
            raise ConfigError("no run was given", "lawqa rescore RUN_OR_JSON...")
        rescored = [rescore(read_stored_run(path), self.by) for path in self.runs]
        if self.as_json:
            content = {str(found.run.path): to_json(found) for found in rescored}
            print(json.dumps({"schema_version": 1, "runs": content}, ensure_ascii=False, indent=1))
        else:
            print(rescored_text(rescored))
        if self.write:
            for found in rescored:
                logger.info("wrote %s", write_rescored(found))
        return 0


def rescored_text(rescored: list[Rescored]) -> str:
    """Recorded against re-parsed accuracy, then every answer that flipped."""
    from lawqa.report.table import summary_table

    blocks = []
    for found in rescored:
        lines = [str(found.run.path), *(f"! {note}" for note in found.run.notes)]
        lines += (
            [f"! as recorded: {found.recorded.collapse.sentence}"]
            if found.recorded.collapse
            else []
        )
        lines += (
            [f"! re-parsed: {found.reparsed.collapse.sentence}"] if found.reparsed.collapse else []
        )
        lines += [summary_table({"as recorded": found.recorded, "re-parsed": found.reparsed}), ""]
        lines.append(f"{len(found.flips)} answers are read differently")
        lines += [f"  {_flip_text(flip)}" for flip in found.flips]
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


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
