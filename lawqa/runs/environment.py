"""The machine and versions that a run was made with."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from lawqa import _version

_PACKAGES = ("torch", "transformers", "peft", "bitsandbytes", "accelerate", "datasets", "numpy")


def describe_environment(accelerator: dict[str, Any] | None = None) -> dict[str, Any]:
    """Versions, git commit and machine.

    Args:
        accelerator: what the backend knows of the GPU; None for none.
    """
    return {
        "lawqa": _version.__version__,
        "python": platform.python_version(),
        "packages": {name: found for name in _PACKAGES if (found := _installed_version(name))},
        "git_commit": git_commit(),
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "cpus": os.cpu_count(),
        "accelerator": accelerator,
    }


def _installed_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def git_commit() -> str | None:
    """The commit of the checkout that lawqa runs from, `+changes` where files differ; None if installed."""
    git = shutil.which("git")
    root = Path(_version.__file__).resolve().parents[1]
    if git is None or not (root / ".git").exists():
        return None

    def ask(*words: str) -> str | None:
        done = subprocess.run(  # noqa: S603 - fixed words, no user input
            [git, "-C", str(root), *words], capture_output=True, text=True, check=False
        )
        return done.stdout.strip() if done.returncode == 0 else None

    commit = ask("rev-parse", "HEAD")
    return f"{commit}+changes" if commit and ask("status", "--porcelain", "-uno") else commit
