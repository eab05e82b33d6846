"""Weights shared out over processes: what one of them keeps, and what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.distributed.tensor import DTensor
from torch.testing._internal.distributed.fake_pg import FakeStore

from lawqa.cli import main
from lawqa.errors import TrainingError
from lawqa.models.load import load_model
from lawqa.questions import write_questions
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training.adapter import add_adapter
from lawqa.training.processes.sharding import elsewhere_bytes, held_bytes, in_step, share_out

pytestmark = pytest.mark.torch

PROCESSES = 4


@pytest.fixture
def of_four() -> Iterator[None]:
    """This process is one of four, of which the others are not there: messages go nowhere."""
    torch.distributed.init_process_group("fake", rank=1, world_size=PROCESSES, store=FakeStore())
    yield
    torch.distributed.destroy_process_group()


@pytest.mark.usefixtures("of_four")
@pytest.mark.parametrize("four_bit", [True, False])
def test_a_process_keeps_its_part_of_what_is_frozen_and_the_whole_adapter(
    tiny_dir: Path, four_bit: bool
) -> None:
    loaded = load_model(
        ModelSettings(model_name=str(tiny_dir), load_in_4bit=four_bit), sharded=True
    )
    model = add_adapter(loaded, Hyperparameters())
    large = [p for p in model.parameters() if not p.requires_grad and p.dim() > 1]
    before = sum(p.numel() * p.element_size() for p in large)
    assert elsewhere_bytes(model) == 0
    said = share_out(loaded, model)
    here, whole = held_bytes(model)
    assert whole == before, "some large weight is left whole"
    assert here == pytest.approx(whole / PROCESSES, rel=0.01)
    assert f"of {whole / 2**20:,.2f} MiB" in said
    for parameter in model.parameters():
        large = parameter.dim() > 1 and not parameter.requires_grad
        assert isinstance(parameter, DTensor) == large
    assert 0 <= elsewhere_bytes(model) < whole - here


def test_packed_weights_are_not_called_bfloat16(
    stored_in_4bit: Path, request: pytest.FixtureRequest
) -> None:
    """Copied as such on CUDA, some would become others: `tests/gpu/test_two_gpus.py` sees it."""
    # Only now: of four processes the first alone would have written the model.
    request.getfixturevalue("of_four")
    loaded = load_model(ModelSettings(model_name=str(stored_in_4bit)), sharded=True)
    packed = loaded.model.model.layers[0].mlp.up_proj.weight.numel()
    share_out(loaded, add_adapter(loaded, Hyperparameters()))
    shared = [p for p in loaded.model.model.layers.parameters() if isinstance(p, DTensor)]
    assert {p.dtype for p in shared} == {torch.float32}
    assert packed in {p.numel() * p.element_size() for p in shared}


def test_one_process_or_dora_is_refused(
    tiny_dir: Path,
    questions: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    train = tmp_path / "train.json"
    write_questions(train, questions[:2])
    command = ["train", "--model-name", str(tiny_dir), "--train-file", str(train),
               "--output-dir", str(tmp_path / "out"), "--use-4bit", "--fsdp"]  # fmt: skip
    assert main(command) == 2
    err = capsys.readouterr().err
    assert "there is only one" in err
    assert "hint: torchrun --nproc-per-node 2" in err
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main([*command, "--use-dora"]) == 2
    assert "--use-dora needs the norms of whole weights" in capsys.readouterr().err


def test_out_of_memory_on_one_process_ends_the_training() -> None:
    def full(**_: object) -> None:
        raise torch.OutOfMemoryError

    with pytest.raises(TrainingError, match="while dev questions were scored") as caught:
        in_step(full)(input_ids=torch.ones(1, 1))
    assert caught.value.hint == "lower --token-budget"
    assert in_step(lambda **inputs: inputs)(a=1) == {"a": 1}
