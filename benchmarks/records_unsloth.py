"""What Unsloth makes of two of our records: its own loader, trainer and masks, on its CPU backend.

It runs in the environment that `records_elsewhere.sh` makes, since Unsloth's pins exclude lawqa's; lawqa is
not imported here. The result is the fixture of the tests in `tests/records`, which notice changes.

    python benchmarks/records_unsloth.py DIR MODEL > tests/records/recorded/unsloth.json

DIR holds `lawqa.jsonl` as `docs/serving.md` makes it; MODEL is a small model with Qwen3's tokenizer.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

USER, ASSISTANT, EMPTY = "<|im_start|>user\n", "<|im_start|>assistant\n", "<think>\n\n</think>\n\n"
FORMS = ("text, response_part of the block", "text, response_part of the role", "text, found by itself",
         "prompt and completion, thinking off", "prompt and completion")  # fmt: skip
PACKAGES = ("unsloth", "unsloth_zoo", "transformers", "datasets", "peft", "trl", "torch")


def rows_of(form: str, turns: list[list[dict[str, str]]], model_dir: str) -> list[dict[str, str]]:
    """Return prompt and learnt text of each record as Unsloth's trainer would learn them."""
    import unsloth
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    model, tokenizer = unsloth.FastLanguageModel.from_pretrained(
        model_dir, max_seq_length=4096, load_in_4bit=True
    )
    model = unsloth.FastLanguageModel.get_peft_model(model, r=4, lora_alpha=8)
    if form.startswith("text"):
        read = unsloth.standardize_sharegpt(Dataset.from_list([{"messages": t} for t in turns]))
        texts = [tokenizer.apply_chat_template(r["messages"], tokenize=False) for r in read]
        data = Dataset.from_list([{"text": text} for text in texts])
    else:
        off = {"chat_template_kwargs": {"enable_thinking": False}} if "off" in form else {}
        data = Dataset.from_list([{"prompt": t[:-1], "completion": t[-1:], **off} for t in turns])
    with tempfile.TemporaryDirectory() as scratch:
        trainer = SFTTrainer(
            model=model,
            processing_class=tokenizer,
            train_dataset=data,
            args=SFTConfig(scratch, max_length=4096, report_to="none", bf16=False, max_steps=1),
        )
        if "response_part" in form:
            part = ASSISTANT + (EMPTY if "block" in form else "")
            trainer = unsloth.train_on_responses_only(
                trainer, instruction_part=USER, response_part=part
            )
        elif "itself" in form:
            trainer = unsloth.train_on_responses_only(trainer)
        trainer.train()
        batch = trainer.data_collator([trainer.train_dataset[n] for n in range(len(turns))])
    return [
        _split(tokenizer, *pair) for pair in zip(batch["input_ids"], batch["labels"], strict=True)
    ]


def _split(tokenizer: Any, tokens: Any, labels: Any) -> dict[str, str]:
    """Return what precedes the first learnt token, and what is learnt, without padding."""
    learnt = [n for n, label in enumerate(labels.tolist()) if label >= 0]
    if learnt != list(range(learnt[0], learnt[-1] + 1)):
        raise RuntimeError("the learnt tokens are not one piece")
    return {
        "prompt": tokenizer.decode(tokens[: learnt[0]]),
        "learnt": tokenizer.decode(tokens[learnt[0] : learnt[-1] + 1]),
    }


def main(data: Path, model_dir: str) -> None:
    """Print what Unsloth makes of the records in each form."""
    os.environ["UNSLOTH_DISABLE_STATISTICS"] = "1"
    lines = (data / "lawqa.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    turns = [record["messages"] for record in records]
    with contextlib.redirect_stdout(sys.stderr):
        made = [{"form": form, "rows": rows_of(form, turns, model_dir)} for form in FORMS]
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    print(
        json.dumps(
            {"versions": versions, "records": records, "made": made}, ensure_ascii=False, indent=1
        )
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
