"""Sequences whose items are made as they are asked for, so that nothing but their places is held."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar, overload

Item = TypeVar("Item", covariant=True)


class Made(Sequence[Item]):
    """A sequence of as many items as there are places; each is made of its place whenever it is asked for.

    Args:
        make: makes the item of a place; the same each time.
        places: the places in sequence; for a slice those of the slice.
    """

    def __init__(self, make: Callable[[int], Item], places: Sequence[int]) -> None:
        self._make = make
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Item: ...

    @overload
    def __getitem__(self, at: slice) -> Made[Item]: ...

    def __getitem__(self, at: int | slice) -> Item | Made[Item]:
        if isinstance(at, slice):
            return Made(self._make, self._places[at])
        return self._make(self._places[at])

    def __iter__(self) -> Iterator[Item]:
        return map(self._make, self._places)

    def __eq__(self, other: object) -> bool:
        """Return whether it holds the same items as another sequence."""
        if not isinstance(other, (Made, tuple)):
            return NotImplemented
        pairs: zip[tuple[Any, Any]] = zip(self, other, strict=True)
        return len(self) == len(other) and all(one == two for one, two in pairs)

    __hash__ = None  # type: ignore[assignment]  # its items are not kept, and need not be hashable


def where(items: Sequence[Item], keep: Callable[[Item], bool]) -> Sequence[Item]:
    """Return the items that are kept, by their places."""
    places = (place for place, item in enumerate(items) if keep(item))
    return Made(items.__getitem__, array("Q", places))
