"""The Hugging Face hub: where its models are kept here, and no requests to it where it is unreachable."""

from __future__ import annotations

import functools
import os
import shlex
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies


def cache_directory() -> Path:
    """Return where models of the hub are kept, as huggingface_hub works it out, which need not
    be installed.
    """
    given = os.environ.get
    home = given("HF_HOME") or f"{given('XDG_CACHE_HOME') or '~/.cache'}/huggingface"
    hub = given("HF_HUB_CACHE") or given("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"
    return Path(os.path.expandvars(hub)).expanduser()


def cached_snapshot(name: str, revision: str | None = None) -> Path | None:
    """Return the files of a model in the cache; None where this revision of it is not there.

    Args:
        name: such as Qwen/Qwen3-8B.
        revision: a branch, tag or commit; None for `main`.
    """
    repository = cache_directory() / f"models--{name.replace('/', '--')}"
    reference = repository / "refs" / (revision or "main")
    try:
        commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else revision
        snapshot = repository / "snapshots" / commit if commit else None
        return snapshot if snapshot is not None and snapshot.is_dir() else None
    except (OSError, UnicodeDecodeError):
        return None  # a name or cache that is not a path; loading the model reports it


def download_line(name: str, *more: str) -> str:
    """Return the line that fetches a model into the cache that is looked at here, HF_HOME included where it
    is set.

    Args:
        name: such as Qwen/Qwen3-8B.
        more: further words for `hf download`.
    """
    home = os.environ.get("HF_HOME")
    setting = f"HF_HOME={shlex.quote(home)} " if home else ""
    return setting + shlex.join(["hf", "download", name, *more])


@contextmanager
def offline_if_unreachable(name: str) -> Iterator[None]:
    """Leave the network alone while a model is read, where the hub is out of reach.

    Else huggingface_hub asks six times for every file, also of a model in its cache: minutes, and ten lines
    each time. Its own offline switch is set, because not all calls within transformers pass on
    `local_files_only`.

    Args:
        name: a directory, which is not looked up on the hub, or a name there.
    """
    if find_spec("huggingface_hub") is None:
        yield  # then nobody asks the hub
        return
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not (Path(name).is_dir() or hub_is_reachable())
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


@functools.cache
def hub_is_reachable() -> bool:
    """Return whether the hub has an address here; behind a proxy names are resolved elsewhere."""
    from huggingface_hub import constants

    if {"http", "https", "all"} & getproxies().keys():
        return True
    try:
        socket.getaddrinfo(urlsplit(constants.ENDPOINT).hostname, None)
    except OSError:
        return False
    return True
