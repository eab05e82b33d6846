"""4-bit weights are kept, read where they are whole and of this model, and made again where they are not."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("bitsandbytes")

from lawqa.errors import BackendError  # noqa: E402
from lawqa.models import kept_weights  # noqa: E402
from lawqa.models.load import load_model  # noqa: E402
from lawqa.models.loaded import LoadedModel  # noqa: E402
from lawqa.settings import ModelSettings  # noqa: E402
from lawqa.stopwatch import watched  # noqa: E402

pytestmark = pytest.mark.torch

Load = Callable[..., LoadedModel]
READ, KEPT = "note: 4-bit weights were read from", "note: 4-bit weights are kept in"
AGAIN, NOT = "note: kept 4-bit weights are made again", "note: 4-bit weights are not kept in"


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
def load(tiny_dir: Path, cache: Path, caplog: pytest.LogCaptureFixture) -> Load:
    """Load the tiny model; what is said of kept weights is in `caplog.messages`."""

    def run(**settings: object) -> LoadedModel:
        caplog.clear()
        named = {"model_name": str(tiny_dir), "load_in_4bit": True, "quantised_cache": cache}
        with caplog.at_level(logging.INFO, "lawqa.models.kept_weights"):
            return load_model(ModelSettings(**{**named, **settings}))  # type: ignore[arg-type]

    return run


def beginnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        next(b for b in (READ, KEPT, AGAIN, NOT) if line.startswith(b)) for line in caplog.messages
    ]


def state(loaded: LoadedModel) -> dict[str, torch.Tensor]:
    return dict(loaded.model.state_dict())


def assert_same(one: LoadedModel, other: LoadedModel) -> None:
    first, second = state(one), state(other)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    ids = torch.arange(30)[None]
    with torch.no_grad():
        assert torch.equal(one.model(input_ids=ids).logits, other.model(input_ids=ids).logits)
    assert one.describe() == other.describe()
    assert one.stop_token_ids == other.stop_token_ids


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_what_is_read_is_what_was_made(
    load: Load, caplog: pytest.LogCaptureFixture, dtype: str
) -> None:
    plain = load(quantised_cache=None, dtype=dtype)
    assert caplog.messages == []
    made = load(dtype=dtype)
    assert beginnings(caplog) == [KEPT]
    read = load(dtype=dtype)
    assert beginnings(caplog) == [READ]
    assert_same(plain, made)
    assert_same(plain, read)


def test_a_model_is_called_what_it_was_made_of(load: Load, tiny_dir: Path, cache: Path) -> None:
    """Adapters that are trained over it name it."""
    load()
    read = load()
    assert read.model.name_or_path == read.model.config._name_or_path == str(tiny_dir)
    assert str(cache) not in json.dumps(read.describe())


def test_types_and_dtypes_are_kept_beside_each_other(load: Load, cache: Path) -> None:
    for settings in ({}, {"quant_type": "fp4"}, {"dtype": "bfloat16"}):
        load(**settings)
    kinds = sorted("-".join(path.name.split("-")[-3:-1]) for path in cache.iterdir())
    assert kinds == ["fp4-float32", "nf4-bfloat16", "nf4-float32"]


@pytest.mark.parametrize(
    "harm", ["a bit", "half a file", "no record", "broken record", "other versions"]
)
def test_what_is_not_whole_or_of_another_version_is_made_again(
    load: Load, cache: Path, caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    plain = load()
    (directory,) = cache.iterdir()
    weights, record = directory / "model.safetensors", directory / "kept.json"
    if harm == "a bit":
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    elif harm == "half a file":
        weights.write_bytes(weights.read_bytes()[: weights.stat().st_size // 2])
    elif harm == "other versions":
        record.write_text(record.read_text().replace('"bitsandbytes": "', '"bitsandbytes": "9.'))
    else:
        record.write_text("{" if harm == "broken record" else "[]")
    loaded = load()
    assert beginnings(caplog) == [AGAIN, KEPT]
    assert str(directory) in caplog.messages[0]
    assert_same(plain, loaded)
    load()
    assert beginnings(caplog) == [READ]
    assert list(cache.iterdir()) == [directory]


def test_weights_of_another_model_under_this_name_are_not_used(
    load: Load, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load()
    (directory,) = cache.iterdir()
    record = json.loads((directory / "kept.json").read_text())
    record["made_of"]["content"]["weights"] = "0" * 64
    (directory / "kept.json").write_text(json.dumps(record))
    load()
    assert "made with another content" in caplog.messages[0]


def test_a_directory_that_is_not_lawqas_is_left_alone(
    load: Load, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load()
    (directory,) = cache.iterdir()
    shutil.rmtree(directory)
    directory.mkdir()
    (directory / "thesis.txt").write_text("mine")
    load()
    assert beginnings(caplog) == [AGAIN, NOT]
    assert "it is not lawqa's" in caplog.messages[1]
    assert [path.name for path in directory.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("full", ["before", "on the way", "a file is there"])
def test_without_room_the_model_is_loaded_all_the_same(
    load: Load, cache: Path, caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch, full: str,
) -> None:  # fmt: skip
    if full == "before":
        usage = SimpleNamespace(free=1000)
        monkeypatch.setattr(kept_weights.shutil, "disk_usage", lambda _: usage)
    elif full == "a file is there":
        cache.write_text("")
    else:

        def fail(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(kept_weights, "write_json", fail)
    loaded = load()
    assert loaded.config.load_in_4bit
    assert beginnings(caplog) == [NOT]
    assert cache.is_file() or list(cache.iterdir()) == []


def test_of_several_processes_the_first_keeps_them(
    load: Load, cache: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RANK", "1")
    load()
    assert caplog.messages == []
    assert not cache.exists()


def test_kept_weights_larger_than_the_memory_are_no_traceback(
    load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    load()

    def fails(*_arguments: object, **_more: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(kept_weights, "load_weights", fails)
    with pytest.raises(BackendError, match="do not fit into what is free"):
        load()


def test_what_another_device_made_is_not_read(
    load: Load, cache: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A GPU and a CPU need not round alike."""
    load()
    (directory,) = cache.iterdir()
    record = directory / "kept.json"
    kept = json.loads(record.read_text())
    assert kept["made_of"]["device"] == "cpu"
    kept["made_of"]["device"] = "cuda"
    record.write_text(json.dumps(kept))
    load()
    assert beginnings(caplog) == [AGAIN, KEPT]
    assert "made with another device" in caplog.messages[0]


def test_what_is_read_is_not_quantised(load: Load) -> None:
    with watched() as making:
        load()
    with watched() as reading:
        load()
    assert making.seconds["quantising"] > 0
    assert "quantising" not in reading.seconds
    assert "weights" in reading.seconds
