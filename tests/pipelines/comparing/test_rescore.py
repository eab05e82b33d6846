"""Rescoring: stored raw texts read again by today's parser, without a model."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main

pytestmark = pytest.mark.every_python


RESPONSE = "aも考えられるが、正解は時効の援用（b）です。\n次の問題：期間はどれか。\n正解：d"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        {
            "file_name": name,
            "question": "正しいものはどれか。",
            "choices": "a 承認\nb 時効の援用\nc 催告\nd 相殺",
            "correct_answer": "b",
            "predicted_answer": "a",
            "response": response,
        }
        for name, response in (("民法_1", RESPONSE), ("民法_2", "Error: connection refused"))
    ]
    path = tmp_path / "old.json"
    path.write_text(json.dumps({"results": rows}), encoding="utf-8")
    return path


def test_the_evidence_of_a_stored_answer_is_shown(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rescore", str(file), "--explain", "民法_1"]) == 0
    out = capsys.readouterr().out
    assert "民法_1: b, by answer-sentence (answered)" in out
    assert "behind a made-up next question" in out
    decides = next(line for line in out.splitlines() if "decides" in line)
    assert "正解は時効の援用（b" in decides


def test_the_evidence_as_data(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rescore", str(file), "--explain", "民法_1", "--json"]) == 0
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (told["label"], told["rule"], told["soft"]) == ("b", "answer-sentence", False)
    assert {found["fate"] for found in told["evidence"]} >= {
        "decides",
        "behind a made-up next question",
    }
    for found in told["evidence"]:
        assert found["text"] == RESPONSE[slice(*found["span"])]


def test_a_text_of_standard_input_or_a_file_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("正解はcかもしれません".encode())))
    assert main(["rescore", "--explain-text", "-"]) == 0
    assert "-: c (soft), by soft-answer (answered)" in capsys.readouterr().out
    text = tmp_path / "text.txt"
    text.write_bytes(b"\xff\xfe nothing here")
    assert main(["rescore", "--explain-text", str(text), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["label"], told["evidence"]) == (None, [])
    assert main(["rescore", "--explain-text", str(text)]) == 0
    assert "! not all of it is UTF-8: U+FFFD is in it 2 times" in capsys.readouterr().out
    text.write_text("<think>\n正解はc", encoding="utf-8")
    assert main(["rescore", "--explain-text", str(text)]) == 0
    assert "no answer, by unclosed-think (truncated)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--explain", "民法_1"], "--explain takes one run, and none was given"),
        (["FILE", "--explain", "民法_9"], "no answer to a question 民法_9"),
        (["FILE", "--explain", "_2"], "--explain one of: 民法_2\n"),
        (["FILE", "--explain", "民法_2"], "is a failure"),
        (["FILE", "--explain", "民法_1", "--write"], "--write stores a whole run"),
        (["FILE", "--explain-text", "-"], "reads - and no run"),
        (["FILE", "FILE", "--explain", "民法_1"], "takes one run, and 2 were given"),
        (["--explain-text", "/nowhere/text"], "No such file"),
        (["FILE", "--explain", "民法_1", "--explain-text", "-"], "were both given"),
    ],
)
def test_what_cannot_be_explained_is_said(
    file: Path, arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = [str(file) if argument == "FILE" else argument for argument in arguments]
    assert main(["rescore", *given]) == 2
    assert said in capsys.readouterr().err
