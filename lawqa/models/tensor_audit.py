"""Whether every tensor of a model comes from its files, and every tensor of the files goes into the model.

transformers fills what is missing with random numbers and passes over what is left, with a table on stderr.
Its own loader is asked beforehand, with empty tensors of the shapes in the files, so that its renamings,
conversions and lists of keys to ignore are the ones that count; and again after loading.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, TypedDict

import torch
from transformers import AutoModelForCausalLM, PreTrainedModel
from transformers.utils import logging as transformers_logging

from lawqa.errors import BackendError
from lawqa.files import strict_json
from lawqa.models.files.model_folder import ModelFolder
from lawqa.models.files.weight_files import WHOLE, StoredTensor, enumerated, same_bytes
from lawqa.models.load_errors import reading

if TYPE_CHECKING:
    from transformers import PretrainedConfig

_FLOATS = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
}  # fmt: skip
_STATE = ".quant_state.bitsandbytes__"


class LoadingInfo(TypedDict):
    """What transformers' `output_loading_info` gives."""

    missing_keys: set[str]
    unexpected_keys: set[str]
    mismatched_keys: set[tuple[str, tuple[int, ...], tuple[int, ...]]]
    error_msgs: list[str]


def audit_tensors(
    name: str, revision: str | None, folder: ModelFolder, config: PretrainedConfig
) -> None:
    """Refuse a model whose files and config do not fit each other; reads headers only.

    Args:
        name: of the model, for messages.
        revision: its revision, for messages.
        folder: its files.
        config: transformers' config of it.

    Raises:
        BackendError: a tensor is missing, foreign, of another shape, not made of floating-point numbers, or
            tied to one that differs.
    """
    stored, whole = _unpacked(name, folder, config)
    with reading(name, revision):
        model, info = _dry_load(config, {**stored, **whole})
    _refuse(name, info)
    # Numbers of another kind, such as int8 without its scales, would be cast as if they were weights.
    needed = {parameter for parameter, _ in model.named_parameters()}
    odd = [
        f"{tensor} ({folder.tensors[tensor].dtype})"
        for tensor in whole
        if folder.tensors[tensor].dtype not in _FLOATS and tensor in needed
    ]
    if odd:
        raise BackendError(
            f"{name}: its weights are not floating-point numbers: {enumerated(odd)}; expected "
            f"{', '.join(_FLOATS)}",
            "take the model that is not quantised; lawqa quantises it while loading",
        )
    _refuse_twice(name, model.base_model_prefix, folder.tensors)
    for one, other in model.all_tied_weights_keys.items():
        held = [folder.tensors[key] for key in (one, other) if key in folder.tensors]
        if len(held) == 2 and not same_bytes(*held):
            raise _untied(name, one, other)


def check_loaded(name: str, model: PreTrainedModel, info: LoadingInfo) -> None:
    """Refuse a loaded model that is not just what its files hold.

    Args:
        name: of the model, for messages.
        model: as transformers loaded it.
        info: what transformers said of loading it.

    Raises:
        BackendError: tensors were missing, foreign or misshapen; an adapter was attached; tied weights
            differ; or a 4-bit layer has no scales.
    """
    layers = [
        path
        for path, module in model.named_modules()
        if type(module).__module__.startswith("peft.")
    ]
    if layers or getattr(model, "_hf_peft_config_loaded", False):
        raise BackendError(
            f"{name}: comes with an adapter, which transformers attached by itself ({enumerated(layers)})",
            "take a folder or revision of the base model alone; apply the adapter with --hf-lora-path",
        )
    _refuse(name, info)
    output, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    tied = getattr(model.config.get_text_config(), "tie_word_embeddings", False)
    if tied and output is not None and output.weight is not embedding.weight:
        raise _untied(name, "the output layer", "the embedding")
    bare = [
        path
        for path, module in model.named_modules()
        if type(module).__name__ == "Linear4bit"
        and getattr(module.weight, "quant_state", None) is None
    ]
    if bare:
        raise BackendError(
            f"{name}: its config says 4-bit weights, but {enumerated(bare)} have no scales", WHOLE
        )


