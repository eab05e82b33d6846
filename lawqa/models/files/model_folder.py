"""A base model's folder, looked at before anything is loaded from it; imports no torch."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import BackendError, DataError
from lawqa.files import JsonDict, read_text
from lawqa.hub import cached_snapshot
from lawqa.models.files.adapter_folder import CONFIG as ADAPTER_CONFIG
from lawqa.models.files.adapter_folder import PICKLED_WEIGHTS as PICKLED_ADAPTER
from lawqa.models.files.adapter_folder import WEIGHTS as ADAPTER_WEIGHTS
from lawqa.models.files.weight_files import WHOLE, StoredTensor, enumerated, not_files, read_tensors

MODEL_CONFIG = "config.json"
"""What transformers writes of a model: its architecture and sizes."""

TOKENIZER_FILES = ("tokenizer.json", "vocab.json", "tokenizer.model", "vocab.txt", "tekken.json")
"""One of these is a tokenizer's vocabulary."""

TEMPLATE_FILE = "chat_template.jinja"
"""The chat template, where it is not in the tokenizer's settings."""

_SETTINGS = (
    "generation_config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
)  # fmt: skip
_DISTRIBUTED = re.compile(r"shard-\d{5}-model-\d{5}-of-\d{5}\.safetensors$")
_MOST = 10_000
LARGEST_CONFIG = 16 << 20
"""Bytes; a config of ten thousand added tokens has a tenth of them."""
_COUNTS = (
    "num_hidden_layers", "num_layers", "n_layer", "n_layers", "num_local_experts", "num_experts",
    "n_routed_experts",
)  # fmt: skip


@dataclass(frozen=True)
class ModelFolder:
    """The files of a base model, as far as they tell without loading it."""

    directory: Path
    """Where they are: the directory that was named, or a snapshot in the Hugging Face cache."""
    config: JsonDict
    """Its `config.json`."""
    tensors: dict[str, StoredTensor]
    """What its weights hold, by name."""


def find_folder(name: str, revision: str | None = None) -> Path | None:
    """Return where a model's files are; None for one that is not here, or not in the cache yet."""
    return Path(name) if Path(name).is_dir() else cached_snapshot(name, revision)


def check_folder(directory: Path) -> JsonDict:
    """Return the config of a base model's folder that holds nothing which would make it something else.

    Raises:
        BackendError: it cannot be read, holds an adapter too, a JSON file of it is damaged, or the config
            asks for more layers than any model has.
    """
    if not os.access(directory, os.R_OK | os.X_OK):
        raise BackendError(
            f"{directory}: may not be read by this user",
            f"chmod -R u+rX {directory}  by its owner allows it",
        )
    config_file = directory / MODEL_CONFIG
    if not config_file.exists():
        raise _no_config(directory)
    refuse_adapter_beside(directory)
    config = read_config(config_file)
    if not isinstance(config.get("quantization_config"), dict | None):
        raise BackendError(f"{config_file}: its quantization_config is not a JSON object", WHOLE)
    if "transformers_weights" in config:
        # It would send the loader to another file than the one that is checked here.
        raise BackendError(
            f"{config_file}: transformers_weights names the file of weights itself",
            "rename that file to model.safetensors and take the key out of the config",
        )
    if any(_DISTRIBUTED.match(path.name) for path in directory.iterdir()):
        raise BackendError(
            f"{directory}: holds a distributed checkpoint, which would be loaded instead of safetensors",
            "convert it with torch's dcp_to_torch and save it with save_pretrained, or move it elsewhere",
        )
    for key in _COUNTS:
        # transformers makes lists, and the empty model, one by one: a wrong number here would take for ever.
        if isinstance(config.get(key), int) and config[key] > _MOST:
            raise BackendError(
                f"{config_file}: says {key} {config[key]:,}, expected at most {_MOST:,}", WHOLE
            )
    if odd := not_files(directory, _SETTINGS):
        raise BackendError(f"{directory}: {odd}", WHOLE)
    for name in _SETTINGS:
        if (directory / name).exists():
            read_config(directory / name)
    return config


