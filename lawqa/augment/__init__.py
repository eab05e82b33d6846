"""More to learn from, without a language model: questions made of statutes, and statutes to read.

    provisions    articles taken apart: paragraphs, items, sentences, their names
    numerals      kanji numerals and quantities
    standing      which sentences can stand alone
    excerpts      the sentences and items that questions are made of
    statute       the wording, quantities and actors of one statute
    actors        which actors must not be each other's wrong answer
    modality      must, may, must not
    cloze         the missing words
    alterations   one fact of a sentence altered
    altered       the true statement among altered ones
    which         the provision that says it
    citing        the articles that questions cite
    comprehension questions that must be read, not searched
    reasoning     a model's own answers: filters, and which of them are learnt from
    shortcuts     what a question file can be solved by without reading it
    drafts        questions before their choices are in order
    placing       which drafts are kept, their names, and the places of their right answers
    statutes      all of these together
    reading       plain text and its packing

Knows nothing about files but its own. Deterministic for a seed, on every machine and Python.
"""

from __future__ import annotations

from lawqa.augment.citing import cited_articles
from lawqa.augment.questions.drafts import QUESTION_TYPES, QUOTED_TYPES, READING_TYPES, QuestionType
from lawqa.augment.reading import (
    PackedSequence,
    ReadingRecord,
    Segment,
    holds_readings,
    pack_readings,
    read_readings,
    reading_records,
    write_readings,
)
from lawqa.augment.statutes import (
    Audit,
    GeneratedQuestion,
    StatuteQuestions,
    make_statute_questions,
    source_of,
)

__all__ = [
    "QUESTION_TYPES",
    "QUOTED_TYPES",
    "READING_TYPES",
    "Audit",
    "GeneratedQuestion",
    "PackedSequence",
    "QuestionType",
    "ReadingRecord",
    "Segment",
    "StatuteQuestions",
    "cited_articles",
    "holds_readings",
    "make_statute_questions",
    "pack_readings",
    "read_readings",
    "reading_records",
    "source_of",
    "write_readings",
]
