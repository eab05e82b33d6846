"""`lawqa probe`: a few questions in every mode, as a command of its own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.questions import Question, write_questions

SPECS = ["direct-closed-v1", "cot-closed-v1", "direct-closed-thinking-v1"]


@pytest.fixture
def probe(
    tmp_path: Path, question: Callable[..., Question], capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str, str]]:
    """Run `lawqa probe` on ten questions that a table of answers is asked: code, output, messages."""
    write_questions(tmp_path / "q.json", [question(id=f"q{n}", gold="b") for n in range(10)])

    def run(script: object, *more: str) -> tuple[int, str, str]:
        (tmp_path / "s.json").write_text(json.dumps(script), encoding="utf-8")
        code = main([
            "probe", "--data", str(tmp_path / "q.json"), "--llm-backend", "scripted",
            "--script", str(tmp_path / "s.json"), *more,
        ])  # fmt: skip
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_every_mode_of_a_base_model_is_a_line(
    probe: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, shown, _ = probe({"*": "<think>\n考える\n</think>\nb"})
    assert code == 0
    for spec in SPECS:
        assert re.search(rf"^{spec} +base +8/8 +8/8 +\d+ +0% +0% +8/8$", shown, re.MULTILINE)
    assert {path.name for path in tmp_path.iterdir()} == {"q.json", "s.json"}, "nothing is written"


def test_json_counts_open_blocks_cut_and_unparsed_texts(
    probe: Callable[..., tuple[int, str, str]],
) -> None:
    open_block = {"text": "<think>\n考える", "hit_limit": True, "stopped": "limit"}
    code, shown, _ = probe({"*": open_block}, "--json", "--probe-questions", "3")
    assert code == 0
    content = json.loads(shown)
    assert [mode["spec"] for mode in content["modes"]] == SPECS
    assert content["lost"] == []
    for mode in content["modes"]:
        figures = mode["figures"]
        assert (figures["texts"], figures["opened"], figures["closed"]) == (3, 3, 0)
        assert (figures["cut"], figures["unparsed"], figures["correct"]) == (3, 3, 0)


def test_texts_that_fail_are_said_and_change_the_exit_code(
    probe: Callable[..., tuple[int, str, str]],
) -> None:
    code, shown, said = probe({"*": {"text": "", "error": "no room"}}, "--probe-questions", "2")
    assert code == 3
    assert "100%" in shown
    for spec in SPECS:
        assert f"{spec}: 2 texts failed and count as unparsed" in said
    assert "no room" in said


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        ("--probe-questions 0", "nothing would be asked"),
        ("--probe-questions -1", "--probe-questions"),
        ("--probe-max-new-tokens 0", "--probe-max-new-tokens"),
        ("--hf-lora-path none", "--hf-lora-path is for --llm-backend hf"),
        ("--data none.json", "none.json: no such file"),
        ("--place local-3080 --llm-backend vllm", "vllm"),
    ],
)
def test_what_cannot_be_is_refused(
    flags: str, problem: str, probe: Callable[..., tuple[int, str, str]]
) -> None:
    code, shown, said = probe({"*": "b"}, *flags.split())
    assert code == 2
    assert shown == ""
    assert problem in said
    assert "Traceback" not in said


def test_gold_asks_with_the_questions_own_context(
    probe: Callable[..., tuple[int, str, str]],
) -> None:
    _, shown, _ = probe({"*": "b"}, "--condition", "gold")
    assert "cot-gold-v1" in shown
    assert "closed-v1" not in shown
