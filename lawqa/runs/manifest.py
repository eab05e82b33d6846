"""The manifest of a run: what ran, on what, with which settings, seeds and versions."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Literal

from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonDict, JsonObject, JsonValue, json_members, seekable, write_json
from lawqa.questions import Question
from lawqa.runs import manifest_fields
from lawqa.runs.question_entries import QuestionEntries, entry_of

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_SHOWN = 3
_NOT_STORED = {"more", "absent"}

RunStatus = Literal["running", "done", "failed", "interrupted"]
RunKind = Literal["evaluate", "train", "index"]


def _circumstances(*parts: str) -> Mapping[str, tuple[str, ...]]:
    """Declare which parts of a key say when, where to or how fast; an empty one is the whole key."""
    return {"circumstances": parts}


@dataclass(frozen=True)
class Manifest:
    """What a run was: enough to explain it and to make it again."""

    kind: RunKind
    """What ran."""
    config: JsonObject = field(metadata=_circumstances("sampling_from"))
    """The settings, defaults resolved."""
    model: JsonObject = field(
        metadata=_circumstances("peak_memory_gib", "token_budget", "device", "path", "decoding")
    )
    """Name, revision or directory hash, quantisation, dtype; as the backend describes itself."""
    prompt_specs: dict[str, str]
    """Prompt spec ids and their hashes."""
    data: JsonObject = field(metadata=_circumstances("path", "dev.path"))
    """Path, SHA-256 and size of the data file."""
    questions: Sequence[JsonObject]
    """Id, order and fingerprint of every question asked or trained on."""
    adapter: JsonObject | None = field(
        default=None, metadata=_circumstances("path", "manifest.started")
    )
    """The adapter that was evaluated: path and what its manifest says; None without one."""
    written: JsonObject | None = None
    """The adapter that a training wrote: the settings that decide what it computes, and the SHA-256 of its
    tensors; None for an evaluation."""
    retrieval: JsonObject | None = None
    """What contexts were retrieved with: hashes of index and corpus, parameters; None without retrieval."""
    notes: list[str] = field(default_factory=list)
    """What a reader must know first, such as a leak that was allowed."""
    figures: JsonObject = field(default_factory=dict, metadata=_circumstances(""))
    """What was measured while it ran: loss, seconds, memory."""
    seed: int = 0
    """The seed of every random choice."""
    argv: list[str] = field(default_factory=lambda: list(sys.argv), metadata=_circumstances(""))
    """The command line."""
    environment: JsonObject = field(default_factory=dict)
    """Versions, git commit, machine and GPU."""
    started: str = field(default="", metadata=_circumstances(""))
    """UTC, ISO 8601."""
    ended: str | None = field(default=None, metadata=_circumstances(""))
    """UTC, ISO 8601; None while it runs."""
    status: RunStatus = field(default="running", metadata=_circumstances(""))
    """Whether the run is whole."""
    schema_version: int = field(default=SCHEMA_VERSION, metadata=_circumstances(""))
    """The version of this layout."""
    more: JsonObject = field(default_factory=dict)
    """Keys that this layout does not know."""
    absent: frozenset[str] = field(default=frozenset(), compare=False)
    """The keys that the file did not have, so that they got their default."""

    @classmethod
    def read(cls, directory: Path, needs: Sequence[str] = ()) -> Manifest:
        """Read the manifest of a run directory, adapter or index.

        Args:
            directory: where it is.
            needs: keys that must be there, levels parted by dots; others that are missing get their default

        Raises:
            DataError: it is missing, broken, of another layout version, or lacks a key that is needed.
        """
        manifest = cls.from_json(_stored(directory / MANIFEST))
        manifest.require(directory, *needs)
        return manifest

    @classmethod
    def read_evaluation(cls, directory: Path) -> Manifest:
        """Read the manifest of an evaluation, with every key that one has.

        Raises:
            DataError: it is missing, broken, of another layout version, or lacks a key.
            ConfigError: it is of another kind of run.
        """
        manifest = cls.read(directory)
        manifest.require_evaluation(directory)
        return manifest

    @classmethod
    def read_if_there(cls, directory: Path) -> Manifest | None:
        """Read the manifest of a directory; None where it has none, as a result file has none.

        Raises:
            DataError: it is broken, or of another layout version.
        """
        return cls.read(directory) if (directory / MANIFEST).is_file() else None

    @classmethod
    def from_json(cls, content: JsonObject) -> Manifest:
        """Return the manifest that a JSON object holds whose keys were checked."""
        known = {one.name for one in fields(cls)} - _NOT_STORED
        without: JsonDict = {
            "kind": "evaluate", "config": {}, "model": {}, "prompt_specs": {}, "data": {}, "questions": [],
            "argv": [],
        }  # fmt: skip
        given = {key: value for key, value in content.items() if key in known}
        more = {key: value for key, value in content.items() if key not in known}
        absent = frozenset(known - set(given))
        return cls(**{**without, **given, "more": more, "absent": absent})

    def to_json(self) -> JsonObject:
        """Return the JSON object that is stored."""
        stored = {key: value for key, value in vars(self).items() if key not in _NOT_STORED}
        return {**stored, **self.more}

    def require(self, directory: Path, *keys: str, hint: str | None = None) -> None:
        """Make sure that the file had these keys, levels parted by dots.

        Args:
            directory: where it was read, for messages.
            keys: what must be there.
            hint: what to do about a file that lacks one.

        Raises:
            DataError: it lacks a key.
        """
        stored = self.to_json()
        there = {key: value for key, value in stored.items() if key not in self.absent}
        lacks = manifest_fields.missing(there, keys)
        if lacks:
            raise DataError(
                f"{directory / MANIFEST}: has no key {', '.join(map(repr, lacks))}",
                hint or "is it the manifest of a run of lawqa?",
            )

    def require_evaluation(self, directory: Path) -> None:
        """Make sure that it is that of an evaluation and has every key that one has.

        Raises:
            DataError: it lacks a key.
            ConfigError: it is of another kind of run.
        """
        if self.kind != "evaluate":
            raise ConfigError(f"{directory}: is a {self.kind} run, expected an evaluation")
        self.require(directory, *manifest_fields.OF_AN_EVALUATION)

    def write(self, directory: Path) -> None:
        """Write or replace the manifest; a reader sees the old one or the new one, never half."""
        write_json(directory / MANIFEST, self.to_json())

    @classmethod
    @cache
    def circumstances(cls) -> frozenset[str]:
        """Return the keys, by their paths, that say when, where to or how fast."""
        return frozenset(
            f"{one.name}.{part}".rstrip(".")
            for one in fields(cls)
            for part in one.metadata.get("circumstances", ())
        )

    @property
    def adapters(self) -> list[JsonObject]:
        """What it says of the adapter that was evaluated, or of each fold's."""
        entry = self.adapter or {}
        return [one for one in entry.get("folds", [entry]) if one and one.get("path")]

    @property
    def prompts(self) -> int | None:
        """How many prompts were asked, each of a question in one order; None where it does not say.

        Versions before 0.3 wrote that number as `questions`.
        """
        stored = self.data.get("prompts", self.data.get("questions"))
        return stored if isinstance(stored, int) else None

    @property
    def question_files(self) -> list[tuple[Path, str | None]]:
        """The question file, or each fold's, with its SHA-256."""
        parts = self.data.get("folds", [self.data])
        return [(Path(part["path"]), part.get("sha256")) for part in parts if part.get("path")]


