"""Commands on models whose chat templates think always, know no system role, print the date or do not end."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.prompting import PromptSpec
from lawqa.questions import write_questions
from lawqa.records import make_record, write_records

pytestmark = pytest.mark.torch

_TURNS = (
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}"
    "{% endfor %}"
)
_ASKED = "{% if add_generation_prompt %}{{ '<|im_start|>assistant\nX' }}{% endif %}"
THINKS = _TURNS + _ASKED.replace("X", "<think>\n")
NO_SYSTEM = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    + _TURNS
    + _ASKED.replace("X", "")
)
DATED = "{{ strftime_now('%d %b %Y') }}" + _TURNS + _ASKED.replace("X", "")
ENDLESS = _TURNS + "{{ 'x' * 10 ** 10 }}"
BROKEN = _TURNS + "{% if %}"

With = Callable[[str], str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, questions: Any) -> Path:
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", questions[:4])
    return tmp_path


@pytest.fixture
def model(here: Path, tiny_dir: Path) -> With:
    """The tiny model with this template."""

    def made(template: str) -> str:
        shutil.copytree(tiny_dir, here / "model")
        (here / "model" / "chat_template.jinja").write_text(template, encoding="utf-8")
        return "model"

    return made


def evaluate(name: str, run: str, *more: str) -> int:
    return main(
        [
            "evaluate",
            "--data",
            "q.json",
            "--no-4bit",
            "--hf-model-name",
            name,
            "--run-dir",
            run,
            *more,
        ]
    )


def rows(run: Path) -> list[dict[str, Any]]:
    text = (run / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def manifest(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    return found


def test_no_label_is_scored_inside_a_think_block_and_nothing_is_written(
    here: Path, model: With, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluate(model(THINKS), "run") == 2
    said = capsys.readouterr().err
    assert "inside an open think block (<think>)" in said
    assert "--thinking --answer-by generate" in said
    assert not (here / "run").exists()


@pytest.mark.slow
def test_thinking_is_allowed_and_a_text_without_the_closing_mark_is_truncated(
    here: Path, model: With
) -> None:
    name = model(THINKS)
    thinking = ("--thinking", "--answer-by", "generate", "--max-new-tokens", "8")
    assert evaluate(name, "run", *thinking) == 0
    found = rows(here / "run")
    assert {row["outcome"] for row in found} == {"truncated"}
    assert {row["in_thought"] for row in found} == {True}
    assert all(row["prompt"].endswith("<|im_start|>assistant\n<think>\n") for row in found)
    assert manifest(here / "run")["model"]["chat_template"]["opens_thought"] == "<think>"


@pytest.mark.slow
def test_the_thinking_budget_closes_the_block_that_the_prompt_opened(
    here: Path, model: With
) -> None:
    name = model(THINKS)
    assert evaluate(
        name, "run", "--thinking", "--answer-by", "generate", "--max-new-tokens", "24",
        "--thinking-budget", "8",
    ) == 0  # fmt: skip
    found = rows(here / "run")
    assert {row["thinking_closed"] for row in found} == {True}
    assert all(row["response"].count("</think>") >= 1 for row in found)
    assert "unclosed-think" not in {row["rule"] for row in found}


@pytest.mark.slow
def test_without_thinking_such_a_model_is_asked_with_a_note(here: Path, model: With) -> None:
    assert evaluate(model(THINKS), "run", "--answer-by", "generate", "--max-new-tokens", "8") == 0
    notes = json.loads((here / "run" / "summary.json").read_text(encoding="utf-8"))["notes"]
    assert notes[0].startswith("THE MODEL THINKS WITHOUT --thinking")
    assert {row["outcome"] for row in rows(here / "run")} == {"truncated"}


def test_direct_records_are_not_trained_inside_a_think_block(
    here: Path, model: With, capsys: pytest.CaptureFixture[str]
) -> None:
    name = model(THINKS)
    train = [
        "train",
        "--no-4bit",
        "--model-name",
        name,
        "--train-file",
        "q.json",
        "--output-dir",
        "out",
    ]
    assert main(train) == 2
    assert "would teach the answer as a thought" in capsys.readouterr().err
    assert not (here / "out").exists()


@pytest.mark.slow
def test_without_a_system_role_training_and_evaluation_show_the_same_and_say_so(
    here: Path, model: With, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    name = model(NO_SYSTEM)
    write_questions(here / "t.json", questions[8:12])
    assert main([
        "train", "--no-4bit", "--model-name", name, "--train-file", "t.json", "--output-dir", "out",
        "--max-steps-override", "1", "--do-train",
    ]) == 0  # fmt: skip
    trained = manifest(here / "out")
    assert any(note.startswith("NO SYSTEM ROLE") for note in trained["notes"])
    capsys.readouterr()
    assert evaluate(name, "run", "--hf-lora-path", "out") == 0
    asked = manifest(here / "run")
    assert "! NO SYSTEM ROLE" in capsys.readouterr().out
    assert asked["prompt_specs"].items() <= trained["prompt_specs"].items()
    assert asked["model"]["chat_template"]["system_moved"] is True
    prompt = rows(here / "run")[0]["prompt"]
    assert prompt.startswith("<|im_start|>user\nあなたは日本の法令に詳しい専門家です。")
    assert "system" not in prompt


def test_a_run_is_resumed_on_another_day_with_the_same_prompts(here: Path, model: With) -> None:
    name = model(DATED)
    assert evaluate(name, "run", "--samples", "2") == 0
    prompts = [row["prompt"] for row in rows(here / "run")]
    assert all(prompt.startswith("26 Jul 2024<|im_start|>") for prompt in prompts)
    asked = manifest(here / "run")
    assert asked["model"]["chat_template"]["date"] == "2024-07-26"
    assert any(note.startswith("FIXED DATE") for note in asked["notes"])


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (ENDLESS, "it takes more than 512 MiB"),
        (BROKEN, "is not valid Jinja"),
        ("x", "does not show the"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate", "train", "data show", "distill"])
def test_a_template_that_gives_no_prompt_ends_every_command_with_a_message(
    here: Path,
    model: With,
    questions: Any,
    capsys: pytest.CaptureFixture[str],
    command: str,
    template: str,
    message: str,
) -> None:
    name = model(template)
    write_records(here / "r.jsonl", [make_record(questions[0], PromptSpec())])
    arguments = {
        "evaluate": ["--data", "q.json", "--no-4bit", "--hf-model-name", name, "--run-dir", "run"],
        "train": [
            "--no-4bit",
            "--model-name",
            name,
            "--train-file",
            "q.json",
            "--output-dir",
            "out",
        ],
        "data show": ["r.jsonl", "--tokenizer", name],
        "distill": [
            "--data",
            "q.json",
            "--no-4bit",
            "--hf-model-name",
            name,
            "--output-path",
            "d.jsonl",
        ],
    }[command]
    assert main([*command.split(), *arguments]) == 2
    said = capsys.readouterr().err
    assert message in said
    assert "Traceback" not in said
    assert not (here / "run").exists()
    assert not (here / "out").exists()


def test_dev_questions_are_not_scored_inside_a_think_block(
    here: Path, model: With, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    name, thinking = model(THINKS), PromptSpec(thinking=True)
    records = [make_record(q, thinking, reasoning="条文による。") for q in questions[8:12]]
    write_records(here / "r.jsonl", records)
    write_records(here / "letters.jsonl", [make_record(q, PromptSpec()) for q in questions[:2]])
    assert main([
        "train", "--no-4bit", "--model-name", name, "--train-file", "r.jsonl", "--dev-file", "letters.jsonl",
        "--output-dir", "out", "--do-train",
    ]) == 2  # fmt: skip
    said = capsys.readouterr().err
    assert "no label can be scored there" in said
    assert "leave --dev-file out" in said
    assert not (here / "out").exists()
