"""What differs between two manifests, and whether it could make their results differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lawqa.files import JsonObject
from lawqa.runs.identity import model_differences, model_name
from lawqa.runs.manifest import Manifest
from lawqa.settings import GenerationChoices, decides_result, declared

DifferenceKind = Literal["settings", "environment", "circumstances"]
"""settings: what was asked, of what, and how; environment: versions and machine; circumstances: when, where
to and how fast."""

ABSENT = object()
"""Stands for a key that one of the two does not have."""

CAUSES = {
    "prompt": ("config.spec.",),
    "wording or chat template": ("prompt_specs.",),
    "quantisation": ("model.quantisation",),
    "number type": ("model.dtype",),
    "how the answer is taken": ("config.answer_by",),
    "choice orders": ("config.permutations",),
    "samples of each prompt": ("config.ensemble", "config.samples_per_prompt"),
    "retrieval": ("retrieval.",),
    "generation": (
        "config.seed",
        *(f"config.{field.name}" for field in declared(GenerationChoices) if field.name != "ensemble"),
    ),
}  # fmt: skip
"""Where a manifest holds what besides model and adapter can make results differ, by its name."""

_OF_TEXT = "generation"


@dataclass(frozen=True)
class Difference:
    """A key whose value is not the same."""

    key: str
    """Its place in the manifest, levels parted by dots."""
    before: object
    """Its value in the first; `MISSING` where it has none."""
    after: object
    """Its value in the second; `MISSING` where it has none."""

    @property
    def kind(self) -> DifferenceKind:
        """Whether it could make results differ."""
        parts = self.key.split(".")
        starts = {".".join(parts[:n]) for n in range(1, len(parts) + 1)}
        settings = parts[0] in ("config", "retrieval") and not decides_result(parts[1:])
        if settings or starts & Manifest.circumstances():
            return "circumstances"
        return "environment" if parts[0] == "environment" else "settings"


@dataclass(frozen=True)
class QuestionDifferences:
    """How the questions of two runs differ."""

    shared: int
    """Questions in both, in the same order of choices."""
    only_before: int
    """Those in the first only."""
    only_after: int
    """Those in the second only."""
    reworded: int
    """Shared ones whose wording is not the same."""


def manifest_differences(before: Manifest, after: Manifest) -> tuple[Difference, ...]:
    """Return every key that differs, in the sequence of the manifests; questions apart."""
    one, other = dict(_flat(before.to_json())), dict(_flat(after.to_json()))
    return tuple(
        Difference(key, one.get(key, ABSENT), other.get(key, ABSENT))
        for key in {**one, **other}
        if one.get(key, ABSENT) != other.get(key, ABSENT)
    )


def question_differences(before: Manifest, after: Manifest) -> QuestionDifferences:
    """Return how the questions differ that two manifests list."""
    one, other = (_fingerprints(manifest) for manifest in (before, after))
    shared = one.keys() & other.keys()
    return QuestionDifferences(
        shared=len(shared),
        only_before=len(one) - len(shared),
        only_after=len(other) - len(shared),
        reworded=sum(one[key] != other[key] for key in shared),
    )


def causes(before: Manifest, after: Manifest) -> tuple[str, ...]:
    """Return what besides the adapter could make the results of two evaluations differ, in words.

    How text is generated is no cause where neither run generates any.
    """
    by_kind = manifest_differences(before, after)
    scored = all(m.config.get("answer_by") == "logits" for m in (before, after))
    named = []
    differ_in = model_differences(before.model, after.model)
    if differ_in:
        one, other = model_name(before.model), model_name(after.model)
        parts = ", ".join(name.removeprefix("the model's ") for name in differ_in)
        named.append(f"model ({one}, {other}" + (f"; {parts})" if one == other else ")"))
    for name, starts in CAUSES.items():
        if name == _OF_TEXT and scored:
            continue
        differ = [d for d in by_kind if d.kind == "settings" and d.key.startswith(starts)]
        if (
            name == "wording or chat template"
        ):  # of the same prompt spec; another spec is named already
            differ = [d for d in differ if ABSENT not in (d.before, d.after)]
        if differ:
            shown = ", ".join(
                f"{d.key.rpartition('.')[2]}: {_short(d.before)} / {_short(d.after)}"
                for d in differ[:3]
            )
            named.append(f"{name} ({shown}{', …' if len(differ) > 3 else ''})")
    return tuple(named)


def _short(value: object) -> str:
    if value is ABSENT:
        return "–"
    text = str(value)
    return text if len(text) <= 24 else f"{text[:23]}…"


def _flat(value: JsonObject, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, inner in value.items():
        name = f"{prefix}{key}"
        if name == "questions":
            continue
        if isinstance(inner, Mapping) and inner:
            yield from _flat(inner, f"{name}.")
        else:
            yield name, inner


def _fingerprints(manifest: Manifest) -> dict[tuple[str, int], str]:
    return {(q["id"], q["order"]): q["fingerprint"] for q in manifest.questions}
