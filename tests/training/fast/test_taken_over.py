"""Layers of models' own code that compute through our kernels: which, and with the same result."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from typing import Any

import pytest
import torch

from lawqa.models.kernels.triton_probe import fastest_elementwise
from lawqa.training.fast import HookedPath, hooked, hooked_path_obstacle, pack
from lawqa.training.fast.taken_over import Takeover
from tests.training.fast.test_model_architectures import (
    OTHERS,
    a_batch,
    always,
    gradients,
    model_of,
)

pytestmark = pytest.mark.torch


def test_what_is_taken_over_is_found_by_its_outputs() -> None:
    """Norms and gated MLPs of other architectures; none whose outputs are others."""
    taken = {}
    for variant in (*OTHERS, "phi3", "llama", "gemma2"):
        causal = model_of(variant).get_base_model()
        Takeover(causal, torch.float32, 0.0, fastest_elementwise(torch.device("cpu")))
        taken[variant] = Counter(
            name for module in causal.modules() if "forward" in vars(module)
            for name in ("norm", "mlp") if type(module).__name__.lower().endswith(name)
        )  # fmt: skip
    assert taken["phi3"] == {"norm": 7, "mlp": 3}
    assert taken["glm"] == {"norm": 7, "mlp": 3}
    assert taken["llama"] == {"norm": 7, "mlp": 3}
    assert taken["gemma2"] == {"norm": 13, "mlp": 3}
    assert taken["granite"] == {"norm": 7, "mlp": 3}
    assert taken["olmo2"] == {"norm": 13, "mlp": 3}
    assert not taken["gpt_neox"] + taken["starcoder2"]  # LayerNorm, no gate


def test_a_model_that_is_trained_again_lets_go_of_what_trained_it_before() -> None:
    model, batch = model_of("phi3"), pack(a_batch(19, 7, 24, 4))
    model.train()
    first = HookedPath(model)
    loss = first.loss(model, batch).item()
    held = [weakref.ref(group) for group in first._copies.groups]
    assert held
    del first
    assert HookedPath(model).loss(model, batch).item() == pytest.approx(loss, rel=1e-6)
    gc.collect()
    assert not [group for group in held if group() is not None]


def test_a_model_that_was_trained_is_tried_with_the_adapter_that_it_has_now() -> None:
    """Its layers were taken over with copies of an earlier adapter; its logits are float32 ones."""
    model, batch = model_of("phi3"), pack(a_batch(19, 7, 24, 4))
    assert hooked_path_obstacle(model) is None
    HookedPath(model).loss(model, batch)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.3)
    assert hooked_path_obstacle(model) is None


def test_half_precision_of_many_layers_is_no_mixing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit follows what rounding does to a model, up to what wrong positions do."""
    model = model_of("phi3", more={"num_hidden_layers": 24}).bfloat16()
    with torch.no_grad():
        ids = torch.arange(9) + 3
        alone = hooked._logits_alone(model, ids)
        limit = hooked._limit(model, ids, alone)
    assert 5e-2 < limit <= 0.3
    forward = model.forward

    def prepared(
        *arguments: Any, **options: Any
    ) -> Any:  # as accelerate's, whose logits are float32
        output = forward(*arguments, **options)
        output.logits = output.logits.float()
        return output

    monkeypatch.setattr(model, "forward", prepared)
    assert hooked_path_obstacle(model) is None
    with torch.no_grad():
        assert hooked._limit(model, ids, alone) == limit


def test_an_mlp_that_is_another_keeps_its_own_forward_pass() -> None:
    model = model_of("phi3")
    mlp = model.get_base_model().model.layers[1].mlp
    own = mlp.forward
    mlp.forward = lambda x: 2 * own(x)
    Takeover(
        model.get_base_model(), torch.float32, 0.0, fastest_elementwise(torch.device("cpu"))
    )  # fmt: skip
    assert mlp.forward.__name__ == "<lambda>"
    assert "forward" in vars(mlp.down_proj)  # as LoRA's layers by themselves


@pytest.mark.parametrize("variant", ["phi3", "starcoder2"])
def test_dropout_is_the_same_where_a_block_is_computed_again(variant: str) -> None:
    model, batch = model_of(variant, lora_dropout=0.4), pack(a_batch(19, 7, 24, 4))
    model.train()
    path = HookedPath(model)
    found = []
    for kept in (0, 3):
        path.kept_blocks = always(kept)
        torch.manual_seed(5)
        loss = path.loss(model, batch)
        found.append((loss.item(), gradients(model, loss)))
    (one, own), (other, others) = found
    assert one == other
    assert all(torch.allclose(own[name], others[name], atol=1e-6) for name in own)
    torch.manual_seed(6)
    assert path.loss(model, batch).item() != one


def test_a_layer_whose_adapter_is_off_runs_as_it_is() -> None:
    model, batch = model_of("phi3"), pack(a_batch(19, 7, 24, 4))
    path = HookedPath(model)
    with_adapter = path.loss(model, batch).item()
    with model.disable_adapter():
        without = path.loss(model, batch).item()
    assert without != with_adapter
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.zeros_(parameter)
    assert path.loss(model, batch).item() == pytest.approx(without, rel=1e-5)
