"""Settings made in a script: paths as texts, lists for tuples, and everything else refused by name."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from importlib import import_module
from pathlib import Path, PurePosixPath
from typing import Any, Literal, get_args, get_type_hints

import pytest

import lawqa
from lawqa.errors import ConfigError
from lawqa.settings import Hyperparameters, Settings, TrainingRun, as_path, as_paths


def kinds_of_settings() -> Iterator[type]:
    """Every dataclass of the package that takes settings, those of the command line apart."""
    for module in pkgutil.walk_packages(lawqa.__path__, "lawqa."):
        if not module.name.startswith(("lawqa.settings", "lawqa.pipelines")):
            continue
        for value in vars(import_module(module.name)).values():
            if isinstance(value, type) and value.__module__ == module.name and is_dataclass(value):
                yield value


def value_for(hint: Any) -> object:
    """Something that a field without a default accepts."""
    if hint is Path or Path in get_args(hint):
        return "a/file"
    if hint in (str, int):
        return hint()
    if getattr(hint, "__origin__", None) is Literal:
        return get_args(hint)[0]
    if getattr(hint, "__origin__", None) is tuple:
        return ()
    return hint(**required_of(hint))


def required_of(kind: type) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {
        field.name: value_for(hints[field.name])
        for field in fields(kind)  # type: ignore[arg-type]  # it is a dataclass
        if field.default is MISSING and field.default_factory is MISSING
    }


PATH_HINTS = (Path, Path | None, tuple[Path, ...])
PATH_FIELDS = [
    (kind, name)
    for kind in kinds_of_settings()
    if issubclass(kind, Settings)
    for name, hint in get_type_hints(kind).items()
    if hint in PATH_HINTS
]


@pytest.mark.parametrize(
    ("kind", "name"), [pytest.param(k, n, id=f"{k.__name__}.{n}") for k, n in PATH_FIELDS]
)
def test_every_path_of_every_setting_may_be_a_text(kind: type, name: str) -> None:
    hint = get_type_hints(kind)[name]
    for given in ("some/where", Path("some/where"), PurePosixPath("some/where")):
        made = getattr(kind(**{**required_of(kind), name: given}), name)
        assert made == ((Path("some/where"),) if hint == tuple[Path, ...] else Path("some/where"))


def test_there_are_path_fields_to_try() -> None:
    assert len(PATH_FIELDS) > 30
    assert (TrainingRun, "train_file") in PATH_FIELDS
    assert (lawqa.EvaluationConfig, "run_dir") in PATH_FIELDS


def test_every_configuration_converts_its_paths() -> None:
    left = [
        kind.__name__
        for kind in kinds_of_settings()
        if kind.__name__.endswith(("Config", "Settings", "Run")) and not issubclass(kind, Settings)
    ]
    assert left == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"train_file": 3}, "train_file is 3, expected a path"),
        ({"train_file": ""}, "train_file is '', expected a path"),
        ({"train_file": b"x"}, "train_file is b'x', expected a path"),
        ({"train_file": None}, "train_file is None, expected a path"),
        ({"train_file": "a\0b"}, "train_file is 'a\\x00b', expected a path"),
        ({"dev_file": 3}, "dev_file is 3, expected a path or None"),
        ({"dtype": "bf16"}, "dtype is 'bf16', expected 'auto', 'bfloat16', 'float16' or 'float32'"),
        ({"fsdp": 1}, "fsdp is 1, expected True or False"),
        (
            {"report_to": "none"},
            "report_to is 'none', expected 'tensorboard', 'wandb', 'mlflow' or 'trackio'",
        ),
        ({"training": {"lora_r": 8}}, "training is {'lora_r': 8}, expected a Hyperparameters"),
    ],
)  # fmt: skip
def test_what_is_of_another_type_is_refused_by_name(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        TrainingRun(**{"train_file": "a.jsonl", "output_dir": "b", **given})
    assert refused.value.message == said
    assert "TrainingRun" in refused.value.hint


def test_all_mistakes_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as refused:
        Hyperparameters(num_epochs="3", lora_r=1.5, batch_size=True)  # type: ignore[arg-type]
    assert refused.value.message.splitlines() == [
        "num_epochs is '3', expected a number",
        "batch_size is True, expected a whole number",
        "lora_r is 1.5, expected a whole number",
    ]


def test_lists_become_tuples_and_a_path_may_name_a_model() -> None:
    run = TrainingRun(
        train_file="a.jsonl",  # type: ignore[arg-type]
        output_dir="b",  # type: ignore[arg-type]
        model_name=Path("models/small"),  # type: ignore[arg-type]
        report_to=["mlflow"],  # type: ignore[arg-type]
    )
    assert (run.model_name, run.report_to) == ("models/small", ("mlflow",))
    assert run.train_file == Path("a.jsonl")
    assert replace(run, output_dir="c").output_dir == Path("c")  # type: ignore[arg-type]


def test_numbers_of_numpy_are_stored_as_plain_ones() -> None:
    numpy = pytest.importorskip("numpy")
    made = Hyperparameters(lora_r=numpy.int64(8), learning_rate=numpy.float32(0.5))
    assert type(made.lora_r) is int
    assert type(made.learning_rate) is float
    assert Hyperparameters(num_epochs=2).num_epochs == 2


@dataclass(frozen=True)
class Loose(Settings):
    anything: Any = None
    pairs: tuple[tuple[str, int], ...] = ()


def test_what_a_hint_does_not_say_is_left_alone() -> None:
    marker = object()
    assert Loose(anything=marker).anything is marker
    assert Loose(pairs=[["a", 1]]).pairs == (("a", 1),)  # type: ignore[arg-type,list-item]
    with pytest.raises(ConfigError, match=r"pairs is .*, expected a list of 2"):
        Loose(pairs=(("a",),))  # type: ignore[arg-type]


def test_arguments_are_converted_by_the_same_rules() -> None:
    assert as_path("runs/a", "run") == Path("runs/a")
    assert as_paths("runs/a", "runs") == (Path("runs/a"),)
    assert as_paths(["a", Path("b")], "runs") == (Path("a"), Path("b"))
    with pytest.raises(ConfigError, match="runs is 3, expected a path or a list of paths"):
        as_paths(3, "runs")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="base is None, expected a path"):
        as_path(None, "base")  # type: ignore[arg-type]
