"""Which model a command loads, and in how many bits: one pair of flags, on unless it is turned off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.errors import ConfigError
from lawqa.settings import ModelSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lawqa.runs.manifest import Manifest

_PAIR = {"--4bit", "--no-4bit", "--use-4bit", "--hf-load-in-4bit", "--load-in-4bit"}


@dataclass(frozen=True, kw_only=True)
class ModelFlags(ModelSettings):
    """Which model is loaded, and how."""

    def in_4bit(self, *known: Callable[[], bool | None]) -> bool:
        """Return whether the model is to be quantised.

        Args:
            known: what decides where no flag was given, the first that knows; else it is quantised.

        Raises:
            ConfigError: both flags were given.
        """
        if self.load_in_4bit and self.no_4bit:
            raise ConfigError("--4bit and --no-4bit contradict each other", "give one of them")
        if self.load_in_4bit or self.no_4bit:
            return self.load_in_4bit
        return next((value for one in known if (value := one()) is not None), True)


def of_run(directory: Path | None) -> bool | None:
    """Return whether the model of the run or training in a directory was quantised; None if unknown.

    Raises:
        DataError: its manifest is broken.
    """
    manifest = _manifest(directory)
    stored = None if manifest is None else manifest.config.get("load_in_4bit")
    return stored if isinstance(stored, bool) else None


def of_adapter(directory: Path | None) -> bool | None:
    """Return whether an adapter was trained over a quantised model; None where that is not known.

    Raises:
        DataError: its manifest is broken.
    """
    manifest = _manifest(directory)
    if manifest is None or "quantisation" not in manifest.model:
        return None
    return manifest.model["quantisation"] is not None


def _manifest(directory: Path | None) -> Manifest | None:
    from lawqa.runs.manifest import Manifest

    return None if directory is None else Manifest.read_if_there(directory)


def as_in_the_lab(argv: Sequence[str]) -> list[str]:
    """Return the arguments of a script of the lab's, where weights are whole unless 4 bits are asked for."""
    return [*argv] if _PAIR.intersection(argv) else ["--no-4bit", *argv]
