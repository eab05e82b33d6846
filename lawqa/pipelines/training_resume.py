"""Going on with a training: is it the same one, and is anything left of it?"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lawqa.errors import ConfigError, DataError
from lawqa.models.files.identity import model_content
from lawqa.questions import file_sha256
from lawqa.runs.identity import content_is_known, model_differences
from lawqa.runs.manifest import MANIFEST, Manifest, read_manifest

if TYPE_CHECKING:
    from lawqa.settings import TrainingRun

# They decide memory, speed, what is kept or said, never what is learnt; or are compared by content.
_FREE = {"train_file", "dev_file", "output_dir", "fresh", "resume", "quiet", "fsdp", "training",
         "report_to"}  # fmt: skip
FREE_TRAINING = {
    "token_budget", "logging_steps", "save_minutes", "save_steps", "save_total_limit",
}  # fmt: skip
"""Settings of a training that it may be gone on with under other values."""

_FLAGS = {
    "load_in_4bit": "use_4bit", "quant_type": "bnb_4bit_quant_type", "dtype": "bnb_4bit_compute_dtype",
    "max_steps": "max_steps_override",
}  # fmt: skip
_MODEL = ("quantisation", "dtype")
_OF_NAMED_MODELS = {
    "model_name",
    "revision",
}  # where the content is known, a moved model is the same


def earlier_training(output_dir: Path) -> dict[str, Any] | None:
    """The manifest of the training in a directory; None where there is none.

    Raises:
        ConfigError: the directory holds another kind of run.
        DataError: its manifest is broken.
    """
    if not (output_dir / MANIFEST).is_file():
        return None
    manifest = read_manifest(output_dir)
    if manifest.get("kind") != "train":
        raise ConfigError(f"{output_dir}: holds a run of lawqa {manifest.get('kind')}, no training")
    return manifest


def require_same_training(output_dir: Path, earlier: Mapping[str, Any], now: Manifest) -> None:
    """Make sure that going on gives what an uninterrupted training would have given.

    Raises:
        ConfigError: settings, data or model differ; every difference is named.
    """
    known = content_is_known(earlier["model"]) and content_is_known(now.model)
    free = _FREE | (_OF_NAMED_MODELS if known else set())
    before = _settings(earlier, free)
    after = _settings(json.loads(json.dumps(now.to_json())), free)
    for name, (was, is_now) in model_differences(earlier["model"], now.model).items():
        before[name], after[name] = was, is_now
    _refuse(output_dir, before, after)


def require_same_request(config: TrainingRun, earlier: Mapping[str, Any]) -> None:
    """Make sure that a training is the one that is asked for, as far as that is known without the model.

    Raises:
        ConfigError: settings or data differ; every difference is named.
        DataError: the data is not there.
    """
    dev = {"sha256": _sha256(config.dev_file)} if config.dev_file else None
    now = {"config": config.to_json(), "data": {"sha256": _sha256(config.train_file), "dev": dev}}
    content = None
    if content_is_known(earlier["model"]):
        content = model_content(config.model_name, config.revision)
    free = _FREE | (_OF_NAMED_MODELS if content else set())
    before, after = _request(earlier, free), _request(json.loads(json.dumps(now)), free)
    if content:
        for name, pair in model_differences(earlier["model"], {"content": content}).items():
            before[name], after[name] = pair
    _refuse(config.output_dir, before, after)


def _refuse(output_dir: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    differences = [
        f"{name} was {_shown(before.get(name))}, now {_shown(value)}"
        for name, value in after.items()
        if before.get(name) != value
    ]
    if differences:
        raise ConfigError(
            f"{output_dir}: holds a training that differs: " + "; ".join(differences),
            "give the same options and data to resume it, or --fresh to train from scratch",
        )


def _settings(manifest: Mapping[str, Any], free: Collection[str]) -> dict[str, Any]:
    """What must be the same, by the name that a user knows."""
    dev = manifest["data"].get("dev") or {}
    return {
        **_request(manifest, free),
        "the prompts of --dev-file": dev.get("prompt_specs"),
        "the prompts' wording or chat template": manifest["prompt_specs"],
        **{f"the model's {key}": manifest["model"].get(key) for key in _MODEL},
    }


def _request(manifest: Mapping[str, Any], free: Collection[str]) -> dict[str, Any]:
    """What a user asked for."""
    config, training = manifest["config"], manifest["config"]["training"]
    # Before a model's files could decide it, none given was nf4.
    config = {**config, "quant_type": config["quant_type"] or "nf4"}
    named = {
        **{name: value for name, value in config.items() if name not in free},
        **{name: value for name, value in training.items() if name not in FREE_TRAINING},
    }
    flags = {f"--{_FLAGS.get(n, n).replace('_', '-')}": value for n, value in named.items()}
    dev = manifest["data"].get("dev") or {}
    return {
        **flags,
        "the content of --train-file": manifest["data"]["sha256"],
        "the content of --dev-file": dev.get("sha256"),
    }


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    return file_sha256(path)


def _shown(value: Any) -> str:
    text = str(value)
    return text[:12] + "…" if len(text) == 64 else text