def require_version(content: object, path: Path) -> JsonObject:
    """Make sure that what a manifest file holds is an object of this version of the layout.

    Raises:
        DataError: it is not.
    """
    version = content.get("schema_version") if isinstance(content, dict) else None
    if not isinstance(content, dict) or version != SCHEMA_VERSION:
        raise DataError(
            f"{path}: schema_version is {version!r}, expected {SCHEMA_VERSION}",
            "another version of lawqa wrote it: read it with that one, or make the run again",
        )
    return content


def _stored(path: Path) -> JsonObject:
    """Return what a manifest file holds, each key that is there in the form that it has.

    Raises:
        DataError: it is missing, broken, or of another layout version.
    """
    manifest = require_version(_content(path), path)
    wrong = manifest_fields.problems(manifest)
    if wrong:
        again = "train again" if manifest.get("kind") == "train" else "make the run again"
        raise DataError(
            f"{path}: {'; '.join(wrong[:_SHOWN])}",
            f"somebody has changed it: put a copy of it back, or {again}",
        )
    return manifest


def _content(path: Path) -> object:
    """Return what a manifest file holds, its questions as entries that take little room."""
    content: JsonDict = {}
    entries = QuestionEntries()
    with seekable(path) as file:
        for member in json_members(file, path, ("questions",)):
            if not member.key:
                return member.value
            if member.number:
                entries.append(member.value)
            else:
                content[member.key] = (
                    entries if member.key == "questions" and member.value == [] else member.value
                )
    return content


def samples_of(manifest: Manifest) -> JsonValue:
    """Return how many answers each prompt of an evaluation got, as its manifest says it.

    Runs of the time when every order got all samples say only how many there were.
    """
    config = manifest.config
    return config.get("samples_per_prompt", config.get("ensemble", 1))


def question_entries(questions: Iterable[Question]) -> list[JsonObject]:
    """Return what a manifest keeps of the questions: id, order, fingerprint."""
    return [entry_of(question) for question in questions]


def ending(problem: BaseException) -> RunStatus:
    """Return the status of a run that this exception ended."""
    return "interrupted" if isinstance(problem, KeyboardInterrupt) else "failed"


def now() -> str:
    """Return the present moment in UTC, ISO 8601 to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
