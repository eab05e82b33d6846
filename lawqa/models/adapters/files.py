"""What lies in an adapter's files, read and judged before a model is loaded.

A config that PEFT would read otherwise than its writer meant it is refused here: keys this PEFT does not
know, kinds of adapter that change the base model's weights or the sequence, and tensors that hold no
numbers. Whether the tensors fit a model is seen in `adapter_audit`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open

from lawqa.amounts import few_of
from lawqa.errors import BackendError
from lawqa.files import JsonDict, JsonObject
from lawqa.models.adapters.settings import require_types
from lawqa.models.files.adapter_folder import CONFIG, WEIGHTS, read_adapter_config

if TYPE_CHECKING:
    from peft import PeftConfig

_FLOATS = ("F32", "F16", "BF16")
_INDICES = ("I32", "I64")

_IN_THE_SEQUENCE = (
    "it puts trained vectors before or into the prompt instead of changing the weights, and lawqa's prompts "
    "are padded and batched without them"
)
_REFUSED_KINDS = {
    **dict.fromkeys(
        ("PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "MULTITASK_PROMPT_TUNING", "CPT", "CARTRIDGE",
         "ADAPTION_PROMPT"),
        _IN_THE_SEQUENCE,
    ),
    "XLORA": "it mixes other adapters, whose files are not here",
    "POLY": "it chooses among several adapters by a task id, which lawqa does not give",
}  # fmt: skip

# The first weights of LoRA are replaced by those of the file, so these change nothing any more.
_PLAIN_STARTS = (True, False, "gaussian", "eva", "orthogonal", "mica")
_REWRITING_STARTS = ("pissa", "olora", "corda", "loftq", "lora_ga")
_ONLY_FOR_TRAINING = (
    "eva_config",
    "corda_config",
    "loftq_config",
    "lora_ga_config",
    "velora_config",
)
_UNSUPPORTED_SETTINGS = {
    "alora_invocation_tokens": "aLoRA switches itself on in the middle of a prompt",
    "arrow_config": "Arrow routes every token among several adapters",
    "kasa_config": "KaSA rewrites the base model's weights",
    "layer_replication": "it adds layers to the base model",
    "megatron_config": "it is for Megatron's layers",
    "monteclora_config": "MonteCLoRA draws its weights at random",
    "use_bdlora": "block-diagonal LoRA is for several devices",
    "use_qalora": "QA-LoRA is for GPTQ's quantised weights",
}

# No value of theirs changes what an adapter computes.
_WITHOUT_EFFECT = ("runtime_config", "auto_mapping")


@dataclass(frozen=True)
class AdapterFiles:
    """An adapter as it was read, with nothing of it left out."""

    path: Path
    """Its directory."""
    config: PeftConfig
    """PEFT's config object; the first weights of LoRA are not asked of it, for the file has the last ones."""
    tensors: dict[str, torch.Tensor]
    """Every tensor of its file, on the CPU, finite, by the name that PEFT gave it."""

    @property
    def kind(self) -> str:
        """PEFT's name of the method, such as LORA."""
        return str(self.config.peft_type.value)

    @property
    def base_name(self) -> str:
        """The model that its config names; empty where it names none."""
        return str(self.config.base_model_name_or_path or "")


def read_adapter_files(adapter: Path) -> AdapterFiles:
    """Read an adapter's config and tensors.

    Raises:
        BackendError: a part is missing, broken, or not a number; or it is of a kind, or has a setting, that
            would not be applied as it was trained.
    """
    raw = read_adapter_config(adapter)
    floats_only = raw["peft_type"] == "LORA"
    tensors = _tensors(adapter / WEIGHTS, _FLOATS if floats_only else (*_FLOATS, *_INDICES))
    return AdapterFiles(adapter, _config(adapter, raw, tensors), tensors)


def _tensors(weights: Path, allowed: tuple[str, ...]) -> dict[str, torch.Tensor]:
    try:
        with safe_open(weights, framework="pt") as file:
            kinds = {name: str(file.get_slice(name).get_dtype()) for name in file.keys()}  # noqa: SIM118
            odd = sorted(f"{name} is {kind}" for name, kind in kinds.items() if kind not in allowed)
            if odd:
                raise BackendError(
                    f"{weights}: {few_of(odd)}; expected {', '.join(allowed)}",
                    "save the adapter again with PEFT's save_pretrained, in one of these",
                )
            tensors = {name: file.get_tensor(name) for name in kinds}
    except SafetensorError as problem:
        raise BackendError(
            f"{weights}: cannot be read: {problem}",
            "was the copy cut off? compare it with the original",
        ) from problem
    if not tensors:
        raise BackendError(
            f"{weights}: holds no tensors", "was it saved? copy it again, or train again"
        )
    broken = sorted(name for name, tensor in tensors.items() if not _is_finite(tensor))
    if broken:
        raise BackendError(
            f"{weights}: {len(broken)} of {len(tensors)} tensors hold NaN or infinity: {few_of(broken)}",
            "its training diverged, or the copy is damaged: train again with a lower --learning-rate, or "
            "compare the file with the original",
        )
    return tensors


