"""`lawqa place`: which place this machine is, and the file that stores it."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg, subcommand

from lawqa.cli.applied_place import hf_home_of
from lawqa.cli.command_table import CommandGroup
from lawqa.settings import PlaceSettings, RunSettings, declaration


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
        from lawqa.commands.placefile import PLACE_FILE, place_file_text
        from lawqa.commands.source import packaged_source
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
        from lawqa.commands.expand import expand
        from lawqa.commands.placefile import place_settings
        from lawqa.commands.source import packaged_source
        from lawqa.report.table import Table, render_text

        chosen, file = place_settings(self.place)
        place = packaged_source().place(chosen.value)
        columns = ["setting", "value", "from"]
        rows: list[list[str]] = [[chosen.name, chosen.value, chosen.origin]]
        rows.append(["hf_home", *hf_home_of(place, file)])
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
