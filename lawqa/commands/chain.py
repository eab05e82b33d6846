"""Whether every input of a place's commands is made by an earlier one, or declared as given."""

from __future__ import annotations

from collections.abc import Mapping

from lawqa.commands.expand import expand, render_command
from lawqa.commands.model import CommandSource, Place
from lawqa.errors import ConfigError


def check_inputs(
    source: CommandSource, place: Place, overrides: Mapping[str, str] | None = None
) -> None:
    """Follow the commands of a place from the first to the last.

    Raises:
        ConfigError: an input is neither made before nor given, or two commands make the same output.
    """
    variables = {**place.variables, **(overrides or {})}
    there = {expand(path, variables, f"given at {place.id}"): "" for path in place.given}
    for command in source.at(place.id):
        rendered = render_command(command, place, overrides)
        for path in rendered.inputs:
            if not any(path == made or path.startswith(f"{made}/") for made in there):
                raise ConfigError(
                    f"{command.id} at {place.id}: its input {path} is made by no earlier command "
                    "and not declared as given"
                )
        for path in rendered.outputs:
            maker = there.get(path, command.alternative_to)
            if maker not in ("", command.alternative_to):
                raise ConfigError(f"{command.id} at {place.id}: {path} is made by {maker} already")
            there.setdefault(path, command.id)
