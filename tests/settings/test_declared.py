"""Every setting says what it changes, and its flag has every name that the lab uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from lawqa.cli import parse_arguments
from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.cli.console import ConsoleFlags
from lawqa.pipelines.corpus.augment import ReadingConfig, StatutesConfig
from lawqa.pipelines.corpus.indexes.building import IndexConfig, RetrieverConfig
from lawqa.pipelines.corpus.raft import RaftConfig
from lawqa.pipelines.corpus.statutes import ParseConfig
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.rag import RagConfig
from lawqa.pipelines.evaluation.servers import ServerConfig
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.distill import DistillConfig
from lawqa.pipelines.experiments.merge import MergeConfig
from lawqa.pipelines.experiments.pool.selecting import PoolSelectConfig
from lawqa.settings import (
    CONCERNS,
    AverageSettings,
    ModelSettings,
    PlaceSettings,
    TrainingRun,
    decides_result,
    flag_of,
    same_flags,
)

# Commands that look at what is there: what they show is stored nowhere.
LOOK = {
    "prompts", "publish", "rescore", "compare", "report", "export", "import", "runs", "data", "log", "step",
    "doctor", "place", "docs", "demo", "completion",
}  # fmt: skip
# Words for a prompt, which declares its own parts, or for several flags at once.
WORDS = {
    "condition",
    "few_shot",
    "mix",
    "mode",
    "no_rag",
    "thinking",
    "use_cot",
    "fp16",
    "bf16",
    "extra",
}
# How a command prints.
PRINTED = {"as_json", "full", "verify"}
# What `lawqa index info` and `lawqa statutes stats` look at.
LOOKED_AT = {"index": {"index"}, "statutes": {"file"}}
# Flags that a command spells itself, of a setting that its configuration declares under the same name.
CONFIGURED = {
    "evaluate": EvaluationConfig, "ladder": EvaluationConfig, "distill": DistillConfig,
    "pool": PoolSelectConfig, "augment": StatutesConfig, "crossval": CrossvalConfig, "sweep": CrossvalConfig,
    "average": AverageSettings, "merge": MergeConfig,
}  # fmt: skip
OWN = {
    "evaluate": {"llm_backend", "with_base"},
    "ladder": {"only", "time_budget", "prior_correction", "llm_backend", "prompt", "script"},
    "train": {"do_train"}, "prefer": {"do_train", "policy"},
    "distill": {"llm_backend"}, "probe": {"llm_backend"}, "pool": {"llm_backend"},
    "augment": {"file", "beside", "llm_backend"},
    "crossval": {"directories"}, "sweep": {"train_file"}, **LOOKED_AT,
}  # fmt: skip

TRAIN = ["train", "--train-file", "r.jsonl", "--output-dir", "o"]


@pytest.mark.parametrize(
    "kind",
    [
        *CONCERNS,
        TrainingRun,
        EvaluationConfig,
        CrossvalConfig,
        DistillConfig,
        MergeConfig,
        RagConfig,
        RetrieverConfig,
        RaftConfig,
        ServerConfig,
        IndexConfig,
        ParseConfig,
        ReadingConfig,
        StatutesConfig,
        PoolSelectConfig,
    ],
    ids=lambda kind: kind.__name__,
)
def test_every_setting_says_what_it_changes(kind: type) -> None:
    unsaid = [
        field.name
        for field in fields(kind)
        if field.metadata.get("changes") not in ("result", "speed", "place")
    ]
    assert unsaid == []


def leaves(kind: Any) -> Iterator[Field[Any]]:
    """The flags of a command: the fields below it that hold a value."""
    if is_dataclass(kind):
        hints = get_type_hints(kind, localns={"Any": Any, "Callable": Callable})
        for field in fields(kind):
            below = list(leaves(hints[field.name]))
            yield from below or [field]
    elif get_origin(kind) is not Literal:
        for part in get_args(kind):
            yield from leaves(part)


@pytest.mark.parametrize("command", sorted(COMMANDS.keys() - LOOK))
def test_every_flag_of_a_command_that_makes_something_is_a_declared_setting(command: str) -> None:
    configured = {field.name for field in fields(CONFIGURED.get(command, PlaceSettings))}
    console = {field.name for field in fields(ConsoleFlags)}
    known = WORDS | PRINTED | console | configured | OWN.get(command, set())
    undeclared = {
        field.name for field in leaves(command_class(command)) if "changes" not in field.metadata
    }
    assert undeclared <= known, f"declare {undeclared - known} in lawqa/settings"


@pytest.mark.parametrize(
    "flag", ["--max-steps-override", "--max-steps", "--max_steps_override", "--max_steps"]
)
def test_a_setting_is_given_by_the_lab_s_name_or_by_its_own(flag: str) -> None:
    assert vars(parse_arguments([*TRAIN, flag, "7"]))["max_steps"] == 7


def test_messages_use_the_name_that_the_command_s_script_had() -> None:
    assert flag_of(ModelSettings, "model_name", "train") == "--model-name"
    assert flag_of(ModelSettings, "model_name", "evaluate") == "--hf-model-name"
    assert flag_of(ModelSettings, "model_name") == "--model-name"
    for words in ("train", "evaluate", None):  # the one flag that every command calls the same
        assert flag_of(ModelSettings, "load_in_4bit", words) == "--4bit"


def test_a_flag_is_known_by_all_its_names() -> None:
    assert same_flags("--hf-model-name") == {"--model-name", "--hf-model-name"}
    assert same_flags("--llm-backend-of-nobody") == {"--llm-backend-of-nobody"}


@pytest.mark.parametrize(
    ("path", "decides"),
    [
        ("temperature", True),
        ("training.lora_alpha", True),
        ("load_in_4bit", True),
        ("rag.top_k", True),
        ("token_budget", False),
        ("training.save_steps", False),
        ("run_dir", False),
        ("server.limits.timeout", False),
        ("data", False),
        ("adapter", False),
    ],
)
def test_a_manifest_s_setting_decides_results_as_its_declaration_says(
    path: str, decides: bool
) -> None:
    assert decides_result(path.split(".")) is decides
