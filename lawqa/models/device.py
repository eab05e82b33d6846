"""The device that models run on, and what a manifest says of it."""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from lawqa.errors import BackendError
from lawqa.files import JsonDict
from lawqa.models.main_memory import free_main_memory
from lawqa.settings import Dtype

_FULL_MEMORY = ("out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "DefaultCPUAllocator")

_GPU_CONTROL, _DRIVER_VERSION = Path("/dev/nvidiactl"), Path("/proc/driver/nvidia/version")


def pick_device() -> torch.device:
    """Return the CUDA device of this process where there is one, else the CPU.

    Under `torchrun` each process has the GPU of its own number, and that becomes the current one.

    Raises:
        BackendError: there are more processes than GPUs, or a GPU that this torch cannot use.
    """
    if not torch.cuda.is_available():
        _refuse_unusable_gpu()
        return torch.device("cpu")
    if "LOCAL_RANK" in os.environ:
        number, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if number >= there:
            raise BackendError(
                f"process {number} has no GPU of its own: there are {there}",
                f"torchrun --nproc-per-node {there}",
            )
        torch.cuda.set_device(number)
    return torch.device("cuda", torch.cuda.current_device())


def _refuse_unusable_gpu() -> None:
    """Refuse to run on the CPU beside an unusable GPU: that takes hours, and the user must want it."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "unset") in ("", "-1", "none")
    if hidden or not _GPU_CONTROL.exists():
        return
    built = f"is built for CUDA {torch.version.cuda}" if torch.version.cuda else "has no CUDA"
    driver = "unknown"
    if _DRIVER_VERSION.is_file():
        version = re.search(r"Kernel Module\D*([\d.]+)", _DRIVER_VERSION.read_text())
        driver = version[1] if version else driver
    raise BackendError(
        f"there is a GPU, but torch {torch.__version__}, which {built}, cannot use it with driver {driver}",
        "install the torch build for that driver (nvidia-smi names the newest CUDA it knows); or "
        "CUDA_VISIBLE_DEVICES= runs on the CPU",
    )


def compute_dtype(wanted: Dtype, device: torch.device) -> torch.dtype:
    """Return the dtype of products and of weights that are not quantised.

    `auto` is bfloat16 on GPUs that have it, float16 on older ones, and float32 on a CPU, where half
    precision saves nothing.

    Raises:
        BackendError: the GPU does not have the dtype.
    """
    if wanted != "auto":
        chosen: torch.dtype = getattr(torch, wanted)
        if device.type == "cuda" and chosen == torch.bfloat16 and not _has_bfloat16():
            raise BackendError(
                f"{torch.cuda.get_device_name(device)} has no bfloat16",
                "leave the dtype to lawqa, or ask for float16",
            )
        return chosen
    if device.type == "cpu":
        return torch.float32
    return torch.bfloat16 if _has_bfloat16() else torch.float16


def _has_bfloat16() -> bool:
    return bool(torch.cuda.is_bf16_supported(including_emulation=False))


def describe_device(device: torch.device) -> JsonDict:
    """Return name, memory in GiB, compute capability and MIG profile, from the CUDA runtime.

    NVML is not asked: inside a MIG slice it may be denied.
    """
    if device.type != "cuda":
        return {"type": device.type}
    properties = torch.cuda.get_device_properties(device)
    profile = re.search(r"MIG (\S+)", properties.name)
    return {
        "type": "cuda",
        "name": properties.name,
        "memory_gib": round(properties.total_memory / 2**30, 2),
        "capability": f"{properties.major}.{properties.minor}",
        "mig_profile": profile[1] if profile else None,
        "cuda": torch.version.cuda,
    }


def free_bytes(device: torch.device, *, in_one_piece: bool = False) -> int:
    """Return the bytes that this process may still take on a device.

    On CUDA asked of the runtime, not of NVML, which a MIG slice may deny; torch's own limit on the process
    counts, and so does what torch holds without using it. On a CPU what the kernel calls available, within
    the limits of container and process.

    Args:
        device: the device.
        in_one_piece: count what a large tensor can have. What torch holds unused is given back first; what it
            keeps are gaps between other tensors, such as loading leaves (2.9 GiB were seen), and not counted.
    """
    if device.type == "cpu":
        return free_main_memory()
    if in_one_piece:
        torch.cuda.empty_cache()
    free, total = torch.cuda.mem_get_info(device)
    allocated: int = torch.cuda.memory_allocated(device)
    reserved: int = torch.cuda.memory_reserved(device)
    allowed = int(total * torch.cuda.get_per_process_memory_fraction(device))
    if in_one_piece:
        return int(min(free, allowed - reserved))
    return int(min(free + reserved - allocated, allowed - allocated))


@contextmanager
def full_memory_named() -> Iterator[None]:
    """Raise `torch.OutOfMemoryError`, which callers survive, for every error that means a full memory.

    cuBLAS, Triton, the driver and the CPU's allocator say it as plain RuntimeErrors.
    """
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as problem:
        if not any(words in str(problem) for words in _FULL_MEMORY):
            raise
        raise torch.OutOfMemoryError(str(problem)) from None


def give_back_memory() -> None:
    """Return what torch holds without using it, after the last reference to a model is gone."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def peak_memory_gib(device: torch.device) -> float | None:
    """Return the most memory that tensors have held on the device, in GiB; None on a CPU."""
    if device.type != "cuda":
        return None
    peak: int = torch.cuda.max_memory_allocated(device)
    return round(peak / 2**30, 2)
