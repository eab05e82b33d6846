"""Records as other trainers read them."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

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


@pytest.mark.parametrize("tool", ["llamafactory", "unsloth"])
def test_other_tools_were_recorded_on_the_records_and_the_page_of_today(
    tool: str, tmp_path: Path, checkout: Path
) -> None:
    made = runpy.run_path(str(checkout / "benchmarks" / "records_for_elsewhere.py"))
    made["main"](tmp_path)
    path = checkout / "tests" / "records" / "recorded" / f"{tool}.json"
    fixture: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    lines = (tmp_path / "lawqa.jsonl").read_text(encoding="utf-8").splitlines()
    again = f"sh benchmarks/records_elsewhere.sh ... {tool} records it again"
    assert [json.loads(line) for line in lines] == fixture["records"], again
    info = json.loads((tmp_path / "dataset_info.json").read_text(encoding="utf-8"))
    assert fixture.get("dataset_info", info) == info, again
