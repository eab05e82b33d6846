"""What a person sees while training runs, and the log that stays."""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import TrainerCallback

from lawqa.bars import FILE_ONLY, LINE_SECONDS, Bar, duration, open_bar
from lawqa.files import JsonDict, append_to_own, write_text
from lawqa.models.device import peak_memory_gib
from lawqa.training.checkpoints.directory import disk_faults
from lawqa.training.monitoring.log import EVENTS, LOG, read_log

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter
    from transformers import TrainerControl, TrainerState, TrainingArguments

logger = logging.getLogger(__name__)


class TrainingProgress(TrainerCallback):  # type: ignore[misc]  # transformers is not checked
    """A bar with loss, speed, memory and time left, or plain lines; `log.jsonl`; TensorBoard's events.

    Args:
        directory: where the log and the events are written.
        quiet: no bar and no lines.
        device: whose memory is shown.
        writes: whether this process writes; of several only one does.
    """

    def __init__(
        self, directory: Path, *, quiet: bool, device: torch.device, writes: bool = True
    ) -> None:
        self._directory = directory
        self._quiet = quiet or not writes
        self._device = device
        self._writes = writes
        self._bar: Any = None  # tqdm has no types
        self._events: SummaryWriter | None = None
        self._started = self._said = time.monotonic()
        self._first_step = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Open bar and log; on resuming, lines after the checkpoint leave the log."""
        del args, control
        self._first_step = state.global_step
        self._started = self._said = time.monotonic()
        if not self._quiet:
            self._bar = open_bar(
                sys.stderr, total=state.max_steps, initial=state.global_step, desc="training", unit="step"
            )  # fmt: skip
        if self._writes:
            lines = [json.dumps(row) + "\n" for row in read_log(self._directory)]
            kept = [line for line in lines if json.loads(line)["step"] <= state.global_step]
            write_text(self._directory / LOG, "".join(kept if state.global_step else []))
            self._events = self._open_events(state.global_step)

    def row(self, state: TrainerState, row: JsonDict) -> None:
        """Write one line of the log, and show it.

        Args:
            state: the Trainer's.
            row: `step`, and numbers or texts by name.
        """
        if not self._writes:
            return
        with disk_faults(self._directory, LOG):
            # With loss scaling the norm of an overflow is infinite or NaN, which JSON cannot hold.
            plain = {
                name: None if isinstance(value, float) and not math.isfinite(value) else value
                for name, value in row.items()
            }
            self._append(json.dumps(plain, ensure_ascii=False, allow_nan=False) + "\n")
        if self._events is not None:
            for name, value in row.items():
                if isinstance(value, (int, float)) and name != "step":
                    self._events.add_scalar(name.replace("dev_", "dev/"), value, row["step"])
            self._events.flush()
        if "loss" in row:
            self._show(state, row)

    def say(self, line: str) -> None:
        """Print a line for people; what begins with `!` is a warning, which not even `--quiet` hides."""
        if self._writes:
            logger.log(logging.WARNING if line.startswith("!") else logging.INFO, line)

    def scoring(self, answers: int) -> Bar:
        """Return a bar for the answers to dev questions."""
        return Bar("scoring dev questions", "answers", answers, quiet=self._quiet)

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Move the bar one step further."""
        del args, state, control
        if self._bar is not None:
            self._bar.update()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: object
    ) -> None:
        """Close bar and events."""
        del args, state, control
        self.close()

    def close(self) -> None:
        """Close bar and events; also where training broke."""
        if self._bar is not None:
            self._bar.close()
        if self._events is not None:
            self._events.close()
            self._events = None

    def _append(self, line: str) -> None:
        with append_to_own(self._directory / LOG) as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def _show(self, state: TrainerState, row: JsonDict) -> None:
        shown = {"loss": f"{row['loss']:.3f}", "tok/s": f"{row['tokens_per_second']:,.0f}"}
        memory = peak_memory_gib(self._device)
        if memory is not None:
            shown["mem"] = f"{memory:.1f} GiB"
        if self._bar is not None:
            self._bar.set_postfix(shown)
        now = time.monotonic()
        if now - self._said < LINE_SECONDS and row["step"] != state.max_steps:
            return
        self._said = now
        per_step = (now - self._started) / max(row["step"] - self._first_step, 1)
        left = duration(per_step * (state.max_steps - row["step"]))
        figures = ", ".join(f"{name} {value}" for name, value in shown.items())
        line = f"step {row['step']}/{state.max_steps}: {figures}, {left} left"
        plain = self._bar is None and not self._quiet
        logger.info(line, extra=None if plain else FILE_ONLY)

    def _open_events(self, step: int) -> SummaryWriter | None:
        if find_spec("tensorboard") is None:
            self.say("note: no TensorBoard events: pip install tensorboard  brings them")
            return None
        from torch.utils.tensorboard import SummaryWriter

        # Events after the checkpoint, from before the interruption, are marked as void.
        return SummaryWriter(str(self._directory / EVENTS), purge_step=step + 1 if step else None)
