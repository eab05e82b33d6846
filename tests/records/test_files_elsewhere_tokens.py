"""What other trainers learn of our records, token by token, under Qwen3's own tokenizer."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from lawqa.prompting import render
from lawqa.records import TrainingRecord, load_records, tokenize_record

pytestmark = [pytest.mark.torch, pytest.mark.slow]

EMPTY = "<think>\n\n</think>\n\n"


@pytest.fixture
def records(checkout: Path, tmp_path: Path) -> tuple[TrainingRecord, ...]:
    """The two records, as `train.jsonl` in the working directory of the test."""
    runpy.run_path(str(checkout / "benchmarks" / "records_for_elsewhere.py"))["main"](tmp_path)
    return tuple(load_records(tmp_path / "train.jsonl").records)


def test_llama_factory_trains_on_our_prompt_where_thinking_is_off(
    checkout: Path, records: tuple[TrainingRecord, ...], qwen_tokenizer: Any
) -> None:
    path = checkout / "tests" / "records" / "recorded" / "llamafactory.json"
    fixture = json.loads(path.read_text(encoding="utf-8"))
    made = {(one["template"], one["enable_thinking"]): one["rows"] for one in fixture["made"]}
    for number, record in enumerate(records):
        ours = render(record.messages, qwen_tokenizer, thinking=False)
        assert made["qwen3", False][number]["prompt"] == ours
        assert made["qwen3", False][number]["learnt"] == f"{record.answer}<|im_end|>\n"
        # The others ask in other words than lawqa evaluates in, as docs/serving.md warns.
        assert made["qwen3_nothink", True][number]["prompt"] == ours.removesuffix(EMPTY)
        assert made["qwen3", True][number]["learnt"].startswith(EMPTY)


def test_unsloth_trains_on_our_prompt_where_its_marks_include_the_think_block(
    checkout: Path, records: tuple[TrainingRecord, ...], qwen_tokenizer: Any
) -> None:
    path = checkout / "tests" / "records" / "recorded" / "unsloth.json"
    fixture = json.loads(path.read_text(encoding="utf-8"))
    made = {one["form"]: one["rows"] for one in fixture["made"]}
    for number, record in enumerate(records):
        ours = render(record.messages, qwen_tokenizer, thinking=False)
        learnt = f"{record.answer}<|im_end|>"
        row = {form: rows[number] for form, rows in made.items()}
        assert row["text, response_part of the block"] == {"prompt": ours, "learnt": learnt}
        off = row["prompt and completion, thinking off"]
        assert off == {"prompt": ours, "learnt": learnt + "\n"}
        # The others learn the empty block as part of the answer, as docs/serving.md warns.
        open_prompt = ours.removesuffix(EMPTY)
        for form in ("text, response_part of the role", "text, found by itself"):
            assert row[form] == {"prompt": open_prompt, "learnt": EMPTY + learnt}
        plain = row["prompt and completion"]
        assert plain == {"prompt": open_prompt, "learnt": EMPTY + learnt + "\n"}


@pytest.mark.filterwarnings("ignore")  # of what TRL imports
def test_trl_trains_on_our_prompt_where_thinking_is_off(
    tmp_path: Path,
    checkout: Path,
    tiny_dir: Path,
    records: tuple[TrainingRecord, ...],
    qwen_tokenizer: Any,
) -> None:
    trl = pytest.importorskip("trl", reason="TRL is not installed: pip install trl")
    datasets = pytest.importorskip("datasets", reason="the extra train is not installed")
    loaded = datasets.load_dataset(
        "json", data_files=str(tmp_path / "train.jsonl"), split="train", cache_dir=str(tmp_path)
    )
    page = (checkout / "docs" / "serving.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- trl -->\n```python\n(.*?)```", page, re.DOTALL)
    assert found
    names = {"load_dataset": lambda *_, **__: loaded}
    code = found[1].replace("from datasets import load_dataset\n", "")
    exec(compile(code, "serving.md", "exec"), names)  # noqa: S102 - our own page
    trainer = trl.SFTTrainer(
        model=str(tiny_dir),
        args=trl.SFTConfig(
            str(tmp_path / "out"), use_cpu=True, bf16=False, report_to=[], max_length=4096
        ),
        train_dataset=names["records"],
        processing_class=qwen_tokenizer,
    )
    for record, row in zip(records, trainer.train_dataset, strict=True):
        learnt = [token for token in row["labels"] if token >= 0]
        ours = tokenize_record(record, qwen_tokenizer, 0)
        expected = [token for token in ours.labels if token >= 0]
        assert row["input_ids"][: len(ours.input_ids)] == [*ours.input_ids]
        assert learnt[: len(expected)] == expected
        assert qwen_tokenizer.decode(learnt[len(expected) :]).strip() == ""
