"""The log of a training, `log.jsonl`: a line for each logged step and each scoring of the dev questions."""

from __future__ import annotations

import json
from pathlib import Path

from lawqa.errors import DataError
from lawqa.files import JsonDict, read_text

LOG = "log.jsonl"
EVENTS = "tensorboard"
"""The folder of TensorBoard's event files."""


def read_log(directory: Path) -> list[JsonDict]:
    """Return the lines of a training's log; a last one that a killed process left unfinished is passed over.

    Raises:
        DataError: another line is broken.
    """
    path = directory / LOG
    if not path.is_file() or not path.stat().st_size:
        return []
    lines = read_text(path).split("\n")
    rows = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append(json.loads(line))
        except (ValueError, RecursionError):
            if number < len(lines):
                raise DataError(f"{path}: line {number} is broken") from None
    return rows
