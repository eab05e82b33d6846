"""Modules that transformers imports whatever the model, imported here when something of them is first used.

Half of the seconds that importing transformers takes go into what a text-only causal model never runs:
torch's compiler, tensors divided among processes, losses of object detectors with scipy behind them, images
and sounds with torchvision and torchaudio, scikit-learn for speculative decoding. While transformers is
imported inside `deferred`, names of those modules are bound to stand-ins; calling one, looking into it,
deriving from it or comparing a type with it gives what the real one gives, for which the module is imported
then.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Union

from typing_extensions import Unpack

from lawqa.models.lean.afterwards import Afterwards
from lawqa.models.lean.distributions import distributions_when_asked
from lawqa.models.lean.scanned_once import scanned_once

logger = logging.getLogger(__name__)

_COMPILER = "torch._dynamo"
_MARKS = ("allow_in_graph", "assume_constant_result")
"""Decorators of the compiler that give the function itself and note something about it for the compiler."""

_PROCESSORS = "transformers.processing_utils"

_UNUSED = (
    _COMPILER,
    f"{_COMPILER}._trace_wrapped_higher_order_op",
    "torch.nn.attention.flex_attention",
    "torch.distributed.checkpoint",
    "torch.distributed.checkpoint.hf_storage",
    "torch.distributed.checkpoint.state_dict",
    "torch.distributed.fsdp",
    "torch.distributed._composable.fsdp",
    "torch.distributed.tensor",
    "torch.distributed.tensor._utils",
    "torch.distributed.tensor.placement_types",
    "transformers.distributed.expert_parallel",
    "transformers.distributed.sharding_utils",
    "transformers.distributed.tensor_parallel",
    "transformers.generation.continuous_batching.cache",
    "transformers.integrations.eager_paged",
    "transformers.integrations.flash_paged",
    "transformers.integrations.flex_attention",
    _PROCESSORS,
    "sklearn.metrics",
)
_NEEDED = tuple(
    f"transformers.{name}"
    for name in (
        "generation.utils", "modeling_layers", "modeling_utils", "models.auto.modeling_auto",
        "models.auto.tokenization_auto", "quantizers.auto", "tokenization_utils_tokenizers",
    )
)  # fmt: skip
_LOSSES = "transformers.loss"
_CAUSAL_LOSS = "loss_utils"

_IMPORT_SYSTEM = "importlib._bootstrap"

AT_LOADING = ("torch.distributed.tensor", _PROCESSORS)
"""What transformers imports while it loads: for every weight, to ask whether it is divided among processes;
for every architecture, with images and sounds behind it, to take a word of types."""
_GIVEN = {(_PROCESSORS, "Unpack"): Unpack}
"""What a module would give that others take from elsewhere just as well."""

_marked: list[tuple[str, Callable[..., Any]]] = []


class _Later:
    """A name of a module that is not imported yet."""

    def __init__(self, module: str, name: str) -> None:
        self._module = module
        self._name = self.__name__ = self.__qualname__ = name

    def _real(self) -> Any:
        return getattr(_load(self._module), self._name)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._real()(*arguments, **options)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # asked for by inspection, never by a user of the name
            raise AttributeError(name)
        return getattr(self._real(), name)

    def __getitem__(self, index: Any) -> Any:
        return self._real()[index]

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        return (self._real(),)

    def __instancecheck__(self, value: object) -> bool:
        # Nothing can be of a class whose module was never imported.
        module = sys.modules.get(self._module)
        if module is None or isinstance(module, _Unloaded):
            return False
        return isinstance(value, getattr(module, self._name))

    def __or__(self, other: Any) -> Any:
        return Union[self, other]  # noqa: UP007 - made at run time, of what is no type

    def __ror__(self, other: Any) -> Any:
        return Union[other, self]  # noqa: UP007 - as above

    def __rfloordiv__(self, other: int) -> int:
        return other // int(self._real())

    def __mul__(self, other: int) -> int:
        return int(self._real()) * other

    __rmul__ = __mul__


class _Unloaded(ModuleType):
    """A module that is not imported yet, in its place among the imported ones."""

    def __getattr__(self, name: str) -> Any:
        if name == "__path__" and sys._getframe(1).f_globals.get("__name__") == _IMPORT_SYSTEM:
            return _load(self.__name__).__path__  # a module inside this one is wanted
        if name.startswith("__"):
            raise AttributeError(name)
        if (self.__name__, name) in _GIVEN:
            return _GIVEN[self.__name__, name]
        if self.__name__ != _COMPILER:
            return _Later(self.__name__, name)
        return partial(_mark, name) if name in _MARKS else getattr(_load(_COMPILER), name)


def _mark(name: str, function: Any) -> Any:
    _marked.append((name, function))
    return function


@contextmanager
def deferred(names: Sequence[str] | None = None) -> Iterator[None]:
    """Import what is imported inside without the modules that a text-only causal model never uses.

    Args:
        names: the modules; None for those of transformers. Those that are imported already stay.
    """
    wanted = (*_UNUSED, *_losses()) if names is None else names
    _put([_Unloaded(name) for name in wanted if name not in sys.modules])
    try:
        yield
    finally:
        _take()
        if _marked and _MARKS_AFTERWARDS not in sys.meta_path:
            _MARKS_AFTERWARDS.watch()


def import_transformers() -> None:
    """Import what every causal language model needs of transformers, and nothing that none does.

    A version of transformers that does not come through is imported whole by whoever imports it next.
    """
    try:
        import_module("torch")  # whole: only what is imported after it meets stand-ins
        with deferred(), distributions_when_asked(), scanned_once():
            for name in _NEEDED:
                import_module(name)
    except Exception as problem:  # noqa: BLE001 - anything may go wrong in code that meets a stand-in
        logger.debug("transformers is imported whole: %r", problem)


def compiler_is_there() -> bool:
    """Return whether torch's compiler is imported; where it is not, nothing is being compiled."""
    return isinstance(sys.modules.get(_COMPILER), ModuleType) and not isinstance(
        sys.modules[_COMPILER], _Unloaded
    )


