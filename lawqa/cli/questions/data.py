"""`lawqa data`: looking at question and record files."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg, subcommand

from lawqa.amounts import counted
from lawqa.choices import LABELS
from lawqa.cli.command_table import CommandGroup
from lawqa.cli.questions.leaks import Leaks
from lawqa.questions import Question, file_sha256, fingerprint, read_questions
from lawqa.settings import DEFAULT_MODEL


@dataclass(frozen=True)
class CheckQuestions:
    """Validate a question file; count laws, labels and duplicates."""

    file: Positional[Path]
    """lawqa_jp JSON, or JSONL."""

    def run(self) -> int:
        questions = read_questions(self.file)
        print(check_text(self.file, questions))
        return 0


@dataclass(frozen=True)
class ShowRecord:
    """Show training records token by token: what is read, and what carries loss."""

    file: Positional[Path]
    """Records from `lawqa records`, or questions, from which direct closed-book records are made."""
    tokenizer: str = DEFAULT_MODEL
    """A tokenizer or model directory, or a name in the Hugging Face cache."""
    n: int = 1
    """How many records."""

    def run(self) -> int:
        from lawqa.models import require_packages

        require_packages()
        from lawqa.augment.reading import holds_readings, pack_readings, read_readings
        from lawqa.models.pretrained import load_tokenizer
        from lawqa.records import load_records, masked_text, reading_record, tokenize_record

        tokenizer = load_tokenizer(self.tokenizer)
        colour = _green if sys.stdout.isatty() else str
        if holds_readings(self.file):
            packed = pack_readings(read_readings(self.file, self.n), tokenizer, 4096)
            shown = [
                reading_record(f"reading {i}", s.input_ids) for i, s in enumerate(packed, start=1)
            ]
        else:
            records = load_records(self.file, self.n).records
            shown = [tokenize_record(record, tokenizer, sys.maxsize) for record in records]
        for record in shown:
            print(masked_text(record, tokenizer, colour))
        return 0


@dataclass(frozen=True)
class Data(CommandGroup):
    """Look at question and record files."""

    command: Annotated[
        Annotated[CheckQuestions, subcommand("check")]
        | Annotated[ShowRecord, subcommand("show")]
        | Annotated[Leaks, subcommand("leaks")],
        arg(name=""),
    ]


def _green(text: str) -> str:
    return f"\033[32m{text}\033[0m"


def check_text(file: Path, questions: tuple[Question, ...]) -> str:
    """Return counts per law and label, duplicates, checksum."""
    from lawqa.report.table import Table, render_text

    orders = sorted({question.order for question in questions})
    ids = {question.id for question in questions}
    laws = sorted({question.law for question in questions})
    columns = ["law", *LABELS, "all"]
    rows: list[list[str]] = []
    for law in [*laws, ""]:
        golds = Counter(q.gold for q in questions if law in (q.law, ""))
        row = [str(golds[label]) for label in LABELS]
        rows.append([law or "all", *row, str(sum(golds.values()))])
    prints = Counter(fingerprint(q) for q in questions if q.order == orders[0])
    contexts = Counter(q.context for q in questions if q.context and q.order == orders[0])
    shared = sum(times for times in contexts.values() if times > 1)
    return "\n".join(
        [
            f"{file}: {counted(len(questions), 'item')}, {counted(len(ids), 'question')}, orders "
            f"{' '.join(map(str, orders))}",
            "",
            render_text(Table(columns, rows)),
            "",
            f"questions asked twice under different ids: {sum(n - 1 for n in prints.values())}",
            f"questions that share their context with another: {shared}",
            f"questions without context: {sum(not q.context for q in questions)}",
            f"sha256 {file_sha256(file)}",
        ]
    )
