"""What a step ran with, so that it is not done twice and not taken for done when something changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lawqa._version import __version__
from lawqa.commands.expand import Rendered
from lawqa.errors import DataError
from lawqa.files import JsonObject, strict_json
from lawqa.runs.manifest import RunStatus

SCHEMA_VERSION = 1
_WHOLE_BYTES = 64 << 20
_SAMPLE_BYTES = 1 << 20


@dataclass(frozen=True)
class Fingerprint:
    """Everything that decides what a step makes."""

    command: tuple[str, ...]
    """Program and arguments."""
    environment: Mapping[str, str]
    """Environment variables that it sets."""
    inputs: Mapping[str, str]
    """A digest of each input; empty for one that is not there."""
    version: str
    """The version of lawqa."""

    def differences(self, other: Fingerprint) -> list[str]:
        """Return the names of the parts that differ; of the inputs their paths."""
        mine, theirs = asdict(self), asdict(other)
        named = [key for key in ("command", "environment", "version") if mine[key] != theirs[key]]
        paths = sorted({*self.inputs, *other.inputs})
        return named + [
            f"input {path}" for path in paths if self.inputs.get(path) != other.inputs.get(path)
        ]


@dataclass(frozen=True)
class StepState:
    """How a step's last attempt ended."""

    status: RunStatus
    """`running` also for an attempt that was killed."""
    ran_with: Fingerprint
    """What it ran with."""
    started: str
    """UTC, ISO 8601."""
    ended: str | None
    """UTC, ISO 8601; None while it runs."""
    code: int | None
    """Its exit code; None while it runs, or where its outputs were adopted."""

    def to_json(self) -> JsonObject:
        """Return the form in which it is stored."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}


def read_state(path: Path) -> StepState | None:
    """Return a stored state; None where there is none.

    Raises:
        DataError: the file is broken or of another version.
    """
    if not path.is_file():
        return None
    try:
        content = strict_json(path.read_text(encoding="utf-8"))
        version = content.pop("schema_version")
        ran_with = content.pop("ran_with")
        ran_with["command"] = tuple(ran_with["command"])
        state = StepState(ran_with=Fingerprint(**ran_with), **content)
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise DataError(
            f"{path}: is not the state of a step: {problem}", _start_over(path)
        ) from None
    if version != SCHEMA_VERSION:
        message = f"{path}: schema_version is {version}, expected {SCHEMA_VERSION}"
        raise DataError(message, _start_over(path))
    return state


def _start_over(path: Path) -> str:
    return f"remove {path}; then --adopt takes the step's outputs as they are, --fresh makes them again"


def inputs_now(rendered: Rendered) -> Fingerprint:
    """Return what a step would run with now."""
    return Fingerprint(
        command=rendered.argv,
        environment=dict(rendered.env),
        inputs={path: digest(Path(path)) for path in rendered.inputs},
        version=__version__,
    )


def digest(path: Path) -> str:
    """Return a digest of a file, or of a directory's manifest or listing; empty for what is not there.

    Of files over 64 MiB only size, beginning and end are read: the zip of all laws would take seconds at
    every look.
    """
    if path.is_dir():
        if (path / "manifest.json").is_file():
            return digest(path / "manifest.json")
        names = sorted(p for p in path.rglob("*") if p.is_file())
        listing = "".join(f"{p.relative_to(path)}\0{p.stat().st_size}\n" for p in names)
        return hashlib.sha256(listing.encode()).hexdigest()[:16]
    if not path.is_file():
        return ""
    made, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as file:
        if size <= _WHOLE_BYTES:
            made.update(file.read())
        else:
            made.update(f"{size}\0".encode() + file.read(_SAMPLE_BYTES))
            file.seek(-_SAMPLE_BYTES, 2)
            made.update(file.read())
    return made.hexdigest()[:16]
