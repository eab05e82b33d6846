"""Going on with a training: is it the same one, and is anything left of it?"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject
from lawqa.models.files.adapter_folder import WEIGHTS
from lawqa.models.files.identity import model_content
from lawqa.questions import file_sha256
from lawqa.runs.identity import BeforeAfter, content_is_known, model_differences
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.settings import TrainingRun, differences, flag_of, stored_problems, with_quant_type

_MODEL = ("quantisation", "dtype")
_OBJECTIVES = ("preference", "policy")
"""Settings that another training than one on answers has."""

NamedContents = Mapping[str, object]
"""What settings name, by the name that a user knows."""


def earlier_training(output_dir: Path) -> Manifest | None:
    """Return the manifest of the training in a directory; None where there is none.

    Raises:
        ConfigError: the directory holds another kind of run.
        DataError: its manifest is broken, or has lost a part.
    """
    manifest = Manifest.read_if_there(output_dir)
    if manifest is None:
        return None
    if manifest.kind != "train":
        raise ConfigError(f"{output_dir}: holds a run of lawqa {manifest.kind}, no training")
    manifest.require(output_dir, "data.sha256")
    wrong = stored_problems(TrainingRun, manifest.config, "config")
    if wrong or not manifest.config:
        raise DataError(
            f"{output_dir / MANIFEST}: {'; '.join(wrong) or 'has no settings'}",
            "put a copy of it back, or --fresh  starts over",
        )
    return manifest


def require_same_training(
    kind: type[TrainingRun], output_dir: Path, earlier: Manifest, now: Manifest
) -> None:
    """Make sure that going on gives what an uninterrupted training would have given.

    Args:
        kind: the settings of such a training.
        output_dir: where it is.
        earlier: what it was.
        now: what it would be.

    Raises:
        ConfigError: settings, data or model differ; every difference is named.
    """
    known = content_is_known(earlier.model) and content_is_known(now.model)
    today = Manifest.from_json(json.loads(json.dumps(now.to_json())))
    before, after = _contents(kind, earlier), _contents(kind, today)
    pairs = _settings(kind, earlier.config, today.config, model_is_known=known)
    pairs |= model_differences(earlier.model, now.model)
    _refuse(output_dir, before, after, pairs)


def require_same_request(config: TrainingRun, earlier: Manifest) -> None:
    """Make sure that a training is the one that is asked for, as far as that is known without the model.

    Raises:
        ConfigError: settings or data differ; every difference is named.
        DataError: the data is not there.
    """
    dev = {"sha256": _sha256(config.dev_file)} if config.dev_file else None
    extra = [{"sha256": _sha256(path), "weight": weight} for path, weight in config.extra]
    data = {"sha256": _sha256(config.train_file), "dev": dev, "extra": extra}
    if config.init_adapter is not None:
        weights = _sha256(config.init_adapter / WEIGHTS)
        data["stages"] = [{"weights_sha256": weights}]
    content = None
    if content_is_known(earlier.model):
        content = model_content(config.model_name, config.revision)
    kind, known = type(config), content is not None
    pairs = _settings(kind, earlier.config, config.to_json(), model_is_known=known)
    if content:
        pairs |= model_differences(earlier.model, {"content": content})
    _refuse(config.output_dir, _files(kind, earlier.data), _files(kind, data), pairs)


def _refuse(
    output_dir: Path, before: NamedContents, after: NamedContents, pairs: Mapping[str, BeforeAfter]
) -> None:
    """Refuse contents that are not the same, and pairs that are known to differ."""
    differing = {
        name: (before.get(name), value)
        for name, value in after.items()
        if before.get(name) != value
    }
    changed = [
        f"{name} was {_shown(was)}, now {_shown(value)}"
        for name, (was, value) in {**differing, **pairs}.items()
    ]
    if changed:
        raise ConfigError(
            f"{output_dir}: holds a training that differs: " + "; ".join(changed),
            "give the same options and data to resume it, or --fresh to start over",
        )


def _settings(
    kind: type[TrainingRun], before: JsonObject, after: JsonObject, *, model_is_known: bool
) -> dict[str, BeforeAfter]:
    """Return the settings that differ and decide what is learnt, by their flags."""
    beside = ("quant_type",) if model_is_known else ("quant_type", "model_name", "revision")
    one, other = with_quant_type(before), with_quant_type(after)
    was, now = (_objective(settings) for settings in (before, after))
    if was != now:
        return {"what is learnt from": (was, now)}
    return differences(kind, one, other, "train", beside=beside)


def _objective(settings: JsonObject) -> str:
    return next((name for name in _OBJECTIVES if name in settings), "answers")


def _contents(kind: type[TrainingRun], manifest: Manifest) -> NamedContents:
    """Return what is known once the model is loaded, by the name that a user knows."""
    dev = manifest.data.get("dev") or {}
    return {
        **_files(kind, manifest.data),
        # Records name theirs, too, but are compared by their own content.
        "the retrieval's index": (manifest.data.get("retrieval") or {}).get("index_sha256"),
        "the prompts of --dev-file": dev.get("prompt_specs"),
        "the prompts' wording or chat template": manifest.prompt_specs,
        **{f"the model's {key}": manifest.model.get(key) for key in _MODEL},
    }


def _files(kind: type[TrainingRun], data: JsonObject) -> NamedContents:
    """Return what is trained on."""
    dev = data.get("dev") or {}
    return {
        f"the content of {flag_of(kind, 'train_file', 'train')}": data["sha256"],
        "the content of --dev-file": dev.get("sha256"),
        "the weights of --init-adapter": next(
            (stage["weights_sha256"] for stage in reversed(data.get("stages") or ())), None
        ),
        "the content of --extra, or its weights": [
            (extra["sha256"], extra["weight"]) for extra in data.get("extra", ())
        ],
    }


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    return file_sha256(path)


def _shown(value: object) -> str:
    text = str(value)
    return text[:12] + "…" if len(text) == 64 else text
