"""What decides results refuses to resume, with the name of its flag; what does not may change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.errors import ConfigError
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.evaluate import evaluate
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig, crossval_differences
from lawqa.pipelines.training.train import is_done
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, file_sha256, write_questions
from lawqa.settings import Hyperparameters, TrainingRun, change_of, flags_of
from lawqa.settings.declared import counts_by_content

CHANGED: dict[str, Any] = {
    "samples": 2, "permutations": 4, "answer_by": "logits", "backend": "hf", "ensemble": 3,
    "lr_scheduler": "linear",
    "dtype": "float32", "target_modules": ("q_proj",), "dev_condition": "gold", "temperature": 0.9,
    "thinking_budget": 20, "max_steps": 9, "max_seq_length": 99,
}  # fmt: skip
"""Other values than those of the runs below, where a number one higher or the opposite would not do."""


def other_value(field: Field[Any], value: Any) -> Any:
    if field.name in CHANGED:
        return CHANGED[field.name]
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value / 2 if value else 0.5
    return value + 1


def cases(kind: type, change: str) -> list[Field[Any]]:
    return [
        field for field in fields(kind)
        if change_of(field) == change and not counts_by_content(field)
    ]  # fmt: skip


def by_name(field: Field[Any]) -> str:
    return field.name


@pytest.fixture
def data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: Callable[..., Question]
) -> Path:
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", [question(id=name) for name in ("q1", "q2", "q3")])
    return Path("q.json")


def evaluated(data: Path) -> EvaluationConfig:
    config = EvaluationConfig(
        data, PromptSpec("cot", thinking=True), "generate", "scripted",
        run_dir=Path("r"), temperature=0.7, quiet=True,
    )  # fmt: skip
    evaluate(config, lambda _config, _adapter: ScriptedBackend({"*": "最終回答：c"}))
    return replace(config, resume=True)


def never(_config: EvaluationConfig, _adapter: object) -> ScriptedBackend:
    raise AssertionError("the backend is opened")


@pytest.mark.parametrize("field", cases(EvaluationConfig, "result"), ids=by_name)
def test_an_evaluation_with_another_setting_is_not_resumed(data: Path, field: Field[Any]) -> None:
    config = evaluated(data)
    other = replace(config, **{field.name: other_value(field, getattr(config, field.name))})
    if field.name == "answer_by":
        other = replace(other, temperature=0.7)
    with pytest.raises(ConfigError, match="is not the same run") as caught:
        evaluate(other, never)
    assert f"  {flags_of(field, 'evaluate')[0]}: then " in caught.value.message


@pytest.mark.parametrize("field", cases(EvaluationConfig, "speed"), ids=by_name)
def test_an_evaluation_is_resumed_at_another_speed(data: Path, field: Field[Any]) -> None:
    config = evaluated(data)
    other = replace(config, **{field.name: other_value(field, getattr(config, field.name))})
    assert len(evaluate(other, never).answers) == 3


def trained(data: Path) -> TrainingRun:
    config = TrainingRun(train_file=data, output_dir=Path("a"), model_name="m", resume=True)
    manifest = {
        "schema_version": 1, "kind": "train", "status": "done", "config": config.to_json(),
        "model": {"name": "m"}, "data": {"sha256": file_sha256(data), "dev": None},
    }  # fmt: skip
    config.output_dir.mkdir()
    (config.output_dir / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return config


@pytest.mark.parametrize(
    "field", cases(TrainingRun, "result") + cases(Hyperparameters, "result"), ids=by_name
)
def test_a_training_with_another_setting_is_not_resumed(data: Path, field: Field[Any]) -> None:
    config = trained(data)
    assert is_done(config)
    with pytest.raises(ConfigError, match="holds a training that differs") as caught:
        is_done(with_other(config, field))
    assert f"{flags_of(field, 'train')[0]} was " in caught.value.message


@pytest.mark.parametrize(
    "field",
    [
        field
        for kind in (TrainingRun, Hyperparameters)
        for change in ("speed", "place")
        for field in cases(kind, change)
        if field.name not in ("output_dir", "fresh", "resume", "report_to")
    ],
    ids=by_name,
)
def test_a_training_is_resumed_at_another_speed_or_with_other_checkpoints(
    data: Path, field: Field[Any]
) -> None:
    assert is_done(with_other(trained(data), field))


def with_other(config: TrainingRun, field: Field[Any]) -> TrainingRun:
    of_run = field.name in {known.name for known in fields(TrainingRun)}
    holder: Any = config if of_run else config.training
    changed = {field.name: other_value(field, getattr(holder, field.name))}
    if of_run:
        return replace(config, **changed)
    return replace(config, training=replace(config.training, **changed))


def stored_crossval(config: CrossvalConfig) -> dict[str, Any]:
    plain = {"folds": config.folds, "seed": config.seed, "dtype": config.dtype,
             "permutations": config.permutations, "training": vars(config.training)}  # fmt: skip
    return dict(json.loads(json.dumps(plain)))


@pytest.mark.parametrize("field", cases(CrossvalConfig, "result"), ids=by_name)
def test_a_cross_validation_with_another_setting_is_another(field: Field[Any]) -> None:
    config = CrossvalConfig(input=Path("q"), output_dir=Path("cv"))
    other = replace(config, **{field.name: other_value(field, getattr(config, field.name))})
    changed = crossval_differences(stored_crossval(config), stored_crossval(other))
    assert changed == [flags_of(field, "train")[0]]


@pytest.mark.parametrize("field", fields(Hyperparameters), ids=by_name)
def test_what_is_learnt_by_makes_another_cross_validation_and_nothing_else(
    field: Field[Any],
) -> None:
    config = CrossvalConfig(input=Path("q"), output_dir=Path("cv"))
    value = other_value(field, getattr(config.training, field.name))
    other = replace(config, training=replace(config.training, **{field.name: value}))
    changed = crossval_differences(stored_crossval(config), stored_crossval(other))
    assert changed == ([flags_of(field, "train")[0]] if change_of(field) == "result" else [])


def test_a_setting_that_an_older_run_does_not_have_had_its_default() -> None:
    config = CrossvalConfig(input=Path("q"), output_dir=Path("cv"))
    older = stored_crossval(config)
    del older["training"]["use_dora"]
    assert crossval_differences(older, stored_crossval(config)) == []
