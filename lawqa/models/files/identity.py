"""What a model is, by the content that decides its answers; imports no torch.

    weights        every tensor's name, dtype, shape and bytes, however they are divided into files
    config         config.json without what only says who wrote it
    tokenizer      the files that turn text into tokens
    chat_template  the template's text, wherever it is kept
    generation     the end tokens of generation_config.json; nothing else of it is used

A README, a .gguf, another division into shards or the hub's copy of the same files change none of them.
"""

from __future__ import annotations

import hashlib
import json
import logging
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lawqa.digests import (
    Stamp,
    in_parallel,
    remembered,
    require_unchanged,
    sha256_of,
    sha256_of_part,
)
from lawqa.errors import DataError
from lawqa.files import JsonDict, JsonObject, JsonValue, read_json, strict_json
from lawqa.models.files.model_folder import LARGEST_CONFIG

logger = logging.getLogger(__name__)

PARTS = ("weights", "config", "tokenizer", "chat_template", "generation")
"""What a model's identity consists of."""

_WHOLE_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_VOLATILE = {
    "_name_or_path", "name_or_path", "transformers_version", "_commit_hash", "use_cache",
    "_from_model_config",
}  # fmt: skip
_LONGEST_HEADER = 100_000_000  # as the safetensors library itself allows
_FAST_TOKENIZER = "tokenizer.json"
_SLOW_TOKENIZER = ("vocab.json", "merges.txt", "tokenizer.model", "vocab.txt", "spiece.model")
_TOKENIZER_TABLES = ("special_tokens_map.json", "added_tokens.json")
_TEMPLATE = "chat_template"


@dataclass(frozen=True)
class ModelIdentity:
    """The content of a model directory, and the files it was read from."""

    content: Mapping[str, str | None]
    """A SHA-256 for each of `PARTS`; None where the directory has no such file."""
    stamps: Mapping[Path, Stamp]
    """Every file that was read, as it was before."""

    def require_unchanged(self, while_what: str) -> None:
        """Make sure that the files are still those that were read.

        Raises:
            DataError: one was changed, replaced or removed.
        """
        require_unchanged(self.stamps, while_what)


def read_identity(directory: Path, *, verify: bool = False) -> ModelIdentity:
    """Read what a model directory holds; digests of large files are remembered (`lawqa.digests`).

    Args:
        directory: the model's directory, or a snapshot in the hub's cache.
        verify: read every byte again, and compare with what is remembered.

    Raises:
        DataError: a file cannot be read, or with `verify` differs from what is remembered.
    """
    stamps: dict[Path, Stamp] = {}

    def there(name: str) -> Path | None:
        path = directory / name
        if not path.is_file():
            return None
        stamps[path] = Stamp.of(path)
        return path

    try:
        weights = [path for path in map(there, _weight_files(directory)) if path]
        _announce(weights, stamps)
        content = {
            "weights": _weights(weights, verify=verify),
            "config": json_digest(there("config.json")),
            "tokenizer": _tokenizer(there, verify=verify),
            "chat_template": _template(there),
            "generation": _end_tokens(there("generation_config.json")),
        }
    except OSError as problem:
        raise DataError(f"{directory}: cannot be read: {problem}") from None
    return ModelIdentity(content, stamps)


def model_content(name: str, revision: str | None) -> dict[str, str | None] | None:
    """Return the content of a model whose files are here; None for one that is not.

    Raises:
        DataError: a file cannot be read.
    """
    directory = model_directory(name, revision)
    return dict(read_identity(directory).content) if directory else None


def json_digest(path: Path | None, volatile: Iterable[str] = ()) -> str | None:
    """Return a digest of a JSON file's content, whatever its layout; None where there is no such file.

    Args:
        path: the file.
        volatile: further keys of its object that are left out, besides those that say who wrote it.
    """
    if path is None or not path.is_file():
        return None
    content = _json(path)
    if isinstance(content, dict):
        content = _canonical(content, {*_VOLATILE, *volatile})
    return _sha256(json.dumps(content, sort_keys=True))


def model_directory(name: str, revision: str | None) -> Path | None:
    """Return where a model's files are: its directory, or its snapshot in the hub's cache; None for neither.

    Args:
        name: a directory, or a name on the hub.
        revision: a branch, tag or commit of a hub's model; None for its default.
    """
    if Path(name).is_dir():
        return Path(name)
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        return None
    try:
        cached = try_to_load_from_cache(name, "config.json", revision=revision)
    except HFValidationError:  # a path that is not there, and no name that the hub could know
        return None
    return Path(cached).parent if isinstance(cached, str) else None