def _losses() -> list[str]:
    """Return this transformers' modules of losses, but for that of causal models."""
    spec = find_spec("transformers")
    folders = spec.submodule_search_locations if spec else None
    return [
        f"{_LOSSES}.{path.stem}"
        for folder in folders or ()
        for path in sorted(Path(folder, "loss").glob("loss_*.py"))
        if path.stem != _CAUSAL_LOSS
    ]


def _put(modules: Sequence[ModuleType]) -> None:
    """Put stand-ins among the imported modules, where nothing is."""
    for module in modules:
        if sys.modules.setdefault(module.__name__, module) is module and _is_compiler(module):
            # torch imports it by itself where it is asked for as an attribute.
            vars(sys.modules["torch"])["_dynamo"] = module


def _take() -> list[ModuleType]:
    """Take all stand-ins out from among the imported modules, and return them."""
    held = [module for module in sys.modules.values() if isinstance(module, _Unloaded)]
    for module in held:
        del sys.modules[module.__name__]
        if _is_compiler(module):
            vars(sys.modules["torch"]).pop("_dynamo", None)
    return list(held)


def _is_compiler(module: ModuleType) -> bool:
    return module.__name__ == _COMPILER and "torch" in sys.modules


def _load(name: str) -> ModuleType:
    """Import a module whose names are used, and those beside it, some of which register themselves."""
    held = _take()
    try:
        logger.debug("imported after all: %s", name)
        for module in held:
            if module.__name__.rpartition(".")[0] == name.rpartition(".")[0]:
                import_module(module.__name__)
        return import_module(name)
    finally:
        _put(held)


def _pass_marks(compiler: ModuleType) -> None:
    """Give the compiler what was marked for it before it was imported."""
    for mark, function in _marked:
        getattr(compiler, mark)(function)
    _marked.clear()


_MARKS_AFTERWARDS = Afterwards(_COMPILER, _pass_marks)
