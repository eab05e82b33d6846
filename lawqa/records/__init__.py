"""Training records: a question with its answer as chat text, then as token ids and labels.

    record  what a record holds, and how one is made of a question
    tokens  ids and labels, built once, as plain ints
    files   records on disk
    pairs   a right and a wrong answer to one prompt

The prompt part comes from `lawqa.prompting`, as in evaluation.
"""

from lawqa.records.files import LoadedRecords, holds_records, load_records, write_records
from lawqa.records.pairs import Pair, load_pairs, write_pairs
from lawqa.records.record import (
    CHAT_SPEC,
    FOREIGN_SPECS,
    LEGACY_SPEC,
    TrainingRecord,
    make_question_records,
    make_record,
)
from lawqa.records.tokens import (
    IGNORED,
    TokenizedRecord,
    masked_text,
    reading_record,
    shortened_note,
    tokenize_record,
    tokenize_records,
)

__all__ = [
    "CHAT_SPEC",
    "FOREIGN_SPECS",
    "IGNORED",
    "LEGACY_SPEC",
    "LoadedRecords",
    "Pair",
    "TokenizedRecord",
    "TrainingRecord",
    "holds_records",
    "load_pairs",
    "load_records",
    "make_question_records",
    "make_record",
    "masked_text",
    "reading_record",
    "shortened_note",
    "tokenize_record",
    "tokenize_records",
    "write_pairs",
    "write_records",
]
