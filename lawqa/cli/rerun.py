"""The command line that does the same again."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator
from dataclasses import MISSING, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

from lawqa.settings.declared import Setting, Vocabulary, flags_of


def resume_command(
    command: Vocabulary, arguments: Any, run_dir: Path, always: Collection[str] = ()
) -> str:
    """Return the command that resumes a run.

    Args:
        command: the command's name.
        arguments: its dataclass, with the fields `run_dir`, `resume` and `fresh`.
        run_dir: where the run is.
        always: fields that are named even where they have their defaults.

    Returns:
        One line for a shell; under `torchrun` one that starts as many processes again.
    """
    same = replace(arguments, run_dir=run_dir, resume=True, fresh=False)
    size = int(os.environ.get("WORLD_SIZE", "1"))
    program = ["lawqa"] if size == 1 else ["torchrun", "--nproc-per-node", str(size), "-m", "lawqa"]
    return shlex.join([*program, command, *given_words(same, always, command)])


# Any: the dataclass of any command.
def given_words(
    arguments: Any, always: Collection[str] = (), vocabulary: Vocabulary | None = None
) -> Iterator[str]:
    """Yield the words of the flags that differ from their defaults, and of those that are always named.

    Args:
        arguments: a dataclass of flags, or of such dataclasses.
        always: fields that are named even where they have their defaults.
        vocabulary: whose names the flags have.
    """
    # A command's own flags name what it is about; the settings that it inherits end with --resume.
    own = type(arguments).__annotations__
    for field in sorted(fields(arguments), key=lambda field: field.name not in own):
        value, flag = getattr(arguments, field.name), flags_of(field, vocabulary)[0]
        if is_dataclass(value):
            yield from given_words(value, always, vocabulary)
        elif value == _default(field) and field.name not in always:
            continue
        elif isinstance(value, bool):
            yield flag if value else f"--no-{flag.removeprefix('--')}"
        elif isinstance(value, tuple):
            yield from (flag, *map(str, value))
        else:
            yield from (flag, str(value))


def _default(field: Setting) -> object:
    return field.default_factory() if field.default_factory is not MISSING else field.default
