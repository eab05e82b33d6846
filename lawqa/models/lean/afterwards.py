"""Something done to a module right after it is imported, before anybody uses it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

Action = Callable[[ModuleType], None]


class Afterwards:
    """A finder of modules that finds one as others do, and does something to it once it has run.

    Args:
        name: of the module.
        action: what is done to it.
    """

    def __init__(self, name: str, action: Action) -> None:
        self._name = name
        self._action = action

    def watch(self) -> None:
        """Wait for the module; it must not be imported yet."""
        sys.meta_path.insert(0, self)

    def leave(self) -> None:
        """Wait no longer."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        """Return the module's own spec, with the action after it; see `importlib.abc.MetaPathFinder`."""
        if name != self._name:
            return None
        self.leave()
        spec = find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader, self._action)
        return spec


class _Loader(Loader):
    """Runs a module by its own loader, which may be that of other modules too, and then the action."""

    def __init__(self, own: Loader, action: Action) -> None:
        self._own = own
        self._action = action

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Let the module's own loader make it."""
        return self._own.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module, which knows its own loader only, and do the action."""
        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        self._own.exec_module(module)
        self._action(module)
