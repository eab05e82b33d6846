"""What a training writes down of the adapter it made, and holding an adapter against that.

PEFT computes with `lora_alpha` and its like as `adapter_config.json` says them, and no tensor shows what
they were when the adapter was trained.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path

from lawqa.errors import BackendError
from lawqa.files import JsonObject
from lawqa.models.files.adapter_folder import CONFIG, WEIGHTS, read_adapter_config
from lawqa.pipelines.adapters.content import AdapterContent
from lawqa.runs.manifest import Manifest

logger = logging.getLogger(__name__)

# They name places and versions, or count while training only.
_FREE = {
    "auto_mapping", "base_model_name_or_path", "inference_mode", "init_lora_weights", "lora_dropout",
    "peft_version", "revision", "runtime_config", "task_type",
}  # fmt: skip
_SHOWN = 8
_SETTINGS = {
    "lora_r": "r",
    "lora_alpha": "lora_alpha",
    "use_rslora": "use_rslora",
    "use_dora": "use_dora",
}


def adapter_record(adapter: Path) -> dict[str, object]:
    """Return what a manifest keeps of an adapter that was just written.

    Returns:
        `config`, the settings of its config that decide what it computes, empty ones left out; and
        `weights_sha256` of its file of tensors.
    """
    return {
        "config": _deciding(read_adapter_config(adapter)),
        "weights_sha256": AdapterContent.read(adapter).weights_sha256,
    }


def require_recorded(adapter: Path, manifest: Manifest) -> None:
    """Make sure that an adapter is the one that its training wrote.

    Args:
        adapter: its directory.
        manifest: what the training left beside it.

    Raises:
        BackendError: its config or its tensors have changed since.
    """
    now = _deciding(read_adapter_config(adapter))
    record = manifest.written or {}
    before = record.get("config")
    if not isinstance(before, Mapping):
        before, now = _asked_for(manifest, now)
    differences = [
        f"{key} is {_shown(now.get(key))}, was {_shown(before.get(key))}"
        for key in sorted({*before, *now})
        if before.get(key) != now.get(key)
    ]
    if differences:
        raise BackendError(
            f"{adapter / CONFIG}: has changed since the training: {'; '.join(differences)}",
            "put back what the training wrote, or train again with these settings",
        )
    digest = record.get("weights_sha256")
    if digest is None:
        logger.warning(
            "note: the manifest of %s is from before checksums were written down: whether its "
            "tensors are those of that training is unknown", adapter,
        )  # fmt: skip
    elif digest != AdapterContent.read(adapter).weights_sha256:
        raise BackendError(
            f"{adapter / WEIGHTS}: is not the file that the training wrote",
            "was the copy cut off, or another adapter's file put there? copy it again, or train again",
        )


def _deciding(config: JsonObject) -> dict[str, object]:
    """Return the settings that decide what an adapter computes, lists of names in order, empty
    ones left out.
    """
    return {
        key: sorted(value) if _is_names(value) else value
        for key, value in config.items()
        if key not in _FREE and value not in (None, False, [], {}, "")
    }


def _shown(value: object) -> str:
    """Return a value for a message; of long lists of modules their number."""
    if isinstance(value, list) and len(value) > _SHOWN:
        return f"{len(value)} names"
    return repr(value)


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _asked_for(manifest: Manifest, now: JsonObject) -> tuple[dict[str, object], dict[str, object]]:
    """Return what an older manifest says of the same settings, as far as it does, and what the
    config says.
    """
    training = manifest.config.get("training")
    if not isinstance(training, Mapping):
        return {}, {}
    before = {name: training[key] for key, name in _SETTINGS.items() if key in training}
    targets = training.get("target_modules")
    if isinstance(targets, list) and _is_names(targets) and targets != ["all-linear"]:
        before["target_modules"] = sorted(targets)
    return (
        {key: value for key, value in before.items() if value},
        {key: now[key] for key in before if key in now},
    )
