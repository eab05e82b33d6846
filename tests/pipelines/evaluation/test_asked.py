"""Questions are read when they are asked: what an evaluation holds hardly grows with their number."""

from __future__ import annotations

import gc
import json
import shutil
import tracemalloc
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.errors import DataError
from lawqa.pipelines.comparing.comparison import compare_runs
from lawqa.pipelines.comparing.rescore import rescore
from lawqa.pipelines.evaluation.asked import AskedPrompts
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import Question

MOST_BYTES = {"evaluate": 2500, "resume": 2500, "compare": 4000, "rescore": 2000}
"""What a further question may add to the peak: a fifth more than it does; its texts have 22 KB."""

CONTEXT = "届出書を提出した者は、その書面を交付しなければならない。" * 50


def write_set(path: Path, number: int) -> Path:
    samples = [
        {
            "ファイル名": f"試験法_第2章_選択式_関連法令_問題番号{i}", "コンテキスト": f"{i}{CONTEXT}",
            "問題文": f"第{i}号で正しいものはどれか。", "output": "abcd"[i % 4],
            # The same for all: the parser remembers what a few hundred sets of choices look like.
            "選択肢": "a 一年\nb 二年\nc 三年\nd 四年",
        }
        for i in range(number)
    ]  # fmt: skip
    path.write_text(json.dumps({"samples": samples}, ensure_ascii=False), encoding="utf-8")
    return path


def asked(config: EvaluationConfig) -> None:
    backend = ScriptedBackend({"*": "この条文によれば届出は不要である。\n最終回答：c"})
    evaluate(config, lambda *_: backend)


def peak(work: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    work()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


@pytest.fixture
def small_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few hundred questions fill what is of fixed size."""
    monkeypatch.setattr("lawqa.files.streaming._PIECE", 2**13)
    monkeypatch.setattr("lawqa.questions.reading._PIECE", 2**13)
    monkeypatch.setattr("lawqa.questions.reading._KEPT", 4)


@pytest.mark.usefixtures("small_buffers")
def test_a_further_question_costs_a_tenth_of_its_texts(tmp_path: Path) -> None:
    """A question with its context has 5 KB in memory, its prompt another 5, its stored answer 12."""
    few, many = 50, 250
    for number in (few, many):
        write_set(tmp_path / f"{number}.json", number)

    def ask(number: int, *, resume: bool = False) -> None:
        config = EvaluationConfig(
            tmp_path / f"{number}.json", PromptSpec("cot", "gold"), "generate", "scripted",
            run_dir=tmp_path / f"run{number}", quiet=True, resume=resume,
        )  # fmt: skip
        asked(config)

    def compare(number: int) -> None:
        compare_runs(tmp_path / f"run{number}", tmp_path / f"copy{number}")

    ask(few)
    shutil.rmtree(tmp_path / f"run{few}")  # what is imported and remembered once is there now
    growth = {"evaluate": growth_of(ask, few, many)}
    growth["resume"] = growth_of(lambda number: ask(number, resume=True), few, many)
    for number in (few, many):
        shutil.copytree(tmp_path / f"run{number}", tmp_path / f"copy{number}")
    compare(few)
    growth["compare"] = growth_of(compare, few, many)
    growth["rescore"] = growth_of(lambda number: rescore(tmp_path / f"run{number}"), few, many)
    assert {name: size for name, size in growth.items() if size > MOST_BYTES[name]} == {}


def growth_of(work: Callable[[int], object], few: int, many: int) -> float:
    """How many bytes a further question adds to the peak."""
    most = [peak(partial(work, number)) for number in (few, many)]
    return (most[1] - most[0]) / (many - few)


def test_a_question_that_cannot_be_put_is_known_before_anything_is_asked(
    question: Callable[..., Question],
) -> None:
    put = [question(id="民法_1"), question(id="民法_2")]

    def refuse_the_second(one: Question) -> object:
        if one.id == "民法_2":
            raise DataError("民法_2: cannot be put")
        return build_prompt(one, PromptSpec())

    with pytest.raises(DataError, match="民法_2: cannot be put"):
        AskedPrompts.of(put, refuse_the_second)  # type: ignore[arg-type]


def test_prompts_are_found_by_their_keys(question: Callable[..., Question]) -> None:
    put = [question(id="民法_1"), question(id="民法_2", order=3)]
    prompts = AskedPrompts.of(put, lambda one: build_prompt(one, PromptSpec()))
    assert list(prompts.keys(2)) == [
        ("民法_1#1", 0), ("民法_1#1", 1), ("民法_2#3", 0), ("民法_2#3", 1),
    ]  # fmt: skip
    assert list(prompts.ids) == ["民法_1", "民法_2"]
    (second,) = prompts.of_keys(["民法_2#3"])
    assert second == build_prompt(put[1], PromptSpec())
    assert prompts.sizes[1] == sum(len(turn.content.encode()) for turn in second.messages)
