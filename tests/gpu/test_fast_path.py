"""The fast path of training on a GPU: its kernels against plain torch, its losses against the plain path."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]

TOKENS, HEADS, SIZE, WIDE = 37, 6, 128, 1056


def random(*shape: int, dtype: Any = None) -> Any:
    return torch.randn(shape, device="cuda", dtype=dtype or torch.bfloat16)


def off_by(one: Any, other: Any) -> float:
    return float((one.float() - other.float()).norm() / other.float().norm())


@pytest.fixture
def twins() -> tuple[Any, Any]:
    from lawqa.models.kernels.elementwise import TorchElementwise
    from lawqa.models.kernels.triton_elementwise import TritonElementwise

    torch.manual_seed(0)
    return TritonElementwise(), TorchElementwise()


DTYPES = [torch.bfloat16, torch.float16, torch.float32]


@pytest.mark.parametrize("wide", [False, True], ids=["weight as x", "weight in float32"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_norms_compute_what_plain_torch_computes(twins: Any, dtype: Any, wide: bool) -> None:
    tolerance = 1e-5 if dtype == torch.float32 else 5e-3
    fused, plain = twins
    x, weight = random(TOKENS, WIDE, dtype=dtype), random(WIDE, dtype=dtype)
    weight = weight.float() if wide else weight
    grad, residual = random(TOKENS, WIDE, dtype=dtype), random(TOKENS, WIDE, dtype=dtype)
    (normed, inverse), (expected, expected_inverse) = (
        kernels.norm(x, weight, 1e-6) for kernels in (fused, plain)
    )
    assert off_by(normed, expected) < tolerance
    assert off_by(inverse, expected_inverse) < 1e-5
    for past in (residual, None):
        back, expected = (k.norm_backward(grad, x, weight, inverse, past) for k in (fused, plain))
        assert off_by(back, expected) < tolerance


@pytest.mark.parametrize("norm", [None, "weight as x", "weight in float32"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_rotations_compute_what_plain_torch_computes(
    twins: Any, dtype: Any, norm: str | None
) -> None:
    tolerance = 1e-5 if dtype == torch.float32 else 5e-3
    fused, plain = twins
    # Strided, as the queries lie beside keys and values.
    qkv = random(TOKENS, (HEADS + 2) * SIZE, dtype=dtype)
    q = qkv[:, : HEADS * SIZE].unflatten(1, (HEADS, SIZE))
    scale, grad = random(SIZE, dtype=dtype), random(TOKENS, HEADS, SIZE, dtype=dtype)
    weight = None if norm is None else scale.float() if "float32" in norm else scale
    angle = random(TOKENS, SIZE // 2, dtype=torch.float32)
    cos, sin = angle.cos().to(dtype), angle.sin().to(dtype)
    turned, expected = (k.norm_rotate_once(q, weight, cos, sin, 1e-6) for k in (fused, plain))
    assert off_by(turned, expected) < tolerance
    outs = []
    for kernels in (fused, plain):
        out = torch.full_like(qkv, float("nan"))
        view = out[:, : HEADS * SIZE].unflatten(1, (HEADS, SIZE))
        kernels.norm_rotate_backward(grad, q, weight, cos, sin, 1e-6, view)
        outs.append(view)
    assert off_by(*outs) < tolerance


@pytest.mark.parametrize("activation", ["silu", "gelu_tanh"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_gates_compute_what_plain_torch_computes(twins: Any, dtype: Any, activation: Any) -> None:
    tolerance = 1e-5 if dtype == torch.float32 else 5e-3
    fused, plain = twins
    gate_up, grad = random(TOKENS, 2 * WIDE, dtype=dtype), random(TOKENS, WIDE, dtype=dtype)
    one, other = (kernels.glu_joined(gate_up, activation) for kernels in (fused, plain))
    assert off_by(one, other) < tolerance
    both = [(gate_up.clone(), grad.clone()) for _ in range(2)]
    fused.glu_backward(*both[0], activation)
    plain.glu_backward(*both[1], activation)
    assert off_by(both[0][0], both[1][0]) < tolerance
    assert off_by(both[0][1], both[1][1]) < tolerance


def test_dropout_keeps_its_share_and_its_mask(twins: Any) -> None:
    fused, _ = twins
    ones = torch.ones((1000, 1000), device="cuda")
    dropped = fused.dropout(ones, 0.25, 7)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.005)
    assert torch.equal(dropped, fused.dropout(ones, 0.25, 7))
    assert not torch.equal(dropped, fused.dropout(ones, 0.25, 8))
    total = torch.zeros_like(ones)
    fused.add_dropped(total, ones, 0.25, 7)
    assert torch.equal(total, dropped)


@pytest.mark.parametrize("double", [True, False], ids=["double", "once"])
@pytest.mark.parametrize("quant_type", ["nf4", "fp4"])
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_unpacked_weights_are_those_of_bitsandbytes_bit_for_bit(
    dtype: Any, quant_type: str, double: bool
) -> None:
    from bitsandbytes.nn import Params4bit

    from lawqa.models.kernels.triton_unpack import unpack_obstacle, unpack_rows
    from lawqa.models.kernels.unpacking import write_plainly

    for rows, columns, rank, at, extra in (
        (96, 4096, 16, 16, 48), (64, 12288, 8, 0, 16), (33, 1536, 5, 2, 16), (7, 640, 0, 0, 0),
    ):  # fmt: skip
        weight = Params4bit(
            torch.randn(rows, columns, dtype=dtype), requires_grad=False, quant_type=quant_type,
            compress_statistics=double,
        ).cuda()  # fmt: skip
        b = random(rows, rank, dtype=dtype) if rank else None
        outs = [torch.full((rows, columns + extra), float("nan"), device="cuda", dtype=dtype)
                for _ in range(2)]  # fmt: skip
        assert unpack_obstacle(weight, outs[0]) is None
        unpack_rows(weight, outs[0], b, at)
        write_plainly(weight, outs[1], b, at)
        assert torch.equal(*outs)


def test_a_product_with_the_update_in_it_loses_nothing_of_a_small_one() -> None:
    """Of an update of a hundredth of what neighbouring outputs are apart, as in first steps, all arrives."""
    from peft import LoraConfig, get_peft_model

    from lawqa.models.kernels.elementwise import TorchElementwise
    from lawqa.training.fast.linears import Copies, LinearGroup, Workspace

    torch.manual_seed(0)
    layer = torch.nn.Linear(4096, 4096, bias=False, device="cuda", dtype=torch.bfloat16)
    torch.nn.init.normal_(layer.weight, std=0.02)
    config = LoraConfig(r=16, lora_alpha=32, target_modules=["0"])
    adapted: Any = get_peft_model(torch.nn.Sequential(layer), config).base_model.model[0]
    group = LinearGroup([adapted], "default", torch.bfloat16, 0.0)
    workspace, kernels = Workspace(layer.weight.device, torch.bfloat16), TorchElementwise()
    x = random(4000, 4096)

    def run(b: Any) -> Any:
        adapted.lora_B["default"].weight.copy_(b)
        Copies([group]).refresh()
        return group.forward(group.widened(x), workspace, kernels, 0)[0].float()

    b = 1e-5 * random(4096, 16, dtype=torch.float32)
    with torch.no_grad():
        change = run(b) - run(0 * b)
        update = 2 * (x.float() @ adapted.lora_A["default"].weight.float().t()) @ b.t()
    kept = float((change.double() * update).sum() / update.double().square().sum())
    assert kept == pytest.approx(1, abs=0.1)


@pytest.mark.slow
def test_fifty_steps_lose_as_on_the_plain_path(tmp_path: Path) -> None:
    """Stated tolerance: the loss of every one of 50 steps within 3% or 0.02 nats of the plain path's."""
    from lawqa.demo import embedded_questions
    from lawqa.models.load import load_model
    from lawqa.models.tiny import train_tiny_tokenizer, write_tiny_model
    from lawqa.prompting import PromptSpec
    from lawqa.records import IGNORED, make_record, tokenize_records
    from lawqa.settings import Hyperparameters, ModelSettings
    from lawqa.training.adapter import add_adapter
    from lawqa.training.data.collate import LeftPadCollator
    from lawqa.training.fast import FastPath, fast_path_obstacle, pack
    from lawqa.training.loss_paths import answer_loss
    from lawqa.training.trainer import as_dataset

    questions = embedded_questions()
    tokenizer = train_tiny_tokenizer(f"{q.context}\n{q.text}" for q in questions)
    write_tiny_model(tmp_path, tokenizer)
    records = tokenize_records(
        [make_record(question, PromptSpec()) for question in questions[:40]], tokenizer, 4096
    )
    rows = list(as_dataset(records))
    batches = [LeftPadCollator(0)(rows[start : start + 8]) for start in range(0, 40, 8)]
    losses: dict[str, list[float]] = {}
    for way in ("plain", "fast"):
        loaded = load_model(ModelSettings(model_name=str(tmp_path), load_in_4bit=True))
        torch.manual_seed(0)
        model = add_adapter(loaded, Hyperparameters(lora_dropout=0.0))
        assert fast_path_obstacle(model) is None
        path = FastPath(model, lambda _: 1)
        optimiser = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
        losses[way] = []
        for step in range(50):
            batch = {key: value.cuda() for key, value in batches[step % len(batches)].items()}
            answers = int((batch["labels"] != IGNORED).sum())
            optimiser.zero_grad()
            if way == "fast":
                loss = path.loss(pack(batch)) / answers
            else:
                with torch.autocast("cuda", dtype=loaded.dtype):
                    loss = answer_loss(model, batch) / answers
            loss.backward()
            optimiser.step()
            losses[way].append(loss.item())
    pairs = list(zip(losses["plain"], losses["fast"], strict=True))
    print(f"loss {pairs[0][0]:.4f} -> {pairs[-1][0]:.4f}; largest difference "
          f"{max(abs(a - b) for a, b in pairs):.4f} nats")  # fmt: skip
    assert pairs[-1][0] < 0.5 * pairs[0][0]
    for plain, fast in pairs:
        assert fast == pytest.approx(plain, rel=0.03, abs=0.02)
