"""The commands that a Markdown document shows, read back out of its text."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lawqa.errors import ConfigError

_FENCE = re.compile(r"^[ \t]*(```+|~~~+)[ \t]*([\w-]*)")
_SCRIPTS = frozenset({"bash", "sh", "shell", "zsh"})
_SESSIONS = frozenset({"console", "shell-session", ""})
_DUPLICATED = re.compile(r"\d?>&\d")
_INLINE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_BETWEEN = frozenset({"|", "||", "&&", ";", "|&"})
_SUBSTITUTED = re.compile(r"\$\(([^()]*)\)")
_SHELLS = frozenset({"sh", "bash", "zsh", "dash", "python", "python3"})
_CHECKED = frozenset({"lawqa", "git", "hf", "huggingface-cli", "pip", "pip3", "python", "python3"})
"""Programs that every place may have, and that can be used for what it forbids."""
_SENTENCE = re.compile(r"[^。．\n|]+")
_DENIED = re.compile(
    r"ません|ない|禁止|以外|\b(?:no|not|never|neither|without)\b|n't\b", re.IGNORECASE
)
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_REDIRECTIONS = {">", "&", ">>"}


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
    """Yield every command of the blocks of a shell, and of the `$` lines of the console blocks.

    A pipeline or a list (`a | b`, `a && b`, `a; b`) gives each of its commands.

    Raises:
        ConfigError: no shell reads a line.
    """
    for kind, body in _parts(markdown):
        for line in body.replace("\\\n", " ").splitlines() if kind is not None else ():
            shown = line.lstrip()
            if kind in _SESSIONS and shown.startswith("$ "):
                yield from commands_of(shown.removeprefix("$ "))
            elif kind in _SCRIPTS and shown and not shown.startswith("#"):
                yield from commands_of(line)


def _parts(markdown: str) -> Iterator[tuple[str | None, str]]:
    """Yield the fenced blocks of a document, each with its language, and the text between them, with None."""
    kind: str | None = None
    fence, lines = "", list[str]()
    for line in markdown.splitlines(keepends=True):
        mark = _FENCE.match(line)
        if mark and (not fence or (mark[1].startswith(fence) and not mark[2])):
            yield kind, "".join(lines)
            kind, fence, lines = (None, "", []) if fence else (mark[2], mark[1], [])
        else:
            lines.append(line)
    yield kind, "".join(lines)


def mentioned_commands(markdown: str, programs: Collection[str]) -> Iterator[ShownCommand]:
    """Yield every command in inline code or in a sentence that names one of these programs.

    A sentence that denies (`curl は使いません`) mentions none; inline code is read as what a person types.

    Args:
        markdown: the document.
        programs: what to look for; behind a pipe in inline code also every shell and interpreter.
    """
    if not programs:
        return
    prose = "".join(text for kind, text in _parts(markdown) if kind is None)
    for code in _INLINE.findall(prose):
        try:
            commands = commands_of(code)
        except ConfigError:  # a quoted message, not a command
            continue
        for number, command in enumerate(commands):
            program = command.argv[0] if command.argv else ""
            checked = program in programs or (program in _CHECKED and len(command.argv) > 1)
            if checked or "-m" in command.argv or (number and program in _SHELLS):
                yield command
    named = re.compile(
        rf"(?<![\w`./:-])({'|'.join(map(re.escape, sorted(programs)))})(?![\w`/:-]|\.\w)"
    )
    for sentence in _SENTENCE.findall(_INLINE.sub("", prose)):
        if not _DENIED.search(sentence) and (program_named := named.search(sentence)):
            yield ShownCommand(sentence.strip(), (program_named.group(1),), {})


def commands_of(line: str) -> list[ShownCommand]:
    """Return the commands of a line: those of a pipeline or list one by one, and those within `$(...)`.

    Raises:
        ConfigError: no shell reads the line.
    """
    lexer = shlex.shlex(_DUPLICATED.sub("", line), posix=True, punctuation_chars="|;&")
    lexer.whitespace_split = True
    parts: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word in _BETWEEN:
                parts.append([])
            else:
                parts[-1].append(word)
    except ValueError as problem:
        raise ConfigError(f"{line}: no shell reads this: {problem}") from None
    inner = [command for within in _SUBSTITUTED.findall(line) for command in commands_of(within)]
    # An interpreter that is given no file reads what it runs from the pipe, which bash writes as `-`.
    read = [[*words, "-"] if n and len(words) == 1 and words[0] in _SHELLS else words
            for n, words in enumerate(parts)]  # fmt: skip
    return [_command(line, words) for words in read if words] + inner


def _command(line: str, words: list[str]) -> ShownCommand:
    if words and words[0] == "nohup":
        words = words[1 : words.index(">")] if ">" in words else words[1:]
    env = {}
    while words and _ASSIGNMENT.match(words[0]):
        key, _, value = words.pop(0).partition("=")
        env[key] = value
    return ShownCommand(line, tuple(word for word in words if word not in _REDIRECTIONS), env)
