"""How declared settings become flags: named as the command's own words want it, and off without `--no-x`."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache, reduce
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from tyro.conf import FlagCreatePairsOff, arg

from lawqa.settings.declared import Setting, Vocabulary, flags_of


@cache
def spelled(kind: type, vocabulary: Vocabulary | None) -> type:
    """Return a command's dataclass with the flags of its settings spelled as the lab does.

    Args:
        kind: a dataclass of flags, or of such dataclasses.
        vocabulary: whose names come first; every other name of a setting is understood, too.

    Returns:
        A subclass of which tyro makes instances of the class; the class itself where nothing is declared.
    """
    hints = get_type_hints(kind, include_extras=True)
    changed = {
        field.name: _declared(field, hints[field.name], vocabulary)
        if "changes" in field.metadata
        else _nested(hints[field.name], vocabulary)
        for field in fields(kind)
    }
    changed = {name: hint for name, hint in changed.items() if hint is not hints[name]}
    if not changed:
        return kind
    own = {name: getattr(kind, name) for name in ("__module__", "__qualname__", "__doc__")}
    # Fields and defaults are the parent's: tyro asks the subclass for its annotations only.
    return _Spelled(
        kind.__name__,
        (kind,),
        {**own, "__annotations__": changed, "__new__": lambda _cls, **values: kind(**values)},
    )


class _Spelled(type):
    """The class of spelled dataclasses: instances of the original are theirs, as tyro asks of defaults."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls.__bases__)


def _declared(field: Setting, hint: Any, vocabulary: Vocabulary | None) -> Any:
    *others, last = flags_of(field, vocabulary)
    if others:  # tyro shows a field's own name after its aliases
        hint = Annotated[hint, arg(name=last.removeprefix("--"), aliases=others)]
    return Annotated[hint, FlagCreatePairsOff] if field.default is False else hint


def _nested(hint: Any, vocabulary: Vocabulary | None) -> Any:
    """A dataclass of flags, annotated or one of several subcommands, with its own flags spelled."""
    if hasattr(hint, "__metadata__"):
        inner, marks = get_args(hint)[0], hint.__metadata__
        found = _nested(inner, vocabulary)
        return (
            hint if found is inner else reduce(lambda it, mark: Annotated[it, mark], marks, found)
        )
    if get_origin(hint) in (Union, UnionType):
        members = get_args(hint)
        found = tuple(_nested(member, vocabulary) for member in members)
        return hint if found == members else Union[found]  # noqa: UP007 - the members are computed
    return spelled(hint, vocabulary) if isinstance(hint, type) and is_dataclass(hint) else hint
