"""The flags of a command, read from its dataclass."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes, Positional, arg, subcommand

from lawqa.cli.flags import flags_of_class, subcommands_of


@dataclass(frozen=True)
class _Inner:
    rates: tuple[float, ...] = ()


@dataclass(frozen=True)
class _Run:
    file: Positional[Path]
    as_json: Annotated[FlagCreatePairsOff[bool], arg(name="json")] = False
    few_shot: bool = False
    output: Annotated[Path | None, arg(aliases=["-o"])] = None
    extra: tuple[tuple[str, ...], ...] = ()
    inner: OmitArgPrefixes[_Inner] = field(default_factory=_Inner)


@dataclass(frozen=True)
class _Show:
    path: Path = Path()


@dataclass(frozen=True)
class _Group:
    command: Annotated[
        Annotated[_Run, subcommand("run")] | Annotated[_Show, subcommand("show")], arg(name="")
    ]


def test_names_forms_and_opposites_are_read_and_positional_arguments_are_none() -> None:
    flags = {flag.names[0]: flag for flag in flags_of_class(_Run)}
    assert {name: flag.form for name, flag in flags.items()} == {
        "--json": "switch", "--few-shot": "switch", "-o": "value", "--extra": "lists",
        "--rates": "values",
    }  # fmt: skip
    assert flags["--json"].written() == {"--json"}
    assert flags["--few-shot"].written() == {"--few-shot", "--no-few-shot"}
    assert flags["-o"].names == ("-o", "--output")
    assert [name for name, flag in flags.items() if flag.number] == ["--rates"]


def test_a_group_names_its_subcommands() -> None:
    assert subcommands_of(_Group) == {"run": _Run, "show": _Show}
    assert subcommands_of(_Show) == {}
