"""What a person sees while training runs, and the log that stays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tqdm import tqdm
from transformers import TrainerCallback

LOG = "log.jsonl"


class ProgressAndLog(TrainerCallback):  # type: ignore[misc]  # transformers is not checked
    """A bar with loss and time left, and one JSON line for every line of the Trainer's log.

    Args:
        directory: where `log.jsonl` is written; None for no log.
        quiet: no bar. Without a terminal there is none either.
    """

    def __init__(self, directory: Path | None, *, quiet: bool) -> None:
        self._log = directory / LOG if directory else None
        self._quiet = quiet
        self._bar: tqdm[Any] | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Open the bar and start the log anew."""
        del args, control
        hidden = self._quiet or None  # None: tqdm hides the bar where there is no terminal
        self._bar = tqdm(total=state.max_steps, desc="training", unit="step", disable=hidden)
        if self._log and state.is_world_process_zero:
            self._log.write_text("", encoding="utf-8")

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """One step further."""
        del args, state, control
        if self._bar is not None:
            self._bar.update()

    def on_log(
        self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any
    ) -> None:
        """Show the loss and keep the line."""
        del args, control
        if not logs or "loss" not in logs or not state.is_world_process_zero:
            return
        if self._bar is not None:
            self._bar.set_postfix(loss=f"{logs['loss']:.3f}")
        if self._log:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **logs}) + "\n")

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Close the bar."""
        del args, state, control
        if self._bar is not None:
            self._bar.close()
