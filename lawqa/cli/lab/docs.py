"""`lawqa docs`: the generated documents, written or checked."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args, get_type_hints

from tyro.conf import arg, subcommand

from lawqa.amounts import counted
from lawqa.cli.command_table import CommandGroup
from lawqa.errors import ConfigError

if TYPE_CHECKING:
    from lawqa.docgen import Interface

EXIT_FOUND = 1
_HELP_COLUMNS = "100"
_FRAME = re.compile(r"^[ ─╭╮╰╯│]+|[ ─╭╮╰╯│]+$|^ *-+ *$")
_LONGEST_COMPLAINT = 300


@dataclass(frozen=True)
class DocsBuild:
    """Write what changed of the documents, the README blocks and the Makefile's targets."""

    root: Path = Path()
    """The checkout."""

    def run(self) -> int:
        from lawqa.docgen import generate, unset_variables, write_files

        files = generate(self.root, interface())
        written = write_files(files)
        for name, value in unset_variables(self.root).items():
            print(
                f"note: {name} in docs_src/commands.toml is still {value}: the documents tell the reader to "
                "replace it; set it there once for all",
                file=sys.stderr,
            )
        for path in written:
            print(f"wrote {path}")
        print(f"{counted(len(files), 'generated file')}, {len(written)} changed")
        return 0


@dataclass(frozen=True)
class DocsCheck:
    """Compare the documents with what they are made from; exit code 1 and a diff where one is stale."""

    root: Path = Path()
    """The checkout."""

    def run(self) -> int:
        from lawqa.docgen import changed_files, diff_text, generate

        files = generate(self.root, interface())
        stale = changed_files(files)
        for path in stale:
            print(diff_text(path, files[path]), end="")
        if stale:
            print(f"{counted(len(stale), 'generated file')} out of date", file=sys.stderr)
            print("hint: make docs  (or lawqa docs build)", file=sys.stderr)
            return EXIT_FOUND
        print(f"{counted(len(files), 'generated file')} up to date")
        return 0


@dataclass(frozen=True)
class Docs(CommandGroup):
    """Make the documents from the declared commands, or check that they are current."""

    command: Annotated[
        Annotated[DocsBuild, subcommand("build")] | Annotated[DocsCheck, subcommand("check")],
        arg(name=""),
    ]


def interface() -> Interface:
    """Return the command line, as the documents need it."""
    from lawqa.docgen import Interface

    return Interface(parse_or_refuse, help_text, tuple(subcommands()))


def parse_or_refuse(argv: Sequence[str]) -> None:
    """Parse arguments as the program does.

    Raises:
        ConfigError: they are wrong.
    """
    _parse(tuple(argv))


# Documents show again what was declared, and laying out a parser takes its time.
@cache
def _parse(argv: tuple[str, ...]) -> None:
    from lawqa.cli import parse_arguments

    printed = io.StringIO()
    try:
        with contextlib.redirect_stderr(printed), contextlib.redirect_stdout(printed):
            parse_arguments(argv)
    except SystemExit as stop:
        if stop.code:
            lines = (_FRAME.sub("", line) for line in printed.getvalue().splitlines())
            said = " ".join(line for line in lines if line)
            raise ConfigError(said[:_LONGEST_COMPLAINT]) from None


def help_text(words: Sequence[str]) -> str:
    """Return what `--help` prints for a subcommand, at a fixed width and without colour."""
    return _help_text(tuple(words))


@cache
def _help_text(words: tuple[str, ...]) -> str:
    from lawqa.cli import parse_arguments

    printed = io.StringIO()
    with _columns(), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        parse_arguments([*words, "--help"])
    return "\n".join(line.rstrip() for line in printed.getvalue().strip().splitlines())


def subcommands() -> Iterator[tuple[str, ...]]:
    """Yield all subcommands by their words, the program itself first."""
    from lawqa.cli.command_table import COMMANDS, command_class

    yield ()
    for name in COMMANDS:
        yield (name,)
        yield from _inner(command_class(name), (name,))


def _inner(kind: type, before: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the subcommands of a command that has nothing but a union of annotated classes."""
    if not is_dataclass(kind) or [field.name for field in fields(kind)] != ["command"]:
        return
    union = get_type_hints(kind, include_extras=True)["command"]
    for member in get_args(get_args(union)[0]):
        inner, *marks = get_args(member)
        name = next(mark.name for mark in marks if hasattr(mark, "name") and mark.name)
        words = (*before, str(name))
        yield words
        yield from _inner(inner, words)


@contextlib.contextmanager
def _columns() -> Iterator[None]:
    """Fix the width of help, which is laid out for the terminal's: that must not decide what a
    document says.
    """
    before = {name: os.environ.get(name) for name in ("COLUMNS", "NO_COLOR")}
    os.environ.update(COLUMNS=_HELP_COLUMNS, NO_COLOR="1")
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
