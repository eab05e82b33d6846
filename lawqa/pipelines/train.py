"""Training: records -> token ids -> QLoRA trainer -> adapter with its manifest."""

from __future__ import annotations

import os
import statistics
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from lawqa.augment import (
    ReadingRecord,
    holds_readings,
    pack_readings,
    read_readings,
    write_readings,
)
from lawqa.errors import ConfigError
from lawqa.pipelines.adapters import TRAINED_ON
from lawqa.prompting import PromptSpec, spec_hash
from lawqa.questions import file_sha256
from lawqa.records import (
    LEGACY_SPEC,
    TokenizedRecord,
    TrainingRecord,
    load_records,
    masked_text,
    reading_record,
    tokenize_records,
    write_records,
)
from lawqa.runs import Manifest, RunDirectory, describe_environment, ending, now
from lawqa.training.config import TrainingConfig

if TYPE_CHECKING:
    from lawqa.backends.hf.load import LoadedModel
    from lawqa.training.trainer import TrainingFigures

ADAPTER_FILES = ("adapter_config.json", "adapter_model.safetensors", "log.jsonl", TRAINED_ON)


@dataclass(frozen=True)
class TrainConfig:
    """What is trained on what, and where the adapter goes."""

    train_file: Path
    """Records, or questions from which direct closed-book records are made."""
    output_dir: Path
    """Where adapter, manifest and log go."""
    model_name: str
    """The base model."""
    revision: str | None = None
    """Its revision."""
    load_in_4bit: bool = False
    """Train over 4-bit weights."""
    quant_type: Literal["nf4", "fp4"] = "nf4"
    """The 4-bit data type."""
    dtype: Literal["auto", "bfloat16", "float16", "float32"] = "auto"
    """The dtype of products."""
    training: TrainingConfig = field(default_factory=TrainingConfig)
    """How."""
    fresh: bool = False
    """Replace an earlier adapter in the output directory."""
    quiet: bool = False
    """No progress bar."""


@dataclass(frozen=True)
class TrainingSource:
    """What a training file holds."""

    records: tuple[TrainingRecord, ...] = ()
    """Prompts with their answers."""
    readings: tuple[ReadingRecord, ...] = ()
    """Articles to read."""
    warnings: tuple[str, ...] = ()
    """What is lost or unknown, a sentence each."""


@dataclass(frozen=True)
class Prepared:
    """Everything that training needs, checked."""

    config: TrainConfig
    """What was asked for."""
    loaded: LoadedModel
    """The base model."""
    model: Any
    """PEFT's wrapper with the new adapter."""
    source: TrainingSource
    """The records, with warnings."""
    records: tuple[TokenizedRecord, ...]
    """The records as token ids and labels."""


def prepare(config: TrainConfig) -> Prepared:
    """Load and check everything; writes nothing.

    Raises:
        LawqaError: a file, option or model does not allow it.
    """
    from lawqa.backends.hf import require_packages

    source = _load(config.train_file)
    RunDirectory.check_free(config.output_dir, fresh=config.fresh)
    require_packages(quantised=config.load_in_4bit, training=True)
    from lawqa.backends.hf.load import ModelConfig, load_model
    from lawqa.training.model import add_adapter

    model_config = ModelConfig(
        config.model_name, config.revision, config.load_in_4bit, config.quant_type, config.dtype
    )
    loaded = load_model(model_config)
    if loaded.device.type == "cpu" and config.dtype == "float16":
        raise ConfigError("float16 training needs a GPU", "leave --fp16 out on a CPU")
    records = _tokenized(source, loaded.tokenizer, config.training.max_seq_length)
    _seed(config.training.seed)
    return Prepared(config, loaded, add_adapter(loaded, config.training), source, tuple(records))


def _load(path: Path) -> TrainingSource:
    if holds_readings(path):
        readings = read_readings(path)
        note = f"{path} holds {len(readings)} statutes' articles to read: they teach no answers"
        return TrainingSource(readings=readings, warnings=(note,))
    loaded = load_records(path)
    return TrainingSource(loaded.records, warnings=loaded.warnings)


def _tokenized(
    source: TrainingSource, tokenizer: Any, max_seq_length: int
) -> list[TokenizedRecord]:
    packed = pack_readings(source.readings, tokenizer, max_seq_length) if source.readings else []
    return [
        *tokenize_records(source.records, tokenizer, max_seq_length),
        *(
            reading_record(f"reading {number}", sequence.input_ids)
            for number, sequence in enumerate(packed, start=1)
        ),
    ]