def _dry_load(
    config: PretrainedConfig, tensors: dict[str, torch.Tensor]
) -> tuple[PreTrainedModel, LoadingInfo]:
    """Return what transformers' loader says of these tensors, without storage on either side."""
    config = copy.deepcopy(config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(config, trust_remote_code=False)
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        loaded: tuple[PreTrainedModel, LoadingInfo] = type(empty).from_pretrained(
            None,
            config=empty.config,
            state_dict=tensors,
            dtype=torch.bfloat16,
            device_map={"": "meta"},
            ignore_mismatched_sizes=True,  # they are named in the answer, not raised
            output_loading_info=True,
        )
    finally:
        if shown:
            transformers_logging.enable_progress_bar()
    return loaded


def _unpacked(
    name: str, folder: ModelFolder, config: PretrainedConfig
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Return the files' 4-bit weights in the shape of the weights they encode, and the others; without
    storage.
    """
    quantised: dict[str, torch.Tensor] = {}
    parts: set[str] = set()
    if getattr(config, "quantization_config", None) is not None:
        for key, tensor in folder.tensors.items():
            base, separator, quant_type = key.partition(_STATE)
            if separator:
                shape, used = _packed_shape(name, base, quant_type, tensor, folder, config)
                quantised[base] = torch.empty(shape, dtype=torch.bfloat16, device="meta")
                parts |= {key, base, *used}
        if not quantised:
            raise BackendError(
                f"{name}: its config.json says 4-bit weights (quantization_config), and its files hold whole "
                "ones",
                "was the config changed? compare it with the original's",
            )
    whole = {
        key: torch.empty(
            tensor.shape, dtype=_FLOATS.get(tensor.dtype, torch.bfloat16), device="meta"
        )
        for key, tensor in folder.tensors.items()
        if key not in parts
    }
    return quantised, whole


def _packed_shape(
    name: str,
    base: str,
    quant_type: str,
    state: StoredTensor,
    folder: ModelFolder,
    config: PretrainedConfig,
) -> tuple[tuple[int, ...], list[str]]:
    """Return the shape of a 4-bit weight, from its quant state (some 100 bytes), and the tensors it is made
    of.
    """
    try:
        fields = strict_json(state.read())
        shape = tuple(int(number) for number in fields["shape"])
        blocks = math.ceil(math.prod(shape) / fields["blocksize"])
        nested = "nested_blocksize" in fields
    except (ValueError, KeyError, TypeError, ZeroDivisionError):
        raise BackendError(f"{name}: the quantisation state of {base} is damaged", WHOLE) from None
    declared = config.quantization_config.get("bnb_4bit_quant_type", "fp4")
    if quant_type != declared:
        raise BackendError(
            f"{name}: {base} is stored as {quant_type}, and the config says {declared}", WHOLE
        )
    used = [f"{base}.absmax", f"{base}.quant_map"]
    used += [f"{base}.nested_absmax", f"{base}.nested_quant_map"] if nested else []
    missing = [part for part in (base, *used) if part not in folder.tensors]
    if missing:
        raise BackendError(f"{name}: 4-bit weights lack {enumerated(missing)}", WHOLE)
    weight, scales = folder.tensors[base], folder.tensors[f"{base}.absmax"]
    packed = (math.prod(shape) + 1) // 2
    if weight.end - weight.start != packed or math.prod(scales.shape) != blocks:
        raise BackendError(
            f"{name}: the 4-bit weight {base} is of another size than its shape {shape} needs",
            WHOLE,
        )
    return shape, used


def _refuse(name: str, info: LoadingInfo) -> None:
    missing, unexpected = sorted(info["missing_keys"]), sorted(info["unexpected_keys"])
    shapes = [
        f"{key} is {list(actual)}, expected {list(expected)}"
        for key, actual, expected in sorted(info["mismatched_keys"])
    ]
    said = [
        *([f"{len(missing)} missing ({enumerated(missing)})"] if missing else []),
        *([f"{len(unexpected)} without a place ({enumerated(unexpected)})"] if unexpected else []),
        *([f"{len(shapes)} of another shape ({enumerated(shapes)})"] if shapes else []),
        *info["error_msgs"],
    ]  # fmt: skip
    if not said:
        return
    head = [key for key in missing if key.startswith("lm_head.")]
    raise BackendError(
        f"{name}: its weights and its config.json do not fit each other; tensors: {'; '.join(said)}",
        "without lm_head, tie_word_embeddings in config.json should be true, as the original's config says"
        if head == missing and not unexpected and not shapes
        else WHOLE,
    )


def _refuse_twice(name: str, prefix: str, keys: Iterable[str]) -> None:
    """Refuse two tensors for one place, of which the loader would take either."""
    seen: dict[str, str] = {}
    for key in keys:
        short = key.removeprefix(f"{prefix}.")
        if short in seen:
            raise BackendError(f"{name}: {seen[short]} and {key} are tensors for one place", WHOLE)
        seen[short] = key


def _untied(name: str, one: str, other: str) -> BackendError:
    return BackendError(
        f"{name}: its config.json ties {one} to {other} (tie_word_embeddings), but its weights hold two "
        "different ones",
        "was the config changed? the original's says tie_word_embeddings false",
    )
