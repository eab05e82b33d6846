"""The leak audit sees through every source: generated questions, statutes to read, distilled reasoning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.augment import ReadingRecord, write_readings
from lawqa.cli import main
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, write_questions
from lawqa.records import make_record, write_records

ARTICLE = (
    "## 民法\n### 第140条\n日、週、月又は年によって期間を定めたときは、期間の初日は、算入しない。"
)


@pytest.fixture
def test_file(tmp_path: Path, question: Callable[..., Question]) -> Path:
    path = tmp_path / "test.json"
    write_questions(path, [question(id="民法_評価", context=ARTICLE)])
    return path


def leaks(train: Path, test: Path) -> int:
    return main(["data", "leaks", str(train), str(test)])


def test_a_statute_to_read_that_the_test_quotes_is_found(
    tmp_path: Path, test_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train = tmp_path / "reading.jsonl"
    write_readings(train, [ReadingRecord("x/140", "民法", ARTICLE)])
    assert leaks(train, test_file) == 1
    assert "article x/140 -> 民法_評価" in capsys.readouterr().out
    write_readings(
        train, [ReadingRecord("x/1", "民法", "## 民法\n### 第1条\n私権は、公共の福祉に適合する。")]
    )
    assert leaks(train, test_file) == 0


@pytest.mark.parametrize("source", ["question", "statute:cloze", "distill"])
def test_a_record_on_the_same_article_is_found_whatever_it_was_made_from(
    tmp_path: Path, test_file: Path, question: Callable[..., Question], source: str
) -> None:
    train = tmp_path / "records.jsonl"
    other: dict[str, Any] = {
        "id": "生成_民法_第140条_穴埋め_1",
        "text": "次の空欄に入る語はどれですか。",
        "choices": ("初日", "末日", "翌日", "前日"),
        "gold": "a",
    }
    made = make_record(question(**other, context=ARTICLE), PromptSpec(), source=source)
    write_records(train, [made])
    assert leaks(train, test_file) == 1
    unrelated = "## 民法\n### 第1条\n私権は、公共の福祉に適合しなければならない。"
    write_records(
        train, [make_record(question(**other, context=unrelated), PromptSpec(), source=source)]
    )
    assert leaks(train, test_file) == 0


def test_what_a_search_found_gives_no_question_away(
    tmp_path: Path, test_file: Path, question: Callable[..., Question]
) -> None:
    train = tmp_path / "records.jsonl"
    unrelated = question(
        id="民法_学習",
        text="権利の行使について、誤っているものはどれですか。",
        choices=("信義に従う", "濫用は許されない", "公共の福祉に適合する", "無制限である"),
        context="## 民法\n### 第1条\n私権は、公共の福祉に適合しなければならない。",
    )
    made = make_record(unrelated, PromptSpec("direct", "rag"), retrieved=ARTICLE)
    assert ARTICLE in made.messages[-1].content
    write_records(train, [made])
    assert leaks(train, test_file) == 0
    related = question(
        id="民法_学習2", text=unrelated.text, choices=unrelated.choices, context=ARTICLE
    )
    write_records(train, [make_record(related, PromptSpec("direct", "rag"), retrieved="別の条文")])
    assert leaks(train, test_file) == 1
