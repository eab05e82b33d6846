"""What the directory of a cross-validation says that it is, and whether two are the same one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.files import JsonObject
from lawqa.models.files.adapter_folder import WEIGHTS
from lawqa.models.files.identity import model_content
from lawqa.pipelines.corpus.indexes.manifest import IndexManifest
from lawqa.pipelines.evaluation.contexts import RagConfig, retrieval_differences
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.stored_settings import (
    called_content,
    content_differences,
    read_stored,
    write_stored,
)
from lawqa.questions import file_sha256
from lawqa.settings import (
    change_of,
    declared,
    differences,
    plain,
    with_quant_type,
)

SETTINGS = "crossval.json"
"""The file of a cross-validation's directory that says what it is."""

_OF_CONTENTS = ("input", "spec", "trained", "extra", "rag", "init_adapter")
"""Settings that are kept by what they name."""
_SINCE = ("dtype",)
"""Settings that old files do not say, and that were not the default then. The manifests of every fold say
them, and are compared."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What the settings of a cross-validation name; each field says what messages call it."""

    data_sha256: str = field(metadata=called_content("the content of --input"))
    prompt_spec: str = field(
        metadata=called_content(
            "how questions are put: --mode, --thinking, --condition, --prompt, --few-shot"
        )
    )
    """Its id."""
    trained: tuple[tuple[str, int], ...] = field(metadata=called_content("--mix"))
    """Ids and weights."""
    rag: JsonObject | None = field(metadata=called_content("the retrieval"))
    index_sha256: str | None = field(default=None, metadata=called_content("the retrieval's index"))
    """None without retrieval, and in old files."""
    model_content: JsonObject | None = field(
        default=None, metadata=called_content("the model's files")
    )
    """None for a model that was not in the cache yet, and in old files."""
    extra: tuple[tuple[str, float], ...] = field(default=(), metadata=called_content("--extra"))
    """Digests and weights."""

    init_adapter: str = field(default="", metadata=called_content("the weights of --init-adapter"))
    """Their digest; empty without one."""

    def retrieval(self) -> JsonObject | None:
        """Return what decides contexts; None without retrieval."""
        if self.rag is None or self.index_sha256 is None:
            return self.rag
        return {**self.rag, "index_sha256": self.index_sha256}


@dataclass(frozen=True)
class CrossvalManifest:
    """What a cross-validation is."""

    settings: JsonObject
    """The settings that decide results, by name and in JSON types, as `CrossvalConfig` declares them."""
    contents: Contents
    """What they name."""

    @property
    def folds(self) -> int:
        """How many folds there are."""
        return int(self.settings["folds"])

    @classmethod
    def of(cls, config: CrossvalConfig) -> CrossvalManifest:
        """Return what these settings mean, with the files that they name as they are now.

        Raises:
            LawqaError: one of the files cannot be read.
        """
        kept = {one.name for one in declared(CrossvalConfig) if _is_kept(one)}
        settings = {name: value for name, value in plain(config).items() if name in kept}
        settings["training"] = _without_seed(settings["training"])
        contents = Contents(
            data_sha256=file_sha256(config.input),
            prompt_spec=config.spec.id,
            trained=tuple((spec.id, weight) for spec, weight in config.letters_specs()),
            rag=_in_json(config.rag.to_json()) if config.rag else None,
            index_sha256=index_sha256_of(config.rag),
            model_content=model_content(config.model_name, config.revision),
            init_adapter=file_sha256(config.init_adapter / WEIGHTS) if config.init_adapter else "",
            extra=tuple((file_sha256(path), float(weight)) for path, weight in config.extra),
        )
        return cls(_in_json(settings), contents)

    @classmethod
    def read(cls, directory: Path) -> CrossvalManifest:
        """Return what a directory says of its cross-validation.

        Raises:
            DataError: it describes none, or its file was damaged.
        """
        stored = read_stored(
            directory / SETTINGS,
            CrossvalConfig,
            Contents,
            is_of="a cross-validation",
            hint="put a copy of it back, or lawqa crossval run --fresh  starts over",
            needs=("folds", "seed"),
            as_now=_as_now,
        )
        names = {one.name for one in fields(Contents)}
        contents = {name: value for name, value in stored.items() if name in names}
        trained = tuple((spec, weight) for spec, weight in stored["trained"])
        extra = tuple((digest, weight) for digest, weight in stored.get("extra", ()))
        settings = {name: value for name, value in stored.items() if name not in names}
        return cls(settings, Contents(**{**contents, "trained": trained, "extra": extra}))

    def write(self, directory: Path) -> None:
        """Write it into the directory of the cross-validation."""
        write_stored(directory / SETTINGS, self.settings, self.contents, {})

    def differences(self, other: CrossvalManifest) -> list[str]:
        """Return the settings that the two do not share, by the names of their flags."""
        said = self.settings.keys() & other.settings.keys()
        before, after = (
            with_quant_type({k: v for k, v in one.settings.items() if k in said or k not in _SINCE})
            for one in (self, other)
        )
        known = self.contents.model_content and other.contents.model_content
        beside = ("quant_type",) if known else ("quant_type", "model_name", "revision")
        changed = differences(CrossvalConfig, before, after, "train", beside=beside)
        retrieved = retrieval_differences(
            self.contents.retrieval(), other.contents.retrieval(), tokenizer_is_known=bool(known)
        )
        named = content_differences(self.contents, other.contents, beside=("rag", "index_sha256"))
        return sorted([*changed, *retrieved, *named])


def require_same_crossval(config: CrossvalConfig) -> bool:
    """Make sure that the output directory holds no other cross-validation than this.

    Returns:
        Whether it holds this one.

    Raises:
        ConfigError: it holds another.
        DataError: it does not say which it holds.
    """
    if not (config.output_dir / SETTINGS).is_file():
        return False
    changed = CrossvalManifest.read(config.output_dir).differences(CrossvalManifest.of(config))
    if changed:
        raise ConfigError(
            f"{config.output_dir}: holds a cross-validation with other settings "
            f"({', '.join(changed)})",
            "give the same options to resume it, or another --output-dir",
        )
    return True


def index_sha256_of(rag: RagConfig | None) -> str | None:
    """Return what identifies an index, also once another is in its place; None without retrieval."""
    if rag is None:
        return None
    return IndexManifest.read(rag.retriever.index).index_sha256


def _is_kept(setting: Field[object]) -> bool:
    return change_of(setting) == "result" and setting.name not in _OF_CONTENTS


def _in_json(value: JsonObject) -> JsonObject:
    as_stored: JsonObject = json.loads(json.dumps(value))
    return as_stored


def _without_seed(training: object) -> object:
    """Return each fold and training seed has its own."""
    if not isinstance(training, Mapping):
        return training
    return {name: value for name, value in training.items() if name != "seed"}


def _as_now(stored: JsonObject) -> JsonObject:
    """Return settings of any version as they are kept now; old files say the 4-bit type alone."""
    settings = dict(stored)
    if "quantisation" in settings:
        quantisation = settings.pop("quantisation")
        settings |= {"load_in_4bit": quantisation is not None, "quant_type": quantisation}
    return {**settings, "training": _without_seed(settings.get("training", {}))}
