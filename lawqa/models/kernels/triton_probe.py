"""Whether Triton kernels can be compiled and run here.

Triton comes with torch on Linux, but its launchers are compiled with a C compiler that a container may
lack, and its kernels need a card that it knows. So one kernel is tried.
"""

from __future__ import annotations

import functools
import logging
from importlib.util import find_spec

import torch

from lawqa.models.kernels.compiled import prepare_cache
from lawqa.models.kernels.elementwise import CpuElementwise, Elementwise, TorchElementwise
from lawqa.models.kernels.fallback import FallbackElementwise

logger = logging.getLogger(__name__)


@functools.cache
def fastest_elementwise(device: torch.device) -> Elementwise:
    """Give Triton's kernels where they can be compiled, else plain torch's, with a warning on a GPU."""
    reason = triton_obstacle(device)
    if reason is None:
        from lawqa.models.kernels.triton_elementwise import TritonElementwise

        return FallbackElementwise(TritonElementwise(), TorchElementwise())
    if device.type == "cuda":
        logger.warning("slower elementwise kernels: %s", reason)
    return CpuElementwise() if device.type == "cpu" else TorchElementwise()


@functools.cache
def triton_obstacle(device: torch.device) -> str | None:
    """Return why kernels do not run on this device, or None where they do."""
    if device.type != "cuda":
        return f"Triton kernels need a CUDA device, and the model is on the {device.type}"
    if find_spec("triton") is None:
        return "Triton is not installed"
    capability = torch.cuda.get_device_capability(device)
    if capability < (8, 0):
        return f"the kernels need compute capability 8.0, and the card has {capability}"
    from lawqa.models.kernels.triton_elementwise import TritonElementwise

    x = torch.ones(3, 64, device=device, dtype=torch.bfloat16)
    try:
        prepare_cache()
        # Tensors of their own: the kernel writes the sum over the first.
        _, y = TritonElementwise().add_norm(x, torch.ones_like(x), torch.ones_like(x[0]), 0.0)
        torch.cuda.synchronize(device)
    # Whatever it is that fails (no compiler, an unknown card), the
    # plain path works, and the caller logs the reason.
    except Exception as problem:  # noqa: BLE001
        return f"Triton does not work here: {type(problem).__name__}: {str(problem)[:300]}"
    if not torch.equal(y, torch.ones_like(y)):
        return "Triton's kernels give wrong results here"
    return None
