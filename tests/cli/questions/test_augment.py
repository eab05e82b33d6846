from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tyro

from lawqa.augment.reading import read_readings
from lawqa.cli.console import console_messages
from lawqa.cli.questions.augment import Augment
from lawqa.errors import ConfigError, DataError
from lawqa.questions import Question, read_questions, write_questions
from lawqa.splits import find_leaks
from lawqa.statutes.articles import Article, Paragraph, write_articles

LAW = "海浜保全法"
AUTHORITIES = ("環境大臣", "国土交通大臣", "農林水産大臣", "経済産業大臣", "財務大臣")
TIMINGS = ("遅滞なく", "直ちに", "速やかに", "あらかじめ")


def article(number: int) -> Article:
    """An article unlike the others: its own subject matter, period, authority and adverb."""
    matter = "砂浜岩礁干潟藻場松林桟橋灯台水門堤防航路漁場塩田湿地河口入江岬角"[2 * number - 2 :][
        :2
    ]
    year = "一二三四五六七八九"[number]
    first = (
        f"{matter}の管理者は、{matter}の形状を変更しようとするときは、{TIMINGS[number % 4]}、"
        f"{AUTHORITIES[number % 5]}の承認を受けなければならない。"
    )
    second = (
        f"{matter}の記録は、その{matter}を点検した日から{year}年間、これを保存しなければならない。"
    )
    paragraphs = (Paragraph(1, first), Paragraph(2, second))
    return Article(
        f"L/main/{number}", "L", LAW, "", "", "main", str(number), f"（{matter}）", paragraphs
    )


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An own working directory with an article file."""
    monkeypatch.chdir(tmp_path)
    write_articles(tmp_path / "a.jsonl", [article(number) for number in range(1, 9)])
    return tmp_path


def run(words: str) -> int:
    with console_messages([]):
        return tyro.cli(Augment, args=words.split()).run()


def provenance(path: str = "q.provenance.json") -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
    return loaded


def sha256(path: str) -> str:
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def test_questions_are_written_with_their_provenance(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("statutes --articles a.jsonl --output q.json --seed 5") == 0
    questions = read_questions(here / "q.json")
    told = provenance()
    assert told["seed"] == 5
    assert told["articles"]["sha256"] == sha256("a.jsonl")
    assert told["output"]["sha256"] == sha256("q.json")
    assert [entry["id"] for entry in told["questions"]] == [q.id for q in questions]
    assert sum(told["counts"]["source"].values()) == len(questions)
    assert len(set(told["counts"]["label"].values())) == 1
    assert told["counts"]["law"] == {LAW: len(questions)}
    assert all(entry["source"].startswith("statute:") for entry in told["questions"])
    assert all(entry["articles"][0].startswith("L/main/") for entry in told["questions"])
    out = capsys.readouterr().out
    assert f"wrote {len(questions)} questions to q.json" in out
    assert "right answers: a " in out
    assert all(question.context.startswith(f"## {LAW}\n") for question in questions)


def test_the_same_seed_writes_the_same_bytes(here: Path) -> None:
    for name in ("q", "again", "other"):
        seed = 1 if name == "other" else 0
        assert run(f"statutes --articles a.jsonl --output {name}.json --seed {seed}") == 0
    assert (here / "q.json").read_bytes() == (here / "again.json").read_bytes()
    assert (here / "q.json").read_bytes() != (here / "other.json").read_bytes()


def test_types_and_limit(here: Path) -> None:
    assert run("statutes --articles a.jsonl --output q.json --types which altered --limit 10") == 0
    assert len(read_questions(here / "q.json")) == 8
    told = provenance()
    assert set(told["counts"]["source"]) <= {"statute:which", "statute:altered"}
    assert told["questions_left_out"]["over the limit"] > 0
    assert (
        told["questions_left_out"]["left over, so that labels and negative questions balance"] == 2
    )


@pytest.mark.usefixtures("here")
def test_a_long_one_tells_how_far_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("lawqa.bars.LINE_SECONDS", 0.0)  # as if each article took a minute
    assert run("statutes --articles a.jsonl --output q.json") == 0
    err = capsys.readouterr().err
    assert "reading: 1 of " in err
    assert "making questions: 1 of 1 statutes, " in err
    assert run("reading --articles a.jsonl --output r.jsonl") == 0
    assert "reading: 1 of " in capsys.readouterr().err


def test_gold_articles_are_left_out_and_counted(
    here: Path, question: Callable[..., Question], capsys: pytest.CaptureFixture[str]
) -> None:
    context = (
        f"## {LAW}\n### 第３条\n#### 第1項\n…\n## 民法\n### 第140条\n期間の初日は、算入しない。"
    )
    evaluated = question(context=context)
    write_questions(here / "e.json", [evaluated])
    assert run("statutes --articles a.jsonl --output q.json --exclude-articles-of e.json") == 0
    told = provenance()
    assert told["articles_left_out"] == {"cited by a question that is evaluated on": 1}
    assert [LAW, "3"] in told["excluded_articles"]
    assert told["exclude_articles_of"]["sha256"] == sha256("e.json")
    assert "1 cited article is not in the article file: 民法 140" in capsys.readouterr().err
    questions = read_questions(here / "q.json")
    assert not any("第3条" in f"{q.text}{q.context}{q.choices}" for q in questions)
    assert not any("L/main/3" in entry["articles"] for entry in told["questions"])
    assert find_leaks(questions, [evaluated]) == ()


def test_what_is_too_near_to_an_evaluated_question_is_left_out(
    here: Path, question: Callable[..., Question]
) -> None:
    # A guideline quotes the law without naming the article.
    text = article(5).paragraphs[0].text
    write_questions(here / "e.json", [question(context=f"## 海浜保全の手引\n{text}")])
    assert run("statutes --articles a.jsonl --output q.json --exclude-articles-of e.json") == 0
    reasons = provenance()["questions_left_out"]
    assert reasons["too near to an evaluated question: near context"] > 0
    assert not any(text in q.context for q in read_questions(here / "q.json"))


def test_duplicates_are_left_out_and_counted(here: Path) -> None:
    assert run("statutes --articles a.jsonl --output q.json") == 0
    copied = [replace(q, id=f"評価_{n}") for n, q in enumerate(read_questions(here / "q.json")[:3])]
    write_questions(here / "e.json", copied)
    assert run("statutes --articles a.jsonl --output r.json --exclude e.json e.json") == 0
    told = provenance("r.provenance.json")
    assert told["questions_left_out"]["duplicate of a question to exclude"] >= 3
    assert len(told["exclude"]) == 2
    texts = {(q.text, tuple(sorted(q.choices))) for q in read_questions(here / "r.json")}
    assert not {(q.text, tuple(sorted(q.choices))) for q in copied} & texts


def test_an_earlier_file_is_replaced_only_when_asked(here: Path) -> None:
    assert run("statutes --articles a.jsonl --output q.json") == 0
    with pytest.raises(ConfigError, match=r"q\.json: exists already"):
        run("statutes --articles a.jsonl --output q.json --seed 1")
    assert run("statutes --articles a.jsonl --output q.json --seed 1 --fresh") == 0
    assert provenance()["seed"] == 1
    (here / "q.json").unlink()
    with pytest.raises(ConfigError, match=r"q\.provenance\.json: exists already"):
        run("statutes --articles a.jsonl --output q.json")


@pytest.mark.parametrize(
    ("words", "kind", "message"),
    [
        ("statutes --articles none.jsonl --output q.json", DataError, "no such file"),
        ("statutes --articles a.jsonl --output q.jsonl", ConfigError, "files are JSON"),
        ("statutes --articles a.jsonl --output . --fresh", ConfigError, "files are JSON"),
        ("statutes --articles a.jsonl --output d.json --fresh", ConfigError, "is a directory"),
        ("statutes --articles a.jsonl --output q.json --limit 3", ConfigError, "limit 3"),
        (
            "statutes --articles a.jsonl --output q.json --exclude none.json",
            DataError,
            "no such file",
        ),
        (
            "statutes --articles empty.jsonl --output q.json",
            ConfigError,
            "no question could be made",
        ),
        (
            "statutes --articles a.jsonl --exclude e.json --output e.json --fresh",
            ConfigError,
            "is an input",
        ),
        ("reading --articles a.jsonl --output a.jsonl --fresh", ConfigError, "is an input"),
        (
            "reading --articles a.jsonl --output r.jsonl --parts suppl",
            ConfigError,
            "no article of suppl",
        ),
        ("reading --articles a.jsonl --output d.json --fresh", ConfigError, "is a directory"),
    ],
)
def test_mistakes(
    words: str, kind: type[Exception], message: str, here: Path, question: Callable[..., Question]
) -> None:
    (here / "d.json").mkdir()
    write_questions(here / "e.json", [question()])
    write_articles(here / "empty.jsonl", [replace(article(1), paragraphs=(Paragraph(1, "削除"),))])
    before = sorted(path.name for path in here.iterdir())
    with pytest.raises(kind, match=message):
        run(words)
    assert sorted(path.name for path in here.iterdir()) == before


def test_reading_records_are_written(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("reading --articles a.jsonl --output r.jsonl") == 0
    assert "wrote 8 reading records to r.jsonl" in capsys.readouterr().out
    records = read_readings(here / "r.jsonl")
    assert [record.article_id for record in records] == [f"L/main/{n}" for n in range(1, 9)]
    with pytest.raises(ConfigError, match="exists already"):
        run("reading --articles a.jsonl --output r.jsonl")


def test_reading_leaves_gold_articles_out(here: Path, question: Callable[..., Question]) -> None:
    write_questions(here / "e.json", [question(context=f"## {LAW}\n### 第3条\n#### 第1項\n…")])
    assert run("reading --articles a.jsonl --output r.jsonl --exclude-articles-of e.json") == 0
    ids = {record.article_id for record in read_readings(here / "r.jsonl")}
    assert ids == {f"L/main/{n}" for n in (1, 2, 4, 5, 6, 7, 8)}
