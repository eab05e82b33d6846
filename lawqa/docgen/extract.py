"""The commands that a Markdown document shows, read back out of its text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"^```(bash|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_REDIRECTIONS = {">", "2>&1", "&", ">>"}


@dataclass(frozen=True)
class ShownCommand:
    """A command as a reader would type it."""

    line: str
    """The text, its continued lines joined."""
    argv: tuple[str, ...]
    """Program and arguments, without nohup, redirection and environment."""
    env: dict[str, str]
    """Environment variables set before it."""


def shown_commands(markdown: str) -> Iterator[ShownCommand]:
    """Every command of the bash blocks, and of the `$` lines of the console blocks."""
    for kind, body in _BLOCK.findall(markdown):
        for line in body.replace("\\\n", " ").splitlines():
            if kind == "console":
                if not line.startswith("$ "):
                    continue
                line = line.removeprefix("$ ")
            if line.strip() and not line.lstrip().startswith("#"):
                yield _command(line)


def _command(line: str) -> ShownCommand:
    words = shlex.split(line, comments=True)
    if words and words[0] == "nohup":
        words = words[1 : words.index(">")] if ">" in words else words[1:]
    env = {}
    while words and _ASSIGNMENT.match(words[0]):
        key, _, value = words.pop(0).partition("=")
        env[key] = value
    return ShownCommand(line, tuple(word for word in words if word not in _REDIRECTIONS), env)
