"""Every setting says what it changes, and its flag has every name that the lab uses."""

from __future__ import annotations

from dataclasses import fields

import pytest

from lawqa.cli import parse_arguments
from lawqa.pipelines.corpus.indexes.building import RetrieverConfig
from lawqa.pipelines.corpus.raft import RaftConfig
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.rag import RagConfig
from lawqa.pipelines.evaluation.servers import ServerConfig
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.distill import DistillConfig
from lawqa.pipelines.experiments.merge import MergeConfig
from lawqa.settings import CONCERNS, ModelSettings, TrainingRun, decides_result, flag_of, same_flags

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
