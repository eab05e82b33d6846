"""Whether two runs are the same one: the settings that decide results, compared by their declarations."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import MISSING

from lawqa.settings.declared import (
    Setting,
    Vocabulary,
    change_of,
    counts_by_content,
    declared,
    inner_of,
    name_of,
)


def differences(
    kind: type,
    before: Mapping[str, object],
    after: Mapping[str, object],
    vocabulary: Vocabulary,
    *,
    beside: Collection[str] = (),
) -> dict[str, tuple[object, object]]:
    """Return the settings that decide results and are not the same.

    Settings within a setting (`within`) are compared one by one. What names a file, model or server is
    compared by its content, by the caller. A setting that one of the two does not say, since it is older
    than the setting, has its default.

    Args:
        kind: the dataclass that declares the settings.
        before: settings by name, in JSON types, as a manifest keeps them.
        after: others.
        vocabulary: whose names the flags have.
        beside: names of settings to compare that are declared by content, because the content is not known.

    Returns:
        Both values by the name of the flag.
    """
    differing: dict[str, tuple[object, object]] = {}
    for field in declared(kind):
        inner = inner_of(field)
        if inner is not None:
            one, other = (_within(field, settings) for settings in (before, after))
            differing |= differences(inner, one, other, vocabulary, beside=beside)
            continue
        decides = change_of(field) == "result"
        if not decides or (counts_by_content(field) and field.name not in beside):
            continue
        pair = _value(field, before), _value(field, after)
        if pair[0] != pair[1]:
            differing[name_of(field, vocabulary)] = pair
    return differing


def _value(field: Setting, settings: Mapping[str, object]) -> object:
    default = None if field.default is MISSING else field.default
    return json.loads(json.dumps(settings.get(field.name, default)))


def _within(field: Setting, settings: Mapping[str, object]) -> Mapping[str, object]:
    stored = settings.get(field.name)
    return stored if isinstance(stored, Mapping) else {}