def _weight_files(directory: Path) -> list[str]:
    """Return the weight files that transformers reads, in its order of preference."""
    for whole, index in zip(_WHOLE_WEIGHTS, _INDEXES, strict=True):
        if (directory / whole).is_file():
            return [whole]
        if (directory / index).is_file():
            try:
                placed = read_json(directory / index)["weight_map"]
                return sorted({str(name) for name in placed.values()})
            except (DataError, KeyError, TypeError, AttributeError):
                return [index]  # broken: loading says so
    return []


def _announce(weights: Iterable[Path], stamps: Mapping[Path, Stamp]) -> None:
    size = sum(stamps[path].size for path in weights)
    logger.debug("identity of %.2f GB of weights; large files are hashed once", size / 1e9)


def _weights(paths: list[Path], *, verify: bool) -> str | None:
    if not paths:
        return None
    read = partial(remembered, what="tensors", read=_tensors, verify=verify)
    digest = hashlib.sha256()
    lines = [
        f"{name}\0{one}\n"
        for _, tensors in in_parallel(read, paths)
        for name, one in tensors.items()
    ]
    for line in sorted(lines):
        digest.update(line.encode(errors="surrogatepass"))
    return digest.hexdigest()


def _tensors(path: Path) -> dict[str, str]:
    """Return a digest of every tensor of a safetensors file; of another file, one of all its bytes.

    The format: 8 bytes little-endian length, a JSON header, the tensors' bytes
    (https://huggingface.co/docs/safetensors).
    """
    try:
        with path.open("rb") as file:
            length = struct.unpack("<Q", file.read(8))[0]
            header = strict_json(file.read(min(length, _LONGEST_HEADER)))
            header.pop("__metadata__", None)
            digests = {}
            for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
                start, end = entry["data_offsets"]
                file.seek(8 + length + start)
                what = json.dumps([entry["dtype"], entry["shape"]])
                digests[name] = f"{what} {sha256_of_part(file, end - start)}"
            return digests
    except (ValueError, KeyError, TypeError, AttributeError, struct.error, RecursionError):
        # Not safetensors, or a damaged one, which loading refuses with the reason.
        return {"": sha256_of(path)}


def _canonical(content: JsonObject, volatile: set[str]) -> JsonDict:
    kept = {key: value for key, value in content.items() if key not in volatile}
    if "torch_dtype" in kept:  # as transformers called it before version 5
        kept.setdefault("dtype", kept.pop("torch_dtype"))
    return kept


def _end_tokens(path: Path | None) -> str | None:
    content = _json(path) if path else None
    ends = content.get("eos_token_id") if isinstance(content, dict) else content
    return None if ends is None else _sha256(json.dumps(ends, sort_keys=True))


def _json(path: Path) -> JsonValue:
    if (size := path.stat().st_size) > LARGEST_CONFIG:
        # Whoever loads it refuses it; a gigabyte of it is not parsed, nor hashed, to learn that.
        with path.open("rb") as file:
            return {"bytes": size, "sha256 of its beginning": sha256_of_part(file, LARGEST_CONFIG)}
    try:
        return read_json(path)
    except DataError:
        # Broken JSON is refused by whoever loads it; here it is only not the same as a whole one.
        return {"sha256 of a file that is no JSON": sha256_of(path)}


def _tokenizer(there: Callable[[str], Path | None], *, verify: bool) -> str | None:
    names = (_FAST_TOKENIZER,) if there(_FAST_TOKENIZER) else _SLOW_TOKENIZER
    parts = dict(_digests(there, names, verify=verify))
    for name in _TOKENIZER_TABLES:
        parts[name] = json_digest(there(name))
    parts["tokenizer_config.json"] = json_digest(
        there("tokenizer_config.json"), (_TEMPLATE, "processor_class")
    )
    present = {name: digest for name, digest in parts.items() if digest}
    return _sha256(json.dumps(present, sort_keys=True)) if present else None


def _digests(
    there: Callable[[str], Path | None], names: Iterable[str], *, verify: bool
) -> Iterator[tuple[str, str | None]]:
    def whole(path: Path) -> dict[str, str]:
        return {"": sha256_of(path)}

    for name in names:
        path = there(name)
        if path is not None:
            yield name, remembered(path, "sha256", whole, verify=verify)[""]


def _template(there: Callable[[str], Path | None]) -> str | None:
    own, config = there("chat_template.jinja"), there("tokenizer_config.json")
    if own is not None:
        return _sha256(own.read_bytes().decode("utf-8", errors="backslashreplace"))
    content = _json(config) if config else None
    template = content.get(_TEMPLATE) if isinstance(content, dict) else None
    if template is None:
        return None
    return _sha256(template if isinstance(template, str) else json.dumps(template, sort_keys=True))


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()
