"""Names that a package offers and imports only when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def imported_when_asked(
    package: str, rooms: Mapping[str, Sequence[str]]
) -> Callable[[str], Any]:  # a function, class or module
    """Return the `__getattr__` of a package whose names are imported when they are first asked for (PEP 562).

    Args:
        package: its name.
        rooms: the names by the module that has each. Type checkers see them in imports of `TYPE_CHECKING`.
    """
    room_of = {name: room for room, names in rooms.items() for name in names}

    def get(name: str) -> Any:
        if name not in room_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(room_of[name]), name)

    return get
