"""Why a model does not load, in words that name the command which mends it."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path

from huggingface_hub import constants
from safetensors import SafetensorError

from lawqa.backends.hf.model_files import CONFIG
from lawqa.errors import BackendError
from lawqa.hub import cache_directory, hub_is_reachable

_MODEL_FILE, _ADAPTER_FILE = "config.json", CONFIG


def not_loaded(name: str, revision: str | None, problem: Exception) -> BackendError:
    """What stood in the way of loading a model or tokenizer.

    Args:
        name: a directory, or a name on the Hugging Face hub.
        revision: the revision that was asked for.
        problem: what transformers raised.
    """
    directory = Path(name)
    if directory.is_dir():
        return _bad_directory(directory, problem)
    if _looks_like_a_path(name):
        return BackendError(
            f"{name}: no such directory",
            "paths are relative to the directory the command runs in; a model of the Hugging Face hub is "
            "named like Qwen/Qwen3-8B",
        )
    wanted = f"{name} ({revision})" if revision else name
    words = ["hf", "download", name, *(["--revision", revision] if revision else [])]
    if isinstance(problem, SafetensorError):
        return BackendError(
            f"{wanted}: its weights in the Hugging Face cache cannot be read: {_first_line(problem)}",
            f"{shlex.join(words)} --force-download  fetches them anew",
        )
    message = (
        f"{wanted}: no such directory, and not in the Hugging Face cache ({cache_directory()})"
    )
    if constants.HF_HUB_OFFLINE:
        switch = "HF_HUB_OFFLINE" if os.environ.get("HF_HUB_OFFLINE") else "TRANSFORMERS_OFFLINE"
        return BackendError(
            f"{message}, and {switch} forbids to fetch it",
            f"HF_HUB_OFFLINE=0 {shlex.join(words)}  fetches it once (pip installs hf with "
            "huggingface_hub); or give the directory of a copy",
        )
    reason = _first_line(problem) if hub_is_reachable() else f"{constants.ENDPOINT} is out of reach"
    return BackendError(
        f"{message}, and not to be had: {reason}",
        f"check the name; where there is a network: {shlex.join(words)}; or give the directory of a copy",
    )


def out_of_memory(name: str, *, on_gpu: bool, load_in_4bit: bool) -> BackendError:
    """The model itself is larger than what is free where it is loaded."""
    where, shows = ("on the GPU", "nvidia-smi") if on_gpu else ("in main memory", "top")
    return BackendError(
        f"{name}: the weights do not fit into what is free {where}",
        f"{shows}  shows who else uses it"
        if load_in_4bit
        else "--hf-load-in-4bit takes about a quarter (training: --use-4bit)",
    )


def _bad_directory(directory: Path, problem: Exception) -> BackendError:
    if (directory / _MODEL_FILE).is_file():
        return BackendError(
            f"{directory}: cannot be loaded as a model: {_first_line(problem)}",
            "was the copy cut off? compare its files with the original's",
        )
    if (directory / _ADAPTER_FILE).is_file():
        return BackendError(
            f"{directory}: is an adapter, not a model",
            f"--hf-model-name {_base_of(directory)} --hf-lora-path {directory}",
        )
    return BackendError(
        f"{directory}: is no model directory: {_MODEL_FILE} is missing",
        "give the directory that holds config.json and the weights",
    )


def _base_of(adapter: Path) -> str:
    try:
        content = json.loads((adapter / _ADAPTER_FILE).read_text(encoding="utf-8"))
        return str(content["base_model_name_or_path"] or "BASE")
    except (ValueError, KeyError, TypeError):
        return "BASE"


def _looks_like_a_path(name: str) -> bool:
    return name.startswith(("/", ".", "~")) or name.endswith("/") or name.count("/") > 1


def _first_line(problem: Exception) -> str:
    return next((line.strip() for line in str(problem).splitlines() if line.strip()), repr(problem))
