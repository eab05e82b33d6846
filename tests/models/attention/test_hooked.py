"""Models of transformers attend through lawqa: no query sees nothing, and packed records stay apart."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from lawqa.models.attention.hooked import hook_attention, is_hooked, packed
from lawqa.models.attention.records import RecordSpans

pytestmark = pytest.mark.torch

SHAPE = {
    "vocab_size": 61, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "initializer_range": 0.3,
    "max_position_embeddings": 256, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
SLIDING = {"sliding_window": 3, "layer_types": ["sliding_attention", "full_attention"]}


def model_of(model_type: str, **more: Any) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    torch.manual_seed(0)
    config = AutoConfig.for_model(model_type, **{**SHAPE, **more})
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    hook_attention(model)
    return model.eval()


@pytest.mark.parametrize(
    ("model_type", "more"),
    [("llama", {}), ("gemma3_text", SLIDING), ("mistral", {"sliding_window": 3}), ("phi", {}),
     ("gemma2", {**SLIDING, "attn_logit_softcapping": 2.0}), ("gpt_neox", {}), ("olmo2", {})],
)  # fmt: skip
def test_padding_changes_nothing_and_breaks_no_gradient(
    model_type: str, more: dict[str, Any]
) -> None:
    """Masks are watched where they are used: a query that sees nothing is NaN on some kernels only."""
    model = model_of(model_type, **more)
    assert is_hooked(model)
    masks: list[torch.Tensor] = []
    from lawqa.models.attention import hooked

    real = hooked._attend

    def watched(module: Any, q: Any, k: Any, v: Any, mask: Any, **options: Any) -> Any:
        if mask is not None:
            masks.append(mask)
        return real(module, q, k, v, mask, **options)

    from transformers import AttentionInterface

    AttentionInterface.register(hooked.NAME, watched)
    try:
        ids = torch.randint(3, 61, (1, 6))
        padded = torch.cat([torch.zeros(1, 5, dtype=torch.long), ids], dim=1)
        mask = torch.tensor([[0] * 5 + [1] * 6])
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        alone = model(input_ids=ids).logits
        beside = model(input_ids=padded, attention_mask=mask, position_ids=positions).logits
    finally:
        AttentionInterface.register(hooked.NAME, real)
    assert torch.allclose(beside[:, 5:], alone, atol=1e-5)
    assert masks
    assert all(bool(seen.any(dim=-1).all()) for seen in masks)
    beside[:, 5:].square().sum().backward()
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.grad is not None)


@pytest.mark.parametrize(
    ("model_type", "more"),
    [("llama", {}), ("gemma3_text", SLIDING), ("mistral", {"sliding_window": 3}), ("phi", {}),
     ("gemma2", {**SLIDING, "attn_logit_softcapping": 2.0}), ("gpt_neox", {}), ("olmo2", {})],
)  # fmt: skip
def test_packed_records_see_what_they_see_alone(model_type: str, more: dict[str, Any]) -> None:
    model = model_of(model_type, **more)
    lengths = (6, 1, 9)
    rows = [torch.randint(3, 61, (1, length)) for length in lengths]
    alone = torch.cat([model(input_ids=row).logits for row in rows], dim=1)
    positions = torch.cat([torch.arange(length) for length in lengths])[None]
    with packed(RecordSpans.of(lengths, positions.device)):
        together = model(input_ids=torch.cat(rows, dim=1), position_ids=positions).logits
    assert torch.allclose(together, alone, atol=1e-5)
    model.zero_grad()
    together.square().sum().backward()
    found = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    alone.square().sum().backward()
    for name, parameter in model.named_parameters():
        if parameter.grad is not None:
            off = (found[name] - parameter.grad).norm() / parameter.grad.norm().clamp(min=1e-6)
            assert off < 1e-4, name


@pytest.mark.parametrize(
    ("model_type", "more"),
    [("llama", {}), ("qwen3", {}), ("gemma3_text", SLIDING),
     ("gemma2", {**SLIDING, "attn_logit_softcapping": 2.0}), ("gpt_neox", {})],
)  # fmt: skip
def test_packed_records_are_computed_in_the_dtype_of_autocast(
    model_type: str, more: dict[str, Any]
) -> None:
    """Rotations give queries and keys in float32 beside values in bfloat16, as a training with DoRA does."""
    model = model_of(model_type, **more)
    lengths = (6, 1, 9)
    row = torch.randint(3, 61, (1, sum(lengths)))
    positions = torch.cat([torch.arange(length) for length in lengths])[None]
    spans = RecordSpans.of(lengths, positions.device)
    found = []
    for half in (False, True):
        model.zero_grad()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=half), packed(spans):
            logits = model(input_ids=row, position_ids=positions).logits
        logits.float().log_softmax(-1)[..., 5].sum().backward()
        grads = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        found.append((logits.float(), torch.cat(grads)))
    for whole, half_precision in zip(*found, strict=True):
        assert (whole - half_precision).norm() < 0.05 * whole.norm()
