"""transformers' folder of models read once while it is imported, not twice.

For its table of names it reads the source of every model, 2,000 files, and for the table of
`transformers.models` all of them again: a quarter of the time of its import each.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from lawqa.models.lean.afterwards import Afterwards

_MODULE, _SCAN = "transformers.utils.import_utils", "create_import_structure_from_path"

_Scan = Callable[[Any], dict[str, Any]]


class _Remembering:
    """The scan of a folder, which gives what it gave before where a folder is scanned again."""

    def __init__(self, scan: _Scan) -> None:
        self.scan = scan
        self._within = False
        self._found: dict[Path, dict[str, Any]] = {}

    def __call__(self, path: Any) -> dict[str, Any]:
        if self._within:  # the scan of a folder scans those in it by the same name
            return self.scan(path)
        folder = Path(path)
        folder = folder.parent if folder.is_file() else folder
        if folder not in self._found:
            self._within = True
            try:
                self._found[folder] = self.scan(path)
            finally:
                self._within = False
        return copy.deepcopy(self._found[folder])


@contextmanager
def scanned_once() -> Iterator[None]:
    """Let transformers, where it is imported inside the block, remember what its folders hold."""
    if _MODULE in sys.modules:
        yield
        return
    found: list[ModuleType] = []

    def remember(module: ModuleType) -> None:
        scan = getattr(module, _SCAN, None)
        if scan is not None:  # other versions may do without
            setattr(module, _SCAN, _Remembering(scan))
            found.append(module)

    waiting = Afterwards(_MODULE, remember)
    waiting.watch()
    try:
        yield
    finally:
        waiting.leave()
        for module in found:
            setattr(module, _SCAN, getattr(module, _SCAN).scan)
