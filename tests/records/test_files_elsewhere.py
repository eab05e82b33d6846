"""Records as other trainers read them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lawqa.prompting import PromptSpec
from lawqa.questions import Question
from lawqa.records import make_record, write_records


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of what datasets imports
def test_datasets_reads_the_turns_of_every_record(
    tmp_path: Path, question: Callable[..., Question]
) -> None:
    datasets = pytest.importorskip("datasets", reason="the extra train is not installed")
    records = (
        make_record(question(text="前\u2028後\n続き"), PromptSpec(condition="gold")),
        make_record(question(order=4), PromptSpec("cot", few_shot=True), reasoning="一。\n二。"),
    )
    path = tmp_path / "train.jsonl"
    write_records(path, records)
    loaded = datasets.load_dataset(
        "json", data_files=str(path), split="train", cache_dir=str(tmp_path / "cache")
    )
    # As docs/serving.md gives it.
    made = loaded.map(
        lambda r: {
            "prompt": r["messages"],
            "completion": [{"role": "assistant", "content": r["answer"]}],
        },
        remove_columns=loaded.column_names,
    )
    for record, read in zip(records, made, strict=True):
        turns = [(turn["role"], turn["content"]) for turn in read["prompt"]]
        assert turns == [(message.role, message.content) for message in record.messages]
        assert read["completion"] == [{"role": "assistant", "content": record.answer}]
