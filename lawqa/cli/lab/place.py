"""`lawqa place`: which place this machine is, and the file that stores it."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import Positional, arg, subcommand

from lawqa.cli.command_table import CommandGroup
from lawqa.settings import PlaceSettings, RunSettings, declaration

_REHEARSAL = "practice"
"""The place at which any other is rehearsed, with a toy model."""

if TYPE_CHECKING:
    from lawqa.commands import Place, PlaceFile


@dataclass(frozen=True)
class PlaceInit:
    """Write lawqa.toml into the working directory, so that every command knows where it runs."""

    place: Positional[str]
    """local-3080, heart01, practice or any."""
    host: str | None = None
    """A pattern of this machine's name, such as jupyter-*. Without it: this machine's own name."""
    hf_home: str | None = None
    """The Hugging Face cache. Without it: that of the place."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier file."""

    def run(self) -> int:
        from lawqa.commands import PLACE_FILE, packaged_source, place_file_text
        from lawqa.files import write_text
        from lawqa.runs.directory import claim_output

        place = packaged_source().place(self.place)
        path = Path(PLACE_FILE)
        host = self.host or socket.gethostname()
        hf_home = self.hf_home or place.variables["hf_home"]
        claim_output(path, "lawqa place init:", fresh=self.fresh)
        write_text(path, place_file_text(place, host, hf_home))
        print(f"wrote {path}: place {place.id}, host {host}, hf_home {hf_home}")
        return 0


@dataclass(frozen=True)
class PlaceShow:
    """Show the place in force, its settings, where each comes from, and what the place forbids."""

    place: str | None = field(default=None, metadata=declaration(PlaceSettings, "place"))
    """Show this place instead."""

    def run(self) -> int:
        from lawqa.commands import expand, packaged_source, place_settings
        from lawqa.report.table import Table, render_text

        chosen, file = place_settings(self.place)
        place = packaged_source().place(chosen.value)
        columns = ["setting", "value", "from"]
        rows: list[list[str]] = [[chosen.name, chosen.value, chosen.origin]]
        rows.append(["hf_home", *_hf_home(place, file)])
        for key in ("model", "data", "index", "work"):
            if file is not None and key in file.overrides:
                rows.append([key, file.overrides[key], str(file.path)])
            elif key in place.variables:
                shown = expand(place.variables[key], place.variables, key)
                rows.append([key, shown, f"the place {place.id}"])
        print(render_text(Table(columns, rows)))
        print(f"\n{place.title}\nmodel: {place.model}\nbackends: {', '.join(place.backends)}")
        for rule in place.rules:
            print(f"rule {rule.id}: {rule.reason}")
        return 0


@dataclass(frozen=True)
class PlaceCommand(CommandGroup):
    """Set or show which place this machine is."""

    command: Annotated[
        Annotated[PlaceInit, subcommand("init")] | Annotated[PlaceShow, subcommand("show")],
        arg(name=""),
    ]


def apply_place(arguments: list[str]) -> None:
    """Set HF_HOME from the place file before a command runs, and refuse what the place forbids.

    Raises:
        ConfigError: the place file is broken, for another host, or names no known place.
        PolicyError: the place forbids the command.
    """
    if arguments[:1] == ["place"]:  # it must be able to replace a broken file
        return
    from lawqa.commands import DEFAULT_PLACE, place_settings

    chosen, file = place_settings(_place_flag(arguments))
    if file is not None and file.hf_home is not None:
        os.environ.setdefault("HF_HOME", str(file.hf_home))
    from lawqa.commands import check_policy, packaged_source

    name = f"lawqa {' '.join(arguments[:1])}"
    if file is not None and file.place not in (None, chosen.value) and chosen.value != _REHEARSAL:
        # Another place may be named, to read its steps; what the machine itself forbids stays forbidden.
        check_policy(packaged_source().place(str(file.place)), ["lawqa", *arguments], name=name)
    if chosen.value == DEFAULT_PLACE:
        return
    place = packaged_source().place(chosen.value)
    os.environ.setdefault("HF_HOME", _hf_home(place, None)[0])
    check_policy(place, ["lawqa", *arguments], name=name)


def _hf_home(place: Place, file: PlaceFile | None) -> tuple[str, str]:
    """Return the Hugging Face cache in force, and where it comes from."""
    if os.environ.get("HF_HOME"):
        return os.environ["HF_HOME"], "HF_HOME"
    if file is not None and file.hf_home is not None:
        return str(file.hf_home), str(file.path)
    home = Path(place.variables["hf_home"]).expanduser().absolute()
    return str(home), f"the place {place.id}"


def _place_flag(arguments: list[str]) -> str | None:
    """Return the value of --place; None where it was not given."""
    for i, word in enumerate(arguments):
        name, equals, value = word.partition("=")
        if name == "--place":
            return value if equals else next(iter(arguments[i + 1 : i + 2]), None)
    return None
