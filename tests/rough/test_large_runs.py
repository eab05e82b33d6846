"""Many questions: time grows in step with them, memory hardly, and going on is a matter of reading."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.rough

# In a process of its own, so that its highest memory is its own.
MEASURED = """
import json, resource, sys, time
from pathlib import Path
from lawqa.backends.scripted import ScriptedBackend
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
from lawqa.prompting import PromptSpec

config = EvaluationConfig(Path(sys.argv[1]), PromptSpec(), "logits", "scripted", run_dir=Path(sys.argv[2]),
                          resume=True, quiet=True)
calls = []
class Counting(ScriptedBackend):
    def score_choices(self, prompts):
        calls.extend(prompts)
        yield from super().score_choices(prompts)
started = time.process_time()
result = evaluate(config, lambda *_: Counting({"*": "c"}))
seconds = time.process_time() - started
print(json.dumps({"seconds": seconds, "asked": len(calls), "correct": result.summary.accuracy.correct,
                  "kib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}))
"""


def write_questions(path: Path, number: int) -> Path:
    samples = [
        {
            "ファイル名": f"試験法_{i}", "コンテキスト": "", "問題文": f"第{i}号で正しいものはどれか。",
            "指示": "", "選択肢": f"a 一の{i}\nb 二の{i}\nc 三の{i}\nd 四の{i}", "output": "abcd"[i % 4],
            "references": [],
        }
        for i in range(number)
    ]  # fmt: skip
    path.write_text(json.dumps({"samples": samples}, ensure_ascii=False), encoding="utf-8")
    return path


def measured(data: Path, run_dir: Path) -> dict[str, Any]:
    done = subprocess.run(  # noqa: S603 - the test's own words
        [sys.executable, "-c", MEASURED, str(data), str(run_dir)],
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_time_grows_in_step_with_the_questions_and_going_on_asks_nothing(
    tmp_path: Path, rough: bool, record_property: Any
) -> None:
    small, large = (10_000, 100_000) if rough else (200, 2_000)
    few = measured(write_questions(tmp_path / "few.json", small), tmp_path / "few")
    data = write_questions(tmp_path / "many.json", large)
    many = measured(data, tmp_path / "many")
    assert (many["asked"], many["correct"]) == (large, large // 4)
    again = measured(data, tmp_path / "many")
    assert (again["asked"], again["correct"]) == (0, large // 4)
    # As a kill would leave it: the last tenth is missing, and half a line.
    results = tmp_path / "many" / "results.jsonl"
    lines = results.read_bytes().splitlines(keepends=True)
    results.write_bytes(b"".join(lines[: large * 9 // 10]) + lines[-1][:50])
    rest = measured(data, tmp_path / "many")
    assert (rest["asked"], rest["correct"]) == (large // 10, large // 4)
    per_question = (many["kib"] - few["kib"]) / (large - small)
    record_property("measured", {"few": few, "many": many, "again": again, "rest": rest})
    if rough:
        # Ten times the questions; twice that leaves room for sorting, Python's collector and busy neighbours.
        assert many["seconds"] < 20 * few["seconds"], "time is linear"
        # Questions, prompts and where their answers stand; an answer with its prompt has 2 KiB by itself.
        assert per_question < 12


def test_memory_does_not_grow_with_the_length_of_answers(tmp_path: Path, rough: bool) -> None:
    """Results are never held in memory whole: long texts cost disk only."""
    number, length = (5_000, 40_000) if rough else (200, 40_000)
    data = write_questions(tmp_path / "q.json", number)
    code = MEASURED.replace('"logits"', '"generate"').replace(
        '{"*": "c"}', f'{{"*": "あ" * {length} + "最終回答\uff1ac"}}'
    )
    done = subprocess.run(  # noqa: S603 - the test's own words
        [sys.executable, "-c", code, str(data), str(tmp_path / "r")],
        capture_output=True,
        text=True,
        check=True,
    )
    written = (tmp_path / "r" / "results.jsonl").stat().st_size
    assert written > number * length
    found = json.loads(done.stdout)
    assert found["correct"] == number // 4
    if rough:
        assert found["kib"] * 1024 < written, "200 MB of texts and more were not held at once"
