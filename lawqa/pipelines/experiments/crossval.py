"""Cross-validation: train and evaluate fold by fold; `crossval_pool` joins the held-out answers."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lawqa.bars import Parts
from lawqa.errors import ConfigError
from lawqa.pipelines.corpus.split import SPLIT_FILE, SplitConfig, write_split
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
from lawqa.pipelines.evaluation.rag import retrieve_contexts
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.crossval_manifest import (
    SETTINGS,
    CrossvalManifest,
    require_same_crossval,
)
from lawqa.pipelines.experiments.crossval_pool import Pooled, pool
from lawqa.pipelines.training.prepare import prepare
from lawqa.pipelines.training.train import train
from lawqa.questions import Question, read_questions
from lawqa.records import make_records, write_records
from lawqa.runs.manifest import Manifest
from lawqa.runs.outputs import remove_empty
from lawqa.settings import ModelSettings, TrainingRun, values_of
from lawqa.training.monitoring.trackers import require_trackers

Say = Callable[[str], object]

logger = logging.getLogger(__name__)


def run_crossval(config: CrossvalConfig, say: Say = str) -> tuple[Pooled, ...]:
    """Split, then train and evaluate each fold; what is done already is not done again.

    Args:
        config: what to do. The same call goes on where an earlier one stopped.
        say: told what is being done, a line each.

    Returns:
        The pooled runs, one for each training seed; none where only one fold was asked for.

    Raises:
        LawqaError: a file or option does not allow it, or the directory holds another cross-validation.
    """
    if config.fold is not None and not 1 <= config.fold <= config.folds:
        raise ConfigError(f"--fold is {config.fold}, expected 1 to {config.folds}")
    if config.seeds < 1:
        raise ConfigError(f"--seeds is {config.seeds}, expected 1 or more")
    if config.spec not in [spec for spec, _ in config.trained_specs()]:
        raise ConfigError(
            f"{config.spec.id} is evaluated but not trained on", "put its condition into --mix"
        )
    require_trackers(config.report_to)
    if config.fresh:
        _remove_earlier(config)
    with _nothing_left_of_a_failed_start(config):
        _same_settings(config)
        progress = Parts("trainings", len(waiting_trainings(config)), say)
        for fold, seed in _trainings(config):
            if _run_fold(config, fold, seed, say):
                progress.add()
    if config.fold is not None:
        say(f"fold {config.fold} is done; lawqa crossval pool joins the folds")
        return ()
    return pool([config.output_dir], config.output_dir / "pooled")


def waiting_trainings(config: CrossvalConfig) -> list[tuple[int, int]]:
    """Folds and seeds that are not trained and evaluated yet."""
    return [(f, s) for f, s in _trainings(config) if not _is_done(_directory(config, f, s) / "run")]


def _trainings(config: CrossvalConfig) -> list[tuple[int, int]]:
    chosen = range(1, config.folds + 1) if config.fold is None else [config.fold]
    seeds = range(config.seed, config.seed + config.seeds)
    return [(fold, seed) for fold in chosen for seed in seeds]


def _directory(config: CrossvalConfig, fold: int, seed: int) -> Path:
    return config.output_dir / f"fold{fold}" / f"seed{seed}"


def _run_fold(config: CrossvalConfig, fold: int, seed: int, say: Say) -> bool:
    """Train and evaluate one fold; whether that was still to be done."""
    parts, directory = config.output_dir / "split" / f"fold{fold}", _directory(config, fold, seed)
    if _is_done(directory / "run"):
        say(f"fold {fold}, seed {seed}: done already")
        return False
    adapter, records = directory / "adapter", directory / "records.jsonl"
    if not _is_done(adapter):
        say(f"fold {fold}, seed {seed}: training")
        directory.mkdir(parents=True, exist_ok=True)
        questions = read_questions(parts / "train.json")
        made = make_records(
            questions,
            config.trained_specs(),
            permutations=config.permutations,
            seed=seed,
            retrieved_of=_retrieved_of(config, questions),
        )
        write_records(records, made)
        prepared = prepare(
            TrainingRun(
                train_file=records,
                output_dir=adapter,
                **values_of(ModelSettings, config),
                training=replace(config.training, seed=seed),
                resume=True,
                report_to=config.report_to,
                quiet=config.quiet,
            )
        )
        for note in prepared.notes:
            logger.warning("! %s", note)  # not even --quiet hides it
        train(prepared)
    say(f"fold {fold}, seed {seed}: evaluating its held-out questions")
    evaluate(
        EvaluationConfig(
            data=parts / "test.json",
            spec=config.spec,
            answer_by="logits",
            backend="hf",
            **{**values_of(ModelSettings, config), "quant_type": None},  # the adapter's
            adapter=adapter,
            seed=seed,
            place=config.place,
            run_dir=directory / "run",
            fresh=True,
            rag=config.rag,
            quiet=config.quiet,
        )
    )
    return True


def _retrieved_of(
    config: CrossvalConfig, questions: Sequence[Question]
) -> Callable[[Question], str] | None:
    if config.rag is None:
        return None
    return retrieve_contexts(config.rag, questions, quiet=config.quiet).text


def _same_settings(config: CrossvalConfig) -> None:
    """Write what this cross-validation is, or make sure that the directory holds the same one."""
    if not require_same_crossval(config):
        CrossvalManifest.of(config).write(config.output_dir)
    if not (config.output_dir / "split" / SPLIT_FILE).is_file():
        write_split(
            SplitConfig(
                config.input, config.output_dir / "split", "kfold", config.folds, seed=config.seed
            )
        )


@contextmanager
def _nothing_left_of_a_failed_start(config: CrossvalConfig) -> Iterator[None]:
    """Remove settings and split again where no training began: else they refuse the corrected command."""
    first = not (config.output_dir / SETTINGS).exists()
    made = not config.output_dir.exists()
    try:
        yield
    except BaseException:
        own = [_directory(config, fold, seed) for fold, seed in _trainings(config)]
        if first and not any((directory / "adapter").exists() for directory in own):
            for directory in own:
                (directory / "records.jsonl").unlink(missing_ok=True)
                remove_empty(directory, directory.parent)
            # Where another process works on another fold, settings and split are its own, too.
            if not any(config.output_dir.glob("fold*")):
                shutil.rmtree(config.output_dir / "split", ignore_errors=True)
                (config.output_dir / SETTINGS).unlink(missing_ok=True)
                if made:
                    remove_empty(config.output_dir)
        raise


def _remove_earlier(config: CrossvalConfig) -> None:
    """With one fold chosen, that one; else the whole cross-validation, and nothing else in the directory."""
    if not (config.output_dir / SETTINGS).is_file():
        return  # what is there is not ours
    if config.fold is not None:
        shutil.rmtree(config.output_dir / f"fold{config.fold}", ignore_errors=True)
    else:
        for directory in (
            config.output_dir / "split", config.output_dir / "pooled",
            *config.output_dir.glob("fold[0-9]*"),
        ):  # fmt: skip
            shutil.rmtree(directory, ignore_errors=True)
        (config.output_dir / SETTINGS).unlink()


def _is_done(directory: Path) -> bool:
    manifest = Manifest.read_if_there(directory)
    return manifest is not None and manifest.status == "done"
