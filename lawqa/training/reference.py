"""The reference's log-probabilities of all rows, taken once before the first step and kept until the end.

They lie beside the checkpoints; a killed process loses those of one batch of rows.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from lawqa.amounts import counted
from lawqa.bars import Bar
from lawqa.errors import Interrupted
from lawqa.files import append_to_own
from lawqa.training.checkpoints.directory import CHECKPOINTS, disk_faults
from lawqa.training.processes.interruption import Interruption

if TYPE_CHECKING:
    from lawqa.training.trainer import AnswerTrainer

_FILE = "reference.jsonl"
_ROWS = 32
"""Rows that are scored between two looks at the signals; their log-probabilities are written together."""


def reference_log_probabilities(
    trainer: AnswerTrainer, output_dir: Path, interruption: Interruption, *, quiet: bool
) -> torch.Tensor:
    """Return what the model as it is before training gives all rows, in nats, [rows].

    Args:
        trainer: with the model as it starts.
        output_dir: of the training; those that an earlier process took are there.
        interruption: whether a signal has asked to stop.
        quiet: no progress.

    Raises:
        Interrupted: a signal asked to stop.
        TrainingError: the disk is full.
    """
    path, data = output_dir / CHECKPOINTS / _FILE, trainer.train_dataset
    known = _read(path)
    missing = [row for row in range(len(data)) if row not in known]
    # Rows of one length waste no padding.
    missing.sort(key=lambda row: -len(data[row]["input_ids"]))
    name = "scoring the answers under the reference"
    with Bar(name, "answers", len(data), done=len(known), quiet=quiet) as bar:
        for start in range(0, len(missing), _ROWS):
            if interruption.signum is not None:
                raise Interrupted(
                    interruption.signum,
                    f"stopped before the first step; {len(known)} of "
                    f"{counted(len(data), 'answer')} are scored",
                )
            rows = missing[start : start + _ROWS]
            batch = trainer.data_collator([data[row] for row in rows])
            scored = trainer.log_probabilities(batch).tolist()
            _append(output_dir, path, dict(zip(rows, scored, strict=True)))
            known |= zip(rows, scored, strict=True)
            bar.add(len(rows))
    return torch.tensor([known[row] for row in range(len(data))])


def _append(output_dir: Path, path: Path, scored: dict[int, float]) -> None:
    lines = [json.dumps({"row": row, "logprob": value}) + "\n" for row, value in scored.items()]
    with disk_faults(output_dir, _FILE):
        path.parent.mkdir(exist_ok=True)
        with append_to_own(path) as file:
            file.write("".join(lines))
            file.flush()
            os.fsync(file.fileno())


def _read(path: Path) -> dict[int, float]:
    """Return what the file holds; a last line that a killed process left unfinished is cut off."""
    if not path.is_file():
        return {}
    whole = path.read_bytes()
    kept = whole[: whole.rfind(b"\n") + 1]
    if kept != whole:
        path.write_bytes(kept)
    lines = [json.loads(line) for line in kept.splitlines()]
    return {line["row"]: line["logprob"] for line in lines}
