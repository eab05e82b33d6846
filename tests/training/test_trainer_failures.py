"""What stops a training, and what is left then: losses that are no numbers, a full disk, loss scaling."""

from __future__ import annotations

import errno
import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.errors import TrainingError
from lawqa.models.load import load_model
from lawqa.prompting import PromptSpec
from lawqa.records import TokenizedRecord, make_record, tokenize_records
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training import loss_paths as paths
from lawqa.training import trainer
from lawqa.training.adapter import add_adapter
from lawqa.training.checkpoints.directory import all_checkpoints, fault_of
from lawqa.training.figures import TrainingFigures
from lawqa.training.fit import fit

pytestmark = pytest.mark.torch

CONFIG = Hyperparameters(
    num_epochs=1, batch_size=4, gradient_accumulation_steps=1, learning_rate=5e-3, max_seq_length=2048,
    token_budget=1, save_steps=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def records(tiny_tokenizer: Any, questions: Any) -> list[TokenizedRecord]:
    made = [make_record(question, PromptSpec()) for question in questions[:12]]
    return tokenize_records(made, tiny_tokenizer, 2048)


def run(
    tiny_dir: Path, records: list[TokenizedRecord], out: Path, config: Hyperparameters = CONFIG
) -> TrainingFigures:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))
    torch.manual_seed(0)
    return fit(loaded, add_adapter(loaded, config), records, config, out, quiet=True)


@pytest.mark.slow
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_with_the_records_of_its_batch(
    tiny_dir: Path,
    records: list[TokenizedRecord],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    value: float,
) -> None:
    real, seen = paths.answer_loss, list[str]()

    def answer_loss(model: Any, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        (number,) = batch["record"].tolist()
        seen.append(records[number].key)
        # The second micro-batch of the second step, and of it nothing but its loss.
        return real(model, batch) * (value if len(seen) == 6 else 1.0)

    monkeypatch.setattr(paths, "answer_loss", answer_loss)
    with pytest.raises(TrainingError) as caught:
        run(tiny_dir, records, tmp_path)
    assert f"step 2: the loss is {value}; records of the batch: {seen[5]}" in caught.value.message
    assert all(key not in caught.value.message for key in seen[:5])
    assert "checkpoint-1" in caught.value.hint
    (checkpoint,) = all_checkpoints(tmp_path)
    assert fault_of(checkpoint) is None


@pytest.mark.slow
def test_gradients_that_are_no_numbers_stop_before_they_reach_the_weights(
    tiny_dir: Path, records: list[TokenizedRecord], tmp_path: Path
) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))
    model = add_adapter(loaded, CONFIG)
    parameter = next(p for n, p in model.named_parameters() if p.requires_grad and "lora_B" in n)
    steps = [0]

    def spoil(gradient: torch.Tensor) -> torch.Tensor:
        steps[0] += 1
        return gradient * (math.inf if steps[0] > 4 else 1.0)

    parameter.register_hook(spoil)
    with pytest.raises(TrainingError) as caught:
        fit(loaded, model, records, CONFIG, tmp_path, quiet=True)
    said = caught.value.message
    assert re.match(r"step 2: the gradient norm is (nan|inf), while the loss of every record", said)
    assert "1 of 28 gradients are not finite, first in layer 0" in said
    assert "(q_proj)" in said
    assert all(record.key not in said for record in records)
    assert "records" not in str(caught.value.hint)
    assert all(bool(p.isfinite().all()) for p in model.parameters() if p.requires_grad)


@pytest.mark.slow
def test_a_full_disk_stops_with_a_clear_error_and_the_checkpoint_before_is_intact(
    tiny_dir: Path, records: list[TokenizedRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = torch.save

    def save(content: Any, path: Any, *args: Any, **options: Any) -> None:
        if "checkpoint-2" in str(path) and "optimizer" in str(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        real(content, path, *args, **options)

    monkeypatch.setattr(torch, "save", save)
    with pytest.raises(TrainingError) as caught:
        run(tiny_dir, records, tmp_path)
    assert "the checkpoint of step 2 could not be written, the disk is full" in caught.value.message
    assert "checkpoint-1 is intact" in caught.value.message
    (checkpoint,) = all_checkpoints(tmp_path)
    assert checkpoint.name == "checkpoint-1"
    assert fault_of(checkpoint) is None
    monkeypatch.undo()
    whole = run(tiny_dir, records, tmp_path / "whole")
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))
    torch.manual_seed(0)
    model = add_adapter(loaded, CONFIG)
    resumed = fit(loaded, model, records, CONFIG, tmp_path, quiet=True, resume=True)
    losses = [[row["loss"] for row in figures.log] for figures in (resumed, whole)]
    assert losses[0] == losses[1]


def scaled_losses(
    tiny_dir: Path,
    records: list[TokenizedRecord],
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    scale: float,
) -> list[float]:
    """Losses of a training whose gradients are scaled as for float16, which itself needs a GPU."""
    real = trainer.AnswerTrainer.__init__

    def init(self: Any, **options: Any) -> None:
        real(self, **options)
        self.accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=scale)

    def unscale(self: Any, optimizer: Any = None) -> None:
        """As accelerate's own does with float16 before it clips."""
        del optimizer
        for each in self._optimizers:
            self.scaler.unscale_(each.optimizer)

    with monkeypatch.context() as patched:
        patched.setattr(trainer.AnswerTrainer, "__init__", init)
        patched.setattr("accelerate.Accelerator.unscale_gradients", unscale)
        return [row["loss"] for row in run(tiny_dir, records, out).log]


@pytest.mark.slow
def test_scaled_gradients_train_the_same_and_an_overflow_skips_its_step(
    tiny_dir: Path, records: list[TokenizedRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = [row["loss"] for row in run(tiny_dir, records, tmp_path / "plain").log]
    scaled = scaled_losses(tiny_dir, records, tmp_path / "scaled", monkeypatch, 2.0**16)
    # Scaled by a power of two and back, before they are clipped: the very same gradients.
    assert scaled == pytest.approx(plain, rel=1e-6)
    assert scaled[-1] < scaled[0]
    overflown = scaled_losses(tiny_dir, records, tmp_path / "inf", monkeypatch, 2.0**127)
    assert all(math.isfinite(loss) for loss in overflown)
    assert overflown[:2] == pytest.approx([plain[0], plain[0]], rel=0.1), "a step was not skipped"
    rows = (tmp_path / "inf" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    norms = [json.loads(row, parse_constant=pytest.fail)["grad_norm"] for row in rows]
    assert norms[0] is None
