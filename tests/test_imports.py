"""What a command imports: its own part of `lawqa`, and nothing of what it does not do."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import lawqa
from lawqa.demo import embedded_questions

_PRINTED = "modules: "
_RUN = f"""
import sys
from lawqa.cli import main
code = main(sys.argv[1:])
print({_PRINTED!r}, *sorted(sys.modules))
sys.exit(code)
"""

UNUSED_BY_EVALUATE = (
    "lawqa.answers.evidence",  # patterns of a text's rules: scored labels are no text
    "lawqa.answers.text",
    "lawqa.augment",
    "lawqa.backends.hf.engine.loop",
    "lawqa.backends.scripted",
    "lawqa.commands.source",  # all declared commands, of which the default place needs none
    "lawqa.demo",
    "lawqa.docgen",
    "lawqa.doctor",
    "lawqa.pipelines.adapters.notes",  # only a training is held against the questions
    "lawqa.pipelines.comparing",
    "lawqa.pipelines.corpus.leaks",
    "lawqa.pipelines.experiments",
    "lawqa.pipelines.interchange",
    "lawqa.pipelines.training",
    "lawqa.records",
    "lawqa.report.notebook",
    "lawqa.report.page",
    "lawqa.report.plots",
    "lawqa.retrieval.index",
    "lawqa.retrieval.context",
    "lawqa.scoring.comparisons",
    "lawqa.settings.experiments",
    "lawqa.settings.training",
    "lawqa.splits",
    "lawqa.statutes.normalise",
    "lawqa.training",
    "typeguard",  # of tyro, which asks it of unusual types; brings unittest.mock with it
)
"""Packages and modules of what a run does not do that scores labels closed-book with a model of its own."""
UNUSED_SERVERS = ("lawqa.backends.remote.ollama", "lawqa.backends.remote.openai")

MOST_MODULES = 210
"""Each takes one to five milliseconds, most of it for patterns and dataclasses, before the first question is
asked: 361 of them took 0.9 seconds. A new one that such a run really needs may raise this by one."""


UNUSED_BY_TRAIN = (
    "lawqa.answers.evidence",
    "lawqa.augment.comprehension",  # of questions that were made only their ids are asked
    "lawqa.augment.questions",
    "lawqa.augment.statutes",
    "lawqa.backends.remote",
    "lawqa.docgen",
    "lawqa.pipelines.comparing",
    "lawqa.pipelines.evaluation.rag",  # only texts that are drawn while training get contexts then
    "lawqa.pipelines.experiments",
    "lawqa.pipelines.training.policy",
    "lawqa.report.notebook",
    "lawqa.report.page",
)
MOST_MODULES_OF_TRAIN = 225
"""Of a rehearsal: 342 of them took 0.8 seconds."""


def imported_by(*command: str) -> list[str]:
    """Run a command in a process of its own and return the names of all modules that it imported."""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _RUN, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.partition(_PRINTED)[2].split()


def within(names: list[str], packages: tuple[str, ...]) -> list[str]:
    """Return the names that are one of these packages or in one."""
    return [name for name in names if f"{name}.".startswith(tuple(f"{one}." for one in packages))]


@pytest.fixture
def asked(tmp_path: Path) -> str:
    lawqa.write_questions(tmp_path / "questions.json", embedded_questions()[:2])
    return str(tmp_path / "questions.json")


@pytest.mark.torch
@pytest.mark.slow
def test_evaluate_imports_what_it_runs_and_nothing_else(
    tiny_dir: Path, asked: str, tmp_path: Path
) -> None:
    imported = imported_by(
        "evaluate", "--data", asked, "--condition", "closed", "--4bit",
        "--model-name", str(tiny_dir), "--run-dir", str(tmp_path / "run"), "--quiet",
    )  # fmt: skip
    assert "lawqa.backends.hf.backend" in imported
    assert within(imported, (*UNUSED_BY_EVALUATE, *UNUSED_SERVERS)) == []
    assert 150 < len(within(imported, ("lawqa",))) <= MOST_MODULES


@pytest.mark.torch
@pytest.mark.slow
def test_a_rehearsed_training_imports_no_makers_of_questions(
    tiny_dir: Path, asked: str, tmp_path: Path
) -> None:
    imported = imported_by(
        "train", "--train-file", asked, "--4bit", "--model-name", str(tiny_dir),
        "--output-dir", str(tmp_path / "adapter"), "--quiet",
    )  # fmt: skip
    assert "lawqa.training.adapter" in imported
    assert within(imported, UNUSED_BY_TRAIN) == []
    assert 150 < len(within(imported, ("lawqa",))) <= MOST_MODULES_OF_TRAIN


def test_what_must_not_be_imported_is_there_under_its_name() -> None:
    """A module that was renamed would be absent for ever."""
    names = (*UNUSED_BY_EVALUATE, *UNUSED_SERVERS, *UNUSED_BY_TRAIN)
    assert [name for name in names if find_spec(name) is None] == []
