"""What the folds of a cross-validation learn from: letters, sampled reasoning, further records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lawqa.amounts import counted
from lawqa.bars import Say
from lawqa.errors import DataError
from lawqa.files import read_json
from lawqa.pipelines.evaluation.opening import open_backend
from lawqa.pipelines.evaluation.rag import retrieve_contexts
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.pool.config import PoolConfig
from lawqa.pipelines.experiments.pool.files import PoolFiles
from lawqa.pipelines.experiments.pool.sampling import sample_pool
from lawqa.pipelines.experiments.pool.selecting import selected
from lawqa.pipelines.training.mixing import weighted
from lawqa.questions import Question, fingerprint, read_questions
from lawqa.records import TrainingRecord, load_records, make_question_records
from lawqa.runs.upkeep.lock import locked_directory
from lawqa.settings import SelectSettings, values_of

_POOL = "pool.jsonl"
_RECORDS = "records.jsonl"


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
        pool = PoolConfig(
            **{
                **values_of(PoolConfig, config.generation, config),
                "data": config.input,
                "pool": directory / _POOL,
                "permutations": 4,  # those of the configuration are of letters that are trained on
                "token_budget": config.eval_token_budget,
                "fresh": fresh,
            }
        )
        sample_pool(pool, open_backend, say)


def require_learnable(config: CrossvalConfig, folds: Sequence[tuple[int, Path]]) -> None:
    """Make sure, before the first training, that every fold has something to learn.

    Args:
        config: the cross-validation.
        folds: numbers and directories of the folds' questions.

    Raises:
        DataError: a fold keeps no sampled answer.
    """
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
            make_question_records(
                questions,
                config.trained_specs(),
                permutations=config.permutations,
                seed=seed,
                retrieved_of=retrieved_of,
            )
        )
    for path, weight in config.extra:
        records += weighted(load_records(path).records, weight, seed)
    return records


def _of_fold(
    config: CrossvalConfig, fold: int, questions: Sequence[Question]
) -> list[TrainingRecord]:
    """Return the sampled answers to a fold's own questions, their labels even within the fold."""
    own = {fingerprint(question) for question in questions}
    earlier = config.samples_directory / _RECORDS
    if earlier.is_file():  # of a cross-validation begun when records were made once for all folds
        sampled = load_records(earlier, wording=config.spec.wording).records
        kept = [record for record in sampled if record.fingerprint in own]
        counts: Mapping[str, int] = {}
    else:
        selection = selected(
            PoolFiles(config.samples_directory / _POOL), SelectSettings(keep=config.keep), own
        )
        kept, counts = list(selection.records), selection.verdicts
    if not kept:
        shown = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        raise DataError(
            f"fold {fold}: none of its {counted(len(questions), 'training question')} kept a "
            "sampled answer to learn "
            f"from (of their samples: {shown})",
            "--max-new-tokens or --samples-per-question with a higher number and --fresh; "
            "or --learn-from letters",
        )
    return kept


def _is_sampled(directory: Path) -> bool:
    for pool in (directory / _POOL, directory / _RECORDS):
        provenance = PoolFiles(pool).provenance
        if pool.is_file() and provenance.is_file() and "ended" in read_json(provenance):
            return True
    return False
