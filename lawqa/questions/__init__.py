"""Four-choice questions, and lawqa_jp's files of them."""

from lawqa.questions.lawqa_jp import file_sha256, from_sample, to_sample, write_questions
from lawqa.questions.question import Question, choices_text, fingerprint, reordered
from lawqa.questions.reading import (
    MAX_REPORTED_ERRORS,
    QuestionFile,
    read_question_file,
    read_questions,
)

__all__ = [
    "MAX_REPORTED_ERRORS",
    "Question",
    "QuestionFile",
    "choices_text",
    "file_sha256",
    "fingerprint",
    "from_sample",
    "read_question_file",
    "read_questions",
    "reordered",
    "to_sample",
    "write_questions",
]
