"""Unsloth's model under TRL's trainer. Arguments: the condition, the batch size."""

from __future__ import annotations

import os
import sys
import tempfile

os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"
import unsloth  # noqa: F401 - patches the others, so it comes first
import work
from datasets import Dataset
from trl import SFTConfig, SFTTrainer
from unsloth import FastLanguageModel

work.cap_memory()
context, batch = sys.argv[1], int(sys.argv[2])
pairs = work.questions(context)
model, tokenizer = FastLanguageModel.from_pretrained(
    work.MODEL, max_seq_length=2048, load_in_4bit=True
)
model = FastLanguageModel.get_peft_model(
    model, **work.LORA, lora_dropout=0.0, use_gradient_checkpointing="unsloth", bias="none",
    target_modules=[
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
    ],
)  # fmt: skip
texts = [{"text": f"{work.chat(tokenizer, p)}{label}<|im_end|>\n"} for p, label in pairs]


def train() -> None:
    """Train; its trainer cannot be started twice."""
    SFTTrainer(
        model=model, processing_class=tokenizer, train_dataset=Dataset.from_list(texts),
        args=SFTConfig(
            output_dir=tempfile.mkdtemp(), per_device_train_batch_size=batch, num_train_epochs=work.EPOCHS,
            learning_rate=work.LEARNING_RATE, optim="adamw_8bit", logging_steps=1,
            report_to="none", bf16=True, max_length=2048, save_strategy="no",
            dataset_text_field="text", warmup_steps=0,
        ),
    ).train()  # fmt: skip


work.report(train, work.count_tokens(tokenizer, pairs))
