"""`lawqa data`: looking at question and record files."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.cli import parse_arguments
from lawqa.cli.questions.data import CheckQuestions, Data, ShowRecord

pytestmark = pytest.mark.every_python


def test_data_check_and_show_take_a_file() -> None:
    assert parse_arguments(["data", "check", "q.json"]) == Data(CheckQuestions(Path("q.json")))
    shown = parse_arguments(["data", "show", "r.jsonl", "--tokenizer", "t", "--n", "3"])
    assert shown == Data(ShowRecord(Path("r.jsonl"), tokenizer="t", n=3))
