"""What a training leaves beside the adapter: manifest, model card, records, plot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.augment.reading import write_readings
from lawqa.errors import MissingExtraError
from lawqa.files import JsonDict, JsonObject, write_text
from lawqa.models.files.adapter_folder import CONFIG, WEIGHTS
from lawqa.pipelines.adapters.card import adapter_card
from lawqa.pipelines.adapters.manifest import BESIDE_READINGS, TRAINED_ON
from lawqa.pipelines.adapters.statutes_read import statutes_read_json
from lawqa.prompting import PromptSpec, spec_hash
from lawqa.records import FOREIGN_SPECS, write_records
from lawqa.runs.environment import describe_environment
from lawqa.runs.manifest import Manifest, now
from lawqa.scoring import wilson
from lawqa.templates import template_identity
from lawqa.training.monitoring.log import LOG, read_log

if TYPE_CHECKING:
    from lawqa.pipelines.training.prepared import Prepared
    from lawqa.records import TrainingRecord
    from lawqa.training.dev import DevResult
    from lawqa.training.figures import TrainingFigures

NO_BETTER = "NO STEP WAS BETTER ON THE DEV QUESTIONS THAN THE MODEL BEFORE TRAINING"
CARD, PLOT = "README.md", "training.png"
ADAPTER_FILES = (
    CONFIG, WEIGHTS, LOG, TRAINED_ON, CARD, PLOT,
)  # fmt: skip


def manifest_of(prepared: Prepared) -> Manifest:
    """Return the manifest of a training that begins."""
    config, loaded, source = prepared.config, prepared.loaded, prepared.source
    start = prepared.start
    from lawqa.models.device import describe_device

    template = template_identity(loaded.tokenizer)
    spec_ids = sorted({record.prompt_spec for record in source.records})
    questions = _questions_of(source.records)
    read = statutes_read_json(
        source.readings,
        source.records,
        start.training.data.get("statutes_read") if start else None,
    )
    return Manifest(
        kind="train",
        config=config.to_json(),
        model=loaded.describe(),
        prompt_specs={
            **(start.training.prompt_specs if start else {}),
            **{
                spec_id: ""
                if spec_id in FOREIGN_SPECS
                else spec_hash(PromptSpec.from_id(spec_id), template)
                for spec_id in spec_ids
            },
        },
        data={
            "path": str(config.train_file),
            "sha256": source.sha256,
            "records": len(prepared.records),
            "shortened": sum(record.shortened for record in prepared.records),
            **({"pairs": prepared.units} if prepared.preference else {}),
            **source.describe_mixture(),
            "dev": prepared.dev.describe() if prepared.dev else None,
            **({"stages": start.stages()} if start else {}),
            **({} if read is None else {"statutes_read": read}),
            **({} if source.retrieval is None else {"retrieval": source.retrieval}),
        },
        questions=start.questions(questions) if start else questions,
        notes=list(prepared.notes),
        seed=config.training.seed,
        environment=describe_environment(describe_device(loaded.device)),
        started=now(),
    )


def _questions_of(records: Sequence[TrainingRecord]) -> list[JsonDict]:
    """Return each question and order of the records once, as the manifest keeps them."""
    known = {
        (record.question_id, record.order): record.fingerprint
        for record in records
        if record.question_id
    }
    return [
        {"id": question_id, "order": order, "fingerprint": mark}
        for (question_id, order), mark in known.items()
    ]


def write_outputs(
    prepared: Prepared, figures: TrainingFigures, manifest: Manifest, say: Callable[[str], object]
) -> None:
    """Write adapter, tokenizer, records, model card and plot into the output directory."""
    directory, source = prepared.config.output_dir, prepared.source
    # Once each, however often they were learnt: the files are for the leak audit.
    records = dict.fromkeys(source.records)
    if source.readings:
        write_readings(directory / TRAINED_ON, source.readings)
    if records or not source.readings:
        write_records(directory / (BESIDE_READINGS if source.readings else TRAINED_ON), records)
    if prepared.start is not None:
        prepared.start.copy_records(directory)
    prepared.model.save_pretrained(str(directory), save_embedding_layers=False)
    # safetensors makes files that only their owner can read
    (directory / WEIGHTS).chmod(0o644)
    prepared.loaded.tokenizer.save_pretrained(str(directory))
    plotted = _plot(directory, say)
    write_text(directory / CARD, _model_card(manifest, figures, plotted=plotted))


def figures_json(figures: TrainingFigures) -> JsonObject:
    """Return the figures for the manifest; the log has its own file."""
    plain = {key: value for key, value in vars(figures).items() if key != "log"}
    return {
        **plain,
        "best": _dev_json(figures.best) if figures.best else None,
        "dev": [_dev_json(result) for result in figures.dev],
        **({"objective": figures.objective} if figures.objective else {}),
        "tokens_per_second": round(figures.tokens / max(figures.seconds, 1e-9), 1),
    }


def figures_from_json(stored: JsonObject, log: list[JsonDict]) -> TrainingFigures:
    """Return the figures that a manifest keeps, with the log of its file."""
    from lawqa.training.figures import TrainingFigures

    names = {field.name for field in fields(TrainingFigures)} - {"log", "best", "dev"}
    return TrainingFigures(
        **{name: stored[name] for name in names if name in stored},
        log=log,
        best=_dev_from_json(stored["best"]) if stored.get("best") else None,
        dev=[_dev_from_json(result) for result in stored.get("dev") or ()],
    )


def dev_sentence(result: DevResult) -> str:
    """Return a dev accuracy with its interval."""
    interval = wilson(result.correct, result.asked)
    texts = f"; {result.text_sentence}" if result.texts else ""
    return (
        f"{result.accuracy:.1%} ({result.correct} / {result.asked}, "
        f"95% interval {interval.low:.1%} - {interval.high:.1%}{texts})"
    )


def _dev_json(result: DevResult) -> JsonObject:
    return {**asdict(result), "accuracy": result.accuracy}


def _dev_from_json(stored: JsonObject) -> DevResult:
    from lawqa.training.dev import DevResult

    return DevResult(**{name: value for name, value in stored.items() if name != "accuracy"})


def _plot(directory: Path, say: Callable[[str], object]) -> bool:
    from lawqa.report.plots.training_plots import write_training_plot

    try:
        write_training_plot(read_log(directory), directory / PLOT)
    except MissingExtraError as missing:
        say(f"note: no {PLOT}: {missing.message}; {missing.hint}")
        return False
    return True


def _model_card(manifest: Manifest, figures: TrainingFigures, *, plotted: bool) -> str:
    """Return a model card that Hugging Face's tools can read, instead of PEFT's empty form."""
    rows = []
    if figures.best and figures.dev:
        rows = [
            ("dev accuracy before training", dev_sentence(figures.dev[0])),
            (f"dev accuracy at step {figures.best.step}, kept", dev_sentence(figures.best)),
        ]
    return adapter_card(
        manifest, figures_json(figures), dev_rows=rows, plot=PLOT if plotted else None
    )
