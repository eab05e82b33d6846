"""The task that `lawqa export --format lm-eval-task` writes, and lm_eval itself asking by it."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

import lawqa
from lawqa.cli import main
from lawqa.pipelines.interchange.lm_eval_task import export_task
from lawqa.prompting import PromptSpec, build_prompt, render
from lawqa.prompts import wordings

SPECS = [*product(wordings(), ("direct", "cot"), ("closed", "gold"), (False, True))]


def test_a_task_needs_no_run_and_says_how_it_is_used(
    tmp_path: Path, embedded_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "task"
    command = ["export", "--format", "lm-eval-task", "--prompt", "standard", "-o", str(out)]
    assert main(command) == 0
    name = "lawqa_jp_direct_closed_v1"
    assert f"task {name}: prompt spec direct-closed-v1" in capsys.readouterr().out
    assert {path.name for path in out.iterdir()} == {f"{name}.yaml", "utils.py", "README.md"}
    assert f"--tasks {name} --apply_chat_template" in (out / "README.md").read_text()
    assert main(command) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*command, "--fresh", "--data", str(embedded_file)]) == 0
    assert (out / "selection.json").read_bytes() == embedded_file.read_bytes()


def test_the_reader_of_the_task_gives_the_questions_that_lawqa_reads(
    tmp_path: Path, embedded_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("datasets", reason="the extra train is not installed")
    export_task(tmp_path, condition="gold", data=embedded_file)
    names: dict[str, Any] = {"__file__": str(tmp_path / "utils.py")}
    exec((tmp_path / "utils.py").read_text(encoding="utf-8"), names)  # noqa: S102 - our own
    documents = list(names["load"](prompt_spec="direct-gold-v1", needs_context=True)["test"])
    questions = lawqa.read_questions(embedded_file)
    for document, question in zip(documents, questions, strict=True):
        assert document["id"] == question.id
        assert document["question"] == question.text
        assert tuple(document["choices"]) == question.choices
        assert (document["gold"], document["context"]) == (question.gold, question.context)
    monkeypatch.setenv("LAWQA_JP", str(tmp_path / "none.json"))
    with pytest.raises(FileNotFoundError, match="LAWQA_JP"):
        names["load"]()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--prompt", "none"], "--prompt none: no such wording"),
        (["run"], "run is given, but a task is made of a prompt"),
        (["--data", "none.json"], "none.json: no such file"),
    ],
)
def test_a_mistake_is_reported_and_writes_nothing(
    flags: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", *flags, "--format", "lm-eval-task", "-o", str(tmp_path / "t")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "t").exists()


def test_flags_of_a_task_are_refused_for_a_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "run", "--format", "csv", "--mode", "cot", "-o", "a.csv"]) == 2
    assert "--mode: for --format lm-eval-task only" in capsys.readouterr().err
    assert main(["export", "--format", "csv", "-o", "a.csv"]) == 2
    assert "--format csv needs a run" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of what lm_eval imports
def test_every_prompt_of_lm_eval_is_ours_byte_for_byte(
    tmp_path: Path, embedded_file: Path, byte_tokenizer: Any
) -> None:
    tasks = pytest.importorskip("lm_eval.tasks", reason="the extra interop is not installed")
    tokenizer, made = byte_tokenizer(), {}
    few = tmp_path / "few.json"
    lawqa.write_questions(few, lawqa.read_questions(embedded_file)[:3])
    for number, (prompt, mode, condition, few_shot) in enumerate(SPECS):
        task = export_task(
            tmp_path / str(number), prompt=prompt, mode=mode, condition=condition, few_shot=few_shot,
            data=few,
        )  # fmt: skip
        made[task.name] = task.spec
    manager = tasks.TaskManager(include_path=str(tmp_path), include_defaults=False)
    questions = lawqa.read_questions(few)

    def templated(messages: list[dict[str, str]], add_generation_prompt: bool = True) -> str:
        text: str = tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=add_generation_prompt,
            enable_thinking=False,
        )  # fmt: skip
        return text

    for name, spec in made.items():
        task = manager.load([name])["tasks"][name]
        for document, question in zip(task.test_docs(), questions, strict=True):
            text = task.fewshot_context(
                document, num_fewshot=2 * spec.few_shot, apply_chat_template=True,
                fewshot_as_multiturn=True, chat_template=templated,
            )  # fmt: skip
            assert text == render(build_prompt(question, spec).messages, tokenizer, thinking=False)
            if spec.mode == "direct":
                assert task.doc_to_target(document) == "abcd".index(question.gold)
                assert task.doc_to_choice(document) == ["a", "b", "c", "d"]


def test_nothing_in_a_wording_is_taken_for_a_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jinja2 = pytest.importorskip("jinja2", reason="the extra docs is not installed")
    from lawqa.pipelines.interchange import lm_eval_task

    wording = wordings()["standard"]
    odd = type(wording)(**{**vars(wording), "system": '{{ x }} {% if %} {# "quoted" #} }}\\n'})
    monkeypatch.setattr(lm_eval_task, "wording_of", lambda _: odd)
    task = export_task(tmp_path).files[0].read_text(encoding="utf-8")
    described = re.search(r"^description: (.*)$", task, re.MULTILINE)
    assert described
    assert jinja2.Template(json.loads(described[1])).render() == odd.system


def test_the_spec_in_the_task_is_one_that_lawqa_knows(tmp_path: Path) -> None:
    task = export_task(tmp_path, mode="cot", few_shot=True).files[0].read_text(encoding="utf-8")
    (named,) = re.findall(r"^  prompt_spec: (.*)$", task, re.MULTILINE)
    assert PromptSpec.from_id(named) == PromptSpec("cot", few_shot=True)
