"""Dev accuracy decides: the same scores as `lawqa evaluate`, the best step kept, stops, and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions
from lawqa.training.dev import DevResult, DevWatch
from lawqa.training.dev_answer import DevAnswer

pytestmark = pytest.mark.torch


def result(step: int, correct: int, label: str | None = None) -> DevResult:
    return DevResult(step, correct, 20, 0, {}, f"all are {label}" if label else None, label)


def watched(*results: DevResult, patience: int = 0, stop_on_collapse: bool = False) -> DevWatch:
    watch = DevWatch(patience, stop_on_collapse)
    for each in results:
        watch.take(each)
    return watch


def test_the_first_of_equals_is_the_best_and_the_model_before_training_is_none() -> None:
    watch = watched(result(0, 15), result(5, 10), result(10, 12), result(15, 12), result(20, 11))
    assert watch.best == result(10, 12)


def test_patience_counts_scorings_without_a_higher_accuracy() -> None:
    results = [result(0, 9), result(5, 10), result(10, 10), result(15, 9)]
    assert watched(*results[:3], patience=2).reason_to_stop() is None
    assert watched(*results).reason_to_stop() is None
    reason = watched(*results, patience=2).reason_to_stop()
    assert reason == "no better dev accuracy in 2 scorings since step 5 (50.0%)"
    assert watched(*results, result(20, 11), patience=2).reason_to_stop() is None


def test_a_collapse_stops_only_if_asked_and_only_if_training_made_it() -> None:
    fell = [result(0, 9), result(5, 9), result(10, 5, "c")]
    assert watched(*fell).reason_to_stop() is None
    reason = watched(*fell, stop_on_collapse=True).reason_to_stop()
    assert reason == "collapse at step 10: all are c"
    always = [result(0, 9, "c"), result(5, 9, "c")]
    assert watched(*always, stop_on_collapse=True).reason_to_stop() is None
    other = [*always, result(10, 9, "a")]
    assert watched(*other, stop_on_collapse=True).reason_to_stop() is not None


def test_what_was_seen_survives_a_checkpoint() -> None:
    watch = watched(result(0, 9), result(5, 10, "c"), result(10, 8), patience=1)
    again = DevWatch(1, stop_on_collapse=False)
    again.restore(json.loads(json.dumps(watch.to_json())), {"weight": 1})
    assert again == replace(watch, best_weights={"weight": 1})


class Work:
    """A directory with train and dev questions, and the command that trains on them."""

    def __init__(self, directory: Path, model: Path, questions: Any) -> None:
        self.directory = directory
        self.model = model
        write_questions(directory / "train.json", questions[:12])
        write_questions(directory / "dev.json", questions[12:36])
        write_questions(directory / "leak.json", questions[10:36])

    def train(self, name: str, *more: str) -> int:
        return main(
            [
                "train", "--model-name", str(self.model), "--train-file", str(self.directory / "train.json"),
                "--output-dir", str(self.directory / name), "--use-4bit", "--num-epochs", "2",
                "--batch-size", "4", "--gradient-accumulation-steps", "1", "--learning-rate", "5e-3",
                "--do-train", *more,
            ]
        )  # fmt: skip

    def dev(self, *more: str) -> tuple[str, ...]:
        return ("--dev-file", str(self.directory / "dev.json"), *more)

    def json(self, *names: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(
            self.directory.joinpath(*names).read_text(encoding="utf-8")
        )
        return content


@pytest.fixture
def work(tmp_path: Path, tiny_dir: Path, questions: Any) -> Work:
    return Work(tmp_path, tiny_dir, questions)


@pytest.mark.slow
def test_the_kept_adapter_scores_in_evaluate_what_its_step_scored_in_training(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.train("out", *work.dev("--eval-steps", "1", "--num-epochs", "1")) == 0
    captured = capsys.readouterr()
    figures = work.json("out", "manifest.json")["figures"]
    assert [scoring["step"] for scoring in figures["dev"]] == [0, 1, 2, 3]
    best = figures["best"]
    correct = [scoring["correct"] for scoring in figures["dev"][1:]]
    assert best["correct"] == max(correct)
    assert best["step"] == 1 + correct.index(max(correct))
    assert len(set(correct)) > 1, "the test would not see another step being kept"
    assert f"dev accuracy at step {best['step']}, kept" in captured.out
    assert "step 0: dev accuracy" in captured.err

    run = work.directory / "run"
    assert main(["evaluate", "--data", str(work.directory / "dev.json"), "--hf-model-name", str(work.model),
                 "--hf-lora-path", str(work.directory / "out"), "--run-dir", str(run)]) == 0  # fmt: skip
    out = capsys.readouterr().out
    assert work.json("run", "summary.json")["correct_count"] == best["correct"]
    assert out.startswith("! CHOSEN BY: 24 of 24 questions decided which step of")


@pytest.mark.slow
def test_patience_ends_a_training_early_and_the_card_and_log_say_so(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--eval-steps", "1", "--patience", "1", "--learning-rate", "1e-12")
    assert work.train("out", *work.dev(*options)) == 0
    assert "ended by: no better dev accuracy in 1 scoring since step 1" in capsys.readouterr().out
    manifest = work.json("out", "manifest.json")
    assert manifest["figures"]["steps"] == 2
    assert manifest["figures"]["best"]["step"] == 1
    assert len(manifest["data"]["dev"]["questions"]) == 24
    card = (work.directory / "out" / "README.md").read_text(encoding="utf-8")
    assert "| dev accuracy at step 1, kept |" in card
    assert "2, ended by: no better dev accuracy" in card
    rows = (work.directory / "out" / "log.jsonl").read_text(encoding="utf-8").splitlines()
    kinds = [("dev" if "dev_accuracy" in row else "loss") for row in map(json.loads, rows)]
    assert kinds == ["dev", "loss", "dev", "loss", "dev"]


@pytest.mark.slow
def test_a_training_that_ends_before_its_first_line_has_a_loss_all_the_same(
    work: Work, capfd: pytest.CaptureFixture[str]
) -> None:
    options = ("--eval-steps", "1", "--patience", "1", "--learning-rate", "1e-12",
               "--logging-steps", "50", "--save-steps", "1")  # fmt: skip
    assert work.train("early", *work.dev(*options)) == 0
    assert "ended by: no better dev accuracy in 1 scoring" in capfd.readouterr().out
    figures = work.json("early", "manifest.json")["figures"]
    assert figures["steps"] == 2
    assert figures["first_loss"] > 0


@pytest.fixture
def collapsing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The dev answers are right before training, and all c after a step."""
    from lawqa.pipelines.training.dev import DevQuestions

    real: Callable[..., Iterator[DevAnswer]] = DevQuestions.__call__
    calls = [0]

    def answers(self: Any, *args: Any) -> Iterator[DevAnswer]:
        calls[0] += 1
        for answer in real(self, *args):
            predicted = answer.scored.gold if calls[0] == 1 else "c"
            outcome: Any = "correct" if predicted == answer.scored.gold else "wrong"
            scored = replace(
                answer.scored, predicted=predicted, outcome=outcome, label_logprobs=None
            )
            yield replace(answer, scored=scored)

    monkeypatch.setattr(DevQuestions, "__call__", answers)


