"""The written-out blocks compute what the model's own forward and autograd compute."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
import torch

from lawqa.models.attention.packed import packed_attention
from lawqa.models.attention.records import RecordSpans
from lawqa.models.kernels.elementwise import TorchElementwise
from lawqa.models.load import LoadedModel, load_model
from lawqa.models.shapes import ModelShape
from lawqa.prompting import PromptSpec
from lawqa.records import make_record, tokenize_records
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training.adapter import add_adapter
from lawqa.training.data.collate import LeftPadCollator
from lawqa.training.fast import FastPath, fast_path_obstacle, pack, packed_parts
from lawqa.training.fast.block import Block, PassSetting
from lawqa.training.fast.linears import Copies, LinearGroup, Workspace
from lawqa.training.fast.model import unsupported_part
from lawqa.training.loss_paths import PackedPath, answer_loss
from lawqa.training.planning.memory import MemorySetting, behind_bytes
from lawqa.training.trainer import as_dataset

pytestmark = pytest.mark.torch

Gradients = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def batch(tiny_tokenizer: Any, questions: Any) -> dict[str, torch.Tensor]:
    specs = (PromptSpec(), PromptSpec(condition="gold"))
    made = [make_record(question, spec) for question in questions[:2] for spec in specs]
    records = tokenize_records(made, tiny_tokenizer, 4096)
    return LeftPadCollator(0)(list(as_dataset(records)))


def tiny(tiny_dir: Path, *, four_bit: bool = True, **settings: Any) -> tuple[LoadedModel, Any]:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=four_bit))
    torch.manual_seed(0)
    model = add_adapter(loaded, Hyperparameters(**{"lora_dropout": 0.0, **settings}))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zero at first, which would hide half of the gradients
            torch.nn.init.normal_(parameter, std=0.02)
    return loaded, model


def gradients(model: Any, loss: torch.Tensor) -> Gradients:
    model.zero_grad()
    loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def assert_same(one: Gradients, other: Gradients, tolerance: float = 2e-5) -> None:
    assert one.keys() == other.keys()
    for name, grad in one.items():
        difference = (grad - other[name]).norm() / grad.norm().clamp(min=1e-9)
        assert difference < tolerance, f"{name}: {difference:.1e}"


@pytest.mark.slow
@pytest.mark.parametrize("kept", [0, 1, None], ids=["recompute all", "recompute one", "keep all"])
@pytest.mark.parametrize("four_bit", [True, False], ids=["nf4", "plain weights"])
def test_loss_and_gradients_are_those_of_the_plain_path(
    tiny_dir: Path, batch: dict[str, torch.Tensor], kept: int | None, four_bit: bool
) -> None:
    _, model = tiny(tiny_dir, four_bit=four_bit)
    plain = answer_loss(model, batch)
    expected = gradients(model, plain)
    fast = FastPath(model, None if kept is None else lambda _: kept).loss(pack(batch))
    assert fast.item() == pytest.approx(plain.item(), rel=1e-5)
    assert_same(gradients(model, fast), expected)


@pytest.mark.parametrize("size", [3e-4, 1e-4])
def test_half_precision_keeps_a_small_update_whole(tiny_dir: Path, size: float) -> None:
    """Added to an output that is rounded already, bfloat16 would round most of it away, as PEFT does."""
    config = ModelSettings(model_name=str(tiny_dir), dtype="bfloat16")
    model = add_adapter(load_model(config), Hyperparameters(lora_dropout=0.0))
    decoder = model.get_base_model().model
    layer, tokens = decoder.layers[0], 256
    block = Block(layer, "default", torch.bfloat16, 0.0)
    x = 10 * torch.randn(tokens, layer.hidden_size, generator=torch.Generator().manual_seed(0))
    rotary = decoder.rotary_emb(x[None], torch.arange(tokens)[None])
    cos, sin = (part[0].bfloat16() for part in rotary)
    setting = PassSetting(
        rotary={None: (cos.chunk(2, 1)[0], sin.chunk(2, 1)[0])}, records=RecordSpans.of([tokens], x.device),
        workspace=Workspace(x.device, torch.bfloat16), kernels=TorchElementwise(),
        attention=packed_attention("memory"),
    )  # fmt: skip

    def fast() -> torch.Tensor:
        Copies(block.groups).refresh()
        return block.finish(block.run(x.bfloat16(), setting, (0, 0, 0, 0)), setting, (0, 0, 0, 0))[
            0
        ].float()

    def plain(dtype: torch.dtype = torch.bfloat16) -> torch.Tensor:
        causal = torch.ones(tokens, tokens, dtype=torch.bool).tril()[None, None]
        embedded = (cos[None].to(dtype), sin[None].to(dtype))
        out = layer(x.to(dtype)[None], attention_mask=causal, position_embeddings=embedded)
        return cast(torch.Tensor, out[0].float())

    def exact() -> torch.Tensor:
        return plain(torch.float32)

    adapted = (layer.self_attn.o_proj, layer.mlp.down_proj)
    ways = (fast, plain)
    with torch.no_grad():
        before = [way() for way in ways]
        for module in adapted:
            torch.nn.init.normal_(module.lora_B["default"].weight, std=size)
        changed = [way() - old for way, old in zip(ways, before, strict=True)]
        layer.float()
        update = exact()
        for module in adapted:
            module.lora_B["default"].weight.zero_()
        update -= exact()
    kept = [float((change * update).sum() / update.square().sum()) for change in changed]
    assert kept[0] == pytest.approx(1, abs=0.05)
    assert kept[1] < 0.9


@pytest.mark.slow
def test_held_weights_give_the_same_numbers(tiny_dir: Path, batch: dict[str, torch.Tensor]) -> None:
    _, model = tiny(tiny_dir)
    first = FastPath(model).loss(pack(batch))
    expected = gradients(model, first)
    held = FastPath(model, hold=True).loss(pack(batch))
    assert held.item() == first.item()
    found = gradients(model, held)
    assert all(torch.equal(found[name], grad) for name, grad in expected.items())


@pytest.mark.slow
@pytest.mark.parametrize("rank", [16, 5])
@pytest.mark.parametrize("four_bit", [True, False], ids=["nf4", "plain weights"])
def test_adapters_on_some_layers_only(
    tiny_dir: Path, batch: dict[str, torch.Tensor], four_bit: bool, rank: int
) -> None:
    targets = ("q_proj", "v_proj", "up_proj")
    _, model = tiny(tiny_dir, four_bit=four_bit, target_modules=targets, lora_r=rank)
    expected = gradients(model, answer_loss(model, batch))
    assert len(expected) == 2 * 3 * 2
    assert_same(gradients(model, FastPath(model).loss(pack(batch))), expected)


@pytest.mark.slow
def test_layers_of_a_group_may_be_scaled_differently(
    tiny_dir: Path, batch: dict[str, torch.Tensor]
) -> None:
    _, model = tiny(tiny_dir)
    for layer in model.get_base_model().model.layers:
        layer.self_attn.k_proj.scaling["default"] = 0.7
    expected = gradients(model, answer_loss(model, batch))
    assert_same(gradients(model, FastPath(model).loss(pack(batch))), expected)


@pytest.mark.slow
def test_a_record_does_not_see_the_one_packed_before_it(
    tiny_dir: Path, batch: dict[str, torch.Tensor]
) -> None:
    _, model = tiny(tiny_dir)
    path = FastPath(model)
    alone = [path.loss(pack(one)) for one in packed_parts(batch, token_budget=1)]
    assert len(alone) == len(batch["input_ids"])
    together = path.loss(pack(batch))
    assert together.item() == pytest.approx(sum(loss.item() for loss in alone), rel=1e-5)
    assert_same(gradients(model, together), gradients(model, sum(alone, torch.zeros(()))))


@pytest.mark.slow
def test_dropout_drops_the_same_values_forward_and_backward(
    tiny_dir: Path, batch: dict[str, torch.Tensor]
) -> None:
    _, model = tiny(tiny_dir, lora_dropout=0.3)
    name, parameter = next((n, p) for n, p in model.named_parameters() if "lora_A" in n)
    path, packed = FastPath(model, lambda _: 0), pack(batch)
    model.train()

    def loss() -> torch.Tensor:
        torch.manual_seed(5)
        return path.loss(packed)

    torch.manual_seed(6)
    assert path.loss(packed).item() != pytest.approx(loss().item(), rel=1e-6)
    grad = gradients(model, loss())[name]
    step = 1e-2 * grad / grad.norm()
    with torch.no_grad():
        parameter += step
        above = loss().double()
        parameter -= 2 * step
        below = loss().double()
    slope = ((above - below) / (2 * step.norm())).item()
    assert slope == pytest.approx(grad.norm().item(), rel=0.02)


@pytest.mark.slow
def test_gradients_of_two_parts_add_up(tiny_dir: Path, batch: dict[str, torch.Tensor]) -> None:
    _, model = tiny(tiny_dir)
    path = FastPath(model, lambda _: 1)
    whole = gradients(model, path.loss(pack(batch)))
    model.zero_grad()
    parts = list(packed_parts(batch, token_budget=int(batch["attention_mask"].sum()) // 2))
    assert len(parts) > 1
    for part in parts:
        path.loss(pack(part)).backward()
    assert_same(whole, {n: p.grad for n, p in model.named_parameters() if p.grad is not None})


@pytest.mark.parametrize("rank", [4, 24])
def test_whole_weights_take_what_is_planned(tiny_dir: Path, rank: int) -> None:
    loaded, model = tiny(tiny_dir, four_bit=False, lora_r=rank)
    base = model.get_base_model()
    path = FastPath(model)
    held = sum(group.weight(path._workspace).nbytes for b in path._blocks for group in b.groups)
    shape = ModelShape.from_config(
        {**base.config.to_dict(), "architectures": [type(base).__name__]}, "tiny"
    )
    setting = MemorySetting(four_bit=False, dtype_bytes=loaded.dtype.itemsize, lora_r=rank)
    assert held == shape.linear_parameters * setting.dtype_bytes + behind_bytes(shape, setting)


def test_it_says_why_it_cannot(tiny_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, model = tiny(tiny_dir)
    assert fast_path_obstacle(model) == "no CUDA device (the model is on cpu)"
    assert unsupported_part(model) is None
    config = model.get_base_model().config
    monkeypatch.setattr(config, "layer_types", ["chunked_attention"] * 2)
    assert unsupported_part(model) == "it has layers with chunked_attention"
    monkeypatch.setattr(model.peft_config["default"], "use_dora", True)
    monkeypatch.setattr(config, "layer_types", ["full_attention"] * 2)
    assert unsupported_part(model) == "DoRA scales the merged weights"


def test_within_a_step_the_copies_of_the_adapter_are_made_once(
    tiny_dir: Path, batch: dict[str, torch.Tensor]
) -> None:
    _, model = tiny(tiny_dir, lora_dropout=0.0)
    fast = FastPath(model)
    path = PackedPath(fast, 10**6)
    weights = [p for n, p in model.named_parameters() if "lora_B" in n]
    (part,) = path.parts(batch)
    alone = path.loss(model, part).item()
    with torch.no_grad():
        for weight in weights:
            weight.add_(0.5)
    assert path.loss(model, part).item() == alone  # the step is not over
    (part,) = path.parts(batch)
    after = path.loss(model, part).item()
    assert after != alone
    assert FastPath(model).loss(pack(part)).item() == after


@pytest.mark.parametrize("joined", [True, False])
def test_copies_take_in_each_layers_own_scaling(tiny_dir: Path, joined: bool) -> None:
    """B is scaled where it lies behind whole weights, with gaps between its rows, and where it lies alone."""
    _, model = tiny(tiny_dir, four_bit=not joined)
    attention = model.get_base_model().model.layers[0].self_attn
    layers = [attention.q_proj, attention.k_proj, attention.v_proj]
    for number, layer in enumerate(layers):
        layer.scaling["default"] = 1.0 + 0.3 * number
    group = LinearGroup(layers, "default", torch.float32, 0.0)
    Copies([group]).refresh()
    for each, layer in zip(group.copied[1::2], layers, strict=True):
        assert each.copy.is_contiguous() != joined
        assert torch.equal(each.copy, layer.scaling["default"] * layer.lora_B["default"].weight)
