"""A step that does not fit the memory is taken in more parts, with the same result."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.errors import TrainingError
from lawqa.models.load import load_model
from lawqa.prompting import PromptSpec
from lawqa.records import TokenizedRecord, make_record, tokenize_records
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training import fit as fitting
from lawqa.training.adapter import add_adapter
from lawqa.training.figures import TrainingFigures
from lawqa.training.fit import fit
from lawqa.training.loss_paths import PlainPath

pytestmark = pytest.mark.torch

CONFIG = Hyperparameters(
    num_epochs=1, batch_size=4, gradient_accumulation_steps=1, max_seq_length=4096, lora_dropout=0.0
)


@dataclass(frozen=True)
class SmallCard(PlainPath):
    """Runs out of memory after the forward pass of a micro-batch with more padded tokens than it holds."""

    holds: int = 1

    def loss(self, model: Any, part: dict[str, torch.Tensor]) -> torch.Tensor:
        loss = super().loss(model, part)
        if part["input_ids"].numel() > self.holds:
            # As on a card: gradients of this part have begun to add up.
            loss.backward()
            raise torch.OutOfMemoryError("a card of this test")
        return loss


@pytest.fixture(scope="module")
def records(tiny_tokenizer: Any, questions: Any) -> list[TokenizedRecord]:
    made = [make_record(question, PromptSpec()) for question in questions[:8]]
    return tokenize_records(made, tiny_tokenizer, 4096)


def train(
    path: PlainPath, tiny_dir: Path, records: list[TokenizedRecord], out: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> TrainingFigures:  # fmt: skip
    monkeypatch.setattr(fitting, "choose_path", lambda *_: path)
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))
    torch.manual_seed(0)
    return fit(loaded, add_adapter(loaded, CONFIG), records, CONFIG, out, quiet=True)


@pytest.mark.slow
def test_the_cache_is_emptied_then_the_budget_falls_until_it_fits_and_the_losses_stay(
    tiny_dir: Path,
    records: list[TokenizedRecord],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    longest = max(len(record.input_ids) for record in records)
    roomy = train(PlainPath(8 * longest), tiny_dir, records, tmp_path / "roomy", monkeypatch)
    assert "out of memory" not in caplog.text
    tight = SmallCard(8 * longest, holds=2 * longest)
    small = train(tight, tiny_dir, records, tmp_path / "tight", monkeypatch)
    said = caplog.text
    assert said.count("out of memory: the cache is emptied, and the step taken again") == 2
    budgets = [int(found) for found in re.findall(r"micro-batches of (\d+) tokens from here", said)]
    assert len(budgets) > 1
    assert all(later <= earlier * 3 // 4 for earlier, later in pairwise(budgets))
    assert longest <= budgets[-1] < 4 * longest
    assert [row["loss"] for row in small.log] == pytest.approx(
        [row["loss"] for row in roomy.log], rel=1e-5
    )
    assert small.steps == roomy.steps == 2


@pytest.mark.slow
def test_a_record_that_does_not_fit_alone_is_an_error_that_says_what_helps(
    tiny_dir: Path, records: list[TokenizedRecord], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    longest = max(len(record.input_ids) for record in records)
    with pytest.raises(TrainingError, match="out of memory with micro-batches of") as caught:
        train(SmallCard(longest, holds=10), tiny_dir, records, tmp_path / "never", monkeypatch)
    assert "lower --max-seq-length or --lora-r" in caught.value.hint
