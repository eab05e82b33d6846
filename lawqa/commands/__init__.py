"""The declared commands of the project's practice, the places they run at, and what each place forbids.

Everything is read from `docs_src/commands.toml`, of which the package carries a copy. This package does not
know the command line's parser: callers pass it in.
"""

from __future__ import annotations

from lawqa.commands.chain import check_inputs
from lawqa.commands.expand import Rendered, expand, render_command, shell_line
from lawqa.commands.experiment import Experiment, KnownAccuracy, OutcomeId, OutcomeText
from lawqa.commands.model import (
    Chapter,
    Command,
    CommandSource,
    Document,
    KnownFailure,
    MakeTarget,
    Place,
    PlaceRule,
)
from lawqa.commands.placefile import (
    DEFAULT_PLACE,
    PLACE_FILE,
    PLACE_KEYS,
    PlaceFile,
    PlaceSetting,
    current_place,
    find_place_file,
    place_file_text,
    place_settings,
    read_place_file,
)
from lawqa.commands.policy import (
    Violation,
    check_policy,
    forbidden_programs,
    require_backend,
    violations,
    without_demands,
)
from lawqa.commands.source import packaged_source, places, read_source

__all__ = [
    "DEFAULT_PLACE",
    "PLACE_FILE",
    "PLACE_KEYS",
    "Chapter",
    "Command",
    "CommandSource",
    "Document",
    "Experiment",
    "KnownAccuracy",
    "KnownFailure",
    "MakeTarget",
    "OutcomeId",
    "OutcomeText",
    "Place",
    "PlaceFile",
    "PlaceRule",
    "PlaceSetting",
    "Rendered",
    "Violation",
    "check_inputs",
    "check_policy",
    "current_place",
    "expand",
    "find_place_file",
    "forbidden_programs",
    "packaged_source",
    "place_file_text",
    "place_settings",
    "places",
    "read_place_file",
    "read_source",
    "render_command",
    "require_backend",
    "shell_line",
    "violations",
    "without_demands",
]
