"""What decides results refuses to resume, with the name of its flag; what does not may change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.errors import ConfigError, DataError
from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
from lawqa.pipelines.corpus.raft_config import RaftConfig
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.contexts import RagConfig, retrieval_differences
from lawqa.pipelines.evaluation.evaluate import evaluate
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.crossval_manifest import CrossvalManifest, require_same_crossval
from lawqa.pipelines.experiments.crossval_pool import pool
from lawqa.pipelines.experiments.sweep import Grid, SweepConfig, require_same_sweep
from lawqa.pipelines.training.train import is_done
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, file_sha256, write_questions
from lawqa.runs.manifest import Manifest
from lawqa.settings import (
    BackendName,
    GridSettings,
    Hyperparameters,
    TrainingRun,
    change_of,
    flags_of,
    inner_of,
    name_of,
)
from lawqa.settings.declared import counts_by_content

CHANGED: dict[str, Any] = {
    "learnt_as": None, "samples_dir": Path("elsewhere"),
    "quantised_cache": Path("kept"),
    "eval_permutations": 4, "learn_from": "distilled",
    "samples": 2, "permutations": 4, "answer_by": "logits", "backend": "hf", "ensemble": 3,
    "lr_scheduler": "linear",
    "dtype": "float32", "target_modules": ("q_proj",), "dev_condition": "gold", "temperature": 0.9,
    "thinking_budget": 20, "top_p": 0.5, "top_k_sampling": 7, "min_p": 0.1,
    "max_steps": 9, "max_seq_length": 99, "max_new_tokens": 77,
    "dev_questions": 8, "dev_samples": 2, "dev_max_new_tokens": 64, "max_synthetic_share": 0.5,
    "probe_max_new_tokens": 64, "label_forms": "letter", "kv_cache": "int8",
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
        if change_of(field) == change and not counts_by_content(field) and not inner_of(field)
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


def evaluated(data: Path, spec: PromptSpec, backend: BackendName = "scripted") -> EvaluationConfig:
    config = EvaluationConfig(
        data, spec, "generate", backend,
        run_dir=Path("r"), temperature=0.7, quiet=True,
    )  # fmt: skip
    evaluate(config, lambda _config, _adapter: ScriptedBackend({"*": "最終回答：c"}))
    return replace(config, resume=True)


def never(_config: EvaluationConfig, _adapter: object) -> ScriptedBackend:
    raise AssertionError("the backend is opened")


@pytest.mark.parametrize("field", cases(EvaluationConfig, "result"), ids=by_name)
def test_an_evaluation_with_another_setting_is_not_resumed(data: Path, field: Field[Any]) -> None:
    # Labels can be scored only where no reasoning is asked for.
    spec = PromptSpec() if field.name == "answer_by" else PromptSpec("cot", thinking=True)
    # Of these, other backends know nothing.
    of_hf = field.name in ("label_forms", "kv_cache")
    config = evaluated(data, spec, "hf" if of_hf else "scripted")
    other = replace(config, **{field.name: other_value(field, getattr(config, field.name))})
    with pytest.raises(ConfigError, match="is not the same run") as caught:
        evaluate(other, never)
    assert f"  {flags_of(field, 'evaluate')[0]}: then " in caught.value.message


@pytest.mark.parametrize("field", cases(EvaluationConfig, "speed"), ids=by_name)
def test_an_evaluation_is_resumed_at_another_speed(data: Path, field: Field[Any]) -> None:
    config = evaluated(data, PromptSpec("cot", thinking=True))
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


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("config", {}, "has no settings"),
        (
            "config",
            {"training": {"lora_r": "8"}},
            "key 'config.training.lora_r' is '8', expected a",
        ),
        ("config", {"load_in_4bit": "yes"}, "key 'config.load_in_4bit' is 'yes', expected True or"),
        ("data", {"dev": None}, "has no key 'data.sha256'"),
    ],
)
def test_a_damaged_manifest_of_a_training_is_refused_with_what_is_wrong(
    data: Path, key: str, value: Any, problem: str
) -> None:
    config = trained(data)
    path = config.output_dir / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**content, key: value}), encoding="utf-8")
    with pytest.raises(DataError, match=rf"^a/manifest.json: {problem}"):
        is_done(config)


def with_other(config: TrainingRun, field: Field[Any]) -> TrainingRun:
    of_run = field.name in {known.name for known in fields(TrainingRun)}
    holder: Any = config if of_run else config.training
    changed = {field.name: other_value(field, getattr(holder, field.name))}
    if of_run:
        return replace(config, **changed)
    return replace(config, training=replace(config.training, **changed))


def begun_crossval(data: Path) -> CrossvalConfig:
    config = CrossvalConfig(
        input=data, output_dir=Path("cv"), model_name="m"
    )  # fmt: skip
    CrossvalManifest.of(config).write(config.output_dir)
    return config


def with_another(config: CrossvalConfig, field: Field[Any]) -> CrossvalConfig:
    holder = config if hasattr(config, field.name) else config.training
    value = {field.name: other_value(field, getattr(holder, field.name))}
    if holder is config:
        return replace(config, **value)
    return replace(config, training=replace(config.training, **value))


IN_CROSSVAL = [
    *cases(CrossvalConfig, "result"),
    *(field for field in cases(Hyperparameters, "result") if field.name != "seed"),
]
NOT_IN_CROSSVAL = [
    field
    for kind in (CrossvalConfig, Hyperparameters)
    for change in ("speed", "place")
    for field in cases(kind, change)
    if field.name not in ("output_dir", "fresh", "place", "report_to", "fold")
]
"""Where, in which fold and over what is left of an earlier one are other questions."""


@pytest.mark.parametrize("field", IN_CROSSVAL, ids=by_name)
def test_a_cross_validation_with_another_setting_is_not_resumed(
    data: Path, field: Field[Any]
) -> None:
    config = begun_crossval(data)
    assert require_same_crossval(config)
    with pytest.raises(ConfigError, match="holds a cross-validation with other settings") as caught:
        require_same_crossval(with_another(config, field))
    assert f"({flags_of(field, 'train')[0]})" in caught.value.message


@pytest.mark.parametrize("field", NOT_IN_CROSSVAL, ids=by_name)
def test_a_cross_validation_is_resumed_at_another_speed_or_with_more_seeds(
    data: Path, field: Field[Any]
) -> None:
    assert require_same_crossval(with_another(begun_crossval(data), field))


def begun_sweep(data: Path) -> SweepConfig:
    """A sweep whose base model was asked and whose first cell has begun."""
    crossval = CrossvalConfig(input=data, output_dir=Path("s"), model_name="m")
    config = SweepConfig(crossval, Grid((1e-4, 2e-4), (16,), (2.0,)))
    base = EvaluationConfig(
        crossval.input, crossval.spec, "logits", "hf", model_name="m", run_dir=Path("s/base")
    )
    Manifest(
        "evaluate", base.to_json(), {"name": "m"}, {crossval.spec.id: ""},
        {"sha256": file_sha256(base.data), "questions": 3}, [], status="done",
    ).write(Path("s/base"))  # fmt: skip
    first = Hyperparameters(learning_rate=1e-4, num_epochs=2.0)
    cell = replace(crossval, output_dir=Path("s/lr0.0001_r16_epochs2"), training=first)
    CrossvalManifest.of(cell).write(cell.output_dir)
    return config


def with_another_in(config: SweepConfig, field: Field[Any]) -> SweepConfig:
    if hasattr(config.grid, field.name):
        value = (*getattr(config.grid, field.name), 1e-3 if "rates" in field.name else 8)
        return replace(config, grid=replace(config.grid, **{field.name: value}))
    return replace(config, crossval=with_another(config.crossval, field))


IN_GRID = ("learning_rate", "num_epochs", "lora_r")
"""Settings of a training that the grid gives; of the rank only its ratio to --lora-alpha counts."""


@pytest.mark.parametrize(
    "field", [field for field in IN_CROSSVAL if field.name not in IN_GRID], ids=by_name
)
def test_a_sweep_with_another_setting_is_not_resumed(data: Path, field: Field[Any]) -> None:
    config = begun_sweep(data)
    assert require_same_sweep(config)
    with pytest.raises(ConfigError, match="with other settings") as caught:
        require_same_sweep(with_another_in(config, field))
    assert f"({flags_of(field, 'train')[0]})" in caught.value.message


def test_a_sweep_with_another_ratio_of_scale_and_rank_is_not_resumed(data: Path) -> None:
    config = begun_sweep(data)
    training = replace(config.crossval.training, lora_r=8)
    with pytest.raises(ConfigError, match=r"with other settings \(--lora-alpha\)"):
        require_same_sweep(replace(config, crossval=replace(config.crossval, training=training)))


@pytest.mark.parametrize("field", [*NOT_IN_CROSSVAL, *fields(GridSettings)], ids=by_name)
def test_a_sweep_is_resumed_at_another_speed_or_over_a_larger_grid(
    data: Path, field: Field[Any]
) -> None:
    assert require_same_sweep(with_another_in(begun_sweep(data), field))


def stored_settings(data: Path, change: Callable[[dict[str, Any]], object]) -> CrossvalConfig:
    """A cross-validation whose file somebody changed."""
    config = begun_crossval(data)
    path = config.output_dir / "crossval.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content["settings"])
    path.write_text(json.dumps(content), encoding="utf-8")
    return config


def test_a_setting_that_an_older_run_does_not_have_had_its_default(data: Path) -> None:
    config = stored_settings(data, lambda stored: stored["training"].pop("use_dora"))
    assert require_same_crossval(config)
    with pytest.raises(ConfigError, match=r"\(--use-dora\)"):
        require_same_crossval(replace(config, training=Hyperparameters(use_dora=True)))


def test_a_cross_validation_of_lawqa_0_1_is_resumed(data: Path) -> None:
    """It kept the 4-bit type alone, no dtype, the seed of no fold, and no content of model or index."""

    def as_then(stored: dict[str, Any]) -> None:
        for later in ("load_in_4bit", "quant_type", "dtype", "index_sha256", "model_content"):
            del stored[later]
        stored["quantisation"] = None
        stored["training"]["seed"] = None

    config = stored_settings(data, as_then)
    assert require_same_crossval(config)
    assert require_same_crossval(replace(config, dtype="float32"))
    with pytest.raises(ConfigError, match=r"\(--4bit\)"):
        require_same_crossval(replace(config, load_in_4bit=True))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"folds": "five"}, "key 'settings.folds' is 'five', expected a whole number"),
        ({"folds": 0}, "key 'settings.folds' is 0, expected 2 or more"),
        ({"training": []}, r"key 'settings.training' is \[\], expected an object"),
        ({"training": {"lora_r": "8"}}, "key 'settings.training.lora_r' is '8', expected a whole"),
        ({"dtype": "int3"}, "key 'settings.dtype' is 'int3', expected 'auto'"),
        ({"trained": [["direct", "1"]]}, "key 'settings.trained' is .*, expected a whole number"),
        ({"data_sha256": None}, "key 'settings.data_sha256' is None, expected a text"),
        ({"rag": 3}, "key 'settings.rag' is 3, expected an object or None"),
    ],
)
def test_a_damaged_file_of_a_cross_validation_is_refused_with_what_is_wrong(
    data: Path, change: dict[str, Any], problem: str
) -> None:
    config = stored_settings(data, lambda stored: stored.update(change))
    for read in (lambda: require_same_crossval(config), lambda: pool([Path("cv")], Path("p"))):
        with pytest.raises(DataError, match=rf"^cv/crossval.json: {problem}"):
            read()


@pytest.mark.parametrize("key", ["folds", "data_sha256", "trained", "prompt_spec", "rag"])
def test_a_file_of_a_cross_validation_without_a_key_is_refused(data: Path, key: str) -> None:
    config = stored_settings(data, lambda stored: stored.pop(key))
    with pytest.raises(DataError, match=rf"^cv/crossval.json: has no key 'settings.{key}'"):
        require_same_crossval(config)


def retrieval(**settings: Any) -> dict[str, Any]:
    """What a manifest says of contexts."""
    config = RagConfig(RetrieverConfig(Path("i")), raft=RaftConfig(), **settings).to_json()
    return dict(json.loads(json.dumps({**config, "index_sha256": "s"})))


RETRIEVED: dict[str, Any] = {"dense": "e", "reranker_model": "c", "as_of": "2025-06-01"}
PLACES = [("retriever", RetrieverConfig), ("raft", RaftConfig), (None, RagConfig)]


@pytest.mark.parametrize(
    ("place", "field"),
    [(place, field) for place, kind in PLACES for field in cases(kind, "result")],
    ids=lambda part: getattr(part, "name", part),
)
def test_other_contexts_are_another_retrieval(place: str | None, field: Field[Any]) -> None:
    before, after = retrieval(), retrieval()
    holder = after[place] if place else after
    value = holder[field.name]
    holder[field.name] = (
        {**value, "k3": 2.0} if isinstance(value, dict)
        else RETRIEVED[field.name] if field.name in RETRIEVED
        else other_value(field, value)
    )  # fmt: skip
    differing = retrieval_differences(before, after, tokenizer_is_known=True)
    assert list(differing) == [name_of(field, "evaluate")]


def test_an_index_that_was_moved_is_the_same_retrieval() -> None:
    before, after = retrieval(tokenizer="m"), retrieval(tokenizer="elsewhere/m")
    after["retriever"]["index"] = "elsewhere"
    assert not retrieval_differences(before, after, tokenizer_is_known=True)
    assert list(retrieval_differences(before, after, tokenizer_is_known=False)) == ["--tokenizer"]
    after["index_sha256"] = "t"
    assert list(retrieval_differences(before, after, tokenizer_is_known=True)) == [
        "the retrieval's index"
    ]
    assert list(retrieval_differences(None, after, tokenizer_is_known=True)) == ["the retrieval"]


def test_contexts_of_an_older_manifest_had_none_of_the_newer_settings() -> None:
    older = retrieval()
    for newer in ("as_of", "as_of_strict", "raft"):
        del older[newer]
    assert not retrieval_differences(older, retrieval(), tokenizer_is_known=True)
