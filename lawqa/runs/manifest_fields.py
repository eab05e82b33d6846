"""What the keys of a manifest may hold: those of runs, and the checks for those of others.

A manifest is JSON that lies on a disk for years. What is there must have the right type at every depth that
any command reads; which keys must be there is asked by `missing`, for kinds of runs differ.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from lawqa.files import JsonObject
from lawqa.runs.question_entries import QuestionEntries

_LARGEST = 2**53
_SHOWN = 40


class KeyCheck(NamedTuple):
    """What a key may hold, and what that is called in messages."""

    holds: Callable[[object], bool]
    expected: str


def or_null(check: KeyCheck) -> KeyCheck:
    """Return a check that lets null pass, too."""
    return KeyCheck(lambda value: value is None or check.holds(value), f"{check.expected} or null")


def _one_of(*names: str) -> KeyCheck:
    return KeyCheck(lambda value: isinstance(value, str) and value in names, " or ".join(names))


def _finite(value: object) -> bool:
    if type(value) is int:
        return abs(value) < _LARGEST
    return isinstance(value, float) and math.isfinite(value)


TEXT = KeyCheck(lambda value: isinstance(value, str), "text")
FLAG = KeyCheck(lambda value: isinstance(value, bool), "true or false")
COUNT = KeyCheck(
    lambda value: type(value) is int and 0 <= value < _LARGEST, "a whole number from 0"
)
FINITE_NUMBER = KeyCheck(_finite, "a finite number")
OBJECT = KeyCheck(lambda value: isinstance(value, dict), "an object")
LIST = KeyCheck(lambda value: isinstance(value, (list, QuestionEntries)), "a list")

OF_RUNS: dict[str, KeyCheck] = {
    "kind": TEXT, "status": TEXT, "started": TEXT, "ended": or_null(TEXT), "seed": or_null(COUNT),
    "notes": LIST, "notes.*": TEXT, "argv": LIST, "argv.*": TEXT,
    "config": OBJECT,
    "config.answer_by": or_null(TEXT), "config.ensemble": or_null(COUNT),
    "config.permutations": or_null(COUNT), "config.spec": OBJECT,
    "config.spec.mode": _one_of("direct", "cot"), "config.spec.condition": _one_of("closed", "gold", "rag"),
    "config.spec.thinking": FLAG, "config.spec.few_shot": FLAG, "config.spec.wording": TEXT,
    "config.rag": or_null(OBJECT), "config.server": or_null(OBJECT),
    "model": OBJECT, "model.name": or_null(TEXT), "model.backend": or_null(TEXT),
    "model.content": or_null(OBJECT), "model.content.*": or_null(TEXT),
    "model.quantisation": or_null(TEXT), "model.peak_memory_gib": or_null(FINITE_NUMBER),
    "prompt_specs": OBJECT, "prompt_specs.*": TEXT,
    "data": OBJECT, "data.path": TEXT, "data.sha256": TEXT, "data.questions": COUNT,
    "data.prompts": COUNT,
    "data.folds": LIST, "data.folds.*": OBJECT, "data.folds.*.path": TEXT, "data.folds.*.sha256": TEXT,
    "questions": LIST, "questions.*": OBJECT, "questions.*.id": TEXT, "questions.*.order": COUNT,
    "questions.*.fingerprint": TEXT,
    "adapter": or_null(OBJECT), "adapter.path": TEXT, "adapter.folds": LIST,
    "adapter.manifest": or_null(OBJECT), "adapter.manifest.started": or_null(TEXT),
    "retrieval": or_null(OBJECT), "retrieval.retriever": or_null(OBJECT),
    "retrieval.corpus": or_null(OBJECT),
    "figures": OBJECT, "figures.resumed": COUNT, "figures.seconds": or_null(FINITE_NUMBER),
    "figures.peak_memory_gib": or_null(FINITE_NUMBER),
    "environment": OBJECT, "environment.packages": or_null(OBJECT),
    "environment.git_commit": or_null(TEXT), "environment.lawqa": or_null(TEXT),
    "environment.accelerator": or_null(OBJECT),
}  # fmt: skip
"""By path; `*` is every entry."""

OF_AN_EVALUATION = (
    "kind", "status", "started", "notes", "config", "config.spec", "model", "prompt_specs", "data",
    "data.questions", "questions", "figures", "environment", "argv",
)  # fmt: skip
"""What the manifest of every evaluation holds, a pooled one's too."""


def problems(manifest: JsonObject, checks: Mapping[str, KeyCheck] = OF_RUNS) -> list[str]:
    """Return what is wrong with the keys that are there, one sentence each; empty for a good manifest.

    Args:
        manifest: the JSON object.
        checks: what a key may hold, by its path; outer ones first.
    """
    wrong: dict[str, str] = {}
    for path, check in checks.items():
        if path.rpartition(".")[0] in wrong:
            continue
        for name, value in _at(manifest, path.split(".")):
            if not check.holds(value):
                wrong[path] = f"key '{name}' is {_shown(value)}, expected {check.expected}"
                break
    return list(wrong.values())


def missing(manifest: JsonObject, paths: tuple[str, ...]) -> list[str]:
    """Return which of these keys are not there."""
    return [path for path in paths if not any(True for _ in _at(manifest, path.split(".")))]


def _at(value: object, path: list[str], name: str = "") -> Iterator[tuple[str, object]]:
    """Yield the values at a path, each with its name; none where a key on the way is not there."""
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
    elif isinstance(value, (list, QuestionEntries)):
        for number, one in enumerate(value):
            yield from _at(one, rest, f"{name}[{number}]")


def _shown(value: object) -> str:
    if type(value) is int and abs(value) >= _LARGEST:
        return (
            f"an integer of {value.bit_length()} bits"  # Python writes out no more than 4300 digits
        )
    text = json.dumps(value, ensure_ascii=False, default=repr)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
