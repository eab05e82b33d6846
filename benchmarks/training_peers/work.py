"""What all contenders share: the questions, the prompt, the memory cap, the clock and the result line."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

MODEL = os.environ["BENCH_MODEL"]
QUESTIONS = 100
EPOCHS = int(os.environ.get("BENCH_EPOCHS", "1"))
LEARNING_RATE = 2e-5
LORA = {"r": 16, "lora_alpha": 32}
INTRODUCTION = "あなたは日本の法律に精通したアシスタントです。次の4択問題に答えてください。\n\n"
REQUEST = "\n\n正しい選択肢の記号を a, b, c, d から1つだけ答えてください。"


def cap_memory() -> None:
    """Hold this process to a share of the card, to stand for a slice."""
    total = torch.cuda.get_device_properties(0).total_memory
    allowed = float(os.environ["BENCH_CAP_GIB"]) * 2**30
    torch.cuda.set_per_process_memory_fraction(min(1.0, allowed / total))


def questions(context: str) -> list[tuple[str, str]]:
    """(prompt, answer label) of the first questions."""
    samples = json.loads(Path(os.environ["BENCH_QUESTIONS"]).read_text(encoding="utf-8"))["samples"]
    pairs = []
    for sample in samples[:QUESTIONS]:
        law = f"【法令条文】\n{sample['コンテキスト']}\n\n" if context == "with context" else ""
        asked = f"【質問】\n{sample['問題文']}\n\n【選択肢】\n{sample['選択肢']}"
        pairs.append((INTRODUCTION + law + asked + REQUEST, sample["output"]))
    return pairs


def chat(tokenizer: Any, prompt: str) -> str:
    """The prompt in the model's chat template, thinking off."""
    text: str = tokenizer.apply_chat_template(
        [{"role": "user", "content": prompt}], tokenize=False, add_generation_prompt=True,
        enable_thinking=False,
    )  # fmt: skip
    return text


def count_tokens(tokenizer: Any, pairs: list[tuple[str, str]]) -> int:
    """Real tokens of an epoch: prompt, label and end of turn."""
    texts = [f"{chat(tokenizer, prompt)}{label}<|im_end|>" for prompt, label in pairs]
    return sum(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts)


def load_nf4() -> Any:
    """The model as QLoRA wants it; a folder without weights gets random ones."""
    if not list(Path(MODEL).glob("*.safetensors")):
        from random_models import random_model

        return random_model(Path(MODEL), torch.device("cuda"))
    from transformers import AutoModelForCausalLM, BitsAndBytesConfig

    quantisation = BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_use_double_quant=True, bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
    )  # fmt: skip
    return AutoModelForCausalLM.from_pretrained(
        MODEL, quantization_config=quantisation, device_map={"": 0}, dtype=torch.bfloat16
    )


def report(train: Callable[[], Any], tokens: int) -> None:
    """Train once to warm up and once by the clock, and print the figures, those that `train` returns too."""
    train()
    torch.cuda.reset_peak_memory_stats()
    torch.cuda.synchronize()
    began = time.perf_counter()
    given = train()
    torch.cuda.synchronize()
    figures = {
        **(given if isinstance(given, dict) else {}),
        "tokens": tokens * EPOCHS,
        "seconds": time.perf_counter() - began,
        "peak_gib": torch.cuda.max_memory_allocated() / 2**30,
    }
    print("RESULT", json.dumps(figures), flush=True)
