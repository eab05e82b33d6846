"""A kernel that fails is not tried again: one line, and plain torch from then on."""

from __future__ import annotations

import logging
from typing import Any

import pytest
import torch

from lawqa.models.attention.packed import FallbackAttention, packed_attention
from lawqa.models.attention.records import Reach, RecordSpans
from lawqa.models.kernels.elementwise import TorchElementwise
from lawqa.models.kernels.fallback import FallbackElementwise, kernels_name

pytestmark = pytest.mark.torch

X, WEIGHT = torch.randn(3, 8), torch.ones(8)


class Failing:
    """Kernels that all raise, and count how often they were asked to run."""

    def __init__(self, problem: Exception) -> None:
        self.problem, self.asked = problem, 0

    def __getattr__(self, name: str) -> Any:
        def run(*_: Any) -> Any:
            self.asked += 1
            raise self.problem

        return run


def test_it_says_so_once_and_goes_on_in_plain_torch(caplog: pytest.LogCaptureFixture) -> None:
    fused = Failing(RuntimeError("out of resource: shared memory, required: 131072"))
    kernels = FallbackElementwise(fused, TorchElementwise())
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            normed, inverse = kernels.norm(X, WEIGHT, 1e-6)
            kernels.norm_backward(X, X, WEIGHT, inverse, None)
    assert torch.equal(normed, TorchElementwise().norm(X, WEIGHT, 1e-6)[0])
    assert fused.asked == 1
    (line,) = caplog.messages
    assert "fused elementwise kernels do not run here" in line
    assert "shared memory" in line


@pytest.mark.parametrize(
    "problem",
    [torch.OutOfMemoryError("full"), RuntimeError("CUDA error: an illegal memory access")],
)
def test_a_full_memory_and_a_broken_card_are_not_hidden(problem: Exception) -> None:
    kernels = FallbackElementwise(Failing(problem), TorchElementwise())
    with pytest.raises(type(problem)):
        kernels.norm(X, WEIGHT, 1e-6)


def test_manifests_name_the_kernels_that_work() -> None:
    kernels = FallbackElementwise(Failing(RuntimeError("no")), TorchElementwise())
    assert kernels_name(kernels) == "Failing"
    kernels.swiglu(X, X)
    assert kernels_name(kernels) == kernels_name(TorchElementwise()) == "TorchElementwise"


def test_dropout_never_changes_its_numbers_between_forward_and_backward() -> None:
    kernels = FallbackElementwise(Failing(RuntimeError("no")), TorchElementwise())
    with pytest.raises(RuntimeError, match="no"):
        kernels.dropout(X, 0.5, 1)


def test_attention_that_fails_in_its_backward_pass_is_computed_again() -> None:
    plain = packed_attention("plain")

    class Forward(Failing):
        def forward(self, *arguments: Any) -> Any:
            return plain.forward(*arguments)

    fused = Forward(RuntimeError("out of resource: registers"))
    attention = FallbackAttention(fused, plain)  # type: ignore[arg-type]
    records, reach = RecordSpans.of((5, 3), X.device), Reach(0.3, None, 2.0)
    q, k, v, grad = torch.randn(4, 8, 2, 4)
    out, kept = attention.forward(q, k, v, records, reach)
    found = attention.backward(grad, q, k, v, out, kept, records, reach)
    expected = plain.backward(grad, q, k, v, out, (), records, reach)
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)
    attention.forward(q, k, v, records, reach)
    assert fused.asked == 1
