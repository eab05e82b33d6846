"""Every setting says what it changes, and its flag has every name that the lab uses."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import Field, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest

from lawqa.cli import parse_arguments
from lawqa.cli.command_table import COMMANDS, command_class
from lawqa.cli.console import ConsoleFlags
from lawqa.pipelines.corpus.augment import ReadingConfig, StatutesConfig
from lawqa.pipelines.corpus.indexes.building import IndexConfig
from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
from lawqa.pipelines.corpus.raft_config import RaftConfig
from lawqa.pipelines.corpus.statutes import ParseConfig
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.contexts import RagConfig
from lawqa.pipelines.evaluation.servers import ServerConfig
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.distill import DistillConfig
from lawqa.pipelines.experiments.merge import MergeConfig
from lawqa.pipelines.experiments.pool.selecting import PoolSelectConfig
from lawqa.settings import (
    CONCERNS,
    ModelSettings,
    TrainingRun,
    flag_of,
)

# Commands that look at what is there: what they show is stored nowhere.
LOOK = {
    "prompts", "publish", "rescore", "compare", "report", "export", "import", "runs", "data", "log", "step",
    "doctor", "place", "docs", "demo", "completion",
}  # fmt: skip
# Words for a prompt, which declares its own parts, or for several flags at once.
WORDS = {
    "few_shot",
    "no_rag",
    "use_cot",
    "fp16",
    "bf16",
    "extra",
}
# How a command prints.
PRINTED = {"as_json", "full", "verify"}
# What `lawqa index info` and `lawqa statutes stats` look at.
LOOKED_AT = {"index": {"index"}, "statutes": {"file"}}
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
    console = {field.name for field in fields(ConsoleFlags)}
    known = WORDS | PRINTED | console | OWN.get(command, set())
    undeclared = {
        field.name for field in leaves(command_class(command)) if "changes" not in field.metadata
    }
    assert undeclared <= known, f"declare {undeclared - known} in lawqa/settings"


# Two settings of one name: what each is.
HOMONYMS = {
    "adapter": "the one that answers; in a manifest, the one that did",
    "model": "as adapter; of a plan, the one that is reckoned with",
    "data": "the questions; of compare, those that groups are made of",
    "dense": "of an index, the model whose embeddings it stores; of a search, the one whose ranking joins in",
    "dev_questions": "of a training, how many are asked; of a plan, how many are reckoned with",
    "dev_samples": "as dev_questions",
    "input": "the questions to divide; e-Gov's files to read",
    "keep": "of a training on distilled answers, part of what is learnt; of a pool, where one stops taking",
    "limit": "of generated questions, which are made; of a pool, where one stops taking",
    "probe_max_new_tokens": "of a training, nothing without --probe-questions; a probe always asks",
    "questions": "a file of them; how many a comparison has",
    "retries": "of a request to a server; of a question of a run",
    "samples_per_question": "of a training, part of what is learnt; of a pool, where one stops drawing",
    "seed": "of records, nothing without what is drawn",
    "seeds": "how many trainings; for a comparison's size, a list of them; of compare, what repeats what",
    "tokenizer": "of contexts, what counts them; of a server's prompts, what bounds them",
}
# Flags of the name of a setting that only choose what is shown, or that say it in words of their own.
SHOWN = {
    "adapter": "a part of a run's name to list", "model": "as adapter", "kind": "of runs to list",
    "index": "one to show", "output": "each command names its own file, with -o", "output_dir": "as output",
    "output_path": "as output", "extra": "FILE=WEIGHT in words", "prompt": "several of them in words",
    "quiet": "of the console", "run_dir": "of the demo", "seed": "of the demo", "tokenizer": "to show with",
    "data": "several files", "seeds": "of compare",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A field as it is written in a dataclass of settings or flags."""

    kind: str
    name: str
    place: str
    metadata: str
    no_flag: bool

    @property
    def declares(self) -> bool:
        return bool(self.metadata) and "declaration(" not in self.metadata