def check_tokenizer_files(directory: Path) -> None:
    """Refuse a directory that holds no tokenizer; one that holds nothing else is fine.

    Raises:
        BackendError: it has no vocabulary, or its settings are not JSON.
    """
    if not any((directory / name).is_file() for name in TOKENIZER_FILES):
        if not (directory / MODEL_CONFIG).exists():
            raise _no_config(directory)
        if odd := not_files(directory, TOKENIZER_FILES):
            raise BackendError(f"{directory}: {odd}", WHOLE)
        raise BackendError(
            f"{directory}: has no tokenizer: {TOKENIZER_FILES[0]} is missing",
            "copy the tokenizer's files from where the model came from",
        )
    if odd := not_files(directory, (TEMPLATE_FILE, *_SETTINGS)):
        raise BackendError(f"{directory}: {odd}", WHOLE)
    for name in _SETTINGS:
        if (directory / name).exists():
            read_config(directory / name)


def read_folder(directory: Path) -> ModelFolder:
    """Return a base model's folder with the names and shapes of its tensors; reads headers, not weights.

    Raises:
        BackendError: as `check_folder` and `read_tensors`.
    """
    return ModelFolder(directory, check_folder(directory), read_tensors(directory))


def refuse_adapter_beside(directory: Path) -> None:
    """Refuse a model's folder that holds an adapter too: transformers would attach it without a word.

    Raises:
        BackendError: it does; both readings of the folder are named.
    """
    beside = [
        name
        for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS, PICKLED_ADAPTER)
        if (directory / name).exists() or (directory / name).is_symlink()
    ]
    if beside:
        raise BackendError(
            f"{directory}: is a base model ({MODEL_CONFIG}) and an adapter ({', '.join(beside)}) in one: "
            "transformers would attach the adapter by itself, and what is called the base would not be it",
            f"as a base model: move {' and '.join(beside)} out of it; as an adapter: move them into a "
            f"directory of their own, and name both: --hf-model-name {directory} --hf-lora-path ADAPTER "
            "(train, crossval, sweep: --model-name; merge: --model-name and --adapter)",
        )


def read_config(path: Path) -> JsonDict:
    """Return a JSON object of a model's folder. Unlike our own files it may hold Infinity, which Python
    writes.

    Raises:
        BackendError: it is too large, cannot be read, or is not a JSON object.
    """
    try:
        if path.is_file() and path.stat().st_size > LARGEST_CONFIG:
            raise BackendError(
                f"{path}: is {path.stat().st_size >> 20} MiB long, expected a config of some kilobytes",
                WHOLE,
            )
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise BackendError(f"{path}: is not a file", WHOLE)
        content = json.loads(read_text(path))
    except DataError as problem:
        raise BackendError(problem.message, problem.hint or WHOLE) from None
    except json.JSONDecodeError as problem:
        raise BackendError(
            f"{path}: broken JSON at line {problem.lineno}, column {problem.colno}: {problem.msg}",
            WHOLE,
        ) from None
    except (ValueError, RecursionError) as problem:
        raise BackendError(f"{path}: cannot be read as JSON: {problem}", WHOLE) from None
    if not isinstance(content, dict):
        raise BackendError(
            f"{path}: holds a JSON {type(content).__name__}, expected an object, such as a model's config is",
            WHOLE,
        )
    return content


def _no_config(directory: Path) -> BackendError:
    if (directory / ADAPTER_CONFIG).is_file():
        return BackendError(
            f"{directory}: is an adapter, not a model",
            f"--hf-model-name {_base_of(directory)} --hf-lora-path {directory}",
        )
    if odd := not_files(directory, (MODEL_CONFIG,)):
        return BackendError(f"{directory}: {odd}", WHOLE)
    held = sorted(path.name for path in directory.iterdir())
    return BackendError(
        f"{directory}: is not a model directory: {MODEL_CONFIG} is missing"
        + ("" if held else "; the directory is empty"),
        "give the directory that holds config.json and the weights"
        + (f" (this one holds {enumerated(held)})" if held else ""),
    )


def _base_of(adapter: Path) -> str:
    try:
        content = json.loads((adapter / ADAPTER_CONFIG).read_text(encoding="utf-8"))
        return str(content["base_model_name_or_path"] or "BASE")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return "BASE"
