"""Models of published shapes with random weights, made on the device: nothing is downloaded or written.

Speed and memory follow from shapes alone. Weights go through transformers' own loading and quantisation,
so a model is what `from_pretrained` would give; only the files are left out.

    python benchmarks/random_models.py Qwen3-8B FOLDER --tokenizer DIR

writes config and tokenizer, which other benchmarks take as a model.
"""

from __future__ import annotations

import argparse
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from lawqa.models.attention.choice import keep_to_safe_kernels
from lawqa.models.attention.hooked import hook_attention
from lawqa.models.defragment import defragment
from lawqa.models.device import pick_device
from lawqa.models.load import load_tokenizer
from lawqa.models.loaded import LoadedModel
from lawqa.models.quantisation import keep_cpu_gradients_right, quantisation
from lawqa.settings import ModelSettings


def _shape(*numbers: int, **more: Any) -> dict[str, Any]:
    names = ("hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
             "num_key_value_heads", "head_dim", "vocab_size")  # fmt: skip
    return {**dict(zip(names, numbers, strict=True)), **more}


_GEMMA3 = {"query_pre_attn_scalar": 256, "tie_word_embeddings": True}
SHAPES: dict[str, tuple[str, dict[str, Any]]] = {
    "Qwen2.5-1.5B": ("qwen2", _shape(1536, 8960, 28, 12, 2, 128, 151936, tie_word_embeddings=True)),
    "Qwen2.5-3B": ("qwen2", _shape(2048, 11008, 36, 16, 2, 128, 151936, tie_word_embeddings=True)),
    "Qwen3-1.7B": ("qwen3", _shape(2048, 6144, 28, 16, 8, 128, 151936, tie_word_embeddings=True)),
    "Qwen3-4B": ("qwen3", _shape(2560, 9728, 36, 32, 8, 128, 151936, tie_word_embeddings=True)),
    "Qwen3-8B": ("qwen3", _shape(4096, 12288, 36, 32, 8, 128, 151936)),
    "Llama-3.2-1B": ("llama", _shape(2048, 8192, 16, 32, 8, 64, 128256, tie_word_embeddings=True)),
    "Llama-3.1-8B": ("llama", _shape(4096, 14336, 32, 32, 8, 128, 128256)),
    "Mistral-7B": ("mistral", _shape(4096, 14336, 32, 32, 8, 128, 32768, sliding_window=None)),
    "Gemma-2-2B": ("gemma2", _shape(2304, 9216, 26, 8, 4, 256, 256000, tie_word_embeddings=True)),
    "Gemma-3-4B": ("gemma3_text", _shape(2560, 10240, 34, 8, 4, 256, 262208, **_GEMMA3)),
    "Gemma-3-270M": ("gemma3_text", _shape(640, 2048, 18, 4, 1, 256, 262144, sliding_window=512,
                                           **_GEMMA3)),
    "OLMo-2-1B": ("olmo2", _shape(2048, 8192, 16, 16, 16, 128, 100352)),
    "Phi-3-mini": ("phi3", _shape(3072, 8192, 32, 32, 32, 96, 32064, sliding_window=2047)),
}  # fmt: skip
"""Architecture and sizes, by name."""


def write_folder(name: str, folder: Path, tokenizer: Any, *, narrow: bool = False) -> None:
    """Write config and tokenizer of a model, without weights.

    Args:
        name: one of `SHAPES`.
        folder: where to; made if needed.
        tokenizer: a tokenizer whose ids fit the shape's vocabulary.
        narrow: two narrow layers instead, to try a script on any machine.
    """
    kind, numbers = SHAPES[name]
    if narrow:
        heads = numbers["num_attention_heads"] // numbers["num_key_value_heads"]
        numbers = numbers | _shape(64, 128, 2, 2 * heads, 2, 64, max(1024, len(tokenizer)))
        if kind == "phi3":
            numbers["hidden_size"] = numbers["head_dim"] * numbers["num_attention_heads"]
    config = AutoConfig.for_model(
        kind, **numbers, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
        bos_token_id=None, max_position_embeddings=32768,
    )  # fmt: skip
    config.architectures = [type(_empty(config)).__name__]
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def random_model(folder: Path, device: torch.device, *, seed: int = 0) -> Any:
    """Make the model of a folder's config in NF4 with double quantisation, products in bfloat16.

    While it is made it is also held whole, beyond any cap on the memory of this process.
    """
    with _uncapped(device):
        model = _quantised(AutoConfig.from_pretrained(folder), device, seed)
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    return model


def _quantised(config: Any, device: torch.device, seed: int) -> Any:
    empty = _empty(config)
    generator = torch.Generator(device).manual_seed(seed)
    weights = {}
    for key, parameter in empty.named_parameters():
        weight = torch.empty(parameter.shape, dtype=torch.bfloat16, device=device)
        weights[key] = (
            weight.fill_(1) if "norm" in key else weight.normal_(0, 0.02, generator=generator)
        )
    return type(empty).from_pretrained(
        None, config=config, state_dict=weights, dtype=torch.bfloat16, device_map={"": device},
        quantization_config=quantisation("nf4", torch.bfloat16),
    )  # fmt: skip


@contextmanager
def _uncapped(device: torch.device) -> Iterator[None]:
    if device.type != "cuda":
        yield
        return
    share = torch.cuda.get_per_process_memory_fraction()
    torch.cuda.set_per_process_memory_fraction(1.0)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(share)


def random_loaded(folder: Path) -> LoadedModel:
    """Make the model as `lawqa.models.load.load_model` would give it."""
    keep_to_safe_kernels()
    device = pick_device()
    model = random_model(folder, device)
    hook_attention(model)
    if device.type == "cpu":
        keep_cpu_gradients_right(model)
    model.eval()
    defragment(model, device)
    tokenizer = load_tokenizer(str(folder))
    settings = ModelSettings(model_name=str(folder), load_in_4bit=True, quant_type="nf4")
    stop = (tokenizer.eos_token_id,)
    return LoadedModel(model, tokenizer, settings, device, torch.bfloat16, stop)


def _empty(config: Any) -> Any:
    """The model without memory for its weights."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)


def main() -> None:
    """Write a folder."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=SHAPES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True, help="a folder with a tokenizer")
    parser.add_argument("--narrow", action="store_true", help="two narrow layers")
    options = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(options.tokenizer)
    write_folder(options.name, options.folder, tokenizer, narrow=options.narrow)


if __name__ == "__main__":
    main()
