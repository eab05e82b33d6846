"""Attention on a GPU, every kind that some card would choose, against float64; gradients included."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
    # torch says so of the first product in a thread of autograd's.
    pytest.mark.filterwarnings("ignore:Attempting to run cuBLAS"),
]

LENGTHS = (300, 1, 77, 513, 290)
TOLERANCE = {"bfloat16": 1.5e-2, "float16": 3e-3}
"""Of the error's norm relative to the norm of what is right."""


def off_by(one: Any, true: Any) -> float:
    return float((one.detach().double() - true.detach()).norm() / true.detach().norm())


def exact(q: Any, k: Any, v: Any, starts: list[int], reach: Any) -> Any:
    """The definition in float64, record by record."""
    pieces = []
    for start, end in pairwise(starts):
        rows, keys, values = (tensor[start:end].transpose(0, 1) for tensor in (q, k, v))
        keys, values = (t.repeat_interleave(len(rows) // len(t), dim=0) for t in (keys, values))
        scores = rows @ keys.transpose(1, 2) * reach.scale
        if reach.softcap:
            scores = reach.softcap * torch.tanh(scores / reach.softcap)
        at = torch.arange(end - start, device=q.device)
        distance = at[:, None] - at[None, :]
        seen = (distance >= 0) & (distance < (reach.window or end))
        weights = scores.masked_fill(~seen, float("-inf")).softmax(-1)
        pieces.append((weights @ values).transpose(0, 1))
    return torch.cat(pieces)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("head_dim", [64, 96, 128, 256])
@pytest.mark.parametrize("window", [None, 64])
@pytest.mark.parametrize(
    ("kind", "softcap"),
    [("flash", None), ("memory", None), ("plain", None), ("plain", 20.0), ("capped", 20.0)],
)
def test_packed_records(
    kind: Any, softcap: float | None, window: int | None, head_dim: int, dtype: str
) -> None:
    from lawqa.models.attention.packed import packed_attention
    from lawqa.models.attention.records import Reach, RecordSpans

    torch.manual_seed(head_dim)
    half, tokens = getattr(torch, dtype), sum(LENGTHS)
    q, grad = torch.randn(2, tokens, 8, head_dim, device="cuda", dtype=half)
    k, v = torch.randn(2, tokens, 2, head_dim, device="cuda", dtype=half)
    records = RecordSpans.of(LENGTHS, q.device)
    reach = Reach(2 * head_dim**-0.5, window, softcap)
    attention = packed_attention(kind)
    out, kept = attention.forward(q, k, v, records, reach)
    found = (out, *attention.backward(grad, q, k, v, out, kept, records, reach))
    wide = [tensor.double().requires_grad_() for tensor in (q, k, v)]
    true = exact(*wide, records.starts.tolist(), reach)
    expected = (true, *torch.autograd.grad(true, wide, grad.double()))
    errors = [off_by(one, other) for one, other in zip(found, expected, strict=True)]
    print(f"{kind} {softcap} {window} {head_dim} {dtype}: {max(errors):.1e}")
    assert max(errors) < TOLERANCE[dtype]


SHAPE = {
    "vocab_size": 300, "hidden_size": 128, "intermediate_size": 256, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "initializer_range": 0.05,
    "max_position_embeddings": 4096, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
SLIDING = {"sliding_window": 32, "layer_types": ["sliding_attention"] * 2 + ["full_attention"]}
FAMILIES: dict[str, tuple[str, dict[str, Any]]] = {
    "llama": ("llama", {}), "qwen2": ("qwen2", {}), "qwen3": ("qwen3", {"head_dim": 128}),
    "mistral with a window": ("mistral", {"sliding_window": 32}),
    "gemma2": ("gemma2", {**SLIDING, "head_dim": 256}),
    "gemma3": ("gemma3_text", {**SLIDING, "head_dim": 256}), "phi3": ("phi3", {"head_dim": 96}),
    "olmo2": ("olmo2", {}),  # on the packed path
}  # fmt: skip


def family(name: str, dtype: Any) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    from lawqa.models.attention.choice import keep_to_safe_kernels
    from lawqa.models.attention.hooked import hook_attention

    kind, more = FAMILIES[name]
    torch.manual_seed(1)
    config = AutoConfig.for_model(kind, **{**SHAPE, **more})
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32).to(dtype).cuda()
    keep_to_safe_kernels()
    hook_attention(model)
    return model


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("name", FAMILIES)
def test_padded_batches_of_whole_models(name: str, dtype: str) -> None:
    """Much padding: rows of 3 to 400 tokens. Reference: the same model in float64, row by row."""
    model, true = family(name, getattr(torch, dtype)), family(name, torch.float64)
    true.load_state_dict(model.state_dict())
    lengths, width = (400, 3, 55, 380), 400
    ids = torch.randint(3, 300, (len(lengths), width), device="cuda")
    mask = torch.tensor([[0] * (width - n) + [1] * n for n in lengths], device="cuda")
    positions = (mask.cumsum(1) - 1).clamp(min=0)
    logits = model(
        input_ids=ids, attention_mask=mask, position_ids=positions, logits_to_keep=1
    ).logits[:, 0].float()  # fmt: skip
    alone = torch.cat([true(input_ids=row[None, -n:], logits_to_keep=1).logits[:, 0]
                       for row, n in zip(ids, lengths, strict=True)])  # fmt: skip
    logits.square().sum().backward()
    alone.square().sum().backward()
    errors = [
        off_by(one.grad, other.grad)
        for one, other in zip(model.parameters(), true.parameters(), strict=True)
        if float(other.grad.norm()) > 0
    ]
    print(f"{name} {dtype}: logits {off_by(logits, alone):.1e}, gradients {max(errors):.1e}")
    assert off_by(logits, alone) < 5e-2
    assert max(errors) < 0.2


@pytest.mark.parametrize("kind", ["flash", "memory", "plain"])
@pytest.mark.parametrize("name", FAMILIES)
def test_each_lane_gives_the_plain_paths_loss_and_gradients(
    name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In bfloat16, beside the plain path in float32; what a card without FlashAttention takes is forced."""
    from lawqa.models.attention.choice import FORCED
    from lawqa.models.loaded import LoadedModel
    from lawqa.records import IGNORED
    from lawqa.settings import Hyperparameters, ModelSettings
    from lawqa.training.adapter import add_adapter
    from lawqa.training.fast import FastPath, HookedPath, hooked_path_obstacle, pack
    from lawqa.training.fast.model import unsupported_part
    from lawqa.training.loss_paths import answer_loss

    monkeypatch.setenv(FORCED, kind)
    lengths, width = (400, 3, 55, 380), 400
    ids = torch.randint(3, 300, (len(lengths), width), device="cuda")
    mask = torch.tensor([[0] * (width - n) + [1] * n for n in lengths], device="cuda")
    ids = ids * mask
    labels = ids.clone()
    labels[:, :-2] = IGNORED
    batch = {"input_ids": ids, "labels": labels, "attention_mask": mask}
    results = {}
    for way, dtype in (("plain", torch.float32), ("packed", torch.bfloat16)):
        causal = family(name, dtype)
        loaded = LoadedModel(causal, None, ModelSettings(model_name=name), ids.device, dtype, (2,))  # type: ignore[arg-type]
        model = add_adapter(loaded, Hyperparameters(lora_dropout=0.0))
        torch.manual_seed(5)
        for key, parameter in model.named_parameters():
            if "lora_B" in key:
                torch.nn.init.normal_(parameter, std=0.02)
        if way == "plain":
            loss = answer_loss(model, batch)
        elif unsupported_part(model) is None:
            loss = FastPath(model, lambda _: 1).loss(pack(batch))
        else:
            assert hooked_path_obstacle(model) is None
            path = HookedPath(model)
            model.train()
            with torch.autocast("cuda", dtype=dtype):
                loss = path.loss(model, pack(batch))
        loss.backward()
        flat = [p.grad.flatten() for _, p in sorted(model.named_parameters()) if p.grad is not None]
        results[way] = (loss.item(), torch.cat(flat))
    (expected, right), (got, grads) = results["plain"], results["packed"]
    print(f"{name} {kind}: loss {got:.4f} for {expected:.4f}, gradients {off_by(grads, right):.1e}")
    assert got == pytest.approx(expected, rel=1e-2)
    assert off_by(grads, right.double()) < 0.05
