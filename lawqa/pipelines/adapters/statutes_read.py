"""Adapters that have read statutes as plain text: a declared condition of a training, no leak of questions.

Who has read 第5条 has not read a question on it. So a question that quotes an article that was read is
scored, and summary, report and comparison say what was read; a text that prints the question is a leak.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from lawqa.amounts import counted
from lawqa.augment.reading import ReadingRecord, holds_readings
from lawqa.files import JsonObject
from lawqa.pipelines.corpus.leaks import leaks_of_items, read_items
from lawqa.questions import Question
from lawqa.records import CHAT_SPEC, TrainingRecord

STATUTES_READ = "STATUTES READ"
"""What the note of a run begins with whose adapter read statutes."""


def statutes_read_json(
    readings: Sequence[ReadingRecord],
    records: Iterable[TrainingRecord],
    before: JsonObject | None,
) -> JsonObject | None:
    """Return what a training's manifest says of the statutes that its adapter has read; None where it read
    none.

    Args:
        readings: what is read in this training.
        records: what is learnt besides.
        before: what the manifest of the adapter says that it starts from; None for new weights.
    """
    if not readings and not before:
        return None
    known = before or {"articles": 0, "laws": [], "unknown": 0}
    unknown = sum(not r.question_id and r.prompt_spec != CHAT_SPEC for r in records)
    return {
        "articles": known["articles"] + len({reading.article_id for reading in readings}),
        "laws": sorted({*known["laws"], *(reading.law for reading in readings)}),
        "unknown": known["unknown"] + (unknown if readings else 0),
    }


def read_nothing_unknown(data: JsonObject) -> bool:
    """Return whether a training that names no question held statutes, and chats, and nothing else."""
    read = data.get("statutes_read")
    return isinstance(read, dict) and read.get("unknown") == 0


def statutes_note(
    path: Path,
    read: JsonObject,
    questions: Sequence[Question],
    files: Iterable[Path],
    *,
    asked: bool,
) -> str:
    """Return what a reader of scores must know of an adapter that has read statutes.

    Args:
        path: its directory.
        read: what its manifest says that it has read.
        questions: what is scored.
        files: the records of its trainings; none of a merged model.
        asked: whether it was trained on prompts, too.
    """
    quoting = {
        leak.test
        for file in files
        if holds_readings(file)
        for leak in leaks_of_items(read_items(file, []), questions)
    }
    laws = read["laws"]
    named = f"{len(laws)} statutes" if len(laws) != 1 else laws[0]
    how_many = (
        f"; {len(quoting)} of {counted(len(questions), 'question')} quote one of them"
        if quoting
        else ""
    )
    only = "" if asked else "; it was trained on no prompt"
    return (
        f"{STATUTES_READ}: {path} has read {read['articles']} articles of {named} as text{how_many}{only}; "
        "that is declared and no leak of questions"
    )
