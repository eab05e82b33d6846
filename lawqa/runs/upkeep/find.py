"""Runs on disk, found under a directory."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import ConfigError, DataError, LawqaError
from lawqa.files import read_json
from lawqa.runs.directory import SUMMARY
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.scoring import Accuracy, Interval

RUN_KINDS = ("evaluate", "train")
"""What counts as a run; an index has a manifest too."""


@dataclass(frozen=True)
class FoundRun:
    """A run directory or adapter."""

    path: Path
    manifest: Manifest | None
    """None where it cannot be read."""
    accuracy: Accuracy | None = None
    """Of a finished evaluation."""
    problem: str = ""
    """Why it cannot be read; empty where it can."""

    @property
    def kind(self) -> str:
        """Evaluate or train; a question mark where that is not known."""
        return self.manifest.kind if self.manifest else "?"

    @property
    def started(self) -> str:
        """UTC, ISO 8601; empty where it is not known."""
        return self.manifest.started if self.manifest else ""

    @property
    def status(self) -> str:
        """done, running, failed or interrupted; `broken` where it cannot be read."""
        return self.manifest.status if self.manifest else "broken"

    @property
    def model(self) -> str:
        """The model, with its quantisation."""
        model = self.manifest.model if self.manifest else {}
        known = (model.get("name") or model.get("backend"), model.get("quantisation"))
        return ", ".join(str(part) for part in known if part)

    @property
    def adapters(self) -> tuple[str, ...]:
        """The adapter that was evaluated, or each fold's."""
        return tuple(str(one["path"]) for one in self.manifest.adapters) if self.manifest else ()

    @property
    def specs(self) -> tuple[str, ...]:
        """The prompt specs asked or trained with."""
        return tuple(self.manifest.prompt_specs) if self.manifest else ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """closed, gold and rag, those that its prompt specs name."""
        parts = [spec.split("-") for spec in self.specs]
        return tuple(dict.fromkeys(part[1] for part in parts if len(part) > 1))


@dataclass(frozen=True)
class RunFilter:
    """Which runs are wanted; an empty field wants all."""

    model: str = ""
    """A part of the model's name."""
    adapter: str = ""
    """A part of the adapter's path; for a training of its own path."""
    condition: str = ""
    """closed, gold or rag."""
    kind: str = ""
    """evaluate or train."""

    def takes(self, run: FoundRun) -> bool:
        """Return whether this run is wanted."""
        adapters = [str(run.path)] if run.kind == "train" else list(run.adapters)
        return (
            self.model.lower() in run.model.lower()
            and (not self.adapter or any(self.adapter in path for path in adapters))
            and (not self.condition or self.condition in run.conditions)
            and self.kind in ("", run.kind)
        )


def find_runs(roots: Sequence[Path], wanted: RunFilter | None = None) -> tuple[FoundRun, ...]:
    """Return the runs in these directories and below, newest first; of equals by path.

    A run's own directory is not searched further: what lies in it is part of it. Hidden directories are
    passed over. A run whose files are broken is among them and says so.

    Raises:
        ConfigError: a directory is not there.
    """
    runs: dict[Path, FoundRun] = {}
    for root in roots:
        if not root.is_dir():
            raise ConfigError(f"{root}: no such directory", "lawqa runs list DIRECTORY...")
        for path in _run_directories(root):
            runs.setdefault(path.resolve(), read_run(path))
    chosen = [
        run
        for run in runs.values()
        if run.kind in (*RUN_KINDS, "?") and (wanted is None or wanted.takes(run))
    ]
    by_path = sorted(chosen, key=lambda run: str(run.path))
    return tuple(sorted(by_path, key=lambda run: run.started, reverse=True))


def read_run(path: Path) -> FoundRun:
    """Return what the files of a run say; what is wrong with them is said too, not raised."""
    try:
        manifest = Manifest.read(path)
        if manifest.kind in RUN_KINDS:
            manifest.require(path, "kind", "started", "status")
        return FoundRun(path, manifest, _accuracy(path))
    except LawqaError as problem:
        return FoundRun(path, None, None, problem.message)


def _run_directories(root: Path) -> Iterator[Path]:
    for directory, inner, names in os.walk(root):
        if MANIFEST in names:
            inner.clear()
            yield Path(directory)
        inner[:] = sorted(name for name in inner if not name.startswith("."))


def _accuracy(path: Path) -> Accuracy | None:
    """Return the accuracy of the final answers that the summary says; None for a run without a summary."""
    file = path / SUMMARY
    if not file.is_file():
        return None
    try:
        statistics = read_json(file)["statistics"]
        # Runs from before final answers were stored say the accuracy of their prompts.
        accuracy = (statistics.get("final") or statistics)["accuracy"]
        interval = Interval(float(accuracy["interval"]["low"]), float(accuracy["interval"]["high"]))
        return Accuracy(
            int(accuracy["correct"]), int(accuracy["asked"]), float(accuracy["value"]), interval
        )
    except (ValueError, KeyError, TypeError, OverflowError) as problem:
        raise DataError(f"{file}: cannot be read: {problem!r}") from None
