"""The forward pass of a model that was taken apart."""

from __future__ import annotations

import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lawqa.settings import ModelSettings

if TYPE_CHECKING:
    import torch
else:
    torch = pytest.importorskip("torch")

pytestmark = pytest.mark.torch


def test_what_a_layer_has_used_is_gone_before_the_next_one_begins(tiny_dir: Path) -> None:
    from lawqa.models.decoder import read_decoder
    from lawqa.models.load import load_model

    loaded = load_model(ModelSettings(model_name=str(tiny_dir)))
    decoder = read_decoder(loaded.model, loaded.dtype)
    made: dict[str, list[weakref.ref[Any]]] = {"gate": [], "up": [], "q": [], "k": [], "v": []}
    alive: list[set[str]] = []

    def watch(name: str, projection: Any) -> None:
        def after(_module: Any, _inputs: Any, output: torch.Tensor) -> None:
            if name in ("q", "gate"):  # the first of a group
                alive.append(
                    {key for key, all_ in made.items() if any(one() is not None for one in all_)}
                )
            made[name].append(weakref.ref(output))

        projection.base.register_forward_hook(after)

    for layer in decoder.layers:
        for name, projection in zip(
            ("q", "k", "v", "gate", "up"), (*layer.qkv, *layer.gate_up), strict=True
        ):
            watch(name, projection)

    def attend(_number: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        del k, v
        return torch.zeros_like(q).flatten(1)

    ids = torch.arange(6)
    with torch.no_grad():
        decoder.forward(ids, ids, attend)
    assert len(decoder.layers) == 2
    assert len(made["gate"]) == 2
    assert alive == [set(), set(), set(), set()]
