"""Every architecture that the fast path knows computes there what it computes in transformers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch

from lawqa.models.attention.hooked import hook_attention
from lawqa.models.loaded import LoadedModel
from lawqa.models.shapes import WRITTEN_OUT
from lawqa.records import IGNORED
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training.adapter import add_adapter
from lawqa.training.fast import FastPath, HookedPath, hooked_path_obstacle, pack
from lawqa.training.fast.model import unsupported_part
from lawqa.training.loss_paths import answer_loss

pytestmark = pytest.mark.torch

VOCABULARY = 97
SHAPE = {
    "vocab_size": VOCABULARY, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 3,
    "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "initializer_range": 0.3,
    "max_position_embeddings": 256, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2,
}  # fmt: skip
SLIDING = {"sliding_window": 5, "layer_types": ["sliding_attention"] * 2 + ["full_attention"]}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "qwen3": ("qwen3", {}),
    "qwen3 with biases": ("qwen3", {"attention_bias": True}),
    "qwen2": ("qwen2", {}),
    "qwen2 with a window": ("qwen2", {"use_sliding_window": True, **SLIDING}),
    "llama": ("llama", {"tie_word_embeddings": False}),
    "llama 3.1": ("llama", {"rope_parameters": {
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
        "high_freq_factor": 4.0, "original_max_position_embeddings": 64}}),
    "llama with biases": ("llama", {"attention_bias": True, "mlp_bias": True}),
    "mistral": ("mistral", {"sliding_window": None}),
    "mistral with a window": ("mistral", {"sliding_window": 6}),
    "phi3": ("phi3", {"sliding_window": None, "tie_word_embeddings": False}),
    "phi3 with a window": ("phi3", {"sliding_window": 6, "head_dim": 24}),
    "phi3 for long texts": ("phi3", {
        "sliding_window": None, "head_dim": 8, "original_max_position_embeddings": 16, "rope_parameters": {
            "rope_type": "longrope", "rope_theta": 10000.0, "partial_rotary_factor": 1.0,
            "short_factor": [1.0 + n / 4 for n in range(4)],
            "long_factor": [2.0 + n for n in range(4)]}}),
    "gemma2": ("gemma2", {**SLIDING, "query_pre_attn_scalar": 11, "attn_logit_softcapping": 3.0,
                          "final_logit_softcapping": 4.0}),
    "gemma3": ("gemma3_text", {**SLIDING, "query_pre_attn_scalar": 11}),
}  # fmt: skip


def model_of(variant: str, *, lora_dropout: float = 0.0, more: dict[str, Any] | None = None) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    model_type, own = {**VARIANTS, **OTHERS}[variant]
    config = AutoConfig.for_model(model_type, **{**SHAPE, **own, **(more or {})})
    torch.manual_seed(3)
    causal = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    for name, parameter in causal.named_parameters():
        if name.endswith("bias") or "norm" in name:  # at their first values they hide mistakes
            torch.nn.init.normal_(parameter, mean=0.5, std=0.3)
    hook_attention(causal)
    loaded = LoadedModel(
        causal, None, ModelSettings(model_name=variant), torch.device("cpu"), torch.float32, (2,)  # type: ignore[arg-type]
    )  # fmt: skip
    model = add_adapter(loaded, Hyperparameters(lora_dropout=lora_dropout, lora_r=4))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:  # zero at first, which would hide half of the gradients
            torch.nn.init.normal_(parameter, std=0.1)
    return model


def a_batch(*lengths: int) -> dict[str, torch.Tensor]:
    generator, width = torch.Generator().manual_seed(4), max(lengths)
    ids = torch.randint(3, VOCABULARY, (len(lengths), width), generator=generator)
    mask = torch.tensor([[0] * (width - n) + [1] * n for n in lengths])
    ids = ids * mask
    labels = ids.clone()
    labels[:, :-3] = IGNORED
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def always(kept: int) -> Callable[[int], int]:
    return lambda _: kept


def gradients(model: Any, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad()
    loss.backward()
    return {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


@pytest.mark.parametrize("variant", VARIANTS)
def test_loss_and_gradients_are_those_of_the_plain_path(variant: str) -> None:
    model, batch = model_of(variant), a_batch(19, 7, 24, 4)
    assert unsupported_part(model) is None
    plain = answer_loss(model, batch)
    expected = gradients(model, plain)
    for kept in (0, 1, 3):
        loss = FastPath(model, lambda _, kept=kept: kept).loss(pack(batch))
        assert loss.item() == pytest.approx(plain.item(), rel=1e-5)
        found = gradients(model, loss)
        assert found.keys() == expected.keys()
        for name, grad in expected.items():
            off = (found[name] - grad).norm() / grad.norm().clamp(min=1e-9)
            assert off < 1e-4, f"{name}: {off:.1e}"


OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "glm": ("glm", {"tie_word_embeddings": False}),  # its rotary embedding turns half of a head
    "gpt_neox": ("gpt_neox", {"tie_word_embeddings": False}),
    "olmo2": ("olmo2", {}),
    "starcoder2": ("starcoder2", {"sliding_window": 6}),
    "granite": ("granite", {"logits_scaling": 2.0, "residual_multiplier": 0.5}),
}


@pytest.mark.parametrize("variant", [*OTHERS, "phi3", "llama", "gemma2"])
def test_other_architectures_train_over_packed_records(variant: str) -> None:
    model, batch = model_of(variant), a_batch(19, 7, 24, 4)
    if variant in OTHERS:
        assert "the architecture is" in str(unsupported_part(model))
    assert hooked_path_obstacle(model) is None
    plain = answer_loss(model, batch)
    expected = gradients(model, plain)
    path = HookedPath(model)
    assert path.blocks == 3
    model.train()
    for kept in (0, 1, 3):
        path.kept_blocks = always(kept)
        loss = path.loss(model, pack(batch))
        assert loss.item() == pytest.approx(plain.item(), rel=1e-5)
        found = gradients(model, loss)
        assert found.keys() == expected.keys()
        for name, grad in expected.items():
            off = (found[name] - grad).norm() / grad.norm().clamp(min=1e-9)
            assert off < 1e-4, f"{name}: {off:.1e}"
    again = answer_loss(model, batch)  # a padded batch goes the model's own way, as before
    assert again.item() == pytest.approx(plain.item(), rel=1e-6)


@pytest.mark.parametrize("path_of", [FastPath, HookedPath])
def test_dropout_is_for_training_alone(path_of: Any) -> None:
    model, batch = model_of("llama", lora_dropout=0.5), pack(a_batch(19, 7, 24, 4))
    model.eval()
    plain = answer_loss(model, a_batch(19, 7, 24, 4)).item()
    path = path_of(model)
    run = path.loss if path_of is FastPath else partial(path.loss, model)
    assert run(batch).item() == pytest.approx(plain, rel=1e-5)
    model.train()
    dropped = {run(batch).item() for _ in range(3)}
    assert len(dropped) == 3
    assert plain not in dropped


def test_a_model_that_mixes_tokens_outside_attention_is_found_out() -> None:
    model = model_of("llama")
    body = model.get_base_model().model

    def leak(_: Any, __: Any, output: Any) -> Any:
        return output + 0.5 * output.mean(dim=1, keepdim=True)

    body.layers[0].mlp.register_forward_hook(leak)
    assert hooked_path_obstacle(model) == "a packed record changes the one after it"


def test_a_model_with_positions_of_its_own_is_found_out() -> None:
    model = model_of("llama")

    def count(_: Any, __: Any, output: Any) -> Any:
        return output + torch.arange(output.shape[1])[None, :, None] / 3

    model.get_input_embeddings().register_forward_hook(count)
    assert "from those it has alone" in str(hooked_path_obstacle(model))


def test_what_phi_adds_and_the_blocks_do_not_know_is_told() -> None:
    model = model_of("phi3")
    config = model.get_base_model().config
    config.resid_pdrop = 0.1
    assert unsupported_part(model) == "its residual stream has dropout"
    config.resid_pdrop = 0.0
    config.rope_parameters["partial_rotary_factor"] = 0.75
    assert unsupported_part(model) == "its rotary embedding turns a part of each head"


def test_every_known_architecture_is_among_them() -> None:
    assert {model_type for model_type, _ in VARIANTS.values()} == set(WRITTEN_OUT)
