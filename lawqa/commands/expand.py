"""Variables of a place put into a command, and the line that a person types."""

from __future__ import annotations

import ast
import operator
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lawqa.commands.model import Command, Place
from lawqa.errors import ConfigError

_VARIABLE = re.compile(r"\{([a-z0-9_]+)\}")
_OPERATIONS: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
}  # fmt: skip
_DEEPEST = 8
_WIDTH = 88
_INDENT = "    "


@dataclass(frozen=True)
class Rendered:
    """A command at one place, with all variables replaced."""

    command: Command
    """Where it comes from."""
    argv: tuple[str, ...]
    """Program and arguments."""
    env: Mapping[str, str]
    """Environment variables that it needs."""
    inputs: tuple[str, ...]
    """Paths that must be there."""
    outputs: tuple[str, ...]
    """Paths that it makes."""
    shows: str
    """What it prints when it went well."""
    check_ja: str
    """What to check afterwards."""
    title: str
    """A line on it, in English."""
    title_ja: str
    """The same in Japanese."""
    purpose: str
    """What it is for, in English."""
    purpose_ja: str
    """The same in Japanese."""

    @property
    def shell(self) -> str:
        """The line that a person types."""
        return shell_line(self.argv, self.env, self.command.background)


def expand(text: str, variables: Mapping[str, str], where: str = "") -> str:
    """Put variables into a text; a variable's value may name others.

    Raises:
        ConfigError: a variable is not defined, or they go round in circles.
    """
    for _ in range(_DEEPEST):
        missing = [name for name in _VARIABLE.findall(text) if name not in variables]
        if missing:
            raise ConfigError(f"{where}: variable {{{missing[0]}}} is not defined at this place")
        done = _VARIABLE.sub(lambda variable: variables[variable[1]], text)
        if done == text:
            return text
        text = done
    raise ConfigError(f"{where}: variables go round in circles: {text}")


def amount(text: str, variables: Mapping[str, str], where: str) -> float:
    """Work out an amount: numbers and variables with + - * / and brackets.

    Raises:
        ConfigError: it is something else, or a variable is not defined.
    """
    shown = expand(text, variables, where)

    def value(node: ast.AST) -> float:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
            return _OPERATIONS[type(node.op)](value(node.left), value(node.right))
        raise ValueError(text)

    try:
        return value(ast.parse(shown, mode="eval").body)
    except (SyntaxError, ValueError, ZeroDivisionError):
        raise ConfigError(
            f"{where}: {shown!r} is not an amount",
            "numbers and variables with + - * / and brackets",
        ) from None


def render_command(
    command: Command, place: Place, overrides: Mapping[str, str] | None = None
) -> Rendered:
    """Replace the variables of a command by those of a place.

    Args:
        command: the declaration.
        place: gives the variables.
        overrides: variables of the user's own place file, which come before the place's. What a command says
            of itself comes before both: it is what makes it a variant.

    Raises:
        ConfigError: a variable is not defined there.
    """
    variables = {**place.variables, **(overrides or {}), **command.variables}
    where = f"{command.id} at {place.id}"

    def put(text: str) -> str:
        return expand(text, variables, where)

    return Rendered(
        command=command,
        argv=tuple(map(put, command.argv)),
        env={key: put(value) for key, value in command.env.items()},
        inputs=tuple(map(put, command.inputs)),
        outputs=tuple(map(put, command.outputs)),
        shows=put(command.shows),
        check_ja=put(command.check_ja),
        title=put(command.title),
        title_ja=put(command.title_ja),
        purpose=put(command.purpose),
        purpose_ja=put(command.purpose_ja),
    )


def shell_line(argv: Sequence[str], env: Mapping[str, str], background: str = "") -> str:
    """Return what a person types in bash for this command.

    Words are quoted where the shell would read them otherwise; a long command continues on a new line before
    a flag.
    """
    words = [f"{key}={shlex.quote(value)}" for key, value in env.items()]
    words += [shlex.quote(word) for word in argv]
    if background:
        words = ["nohup", *words, ">", shlex.quote(background), "2>&1", "&"]
    lines, line = [], ""
    for piece in _pieces(words):
        if line and len(line) + 1 + len(piece) > _WIDTH:
            lines.append(line)
            line = _INDENT
        line += piece if line in ("", _INDENT) else f" {piece}"
    return " \\\n".join([*lines, line])


def _pieces(words: Sequence[str]) -> list[str]:
    """Return words that stay on one line: a flag with its values."""
    pieces: list[str] = []
    for word in words:
        takes_value = pieces and pieces[-1].startswith("-") and "=" not in pieces[-1].split()[0]
        if takes_value and not word.startswith(("-", ">")):
            pieces[-1] += f" {word}"
        else:
            pieces.append(word)
    return pieces
