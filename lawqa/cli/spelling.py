"""How declared settings become flags: named as the command's own words want it, and off without `--no-x`."""

from __future__ import annotations

from copy import copy
from dataclasses import MISSING, fields, is_dataclass
from functools import cache, reduce
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from docstring_parser import parse_from_object
from tyro.conf import FlagCreatePairsOff, Positional, arg
from tyro.constructors import PrimitiveConstructorSpec

from lawqa.cli.flags import hint_parts
from lawqa.cli.help_text import filled
from lawqa.settings.declared import Setting, Vocabulary, flags_of


@cache
def spelled(kind: type, vocabulary: Vocabulary | None, *, explained: bool = True) -> type:
    """Return a command's dataclass with the flags of its settings spelled as the lab does.

    Args:
        kind: a dataclass of flags, or of such dataclasses.
        vocabulary: whose names come first; every other name of a setting is understood, too.
        explained: with what each flag means, which is read from the source of the classes; only a help or
            an error shows it.

    Returns:
        A subclass of which tyro makes instances of the class; the class itself where nothing is declared.
    """
    hints = get_type_hints(kind, include_extras=True)
    docs = _docs(kind) if explained else None
    changed = {
        field.name: _shown(
            field,
            None if docs is None else docs.get(field.name, ""),
            _declared(field, hints[field.name], vocabulary)
            if "changes" in field.metadata
            else _nested(_plain(field, hints[field.name]), vocabulary, explained=explained),
        )
        for field in fields(kind)
    }
    changed = {name: hint for name, hint in changed.items() if hint is not hints[name]}
    if not changed:
        return kind
    own = {name: getattr(kind, name) for name in ("__module__", "__qualname__", "__doc__")}
    # Fields and defaults are the parent's: tyro asks the subclass for its annotations only.
    return type(
        kind.__name__,
        (kind,),
        {
            **own,
            "__annotations__": changed,
            "__dataclass_fields__": {
                field.name: _spelled_default(field, hint_parts(changed.get(field.name))[0])
                for field in fields(kind)
            },
            "__new__": lambda _cls, **values: kind(**values),
        },
    )


def _spelled_default(field: Setting, kind: Any) -> Setting:
    """Return the field of a dataclass of flags with a default of their spelled class; any other as it is.

    tyro asks of each default whether it is of the field's class. A metaclass could say so of the original's
    instances, but of a class with one tyro asks typeguard, whose import takes longer than all else here.
    """
    if not isinstance(kind, type) or not is_dataclass(kind) or field.default_factory is MISSING:
        return field
    original = field.default_factory

    def make() -> object:
        made = object.__new__(kind)
        vars(made).update(vars(original()))
        return made

    copied = copy(field)
    copied.default_factory = make
    return copied


# `Any` below is a type hint, as in `flags`.
_QUESTIONS = ("--data", "--input")
_ONE_NAME = {
    "data": _QUESTIONS, "input": _QUESTIONS, "questions": _QUESTIONS,
    "train_file": _QUESTIONS,
    "run_dir": ("--output-dir",), "output_dir": ("--run-dir",),
    "output": ("--output-path",), "output_path": ("--output",),
}  # fmt: skip
"""By field: what every command calls the file that it reads, and the directory or file that it writes."""


def _plain(field: Setting, hint: Any) -> Any:
    """Return a flag that is no declared setting, with the names that all commands share."""
    bare, marks = hint_parts(hint)
    shared = _shared(field, bare)
    if not shared or Positional in marks:
        return hint
    return _named(hint, [*_aliases(marks), *shared, f"--{field.name.replace('_', '-')}"])


def _aliases(marks: tuple[Any, ...]) -> list[str]:
    return [alias for mark in marks for alias in getattr(mark, "aliases", None) or ()]


def _shared(field: Setting, bare: Any) -> list[str]:
    if bare not in (Path, Path | None, Union[Path, None]):  # noqa: UP007 - as hints may spell it
        return []
    return [
        name
        for name in _ONE_NAME.get(field.name, ())
        if name != f"--{field.name.replace('_', '-')}"
    ]


