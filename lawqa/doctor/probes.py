"""What the doctor asks of the machine; tests hand in answers of their own.

The GPU is asked through the CUDA runtime alone: inside a MIG slice NVML may be denied.
"""

from __future__ import annotations

import locale
import logging
import os
import platform
import re
import shutil
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Protocol

from lawqa.errors import LawqaError


@dataclass(frozen=True)
class Gpu:
    """A CUDA device as the runtime describes it."""

    name: str
    """The device's name, with the MIG profile where it is a slice."""
    free_gib: float
    """Memory that is free now, in GiB."""
    total_gib: float
    """Memory of the device or slice, in GiB."""
    capability: tuple[int, int]
    """The compute capability."""
    bf16: bool
    """Whether bfloat16 products are native."""

    @property
    def mig_profile(self) -> str | None:
        """The slice, such as `2g.20gb`; None for a whole device."""
        profile = re.search(r"MIG (\S+)", self.name)
        return profile[1] if profile else None


class Probes(Protocol):
    """The machine, as far as the doctor asks."""

    def python(self) -> tuple[int, int, int]:
        """Return the version of Python."""

    def package(self, name: str) -> str | None:
        """Return the installed version; None where there is none."""

    def torch_build(self) -> tuple[str | None, str | None]:
        """Return the CUDA version that torch was built for, or None, and what torch warned of
        while looking.
        """

    def driver_cuda(self) -> int | None:
        """Return the newest CUDA that the driver takes, as 12040 for 12.4; None where there is no driver."""

    def gpu(self) -> Gpu | None:
        """Return the current CUDA device; None where torch sees none."""

    def four_bit_error(self) -> float:
        """Return the relative error of a 4-bit linear layer on this device; raises where it does not run."""

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables."""

    def kernel(self) -> tuple[str, str]:
        """Return the system's name and its kernel release."""

    def encodings(self) -> tuple[str, str, str]:
        """Return the encodings of files, of standard output and of file names."""

    def free_gib(self, path: Path) -> float | None:
        """Free space where this path is or would be, in GiB; None where it cannot be known."""

    def model_fault(self, directory: Path, /) -> LawqaError | None:
        """Return why this model would be refused when it is loaded; None where it would not."""


class SystemProbes:
    """This machine."""

    def python(self) -> tuple[int, int, int]:
        """Return the version of Python."""
        return sys.version_info[0], sys.version_info[1], sys.version_info[2]

    def package(self, name: str) -> str | None:
        """Return the installed version; None where there is none."""
        try:
            return version(name)
        except PackageNotFoundError:
            return None

    def torch_build(self) -> tuple[str | None, str | None]:
        """Return the CUDA version that torch was built for, and what torch warned of while looking."""
        import torch

        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            torch.cuda.is_available()
        said = [str(w.message) for w in caught if "driver" in str(w.message).lower()]
        return torch.version.cuda, said[0] if said else None

    def driver_cuda(self) -> int | None:
        """Return the newest CUDA that the driver takes, asked of the driver library itself."""
        import ctypes

        try:
            driver = ctypes.CDLL("libcuda.so.1")
        except OSError:
            return None  # no driver is installed, which is what None says
        newest = ctypes.c_int(0)
        return newest.value if driver.cuDriverGetVersion(ctypes.byref(newest)) == 0 else None

    def gpu(self) -> Gpu | None:
        """Return the current CUDA device."""
        import torch

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # `torch_build` reports them
            if not torch.cuda.is_available():
                return None
        free, total = torch.cuda.mem_get_info()
        properties = torch.cuda.get_device_properties(torch.cuda.current_device())
        return Gpu(
            name=properties.name,
            free_gib=free / 2**30,
            total_gib=total / 2**30,
            capability=(properties.major, properties.minor),
            bf16=bool(torch.cuda.is_bf16_supported(including_emulation=False)),
        )

    def four_bit_error(self) -> float:
        """Return the relative error of a 4-bit layer's outputs and gradients against the plain layer's."""
        import torch

        # It logs advice to install `kernels` when it is imported on a CPU; lawqa does not need it.
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
        import bitsandbytes

        cuda = torch.cuda.is_available()
        device = torch.device("cuda" if cuda else "cpu")
        dtype = torch.bfloat16 if cuda and torch.cuda.is_bf16_supported() else torch.float32
        drawn = torch.Generator().manual_seed(0)
        weight, rows = (torch.randn(n, 256, generator=drawn) for n in (256, 32))
        layer = bitsandbytes.nn.Linear4bit(
            256, 256, bias=False, compute_dtype=dtype, quant_type="nf4"
        )
        layer.weight = bitsandbytes.nn.Params4bit(weight, requires_grad=False, quant_type="nf4")
        layer = layer.to(device)
        inputs = rows.clone().to(device, dtype).requires_grad_()
        outputs = layer(inputs)
        outputs.backward(torch.ones_like(outputs))
        assert inputs.grad is not None  # noqa: S101 - backward has just made it
        plain, gradient = rows @ weight.T, weight.sum(dim=0).expand(32, -1)
        forward, backward = (
            float((computed.detach().float().cpu() - true).norm() / true.norm())
            for computed, true in ((outputs, plain), (inputs.grad, gradient))
        )
        return max(forward, backward)

    def environment(self) -> Mapping[str, str]:
        """Return the environment variables."""
        return os.environ

    def kernel(self) -> tuple[str, str]:
        """Return the system's name and its kernel release."""
        return platform.system(), platform.release()

    def encodings(self) -> tuple[str, str, str]:
        """Return the encodings of files, of standard output and of file names."""
        return (
            locale.getpreferredencoding(False),
            getattr(sys.stdout, "encoding", None) or "utf-8",
            sys.getfilesystemencoding(),
        )

    def free_gib(self, path: Path) -> float | None:
        """Free space where this path is or would be."""
        here = path.absolute()
        while not here.exists() and here != here.parent:
            here = here.parent
        try:
            return shutil.disk_usage(here).free / 2**30
        except OSError:
            return None  # such as a path in a file system that has gone; the caller says so

    def model_fault(self, directory: Path) -> LawqaError | None:
        """Return why this model would be refused: from its small files and the headers of its weights.

        Without torch the tensors are not compared with what the config needs.
        """
        from lawqa.models.files.model_folder import read_folder

        try:
            read_folder(directory)
            if all(self.package(name) for name in ("torch", "transformers", "peft")):
                from lawqa.models.pretrained import check_files, load_config, load_tokenizer

                check_files(str(directory), None, load_config(str(directory)))
                load_tokenizer(str(directory))
        except LawqaError as problem:
            return problem
        return None
