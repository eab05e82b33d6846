"""What of a small update's gain in loss arrives in bfloat16, and the first steps, beside float32.

    python benchmarks/first_steps.py MODEL_DIR QUESTIONS.json [--label before] [--steps 10] [--asked 84]
        [--a-step 28] [--micro-batch 14]

The folder has config and tokenizer; weights are random (`random_models.py`). The same numbers, dequantised,
make a float32 model whose products are in TF32. First B of every adapter is set to -eps times the sign of its
gradient, in both models, and the loss over --a-step closed-book questions is taken before and after: GAIN
lines. Then AdamW at 2e-4 trains both from the same beginning, with the questions in turn: STEPS lines,
one loss a step. Every question is to be answered "a", which a model soon knows, so that few steps say enough.

One process measures the version of lawqa that it imports; for another one, set PYTHONPATH to its checkout.
Qwen3-8B needs 45 GB of GPU memory, for float32; a folder made with --narrow is tried on a CPU.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from bitsandbytes.functional import dequantize_4bit
from hf_common import prompts
from peft import get_peft_model
from random_models import random_loaded
from torch import Tensor
from transformers import AutoConfig, AutoModelForCausalLM

from lawqa.backends.hf.encoded import encode
from lawqa.models.load import LoadedModel, no_peft_warnings
from lawqa.records import IGNORED
from lawqa.settings import Hyperparameters
from lawqa.training.adapter import add_adapter
from lawqa.training.data.collate import LeftPadCollator
from lawqa.training.fast import FastPath, pack

EPS = (1e-5, 3e-5, 1e-4, 2e-4, 4e-4)
LEARNING_RATE = 2e-4
ANSWER = "a<|im_end|>"


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("model", type=Path, help="a folder with config and tokenizer")
    parser.add_argument("questions", type=Path, help="lawqa_jp's selection.json")
    parser.add_argument("--label", default="this version", help="names the code in every line")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--asked", type=int, default=84, help="questions, taken in turn")
    parser.add_argument("--a-step", type=int, default=28, help="questions of one step")
    parser.add_argument(
        "--micro-batch", type=int, default=14, help="questions of one pass; float32 takes half"
    )
    return parser.parse_args()


@dataclass
class Trained:
    """A model with its adapter, the path that computes its loss, and the questions it is asked."""

    kind: str
    model: Any
    path: FastPath
    rows: list[list[int]]
    """Prompt ids, a question each."""
    answer: list[int]
    a_step: int
    micro_batch: int

    def adapters(self) -> list[tuple[str, Tensor]]:
        """The trainable numbers by name."""
        return [(name, p) for name, p in self.model.named_parameters() if "lora_" in name]

    def parts(self, first: int) -> Iterator[dict[str, Tensor]]:
        """The micro-batches of the step that begins at a question."""
        collator = LeftPadCollator(0)
        device = next(self.model.parameters()).device
        asked = self.rows[first : first + self.a_step]
        for begin in range(0, len(asked), self.micro_batch):
            features: Any = [
                {
                    "input_ids": row + self.answer,
                    "labels": [IGNORED] * len(row) + self.answer,
                    "record": number,
                    "reading": False,
                }
                for number, row in enumerate(asked[begin : begin + self.micro_batch])
            ]
            batch = collator(features)
            keys = ("input_ids", "labels", "attention_mask")
            yield {key: batch[key].to(device) for key in keys}

    def loss(self, first: int) -> float:
        """The loss of an answer token, in nats, without gradients."""
        with torch.no_grad():
            return sum(float(self.path.loss(pack(part))) for part in self.parts(first)) / self._of()

    def backward(self, first: int) -> float:
        """The loss of an answer token; the adapters get its gradient."""
        for _, parameter in self.adapters():
            parameter.grad = None
        total = 0.0
        for part in self.parts(first):
            loss = self.path.loss(pack(part)) / self._of()
            loss.backward()
            total += float(loss.detach())
        return total

    def put(self, numbers: dict[str, Tensor]) -> None:
        """Set the adapters."""
        with torch.no_grad():
            for name, parameter in self.adapters():
                parameter.copy_(numbers[name])

    def _of(self) -> int:
        return self.a_step * len(self.answer)


def float32_copy(folder: Path, quantised: Any) -> Any:
    """The same model with its weights dequantised to float32, and the same adapters."""
    with torch.device("meta"):
        whole = AutoModelForCausalLM.from_config(
            AutoConfig.from_pretrained(folder), dtype=torch.float32
        )
    device = next(quantised.parameters()).device
    whole = whole.to_empty(device=device)
    # Its frequencies are buffers, which `to_empty` leaves as garbage.
    whole.model.rotary_emb = copy.deepcopy(quantised.get_base_model().model.rotary_emb)
    source = {
        name.replace("base_model.model.", "").replace(".base_layer", ""): parameter
        for name, parameter in quantised.named_parameters()
        if "lora_" not in name
    }
    with torch.no_grad():
        for name, parameter in whole.named_parameters():
            weight = source[name]
            state = getattr(weight, "quant_state", None)
            parameter.copy_(weight if state is None else dequantize_4bit(weight.data, state))
    with no_peft_warnings():
        return get_peft_model(whole, copy.deepcopy(quantised.peft_config["default"]))


def pair(loaded: LoadedModel, folder: Path, options: argparse.Namespace) -> list[Trained]:
    """The model in 4 bits with bfloat16 adapters, and its float32 copy."""
    asked = prompts(options.questions, "closed")[: options.asked]
    rows = [list(encode(prompt, loaded.tokenizer).ids) for prompt in asked]
    if len(rows) < options.a_step:
        raise SystemExit(f"{len(rows)} questions do not fill a step of {options.a_step}")
    answer = loaded.tokenizer.encode(ANSWER, add_special_tokens=False)
    torch.manual_seed(0)
    quantised = add_adapter(loaded, Hyperparameters(lora_r=16, lora_dropout=0.0))
    blocks = len(quantised.get_base_model().model.layers)
    whole = float32_copy(folder, quantised)
    # Half of the blocks keep their activations, so that both ways of a block are measured.
    kept: Callable[[int], int] = lambda _: blocks // 2  # noqa: E731 - its type is spelled
    size = options.micro_batch
    given = (rows, answer, options.a_step)
    half = Trained("bf16", quantised, FastPath(quantised, kept), *given, size)
    exact = Trained("float32", whole, FastPath(whole, lambda _: 0), *given, max(1, size // 2))
    exact.put(dict(half.adapters()))
    return [half, exact]


def gains(
    models: Sequence[Trained], initial: dict[str, Tensor], options: argparse.Namespace
) -> None:
    """Print the gain of updates of different sizes, and bfloat16's share of float32's."""
    half, exact = models
    half.backward(0)
    sign = {
        name: p.grad.sign()
        for name, p in half.adapters()
        if "lora_B" in name and p.grad is not None
    }  # fmt: skip
    starts = {one.kind: one.loss(0) for one in models}
    print("START", json.dumps({"code": options.label, **starts}), flush=True)
    for eps in EPS:
        moved = {n: p - eps * sign[n].to(p.dtype) if n in sign else p for n, p in initial.items()}
        gain = {}
        for one in models:
            one.put(moved)
            gain[one.kind] = starts[one.kind] - one.loss(0)
        share = round(gain[half.kind] / gain[exact.kind], 3)
        line = {"code": options.label, "eps": eps, **gain, "share": share}
        print("GAIN", json.dumps(line), flush=True)  # fmt: skip


def steps(one: Trained, initial: dict[str, Tensor], options: argparse.Namespace) -> list[float]:
    """The loss of each of the first steps."""
    one.put(initial)
    optimiser = torch.optim.AdamW(
        [p for _, p in one.adapters()], lr=LEARNING_RATE, weight_decay=0.0
    )
    curve = []
    whole_steps = len(one.rows) // one.a_step
    for number in range(options.steps):
        curve.append(round(one.backward(number % whole_steps * one.a_step), 4))
        optimiser.step()
    return curve


def main() -> None:
    """Measure and print."""
    options = arguments()
    torch.backends.cuda.matmul.allow_tf32 = True
    began = time.perf_counter()
    models = pair(random_loaded(options.model), options.model, options)
    initial = {name: p.detach().clone() for name, p in models[0].adapters()}
    gains(models, initial, options)
    for one in models:
        line = {"code": options.label, "kind": one.kind, "loss": steps(one, initial, options)}
        print("STEPS", json.dumps(line), flush=True)  # fmt: skip
    print(f"{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
