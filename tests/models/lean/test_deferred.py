"""`lawqa.models.lean.deferred`: a stand-in gives what the module itself gives."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import new_class
from typing import Any

import pytest

from lawqa.models.lean.afterwards import Afterwards
from lawqa.models.lean.deferred import deferred, import_transformers

_MODULE = """
class Shape:
    sides = 4
    def __init__(self, name):
        self.name = name
def double(number):
    return 2 * number
BLOCK = 128
"""


@pytest.fixture
def far(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a package that nothing has imported, with a module inside."""
    name = f"far_{tmp_path.name.replace('-', '_')}"
    folder = tmp_path / "path" / name
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(_MODULE)
    (folder / "inside.py").write_text("from . import BLOCK\n")
    monkeypatch.syspath_prepend(str(folder.parent))
    return name


def _names(module: str) -> dict[str, Any]:
    """Import three names while the module is deferred."""
    there: dict[str, Any] = {}
    with deferred([module]):
        exec(f"from {module} import BLOCK, Shape, double", there)  # noqa: S102 - any module's name
    assert module not in sys.modules
    return there


def _called(names: dict[str, Any]) -> object:
    return names["double"](21) == 42


def _made(names: dict[str, Any]) -> object:
    return names["Shape"]("square").name == "square"


def _looked_into(names: dict[str, Any]) -> object:
    return names["Shape"].sides == 4


def _derived(names: dict[str, Any]) -> object:
    square: Any = new_class("Square", (names["Shape"],))
    return square("small").sides == 4


def _counted(names: dict[str, Any]) -> object:
    return 300 // names["BLOCK"] == 2 and names["BLOCK"] * 2 == 2 * names["BLOCK"] == 256


@pytest.mark.parametrize("use", [_called, _made, _looked_into, _derived, _counted])
def test_use_imports_the_module(far: str, use: Callable[[dict[str, Any]], object]) -> None:
    assert use(_names(far))
    assert far in sys.modules


def test_comparing_types_imports_nothing(far: str) -> None:
    names = _names(far)
    assert not isinstance(1, names["Shape"])
    assert not isinstance(1, (str, names["Shape"]))
    assert str(int | names["Shape"])
    assert str(names["Shape"] | None)
    assert far not in sys.modules
    square = names["Shape"]("square")
    assert isinstance(square, names["Shape"])
    assert not isinstance(1, names["Shape"])


def test_use_within_gives_the_module_and_leaves_no_stand_in(far: str) -> None:
    there: dict[str, Any] = {}
    with deferred([far]):
        exec(f"from {far} import double", there)  # noqa: S102 - as above
        assert there["double"](1) == 2
        assert sys.modules[far].double(1) == 2
    assert sys.modules[far].BLOCK == 128


def test_a_module_inside_a_deferred_one_imports_both(far: str) -> None:
    there: dict[str, Any] = {}
    with deferred([far]):
        exec(f"from {far}.inside import BLOCK", there)  # noqa: S102 - as above
    assert there["BLOCK"] == 128
    assert sys.modules[far].inside.BLOCK == 128


def test_a_module_that_is_there_stays(far: str) -> None:
    module = __import__(far)
    with deferred([far]):
        assert sys.modules[far] is module
    assert sys.modules[far] is module


_LOADS = """
import logging
import sys
logging.basicConfig()
logging.getLogger("lawqa.models.lean").setLevel(logging.DEBUG)
from pathlib import Path
from types import new_class
from lawqa.models.lean.deferred import compiler_is_there, import_transformers
import_transformers()
import lawqa.backends.hf.backend
from lawqa.models.load import load_model
from lawqa.settings import ModelSettings
loaded = load_model(ModelSettings(model_name=sys.argv[1], load_in_4bit=True))
heavy = "torch._dynamo torch._inductor sympy peft torch.distributed.tensor".split()
print("loaded", file=sys.stderr)
print([name for name in heavy if name in sys.modules], compiler_is_there())
import torch
import torch._dynamo
from transformers.masking_utils import TransformGetItemToIndex
from transformers import PreTrainedModel
with TransformGetItemToIndex():
    pass
print(compiler_is_there(), torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)).item())
print(torch._dynamo.trace_rules.is_callable_allowed(PreTrainedModel.can_record_outputs.fget))
"""


def test_a_model_is_loaded_without_what_it_does_not_need(tiny_dir: Path, tmp_path: Path) -> None:
    for name in ("librosa", "scipy", "sklearn", "torchaudio", "torchvision"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('imported')\n")
        (tmp_path / f"{name}-9.0.dist-info").mkdir()
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 9.0\n"
        (tmp_path / f"{name}-9.0.dist-info" / "METADATA").write_text(metadata)
    done = subprocess.run(  # noqa: S603 - this file's own program
        [sys.executable, "-c", _LOADS, str(tiny_dir)], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    until_loaded = done.stderr.partition("loaded\n")[0]
    assert "imported whole" not in until_loaded
    assert "imported after all" not in until_loaded
    first, second, third = done.stdout.splitlines()
    assert first == "[] False"
    assert second == "True 2.0"
    assert third == "True"


def test_while_transformers_is_imported_nothing_is_listed_whole_or_read_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listing = importlib.metadata.packages_distributions
    monkeypatch.delitem(sys.modules, "transformers.utils.import_utils", raising=False)
    seen: list[str] = []

    def imported(name: str) -> None:
        if name == "torch":
            return
        assert importlib.metadata.packages_distributions is not listing
        assert any(isinstance(finder, Afterwards) for finder in sys.meta_path)
        seen.append(name)

    monkeypatch.setattr("lawqa.models.lean.deferred.import_module", imported)
    import_transformers()
    assert "transformers.modeling_utils" in seen
    assert importlib.metadata.packages_distributions is listing
    assert not any(isinstance(finder, Afterwards) for finder in sys.meta_path)
