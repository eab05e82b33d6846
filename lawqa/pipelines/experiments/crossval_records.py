"""What the folds of a cross-validation learn from: letters, sampled reasoning, further records."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from lawqa.errors import ConfigError, DataError
from lawqa.files import read_json
from lawqa.pipelines.corpus.leaks import read_items
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.opening import open_backend
from lawqa.pipelines.evaluation.rag import retrieve_contexts
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.distill import distill
from lawqa.pipelines.experiments.distill_config import DistillConfig
from lawqa.questions import Question, fingerprint, read_questions
from lawqa.records import TrainingRecord, holds_records, load_records, make_records
from lawqa.runs.upkeep.lock import locked_directory
from lawqa.settings import DistillSettings, ModelSettings, values_of
from lawqa.splits import find_leaks

Say = Callable[[str], object]

_RECORDS = "records.jsonl"
_PROVENANCE = "records.provenance.json"
_SHOWN = 3


def sample_answers(config: CrossvalConfig, say: Say = str) -> None:
    """Sample reasoned answers of the base model to all questions, once for all folds; resumes.

    Raises:
        LawqaError: the model cannot be asked, or the directory holds samples drawn with other options.
    """
    directory = config.samples_directory
    fresh = config.fresh and config.fold is None and config.samples_dir is None
    if not fresh and _is_sampled(directory):
        return
    say("sampling reasoned answers of the base model to all questions, once for all folds")
    with locked_directory(directory):
        backend = open_backend(
            EvaluationConfig(
                data=config.input,
                spec=config.spec,
                **values_of(ModelSettings, config),
                token_budget=config.eval_token_budget,
            )
        )
        distill(
            DistillConfig(
                data=config.input,
                output_path=directory / _RECORDS,
                spec=config.spec,
                samples_per_question=config.samples_per_question,
                keep=config.keep,
                **values_of(DistillSettings, config.generation),
                seed=config.seed,
                fresh=fresh,
                quiet=config.quiet,
                rag=config.rag,
                model_name=config.model_name,
                revision=config.revision,
            ),
            backend,
            say,
        )


def require_learnable(config: CrossvalConfig, folds: Sequence[tuple[int, Path]]) -> None:
    """Make sure, before the first training, that every fold has something to learn and may learn it.

    Args:
        config: the cross-validation.
        folds: numbers and directories of the folds' questions.

    Raises:
        DataError: a fold keeps no sampled answer, or an extra record is of a group that a fold holds out.
    """
    for path, _ in config.extra:
        items = read_items(path, [])
        for fold, parts in folds:
            held_out = read_questions(parts / "test.json")
            leaks = find_leaks(items, held_out)
            if leaks:
                named = list(dict.fromkeys(leak.train for leak in leaks))
                more = ", …" if len(named) > _SHOWN else ""
                raise DataError(
                    f"--extra {path}: {len(named)} of its records are of groups that fold {fold} holds out: "
                    f"{', '.join(named[:_SHOWN])}{more} ({leaks[0].test}: {leaks[0].reasons[0]})",
                    "leave them out of the file; lawqa data leaks FILE QUESTIONS  lists all of them",
                )
    if config.learn_from == "distilled":
        for fold, parts in folds:
            _of_fold(config, fold, read_questions(parts / "train.json"))


def fold_records(
    config: CrossvalConfig, fold: int, questions: Sequence[Question], seed: int
) -> list[TrainingRecord]:
    """Make the records of one fold.

    Args:
        config: the cross-validation.
        fold: its number.
        questions: its training questions.
        seed: decides which question gets which prompt spec, and which of the extra records are taken.

    Raises:
        DataError: it keeps no sampled answer, or a file of extra records cannot be read.
    """
    if config.learn_from == "distilled":
        records = _of_fold(config, fold, questions)
    else:
        retrieved_of = None
        if config.rag is not None:
            retrieved_of = retrieve_contexts(config.rag, questions, quiet=config.quiet).text
        records = list(
            make_records(
                questions,
                config.trained_specs(),
                permutations=config.permutations,
                seed=seed,
                retrieved_of=retrieved_of,
            )
        )
    for path, weight in config.extra:
        records += _weighted(list(load_records(path).records), weight, seed)
    return records


def parse_extra(words: Sequence[str]) -> tuple[tuple[Path, float], ...]:
    """Read `FILE=WEIGHT` words.

    Raises:
        ConfigError: one has another form, a weight out of range, or names a file without records, or twice.
    """
    extra: list[tuple[Path, float]] = []
    for word in words:
        name, _, number = word.rpartition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = 0.0
        if not name or not 0 < weight <= 1000:
            raise ConfigError(
                f"--extra {word}: expected FILE=WEIGHT with a weight above 0 and at most 1000",
                "--extra statutes.jsonl=1  takes each record once, =0.5 half of them, =2 each twice",
            )
        path = Path(name)
        if path in [known for known, _ in extra]:
            raise ConfigError(f"--extra {name}: is named twice", "give it one weight")
        if not path.is_file():
            raise ConfigError(f"--extra {name}: there is no such file")
        if not holds_records(path):
            raise ConfigError(
                f"--extra {name}: holds no training records",
                f"lawqa records --lawqa-path {name} --output-path RECORDS.jsonl  makes them of questions",
            )
        extra.append((path, weight))
    return tuple(extra)


def _of_fold(
    config: CrossvalConfig, fold: int, questions: Sequence[Question]
) -> list[TrainingRecord]:
    """The sampled answers to a fold's own questions."""
    own = {fingerprint(question) for question in questions}
    path = config.samples_directory / _RECORDS
    sampled = load_records(path, wording=config.spec.wording).records if _holds_any(path) else []
    kept = [record for record in sampled if record.fingerprint in own]
    if not kept:
        counts = _verdicts(config.samples_directory)
        shown = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        raise DataError(
            f"fold {fold}: none of its {len(questions)} training questions kept a sampled answer to learn "
            f"from (of all samples: {shown})",
            "--max-new-tokens or --samples-per-question with a higher number and --fresh; "
            "or --learn-from letters",
        )
    return kept


def _weighted(records: Sequence[TrainingRecord], weight: float, seed: int) -> list[TrainingRecord]:
    """Each record as often as the weight says; of a fraction as many as it makes, drawn by the seed."""
    whole = int(weight)
    drawn = round((weight - whole) * len(records))
    places = sorted(random.Random(seed).sample(range(len(records)), drawn))  # noqa: S311 - repeatable
    return [*list(records) * whole, *(records[place] for place in places)]


def _is_sampled(directory: Path) -> bool:
    path = directory / _PROVENANCE
    return path.is_file() and (directory / _RECORDS).is_file() and "ended" in read_json(path)


def _holds_any(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _verdicts(directory: Path) -> dict[str, int]:
    return dict(read_json(directory / _PROVENANCE).get("verdicts", {}))
