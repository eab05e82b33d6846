"""What the room shows, and what importing it costs."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from lawqa import augment

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def test_the_public_names_are_sorted_and_there() -> None:
    # Ruff's sort (RUF022): constants, then classes, then functions.
    def kind(name: str) -> tuple[int, str]:
        return (0 if name.isupper() else 1 if name[0].isupper() else 2, name)

    assert augment.__all__ == sorted(augment.__all__, key=kind)
    assert all(hasattr(augment, name) for name in augment.__all__)


@pytest.mark.slow
def test_importing_brings_the_rooms_below_and_the_standard_library_only(run_python: Run) -> None:
    code = (
        "import sys; before = set(sys.modules); import lawqa.augment; "
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
