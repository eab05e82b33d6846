"""What the retrieved contexts of a file of training records were made with, kept beside the file.

`x.provenance.json` beside `x.jsonl`: settings of search and context, and of RAFT records the number of
distractors and the share of the questions without gold articles. It names the records' SHA-256, so that one
left over from other records is not believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from lawqa.digests import sha256_of
from lawqa.files import JsonObject, read_json, write_json

_VERSION = 1


def provenance_path(file: Path) -> Path:
    """Return where the provenance of a file is kept: `x.provenance.json` beside `x.json` or `x.jsonl`."""
    return file.with_name(f"{file.stem}.provenance.json")


def write_provenance(
    records: Path, retrieval: JsonObject, prompt_specs: Iterable[str], seed: int
) -> None:
    """Write it for records that are written already.

    Args:
        records: their file.
        retrieval: the manifest of `rag.Retrieval`.
        prompt_specs: the ids of their prompt specs.
        seed: what their mix and their distractors were drawn with.
    """
    content = {
        "schema_version": _VERSION,
        "records_sha256": sha256_of(records),
        "prompt_specs": sorted(prompt_specs),
        "settings": {"retrieval": dict(retrieval), "seed": seed},
    }
    write_json(provenance_path(records), content)


def retrieval_of(records: Path, sha256: str) -> JsonObject | None:
    """Read what the contexts of records were retrieved with; None where nothing says so of these records.

    Args:
        records: their file.
        sha256: its SHA-256.

    Raises:
        DataError: there is such a file, and it is not JSON.
    """
    path = provenance_path(records)
    if not path.is_file():
        return None
    content = read_json(path)
    settings = content.get("settings") if isinstance(content, dict) else None
    if not isinstance(settings, dict) or content.get("records_sha256") != sha256:
        return None
    retrieval = settings.get("retrieval")
    return retrieval if isinstance(retrieval, dict) else None


def raft_text(retrieval: JsonObject | None) -> str:
    """Say how contexts to train on differ from those that are evaluated; empty where they do not."""
    raft = (retrieval or {}).get("raft")
    if not isinstance(raft, Mapping):
        return ""
    without = retrieval.get("questions_without_gold") if retrieval else None
    left_out = f"{len(without)} of the " if isinstance(without, list) else ""
    return (
        f"retrieved contexts (--distractors {raft.get('distractors')}); the gold articles are left out for "
        f"{left_out}questions (--without-gold {raft.get('without_gold')})"
    )
