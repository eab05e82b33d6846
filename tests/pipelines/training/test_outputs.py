"""What a training shows and leaves: lines without a terminal, events, plot, card; what is not installed."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch

from lawqa.cli import main
from lawqa.models.load import LoadedModel, load_model
from lawqa.prompting import PromptSpec
from lawqa.questions import write_questions
from lawqa.records import TokenizedRecord, make_record, tokenize_records
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training.adapter import add_adapter
from lawqa.training.fit import fit
from lawqa.training.monitoring.log import read_log

pytestmark = [pytest.mark.torch, pytest.mark.plots]


def train(directory: Path, model: Path, questions: Any) -> int:
    write_questions(directory / "train.json", questions[:12])
    write_questions(directory / "dev.json", questions[12:18])
    return main([
        "train", "--model-name", str(model), "--train-file", str(directory / "train.json"),
        "--dev-file", str(directory / "dev.json"), "--output-dir", str(directory / "out"), "--use-4bit",
        "--num-epochs", "1", "--batch-size", "4", "--gradient-accumulation-steps", "1",
        "--learning-rate", "5e-3", "--do-train",
    ])  # fmt: skip


def require_events_of_the_log(out: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(out / "tensorboard"))
    events.Reload()
    rows = read_log(out)
    losses = {row["step"]: row["loss"] for row in rows if "loss" in row}
    assert {e.step: e.value for e in events.Scalars("loss")} == pytest.approx(losses)
    accuracies = {row["step"]: row["dev_accuracy"] for row in rows if "dev_accuracy" in row}
    assert {e.step: e.value for e in events.Scalars("dev/accuracy")} == pytest.approx(accuracies)


@pytest.mark.slow
def test_everything_that_belongs_to_an_adapter_is_left_and_nothing_else(
    tmp_path: Path, tiny_dir: Path, questions: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    assert train(tmp_path, tiny_dir, questions) == 0
    err = capfd.readouterr().err
    assert re.search(r"^step 3/3: loss \d\.\d{3}, tok/s [\d,]+, 0 s left$", err, re.MULTILINE)
    assert "\r" not in err, "a bar in a file"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {
        ".lock", "README.md", "adapter_config.json", "adapter_model.safetensors", "chat_template.jinja",
        "log.jsonl", "manifest.json", "tensorboard", "tokenizer.json", "tokenizer_config.json",
        "trained_on.jsonl", "training.png",
    }  # fmt: skip
    assert (tmp_path / "out" / "adapter_model.safetensors").stat().st_mode & 0o077 == 0o044
    assert (tmp_path / "out" / "training.png").read_bytes().startswith(b"\x89PNG")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    figures = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))[
        "figures"
    ]
    assert f"{figures['first_loss']:.3f} -> {figures['last_loss']:.3f}" in card
    assert f"({figures['best']['correct']} / 6, 95% interval" in card
    assert "![loss and dev accuracy](training.png)" in card
    require_events_of_the_log(tmp_path / "out")


@pytest.mark.slow
def test_what_is_not_installed_is_said_once_and_training_goes_on(
    tmp_path: Path,
    tiny_dir: Path,
    questions: Any,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    real = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> Any:
        return None if name in ("tensorboard", "matplotlib") else real(name, package)

    monkeypatch.setattr("lawqa.training.monitoring.progress.find_spec", find_spec)
    monkeypatch.setattr("lawqa.report.plots.drawing.find_spec", find_spec)
    assert train(tmp_path, tiny_dir, questions) == 0
    err = capfd.readouterr().err
    assert err.count("no TensorBoard events") == 1
    assert err.count("no training.png: matplotlib is not installed") == 1
    assert not (tmp_path / "out" / "training.png").exists()
    assert "training.png" not in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def records(tiny_tokenizer: Any, questions: Any) -> list[TokenizedRecord]:
    made = [make_record(question, PromptSpec()) for question in questions[:8]]
    return tokenize_records(made, tiny_tokenizer, 2048)


def losses(
    tiny_dir: Path, records: list[TokenizedRecord], out: Path, **changes: Any
) -> tuple[list[float], Any, LoadedModel]:
    config = Hyperparameters(
        num_epochs=2, batch_size=4, gradient_accumulation_steps=1, learning_rate=5e-3, lora_dropout=0.0,
        max_seq_length=2048, **changes,
    )  # fmt: skip
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))
    torch.manual_seed(0)
    model = add_adapter(loaded, config)
    figures = fit(loaded, model, records, config, out, quiet=True)
    return [row["loss"] for row in figures.log], model, loaded


@pytest.fixture(scope="module")
def plain(
    tiny_dir: Path, records: list[TokenizedRecord], tmp_path_factory: pytest.TempPathFactory
) -> list[float]:
    return losses(tiny_dir, records, tmp_path_factory.mktemp("plain"))[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "first_differs"),
    [
        ({"use_rslora": True}, False),  # B is 0 at first, whatever its scale
        ({"use_dora": True}, False),
        ({"neftune_alpha": 50.0}, True),
        ({"weight_decay": 0.5}, False),
        ({"lr_scheduler": "constant"}, False),
    ],
)
def test_every_option_reaches_the_training(
    tiny_dir: Path,
    records: list[TokenizedRecord],
    plain: list[float],
    tmp_path: Path,
    option: dict[str, Any],
    first_differs: bool,
) -> None:
    changed, model, _ = losses(tiny_dir, records, tmp_path / "changed", **option)
    assert (changed[0] != pytest.approx(plain[0], rel=1e-4)) is first_differs
    assert changed[-1] != pytest.approx(plain[-1], rel=1e-4)
    assert changed[-1] < changed[0]
    names = {name for name, p in model.named_parameters() if p.requires_grad}
    assert any("lora_magnitude_vector" in name for name in names) is bool(option.get("use_dora"))


@pytest.mark.slow
def test_noise_of_training_is_gone_when_training_is_done(
    tiny_dir: Path, records: list[TokenizedRecord], tmp_path: Path
) -> None:
    _, model, _ = losses(tiny_dir, records, tmp_path, neftune_alpha=50.0)
    embeddings = model.get_input_embeddings()
    ids = torch.tensor([records[0].input_ids])
    assert torch.equal(embeddings(ids), embeddings(ids))
    model.train()
    assert torch.equal(embeddings(ids), embeddings(ids))