def _declared(field: Setting, hint: Any, vocabulary: Vocabulary | None) -> Any:
    bare, marks = hint_parts(hint)
    shared = () if Positional in marks else _shared(field, bare)
    names = dict.fromkeys((*_aliases(marks), *shared, *flags_of(field, vocabulary)))
    if len(names) > 1:
        hint = _named(hint, list(names))
    return Annotated[hint, FlagCreatePairsOff] if field.default is False else hint


def _named(hint: Any, names: list[str]) -> Any:
    """Return a flag with these names, the one that all commands share before the others."""
    first = [name for name in names if name == "--output-dir"]
    # tyro shows a field's own name after its aliases.
    *aliases, last = dict.fromkeys([*first, *names])
    return Annotated[hint, arg(name=last.removeprefix("--"), aliases=aliases)]


def _docs(kind: type) -> dict[str, str]:
    """Return what the fields of a class mean, each in one line: tyro keeps the line breaks of the source."""
    return {name: doc for one in reversed(kind.__mro__) for name, doc in _own_docs(one).items()}


@cache
def _own_docs(kind: type) -> dict[str, str]:
    if not is_dataclass(kind):
        return {}
    documented = parse_from_object(kind).params
    return {one.arg_name: " ".join((one.description or "").split()) for one in documented}


def _shown(field: Setting, doc: str | None, hint: Any) -> Any:
    """Return the hint without what says nothing in a help: a default of None, off or no values, None as a
    choice. Without a doc, even an empty one, nothing is explained, nor does tyro look for an explanation.
    """
    if doc is None or doc:
        hint = Annotated[hint, arg(help=filled(doc or ""))]
    if _off(field.default):
        hint = Annotated[hint, arg(help_behavior_hint="")]
    bare, marks = hint_parts(hint)
    if get_origin(bare) not in (Union, UnionType):
        return hint
    if get_origin(bare) is UnionType:  # of which, too, tyro would ask typeguard
        bare = Union[get_args(bare)]  # noqa: UP007 - made at run time
        hint = Annotated[(bare, *marks)] if marks else bare
    kinds = tuple(one for one in get_args(bare) if one is not type(None))
    if len(kinds) == 1 and get_origin(kinds[0]) is Literal:
        return Annotated[hint, _one_of(get_args(kinds[0]))]
    metavar = _metavar(kinds) if field.default is None else ""
    return Annotated[hint, arg(metavar=metavar)] if metavar else hint


def _off(default: object) -> bool:
    return default is None or default is False or default in ((), "")


def _metavar(kinds: tuple[Any, ...]) -> str:
    """Return what stands for the value of a flag that may be left out; empty where tyro knows better."""
    if len(kinds) != 1:
        return ""
    return {str: "STR", int: "INT", float: "FLOAT", Path: "PATH"}.get(kinds[0], "")


def _one_of(values: tuple[Any, ...]) -> PrimitiveConstructorSpec[Any]:
    """Return how the value of a flag that may be left out is read: one of the literal's, as it orders them.

    tyro itself makes a set of the choices, so that its message names them in the order of their hashes,
    another at every start, with the word None among them.
    """
    words = tuple(map(str, values))
    return PrimitiveConstructorSpec(
        nargs=1,
        metavar="{" + ",".join(words) + "}",
        instance_from_str=lambda given: values[words.index(given[0])],
        is_instance=lambda value: value is None or value in values,
        str_from_instance=lambda value: [str(value)],
        choices=words,
    )


def _nested(hint: Any, vocabulary: Vocabulary | None, *, explained: bool) -> Any:
    """Return a dataclass of flags, annotated or one of several subcommands, with its own flags spelled."""
    if hasattr(hint, "__metadata__"):
        inner, marks = get_args(hint)[0], hint.__metadata__
        below = _nested(inner, vocabulary, explained=explained)
        return (
            hint if below is inner else reduce(lambda it, mark: Annotated[it, mark], marks, below)
        )
    if get_origin(hint) in (Union, UnionType):
        members = get_args(hint)
        below = tuple(_nested(member, vocabulary, explained=explained) for member in members)
        return hint if below == members else Union[below]  # noqa: UP007 - the members are computed
    if not (isinstance(hint, type) and is_dataclass(hint)):
        return hint
    return spelled(hint, vocabulary, explained=explained)
