"""`lawqa.models.lean.ahead`: weights that threads read are those of the files, whatever goes wrong."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest
import torch

from lawqa.errors import BackendError, DataError
from lawqa.models.files.weight_files import StoredTensor, read_tensors
from lawqa.models.lean import ahead as ahead_module
from lawqa.models.lean.ahead import WeightsAhead, in_order, read_ahead
from lawqa.models.load import load_model
from lawqa.settings import ModelSettings

CPU = torch.device("cpu")


@pytest.fixture
def model(tiny_dir: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model, to be damaged."""
    shutil.copytree(tiny_dir, tmp_path / "model")
    return tmp_path / "model"


def _ahead(model: Path, *, at_first: int = 1 << 20, later: int = 1 << 16) -> WeightsAhead:
    return WeightsAhead(read_tensors(model), CPU, at_first=at_first, later=later)


def _threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("weights-")]


@pytest.mark.parametrize("load_in_4bit", [False, True])
@pytest.mark.parametrize("at_first", [1, 1 << 30])
def test_a_model_read_ahead_is_the_model(model: Path, at_first: int, load_in_4bit: bool) -> None:
    settings = ModelSettings(model_name=str(model), load_in_4bit=load_in_4bit, dtype="bfloat16")
    plain = load_model(settings)
    ahead = _ahead(model, at_first=at_first)
    taken: list[str] = []
    own = ahead.take

    def take(name: str) -> torch.Tensor:
        taken.append(name)
        return own(name)

    ahead.take = take  # type: ignore[method-assign]
    loaded = load_model(settings, ahead=ahead)
    ahead.close()
    expected, found = plain.model.state_dict(), loaded.model.state_dict()
    assert expected.keys() == found.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor), name
    assert sorted(taken) == sorted(read_tensors(model))
    assert not _threads()


def test_no_more_is_read_ahead_than_allowed(model: Path) -> None:
    sizes = {name: tensor.end - tensor.start for name, tensor in read_tensors(model).items()}
    allowed = 2 * max(sizes.values())
    ahead = _ahead(model, at_first=allowed, later=allowed)
    order = sorted(sizes, key=in_order)
    for name in order:
        time.sleep(0.002)
        held = sum(tensor.nbytes for tensor in dict(ahead._read).values())
        assert held <= allowed
        assert ahead.take(name).nbytes == sizes[name]
    ahead.close()
    assert not ahead._read


def test_tensors_may_be_asked_for_in_any_order(model: Path) -> None:
    tensors = read_tensors(model)
    ahead = _ahead(model, at_first=1, later=1)
    for name in sorted(tensors, key=in_order, reverse=True):
        got = ahead.take(name)
        assert got.view(-1).view(torch.uint8).numpy().tobytes() == tensors[name].read()
    ahead.close()


def test_a_file_cut_off_while_it_is_read_is_named(model: Path) -> None:
    tensors = read_tensors(model)
    last = max(tensors, key=lambda name: tensors[name].start)
    os.truncate(tensors[last].file, tensors[last].end - 1)
    ahead = WeightsAhead(tensors, CPU)
    with pytest.raises(OSError, match="ends before its last tensor"):
        ahead.take(last)
    ahead.close()
    assert not _threads()


def test_files_changed_since_reading_began_are_refused(model: Path) -> None:
    ahead = _ahead(model)
    weights = next(iter(read_tensors(model).values())).file
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(DataError, match="was changed while the model was loaded"):
        load_model(ModelSettings(model_name=str(model)), ahead=ahead)
    ahead.close()


def test_missing_weights_are_refused_as_without_it(model: Path) -> None:
    ahead = _ahead(model)
    config = model / "config.json"
    config.write_text(
        config.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3')
    )
    with pytest.raises(BackendError) as plain:
        load_model(ModelSettings(model_name=str(model)))
    with pytest.raises(BackendError) as with_it:
        load_model(ModelSettings(model_name=str(model)), ahead=ahead)
    ahead.close()
    assert "missing" in str(plain.value)
    assert str(plain.value) == str(with_it.value)


def test_closing_stops_threads_amid_a_tensor(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, closed = threading.Event(), threading.Event()
    own = ahead_module._fill

    def slow(memory: torch.Tensor, file: int, tensor: StoredTensor, offset: int) -> None:
        reading.set()
        assert closed.wait(10)
        own(memory, file, tensor, offset)

    monkeypatch.setattr(ahead_module, "_fill", slow)
    ahead = _ahead(model)
    assert reading.wait(10)
    threading.Timer(0.05, closed.set).start()
    ahead.close()
    assert not _threads()
    assert not ahead._read


def test_nothing_is_read_ahead_without_a_gpu(model: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert read_ahead(ModelSettings(model_name=str(model))) is None
