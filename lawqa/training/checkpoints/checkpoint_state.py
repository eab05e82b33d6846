"""What a training adds to the checkpoints of transformers' Trainer, and restores from them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from peft.utils import SAFETENSORS_WEIGHTS_NAME
from safetensors.torch import load_file, save_file

from lawqa.files import strict_json
from lawqa.models.adapters.state import adapter_state, put_adapter_state
from lawqa.settings import Hyperparameters
from lawqa.training.checkpoints.directory import (
    all_checkpoints,
    disk_faults,
    keep_last,
    seal,
    staging,
    step_of,
)
from lawqa.training.dev import DevWatch

if TYPE_CHECKING:
    from accelerate import Accelerator
    from peft import PeftModel

_STATE = "lawqa_state.json"
_ADAPTER, _BEST = SAFETENSORS_WEIGHTS_NAME, "best_adapter.safetensors"

logger = logging.getLogger(__name__)


class CheckpointState:
    """Counts what the Trainer does not, and writes and reads checkpoints.

    Adapter, optimiser, scheduler, loss scaling and the state of every random number generator are written
    by the Trainer; what is counted here, the dev results and the best adapter are added.

    Args:
        output_dir: the directory of the training.
        config: how often to save, and how many to keep.
    """

    def __init__(self, output_dir: Path, config: Hyperparameters) -> None:
        self.watch = DevWatch(config.patience, config.stop_on_collapse)
        self.tokens = 0
        """Tokens trained on so far, padding not counted, all processes."""
        self._output_dir = output_dir
        self._config = config
        self._losses: list[float] = []
        self._figures: list[dict[str, float]] = []
        self._seconds_before = 0.0
        self._started = self._saved = time.monotonic()
        self._tokens_here = 0

    @property
    def seconds(self) -> float:
        """Wall time of the loop so far, interruptions not counted."""
        return self._seconds_before + time.monotonic() - self._started

    def start(self) -> None:
        """Start the clocks."""
        self._started = self._saved = time.monotonic()

    def took_step(self, loss: float, tokens: int) -> None:
        """Count one optimiser step.

        Args:
            loss: nats per answer token.
            tokens: trained on, padding not counted.
        """
        self._losses.append(loss)
        self.tokens += tokens
        self._tokens_here += tokens

    def took_figures(self, figures: Mapping[str, float]) -> None:
        """Keep what else an objective says of a step, by name."""
        if figures:
            self._figures.append(dict(figures))

    def mean_figures(self) -> dict[str, float]:
        """Return the means of these figures over the steps since the last call that have them."""
        names = dict.fromkeys(name for step in self._figures for name in step)
        values = {name: [step[name] for step in self._figures if name in step] for name in names}
        self._figures.clear()
        return {name: sum(each) / len(each) for name, each in values.items()}

    def mean_loss(self) -> float:
        """Return the mean loss of the steps since the last call."""
        mean = sum(self._losses) / max(len(self._losses), 1)
        self._losses.clear()
        return mean

    def tokens_per_second(self) -> float:
        """Return training speed since this process started, dev scoring and saving included."""
        return self._tokens_here / max(time.monotonic() - self._started, 1e-9)

    def is_save_due(self, step: int) -> bool:
        """Return whether a checkpoint should be written after this step."""
        minutes, steps = self._config.save_minutes, self._config.save_steps
        waited = time.monotonic() - self._saved
        return bool(minutes and waited >= 60 * minutes) or bool(steps and step % steps == 0)

    @contextmanager
    def writing(self, step: int, accelerator: Accelerator) -> Iterator[Path]:
        """Yield where to write the checkpoint of this step; when left, it gets its name.

        Raises:
            TrainingError: the disk is full; earlier checkpoints are intact.
        """
        written = staging(self._output_dir) / f"checkpoint-{step}"
        began = time.monotonic()
        with disk_faults(self._output_dir, f"the checkpoint of step {step}"):
            yield written
            accelerator.wait_for_everyone()
            if accelerator.is_main_process:
                seal(written, self._output_dir, step)
                keep_last(self._output_dir, self._config.save_total_limit)
            accelerator.wait_for_everyone()
        self._saved = time.monotonic()
        logger.debug("checkpoint of step %d written in %.1f s", step, self._saved - began)

    def save(self, written: Path) -> None:
        """Add to a checkpoint what the Trainer does not keep."""
        content = {
            "schema_version": 1,
            "seconds": round(self.seconds, 3),
            "tokens": self.tokens,
            "losses": self._losses,
            "figures": self._figures,
            "dev": self.watch.to_json(),
        }
        (written / _STATE).write_text(json.dumps(content, indent=1), encoding="utf-8")
        if self.watch.best_weights is not None:
            save_file(self.watch.best_weights, written / _BEST)

    def restore(self, checkpoint: Path) -> None:
        """Take over what a checkpoint holds."""
        content = strict_json((checkpoint / _STATE).read_text(encoding="utf-8"))
        self._seconds_before = content["seconds"]
        self.tokens = content["tokens"]
        self._losses = content["losses"]
        self._figures = content.get("figures", [])
        best = checkpoint / _BEST
        self.watch.restore(content["dev"], load_file(best) if best.is_file() else None)

    def newest(self) -> Path | None:
        """Return the last checkpoint."""
        checkpoints = all_checkpoints(self._output_dir)
        return checkpoints[-1] if checkpoints else None


def is_finished(checkpoint: Path, checkpoint_state: CheckpointState, total_steps: int) -> bool:
    """Return whether nothing is left to train after a checkpoint that `checkpoint_state` was
    restored from.
    """
    watch = checkpoint_state.watch
    over = step_of(checkpoint) >= total_steps or watch.reason_to_stop() is not None
    return over and not watch.waiting


def adapter_weights(model: PeftModel) -> dict[str, torch.Tensor]:
    """Return a copy of the adapter's weights on the CPU."""
    return {name: tensor.detach().cpu().clone() for name, tensor in adapter_state(model).items()}


def put_adapter_weights(model: PeftModel, weights: dict[str, torch.Tensor]) -> None:
    """Give the adapter these weights.

    Raises:
        BackendError: not all of them landed.
    """
    put_adapter_state(model, weights)


def load_adapter_weights(checkpoint: Path) -> dict[str, torch.Tensor]:
    """Return the adapter's weights at a checkpoint."""
    weights: dict[str, torch.Tensor] = load_file(checkpoint / _ADAPTER)
    return weights
