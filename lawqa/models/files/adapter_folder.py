"""The files of models and adapters, looked at before anything is loaded; imports no torch."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lawqa.errors import BackendError, DataError
from lawqa.files import JsonObject, read_json
from lawqa.models.files.weight_files import not_files

CONFIG = "adapter_config.json"
"""What PEFT writes of an adapter: its kind, its ranks, the name of its base model."""

WEIGHTS = "adapter_model.safetensors"
"""The only file of weights that is read."""

PICKLED_WEIGHTS = "adapter_model.bin"
"""What old versions of PEFT wrote, and PEFT still reads."""

_SAMPLE_BYTES = 1 << 20


def read_adapter_config(adapter: Path) -> JsonObject:
    """Return the config of an adapter whose files are all there; PEFT would seek missing ones on the hub.

    Raises:
        BackendError: there is no adapter, only one in a pickle, or one of which a part is missing or broken.
    """
    whole = "was the copy cut off? compare its files with the original's"
    if not adapter.is_dir():
        problem = "is a file" if adapter.exists() else "no such directory"
        raise BackendError(
            f"{adapter}: {problem}, expected an adapter's directory",
            "give the --output-dir of a finished lawqa train --do-train",
        )
    if odd := not_files(adapter, (CONFIG, WEIGHTS)):
        raise BackendError(f"{adapter}: {odd}", whole)
    if not (adapter / CONFIG).is_file():
        raise BackendError(
            f"{adapter}: is not an adapter: {CONFIG} is missing",
            "give the --output-dir of a finished lawqa train --do-train",
        )
    if not (adapter / WEIGHTS).is_file():
        if not (adapter / PICKLED_WEIGHTS).is_file():
            raise BackendError(f"{adapter}: {WEIGHTS} is missing", whole)
        raise BackendError(
            f"{adapter}: {PICKLED_WEIGHTS} is a pickle, which can run any code when it is read: it is not "
            f"loaded; expected {WEIGHTS}",
            "where you trust its maker, load it with PEFT and save it again with save_pretrained",
        )
    try:
        config = read_json(adapter / CONFIG)
    except DataError as problem:
        raise BackendError(problem.message, whole) from None
    if not isinstance(config, dict) or not isinstance(config.get("peft_type"), str):
        raise BackendError(
            f"{adapter / CONFIG}: names no peft_type, so it is not an adapter's", whole
        )
    return config


def directory_hash(directory: Path) -> str:
    """Return the hash by which manifests of lawqa 0.1 name a model directory; kept to compare with them.

    It covers every file, a README too, and of files over 2 MiB only the size and the first and last MiB, so
    it is both too strict and too lax: `model_identity` decides wherever both sides have it.
    """
    digest = hashlib.sha256()
    for path in sorted(directory.iterdir()):
        if not path.is_file() or path.name.startswith("."):
            continue
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_SAMPLE_BYTES))
            if size > _SAMPLE_BYTES:
                file.seek(max(size - _SAMPLE_BYTES, _SAMPLE_BYTES))
                digest.update(file.read(_SAMPLE_BYTES))
    return digest.hexdigest()[:16]