def _is_finite(tensor: torch.Tensor) -> bool:
    """Return whether all are numbers; a finite sum says so in a single pass, an infinite one may have
    overflowed.
    """
    return bool(tensor.sum(dtype=torch.float32).isfinite() or tensor.isfinite().all())


def _config(adapter: Path, raw: JsonObject, tensors: dict[str, torch.Tensor]) -> PeftConfig:
    """Return PEFT's object for a config, after everything in it has been looked at."""
    from peft.mapping import PEFT_TYPE_TO_CONFIG_MAPPING

    path, kind = adapter / CONFIG, str(raw["peft_type"])
    if kind in _REFUSED_KINDS:
        raise BackendError(
            f"{path}: the kind {kind} is not applied: {_REFUSED_KINDS[kind]}",
            "train a LoRA adapter instead: lawqa train",
        )
    if kind not in PEFT_TYPE_TO_CONFIG_MAPPING:
        raise BackendError(
            f"{path}: peft_type {kind} is not known to the PEFT installed here ({_peft()})", _NEWER
        )
    # Any: PEFT has no types.
    maker: Any = PEFT_TYPE_TO_CONFIG_MAPPING[kind]
    known = {field.name for field in fields(maker)}
    given = {key: value for key, value in raw.items() if key not in _WITHOUT_EFFECT}
    unknown = sorted(key for key in given if key not in known and given[key])
    if unknown:
        settings = ", ".join(f"{key} = {given[key]!r}" for key in unknown)
        raise BackendError(
            f"{path}: {settings}: the PEFT installed here ({_peft()}) does not know it for the kind {kind} "
            "and would leave it out",
            _NEWER,
        )
    if raw.get("task_type") not in (None, "CAUSAL_LM"):
        raise BackendError(
            f"{path}: task_type {raw['task_type']}; expected CAUSAL_LM",
            "an adapter for another task answers no questions",
        )
    require_types(path, given, maker)
    if kind == "LORA":
        given = _lora_settings(path, given, tensors)
    known_ones = {key: value for key, value in given.items() if key in known}
    try:
        config: PeftConfig = maker(**{**known_ones, "inference_mode": True})
    except (TypeError, ValueError, ImportError) as problem:
        raise BackendError(
            f"{path}: PEFT refuses it: {problem}", "compare it with what the training wrote"
        ) from problem
    if getattr(config, "is_prompt_learning", False):
        raise BackendError(f"{path}: the kind {kind} is not applied: {_IN_THE_SEQUENCE}")
    return config


_NEWER = "pip install -U peft  brings a newer PEFT; lawqa doctor shows the versions"


def _lora_settings(path: Path, given: JsonDict, tensors: dict[str, torch.Tensor]) -> JsonDict:
    """Return LoRA's settings without what only its first step needed."""
    start = given.get("init_lora_weights", True)
    if isinstance(start, str) and start.lower().startswith(_REWRITING_STARTS):
        raise BackendError(
            f"{path}: init_lora_weights = {start!r}: such a training rewrites the base model's weights, so "
            "over the weights as they are the adapter is another one, and the base figures are lost",
            "save it as plain LoRA: PEFT's save_pretrained with path_initial_model_for_weight_conversion",
        )
    if start not in _PLAIN_STARTS:
        raise BackendError(
            f"{path}: init_lora_weights = {start!r} is not known to lawqa",
            f"known: {', '.join(map(str, _PLAIN_STARTS))}",
        )
    for key, reason in _UNSUPPORTED_SETTINGS.items():
        if given.get(key) not in (None, False):
            raise BackendError(
                f"{path}: {key} = {given[key]!r} is not applied: {reason}",
                "train a LoRA adapter without it: lawqa train",
            )
    biases = sorted(name for name in tensors if name.endswith(".bias") and ".lora_" not in name)
    if given.get("bias") not in (None, "none") and biases:
        raise BackendError(
            f"{path}: bias = {given['bias']!r}: {few_of(biases)} would replace biases of the base model, and "
            "no base figures could be had beside it",
            'train it with bias = "none" (lawqa train does)',
        )
    _require_number(path, "lora_alpha", given.get("lora_alpha"))
    for key in ("rank_pattern", "alpha_pattern"):
        if not isinstance(given.get(key) or {}, dict):
            raise BackendError(f"{path}: {key} is not a table of names and numbers")
        for name, value in (given.get(key) or {}).items():
            _require_number(path, f"{key} of {name}", value)
    # A bias setting without a bias in the file changed nothing, and PEFT would warn of what it might do.
    plain = {**given, "init_lora_weights": True, "bias": "none"}
    return {key: value for key, value in plain.items() if key not in _ONLY_FOR_TRAINING}


def _require_number(path: Path, key: str, value: object) -> None:
    right = isinstance(value, int | float) and not isinstance(value, bool)
    if value is not None and not (right and abs(float(str(value))) < float("inf")):
        raise BackendError(
            f"{path}: {key} = {value!r}; expected a number",
            "compare it with what the training wrote",
        )


def _peft() -> str:
    import peft

    return str(peft.__version__)
