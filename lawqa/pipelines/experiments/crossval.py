"""Cross-validation: train and evaluate fold by fold; `crossval_pool` joins the held-out answers."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lawqa.amounts import counted
from lawqa.bars import Parts, Say
from lawqa.errors import DataError
from lawqa.pipelines.adapters.modes import modes_text
from lawqa.pipelines.corpus.split import SPLIT_FILE, write_split
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
from lawqa.pipelines.experiments.crossval_asking import (
    PRIOR_ORDERS,
    check_crossval,
    held_out_config,
    require_askable,
)
from lawqa.pipelines.experiments.crossval_config import CrossvalConfig
from lawqa.pipelines.experiments.crossval_dev import (
    costs_text,
    dev_file,
    dev_spec,
    put_as,
    reached_text,
    require_unseen,
)
from lawqa.pipelines.experiments.crossval_manifest import (
    SETTINGS,
    CrossvalManifest,
    require_same_crossval,
)
from lawqa.pipelines.experiments.crossval_pool import Pooled, pool
from lawqa.pipelines.experiments.crossval_records import (
    fold_records,
    require_learnable,
    sample_answers,
)
from lawqa.pipelines.training.prepare import prepare_training
from lawqa.pipelines.training.train import train
from lawqa.prompting import PromptSpec
from lawqa.questions import read_questions
from lawqa.records import write_records
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.runs.outputs import remove_empty, require_directory
from lawqa.settings import ModelSettings, SplitSettings, StageSettings, TrainingRun, values_of
from lawqa.training.monitoring.trackers import require_trackers

logger = logging.getLogger(__name__)


def run_crossval(config: CrossvalConfig, say: Say = str) -> tuple[Pooled, ...]:
    """Split, then train and evaluate each fold; what is done already is not done again.

    Args:
        config: what to do. The same call resumes where an earlier one stopped.
        say: prints what is being done, a line each.

    Returns:
        The pooled runs, one for each training seed; none where only one fold was asked for.

    Raises:
        LawqaError: a file or option does not allow it, or the directory holds another cross-validation.
    """
    check_crossval(config)
    require_directory(config.output_dir, "--output-dir")
    require_trackers(config.report_to)
    if config.fresh:
        _remove_earlier(config)
    with _nothing_left_of_a_failed_start(config):
        _same_settings(config)
        waiting = waiting_trainings(config)
        spec = dev_spec(config) if waiting else None
        if waiting:
            _require_ready(config, spec, say)
        progress = Parts("trainings", len(waiting), say)
        for fold, seed in _trainings(config):
            if _run_fold(config, fold, seed, spec, say):
                progress.add()
    if config.fold is not None:
        say(f"fold {config.fold} is done; lawqa crossval pool joins the folds")
        return ()
    return pool([config.output_dir], config.output_dir / "pooled")


def waiting_trainings(config: CrossvalConfig) -> list[tuple[int, int]]:
    """Return folds and seeds that are not trained and evaluated yet."""
    return [(f, s) for f, s in _trainings(config) if not _is_finished(config, f, s)]


def _is_finished(config: CrossvalConfig, fold: int, seed: int) -> bool:
    """Return whether a fold is trained, and asked all that is wanted."""
    wanted = ("run", "prior") if config.prior_correction else ("run",)
    return all(_is_done(_directory(config, fold, seed) / name) for name in wanted)


def _trainings(config: CrossvalConfig) -> list[tuple[int, int]]:
    chosen = range(1, config.folds + 1) if config.fold is None else [config.fold]
    seeds = range(config.seed, config.seed + config.seeds)
    return [(fold, seed) for fold in chosen for seed in seeds]


def _directory(config: CrossvalConfig, fold: int, seed: int) -> Path:
    return config.output_dir / f"fold{fold}" / f"seed{seed}"


def _run_fold(
    config: CrossvalConfig, fold: int, seed: int, spec: PromptSpec | None, say: Say
) -> bool:
    """Train and evaluate one fold; whether that was still to be done."""
    parts, directory = config.output_dir / "split" / f"fold{fold}", _directory(config, fold, seed)
    if _is_finished(config, fold, seed):
        say(f"fold {fold}, seed {seed}: done already")
        return False
    adapter, run_dir = directory / "adapter", directory / "run"
    trains = not _is_done(adapter)
    if trains:
        say(f"fold {fold}, seed {seed}: training")
        _train(config, fold, seed, spec, say)
    if config.prior_correction:
        say(
            f"fold {fold}, seed {seed}: asking its training questions in "
            f"{counted(PRIOR_ORDERS, 'order')} for the prior"
        )
        asked = held_out_config(config, parts / "train.json", directory / "prior", seed)
        # The letters' prior is no accuracy: that these questions were trained on is no leak into a figure.
        _ask(
            replace(asked, permutations=PRIOR_ORDERS, allow_leak=True),
            config,
            adapter,
            again=trains,
        )
    say(f"fold {fold}, seed {seed}: evaluating its held-out questions")
    _ask(held_out_config(config, parts / "test.json", run_dir, seed), config, adapter, again=trains)
    return True


def _train(config: CrossvalConfig, fold: int, seed: int, spec: PromptSpec | None, say: Say) -> None:
    directory, parts = _directory(config, fold, seed), config.output_dir / "split" / f"fold{fold}"
    questions, dev = read_questions(parts / "train.json"), dev_file(config, parts)
    directory.mkdir(parents=True, exist_ok=True)
    records = directory / "records.jsonl"
    write_records(records, fold_records(config, fold, questions, seed))
    prepared = prepare_training(
        TrainingRun(
            train_file=records,
            output_dir=directory / "adapter",
            dev_file=dev,
            **values_of(ModelSettings, config),
            **values_of(StageSettings, config),
            max_synthetic_share=config.max_synthetic_share,
            training=replace(config.training, seed=seed),
            resume=True,
            report_to=config.report_to,
            quiet=config.quiet,
        ),
        put_as(config, spec, dev),
    )
    for note in prepared.notes:
        logger.warning("! %s", note)  # not even --quiet hides it
    if dev is not None:
        waiting = [
            one for one in _trainings(config) if not _is_done(_directory(config, *one) / "adapter")
        ]
        say(f"fold {fold}, seed {seed}: {costs_text(prepared, len(waiting))}")
    result = train(prepared, say)
    for what, text in (("", reached_text(result)), ("modes\n", modes_text(result.modes))):
        if text:
            say(f"fold {fold}, seed {seed}: {what}{text}")


def _ask(asked: EvaluationConfig, config: CrossvalConfig, adapter: Path, *, again: bool) -> None:
    """Ask one fold's adapter; what is answered already is not asked again, unless it was trained again."""
    resumes = not again and asked.run_dir is not None and (asked.run_dir / MANIFEST).is_file()
    evaluate(
        replace(
            asked,
            adapter=adapter,
            quant_type=None,  # the adapter's
            learnt_as=None if config.learnt_as == config.spec else config.learnt_as,
            resume=resumes,
            fresh=not resumes,
        )
    )


