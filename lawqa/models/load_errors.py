"""Why a model does not load, in words that name the command that fixes it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from huggingface_hub import constants
from safetensors import SafetensorError
from transformers.utils import logging as transformers_logging

from lawqa.errors import BackendError, LawqaError
from lawqa.foreign_code import code_named_in, code_refused
from lawqa.hub import cache_directory, download_line, hub_is_reachable, offline_if_unreachable
from lawqa.models.files.model_folder import find_folder
from lawqa.models.files.weight_files import WHOLE
from lawqa.models.lean.deferred import AT_LOADING, deferred
from lawqa.models.lean.without_storage import QuickWithoutStorage


@contextmanager
def reading(name: str, revision: str | None) -> Iterator[None]:
    """Turn whatever a library raises over a model's files into an error that says what to do.

    The files are somebody else's, and transformers, tokenizers and safetensors answer broken ones with every
    kind of exception; nothing of lawqa's own runs inside, so that no bug of ours is hidden.

    Raises:
        BackendError: for what the libraries raised; memory that runs out stays what it is.
    """
    try:
        with (
            offline_if_unreachable(name),
            _only_errors(),
            deferred(AT_LOADING),
            QuickWithoutStorage(),
        ):
            yield
    except (LawqaError, torch.OutOfMemoryError, MemoryError):
        raise
    except Exception as problem:
        raise not_loaded(name, revision, problem) from problem
    except BaseException as problem:
        # A panic within tokenizers (Rust) derives from BaseException, so that nobody catches it by accident.
        if type(problem).__name__ != "PanicException":
            raise
        raise not_loaded(name, revision, RuntimeError(str(problem))) from problem


@contextmanager
def _only_errors() -> Iterator[None]:
    """Keep transformers' tables of tensors from the terminal: lawqa refuses them, in a line."""
    before = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity_error()
    try:
        yield
    finally:
        transformers_logging.set_verbosity(before)


def not_loaded(name: str, revision: str | None, problem: Exception) -> BackendError:
    """Explain why a model or tokenizer does not load.

    Args:
        name: a directory, or a name on the Hugging Face hub.
        revision: the revision that was asked for.
        problem: what transformers raised.
    """
    directory = find_folder(name, revision)
    if directory is not None and "trust_remote_code" in str(problem):
        return code_refused(name, code_named_in(directory))
    if Path(name).is_dir():
        return BackendError(f"{name}: cannot be loaded as a model: {_first_line(problem)}", WHOLE)
    if Path(name).exists():
        return BackendError(
            f"{name}: is a file, expected a model's directory",
            "give the directory that holds config.json and the weights",
        )
    if _looks_like_a_path(name):
        return BackendError(
            f"{name}: no such directory",
            "paths are relative to the directory the command runs in; a model of the Hugging Face hub is "
            "named like Qwen/Qwen3-8B",
        )
    wanted = f"{name} ({revision})" if revision else name
    fetch = download_line(name, *(["--revision", revision] if revision else []))
    if isinstance(problem, SafetensorError) or (
        directory is not None and not isinstance(problem, OSError)
    ):
        what = "weights" if isinstance(problem, SafetensorError) else "files"
        return BackendError(
            f"{wanted}: its {what} in the Hugging Face cache cannot be read: {_first_line(problem)}",
            f"{fetch} --force-download  fetches them again",
        )
    message = (
        f"{wanted}: no such directory, and not in the Hugging Face cache ({cache_directory()})"
    )
    if constants.HF_HUB_OFFLINE:
        switch = "HF_HUB_OFFLINE" if os.environ.get("HF_HUB_OFFLINE") else "TRANSFORMERS_OFFLINE"
        return BackendError(
            f"{message}, and {switch} forbids fetching it",
            f"HF_HUB_OFFLINE=0 {fetch}  fetches it once (pip installs hf with "
            "huggingface_hub); or give the directory of a copy",
        )
    reason = _first_line(problem) if hub_is_reachable() else f"{constants.ENDPOINT} is out of reach"
    return BackendError(
        f"{message}, and it cannot be fetched: {reason}",
        f"check the name; where there is a network: {fetch}; or give the directory of a copy",
    )


def out_of_memory(name: str, *, on_gpu: bool, load_in_4bit: bool) -> BackendError:
    """Return the model itself is larger than what is free where it is loaded."""
    where, shows = ("on the GPU", "nvidia-smi") if on_gpu else ("in main memory", "top")
    return BackendError(
        f"{name}: the weights do not fit into what is free {where}",
        f"{shows}  shows who else uses it" if load_in_4bit else "--4bit takes about a quarter",
    )


def _looks_like_a_path(name: str) -> bool:
    return name.startswith(("/", ".", "~")) or name.endswith("/") or name.count("/") > 1


def _first_line(problem: Exception) -> str:
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith(":"):
        return f"{lines[0]} {lines[1]}"
    return lines[0] if lines else repr(problem)
