"""TRL's SFTTrainer as its documentation sets up QLoRA. Arguments: the condition, the batch size."""

from __future__ import annotations

import sys
import tempfile

import work
from datasets import Dataset
from peft import LoraConfig
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer

work.cap_memory()
context, batch = sys.argv[1], int(sys.argv[2])
pairs = work.questions(context)
tokenizer = AutoTokenizer.from_pretrained(work.MODEL)
rows = [
    {
        "prompt": [{"role": "user", "content": prompt}],
        "completion": [{"role": "assistant", "content": label}],
    }
    for prompt, label in pairs
]
trainer = SFTTrainer(
    model=work.load_nf4(),
    processing_class=tokenizer,
    train_dataset=Dataset.from_list(rows),
    args=SFTConfig(
        output_dir=tempfile.mkdtemp(), per_device_train_batch_size=batch, num_train_epochs=work.EPOCHS,
        learning_rate=work.LEARNING_RATE, optim="paged_adamw_8bit", logging_steps=1,
        report_to="none", bf16=True, max_length=2048, save_strategy="no", warmup_steps=0,
        gradient_checkpointing=True, completion_only_loss=True,
    ),
    peft_config=LoraConfig(**work.LORA, target_modules="all-linear", task_type="CAUSAL_LM"),
)  # fmt: skip
work.report(trainer.train, work.count_tokens(tokenizer, pairs))
