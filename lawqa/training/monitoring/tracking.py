"""Trackers at work: transformers' own callbacks, which get figures and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from transformers import TrainerCallback
from transformers.integrations import get_reporting_integration_callbacks

from lawqa.errors import ConfigError
from lawqa.settings import Tracker
from lawqa.training.monitoring.trackers import sending

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments


class FiguresOnly(TrainerCallback):  # type: ignore[misc]  # transformers is not checked
    """Hands beginning, figures and end on to a tracker, but no checkpoints.

    Where a tracker fails after the beginning, tracking ends and training continues.

    Args:
        name: the tracker's.
        inner: transformers' callback for it.
        say: prints a line when the tracker fails.
    """

    def __init__(self, name: str, inner: TrainerCallback, say: Callable[[str], None]) -> None:
        self._name, self._inner, self._say = name, inner, say
        self._open = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Begin a run.

        Raises:
            ConfigError: the tracker refuses.
        """
        try:
            self._inner.on_train_begin(args, state, control, **more)
        except Exception as problem:
            raise ConfigError(
                f"--report-to {self._name}: cannot start: {type(problem).__name__}: {problem}",
                f"check {self._name}'s own settings and login, or leave it out",
            ) from problem
        self._open = True

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Hand figures on."""
        self._tried(self._inner.on_log, args, state, control, **more)

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """End the run."""
        self._tried(self._inner.on_train_end, args, state, control, **more)
        self.close()

    def close(self) -> None:
        """Leave no run open, so that the next training of this process gets its own."""
        if self._name == "wandb":  # transformers' callback leaves it open
            self._tried(lambda: import_module("wandb").finish())
        self._open = False

    def _tried(self, event: Callable[..., object], *arguments: object, **more: object) -> None:
        if not self._open:
            return
        try:
            event(*arguments, **more)
        except Exception as problem:  # noqa: BLE001 - whatever it is, hours of training are worth more
            self._open = False
            self._say(f"! {self._name} failed, training continues without it: {problem}")


def open_trackers(names: Sequence[Tracker], say: Callable[[str], None]) -> list[FiguresOnly]:
    """Return a callback of the Trainer for each tracker asked for but TensorBoard, which `progress` writes.

    Args:
        names: trackers, from `require_trackers`.
        say: prints a line when one fails later.
    """
    chosen = sending(names)
    callbacks = get_reporting_integration_callbacks(chosen)
    return [FiguresOnly(name, made(), say) for name, made in zip(chosen, callbacks, strict=True)]
