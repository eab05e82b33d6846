"""Groups of linked questions, for comparisons whose independent unit is the group."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.questions import file_sha256, read_questions
from lawqa.runs.stored import StoredRun
from lawqa.splits import find_groups


def linked_groups(runs: Sequence[StoredRun], more: Sequence[Path]) -> dict[str, str]:
    """Return the group of each question by its id: questions that share context, article or wording belong
    together.

    Args:
        runs: stored runs; the question files that they name are read, if they are what they were.
        more: question files given by hand.

    Raises:
        ConfigError: no question file is at hand.
        DataError: one cannot be read.
    """
    files = {*more, *(path for run in runs for path in _data_of(run))}
    questions = {
        question.id: question
        for path in sorted(files)
        for question in read_questions(path)
        if question.order == 1
    }
    if not questions:
        raise ConfigError(
            "--clusters group: none of the runs' question files is at hand as it was",
            "--data FILE  names the questions",
        )
    return {
        member.id: group.members[0].id
        for group in find_groups(tuple(questions.values()))
        for member in group.members
    }


def _data_of(run: StoredRun) -> list[Path]:
    named = run.manifest.question_files if run.manifest else []
    return [path for path, sha256 in named if path.is_file() and file_sha256(path) == sha256]
