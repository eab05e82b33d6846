"""Thoughts of 2,000 tokens through the whole evaluation: nothing is lost, nothing in them is an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import Question, write_questions

STEP = "選択肢{label}を条文に照らす。最終回答：{label}\nAnswer: {label}\n正解は{label}である。いや、待て。\n"
"""About 50 tokens, each step committing to a label in three ways."""


def thought(away_from: str) -> str:
    labels = [label for label in "abcd" if label != away_from]
    return "".join(STEP.format(label=labels[n % 3]) for n in range(46))


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["direct", "cot"])
def test_long_thoughts_are_stored_whole_and_never_parsed(
    tmp_path: Path, embedded_questions: tuple[Question, ...], mode: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    asked = embedded_questions[:6]
    write_questions(tmp_path / "q.json", asked)
    answer = "最終回答：{}" if mode == "cot" else "{}"
    table: dict[str, Any] = {}
    for number, question in enumerate(asked):
        inside = thought(question.gold)
        whole = f"<think>\n{inside}</think>\n\n{answer.format(question.gold)}"
        opened = f"{inside}</think>\n\n{answer.format(question.gold)}"
        cut = f"<think>\n{inside}"
        # As a template that opens the block leaves it; and one that its limit cut inside the thought.
        entries = [{"text": whole}, {"text": opened, "in_thought": True},
                   {"text": cut, "hit_limit": True, "stopped": "limit"}]  # fmt: skip
        table[question.id] = entries[number % 3]
    (tmp_path / "s.json").write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    code = main([
        "evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json", "--thinking",
        "--mode", mode, "--ensemble", "4", "--permutations", "4", "--run-dir", "r",
        "--no-force-answers",
    ])  # fmt: skip
    assert code == 0
    lines = (tmp_path / "r" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert len(rows) == 24
    for row in rows:
        entry = table[row["file_name"]]
        assert row["response"] == entry["text"]
        if entry.get("hit_limit"):
            assert (row["predicted_answer"], row["outcome"]) == (None, "truncated")
        else:
            # What the text names is a label as shown, whatever the order; never one of the thought's.
            gold = next(q.gold for q in asked if q.id == row["file_name"])
            assert (row["predicted_answer"], row["outcome"] != "truncated") == (gold, True)
    assert sum(row["outcome"] == "truncated" for row in rows) == 8
