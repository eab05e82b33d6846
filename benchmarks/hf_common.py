"""What the measurements on a GPU share: the memory cap, the prompts, timing, and the loading peak."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from random_models import random_loaded

from lawqa.models.defragment import defragment
from lawqa.models.load import LoadedModel, load_model, no_peft_warnings
from lawqa.prompting import Condition, Mode, Prompt, PromptSpec, build_prompt
from lawqa.questions import read_questions
from lawqa.settings import ModelSettings

RANDOM = Path("random")


def cap_memory(gib: float) -> None:
    """Let this process use so much of the card, as on a MIG slice."""
    if torch.cuda.is_available():
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, gib * 2**30 / total))


def load(model: str, adapter: Path | None, *, four_bit: bool = True) -> LoadedModel:
    """Load, and print what that cost; a folder without weights gets random ones, in 4 bits.

    An adapter called "random" is made here.
    """
    if adapter == RANDOM:
        return adapted(load(model, None, four_bit=four_bit))
    began = time.perf_counter()
    if Path(model).is_dir() and not list(Path(model).glob("*.safetensors")):
        if adapter is not None or not four_bit:
            raise SystemExit(f"{model}: no weights, and random ones have no adapter and 4 bits")
        loaded = random_loaded(Path(model))
    else:
        loaded = load_model(ModelSettings(model_name=model, load_in_4bit=four_bit), adapter)
    seconds = time.perf_counter() - began
    print(
        f"load: {seconds:.1f} s, peak {peak():.2f} GiB, resident {resident():.2f} GiB", flush=True
    )
    return loaded


def adapted(loaded: LoadedModel) -> LoadedModel:
    """The model with an adapter of random weights that moves its answers a little."""
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(0)
    lora = LoraConfig(
        r=16, target_modules="all-linear", task_type="CAUSAL_LM", init_lora_weights=False
    )
    with no_peft_warnings():
        model = get_peft_model(loaded.model, lora).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.mul_(0.1)
    defragment(model, loaded.device)
    return replace(loaded, model=model, adapter=Path("made here"))


def prompts(data: Path, condition: Condition = "closed", mode: Mode = "direct") -> list[Prompt]:
    """Every question of a file as a prompt."""
    spec = PromptSpec(mode, condition)
    return [build_prompt(question, spec) for question in read_questions(data)]


def peak() -> float:
    """The most GiB that tensors have held on the card since the last `reset_peak`."""
    return torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0


def resident() -> float:
    """The GiB that tensors hold now."""
    return torch.cuda.memory_allocated() / 2**30 if torch.cuda.is_available() else 0.0


def reset_peak() -> None:
    """Forget what tensors held before, and give back what torch keeps without using it; what only circles
    of references still hold, as of an engine that has run, goes first.
    """
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def synchronised() -> float:
    """The time, once the card is idle."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def graph_ms(work: Callable[[], Any], replays: int = 10) -> float:
    """Milliseconds of some work on the card without the cost of launching it, from a CUDA graph."""
    for _ in range(2):
        work()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    graph.replay()
    began = synchronised()
    for _ in range(replays):
        graph.replay()
    return (synchronised() - began) / replays * 1e3