@pytest.mark.slow
@pytest.mark.usefixtures("collapsing")
def test_a_collapse_is_shouted_and_stops_if_asked(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.train("stops", *work.dev("--eval-steps", "1", "--stop-on-collapse")) == 0
    captured = capsys.readouterr()
    assert "! COLLAPSE at step 1: 100% of answers are c; gold has " in captured.err
    assert "ended by: collapse at step 1" in captured.out
    assert (
        "! NO STEP WAS BETTER ON THE DEV QUESTIONS THAN THE MODEL BEFORE TRAINING" in captured.out
    )
    assert work.json("stops", "manifest.json")["figures"]["steps"] == 1


def test_trained_on_dev_questions_are_refused_before_a_model_is_loaded(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    options = (
        "--dev-file",
        str(work.directory / "leak.json"),
        "--model-name",
        "no-such-model",
    )
    assert work.train("out", *options) == 2
    err = capsys.readouterr().err
    assert "2 of 26 dev questions are trained on" in err
    assert "lawqa split --input" in err


def test_dev_questions_that_share_a_context_with_a_trained_one_are_refused(
    work: Work, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    relative = replace(questions[30], id="新しい問題", context=questions[0].context)
    write_questions(work.directory / "related.json", [relative, *questions[12:14]])
    assert work.train("out", "--dev-file", str(work.directory / "related.json")) == 2
    assert "1 of 3 dev questions are trained on, or share" in capsys.readouterr().err


def test_flags_of_the_dev_questions_need_them(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.train("out", "--patience", "2", "--eval-steps", "5") == 2
    assert "--eval-steps, --patience without --dev-file" in capsys.readouterr().err


@pytest.mark.slow
def test_dev_questions_are_put_as_the_records_are_and_a_mix_must_be_decided(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, condition in (
        ("gold", ("--condition", "gold")),
        ("mix", ("--mix", "closed=1,gold=1")),
    ):
        assert main(["records", "--lawqa-path", str(work.directory / "train.json"), "--output-path",
                     str(work.directory / f"{name}.jsonl"), *condition]) == 0  # fmt: skip
    rehearse = ("--max-seq-length", "4096", "--max-steps-override", "1")
    gold = ("--train-file", str(work.directory / "gold.jsonl"), *rehearse)
    assert work.train("gold", *work.dev(*gold)) == 0
    assert work.json("gold", "manifest.json")["data"]["dev"]["prompt_specs"] == "direct-gold-v1"
    mix = ("--train-file", str(work.directory / "mix.jsonl"), *rehearse)
    capsys.readouterr()
    assert work.train("mix", *work.dev(*mix)) == 2
    assert (
        "direct-closed-v1, direct-gold-v1; which are the dev questions" in capsys.readouterr().err
    )
    assert work.train("mix", *work.dev(*mix, "--dev-condition", "closed")) == 0
    assert work.json("mix", "manifest.json")["data"]["dev"]["prompt_specs"] == "direct-closed-v1"


@pytest.mark.slow
def test_records_serve_as_dev_questions_put_as_they_say(work: Work) -> None:
    dev = work.directory / "dev.jsonl"
    assert main(["records", "--lawqa-path", str(work.directory / "dev.json"), "--output-path", str(dev),
                 "--condition", "gold"]) == 0  # fmt: skip
    assert work.train("out", "--dev-file", str(dev), "--max-steps-override", "1") == 0
    assert work.json("out", "manifest.json")["data"]["dev"]["prompt_specs"] == "direct-gold-v1"
