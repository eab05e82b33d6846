"""`lawqa augment`: more to learn from."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, arg, subcommand

from lawqa.choices import LABELS
from lawqa.cli.console import ConsoleFlags
from lawqa.cli.questions.augment_audit import ShortcutAuditCommand
from lawqa.cli.questions.augment_hard import HardQuestionsCommand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lawqa.augment import QuestionType, StatuteQuestions

logger = logging.getLogger(__name__)

_LAWS_SHOWN = 40
"""Of more statutes only the sum is shown."""

TypeName = Literal[
    "cloze", "altered", "which",
    "reading", "judged", "counted", "listed", "excepted", "penalised", "defined",
    "referred",
]  # fmt: skip


@dataclass(frozen=True)
class StatuteQuestionsCommand:
    """Make four-choice questions of statutes, without a language model.

    FILE.provenance.json beside FILE.json records where each question comes from, and what was left out.
    """

    articles: Path
    """Article JSONL, such as `lawqa statutes parse` writes; also .gz or .xz."""
    output: Path
    """The question file to write, in lawqa_jp's schema."""
    exclude_articles_of: Path | None = None
    """Questions that are evaluated on: nothing of the articles they cite is used, nor anything near them."""
    exclude: tuple[Path, ...] = ()
    """Question files of which no duplicate may be made."""
    types: tuple[TypeName, ...] = ("cloze", "altered", "which")
    """cloze: the missing words; altered: the true statement among altered ones; which: the provision that
    says it. String matching solves these three. `reading` means all that it does not solve:
    judged: the right or the wrong one of four statements in other words; counted: how many of four are
    right; listed: what a list holds; excepted: the exception to a rule; penalised: the penalty for a
    breach; defined: what holds for somebody described by a definition; referred: who must ask for what a rule
    speaks of by a reference to another."""
    limit: int | None = None
    """At most N, a multiple of four; questions that need reading are then made of some laws, at random."""
    seed: int = 0
    """Decides wrong answers, wordings, order, and what a limit keeps."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier file."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.augment import StatutesConfig, write_statute_questions

        config = StatutesConfig(
            articles=self.articles,
            output=self.output,
            exclude_articles_of=self.exclude_articles_of,
            exclude=self.exclude,
            types=_types(self.types),
            limit=self.limit,
            seed=self.seed,
            fresh=self.fresh,
            quiet=self.console.quiet,
        )
        result = write_statute_questions(config)
        for note in result.notes:
            logger.warning("note: %s", note)
        print(statutes_text(result.made))
        print(f"wrote {len(result.made.questions)} questions to {self.output}")
        print(f"where each comes from: {result.provenance}")
        return 0


@dataclass(frozen=True)
class MakeReading:
    """Write articles as plain text to be read, one record an article."""

    articles: Path
    """Article JSONL, such as `lawqa statutes parse` writes; also .gz or .xz."""
    output: Path
    """The JSONL file to write."""
    parts: tuple[Literal["main", "suppl", "appdx", "preamble"], ...] = ("main",)
    """Which parts of the laws: 本則, 附則, 別表 and forms, 前文."""
    exclude_articles_of: Path | None = None
    """Questions that are evaluated on: the articles they cite are not read."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier file."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def run(self) -> int:
        from lawqa.pipelines.corpus.augment import ReadingConfig, write_reading

        count = write_reading(
            ReadingConfig(
                articles=self.articles,
                output=self.output,
                parts=self.parts,
                exclude_articles_of=self.exclude_articles_of,
                fresh=self.fresh,
                quiet=self.console.quiet,
            )
        )
        print(f"wrote {count} reading records to {self.output}")
        return 0


@dataclass(frozen=True)
class Augment:
    """Make more to learn from: questions and reading of statutes; keep hard ones, audit for shortcuts."""

    command: Annotated[
        Annotated[StatuteQuestionsCommand, subcommand("statutes")]
        | Annotated[MakeReading, subcommand("reading")]
        | Annotated[ShortcutAuditCommand, subcommand("audit")]
        | Annotated[HardQuestionsCommand, subcommand("hard")],
        arg(name=""),
    ]

    def run(self) -> int:
        return self.command.run()


def _types(names: Sequence[TypeName]) -> tuple[QuestionType, ...]:
    """The types, with `reading` replaced by those it stands for."""
    from lawqa.augment import READING_TYPES

    found: list[QuestionType] = []
    for name in names:
        found.extend(READING_TYPES if name == "reading" else (name,))
    return tuple(dict.fromkeys(found))


def statutes_text(made: StatuteQuestions) -> str:
    """Questions by statute and type, the balance of labels, and what was left out with the reason."""
    from lawqa.augment import QUESTION_TYPES
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
