"""A rehearsal meets what does not fit, soon, and leaves nothing behind."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from lawqa.training.loss_paths import PlainPath, rehearse  # noqa: E402

pytestmark = pytest.mark.torch

LAYERS = 30
BATCH = {"input_ids": torch.ones(2, 4, dtype=torch.long), "attention_mask": torch.ones(2, 4)}


class Deep(torch.nn.Module):
    """Layers that note where a backward pass comes through."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = torch.nn.ModuleList(torch.nn.Linear(3, 3) for _ in range(LAYERS))
        self.passed: list[int] = []

    def forward(self, x: Any) -> Any:
        for number, layer in enumerate(self.layers):
            x = layer(x)
            x.register_hook(lambda _, number=number: self.passed.append(number))
        return x.sum()


class Whole(PlainPath):
    """Takes a batch as one part; its loss is drawn, as with dropout."""

    def parts(self, batch: Any) -> Any:
        return [batch]

    def loss(self, model: Any, part: Any) -> Any:
        return model(torch.rand(part["input_ids"].shape[0], 3))


def test_it_goes_back_through_the_last_layers_only() -> None:
    model = Deep()
    rehearse(Whole(), model, BATCH, nullcontext())
    assert model.passed == [29, 28, 27]


def test_over_weights_that_are_shared_out_it_goes_back_to_the_end() -> None:
    model = Deep()
    rehearse(Whole(), model, BATCH, nullcontext(), whole=True)
    assert model.passed == list(range(LAYERS))[::-1]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_weights_at_the_end_that_read_no_text_do_not_end_it_early() -> None:
    model = Deep()
    model.pictures = torch.nn.ModuleList(torch.nn.Linear(3, 3) for _ in range(LAYERS))
    rehearse(Whole(), model, BATCH, nullcontext())
    assert model.passed == list(range(LAYERS))[::-1]
    assert all(parameter.grad is None for parameter in model.parameters())


def test_neither_gradients_nor_random_numbers_are_changed() -> None:
    model = Deep()
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    rehearse(Whole(), model, BATCH, nullcontext())
    assert torch.equal(torch.rand(2), expected)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_what_does_not_fit_is_met() -> None:
    class Full(Whole):
        def loss(self, *_: Any) -> Any:
            raise torch.OutOfMemoryError("a card of this test")

    with pytest.raises(torch.OutOfMemoryError):
        rehearse(Full(), Deep(), BATCH, nullcontext())
