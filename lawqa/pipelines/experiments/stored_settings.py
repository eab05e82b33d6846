"""Files that say what an experiment is: its settings, and what these name, in one object.

{"schema_version": 1, "settings": {SETTING: VALUE, ..., CONTENT: VALUE, ...}, ...}
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.errors import DataError
from lawqa.files import JsonObject, read_json, write_json
from lawqa.settings import RESULT, Declaration, by_content, stored_problems

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_SCHEMA_VERSION = 1
_SHOWN = 3


def called_content(name: str) -> Declaration:
    """Declare the content of something that a setting names, and what messages call it."""
    return {**by_content(RESULT), "called": name}


def content_differences(
    one: DataclassInstance, other: DataclassInstance, beside: Collection[str] = ()
) -> list[str]:
    """Return which contents are not the same, as messages call them.

    A content whose default is None may be unknown; what one of the two does not know is not compared.

    Args:
        one: contents, each field declared by `called`.
        other: others of the same kind.
        beside: names of fields that the caller compares.
    """
    differing = []
    for field in fields(one):
        before, after = getattr(one, field.name), getattr(other, field.name)
        known = field.default is MISSING or (before is not None and after is not None)
        if known and before != after and field.name not in beside:
            differing.append(field.metadata["called"])
    return differing


def read_stored(
    path: Path,
    config: type,
    contents: type[DataclassInstance],
    *,
    is_of: str,
    hint: str,
    needs: Collection[str] = (),
    as_now: Callable[[JsonObject], JsonObject] = lambda stored: stored,
) -> JsonObject:
    """Return the settings and contents that a file keeps.

    Args:
        path: the file.
        config: the dataclass that declares the settings.
        contents: the dataclass that declares what they name.
        is_of: what the file describes, for messages.
        hint: what to do about a damaged one.
        needs: settings that every version has kept.
        as_now: gives the settings of older files as they are kept now.

    Raises:
        DataError: it cannot be read, describes something else, or was damaged; what is wrong is named.
    """
    try:
        content = read_json(path)
    except DataError as problem:
        raise DataError(problem.message, problem.hint or hint) from None
    stored = content.get("settings") if isinstance(content, Mapping) else None
    if not isinstance(stored, Mapping):
        raise DataError(f"{path}: does not describe {is_of}", hint)
    version = content.get("schema_version")
    if version != _SCHEMA_VERSION:
        raise DataError(
            f"{path}: schema_version is {version!r}, expected {_SCHEMA_VERSION}",
            "another version of lawqa wrote it: read it with that one",
        )
    needed = [*needs, *(field.name for field in fields(contents) if field.default is MISSING)]
    lacks = [f"has no key 'settings.{name}'" for name in needed if name not in stored]
    now = as_now(stored)
    names = {field.name for field in fields(contents)}  # a content may have the name of its setting
    settings = {name: value for name, value in now.items() if name not in names}
    wrong = lacks + stored_problems(contents, stored) + stored_problems(config, settings)
    if wrong:
        raise DataError(f"{path}: {'; '.join(wrong[:_SHOWN])}", hint)
    return now


def write_stored(
    path: Path, settings: JsonObject, contents: DataclassInstance, more: JsonObject
) -> None:
    """Write settings and contents, and what else the file says beside them."""
    stored = {**settings, **vars(contents)}
    write_json(path, {"schema_version": _SCHEMA_VERSION, "settings": stored, **more})
