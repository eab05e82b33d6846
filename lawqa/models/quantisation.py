"""4-bit weights: made while loading, or found quantised already in the files of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import torch
from torch import _disable_dynamo as disable_dynamo
from transformers import BitsAndBytesConfig

from lawqa.errors import BackendError, MissingExtraError
from lawqa.models import NO_4BIT
from lawqa.models.lean.deferred import compiler_is_there
from lawqa.settings import QuantType
from lawqa.stopwatch import part

if TYPE_CHECKING:
    from transformers import PretrainedConfig


def import_bitsandbytes() -> None:
    """Import bitsandbytes without torch's compiler, which is most of what it brings.

    It hands functions to `torch.compile` when it is imported, for devices that have no kernels of their own;
    on a GPU and on a CPU none of them runs. As they are, they compute the same.

    Raises:
        ImportError: it is not installed.
    """
    own, left_alone = torch.compile, torch._disable_dynamo
    torch.compile = _as_it_is
    torch._disable_dynamo = _out_of_its_way
    try:
        with part("imports"):
            import_module("bitsandbytes")
    finally:
        torch.compile, torch._disable_dynamo = own, left_alone


def _as_it_is(function: Any = None, **_: object) -> Any:
    """Take the place of `torch.compile`, which gives a decorator where it is called without a function."""
    return function if function is not None else _as_it_is


def _out_of_its_way(function: Callable[..., Any]) -> Callable[..., Any]:
    """Take the place of `torch._disable_dynamo`, which imports the compiler to keep it out of a kernel.

    A compiler that is not there compiles nothing.
    """
    kept_out = disable_dynamo(function)

    @wraps(function)
    def called(*arguments: Any, **options: Any) -> Any:
        return (kept_out if compiler_is_there() else function)(*arguments, **options)

    return called


def quantisation(quant_type: QuantType, dtype: torch.dtype) -> BitsAndBytesConfig:
    """Return the settings of 4 bits with double quantisation (QLoRA, arXiv:2305.14314).

    Args:
        quant_type: the 4-bit data type.
        dtype: of products.

    Raises:
        MissingExtraError: bitsandbytes is not installed.
    """
    try:
        import_bitsandbytes()
        return BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=quant_type,
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    except ImportError:
        raise MissingExtraError("bitsandbytes", "train", otherwise=NO_4BIT) from None


@contextmanager
def quantising_counted() -> Iterator[None]:
    """Count what bitsandbytes does to weights inside the block as quantising."""
    from bitsandbytes import functional

    own = functional.quantize_4bit

    def counted(weight: torch.Tensor, *arguments: object, **options: object) -> object:
        _wait_for(weight)  # what brings it to the card is not quantising
        with part("quantising"):
            result = own(weight, *arguments, **options)
            _wait_for(weight)
        return result

    functional.quantize_4bit = counted
    try:
        yield
    finally:
        functional.quantize_4bit = own


def _wait_for(weight: torch.Tensor) -> None:
    if weight.is_cuda:
        # Not for the device: threads copy other weights to it (`lean.ahead`), on streams of their own.
        torch.cuda.current_stream(weight.device).synchronize()


def stored_type(name: str, model_config: PretrainedConfig, dtype: torch.dtype) -> QuantType | None:
    """Return the 4-bit data type in which a model's files hold its weights; None where they hold them whole.

    Args:
        name: of the model, for messages.
        model_config: its config; products are set to `dtype` in it, which the files' maker chose otherwise.
        dtype: of products.

    Raises:
        BackendError: the weights are quantised in another way than bitsandbytes' 4 bits.
        MissingExtraError: they are, and bitsandbytes is not installed.
    """
    stored = getattr(model_config, "quantization_config", None)
    if stored is None:
        return None
    if not stored.get("quant_method"):
        raise BackendError(
            f"{name}: the quantization_config in its config.json names no quant_method",
            "compare config.json with the original's; a model that is not quantised has no such key",
        )
    if stored.get("quant_method") != "bitsandbytes" or not stored.get("load_in_4bit"):
        raise BackendError(
            f"{name}: its weights are quantised already, by {stored.get('quant_method')}, not to "
            "bitsandbytes' 4 bits",
            "take the model that is not quantised; lawqa quantises it while loading",
        )
    if find_spec("bitsandbytes") is None:
        raise MissingExtraError("bitsandbytes", "train")
    stored["bnb_4bit_compute_dtype"] = str(dtype).removeprefix("torch.")
    quant_type: QuantType = "nf4" if stored.get("bnb_4bit_quant_type") == "nf4" else "fp4"
    return quant_type


def keep_as_bytes(model: torch.nn.Module) -> None:
    """Give 4-bit weights that were stored as bfloat16, for FSDP elsewhere, the dtype of what they are.

    Kernels read them as bytes, and torch does not keep all bits of a NaN that they happen to spell.
    """
    for module in model.modules():
        weight: Any = getattr(module, "weight", None)  # bitsandbytes has no types
        if getattr(weight, "quant_state", None) is not None and weight.dtype != torch.uint8:
            weight.data = weight.data.view(torch.uint8).view(-1, 1)
            weight.quant_storage = module.quant_storage = torch.uint8


def cast_unquantised(model: torch.nn.Module, dtype: torch.dtype) -> None:
    """Bring what 4-bit files hold whole (embedding, norms, output layer) to the dtype that was asked for.

    transformers leaves it in the dtype of the files, whatever `dtype` says, so products with it fail or run
    in another precision than the manifest names.
    """
    in_float32 = set(model._keep_in_fp32_modules or ())
    for path, module in model.named_modules():
        if in_float32 & set(path.split(".")):
            continue
        for parameter in module.parameters(recurse=False):
            state: Any = getattr(parameter, "quant_state", None)  # as above
            if state is not None:
                state.dtype = dtype  # of what dequantising gives
            elif parameter.is_floating_point() and parameter.dtype != dtype:
                parameter.data = parameter.data.to(dtype)
        if hasattr(module, "compute_dtype"):
            module.compute_dtype = dtype
    model.config.dtype = dtype


def keep_cpu_gradients_right(model: torch.nn.Module) -> None:
    """Stop bitsandbytes from repacking 4-bit weights on CPUs with AVX512-BF16.

    A no-grad forward there repacks each `Linear4bit` for good; training afterwards runs a kernel whose
    gradients are wrong, without an error (seen with bitsandbytes 0.50).
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
