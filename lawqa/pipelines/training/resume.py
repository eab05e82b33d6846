"""Going on with a training: is it the same one, and is anything left of it?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lawqa.errors import ConfigError, DataError
from lawqa.models.files.identity import model_content
from lawqa.questions import file_sha256
from lawqa.runs.identity import content_is_known, model_differences
from lawqa.runs.manifest import MANIFEST, Manifest, read_manifest
from lawqa.settings import TrainingRun, differences, with_quant_type

_MODEL = ("quantisation", "dtype")


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
    today = json.loads(json.dumps(now.to_json()))
    before, after = _contents(earlier), _contents(today)
    _add_settings(before, after, earlier, today, model_is_known=known)
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
    now: dict[str, Any] = {
        "config": config.to_json(),
        "data": {"sha256": _sha256(config.train_file), "dev": dev},
    }
    content = None
    if content_is_known(earlier["model"]):
        content = model_content(config.model_name, config.revision)
    before, after = _files(earlier), _files(now)
    _add_settings(before, after, earlier, now, model_is_known=content is not None)
    if content:
        for name, pair in model_differences(earlier["model"], {"content": content}).items():
            before[name], after[name] = pair
    _refuse(config.output_dir, before, after)


def _refuse(output_dir: Path, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    changed = [
        f"{name} was {_shown(before.get(name))}, now {_shown(value)}"
        for name, value in after.items()
        if before.get(name) != value
    ]
    if changed:
        raise ConfigError(
            f"{output_dir}: holds a training that differs: " + "; ".join(changed),
            "give the same options and data to resume it, or --fresh to start over",
        )


def _add_settings(
    before: dict[str, Any],
    after: dict[str, Any],
    earlier: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    model_is_known: bool,
) -> None:
    """Add the settings that differ and decide what is learnt, by their flags."""
    one, other = (with_quant_type(manifest["config"]) for manifest in (earlier, now))
    beside = ("quant_type",) if model_is_known else ("quant_type", "model_name", "revision")
    for flag, pair in differences(TrainingRun, one, other, "train", beside=beside).items():
        before[flag], after[flag] = pair


def _contents(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What is known once the model is loaded, by the name that a user knows."""
    dev = manifest["data"].get("dev") or {}
    return {
        **_files(manifest),
        "the prompts of --dev-file": dev.get("prompt_specs"),
        "the prompts' wording or chat template": manifest["prompt_specs"],
        **{f"the model's {key}": manifest["model"].get(key) for key in _MODEL},
    }


def _files(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """What is trained on."""
    dev = manifest["data"].get("dev") or {}
    return {
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
