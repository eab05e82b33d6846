"""Generated files beside what is on disk: which differ, how, and writing them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path


def changed_files(files: Mapping[Path, str]) -> list[Path]:
    """Return which of these files are missing or say something else on disk."""
    return [path for path, text in files.items() if _on_disk(path) != text]


def write_files(files: Mapping[Path, str]) -> list[Path]:
    """Write what changed; what is the same is left alone.

    Returns:
        the files written.
    """
    changed = changed_files(files)
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8", newline="\n")
    return changed


def diff_text(path: Path, text: str) -> str:
    """Return the unified difference from what is on disk to what should be there."""
    return "".join(
        difflib.unified_diff(
            (_on_disk(path) or "").splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"{path} (on disk)",
            f"{path} (generated)",
        )
    )


def _on_disk(path: Path) -> str | None:
    return path.read_bytes().decode(errors="replace") if path.is_file() else None
