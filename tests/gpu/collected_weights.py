"""Compare each packed weight, as computed with on two GPUs, with what was loaded: `torchrun` starts it."""

from __future__ import annotations

import sys
from typing import Any

import torch

from lawqa.models.load import load_model
from lawqa.settings import Hyperparameters, ModelSettings
from lawqa.training.adapter import add_adapter
from lawqa.training.processes.sharding import share_out


def main() -> None:
    """Print how many packed weights differ in a forward pass; the first process does."""
    torch.distributed.init_process_group("nccl")
    rank = torch.distributed.get_rank()
    torch.cuda.set_device(rank)
    loaded = load_model(ModelSettings(model_name=sys.argv[1], load_in_4bit=True), sharded=True)
    model = add_adapter(loaded, Hyperparameters())
    layers = {n: m for n, m in model.named_modules() if hasattr(m, "quant_state")}
    expected = {name: packed_bytes(layer) for name, layer in layers.items()}
    share_out(loaded, model)
    found: dict[str, torch.Tensor] = {}
    for name, layer in layers.items():
        layer.register_forward_pre_hook(
            lambda m, _, name=name: found.update({name: packed_bytes(m)})
        )
    with torch.no_grad():
        model(input_ids=torch.arange(4, device=loaded.device)[None])
    torch.distributed.destroy_process_group()
    differ = sum(not torch.equal(found[name], expected[name]) for name in layers)
    if rank == 0:
        print(f"of {len(layers)} packed weights {differ} differ")


def packed_bytes(layer: Any) -> torch.Tensor:
    """A copy of a 4-bit layer's weights as bytes, on the CPU."""
    bits: torch.Tensor = layer.weight.data.view(torch.uint8).flatten().cpu().clone()
    return bits


if __name__ == "__main__":
    main()
