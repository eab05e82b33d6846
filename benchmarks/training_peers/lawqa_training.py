"""lawqa's trainer over the questions that all contenders train on."""

from __future__ import annotations

import tempfile
from pathlib import Path

import work
from hf_common import load

from lawqa.records import IGNORED, TokenizedRecord
from lawqa.settings import Hyperparameters
from lawqa.training.adapter import add_adapter
from lawqa.training.fit import fit


def run(context: str, batch: int) -> None:
    """Train twice, the second time by the clock, rehearsal included."""
    work.cap_memory()
    pairs = work.questions(context)
    loaded = load(work.MODEL, None)
    tokenizer = loaded.tokenizer
    records = []
    for number, (prompt, label) in enumerate(pairs):
        asked = tokenizer.encode(work.chat(tokenizer, prompt), add_special_tokens=False)
        answer = tokenizer.encode(f"{label}<|im_end|>", add_special_tokens=False)
        records.append(
            TokenizedRecord(str(number), asked + answer, [IGNORED] * len(asked) + answer)
        )
    config = Hyperparameters(
        num_epochs=work.EPOCHS, batch_size=batch, gradient_accumulation_steps=1, lora_dropout=0.0,
        learning_rate=work.LEARNING_RATE, warmup_ratio=0.0, max_seq_length=4096, save_minutes=0,
    )  # fmt: skip
    model = add_adapter(loaded, config)

    def train() -> dict[str, float]:
        with tempfile.TemporaryDirectory() as directory:
            figures = fit(loaded, model, records, config, Path(directory), quiet=True)
        return {"loop_tokens_per_s": round(figures.tokens / figures.seconds)}

    work.report(train, sum(len(record.input_ids) for record in records))
