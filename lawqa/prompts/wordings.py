"""Reads the wordings beside this module, `ID.toml` each. A new file there is a new wording.

Nothing in them could pass for an answer, so that a model which merely echoes them has not answered; a file
that names a label is refused.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import get_args

from lawqa.choices import FINAL_ANSWER_CUE, label_of
from lawqa.errors import ConfigError, DataError
from lawqa.settings import STANDARD_PROMPT, Mode

if sys.version_info >= (3, 11):
    import tomllib
else:  # tomllib entered the standard library with 3.11
    import tomli as tomllib

FOLDER = Path(__file__).parent
"""Where the files are."""

STANDARD = STANDARD_PROMPT
"""The wording that is used where none is named."""

_CUE = "{final_answer_cue}"
_ID = re.compile(r"[a-z][a-z0-9_]*")
_LONE = re.compile(r"[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]+|[①-④]")
_TABLES = ("headings", "ask", "ask_with_context")
_HEADINGS = ("context", "question", "choices", "ask")


@dataclass(frozen=True)
class Wording:
    """The words around a question."""

    id: str
    about: str
    """What is special about it, for people; no part of a prompt."""
    system: str
    """The system turn."""
    headings: Mapping[str, str]
    """Of the parts `context`, `question`, `choices` and `ask`."""
    ask: Mapping[str, str]
    """What is asked for, by mode."""
    ask_with_context: Mapping[str, str]
    """The same where a context is shown."""

    def asks(self, mode: Mode, *, context: bool) -> str:
        """Return what asks for the answer in this mode."""
        return (self.ask_with_context if context else self.ask)[mode]


def wordings() -> Mapping[str, Wording]:
    """Return all wordings by id, the standard one first, the others sorted.

    Raises:
        DataError: a file is none.
    """
    # Read again when a file comes or goes, which changes the folder's time.
    return _read_all(FOLDER, FOLDER.stat().st_mtime_ns)


def wording_of(wording_id: str) -> Wording:
    """Return the wording of this id.

    Raises:
        ConfigError: there is none.
        DataError: a file is no wording.
    """
    known = wordings()
    if wording_id not in known:
        raise ConfigError(
            f"--prompt {wording_id}: no such wording",
            f"known: {', '.join(known)}; see lawqa prompts",
        )
    return known[wording_id]


@cache
def _read_all(folder: Path, _changed: int) -> Mapping[str, Wording]:
    read = {path.stem: _read(path) for path in sorted(folder.glob("*.toml"))}
    if STANDARD not in read:
        raise DataError(f"{folder / f'{STANDARD}.toml'}: is missing", "install lawqa again")
    return {STANDARD: read.pop(STANDARD), **read}


def _read(path: Path) -> Wording:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as problem:
        raise DataError(f"{path}: cannot be read: {problem}") from None
    problems = list(_problems(path.stem, content))
    if problems:
        raise DataError(
            "\n  ".join([f"{path}: is not a wording:", *problems]),
            f"{FOLDER / f'{STANDARD}.toml'}  shows the form",
        )
    ask = _with_cue(content["ask"])
    return Wording(
        id=path.stem,
        about=content["about"],
        system=content["system"],
        headings=content["headings"],
        ask=ask,
        ask_with_context=_with_cue(content.get("ask_with_context", {})) or ask,
    )


def _with_cue(texts: Mapping[str, str]) -> dict[str, str]:
    return {mode: text.replace(_CUE, FINAL_ANSWER_CUE) for mode, text in texts.items()}


def _problems(wording_id: str, content: Mapping[str, object]) -> list[str]:
    """Return what is wrong with a file, a line each."""
    modes = get_args(Mode)
    wanted = {"about": (), "system": (), "headings": _HEADINGS, "ask": modes}
    if "ask_with_context" in content:
        wanted["ask_with_context"] = modes
    problems = [f"key {key!r} is not known" for key in content if key not in {*wanted, *_TABLES}]
    if not _ID.fullmatch(wording_id):
        problems.append("its name is not lower-case letters, digits and _, a letter first")
    texts: dict[str, object] = {}
    for key, names in wanted.items():
        value = content.get(key)
        if not names:
            texts[key] = value
        elif isinstance(value, dict):
            problems += [f"key '{key}.{name}' is not known" for name in value if name not in names]
            texts |= {f"{key}.{name}": value.get(name) for name in names}
        else:
            problems.append(f"table [{key}] is missing")
    for key, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            problems.append(f"key {key!r} is missing or empty, expected text")
        elif key != "about":
            problems += _wrong_text(key, text)
    return problems


def _wrong_text(key: str, text: str) -> list[str]:
    problems = []
    plain = text.replace(_CUE, "")
    labels = [word for word in _LONE.findall(plain) if label_of(word)]
    if labels:
        problems.append(
            f"key {key!r} holds {labels[0]!r}: a model that echoes it would seem to answer"
        )
    if "{" in plain or "}" in plain:
        problems.append(f"key {key!r} holds braces, and the only name in braces is {_CUE}")
    if key.endswith(".cot") and _CUE not in text:
        problems.append(f"key {key!r} does not hold {_CUE}, which the last line must begin with")
    return problems
