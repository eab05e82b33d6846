"""The declared commands of the project's practice, the places they run at, and what each place forbids.

Everything is read from `docs_src/commands.toml`, of which the package carries a copy. This room knows
nothing of the command line's parser: who has it hands it in.
"""

from __future__ import annotations

from lawqa.commands.chain import check_inputs
from lawqa.commands.expand import Rendered, expand, render, shell_line
from lawqa.commands.model import (
    Command,
    Experiment,
    Failure,
    Place,
    Rule,
    Source,
    Target,
)
from lawqa.commands.placefile import (
    DEFAULT_PLACE,
    PLACE_FILE,
    PLACE_KEYS,
    PlaceFile,
    Setting,
    current_place,
    find_place_file,
    place_file_text,
    place_settings,
    read_place_file,
)
from lawqa.commands.policy import Violation, check_policy, require_backend, violations
from lawqa.commands.source import packaged_source, places, read_source

__all__ = [
    "DEFAULT_PLACE",
    "PLACE_FILE",
    "PLACE_KEYS",
    "Command",
    "Experiment",
    "Failure",
    "Place",
    "PlaceFile",
    "Rendered",
    "Rule",
    "Setting",
    "Source",
    "Target",
    "Violation",
    "check_inputs",
    "check_policy",
    "current_place",
    "expand",
    "find_place_file",
    "packaged_source",
    "place_file_text",
    "place_settings",
    "places",
    "read_place_file",
    "read_source",
    "render",
    "require_backend",
    "shell_line",
    "violations",
]