def _require_ready(config: CrossvalConfig, spec: PromptSpec | None, say: Say) -> None:
    """Make sure that every fold can be trained and asked, before the first is."""
    require_askable(config)
    split = config.output_dir / "split"
    folds = [(fold, split / f"fold{fold}") for fold in sorted({f for f, _ in _trainings(config)})]
    if config.learn_from == "distilled":
        sample_answers(config, say)
    require_unseen(config, spec, folds)
    require_learnable(config, folds)


def _same_settings(config: CrossvalConfig) -> None:
    """Write what this cross-validation is, or make sure that the directory holds the same one."""
    if not require_same_crossval(config):
        CrossvalManifest.of(config).write(config.output_dir)
    if not (config.output_dir / "split" / SPLIT_FILE).is_file():
        write_split(
            SplitSettings(
                config.input,
                config.output_dir / "split",
                "kfold",
                config.folds,
                dev_size=config.dev_size or None,
                seed=config.seed,
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
        sampled = config.samples_directory.exists()  # hours of work, with these settings
        if first and not sampled and not any((one / "adapter").exists() for one in own):
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
    """Remove one chosen fold, or else the whole cross-validation, and nothing else in the directory."""
    if not (config.output_dir / SETTINGS).is_file():
        return  # what is there is not ours
    if config.fold is not None:
        shutil.rmtree(config.output_dir / f"fold{config.fold}", ignore_errors=True)
    else:
        for directory in (
            config.output_dir / "split", config.output_dir / "pooled", config.output_dir / "distilled",
            *config.output_dir.glob("fold[0-9]*"),
        ):  # fmt: skip
            shutil.rmtree(directory, ignore_errors=True)
        (config.output_dir / SETTINGS).unlink()


def _is_done(directory: Path) -> bool:
    try:
        manifest = Manifest.read_if_there(directory)
    except DataError as problem:
        raise DataError(
            problem.message, f"remove {directory}, and the same command does that part again"
        ) from None
    return manifest is not None and manifest.status == "done"
