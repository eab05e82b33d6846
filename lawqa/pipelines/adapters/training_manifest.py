"""What evaluation needs of the manifest that a training left, and whether it is there in the right form.

A manifest that lost a part, by hand or by a half copy, must not become a traceback, and even less an
evaluation without its leak check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lawqa.errors import ConfigError, DataError
from lawqa.files import JsonObject
from lawqa.prompting import PromptSpec
from lawqa.runs.question_entries import QuestionEntries

_Check = Callable[[object], bool]
NEEDED = ("model", "prompt_specs", "questions")
"""Keys that the checks of an adapter cannot do without."""


def require_readable(content: JsonObject, path: Path, hint: str) -> None:
    """Make sure that a training's manifest says what the checks of its adapter read in it.

    Args:
        content: the manifest.
        path: where it was read, for messages.
        hint: what to do about one that does not.

    Raises:
        DataError: a part is missing, or of another form.
    """
    missing = [key for key in NEEDED if key not in content]
    if missing:
        raise DataError(f"{path}: has no key {missing[0]!r}", hint)
    for where, value, right, expected in _parts(content):
        if not right(value):
            raise DataError(f"{path}: {where} is {_shown(value)}, expected {expected}", hint)


def _parts(content: JsonObject) -> Iterator[tuple[str, object, _Check, str]]:
    """Yield where a part is, what it is, what it must pass, and how that is called; the outer parts first."""
    model = content["model"]
    yield "model", model, _is_table, "an object"
    yield "model.name", model.get("name"), _is_text, "a text"
    quantisation = model.get("quantisation", "missing")
    yield "model.quantisation", quantisation, (None, "nf4", "fp4").__contains__, "null, nf4 or fp4"
    yield "model.dtype", model.get("dtype"), _is_text, "a text"
    yield "model.content", model.get("content"), _is_table_or_none, "an object or null"
    yield "prompt_specs", content["prompt_specs"], _is_table, "an object"
    for spec, digest in content["prompt_specs"].items():
        yield f"prompt_specs.{spec}", digest, _is_text, "a text"
    yield from _questions("questions", content["questions"], "id", "fingerprint")
    yield "written", content.get("written"), _is_table_or_none, "an object or null"
    yield "data", content.get("data"), _is_table_or_none, "an object or null"
    dev = (content.get("data") or {}).get("dev")
    yield "data.dev", dev, _is_table_or_none, "an object or null"
    if dev:
        yield from _questions("data.dev.questions", dev.get("questions"), "fingerprint")
    modes = (content.get("figures") or {}).get("modes") or []
    yield "figures.modes", modes, lambda it: isinstance(it, list), "a list"
    for number, mode in enumerate(modes):
        yield f"figures.modes[{number}]", mode, _is_table, "an object"
        yield f"figures.modes[{number}].spec", mode.get("spec"), _is_spec, "a prompt spec"
        warning = mode.get("warning", "missing")
        yield f"figures.modes[{number}].warning", warning, _is_text_or_none, "a text or null"
    read = (content.get("data") or {}).get("statutes_read")
    yield "data.statutes_read", read, _is_table_or_none, "an object or null"
    if read is not None:
        for key in ("articles", "unknown"):
            yield f"data.statutes_read.{key}", read.get(key), _is_count, "a whole number"
        yield "data.statutes_read.laws", read.get("laws"), _are_texts, "a list of texts"
    stages = (content.get("data") or {}).get("stages", [])
    yield "data.stages", stages, lambda it: isinstance(it, list), "a list"
    for number, stage in enumerate(stages):
        where = f"data.stages[{number}]"
        yield where, stage, _is_table, "an object"
        yield f"{where}.trained_on", stage.get("trained_on"), _is_file_name, "the name of a file"
        says = stage.get("says_questions")
        yield f"{where}.says_questions", says, lambda it: isinstance(it, bool), "true or false"
        dev_questions = stage.get("dev_questions")
        yield from _questions(f"{where}.dev_questions", dev_questions, "fingerprint")


def _questions(where: str, value: object, *keys: str) -> Iterator[tuple[str, object, _Check, str]]:
    yield where, value, lambda it: isinstance(it, (list, QuestionEntries)), "a list"
    if isinstance(value, (list, QuestionEntries)):
        for number, entry in enumerate(value):
            yield f"{where}[{number}]", entry, _is_table, "an object"
            for key in keys:
                yield f"{where}[{number}].{key}", entry.get(key), _is_text, "a text"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _is_spec(value: object) -> bool:
    try:
        PromptSpec.from_id(str(value))
    except ConfigError:
        return False
    return isinstance(value, str)


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_file_name(value: object) -> bool:
    return isinstance(value, str) and Path(value).name == value


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping)


def _is_table_or_none(value: object) -> bool:
    return value is None or isinstance(value, Mapping)


def _shown(value: object, most: int = 60) -> str:
    text = "missing or null" if value is None else repr(value)
    return text if len(text) <= most else f"{text[:most]}…"
