"""What the keys of a manifest may hold: the one place that checks them, whoever reads one.

A manifest is JSON that lies on a disk for years. What is there must have the right type at every depth that
any command reads; which keys must be there is asked by `missing`, for kinds of runs differ.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

from lawqa.files import JsonObject

_LARGEST = 2**53
_SHOWN = 40


class _Check(NamedTuple):
    """What a key may hold, and what that is called in messages."""

    holds: Callable[[object], bool]
    expected: str


def _or_null(check: _Check) -> _Check:
    return _Check(lambda value: value is None or check.holds(value), f"{check.expected} or null")


def _one_of(*names: str) -> _Check:
    return _Check(lambda value: isinstance(value, str) and value in names, " or ".join(names))


def _finite(value: object) -> bool:
    if type(value) is int:
        return abs(value) < _LARGEST
    return isinstance(value, float) and math.isfinite(value)


_TEXT = _Check(lambda value: isinstance(value, str), "text")
_FLAG = _Check(lambda value: isinstance(value, bool), "true or false")
_COUNT = _Check(lambda value: type(value) is int and 0 <= value < _LARGEST, "a whole number from 0")
_NUMBER = _Check(_finite, "a finite number")
_OBJECT = _Check(lambda value: isinstance(value, dict), "an object")
_LIST = _Check(lambda value: isinstance(value, list), "a list")

_KEYS: dict[str, _Check] = {
    "kind": _TEXT, "status": _TEXT, "started": _TEXT, "ended": _or_null(_TEXT), "seed": _or_null(_COUNT),
    "notes": _LIST, "notes.*": _TEXT, "argv": _LIST, "argv.*": _TEXT,
    "config": _OBJECT,
    "config.answer_by": _or_null(_TEXT), "config.ensemble": _or_null(_COUNT),
    "config.permutations": _or_null(_COUNT), "config.spec": _OBJECT,
    "config.spec.mode": _one_of("direct", "cot"), "config.spec.condition": _one_of("closed", "gold", "rag"),
    "config.spec.thinking": _FLAG, "config.spec.few_shot": _FLAG, "config.spec.wording": _TEXT,
    "config.rag": _or_null(_OBJECT), "config.server": _or_null(_OBJECT),
    "model": _OBJECT, "model.name": _or_null(_TEXT), "model.backend": _or_null(_TEXT),
    "model.content": _or_null(_OBJECT), "model.content.*": _or_null(_TEXT),
    "model.quantisation": _or_null(_TEXT), "model.peak_memory_gib": _or_null(_NUMBER),
    "prompt_specs": _OBJECT, "prompt_specs.*": _TEXT,
    "data": _OBJECT, "data.path": _TEXT, "data.sha256": _TEXT, "data.questions": _COUNT,
    "data.folds": _LIST, "data.folds.*": _OBJECT, "data.folds.*.path": _TEXT, "data.folds.*.sha256": _TEXT,
    "questions": _LIST, "questions.*": _OBJECT, "questions.*.id": _TEXT, "questions.*.order": _COUNT,
    "questions.*.fingerprint": _TEXT,
    "adapter": _or_null(_OBJECT), "adapter.path": _TEXT, "adapter.folds": _LIST,
    "adapter.manifest": _or_null(_OBJECT), "adapter.manifest.started": _or_null(_TEXT),
    "retrieval": _or_null(_OBJECT), "retrieval.retriever": _or_null(_OBJECT),
    "retrieval.corpus": _or_null(_OBJECT),
    "figures": _OBJECT, "figures.resumed": _COUNT, "figures.seconds": _or_null(_NUMBER),
    "figures.peak_memory_gib": _or_null(_NUMBER),
    "environment": _OBJECT, "environment.packages": _or_null(_OBJECT),
    "environment.git_commit": _or_null(_TEXT), "environment.lawqa": _or_null(_TEXT),
    "environment.accelerator": _or_null(_OBJECT),
}  # fmt: skip
"""By path; `*` is every entry."""

OF_AN_EVALUATION = (
    "kind", "status", "started", "notes", "config", "config.spec", "model", "prompt_specs", "data",
    "data.questions", "questions", "figures", "environment", "argv",
)  # fmt: skip
"""What the manifest of every evaluation holds, a pooled one's too."""


def problems(manifest: JsonObject) -> list[str]:
    """What is wrong with the keys that are there, one sentence each; empty for a good manifest."""
    wrong: dict[str, str] = {}
    for path, check in _KEYS.items():
        if path.rpartition(".")[0] in wrong:
            continue
        for name, value in _at(manifest, path.split(".")):
            if not check.holds(value):
                wrong[path] = f"key '{name}' is {_shown(value)}, expected {check.expected}"
                break
    return list(wrong.values())


def missing(manifest: JsonObject, paths: tuple[str, ...]) -> list[str]:
    """Which of these keys are not there."""
    return [path for path in paths if not any(True for _ in _at(manifest, path.split(".")))]


def _at(value: object, path: list[str], name: str = "") -> Iterator[tuple[str, object]]:
    """The values at a path, each with its name; none where a key on the way is not there."""
    if not path:
        yield name, value
        return
    first, *rest = path
    if first != "*":
        if isinstance(value, dict) and first in value:
            yield from _at(value[first], rest, f"{name}.{first}" if name else first)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _at(one, rest, f"{name}.{key}")
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _at(one, rest, f"{name}[{number}]")


def _shown(value: object) -> str:
    if type(value) is int and abs(value) >= _LARGEST:
        return (
            f"an integer of {value.bit_length()} bits"  # Python writes out no more than 4300 digits
        )
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
