"""Audit question files for shortcuts."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from lawqa.augment.question_types import source_of
from lawqa.augment.shortcuts import ShortcutAudit, audit_shortcuts
from lawqa.questions import Question, read_questions


def audit_question_files(paths: Iterable[Path]) -> dict[Path, ShortcutAudit]:
    """Audit each file; a kind is the type of a generated question, and else the law.

    Raises:
        DataError: a file cannot be read.
    """
    return {path: audit_shortcuts(read_questions(path), kind_of) for path in dict.fromkeys(paths)}


def kind_of(question: Question) -> str:
    """Return `statute:cloze` and the like for a generated question, the law for any other."""
    return source_of(question.id) or question.law
