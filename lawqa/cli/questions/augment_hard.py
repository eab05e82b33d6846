"""`lawqa augment hard`: the questions that a model gets wrong, or is unsure of."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tyro.conf import OmitArgPrefixes, Positional

from lawqa.amounts import counted
from lawqa.cli import EXIT_SOME_FAILED
from lawqa.cli.asking.prompt_options import resolve_prompt
from lawqa.cli.console import ConsoleFlags, resume_hint_on_interrupt
from lawqa.settings import (
    DifficultySettings,
    LocalAnswererSettings,
    ModelSettings,
    OwnCondition,
    PlaceSettings,
    PromptSettings,
    RunSettings,
    WordingSettings,
    declaration,
    values_of,
)

if TYPE_CHECKING:
    from lawqa.pipelines.experiments.hard_questions import HardQuestions

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class HardQuestionsCommand(
    LocalAnswererSettings, WordingSettings, ModelSettings, PlaceSettings, DifficultySettings
):
    """Keep the questions that a model gets wrong, or is unsure of, by its label probabilities.

    One pass of direct answers; the same command resumes it, and with another --difficulty selects again
    without asking. OUTPUT.provenance.json says how hard each kept question is.
    """

    file: Positional[Path]
    """The questions, such as `lawqa augment statutes` writes: lawqa_jp's schema."""
    output: Path = field(metadata=declaration(RunSettings, "output"))
    """The question file to write, in the same schema."""
    condition: OwnCondition = field(
        default="gold", metadata=declaration(PromptSettings, "condition")
    )
    """Whether prompts show the questions' own context (gold) or none (closed)."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier output; answers that are known are not asked again."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.commands.backends import require_backend
        from lawqa.commands.placefile import current_place
        from lawqa.pipelines.experiments.hard_questions import HardConfig, keep_hard

        require_backend(current_place(self.place), self.backend)
        config = HardConfig(
            **{
                **values_of(HardConfig, self),
                "data": self.file,
                "gold_context": self.condition == "gold",
                "wording": resolve_prompt(self.prompt),
                "quiet": self.console.quiet,
            }
        )
        with resume_hint_on_interrupt("answers so far are kept; run the same command again"):
            hard = keep_hard(config, say=logger.info)
        print(hard_text(hard))
        print(f"wrote {len(hard.kept)} of {counted(len(hard.scored), 'question')} to {self.output}")
        if hard.unscored:
            logger.warning(
                "%s failed: see error in %s; the same command asks them again",
                counted(hard.unscored, "question"), hard.run_dir / "results.jsonl",
            )  # fmt: skip
            return EXIT_SOME_FAILED
        return 0


def hard_text(hard: HardQuestions) -> str:
    """Return by kind how many were asked, right and kept, and the mean probability of the right choice."""
    from lawqa.report.table import Table, render_text

    kept = Counter(one.kind for one in hard.kept)
    kinds = list(dict.fromkeys(one.kind for one in hard.scored))
    rows: list[list[str]] = []
    for kind in [*kinds, "all"]:
        own = [one for one in hard.scored if kind in (one.kind, "all")]
        share = sum(one.right for one in own) / max(len(own), 1)
        mean = sum(one.right_probability for one in own) / max(len(own), 1)
        count = len(hard.kept) if kind == "all" else kept[kind]
        rows.append([kind, str(len(own)), f"{share:.1%}", f"{mean:.2f}", str(count)])
    labels = "  ".join(f"{label} {count}" for label, count in hard.labels.items())
    table = Table(["kind", "scored", "right", "mean probability", "kept"], rows)
    return f"{render_text(table)}\nright answers of the kept: {labels}"
