"""`lawqa augment`: more to learn from."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, arg, subcommand

from lawqa.amounts import counted
from lawqa.choices import LABELS
from lawqa.cli.command_table import CommandGroup
from lawqa.cli.console import ConsoleFlags
from lawqa.cli.questions.augment_audit import ShortcutAuditCommand
from lawqa.cli.questions.augment_hard import HardQuestionsCommand
from lawqa.settings import ReadingSettings, StatuteQuestionSettings, values_of

if TYPE_CHECKING:
    from lawqa.augment.statutes import StatuteQuestions

logger = logging.getLogger(__name__)

_LAWS_SHOWN = 40
"""Of more statutes only the sum is shown."""


@dataclass(frozen=True, kw_only=True)
class StatuteQuestionsCommand(StatuteQuestionSettings):
    """Make four-choice questions of statutes, without a language model.

    FILE.provenance.json beside FILE.json records where each question comes from, and what was left out.
    """

    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.augment import StatutesConfig, write_statute_questions

        config = StatutesConfig(**values_of(StatutesConfig, self, self.console))
        result = write_statute_questions(config)
        for note in result.notes:
            logger.warning("note: %s", note)
        print(statutes_text(result.made))
        print(f"wrote {counted(len(result.made.questions), 'question')} to {self.output}")
        print(f"where each comes from: {result.provenance}")
        return 0


@dataclass(frozen=True, kw_only=True)
class MakeReading(ReadingSettings):
    """Write articles as plain text to be read, one record an article."""

    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.augment import ReadingConfig, write_reading

        count = write_reading(ReadingConfig(**values_of(ReadingConfig, self, self.console)))
        print(f"wrote {counted(count, 'reading record')} to {self.output}")
        return 0


@dataclass(frozen=True)
class Augment(CommandGroup):
    """Make more to learn from: questions and reading of statutes; keep hard ones, audit for shortcuts."""

    command: Annotated[
        Annotated[StatuteQuestionsCommand, subcommand("statutes")]
        | Annotated[MakeReading, subcommand("reading")]
        | Annotated[ShortcutAuditCommand, subcommand("audit")]
        | Annotated[HardQuestionsCommand, subcommand("hard")],
        arg(name=""),
    ]


def statutes_text(made: StatuteQuestions) -> str:
    """Return questions by statute and type, the balance of labels, and what was left out with the reason."""
    from lawqa.augment.question_types import QUESTION_TYPES
    from lawqa.report.table import Table, render_text

    counts = Counter((g.question.id.split("_")[1], g.source) for g in made.questions)
    laws = list(dict.fromkeys(law for law, _ in counts))
    types = [kind for kind in QUESTION_TYPES if any(s == f"statute:{kind}" for _, s in counts)]
    columns = ["statute", *types, "all"]
    rows: list[list[str]] = []
    if len(laws) > _LAWS_SHOWN:
        laws = []
    for law in [*laws, ""]:
        row = [
            sum(n for (name, source), n in counts.items() if law in (name, "") and source == kind)
            for kind in (f"statute:{kind}" for kind in types)
        ]
        rows.append([law or "all", *map(str, row), str(sum(row))])
    labels = Counter(g.question.gold for g in made.questions)
    shares = "  ".join(f"{label} {labels[label]}" for label in LABELS)
    lines = [render_text(Table(columns, rows)), "", f"right answers: {shares}"]
    for title, reasons in (
        ("articles left out", made.articles_left_out),
        ("questions left out", made.questions_left_out),
    ):
        lines += [
            f"{title}:",
            *(f"  {count:>6} {reason}" for reason, count in reasons.items() if count),
        ]
    return "\n".join(lines)
