"""Cross-validation: train and evaluate fold by fold, then pool the held-out answers into one run."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from lawqa.bars import Parts
from lawqa.errors import ConfigError, DataError
from lawqa.files import json_lines, read_json
from lawqa.pipelines.evaluate import EvaluationConfig, evaluate
from lawqa.pipelines.figures import summary_of
from lawqa.pipelines.rag import RagConfig, retrieve_contexts
from lawqa.pipelines.split import SPLIT_FILE, SplitConfig, write_split
from lawqa.pipelines.train import TrainConfig, prepare, train
from lawqa.pipelines.training_resume import FREE_TRAINING
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, file_sha256, read_questions
from lawqa.records import make_records, write_records
from lawqa.runs import MANIFEST, RESULTS, Manifest, RunDirectory, now, read_manifest, write_json
from lawqa.scoring import Summary
from lawqa.training.config import TrainingConfig
from lawqa.training.trackers import Tracker, require_trackers

Say = Callable[[str], object]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CrossvalConfig:
    """What is split, trained and evaluated."""

    input: Path
    """The questions."""
    output_dir: Path
    """Where split, folds and the pooled run go."""
    model_name: str
    """The base model."""
    folds: int = 5
    """How many."""
    fold: int | None = None
    """Only this one, from 1; None for all."""
    seed: int = 0
    """Decides the split; fold i of training seed s trains with seed + s."""
    seeds: int = 1
    """How often each fold is trained, each time with another seed."""
    spec: PromptSpec = field(default_factory=PromptSpec)
    """How held-out questions are put."""
    trained: tuple[tuple[PromptSpec, int], ...] = ()
    """Prompt specs trained on with their weights; empty for `spec` alone. `spec` must be among them."""
    permutations: Literal[1, 4, 24] = 1
    """In how many orders a training question stands."""
    revision: str | None = None
    """The base model's revision."""
    load_in_4bit: bool = False
    """Train and evaluate over 4-bit weights."""
    quant_type: Literal["nf4", "fp4"] = "nf4"
    """The 4-bit data type."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """The dtype of products."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """How; its seed is replaced."""
    place: str = "any"
    """Where this runs."""
    rag: RagConfig | None = None
    """Where contexts are retrieved, for the condition `rag` in training or evaluation."""
    report_to: tuple[Tracker, ...] = ()
    """Trackers that get the figures of every training."""
    quiet: bool = False
    """No progress bars."""


@dataclass(frozen=True)
class Pooled:
    """The pooled run of one training seed."""

    directory: Path
    """A run directory that `lawqa compare` reads."""
    summary: Summary
    """Its figures."""
    notes: tuple[str, ...]
    """What a reader must know first."""


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
    if config.spec not in [spec for spec, _ in _trained(config)]:
        raise ConfigError(
            f"{config.spec.id} is evaluated but not trained on", "put its condition into --mix"
        )
    require_trackers(config.report_to)
    _same_settings(config)
    progress = Parts("trainings", len(waiting_trainings(config)), say)
    for fold, seed in _trainings(config):
        if _run_fold(config, fold, seed, say):
            progress.add()
    if config.fold is not None:
        say(f"fold {config.fold} is done; lawqa crossval pool joins the folds")
        return ()
    return pool([config.output_dir], config.output_dir / "pooled")


def pool(directories: Sequence[Path], output_dir: Path) -> tuple[Pooled, ...]:
    """Join the held-out answers of all folds into one run for each training seed.

    Args:
        directories: the output directories of `run_crossval` with the same settings; folds that ran on
            other machines are given as further directories.
        output_dir: where the pooled runs go, `seedN` each; earlier ones are replaced.

    Raises:
        DataError: folds are missing or unfinished, or do not belong together.
    """
    settings = [_read_json(directory / "crossval.json") for directory in directories]
    if any(other["settings"] != settings[0]["settings"] for other in settings):
        raise DataError("the directories hold cross-validations with different settings")
    folds = int(settings[0]["settings"]["folds"])
    found: dict[int, dict[int, Path]] = {}
    for directory in directories:
        for run in sorted(directory.glob("fold*/seed*/run")):
            seed = int(run.parent.name.removeprefix("seed"))
            fold = int(run.parent.parent.name.removeprefix("fold"))
            found.setdefault(seed, {}).setdefault(fold, run)
    if not found:
        raise DataError(f"{directories[0]}: holds no evaluated fold", "lawqa crossval run  first")
    return tuple(_pool_seed(found[seed], seed, folds, output_dir) for seed in sorted(found))


def _pool_seed(runs: dict[int, Path], seed: int, folds: int, output_dir: Path) -> Pooled:
    missing = [fold for fold in range(1, folds + 1) if fold not in runs]
    if missing:
        raise DataError(
            f"seed {seed}: fold {missing[0]} of {folds} is missing",
            f"lawqa crossval run --fold {missing[0]}  with the same options",
        )
    manifests = [read_manifest(runs[fold]) for fold in sorted(runs)]
    for fold, manifest in zip(sorted(runs), manifests, strict=True):
        if manifest["status"] != "done":
            raise DataError(
                f"{runs[fold]}: is {manifest['status']}, not done",
                "run the same lawqa crossval run again: it goes on where it stopped",
            )
    rows = []
    for fold, manifest in zip(sorted(runs), manifests, strict=True):
        of_fold = [row for _, row in json_lines(runs[fold] / RESULTS)]
        if len(of_fold) != manifest["data"]["questions"]:
            raise DataError(
                f"{runs[fold] / RESULTS}: holds {len(of_fold)} answers, and "
                f"{manifest['data']['questions']} were given; was it cut off while it was copied?",
                f"copy it again; or remove {runs[fold]} and run the same lawqa crossval run again",
            )
        rows += of_fold
    notes = [
        f"POOLED: {folds} folds; each fold's adapter was trained on most of the other folds' questions, so "
        "the answers are not independent and the interval is somewhat too narrow",
        *sorted({note for manifest in manifests for note in manifest["notes"]}),
    ]
    run = RunDirectory.create(output_dir / f"seed{seed}", fresh=True)
    for row in rows:
        run.append_result(row)
    seconds = sum(manifest["figures"]["seconds"] for manifest in manifests)
    summary, record = summary_of(rows, notes, seconds)
    run.write_summary(record)
    run.write_manifest(_pooled_manifest(manifests, seed, notes, seconds))
    return Pooled(run.path, summary, tuple(record["notes"]))


def _pooled_manifest(
    manifests: Sequence[dict[str, Any]], seed: int, notes: list[str], seconds: float
) -> Manifest:
    first = manifests[0]
    questions = [entry for manifest in manifests for entry in manifest["questions"]]
    return Manifest(
        kind="evaluate",
        config={**first["config"], "pooled_folds": len(manifests)},
        model=first["model"],
        prompt_specs=first["prompt_specs"],
        retrieval=first.get("retrieval"),
        data={"folds": [m["data"] for m in manifests], "questions": len(questions)},
        questions=questions,
        adapter={"folds": [m["adapter"] for m in manifests]},
        notes=notes,
        figures={"seconds": round(seconds, 3)},
        seed=seed,
        environment=first["environment"],
        started=min(m["started"] for m in manifests),
        ended=now(),
        status="done",
    )


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
            _trained(config),
            permutations=config.permutations,
            seed=seed,
            retrieved_of=_retrieved_of(config, questions),
        )
        write_records(records, made)
        prepared = prepare(
            TrainConfig(
                train_file=records,
                output_dir=adapter,
                model_name=config.model_name,
                revision=config.revision,
                load_in_4bit=config.load_in_4bit,
                quant_type=config.quant_type,
                dtype=config.dtype,
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
            model_name=config.model_name,
            revision=config.revision,
            adapter=adapter,
            load_in_4bit=config.load_in_4bit,
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


def _trained(config: CrossvalConfig) -> tuple[tuple[PromptSpec, int], ...]:
    return config.trained or ((config.spec, 1),)


def _same_settings(config: CrossvalConfig) -> None:
    """Write what this cross-validation is, or make sure that the directory holds the same one."""
    settings = {
        "data_sha256": file_sha256(config.input),
        "folds": config.folds,
        "seed": config.seed,
        "model_name": config.model_name,
        "revision": config.revision,
        "quantisation": config.quant_type if config.load_in_4bit else None,
        "prompt_spec": config.spec.id,
        "trained": [[spec.id, weight] for spec, weight in _trained(config)],
        "permutations": config.permutations,
        "rag": config.rag.to_json() if config.rag else None,
        "training": _learnt_with({**vars(config.training), "seed": None}),
    }
    file = config.output_dir / "crossval.json"
    settings = json.loads(json.dumps(settings))
    if file.is_file():
        earlier = _read_json(file)["settings"]
        earlier["training"] = _learnt_with(earlier.get("training", {}))
        changed = [key for key, value in settings.items() if earlier.get(key) != value]
        if changed:
            raise ConfigError(
                f"{config.output_dir}: holds a cross-validation with other settings "
                f"({', '.join(changed)})",
                "give the same options to go on with it, or another --output-dir",
            )
    else:
        write_json(file, {"schema_version": 1, "settings": settings})
    if not (config.output_dir / "split" / SPLIT_FILE).is_file():
        write_split(
            SplitConfig(
                config.input, config.output_dir / "split", "kfold", config.folds, seed=config.seed
            )
        )


def _learnt_with(training: Mapping[str, Any]) -> dict[str, Any]:
    """What decides the adapters; memory and rhythm may change in the middle, as in a single training."""
    return {name: value for name, value in training.items() if name not in FREE_TRAINING}


def _is_done(directory: Path) -> bool:
    return (directory / MANIFEST).is_file() and read_manifest(directory)["status"] == "done"


def _read_json(path: Path) -> dict[str, Any]:
    content = read_json(path)
    if not isinstance(content, dict) or "settings" not in content:
        raise DataError(f"{path}: does not describe a cross-validation")
    return content
