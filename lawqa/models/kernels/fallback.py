"""Fused kernels with plain torch behind them: what fails once is not tried again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from lawqa.models.kernels.elementwise import Activation, Elementwise

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


class Fallback:
    """Whether fused kernels are still in use, and the one line that says that they are not.

    Args:
        name: what the kernels are called in that line.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self.failed = False

    def call(self, fused: Callable[[], Result], plain: Callable[[], Result]) -> Result:
        """Return what the fused kernel gives; after a failure, and ever after, what plain torch gives.

        A kernel that cannot be compiled or started has written nothing, so its inputs are whole. A full
        memory is the caller's, and an error on the card itself leaves no card to fall back on.

        Raises:
            torch.OutOfMemoryError: the memory is full.
            RuntimeError: the card reports an error.
        """
        if self.failed:
            return plain()
        try:
            return fused()
        except torch.OutOfMemoryError:
            raise
        # Triton's compiler, its launcher and the driver raise errors of many types.
        except Exception as problem:
            if "CUDA error" in str(problem):
                raise
            self.failed = True
            logger.warning(
                "%s do not run here, plain torch does their work from now on: %s: %s",
                self._name, type(problem).__name__, str(problem)[:200],
            )  # fmt: skip
        return plain()


class FallbackElementwise:
    """`Elementwise` by fused kernels, and by plain torch once one of them has failed.

    Args:
        fused: the kernels.
        plain: what takes their place.
    """

    def __init__(self, fused: Elementwise, plain: Elementwise) -> None:
        self._fused, self._plain = fused, plain
        self._kernels = Fallback("fused elementwise kernels")

    @property
    def name(self) -> str:
        """The name of what does the work now."""
        return type(self._plain if self._kernels.failed else self._fused).__name__

    def add_norm(
        self, stream: Tensor, delta: Tensor | None, weight: Tensor, eps: float
    ) -> tuple[Tensor, Tensor]:
        """Do the same as `Elementwise.add_norm`."""
        return self._run(lambda kernels: kernels.add_norm(stream, delta, weight, eps))

    def norm_rotate(
        self, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor, eps: float
    ) -> Tensor:
        """Do the same as `Elementwise.norm_rotate`."""
        return self._run(lambda kernels: kernels.norm_rotate(heads, weight, cos, sin, eps))

    def swiglu(self, gate: Tensor, up: Tensor) -> Tensor:
        """Do the same as `Elementwise.swiglu`."""
        return self._run(lambda kernels: kernels.swiglu(gate, up))

    def norm(
        self, x: Tensor, weight: Tensor, eps: float, out: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Do the same as `Elementwise.norm`."""
        return self._run(lambda kernels: kernels.norm(x, weight, eps, out))

    def norm_backward(
        self, grad: Tensor, x: Tensor, weight: Tensor, inverse: Tensor, residual: Tensor | None
    ) -> Tensor:
        """Do the same as `Elementwise.norm_backward`."""
        return self._run(lambda kernels: kernels.norm_backward(grad, x, weight, inverse, residual))

    def norm_rotate_once(
        self, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor, eps: float
    ) -> Tensor:
        """Do the same as `Elementwise.norm_rotate_once`."""
        return self._run(lambda kernels: kernels.norm_rotate_once(heads, weight, cos, sin, eps))

    def norm_rotate_backward(
        self, grad: Tensor, heads: Tensor, weight: Tensor | None, cos: Tensor, sin: Tensor,
        eps: float, out: Tensor,
    ) -> None:  # fmt: skip
        """Do the same as `Elementwise.norm_rotate_backward`."""
        self._run(
            lambda kernels: kernels.norm_rotate_backward(grad, heads, weight, cos, sin, eps, out)
        )

    def glu_joined(
        self, gate_up: Tensor, activation: Activation, out: Tensor | None = None
    ) -> Tensor:
        """Do the same as `Elementwise.glu_joined`."""
        return self._run(lambda kernels: kernels.glu_joined(gate_up, activation, out))

    def glu_backward(self, gate_up: Tensor, grad: Tensor, activation: Activation) -> None:
        """Do the same as `Elementwise.glu_backward`."""
        self._run(lambda kernels: kernels.glu_backward(gate_up, grad, activation))

    def dropout(self, x: Tensor, probability: float, seed: int) -> Tensor:
        """Do the same as `Elementwise.dropout`: by the fused kernels alone.

        Plain torch drops other values with the same seed, so to change between the forward and the backward
        pass would be wrong.
        """
        return self._fused.dropout(x, probability, seed)

    def add_dropped(self, total: Tensor, grad: Tensor, probability: float, seed: int) -> None:
        """Do the same as `Elementwise.add_dropped`, for `dropout`."""
        self._fused.add_dropped(total, grad, probability, seed)

    def _run(self, run: Callable[[Elementwise], Result]) -> Result:
        return self._kernels.call(lambda: run(self._fused), lambda: run(self._plain))


def kernels_name(kernels: Elementwise) -> str:
    """Return the name of elementwise kernels in manifests: of those that work behind a fallback."""
    return kernels.name if isinstance(kernels, FallbackElementwise) else type(kernels).__name__
