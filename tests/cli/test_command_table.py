"""The table of commands, which is printed without importing any of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from lawqa.cli.command_table import COMMANDS, command_class


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_says_what_the_command_s_own_help_says(name: str) -> None:
    assert COMMANDS[name].summary == str(command_class(name).__doc__).splitlines()[0]


def test_every_command_is_in_the_table(checkout: Path) -> None:
    runnable = {path.stem.rstrip("_") for path in (checkout / "lawqa" / "cli").glob("*/*.py")}
    assert set(COMMANDS) <= runnable


def test_the_table_is_printed_without_importing_what_commands_need() -> None:
    code = (
        "import contextlib, sys\n"
        "from lawqa.cli import main\n"
        "main(['--help'])\n"
        "print('modules:', *sorted(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    table, _, modules = done.stdout.partition("modules:")
    assert all(f" {name} " in table for name in COMMANDS)
    imported = {name for name in modules.split() if name.startswith("lawqa")}
    assert imported <= {
        "lawqa", "lawqa._version", "lawqa.bars", "lawqa.cli", "lawqa.errors",
        "lawqa.cli.console", "lawqa.cli.flags", "lawqa.cli.help_text", "lawqa.cli.reachable",
        "lawqa.cli.spelling", "lawqa.cli.standard_output", "lawqa.cli.command_table", "lawqa.offered",
        "lawqa.shown",
        *(name for name in imported if name.startswith("lawqa.settings")),
    }  # fmt: skip
    assert not {"numpy", "scipy", "torch", "jinja2", "importlib.metadata"} & set(modules.split())
