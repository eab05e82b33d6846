"""Which distribution a package comes from, found out for the packages that somebody asks for.

transformers 5.17 lists the files of every installed distribution before it does anything else: .8 s on a
machine with 200 of them. It asks for a few, nearly all of which are called what they are imported as.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from importlib.util import find_spec

_CALLED = {"PIL": "pillow", "sklearn": "scikit-learn", "yaml": "PyYAML"}
"""Packages that transformers looks for, whose distribution has another name."""


class _Distributions(Mapping[str, list[str]]):
    """The distributions of each top-level package, as `importlib.metadata` would list them."""

    def __init__(self, list_all: Callable[[], Mapping[str, list[str]]]) -> None:
        self._list_all = list_all

    @cached_property
    def _all(self) -> Mapping[str, list[str]]:
        return self._list_all()

    def __getitem__(self, package: str) -> list[str]:
        if "_all" not in vars(self):
            if find_spec(package) is None:
                raise KeyError(package)
            name = _CALLED.get(package, package)
            if _is_installed(name):
                return [name]
        return self._all[package]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


def _is_installed(distribution: str) -> bool:
    try:
        importlib.metadata.distribution(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@contextmanager
def distributions_when_asked() -> Iterator[None]:
    """Let whoever lists the distributions of all packages inside the block look for single ones instead."""
    own = importlib.metadata.packages_distributions
    importlib.metadata.packages_distributions = lambda: _Distributions(own)
    try:
        yield
    finally:
        importlib.metadata.packages_distributions = own
