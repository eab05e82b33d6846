"""Every number that a user may set has a range, and what is outside is refused with flag, value and range."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from lawqa.backends.remote import Limits
from lawqa.cli import main
from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.errors import ConfigError
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.prompting import PromptSpec
from lawqa.settings import Hyperparameters
from lawqa.settings.ranges import RANGES, SAME_RANGE, out_of_range

pytestmark = pytest.mark.every_python

EVALUATE = ["evaluate", "--llm-backend", "scripted", "--script", "s.json"]
GENERATE = [*EVALUATE, "--answer-by", "generate"]
TRAIN = ["train", "--train-file", "r.jsonl", "--output-dir", "o"]
SEARCH = ["index", "search", "民法", "--index", "i"]
BUILD = ["index", "build", "--articles", "a.jsonl", "--output-dir", "i"]
OPENAI = ["evaluate", "--llm-backend", "openai", "--llm-model", "m"]


def numeric_fields(kind: Any) -> Iterator[str]:
    """The names of all fields of a command, and of those below it, that hold a number."""
    if get_origin(kind) is Literal:
        return
    if get_args(kind):
        for part in get_args(kind):
            yield from numeric_fields(part)
    elif is_dataclass(kind):
        hints = get_type_hints(kind, localns={"Any": Any, "Callable": Callable})
        for field in fields(kind):
            hint = hints[field.name]
            if hint in (int, float) or {int, float} & set(get_args(hint)):
                yield field.name
            else:
                yield from numeric_fields(hint)


def test_every_numeric_flag_has_a_range() -> None:
    names = {name for command in COMMANDS for name in numeric_fields(command_class(command))}
    assert len(names) > 40
    assert {SAME_RANGE.get(name, name) for name in names} <= RANGES.keys()


@pytest.mark.parametrize(
    ("argv", "flag", "value"),
    [
        (GENERATE, "--ensemble", "1000000000"),
        (GENERATE, "--max-new-tokens", str(2**62)),
        (GENERATE, "--max-new-tokens", "0"),
        (GENERATE, "--max-new-tokens", "9" * 300),
        (GENERATE, "--temperature", "nan"),
        (GENERATE, "--temperature", "inf"),
        (GENERATE, "--temperature", "-0.1"),
        (GENERATE, "--temperature", "1e400"),
        (GENERATE, "--top-p", "0"),
        (GENERATE, "--top-p", "nan"),
        (GENERATE, "--min-p", "1"),
        (GENERATE, "--top-k-sampling", "-1"),
        (GENERATE, "--thinking-budget", "-5"),
        (EVALUATE, "--samples", "0"),
        (EVALUATE, "--samples", "-1"),
        (EVALUATE, "--token-budget", str(2**40)),
        (EVALUATE, "--seed", str(2**64)),
        (EVALUATE, "--seed", "-1"),
        (OPENAI, "--timeout", "nan"),
        (OPENAI, "--timeout", "inf"),
        (OPENAI, "--timeout", "-1"),
        (OPENAI, "--concurrency", "1000000"),
        (OPENAI, "--request-retries", "-1"),
        (TRAIN, "--num-epochs", "inf"),
        (TRAIN, "--num-epochs", "nan"),
        (TRAIN, "--batch-size", "0"),
        (TRAIN, "--learning-rate", "nan"),
        (TRAIN, "--lora-r", "100000"),
        (TRAIN, "--max-seq-length", "1"),
        (TRAIN, "--max-steps-override", "0"),
        (TRAIN, "--save-minutes", "inf"),
        (SEARCH, "--top-k", "0"),
        (SEARCH, "--top-k", "1000000000"),
        (BUILD, "--k1", "nan"),
        (BUILD, "--k1", "inf"),
        (BUILD, "--b", "-1"),
        (["data", "show", "r.jsonl"], "--n", "-1"),
        (["statutes", "parse", "z", "--output", "o"], "--workers", "100000"),
        (["split", "--input", "q", "--output-dir", "o"], "--folds", "1"),
    ],
)
def test_a_number_out_of_its_range_is_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str], argv: list[str], flag: str, value: str
) -> None:
    assert main([*argv, flag, value]) == 2
    err = capsys.readouterr().err
    shown = value if len(value) < 40 else "a number of more than 40 digits"
    assert f"{flag} is {'inf' if shown == '1e400' else shown}" in err.replace(".0,", ",")
    assert "expected " in err
    assert "Traceback" not in err


@pytest.mark.parametrize("value", ["1e9", "many", "9" * 5000, "1_0__", ""])
def test_what_is_not_a_whole_number_is_refused(
    capsys: pytest.CaptureFixture[str], value: str
) -> None:
    assert main([*GENERATE, "--ensemble", value]) == 2
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(RANGES))
def test_a_range_holds_its_ends_and_neither_nan_nor_infinity(name: str) -> None:
    allowed = RANGES[name]
    assert allowed.holds(allowed.low) is not allowed.above
    assert allowed.holds(allowed.high) is not allowed.below
    for value in (math.nan, math.inf, -math.inf, allowed.high + 1, allowed.low - 7):
        assert not allowed.holds(value)


def test_settings_made_in_python_are_checked_too() -> None:
    with pytest.raises(
        ConfigError, match="--concurrency is 0, expected 1 or more and at most 1,024"
    ):
        Limits(concurrency=0)
    with pytest.raises(ConfigError, match="--lora-r is 0"):
        Hyperparameters(lora_r=0)
    from pathlib import Path

    from lawqa.pipelines.evaluation.config import check_config

    config = EvaluationConfig(Path("q"), PromptSpec(), "generate", "scripted", ensemble=10**9)
    with pytest.raises(ConfigError, match="--ensemble is 1000000000, expected 1 or more"):
        check_config(config)


def test_all_numbers_out_of_range_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as problem:
        Limits(timeout=0, concurrency=0, retries=-1)
    assert out_of_range(Limits()) == []
    assert len(problem.value.message.split("\n")) == 3
