"""Dev accuracy by generation: weights as without it, resumed in the middle of a text, costs and refusals."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import write_questions
from lawqa.records import make_record, write_records
from lawqa.training.dev_answer import DevAnswer

pytestmark = pytest.mark.torch

COT = PromptSpec("cot", "gold")


class Work:
    """A directory with records that reason, dev questions, and the command that trains on them."""

    def __init__(self, directory: Path, model: Path, questions: Any) -> None:
        self.directory = directory
        self.model = model
        told = "この場合、資料の定める要件を満たす。"
        write_records(
            directory / "cot.jsonl", [make_record(q, COT, reasoning=told) for q in questions[:12]]
        )
        write_records(
            directory / "letters.jsonl", [make_record(q, PromptSpec()) for q in questions[:12]]
        )
        write_records(
            directory / "dev.jsonl", [make_record(q, COT, reasoning=told) for q in questions[12:14]]
        )
        write_questions(directory / "dev.json", questions[12:22])

    def train(self, name: str, *more: str, file: str = "cot.jsonl") -> int:
        return main(
            [
                "train", "--model-name", str(self.model), "--train-file", str(self.directory / file),
                "--output-dir", str(self.directory / name), "--use-4bit", "--num-epochs", "4",
                "--batch-size", "4", "--gradient-accumulation-steps", "1", "--learning-rate", "1e-2",
                "--lora-dropout", "0.1", "--save-steps", "2", "--do-train", *more,
            ]
        )  # fmt: skip

    def dev(self, *more: str) -> tuple[str, ...]:
        limits = ("--dev-questions", "3", "--dev-samples", "2", "--dev-max-new-tokens", "20")
        return ("--dev-file", str(self.directory / "dev.json"), *limits, *more)

    def adapter(self, name: str) -> bytes:
        return (self.directory / name / "adapter_model.safetensors").read_bytes()

    def manifest(self, name: str) -> dict[str, Any]:
        text = (self.directory / name / "manifest.json").read_text(encoding="utf-8")
        content: dict[str, Any] = json.loads(text)
        return content

    def log(self, name: str) -> list[dict[str, Any]]:
        text = (self.directory / name / "log.jsonl").read_text(encoding="utf-8")
        rows = [json.loads(line) for line in text.splitlines()]
        return [{k: v for k, v in row.items() if k != "tokens_per_second"} for row in rows]


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Work:
    return Work(tmp_path_factory.mktemp("dev-texts"), tiny_dir, questions)


@pytest.fixture(scope="module")
def whole(work: Work) -> str:
    assert work.train("whole", *work.dev()) == 0
    return "whole"


@pytest.mark.slow
def test_texts_decide_and_are_counted_and_the_weights_are_those_of_a_training_without_them(
    work: Work, whole: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert work.train("plain", "--max-steps-override", "2") == 0
    short = ("--eval-steps", "1000", "--max-steps-override", "2")
    assert work.train("watched", *work.dev(*short)) == 0
    captured = capsys.readouterr()
    assert work.adapter("watched") == work.adapter("plain")

    out = captured.out
    assert "3 of 10 questions of" in out
    assert "(cot-gold-v1) every 1,000 steps" in out
    assert (
        "answered by the majority of 2 texts of at most 20 tokens, at temperature 0.7, seed 0, the same "
        "draws at every scoring" in out
    )
    assert "2 scorings of 6 texts, at most 120 tokens" in out
    assert "of 6 texts cut by the limit" in captured.err

    manifest = work.manifest(whole)
    dev = manifest["data"]["dev"]
    assert (dev["answer_by"], dev["in_file"], len(dev["questions"])) == ("generate", 10, 3)
    assert dev["generation"]["seed"] == 0
    assert dev["generation"]["sampling_from"]["temperature"] == "recommended without thinking"
    assert (dev["cost"]["scorings"], dev["cost"]["texts"]) == (5, 6)
    scorings = manifest["figures"]["dev"]
    assert [scoring["step"] for scoring in scorings] == [0, 3, 6, 9, 12]
    assert {(scoring["asked"], scoring["texts"]) for scoring in scorings} == {(3, 6)}
    assert scorings[0]["unanswered"] == 3, "random weights name no label"
    assert any(scoring["unanswered"] < 3 for scoring in scorings[1:]), "nothing was learnt"
    assert all(0 < scoring["tokens"] <= 6 * 20 for scoring in scorings)
    card = (work.directory / whole / "README.md").read_text(encoding="utf-8")
    assert "of 6 texts cut by the limit" in card
    assert work.log(whole)[0]["dev_texts"] == 6


@pytest.fixture
def struck(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """Let something happen after a number of dev texts."""
    from lawqa.pipelines.training.dev import DevQuestions

    real: Callable[..., Iterator[DevAnswer]] = DevQuestions.__call__

    def arrange(number: int, strike: Callable[[], object]) -> None:
        taken = [0]

        def answers(self: Any, *args: Any) -> Iterator[DevAnswer]:
            for answer in real(self, *args):
                taken[0] += 1
                if taken[0] == number:
                    strike()
                yield answer

        monkeypatch.setattr(DevQuestions, "__call__", answers)

    return arrange


def broken() -> None:
    raise RuntimeError("as if the power had failed")


@pytest.mark.slow
def test_a_training_that_ends_in_the_middle_of_dev_texts_resumes_to_the_same(
    work: Work, whole: str, struck: Callable[[int, Callable[[], object]], None]
) -> None:
    struck(2 * 6 + 3, lambda: os.kill(os.getpid(), signal.SIGTERM))
    assert work.train("stopped", *work.dev()) == 143
    struck(6 + 2, broken)  # the scoring that was cut short is repeated, and the next one breaks
    with pytest.raises(RuntimeError, match="power"):
        work.train("stopped", *work.dev("--resume"))
    struck(0, broken)
    assert work.train("stopped", *work.dev("--resume")) == 0
    assert work.log("stopped") == work.log(whole)
    assert work.adapter("stopped") == work.adapter(whole)


def test_what_does_not_fit_is_refused_before_a_model_is_loaded(
    work: Work, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*options: str, file: str = "cot.jsonl") -> str:
        assert work.train("out", *options, "--model-name", "no-such-model", file=file) == 2
        return capsys.readouterr().err

    assert "--dev-questions, --dev-samples, --dev-max-new-tokens without --dev-file" in refused(
        *work.dev()[2:]
    )
    dev, letters = str(work.directory / "dev.jsonl"), work.directory / "dev-letters.jsonl"
    assert "they teach the letter alone" in refused("--dev-file", dev, file="letters.jsonl")
    write_records(letters, [make_record(q, PromptSpec()) for q in questions[12:14]])
    err = refused("--dev-file", str(letters), "--dev-samples", "4")
    assert "--dev-samples 4: dev questions are put as direct-closed-v1" in err
    assert "--dev-samples is 0, expected 1 or more" in refused(
        "--dev-file", dev, "--dev-samples", "0"
    )
    both = work.directory / "both.jsonl"
    both.write_text(
        letters.read_text(encoding="utf-8") + Path(dev).read_text(encoding="utf-8"),
        encoding="utf-8",
    )
    assert "answer in several ways: cot-gold-v1, direct-closed-v1" in refused(
        "--dev-file", str(both)
    )
    assert not (work.directory / "out").exists()


def test_the_questions_drawn_are_the_same_in_any_file_and_grow_with_their_number(
    questions: Any,
) -> None:
    from lawqa.pipelines.training.dev_generation import draw_dev_questions

    put = [(question, build_prompt(question, COT)) for question in questions[:20]]
    few = [question.id for question, _ in draw_dev_questions(put, 5)]
    more = [question.id for question, _ in draw_dev_questions(put, 9)]
    again = {question.id for question, _ in draw_dev_questions(put[::-1], 5)}
    assert len(few) == 5
    assert set(few) == again
    assert set(few) < set(more)
    assert few != [question.id for question, _ in put[:5]]
    assert draw_dev_questions(put, None) == put