@cache
def written_fields(root: Path) -> tuple[Written, ...]:
    return tuple(_written_fields(root))


def _written_fields(root: Path) -> Iterator[Written]:
    for path in sorted(root.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for kind in (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)):
            if kind.name.startswith("_"):
                continue  # a command's own values
            if any("dataclass" in ast.unparse(one) for one in kind.decorator_list):
                for one in kind.body:
                    if isinstance(one, ast.AnnAssign):
                        yield _written(kind.name, one, f"{path.relative_to(root)}:{one.lineno}")


def _written(kind: str, field: ast.AnnAssign, place: str) -> Written:
    value = field.value
    keywords = value.keywords if isinstance(value, ast.Call) else []
    metadata = next((ast.unparse(one.value) for one in keywords if one.arg == "metadata"), "")
    if re.fullmatch(r"called(_content)?\(.*\)|within\(.*\)|_alone\(_of_training\(.*\)\)", metadata):
        # What has no flag; an object, whose parts are declared; what a plan takes over.
        metadata = f"declaration({metadata})"
    hint = ast.unparse(field.annotation)
    no_flag = "Positional" in hint or "OmitArgPrefixes" in hint
    return Written(kind, ast.unparse(field.target), place, metadata, no_flag)


def declared_twice(root: Path) -> dict[str, list[str]]:
    """By the name of a setting, the places that say what it changes, where they are several."""
    places: dict[str, list[str]] = defaultdict(list)
    for one in written_fields(root):
        if one.declares:
            places[one.name].append(one.place)
    return {name: where for name, where in places.items() if len(where) > 1}


def spelled_by_hand(root: Path) -> dict[str, list[str]]:
    """By the name of a setting, the places where a command has a flag of that name that declares nothing."""
    settings = {one.name for one in written_fields(root) if one.declares}
    places: dict[str, list[str]] = defaultdict(list)
    for one in written_fields(root):
        # Commands are in the packages of `cli`, flags that several share in classes of that name.
        of_command = one.place.startswith("cli/") and (
            one.place.count("/") > 1 or one.kind.endswith("Flags")
        )
        flag = of_command and not one.metadata and not one.no_flag
        if flag and one.name in settings:
            places[one.name].append(one.place)
    return places


@pytest.mark.parametrize(
    ("second", "twice", "by_hand"),
    [
        ("k1: float = field(default=0.9, metadata=RESULT)", {"k1"}, set()),
        ('k1: float = field(default=0.9, metadata=declaration(IndexSettings, "k1"))', set(), set()),
        ("k1: float = 0.9", set(), {"k1"}),
        ("k1: Positional[float]", set(), set()),
    ],
)
def test_a_second_declaration_is_seen(
    second: str, twice: set[str], by_hand: set[str], tmp_path: Path
) -> None:
    (tmp_path / "settings").mkdir()
    (tmp_path / "cli" / "law").mkdir(parents=True)
    head = "@dataclass(frozen=True)\nclass Kind:\n    "
    first = f"{head}k1: float = field(default=0.9, metadata=RESULT)\n"
    (tmp_path / "settings" / "corpus.py").write_text(first, encoding="utf-8")
    (tmp_path / "cli" / "law" / "index.py").write_text(f"{head}{second}\n", encoding="utf-8")
    assert declared_twice(tmp_path).keys() == twice
    assert spelled_by_hand(tmp_path).keys() == by_hand


def test_a_setting_is_declared_once(checkout: Path) -> None:
    twice = declared_twice(checkout / "lawqa")
    assert twice.keys() - HOMONYMS.keys() == set(), f"use declaration(KIND, NAME): {twice}"
    assert HOMONYMS.keys() - twice.keys() == set()


def test_a_command_takes_its_flags_from_the_settings(checkout: Path) -> None:
    by_hand = spelled_by_hand(checkout / "lawqa")
    assert by_hand.keys() - SHOWN.keys() == set(), f"use declaration(KIND, NAME): {by_hand}"
    assert SHOWN.keys() - by_hand.keys() == set()


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
