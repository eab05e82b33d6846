"""The whole path on a toy model: split, score the base, train a 4-bit adapter, score again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import as_file, files
from pathlib import Path

from lawqa.amounts import counted
from lawqa.errors import ConfigError
from lawqa.models import require_packages
from lawqa.pipelines.comparing.report_file import write_report
from lawqa.pipelines.corpus.indexes.building import IndexConfig, build_index
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, EvaluationResult, evaluate
from lawqa.pipelines.training.prepare import prepare_training
from lawqa.pipelines.training.train import train
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, read_questions, write_questions
from lawqa.report.comparisons import difference_lines
from lawqa.report.summary_text import summary_table
from lawqa.scoring.comparisons import PairedComparison, compare, judge_by_holm, questions_needed
from lawqa.settings import Hyperparameters, StrPath, TrainingRun, as_path
from lawqa.splits import Split, holdout

# For two layers of random weights: high enough for the loss to fall visibly within a minute.
_TRAINING = Hyperparameters(
    num_epochs=4, batch_size=4, gradient_accumulation_steps=2, learning_rate=5e-3,
    max_seq_length=2048, token_budget=4096,
)  # fmt: skip

_EXAMPLE = 0.1
"""The difference that is spoken of where none was measured."""


@dataclass(frozen=True)
class DemoResult:
    """What the demo did."""

    split: Split
    """The questions trained on and measured on."""
    base: EvaluationResult
    """The toy model alone, on the held-out questions."""
    adapter: EvaluationResult
    """The toy model with its adapter, on the same questions."""
    first_loss: float
    """Loss of the first training step."""
    last_loss: float
    """Loss of the last training step."""
    directory: Path
    """Where everything was written."""
    report: Path
    """The HTML report of both runs, in that directory."""


def embedded_questions() -> tuple[Question, ...]:
    """Return the questions that come with lawqa: our own, on statutes outside lawqa_jp."""
    with as_file(files("lawqa").joinpath("assets", "questions.json")) as path:
        return read_questions(path)


def write_toy(directory: StrPath, *, questions: int = 60, seed: int = 0) -> Path:
    """Write what the examples work on: questions, a toy model of random weights, an index of statutes.

    They are `selection.json`, `model` and `index` in the directory. What was there before is replaced.

    Args:
        directory: where; made if needed.
        questions: how many of the 60 that come with lawqa.
        seed: decides the weights.

    Raises:
        MissingExtraError: torch or bm25s is not installed.
    """
    require_packages(quantised=False, training=False)
    directory, asked = as_path(directory, "directory"), embedded_questions()[:questions]
    directory.mkdir(parents=True, exist_ok=True)
    write_questions(directory / "selection.json", asked)
    _write_model(directory / "model", asked, None, seed)
    with as_file(files("lawqa").joinpath("assets", "articles.jsonl")) as articles:
        build_index(
            IndexConfig(output_dir=directory / "index", articles=articles, fresh=True, quiet=True)
        )
    return directory


def run_demo(
    data: Path | None = None,
    tokenizer: str | None = None,
    directory: Path | None = None,
    *,
    fresh: bool = False,
    seed: int = 0,
    say: Callable[[str], object] = str,
) -> DemoResult:
    """Run the path and write everything into one directory.

    Args:
        data: a question file; None for the embedded questions.
        tokenizer: a tokenizer directory; None for one trained on the questions.
        directory: where to write; None for a new one under `runs/`.
        fresh: replace an earlier demo there.
        seed: decides split, weights and training.
        say: called with a line for each thing done.

    Raises:
        LawqaError: a file or option does not allow it.
    """
    require_packages(quantised=True, training=True)
    questions = read_questions(data) if data else embedded_questions()
    split = holdout(questions, test_size=0.3, seed=seed)
    directory = directory or Path("runs") / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}_demo"
    model, train_file, test_file = (directory / n for n in ("model", "train.json", "test.json"))
    if train_file.exists() and not fresh:
        raise ConfigError(f"{directory}: already holds a demo", "--fresh replaces it")
    directory.mkdir(parents=True, exist_ok=True)
    write_questions(train_file, split.train)
    write_questions(test_file, split.test)
    say(f"making a toy model of Qwen3's architecture in {model}")
    _write_model(model, questions, tokenizer, seed)
    say(f"scoring it in 4 bits on {len(split.test)} held-out questions")
    base = evaluate(_evaluation(test_file, model, directory / "base", fresh=fresh))
    say(f"training a 4-bit QLoRA adapter on {counted(len(split.train), 'question')}")
    prepared = prepare_training(
        TrainingRun(
            train_file=train_file,
            output_dir=directory / "adapter",
            model_name=str(model),
            load_in_4bit=True,
            training=_TRAINING,
            fresh=fresh,
            quiet=True,
        )
    )
    figures = train(prepared).figures
    say("scoring it again with the adapter")
    adapted = evaluate(
        _evaluation(test_file, model, directory / "adapted", directory / "adapter", fresh=fresh)
    )
    written = write_report(
        [base.run_dir, adapted.run_dir], directory / "report.html", data=test_file, fresh=fresh
    )
    return DemoResult(
        split, base, adapted, figures.first_loss, figures.last_loss, directory, written.path
    )


def demo_text(result: DemoResult) -> str:
    """Return what a user reads after the demo: the figures, then what they say, what n it
    takes, the report.
    """
    train_part, test_part = result.split.train, result.split.test
    named = {"base (NF4)": result.base, "with QLoRA adapter": result.adapter}
    base, other = named
    compared = {}
    if len(test_part) > 1:  # one question cannot be compared
        compared = judge_by_holm({other: compare(result.base.answers, result.adapter.answers)})
    return "\n".join(
        [
            *(f"! {run.run_dir.name}: {note}" for run in named.values() for note in run.notes),
            "The demo's model is a toy with random weights: its accuracy is chance by design.",
            f"trained on {counted(len(train_part), 'question')}, measured on {len(test_part)} held out; "
            f"training loss {result.first_loss:.2f} -> {result.last_loss:.2f}",
            "",
            summary_table({name: run.summary for name, run in named.items()}),
            "",
            f"run: {result.directory}",
            "",
            *difference_lines(base, compared),
            *(f"  {needed_sentence(one.comparison)}" for one in compared.values()),
            f"report: {result.report}",
        ]
    )


def needed_sentence(comparison: PairedComparison) -> str:
    """Say how many questions it would take to tell a difference like this one from luck."""
    difference = comparison.difference or _EXAMPLE
    needed = questions_needed(difference, comparison.moved / comparison.clusters)
    measured = "such a difference" if comparison.difference else "a difference"
    points = f"{measured} ({abs(difference) * 100:.1f} points, if it is real)"
    if needed is None:
        return f"{points} is too small for any question set to detect"
    return f"to detect {points} in 80% of comparisons takes about {counted(needed, 'question')}"


def _write_model(
    directory: Path, questions: tuple[Question, ...], tokenizer: str | None, seed: int
) -> None:
    from lawqa.models.pretrained import load_tokenizer
    from lawqa.models.tiny import train_tiny_tokenizer, write_tiny_model

    texts = [f"{q.context}\n{q.text}\n" + "\n".join(q.choices) for q in questions]
    made = load_tokenizer(tokenizer) if tokenizer else train_tiny_tokenizer(texts)
    write_tiny_model(directory, made, seed=seed)


def _evaluation(
    data: Path, model: Path, run_dir: Path, adapter: Path | None = None, *, fresh: bool
) -> EvaluationConfig:
    return EvaluationConfig(
        data=data,
        spec=PromptSpec(),
        answer_by="logits",
        backend="hf",
        model_name=str(model),
        load_in_4bit=True,
        adapter=adapter,
        run_dir=run_dir,
        fresh=fresh,
        quiet=True,
    )