def train(prepared: Prepared) -> TrainingFigures:
    """Train, and write adapter, tokenizer, log and manifest into the output directory.

    Raises:
        ConfigError: the output directory cannot be written.
    """
    from lawqa.backends.hf.device import peak_memory_gib
    from lawqa.training.trainer import fit

    config, loaded = prepared.config, prepared.loaded
    main_process = int(os.environ.get("RANK", "0")) == 0
    if main_process:
        run = RunDirectory.create(config.output_dir, fresh=config.fresh)
        for name in ADAPTER_FILES:
            (run.path / name).unlink(missing_ok=True)
        manifest = _manifest(prepared)
        run.write_manifest(manifest)
    try:
        figures = fit(
            loaded,
            prepared.model,
            prepared.records,
            config.training,
            config.output_dir,
            quiet=config.quiet or not main_process,
        )
    except BaseException as problem:
        if main_process:
            run.write_manifest(replace(manifest, ended=now(), status=ending(problem)))
        raise
    if main_process:
        _write_trained_on(config.output_dir / TRAINED_ON, prepared.source)
        prepared.model.save_pretrained(str(config.output_dir), save_embedding_layers=False)
        (config.output_dir / "README.md").write_text(_model_card(manifest), encoding="utf-8")
        loaded.tokenizer.save_pretrained(str(config.output_dir))
        measured = {key: value for key, value in vars(figures).items() if key != "log"}
        measured["peak_memory_gib"] = peak_memory_gib(loaded.device)
        run.write_manifest(replace(manifest, figures=measured, ended=now(), status="done"))
    return figures


def plan_text(prepared: Prepared) -> str:
    """What training would do, and one record token by token with its mask."""
    config, training = prepared.config, prepared.config.training
    from lawqa.training.model import parameter_counts

    lengths = [len(record.input_ids) for record in prepared.records]
    trainable, total = parameter_counts(prepared.model)
    described = prepared.loaded.describe()
    per_epoch = -(-len(lengths) // training.records_per_step)
    steps = training.max_steps if training.max_steps > 0 else round(per_epoch * training.num_epochs)
    specs = (
        ", ".join(sorted({record.prompt_spec for record in prepared.source.records})) or "reading"
    )
    shortened = sum(record.shortened for record in prepared.records)
    contexts = f"; {shortened} with a shortened context" if shortened else ""
    lines = [
        f"model      {config.model_name}, {described['quantisation'] or 'not quantised'}, "
        f"{described['dtype']}, on {prepared.loaded.device}",
        f"adapter    LoRA r={training.lora_r} alpha={training.lora_alpha} on "
        f"{' '.join(training.target_modules)}: {trainable:,} of {total:,} parameters train",
        f"records    {len(lengths)} from {config.train_file} ({specs})",
        f"tokens     {sum(lengths):,} an epoch; a record has {min(lengths)} to {max(lengths)}, "
        f"median {statistics.median(lengths):g}, limit {training.max_seq_length}{contexts}",
        f"steps      {steps} of {training.records_per_step} records "
        f"({training.batch_size} x {training.gradient_accumulation_steps}), "
        f"{per_epoch} an epoch, {training.num_epochs:g} epochs",
        f"rate       {training.learning_rate:g} after {training.warmup_ratio:.0%} warm-up, cosine",
        "",
        "the first record:",
        masked_text(prepared.records[0], prepared.loaded.tokenizer),
    ]
    return "\n".join(lines)


def _manifest(prepared: Prepared) -> Manifest:
    config, loaded = prepared.config, prepared.loaded
    template = str(loaded.tokenizer.chat_template)
    spec_ids = sorted({record.prompt_spec for record in prepared.source.records})
    known = {
        (record.question_id, record.order): record.fingerprint
        for record in prepared.source.records
        if record.question_id
    }
    model = loaded.describe()
    plain = {
        key: str(value) if isinstance(value, Path) else value for key, value in vars(config).items()
    }
    return Manifest(
        kind="train",
        config={**plain, "training": vars(config.training)},
        model=model,
        prompt_specs={
            spec_id: ""
            if spec_id == LEGACY_SPEC
            else spec_hash(PromptSpec.from_id(spec_id), template)
            for spec_id in spec_ids
        },
        data={
            "path": str(config.train_file),
            "sha256": file_sha256(config.train_file),
            "records": len(prepared.records),
            "shortened": sum(record.shortened for record in prepared.records),
        },
        questions=[
            {"id": question_id, "order": order, "fingerprint": mark}
            for (question_id, order), mark in known.items()
        ],
        notes=list(prepared.source.warnings),
        seed=config.training.seed,
        environment=describe_environment(_device(loaded)),
        started=now(),
    )


def _write_trained_on(path: Path, source: TrainingSource) -> None:
    if source.readings:
        write_readings(path, source.readings)
    else:
        write_records(path, source.records)


def _device(loaded: LoadedModel) -> dict[str, Any]:
    from lawqa.backends.hf.device import describe_device

    return describe_device(loaded.device)


def _model_card(manifest: Manifest) -> str:
    """A model card that Hugging Face's tools can read, instead of PEFT's empty form."""
    model, data = manifest.model, manifest.data
    specs = ", ".join(manifest.prompt_specs)
    return (
        f"---\nbase_model: {model['name']}\nlibrary_name: peft\n---\n\n"
        f"# LoRA adapter for Japanese-law four-choice questions\n\n"
        f"Trained by lawqa over {model['name']} ({model['quantisation'] or 'not quantised'}, "
        f"{model['dtype']}) on {data['records']} records with the prompt specs {specs}.\n"
        "`manifest.json` beside this file says on which questions, with which settings and versions; "
        "`lawqa evaluate --hf-lora-path` reads it.\n"
    )


def _seed(seed: int) -> None:
    from transformers import set_seed

    set_seed(seed)
