"""Help and messages of the argument parser, as a terminal should show them.

tyro counts characters, and a Japanese one takes two columns: each is followed by a filler until the text is
laid out. It also leaves descriptions in one line, and names a group of options by its place in our classes.
"""

from __future__ import annotations

import io
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from typing import TextIO

_FILLER = "\ue000"
_COLOUR = r"\x1b\[[0-9;]*m"
_COLOURS = rf"(?:{_COLOUR})*"
_TITLE = re.compile(
    rf"^({_COLOURS}(?:╭{_COLOURS}─| )?{_COLOURS} {_COLOURS})(?:\w+\.)+"
    rf"(\w+{_COLOURS} options)({_COLOURS} {_COLOURS}[─ ]*)",
    re.MULTILINE,
)
_ELSEWHERE = re.compile(
    rf"(in {_COLOURS})(lawqa) ([a-z-]+)( {_COLOURS}--help{_COLOURS}|{_COLOURS} --help{_COLOURS})( *)"
)
_EMPTY = "(default: )"
_UNBOUNDED = 10_000
_LEAST_WIDTH = 40


def display_width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    shown = re.sub(_COLOUR, "", text)
    return sum(2 if _is_wide(char) else 1 for char in shown if not unicodedata.combining(char))


def filled(text: str) -> str:
    """Return a text that is as many characters long as it takes columns; `shown_help` takes them out."""
    return "".join(f"{char}{_FILLER}" if _is_wide(char) else char for char in text)


def terminal_width(otherwise: int = _UNBOUNDED) -> int:
    """Return the columns of the terminal; `otherwise` where the output goes elsewhere."""
    return max(_LEAST_WIDTH, shutil.get_terminal_size((otherwise, 24)).columns)


def wrapped(text: str, width: int, hanging: str = "") -> str:
    """Return a line broken between words into lines of at most this many columns.

    Args:
        text: the line; its own indentation stays.
        width: columns.
        hanging: what further lines begin with.
    """
    if display_width(text) <= width:
        return text
    indent = text[: len(text) - len(text.lstrip())]
    lines, line = [], indent
    for word in re.findall(r"\S+\s*", text):
        if line.strip() and display_width(line + word.rstrip()) > width:
            lines.append(line.rstrip())
            line = hanging or indent
        line += word
    return "\n".join([*lines, line.rstrip()])


@contextmanager
def tidied_parser(command: str = "lawqa") -> Iterator[None]:
    """Print what the parser prints in the block, put right.

    Args:
        command: whose arguments are parsed, such as `lawqa crossval`.
    """
    out, err = _Like(sys.stdout), _Like(sys.stderr)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            yield
    finally:
        for caught, stream in ((out, sys.stdout), (err, sys.stderr)):
            stream.write(_tidy(caught.getvalue(), command))


class _Like(io.StringIO):
    """Keeps what is written, and looks like the stream in whose place it is."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream: it decides whether boxes are drawn."""
        return str(getattr(self._stream, "encoding", None) or "")

    def isatty(self) -> bool:
        """Return whether the stream is a terminal: it decides whether there are colours."""
        return self._stream.isatty()


def _tidy(text: str, command: str) -> str:
    text = _TITLE.sub(_without_place, text.replace(_FILLER, ""))
    text = text.replace(_EMPTY, " " * len(_EMPTY))
    text = _ELSEWHERE.sub(lambda match: _with_group(match, command), text)
    width = terminal_width(80)
    return "\n".join(_line(line, width) for line in text.split("\n"))


def _with_group(match: re.Match[str], command: str) -> str:
    """Return where a flag is that was perhaps meant: tyro leaves out the group of a subcommand."""
    before, program, name, after, space = match.groups()
    if command in ("lawqa", f"{program} {name}"):
        return match[0]
    longer = len(command) - len(program)
    return f"{before}{command} {name}{after}{space[longer:]}"


def _without_place(title: re.Match[str]) -> str:
    before, name, rule = title.groups()
    missing = len(title[0]) - len(before) - len(name) - len(rule)
    return f"{before}{name}{rule}{rule[-1] * missing}"


def _line(line: str, width: int) -> str:
    """Return a line of a description or usage, wrapped; what is laid out in a box already is as wide as its
    box.
    """
    boxed = re.sub(_COLOUR, "", line).startswith(("│", "╭", "╰"))
    return line if boxed else wrapped(line.rstrip(), width)


def _is_wide(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"
