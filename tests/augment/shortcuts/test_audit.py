from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import tyro

from lawqa.augment.shortcuts import SHORTCUT_RULES, audit_shortcuts, credits_of
from lawqa.cli.questions.augment import Augment
from lawqa.errors import DataError
from lawqa.questions import Question, write_questions

Make = Callable[..., Question]

CONTEXT = (
    "## 桟橋法\n### 第1条\n"
    "管理者は、桟橋を点検した日から三十日以内に、その結果を知事に報告しなければならない。"
)
COPIED = "管理者は、桟橋を点検した日から30日以内に、その結果を知事に報告しなければならない"
OTHERS = ("何人も、これを開示してはならない", "届け出た者は、二年を経過しない", "設備を要しない")


@pytest.fixture
def copied(question: Make) -> list[Question]:
    """Twelve questions that are solved by the choice that is verbatim in the context."""
    made = []
    for number in range(12):
        place = number % 4
        choices = [f"{text}{number}" for text in OTHERS]
        choices.insert(place, f"第1条によれば、{COPIED}。")
        stem = "次のうち、誤っているもの" if number % 3 == 0 else "次のうち、正しいもの"
        made.append(
            question(
                id=f"港_{number}",
                text=f"{stem}を教えてください。",
                choices=tuple(choices),
                gold="abcd"[place],
                context=CONTEXT,
            )
        )
    return made


def test_a_copied_answer_is_found_through_numerals_names_and_punctuation(
    copied: list[Question],
) -> None:
    for each in copied:
        earned = credits_of(each)
        assert set(earned) == set(SHORTCUT_RULES)
        assert earned["verbatim in the context"] == 1
        assert earned["most 3-grams of the context"] == 1
        assert earned["fewest 3-grams of the context"] == 0
        assert earned["longest"] == 1


def test_ties_earn_their_share(question: Make) -> None:
    earned = credits_of(question(context="", choices=("甲は乙", "丙は丁", "戊は己", "庚は辛")))
    assert earned["verbatim in the context"] == 0.25
    assert earned["longest"] == 0.25
    assert earned["always b"] == 1


def test_statements_listed_in_the_question_are_counted(question: Make) -> None:
    listed = question(
        text=f"正しいものはいくつありますか。\nア {COPIED}。\nイ {OTHERS[0]}。\nウ {OTHERS[1]}。",
        choices=("一つ", "二つ", "三つ", "なし"),
        gold="a",
        context=CONTEXT,
    )
    rule = "number of listed statements that are verbatim in the context"
    assert credits_of(listed)[rule] == 1


def test_the_audit_names_the_limits_that_are_broken(copied: list[Question]) -> None:
    audit = audit_shortcuts(copied, lambda q: q.law)
    assert (audit.n, audit.n_wrong_asked, audit.kinds) == (12, 4, {"港": 12})
    broken = {(breach.what, breach.where) for breach in audit.breaches}
    assert ("verbatim in the context", "overall") in broken
    assert ("verbatim in the context", "wrong asked") in broken
    assert ("港", "commonest answer") in broken
    assert ("always a", "overall") not in broken


def test_answers_known_from_other_questions_are_a_shortcut(question: Make) -> None:
    made = [
        question(
            id=f"港_{n}",
            choices=("知事", f"大臣{n}", f"市長{n}", f"村長{n}"),
            gold="a",
            context="",
        )
        for n in range(8)
    ]
    audit = audit_shortcuts(made, lambda q: q.law)
    scores = {score.rule: score.overall for score in audit.scores}
    assert scores["right most often elsewhere in the file"] == 1


def run(words: str) -> int:
    return tyro.cli(Augment, args=words.split()).run()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, copied: list[Question]) -> Path:
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "copied.json", copied)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_the_command_fails_a_file_that_teaches_copying(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("audit copied.json") == 1
    out = capsys.readouterr().out
    assert "copied.json: 12 questions, right answers: a 3  b 3  c 3  d 3" in out
    assert "can be solved without reading" in out
    assert "  verbatim in the context: 1.00 (overall), limit 0.45" in out


def test_only_the_file_itself_is_judged(
    here: Path, question: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [
        question(
            id=f"港_{n}",
            text="次のうち、正しいものを教えてください。",
            choices=(f"甲{n}年", f"乙{n}年", f"丙{n}年", f"丁{n}年"),
            gold="abcd"[n % 4],
            context="",
        )
        for n in range(16)
    ]
    write_questions(here / "plain.json", made)
    assert run("audit plain.json --beside copied.json --json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["kept"] is True
    assert content["limits"] == {"overall": 0.45, "wrong_asked": 0.35, "commonest": 0.4}
    assert set(content["audits"]) == {"plain.json", "copied.json"}
    assert content["audits"]["copied.json"]["breaches"]
    assert content["audits"]["plain.json"]["n_wrong_asked"] == 0


@pytest.mark.usefixtures("here")
def test_a_file_that_is_not_there_is_reported() -> None:
    with pytest.raises(DataError, match=r"missing\.json"):
        run("audit missing.json")
