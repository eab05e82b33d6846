"""The places that lawqa knows, and what may run there (from the packaged `docs_src/commands.toml`)."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.resources import files

from lawqa.errors import ConfigError, PolicyError

if sys.version_info >= (3, 11):
    import tomllib
else:  # tomllib entered the standard library with 3.11
    import tomli as tomllib


@dataclass(frozen=True)
class Place:
    """A kind of machine with its rules."""

    id: str
    """What `--place` calls it."""
    title: str
    """What it is, in English."""
    title_ja: str
    """What it is, in Japanese."""
    backends: tuple[str, ...]
    """The backends that may run there."""
    reason: str = ""
    """Why the others may not."""


def places() -> dict[str, Place]:
    """All declared places by id."""
    source = files("lawqa").joinpath("assets", "commands.toml").read_text(encoding="utf-8")
    return {
        place_id: Place(
            id=place_id,
            title=entry["title"],
            title_ja=entry["title_ja"],
            backends=tuple(entry["backends"]),
            reason=entry.get("reason", ""),
        )
        for place_id, entry in tomllib.loads(source)["places"].items()
    }


def require_backend(place_id: str, backend: str) -> None:
    """Make sure that this backend may run at this place.

    Raises:
        ConfigError: there is no such place.
        PolicyError: the place forbids the backend.
    """
    known = places()
    if place_id not in known:
        raise ConfigError(f"--place {place_id}: no such place", f"known: {', '.join(known)}")
    place = known[place_id]
    if backend not in place.backends:
        raise PolicyError(
            f"--llm-backend {backend} is forbidden on {place_id}: {place.reason}",
            f"--llm-backend {place.backends[0]}",
        )
