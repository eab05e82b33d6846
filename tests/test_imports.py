"""What a command imports: its own part of `lawqa`, and nothing of what it does not do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import lawqa
from lawqa.demo import embedded_questions

_PRINTED = "modules: "
_RUN = f"""
import sys
from lawqa.cli import main
code = main(sys.argv[1:])
print({_PRINTED!r}, *sorted(name for name in sys.modules if name.partition(".")[0] == "lawqa"))
sys.exit(code)
"""

UNUSED_BY_EVALUATE = (
    "lawqa.answers.evidence",  # patterns of a text's rules: scored labels are no text
    "lawqa.answers.text",
    "lawqa.augment",
    "lawqa.backends.scripted",
    "lawqa.demo",
    "lawqa.docgen",
    "lawqa.doctor",
    "lawqa.pipelines.corpus.leaks",  # only a training is held against the questions
    "lawqa.pipelines.experiments",
    "lawqa.pipelines.interchange",
    "lawqa.pipelines.training",
    "lawqa.records",
    "lawqa.report.page",
    "lawqa.report.plots",
    "lawqa.retrieval.index",
    "lawqa.retrieval.context",
    "lawqa.splits",
    "lawqa.training",
)
"""Packages and modules of what a run does not do that scores labels closed-book with a model of its own."""

MOST_MODULES = 260
"""Each takes one to five milliseconds, most of it for patterns and dataclasses, before the first question is
asked: 362 of them took a second. A new one that such a run really needs may raise this by one."""


@pytest.mark.torch
@pytest.mark.slow
def test_evaluate_imports_what_it_runs_and_nothing_else(tiny_dir: Path, tmp_path: Path) -> None:
    lawqa.write_questions(tmp_path / "questions.json", embedded_questions()[:2])
    command = [
        "evaluate", "--data", str(tmp_path / "questions.json"), "--condition", "closed", "--4bit",
        "--model-name", str(tiny_dir), "--run-dir", str(tmp_path / "run"), "--quiet",
    ]  # fmt: skip
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", _RUN, *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    imported = done.stdout.partition(_PRINTED)[2].split()
    assert "lawqa.backends.hf.backend" in imported
    unused = [
        name for name in imported for one in UNUSED_BY_EVALUATE if f"{name}.".startswith(f"{one}.")
    ]
    assert unused == []
    assert len(imported) <= MOST_MODULES
