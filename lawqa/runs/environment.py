"""The machine and versions that a run was made with."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lawqa import _version
from lawqa.files import JsonObject

_PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "datasets", "numpy")


def describe_environment(accelerator: JsonObject | None = None) -> JsonObject:
    """Return the versions, git commit and machine.

    Args:
        accelerator: what the backend knows of the GPU; None for none.
    """
    return {
        "lawqa": _version.__version__,
        "python": platform.python_version(),
        "packages": dict(_installed_versions()),
        "git_commit": git_commit(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cpus": os.cpu_count(),
        "accelerator": accelerator,
    }


# Asked once a process: what has been imported stays what it was.
@cache
def _installed_versions() -> Mapping[str, str]:
    """Read the versions of those of `_PACKAGES` that are installed, by name."""
    versions = {}
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def git_commit() -> str | None:
    """Name the commit of the checkout lawqa runs from, `+changes` where files differ; None if installed."""
    return _git_commit(Path(_version.__file__).resolve().parents[1])


@cache
def _git_commit(root: Path) -> str | None:
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return None

    def ask(*words: str) -> str | None:
        done = subprocess.run(  # noqa: S603 - fixed words, no user input
            [git, "-C", str(root), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    return f"{commit}+changes" if commit and ask("status", "--porcelain", "-uno") else commit
