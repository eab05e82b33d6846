"""The leak audit sees through every source: generated questions, statutes to read, distilled reasoning."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.augment.reading import ReadingRecord, write_readings
from lawqa.cli import main
from lawqa.pipelines.corpus.leaks import leaks_of_items, read_items
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


EXAM = (
    "甲が乙に四月一日の正午から十日の間に返すと約して自転車を借りた場合に、返還の期限となる日はいつか。",
    ("四月十日の終わり", "四月十一日の終わり", "四月十一日の正午", "四月十二日の朝"),
)
GUIDE = "# 試験の手引\n\n## 心得\n\n受験者は、時刻までに着席し、係員の指示に従う。\n"


@pytest.mark.parametrize("one_file", [True, False])
def test_a_document_that_prints_a_test_question_is_found(
    tmp_path: Path,
    question: Callable[..., Question],
    capsys: pytest.CaptureFixture[str],
    one_file: bool,
) -> None:
    test, documents = tmp_path / "test.json", tmp_path / "documents"
    text, choices = EXAM
    write_questions(test, [question(id="民法_評価", text=text, choices=choices, context=ARTICLE)])
    documents.mkdir()
    guide = documents / "guide.md"
    guide.write_text(GUIDE, encoding="utf-8")
    train = guide if one_file else documents
    assert leaks(train, test) == 0
    printed = "\n".join([text, *(f"{n}. {choice}" for n, choice in enumerate(choices, 1))])
    guide.write_text(f"{GUIDE}\n## 過去問\n\n{printed}\n\n正解は1。\n", encoding="utf-8")
    assert leaks(train, test) == 1
    assert "document:guide.md/0001 -> 民法_評価" in capsys.readouterr().out


def test_a_test_question_printed_in_the_context_that_a_search_found_is_found(
    tmp_path: Path, question: Callable[..., Question], capsys: pytest.CaptureFixture[str]
) -> None:
    test, train = tmp_path / "test.json", tmp_path / "records.jsonl"
    text, choices = EXAM
    stock = "次のうち、正しいものを教えてください。"
    measured = [
        question(id="民法_評価", text=text, choices=choices, context=ARTICLE),
        question(
            id="民法_定型",
            text=stock,
            choices=(
                "権利は譲渡できない旨",
                "義務は履行される旨",
                "期間は満了する旨",
                "登記は要しない旨",
            ),
            context="",
        ),
    ]
    write_questions(test, measured)
    asked = question(id="学習", text="別の事柄を問う文である。", context="")
    for one, retrieved in (
        ("民法_評価", f"## 手引\n{text}\n正解は1。"),
        ("民法_定型", "## 手引\n" + "\n".join([stock, *measured[1].choices])),
    ):
        record = make_record(asked, PromptSpec("direct", "rag"), retrieved=retrieved)
        write_records(train, [record])
        assert leaks(train, test) == 1
        shown = capsys.readouterr().out
        assert "retrieved context" in shown
        assert f"-> {one}" in shown
        assert "1 of 2 test items" in shown


def test_statutes_that_a_search_found_are_no_leak_to_whoever_reads_the_records(
    tmp_path: Path, question: Callable[..., Question]
) -> None:
    test = question(id="民法_評価", context=ARTICLE)
    asked = question(
        id="学習", text="別の事柄を問う文である。", choices=tuple("甲乙丙丁"), context=""
    )
    train = tmp_path / "records.jsonl"
    write_records(train, [make_record(asked, PromptSpec("direct", "rag"), retrieved=ARTICLE)])
    assert not leaks_of_items(read_items(train, []), [test])
