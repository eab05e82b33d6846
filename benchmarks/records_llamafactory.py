"""What LLaMA-Factory makes of two of our records: its own loader, template and masks, on a CPU.

It runs in the environment that `records_elsewhere.sh` makes, since LLaMA-Factory's pins exclude lawqa's;
lawqa is not imported here. The result is the fixture of the tests in `tests/records`, which notice changes.

    python benchmarks/records_llamafactory.py DIR TOKENIZER > tests/records/recorded/llamafactory.json

DIR holds `lawqa.jsonl` and `dataset_info.json` as `docs/serving.md` makes them; TOKENIZER is a directory of
Qwen3's tokenizer.
"""

from __future__ import annotations

import contextlib
import importlib.machinery
import importlib.metadata
import json
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

TEMPLATES = (("qwen3_nothink", True), ("qwen3", False), ("qwen3", True))
"""LLaMA-Factory's template for Qwen3, and whether its thinking is on."""
PACKAGES = ("llamafactory", "transformers", "datasets", "peft", "trl", "torch")


def rows_of(
    data: Path, tokenizer_dir: str, template: str, *, thinking: bool
) -> list[dict[str, str]]:
    """Return prompt and learnt text of each record as LLaMA-Factory trains on them."""
    from llamafactory.data import get_dataset, get_template_and_fix_tokenizer
    from llamafactory.hparams import DataArguments, ModelArguments
    from transformers import AutoTokenizer, Seq2SeqTrainingArguments

    tokenizer: Any = AutoTokenizer.from_pretrained(tokenizer_dir)
    asked = DataArguments(
        dataset="lawqa", dataset_dir=str(data), template=template, cutoff_len=4096, enable_thinking=thinking,
        overwrite_cache=True,
    )  # fmt: skip
    model = ModelArguments(model_name_or_path=tokenizer_dir)
    with tempfile.TemporaryDirectory() as scratch:
        training = Seq2SeqTrainingArguments(output_dir=scratch, use_cpu=True, report_to=[])
        made = get_template_and_fix_tokenizer(tokenizer, asked)
        loaded = get_dataset(made, model, asked, training, "sft", tokenizer=tokenizer)[
            "train_dataset"
        ]
    found = []
    for row in loaded:
        learnt = [token for token in row["labels"] if token >= 0]
        prompt = row["input_ids"][: len(row["input_ids"]) - len(learnt)]
        if row["input_ids"][len(prompt) :] != learnt:
            raise RuntimeError("the learnt tokens are not the last ones")
        found.append({"prompt": tokenizer.decode(prompt), "learnt": tokenizer.decode(learnt)})
    return found


def main(data: Path, tokenizer_dir: str) -> None:
    """Print what LLaMA-Factory makes of the records under each template."""
    import transformers

    _ = (
        transformers.PreTrainedModel
    )  # before the stand-in, which must not look like an installed torchaudio
    # It is imported for sound, which no record of ours holds, and takes a build of its own for each torch.
    stand_in = types.ModuleType("torchaudio")
    stand_in.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
    sys.modules.setdefault("torchaudio", stand_in)
    with contextlib.redirect_stdout(sys.stderr):
        made = [
            {
                "template": template,
                "enable_thinking": thinking,
                "rows": rows_of(data, tokenizer_dir, template, thinking=thinking),
            }
            for template, thinking in TEMPLATES
        ]
    lines = (data / "lawqa.jsonl").read_text(encoding="utf-8").splitlines()
    content = {
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
        "dataset_info": json.loads((data / "dataset_info.json").read_text(encoding="utf-8")),
        "records": [json.loads(line) for line in lines],
        "made": made,
    }
    print(json.dumps(content, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
