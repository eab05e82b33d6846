"""Training the tiny NF4 model: what moves, what must not, and that the loss is the plain one."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from lawqa.backends.hf.backend import HFBackend
from lawqa.errors import ConfigError
from lawqa.models.load import LoadedModel, load_model
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.records import TokenizedRecord, make_record, tokenize_records
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training import fit as fit_module
from lawqa.training.adapter import add_adapter
from lawqa.training.data.collate import LeftPadCollator, micro_batches
from lawqa.training.fit import fit
from lawqa.training.loss_paths import answer_loss
from lawqa.training.trainer import as_dataset

pytestmark = pytest.mark.torch

CONFIG = Hyperparameters(
    num_epochs=2,
    batch_size=4,
    gradient_accumulation_steps=1,
    learning_rate=5e-3,
    max_seq_length=2048,
)


@pytest.fixture
def loaded(tiny_dir: Path) -> LoadedModel:
    return load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))


@pytest.fixture(scope="module")
def records(tiny_tokenizer: Any, questions: Any) -> list[TokenizedRecord]:
    made = [make_record(question, PromptSpec()) for question in questions[:16]]
    return tokenize_records(made, tiny_tokenizer, 2048)


def adapter(loaded: LoadedModel, config: Hyperparameters = CONFIG) -> Any:
    torch.manual_seed(0)
    return add_adapter(loaded, config)


def one_batch(records: list[TokenizedRecord]) -> dict[str, torch.Tensor]:
    return LeftPadCollator(0)(list(as_dataset(records)))


@pytest.mark.slow
def test_the_loss_falls_lora_moves_and_nothing_else(
    loaded: LoadedModel, records: list[TokenizedRecord], tmp_path: Path
) -> None:
    model = adapter(loaded)
    before = {name: tensor.detach().clone() for name, tensor in model.named_parameters()}
    figures = fit(loaded, model, records, CONFIG, tmp_path, quiet=True)
    assert figures.steps == 8
    assert figures.last_loss < 0.7 * figures.first_loss
    for name, tensor in model.named_parameters():
        moved = not torch.equal(tensor.detach(), before[name])
        assert moved is ("lora_" in name), name
    lines = (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 8


def test_only_lora_weights_train_and_in_float32(loaded: LoadedModel) -> None:
    dtypes = {name: p.dtype for name, p in loaded.model.named_parameters()}
    model = adapter(loaded)
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    assert len(trainable) == 2 * 7 * model.config.num_hidden_layers
    assert {p.dtype for p in trainable.values()} == {torch.float32}
    frozen = {
        name.removeprefix("base_model.model.").replace(".base_layer", ""): p.dtype
        for name, p in model.named_parameters()
        if not p.requires_grad
    }
    assert frozen == dtypes, "a frozen weight was cast"


@pytest.mark.slow
def test_the_loss_is_that_of_transformers_over_all_positions(
    loaded: LoadedModel, records: list[TokenizedRecord]
) -> None:
    model = adapter(loaded).eval()
    batch = one_batch(records)
    tokens = sum(record.answer_tokens for record in records)
    names = ("input_ids", "attention_mask", "labels")
    with torch.no_grad():
        plain = model(**{name: batch[name] for name in names}).loss.item()
        ours = answer_loss(model, batch).item() / tokens
    assert ours == pytest.approx(plain, rel=1e-5)


def gradients(model: Any, records: list[TokenizedRecord]) -> dict[str, torch.Tensor]:
    model.zero_grad()
    # B starts at zero, so that A would have no gradient.
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(parameter, 0.01)
    answer_loss(model, one_batch(records)).backward()
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


# On a CPU with AVX512-BF16 a no-grad pass makes bitsandbytes repack the weights for good, unless stopped.
@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_gradients_after_scoring_equal_those_before(
    tiny_dir: Path, records: list[TokenizedRecord], questions: Any, dtype: Any
) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True, dtype=dtype))
    model = adapter(loaded).eval()
    before = gradients(model, records[:4])
    loaded.model = model
    prompts = [build_prompt(question, PromptSpec()) for question in questions[:8]]
    assert len(list(HFBackend(loaded).score_choices(prompts))) == 8
    after = gradients(model, records[:4])
    assert before.keys() == after.keys()
    assert len(before) == 2 * 7 * model.config.num_hidden_layers
    for name, gradient in before.items():
        assert torch.allclose(gradient, after[name], rtol=1e-5, atol=1e-7), name
        assert gradient.abs().max() > 0, name


def losses(
    tiny_dir: Path, records: list[TokenizedRecord], out: Path, **changes: Any
) -> list[float]:
    settings = {**vars(CONFIG), "lora_dropout": 0.0, "num_epochs": 1, **changes}
    config = Hyperparameters(**settings)
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))
    figures = fit(loaded, adapter(loaded, config), records, config, out, quiet=True)
    return [entry["loss"] for entry in figures.log]


@pytest.mark.slow
def test_budget_and_accumulation_change_nothing_but_memory(
    tiny_dir: Path, records: list[TokenizedRecord], tmp_path: Path
) -> None:
    whole = losses(tiny_dir, records, tmp_path / "1", token_budget=100_000)
    cut = losses(tiny_dir, records, tmp_path / "2", token_budget=1)
    accumulated = losses(
        tiny_dir, records, tmp_path / "3", batch_size=1, gradient_accumulation_steps=4
    )
    assert len(whole) == 4
    assert cut == pytest.approx(whole, rel=1e-4)
    assert accumulated == pytest.approx(whole, rel=1e-4)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_losses_and_another_seed_others(
    tiny_dir: Path, records: list[TokenizedRecord], tmp_path: Path
) -> None:
    first = losses(tiny_dir, records, tmp_path / "1", lora_dropout=0.1)
    again = losses(tiny_dir, records, tmp_path / "2", lora_dropout=0.1)
    other = losses(tiny_dir, records, tmp_path / "3", lora_dropout=0.1, seed=1)
    assert first == again
    assert first != other


def test_a_process_that_sees_two_gpus_trains_on_one_with_the_batch_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    on_a_card: Any = SimpleNamespace(device=torch.device("cuda"), dtype=torch.float32)
    arguments = fit_module._arguments(on_a_card, CONFIG, tmp_path)
    assert arguments.n_gpu == 1
    assert arguments.train_batch_size == CONFIG.records_per_step


@pytest.mark.parametrize(
    "settings",
    [{"seed": -1}, {"seed": 2**32}, {"num_epochs": float("inf")}, {"neftune_alpha": float("inf")}],
)
def test_numbers_that_no_library_takes_are_refused(settings: Any) -> None:
    with pytest.raises(ConfigError, match="expected"):
        Hyperparameters(**settings)


def test_all_broken_settings_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        Hyperparameters(batch_size=0, learning_rate=-1, lora_dropout=1.0)
    for flag in ("--batch-size is 0", "--learning-rate is -1", "--lora-dropout is 1.0"):
        assert flag in caught.value.message


@pytest.mark.slow
def test_gradients_are_those_of_each_record_alone(
    loaded: LoadedModel, records: list[TokenizedRecord]
) -> None:
    model = adapter(loaded)
    model.eval()  # no dropout
    batch = one_batch(
        sorted(records, key=lambda record: len(record.input_ids))[:: len(records) - 1]
    )
    assert int((1 - batch["attention_mask"]).sum()) > 0

    def gradients(parts: list[dict[str, torch.Tensor]]) -> list[torch.Tensor]:
        model.zero_grad()
        for part in parts:
            answer_loss(model, part).backward()
        return [p.grad.clone() for p in model.parameters() if p.grad is not None]

    together = gradients([batch])
    alone = gradients(list(micro_batches(batch, token_budget=1)))
    for one, other in zip(together, alone, strict=True):
        assert torch.allclose(one, other, atol=1e-5 * float(other.abs().max() + 1))
