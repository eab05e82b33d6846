"""What importing the room costs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.slow
def test_the_types_of_questions_are_known_without_the_makers(run_python: Run) -> None:
    code = (
        "import sys; from lawqa.augment.question_types import source_of; "
        "print(source_of('生成_民法_1_穴埋め_2'), source_of('民法_1'), "
        "*(name for name in sys.modules if name.startswith('lawqa.')))"
    )
    known = run_python("-c", code).stdout
    assert known.startswith("statute:cloze  lawqa.")
    brought = {*known.split()[1:]}
    assert brought == {
        *("lawqa._version", "lawqa.offered", "lawqa.shown"),
        *("lawqa.augment", "lawqa.augment.question_types"),
    }


@pytest.mark.slow
def test_importing_brings_the_rooms_below_and_the_standard_library_only(run_python: Run) -> None:
    code = (
        "import sys; before = set(sys.modules); import lawqa.augment.reading, lawqa.augment.statutes; "
        "new = set(sys.modules) - before; "
        "print(sorted({m.split('.')[0] for m in new} - sys.stdlib_module_names)); "
        "print(sorted({'.'.join(m.split('.')[:2]) for m in new if m.startswith('lawqa.')}))"
    )
    done = run_python("-c", code)
    assert done.returncode == 0, done.stderr
    foreign, rooms = done.stdout.splitlines()
    assert foreign == "['lawqa']"
    assert rooms == str(
        [
            "lawqa._version",
            "lawqa.amounts",
            "lawqa.augment",
            "lawqa.bars",
            "lawqa.choices",
            "lawqa.digests",
            "lawqa.errors",
            "lawqa.few_shot",
            "lawqa.files",
            "lawqa.made",
            "lawqa.offered",
            "lawqa.prompting",
            "lawqa.prompts",
            "lawqa.questions",
            "lawqa.settings",
            "lawqa.shown",
            "lawqa.statutes",
            "lawqa.templates",
            "lawqa.thinking",
        ]
    )


@pytest.mark.slow
def test_the_commands_answer_for_help_without_making_anything(run_python: Run) -> None:
    code = "import sys; import lawqa.cli.questions.augment; print('lawqa.augment' in sys.modules)"
    assert run_python("-c", code).stdout == "False\n"
