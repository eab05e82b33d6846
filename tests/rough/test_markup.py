"""Names that are markup or move a terminal's cursor, from a data file to every place that shows them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.cli import main

pytestmark = pytest.mark.rough

Capture = pytest.CaptureFixture[str]
LAW = "<img src=x onerror=alert(1)>|`x`&amp;\x1b[2J\x1b]0;t\x07\u202e"


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two runs on questions of a law with such a name, the second in a directory with such a name."""
    monkeypatch.chdir(tmp_path)
    sample = {
        "コンテキスト": LAW, "指示": "答えよ。", "選択肢": f"a {LAW}\nb 二\nc 三\nd 四", "output": "b",
        "references": [],
    }  # fmt: skip
    samples = [{**sample, "ファイル名": f"{LAW}_{n}", "問題文": f"{LAW} {n}?"} for n in range(8)]
    Path("q.json").write_text(json.dumps({"samples": samples}), encoding="utf-8")
    names = ["one", "<b>two|"]
    for name, label in zip(names, "bc", strict=True):
        Path("s.json").write_text(json.dumps({"*": label}), encoding="utf-8")
        script = ["--llm-backend", "scripted", "--script", "s.json"]
        assert main(["evaluate", "--data", "q.json", *script, "--run-dir", name]) == 0
    return names


def has_no_markup(text: str) -> None:
    assert "<img" not in text
    assert "<b>" not in text
    assert not {"\x1b", "\x07", "\u202e"} & set(text)


def test_nothing_printed_moves_the_cursor(runs: list[str], capsys: Capture) -> None:
    capsys.readouterr()
    commands = [
        ["data", "check", "q.json"], ["rescore", *runs], ["compare", *runs], ["runs", "list", "."],
        ["runs", "diff", *runs], ["data", "leaks", "q.json", "q.json"],
    ]  # fmt: skip
    for command in commands:
        main(command)
        said = capsys.readouterr()
        assert said.out, command
        assert not {"\x1b", "\x07", "\u202e"} & set(said.out + said.err), command


def test_a_log_shows_names_as_text(runs: list[str]) -> None:
    pytest.importorskip("jinja2")
    assert main(["log", *runs, "--output", "log.md"]) == 0
    has_no_markup(Path("log.md").read_text(encoding="utf-8"))
    assert main(["log", runs[1], "--output", "one.md"]) == 0
    has_no_markup(Path("one.md").read_text(encoding="utf-8"))


@pytest.mark.parametrize("output", ["r.md", "r.html"])
def test_a_report_shows_names_as_text(runs: list[str], output: str) -> None:
    pytest.importorskip("jinja2")
    pytest.importorskip("matplotlib")
    assert main(["report", *runs, "--output", output]) == 0
    text = Path(output).read_text(encoding="utf-8")
    assert "<img src=x" not in text.replace("\\<img", "")
    assert not {"\x1b", "\x07", "\u202e"} & set(text)
