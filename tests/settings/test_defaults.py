"""Defaults that follow the way of asking are the same from Python and on the command line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.cli import main, parse_arguments
from lawqa.cli.asking.evaluate import Evaluate
from lawqa.errors import ConfigError
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.evaluate import evaluate
from lawqa.prompting import PromptSpec
from lawqa.questions import write_questions

WAYS = [
    ("direct", False, 1, ("logits", 32, 0.0)),
    ("cot", False, 1, ("generate", 1024, 0.0)),
    ("direct", True, 1, ("generate", 4096, 0.6)),
    ("cot", True, 1, ("generate", 4096, 0.6)),
    ("direct", False, 3, ("generate", 32, 0.7)),
    ("cot", False, 3, ("generate", 1024, 0.7)),
    ("cot", True, 3, ("generate", 4096, 0.6)),
]


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: Any) -> Path:
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", [question(id=name) for name in ("q1", "q2")])
    (tmp_path / "script.json").write_text('{"*": "c"}', encoding="utf-8")
    return Path("q.json")


def stored(run_dir: str) -> tuple[object, ...]:
    config = json.loads(Path(run_dir, "manifest.json").read_text(encoding="utf-8"))["config"]
    return config["answer_by"], config["max_new_tokens"], config["temperature"]


@pytest.mark.parametrize(("mode", "thinking", "ensemble", "expected"), WAYS)
def test_python_and_command_line_ask_with_the_same_defaults(
    data: Path, mode: Any, thinking: bool, ensemble: int, expected: tuple[object, ...]
) -> None:
    spec = PromptSpec(mode, thinking=thinking)
    config = EvaluationConfig(
        data, spec, backend="scripted", ensemble=ensemble, run_dir=Path("python"), quiet=True
    )  # fmt: skip
    evaluate(config, lambda _config, _adapter: ScriptedBackend({"*": "c"}))
    flags = ["--mode", mode, *(["--thinking"] if thinking else []), "--ensemble", str(ensemble)]
    assert main(["evaluate", "--data", str(data), "--llm-backend", "scripted", "--script",
                 "script.json", *flags, "--run-dir", "cli", "--quiet"]) == 0  # fmt: skip
    assert stored("python") == stored("cli") == expected


def test_another_prompt_spec_has_its_own_defaults() -> None:
    direct = EvaluationConfig(Path("q"), PromptSpec(), backend="scripted")
    assert direct.resolved().max_new_tokens == 32
    reasoned = replace(direct, spec=PromptSpec("cot"))
    assert (reasoned.generates, reasoned.generation().max_new_tokens) == (True, 1024)


def test_what_is_given_is_kept() -> None:
    config = EvaluationConfig(
        Path("q"), PromptSpec("cot"), max_new_tokens=7, temperature=0.0, ensemble=2
    )
    assert (config.generation().max_new_tokens, config.generation().temperature) == (7, 0.0)


def test_reasoning_cannot_be_scored_from_python_either(data: Path) -> None:
    config = EvaluationConfig(data, PromptSpec("cot"), "logits", "scripted", run_dir=Path("r"))
    with pytest.raises(ConfigError, match=r"--answer-by logits cannot be: .* reasoning"):
        evaluate(config, lambda _config, _adapter: ScriptedBackend({"*": "c"}))
    assert not Path("r").exists()


def test_the_help_says_what_the_defaults_are() -> None:
    parsed = parse_arguments(["evaluate", "--mode", "cot", "--llm-backend", "scripted"])
    assert isinstance(parsed, Evaluate)
    assert parsed.generation.max_new_tokens is None
    documented = Path(__file__).parents[2].joinpath("docs/cli.md").read_text(encoding="utf-8")
    assert "32 direct, 1024 cot, 4096 thinking" in " ".join(documented.split())
