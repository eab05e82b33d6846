"""What a command's place decides before it runs: the Hugging Face cache, and whether it may run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lawqa.commands.model import Place
    from lawqa.commands.placefile import PlaceFile

_REHEARSAL = "practice"
"""The place at which any other is rehearsed, with a toy model."""


def apply_place(arguments: list[str]) -> None:
    """Set HF_HOME from the place file before a command runs, and refuse what the place forbids.

    Raises:
        ConfigError: the place file is broken, for another host, or names no known place.
        PolicyError: the place forbids the command.
    """
    if arguments[:1] == ["place"]:  # it must be able to replace a broken file
        return
    from lawqa.commands.placefile import DEFAULT_PLACE, place_settings

    chosen, file = place_settings(_place_flag(arguments))
    if file is not None and file.hf_home is not None:
        os.environ.setdefault("HF_HOME", str(file.hf_home))
    machine = None if file is None else file.place
    elsewhere = machine not in (None, chosen.value) and chosen.value != _REHEARSAL
    if chosen.value == DEFAULT_PLACE and not elsewhere:
        return
    from lawqa.commands.policy import check_policy
    from lawqa.commands.source import packaged_source

    name = f"lawqa {' '.join(arguments[:1])}"
    if elsewhere:
        # Another place may be named, to read its steps; what the machine itself forbids stays forbidden.
        check_policy(packaged_source().place(str(machine)), ["lawqa", *arguments], name=name)
    if chosen.value == DEFAULT_PLACE:
        return
    place = packaged_source().place(chosen.value)
    os.environ.setdefault("HF_HOME", hf_home_of(place, None)[0])
    check_policy(place, ["lawqa", *arguments], name=name)


def hf_home_of(place: Place, file: PlaceFile | None) -> tuple[str, str]:
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
