"""Weights that are laid together keep their values, their objects and what they share."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from lawqa.models import defragment as module
from lawqa.models.defragment import defragment, lay_together, tensors_of

pytestmark = pytest.mark.torch


class Model(torch.nn.Module):
    """Tied weights, a view of part of a tensor, a buffer, different dtypes and an empty parameter."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(7, 5)
        self.head = nn.Linear(5, 7, bias=False)
        self.head.weight = self.embedding.weight
        self.half = nn.Linear(5, 3).half()
        whole = torch.arange(12.0).view(4, 3)
        self.upper = nn.Parameter(whole[:2].t(), requires_grad=False)
        self.lower = nn.Parameter(whole[2:], requires_grad=False)
        self.nothing = nn.Parameter(torch.empty(0))
        self.register_buffer("mask", torch.tensor([True, False, True]))


def blocks(model: nn.Module) -> set[int]:
    return {tensor.untyped_storage().data_ptr() for tensor in tensors_of(model) if tensor.numel()}


@pytest.mark.parametrize(("block", "expected"), [(1 << 20, 1), (1, 5)])
def test_values_objects_and_what_is_shared_stay(block: int, expected: int) -> None:
    model = Model()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    objects = [id(tensor) for tensor in tensors_of(model)]
    strides = [tensor.stride() for tensor in tensors_of(model)]
    lay_together(tensors_of(model), block)
    after = model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
    assert [id(tensor) for tensor in tensors_of(model)] == objects
    assert [tensor.stride() for tensor in tensors_of(model)] == strides
    assert len(blocks(model)) == expected
    assert model.head.weight is model.embedding.weight
    with torch.no_grad():
        model.lower[0, 0] = 99
        model.upper[0, 0] = 77
    assert model.lower.untyped_storage().data_ptr() == model.upper.untyped_storage().data_ptr()
    assert (model.lower[0, 0], model.upper[0, 0]) == (99, 77)


def test_a_tensor_that_comes_twice_is_moved_once() -> None:
    """As a table of 4-bit values would that all weights of a model share."""
    before, shared = torch.arange(10.0), torch.arange(5.0)
    lay_together(iter([before, shared, shared]))
    assert before.tolist() == [*range(10)]
    assert shared.tolist() == [*range(5)]


def test_no_block_is_larger_than_asked_but_for_one_tensor_that_is() -> None:
    sizes = (512, 1024, 1024, 4096, 512, 1536, 512)
    tensors = [torch.zeros(size, dtype=torch.uint8) for size in sizes]
    lay_together(iter(tensors), 2048)
    bytes_of = {id(one): one.untyped_storage().nbytes() for one in tensors}
    assert [*bytes_of.values()] == [1536, 1536, 1024, 4096, 2048, 2048, 512]
    assert len({one.untyped_storage().data_ptr() for one in tensors}) == 5


def test_it_can_be_trained_afterwards() -> None:
    torch.manual_seed(0)
    model = Model()
    ids = torch.tensor([1, 2, 3])
    expected = model.head(model.embedding(ids)).square().sum()
    lay_together(tensors_of(model))
    loss = model.head(model.embedding(ids)).square().sum()
    assert torch.equal(loss, expected)
    loss.backward()
    torch.optim.SGD([model.embedding.weight], lr=0.01).step()
    assert model.head(model.embedding(ids)).square().sum() < expected


def test_four_bit_weights_are_moved_with_their_scales() -> None:
    pytest.importorskip("bitsandbytes")
    from bitsandbytes.nn import Linear4bit

    layer: Any = Linear4bit(128, 64, compute_dtype=torch.float32, compress_statistics=True)
    layer = layer.to("cpu")
    with torch.no_grad():
        expected = layer(torch.ones(2, 128))
    state = layer.weight.quant_state
    scales = [state.absmax, state.code, state.offset, state.state2.absmax, state.state2.code]
    found = list(tensors_of(layer))
    assert all(any(one is scale for one in found) for scale in scales)
    lay_together(tensors_of(layer))
    assert len(blocks(layer)) == 1
    with torch.no_grad():
        assert torch.equal(layer(torch.ones(2, 128)), expected)


def test_main_memory_is_left_alone() -> None:
    model = Model()
    before = blocks(model)
    assert defragment(model, torch.device("cpu")) == 0
    assert blocks(model) == before


def test_without_room_weights_stay_and_the_model_works(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise torch.OutOfMemoryError("full")

    model = Model()
    monkeypatch.setattr(module, "lay_together", full)
    for name, value in (("memory_reserved", 1 << 30), ("memory_allocated", 1 << 20)):
        monkeypatch.setattr(torch.cuda, name, lambda _, value=value: value)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    assert defragment(model, torch.device("cuda")) == 0
    assert model.head(model.embedding(torch.tensor([1]))).shape == (1, 7)
