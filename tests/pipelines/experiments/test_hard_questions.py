"""`lawqa augment hard`: what a model gets wrong or is unsure of, scored once and kept as wanted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.choices import LABELS, cyclic_orders, permute_label
from lawqa.cli import main
from lawqa.questions import Question, read_questions, write_questions

ORDERS = {
    1: cyclic_orders()[0],
    10: cyclic_orders()[1],
    17: cyclic_orders()[2],
    19: cyclic_orders()[3],
}
RIGHT = (0.05, 0.3, 0.55, 0.97)
"""The probability of the right choice, of the questions in turn."""


@pytest.fixture
def here(
    tmp_path: Path, embedded_questions: tuple[Question, ...], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Eight questions; of the first the model likes the letter a, which cancels over the orders."""
    monkeypatch.chdir(tmp_path)
    asked = [one for one in embedded_questions if one.context][:8]
    write_questions(tmp_path / "made.json", asked)
    script: dict[str, Any] = {}
    for place, question in enumerate(asked):
        right = RIGHT[place % 4]
        for number, order in ORDERS.items():
            gold = permute_label(question.gold, order)
            rest = (1 - right) / 3
            shares = [right if label == gold else rest for label in LABELS]
            script[f"{question.id}#{number}"] = {
                "text": gold, "logprobs": [math.log(share) for share in shares],
            }  # fmt: skip
    (tmp_path / "script.json").write_text(json.dumps(script), encoding="utf-8")
    entries = [{"id": one.id, "kind": "negated"} for one in asked]
    (tmp_path / "made.provenance.json").write_text(
        json.dumps({"questions": entries}), encoding="utf-8"
    )
    return tmp_path


def hard(*more: str, output: str = "hard.json") -> int:
    return main(
        ["augment", "hard", "made.json", "--output", output, "--llm-backend", "scripted", "--script",
         "script.json", *more]
    )  # fmt: skip


def kept(here: Path, name: str = "hard") -> list[int]:
    """The places of the kept questions in the file they were taken from."""
    ids = [one.id for one in read_questions(here / "made.json")]
    return [ids.index(one.id) for one in read_questions(here / f"{name}.json")]


def test_wrong_and_unsure_ones_are_kept_with_their_difficulty_and_origin(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hard() == 0
    out = capsys.readouterr().out
    assert "wrote 4 of 8 questions to hard.json" in out
    assert kept(here) == [0, 1, 4, 5]
    content = json.loads((here / "hard.provenance.json").read_text(encoding="utf-8"))
    first = content["questions"][0]
    assert (first["kind"], first["difficulty"], first["answered_right"]) == ("negated", 0.95, False)
    assert (
        json.loads((here / "hard.run" / "manifest.json").read_text(encoding="utf-8"))["status"]
        == "done"
    )


def test_another_difficulty_asks_nothing(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hard() == 0

    def never(*_: Any) -> Any:
        raise AssertionError("the model is asked again")

    monkeypatch.setattr(ScriptedBackend, "score_choices", never)
    assert hard("--difficulty", "0.9", "--fresh") == 0
    assert kept(here) == [0, 4]
    assert hard("--limit", "3", "--run-dir", "hard.run", output="three.json") == 0
    assert kept(here, "three") == [0, 1, 4]


def test_it_resumes_where_it_was_interrupted(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    score = ScriptedBackend.score_choices
    asked: list[int] = []

    def interrupted(self: ScriptedBackend, prompts: Any) -> Iterator[Any]:
        asked.append(len(prompts))
        for number, answer in enumerate(score(self, prompts)):
            if number == 20 and len(asked) == 1:
                raise KeyboardInterrupt
            yield answer

    monkeypatch.setattr(ScriptedBackend, "score_choices", interrupted)
    assert hard() == 130
    assert "answers so far are kept" in capsys.readouterr().err
    assert not (here / "hard.json").exists()
    assert hard() == 0
    assert asked == [32, 12]
    assert kept(here) == [0, 1, 4, 5]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--difficulty", "1.5"), "--difficulty is 1.5"),
        (("--limit", "0"), "--limit is 0"),
        (("--difficulty", "0.99"), "none of 8 questions has a difficulty of 0.99 or more"),
    ],
)
def test_what_cannot_be_is_said(
    here: Path, capsys: pytest.CaptureFixture[str], flags: tuple[str, ...], message: str
) -> None:
    assert hard(*flags) == 2
    assert message in capsys.readouterr().err
    assert not (here / "hard.json").exists()


def test_other_options_are_not_mixed_and_files_not_overwritten(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert hard() == 0
    assert hard() == 2
    assert "hard.json: exists already" in capsys.readouterr().err
    assert hard("--permutations", "1", "--fresh") == 2
    err = capsys.readouterr().err
    assert "--permutations: then 4, now 1" in err
    assert "name another --run-dir" in err
    assert main(["augment", "hard", "made.json", "--output", "made.json", "--fresh"]) == 2
    assert "is read, and would be overwritten" in capsys.readouterr().err
    assert kept(here) == [0, 1, 4, 5]


def test_questions_that_failed_are_left_out_and_counted(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = json.loads((here / "script.json").read_text(encoding="utf-8"))
    first = next(iter(script))
    script[first] = {"error": "broke"}
    (here / "script.json").write_text(json.dumps(script), encoding="utf-8")
    assert hard() == 3
    assert "1 question failed" in capsys.readouterr().err
    assert kept(here) == [1, 4, 5]
