"""The command line: arguments -> one function call -> exit code."""

from __future__ import annotations

import io
import logging
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import tyro

from lawqa.cli.command_table import COMMANDS, Runnable, command_class, help_of_all, only_named
from lawqa.cli.console import Console, console_messages
from lawqa.cli.help_text import terminal_width, tidied_parser, wrapped
from lawqa.cli.reachable import require_reachable
from lawqa.cli.standard_output import tolerant_output
from lawqa.errors import ConfigError, Interrupted, LawqaError, disk_fault, printable
from lawqa.settings.belonging import require_belonging
from lawqa.settings.ranges import require_in_range

EXIT_USER_MISTAKE = 2
EXIT_SOME_FAILED = 3
EXIT_BROKEN_PIPE = 141

CONFIG_HELP = (
    "--config FILE.toml takes flags from the table of this command, such as [train] or [crossval.run]; "
    "keys are flags without dashes, and the command line comes first. --save-config FILE.toml writes "
    "those that are given."
)

logger = logging.getLogger(__name__)

_NO_TELEMETRY = ("HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
"""Nothing is reported to anyone unless the user has said otherwise."""

_GPU_CONTROL = Path("/dev/nvidiactl")

_DESCRIPTION = (
    "Train and honestly evaluate language models on Japanese-law four-choice questions. "
    "`lawqa COMMAND --help` explains a command, `lawqa --version` prints version and commit."
)
_HELP = frozenset({"-h", "--help"})


def parse_arguments(argv: Sequence[str]) -> Runnable:
    """Return the command that these arguments name.

    Raises:
        ConfigError: there is no such command.
        SystemExit: the arguments are wrong (code 2), or help was asked for (code 0).
    """
    name, *rest = argv or [""]
    if name in _HELP:
        print(help_of_all(_DESCRIPTION))
        raise SystemExit(0)
    if name in COMMANDS:
        if _HELP.isdisjoint(rest) and (command := _parsed_silently(name, rest)):
            return command
        try:
            with tidied_parser(f"lawqa {name}"):
                return tyro.cli(command_class(name), prog=f"lawqa {name}", args=rest)
        except SystemExit as stop:
            if stop.code == 0 and not _HELP.isdisjoint(rest):
                print(wrapped(CONFIG_HELP, terminal_width(80)))
            raise
    if name and not name.startswith("-"):
        from difflib import get_close_matches

        near = get_close_matches(name, COMMANDS, n=3)
        raise ConfigError(
            f"lawqa has no command {name}",
            " or ".join(f"lawqa {one}" for one in near)
            if near
            else "lawqa --help  lists all of them",
        )
    table: Runnable = tyro.cli(
        only_named(), prog="lawqa", description=_DESCRIPTION, args=list(argv)
    )
    return table


def _parsed_silently(name: str, arguments: Sequence[str]) -> Runnable | None:
    """Return the command, parsed without explanations; None where something has to be printed.

    Explaining the flags takes half of the time of parsing them.
    """
    unprinted = io.StringIO()
    try:
        # Python forgets with the block what it has warned of, so that parsing again warns again.
        with warnings.catch_warnings(), redirect_stdout(unprinted), redirect_stderr(unprinted):
            kind = command_class(name, explained=False)
            command: Runnable = tyro.cli(kind, prog=f"lawqa {name}", args=arguments)
    except SystemExit:
        return None
    return None if unprinted.getvalue() else command


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the arguments without the program's name; None for those of this process.

    Returns:
        0 done, 1 a check found something, 2 the user's mistake, 3 finished but some items failed,
        130, 143 or 129 interrupted by Ctrl-C, SIGTERM or SIGHUP, 141 the reader of standard error has gone. A
        reader of standard output that has gone, as with `| head`, changes no code.
    """
    arguments = sys.argv[1:] if argv is None else argv
    for name in _NO_TELEMETRY:
        os.environ.setdefault(name, "1")  # a library reads it when it is imported
    if not _GPU_CONTROL.exists():
        # Torch's threads wait for each other many times a layer. While one of them has lost its core to
        # somebody else, the others would burn theirs (seen: twice the time) instead of lending it.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A terminal of another encoding than UTF-8 shows what it cannot hold as an escape.
        sys.stdout.reconfigure(errors="backslashreplace")
    if list(arguments) == ["--version"]:
        print(_version_line())
        return 0
    with console_messages(arguments) as console, tolerant_output():
        return console.ended(_code(list(arguments), console, own=argv is None))


def _version_line() -> str:
    """Give the version and, where lawqa runs from a checkout, its commit (`+changes` where files differ)."""
    from lawqa._version import __version__
    from lawqa.runs.environment import git_commit

    commit = git_commit()
    return f"lawqa {__version__}" + (f" ({commit})" if commit else "")


def _code(arguments: list[str], console: Console, *, own: bool) -> int:
    """Run a command; whatever ends it early is reported and becomes an exit code.

    Args:
        arguments: of the command.
        console: where it is reported.
        own: whether they are those of this process, as manifests keep them.
    """
    try:
        _refuse_empty(arguments)
        if any(word.startswith("--") and "config" in word for word in arguments):
            from lawqa.cli.config_file import with_config

            arguments = with_config(arguments)
            if own:  # a manifest says what ran, whatever becomes of the file
                sys.argv[1:] = arguments
        command = parse_arguments(arguments)
        console.follow(command)
        require_in_range(command, "lawqa COMMAND --help  explains every option")
        require_belonging(command, COMMANDS[arguments[0]].vocabulary)
        require_reachable(command)
        from lawqa.cli.applied_place import apply_place

        apply_place(arguments)
        return command.run()
    except SystemExit as stop:
        return stop.code if isinstance(stop.code, int) else EXIT_USER_MISTAKE
    except LawqaError as problem:
        return _reported(problem)
    except KeyboardInterrupt as stop:
        from lawqa.pipelines.evaluation.interrupts import exit_code

        saved = f": {stop.saved}" if isinstance(stop, Interrupted) else ""
        logger.error(f"interrupted{saved}")  # noqa: TRY400 - it is no bug
        return exit_code(stop)
    except BrokenPipeError:
        # Not standard output, which `tolerant_output` takes care of: such as `2>&1 | head`.
        return EXIT_BROKEN_PIPE
    except OSError as problem:
        fault = disk_fault(problem)
        if fault is None:
            raise
        return _reported(fault)


def _refuse_empty(arguments: Sequence[str]) -> None:
    """Refuse empty values, as an unset shell variable gives: as a path they would mean this directory.

    Raises:
        ConfigError: one is empty or blank.
    """
    for number, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        before = arguments[number - 1] if number else ""
        if not word.strip():
            flag = before if before.startswith("-") else f"argument {number + 1}"
        elif name.startswith("-") and equals and not value.strip():
            flag = name
        else:
            continue
        raise ConfigError(
            f"{flag} is empty, expected a value",
            "is a shell variable unset? the current directory is .",
        )


def _reported(problem: LawqaError) -> int:
    for kind, text in (("error", problem.message), ("hint", problem.hint)):
        if text:
            logger.error("%s: %s", kind, printable(text))
    return EXIT_USER_MISTAKE
