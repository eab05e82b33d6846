"""The manifest of a retrieval index: what it is made of, and every file of it with its size and SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject, read_json, write_json
from lawqa.retrieval.indexing import IndexCounts
from lawqa.runs.manifest import MANIFEST, SCHEMA_VERSION, require_version
from lawqa.runs.manifest_fields import (
    COUNT,
    LIST,
    OBJECT,
    TEXT,
    KeyCheck,
    missing,
    or_null,
    problems,
)
from lawqa.statutes.articles import corpus_sha256
from lawqa.statutes.validity import Revisions

INDEX_FORMAT = 1
"""Raised whenever files, tokens or normalisation change: an index of another format is refused."""

_NOT_IN_HASH = "articles.bin"
"""Compressed text may differ by a byte between versions of zlib; the corpus has a hash of its own."""

_FILE_NAME = KeyCheck(
    lambda files: isinstance(files, dict) and all(Path(name).name == name for name in files),
    "an object of file names",
)
_KEYS: dict[str, KeyCheck] = {
    "corpus": OBJECT, "corpus.path": TEXT, "corpus.sha256": TEXT,
    "parameters": OBJECT,
    "dense": or_null(OBJECT), "dense.model": TEXT, "dense.dimension": COUNT,
    "counts": OBJECT, **{f"counts.{one.name}": COUNT for one in fields(IndexCounts)},
    "revisions": or_null(OBJECT),
    "revisions.first": TEXT, "revisions.last": TEXT, "revisions.without": COUNT,
    "audit": or_null(OBJECT), "audit.path": TEXT, "audit.sha256": TEXT, "audit.questions": COUNT,
    "audit.leaks": LIST, "audit.leaks.*": OBJECT, "audit.leaks.*.passage": TEXT,
    "audit.leaks.*.question": TEXT, "audit.leaks.*.reason": TEXT,
    "index_sha256": TEXT,
    "files": _FILE_NAME, "files.*": OBJECT, "files.*.size": COUNT, "files.*.sha256": TEXT,
    "environment": OBJECT, "started": TEXT, "ended": TEXT,
}  # fmt: skip
_OPTIONAL = frozenset(
    {"revisions", "revisions.first", "revisions.last", "revisions.without", "dense.model"}
    | {"dense.dimension", "files.*", "files.*.size", "files.*.sha256"}
    | {key for key in _KEYS if key.startswith("audit")}
)
"""What a whole manifest may lack: indexes of the time before revisions were counted, or questions
audited, do, and inner keys need their object."""


@dataclass(frozen=True)
class IndexFile:
    """A file of an index as it was written."""

    size: int
    """Bytes."""
    sha256: str


@dataclass(frozen=True)
class DenseModel:
    """The embedding model whose vectors an index holds."""

    model: str
    """Its name or path."""
    dimension: int


@dataclass(frozen=True)
class IndexLeak:
    """A passage or document of an index that gives a question away."""

    passage: str
    """The id of the article, section or document."""
    question: str
    reason: str


@dataclass(frozen=True)
class AuditRecord:
    """Which questions an index was audited for, and what it gives away of them."""

    path: str
    """The question file."""
    sha256: str
    questions: int
    """How many it holds."""
    leaks: tuple[IndexLeak, ...]
    """What was allowed all the same."""

    @classmethod
    def from_json(cls, stored: JsonObject) -> AuditRecord:
        """Read it; its keys are checked already."""
        leaks = tuple(IndexLeak(**_only(IndexLeak, leak)) for leak in stored["leaks"])
        return cls(stored["path"], stored["sha256"], stored["questions"], leaks)


@dataclass(frozen=True, kw_only=True)
class IndexManifest:
    """What an index is made of."""

    corpus: JsonObject
    """Path and SHA-256 of the article file, of the documents, or of both."""
    parameters: JsonObject
    """How words are weighed, and what a unit is."""
    dense: DenseModel | None
    """None without embeddings."""
    counts: IndexCounts
    revisions: Revisions | None
    """None in an index of the time before they were counted."""
    audit: AuditRecord | None = None
    """None where no questions were named."""
    index_sha256: str
    """One hash of all that decides what is found."""
    files: Mapping[str, IndexFile]
    """Every file but the manifest, by name."""
    environment: JsonObject
    """Versions, git commit and machine."""
    started: str
    """UTC, ISO 8601."""
    ended: str
    """UTC, ISO 8601."""

    @classmethod
    def read(cls, directory: Path) -> IndexManifest:
        """Read the manifest of an index whose files are all there, in the sizes that were written.

        Raises:
            ConfigError: there is no index in this directory, or it has the format of another version.
            DataError: the manifest is broken, or a file is missing or of another size.
        """
        if directory.is_file():
            raise ConfigError(
                f"{directory}: is a file, expected the directory of an index",
                "--index DIR, the --output-dir of lawqa index build",
            )
        if not (directory / MANIFEST).is_file():
            raise ConfigError(f"{directory}: holds no index", build_hint(directory))
        try:
            stored = require_version(read_json(directory / MANIFEST), directory / MANIFEST)
        except DataError as problem:
            raise DataError(problem.message, f"{build_hint(directory)} (with --fresh)") from None
        if stored.get("kind") != "index":
            raise ConfigError(
                f"{directory}: holds no index but a {stored.get('kind')} run", build_hint(directory)
            )
        if stored.get("index_format") != INDEX_FORMAT:
            raise ConfigError(
                f"{directory}: the index has format {stored.get('index_format')}, this version of lawqa "
                f"reads {INDEX_FORMAT}",
                f"{build_hint(directory)} (with --fresh)",
            )
        manifest = cls._from_json(stored, directory)
        manifest._check_sizes(directory)
        return manifest

    @classmethod
    def _from_json(cls, stored: JsonObject, directory: Path) -> IndexManifest:
        wrong = problems(stored, _KEYS)
        needed = [key for key in _KEYS if key not in _OPTIONAL]
        needed += ["dense.model", "dense.dimension"] if stored.get("dense") is not None else []
        if stored.get("revisions") is not None:
            needed += [f"revisions.{one.name}" for one in fields(Revisions)]
        if stored.get("audit") is not None:
            needed += [f"audit.{one.name}" for one in fields(AuditRecord)]
        if not wrong:
            wrong = [f"has no key '{key}'" for key in missing(stored, tuple(needed))]
            wrong += [
                f"has no key 'files.{name}.{one.name}'"
                for name, entry in stored.get("files", {}).items()
                for one in fields(IndexFile)
                if one.name not in entry
            ]
            wrong += [
                f"has no key 'audit.leaks.{number}.{one.name}'"
                for number, leak in enumerate((stored.get("audit") or {}).get("leaks", ()))
                for one in fields(IndexLeak)
                if one.name not in leak
            ]
        if wrong:
            raise not_whole(directory, f"{MANIFEST}: {wrong[0]}")
        dense, revisions = stored["dense"], stored.get("revisions")
        files = {
            name: IndexFile(**_only(IndexFile, entry)) for name, entry in stored["files"].items()
        }
        if index_sha256(files) != stored["index_sha256"]:
            raise not_whole(
                directory, f"{MANIFEST}: key 'index_sha256' does not fit the files that it lists"
            )
        return cls(
            corpus=stored["corpus"],
            parameters=stored["parameters"],
            dense=DenseModel(**_only(DenseModel, dense)) if dense is not None else None,
            counts=IndexCounts(**_only(IndexCounts, stored["counts"])),
            revisions=Revisions(**_only(Revisions, revisions)) if revisions is not None else None,
            audit=AuditRecord.from_json(stored["audit"]) if stored.get("audit") else None,
            index_sha256=stored["index_sha256"],
            files=files,
            environment=stored["environment"],
            started=stored["started"],
            ended=stored["ended"],
        )

    def to_json(self) -> JsonObject:
        """Return the JSON object that is stored."""
        return {
            "schema_version": SCHEMA_VERSION,
            "kind": "index",
            "index_format": INDEX_FORMAT,
            "corpus": self.corpus,
            "parameters": self.parameters,
            "dense": asdict(self.dense) if self.dense else None,
            "counts": asdict(self.counts),
            "revisions": asdict(self.revisions) if self.revisions else None,
            "audit": asdict(self.audit) if self.audit else None,
            "index_sha256": self.index_sha256,
            "files": {name: asdict(entry) for name, entry in self.files.items()},
            "environment": self.environment,
            "started": self.started,
            "ended": self.ended,
        }

    def write(self, directory: Path) -> None:
        """Write it beside the files that it lists."""
        write_json(directory / MANIFEST, self.to_json())

    def verify(self, directory: Path) -> None:
        """Read every file and compare its hash; half a second for all of Japanese law.

        Raises:
            DataError: a file differs from what was built.
        """
        for name, entry in self.files.items():
            if corpus_sha256(directory / name) != entry.sha256:
                raise not_whole(directory, f"{name} differs from what was built")

    def _check_sizes(self, directory: Path) -> None:
        for name, entry in self.files.items():
            path = directory / name
            size = path.stat().st_size if path.is_file() else None
            if size != entry.size:
                is_now = "is missing" if size is None else f"has {size:,} bytes"
                raise not_whole(directory, f"{name} {is_now}, expected {entry.size:,} bytes")


def _only(kind: type, stored: JsonObject) -> JsonObject:
    """Return the keys that a dataclass has a field for; others come from a later version."""
    return {one.name: stored[one.name] for one in fields(kind)}


def files_in(directory: Path) -> dict[str, IndexFile]:
    """Return size and SHA-256 of every file of an index but its manifest, as they are now."""
    return {
        path.name: IndexFile(path.stat().st_size, corpus_sha256(path))
        for path in sorted(directory.iterdir())
        if path.name != MANIFEST
    }


def index_sha256(files: Mapping[str, IndexFile]) -> str:
    """Return one hash of all that decides what is found: the same corpus and parameters give the same."""
    digest = hashlib.sha256()
    for name in sorted(files):
        if name != _NOT_IN_HASH:
            digest.update(f"{name}\x00{files[name].sha256}\n".encode())
    return digest.hexdigest()


def not_whole(directory: Path, problem: str) -> DataError:
    """Return the error of an index that is not as it was built, with the command that builds it."""
    return DataError(
        f"{directory}: the index is not whole: {problem}", f"{build_hint(directory)} (with --fresh)"
    )


def build_hint(directory: Path) -> str:
    """Return the command that builds an index there."""
    return f"lawqa index build --articles ARTICLES.jsonl --output-dir {directory}  builds one"
