"""An attribute that is worked out when it is first asked for.

`functools.cached_property` does the same under a lock, up to Python 3.11: a microsecond each time, which
the answer parser spends on five attributes of every text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class lazy(Generic[Value]):  # noqa: N801 - a decorator, named like `property`
    """Turn a method without arguments into an attribute that keeps its first value."""

    # Any: the object of whichever class has such a property.
    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    def __get__(self, instance: Any, owner: type | None = None) -> Value:
        value = self._compute(instance)
        instance.__dict__[self._name] = value  # found before this descriptor from now on
        return value
