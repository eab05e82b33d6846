"""Generated blocks inside files that people write, between two marker lines; the form of commands there."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lawqa.commands.expand import Rendered
from lawqa.errors import ConfigError


def replace_block(text: str, name: str, content: str, where: str) -> str:
    """Put new content between the markers of a block.

    Args:
        text: the file's text; its markers are lines that hold `lawqa docs: begin NAME` and
            `lawqa docs: end NAME` in whatever comment form the file has.
        name: the block.
        content: what goes between them, with its last line break.
        where: what errors call the file.

    Raises:
        ConfigError: the markers are not there exactly once, in this order.
    """
    begin, end = (re.escape(f"lawqa docs: {word} {name}") for word in ("begin", "end"))
    block = re.compile(
        rf"(^[^\n]*{begin}\b[^\n]*\n)(.*?)(^[^\n]*{end}\b)", re.DOTALL | re.MULTILINE
    )
    matches = block.findall(text)
    if len(matches) != 1:
        raise ConfigError(
            f"{where}: has {len(matches)} blocks {name!r}, expected one",
            f"put the lines `lawqa docs: begin {name}` and `lawqa docs: end {name}` where it belongs",
        )
    return block.sub(lambda match: match[1] + content + match[3], text)


def console_block(commands: Sequence[tuple[Rendered, str]]) -> str:
    """Return a console block: each command on one line, with a remark behind it, or above where that is too
    wide.
    """
    lines = [
        (" ".join(rendered.shell.replace("\\\n", " ").split()), said) for rendered, said in commands
    ]
    # Remarks share one column as far as the lines are short enough.
    column = min(max(len(line) for line, _ in lines), 64)
    shown = [
        f"$ {line:<{column}}  # {said}" if len(line) <= column else f"# {said}\n$ {line}"
        for line, said in lines
    ]
    return "```console\n" + "\n".join(shown) + "\n```\n"
