"""What a training needs, loaded and checked before anything is written."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.augment.reading import holds_readings, pack_readings, read_readings
from lawqa.digests import hashed_while_read
from lawqa.errors import ConfigError
from lawqa.pipelines.adapters.stages import Start
from lawqa.pipelines.corpus.records_provenance import retrieval_of
from lawqa.pipelines.training.dev import DevQuestions, PutAs, load_dev
from lawqa.pipelines.training.dev_generation import scorings_of
from lawqa.pipelines.training.mixing import capped, load_extra
from lawqa.pipelines.training.mode_probe import probed_questions
from lawqa.pipelines.training.outputs import manifest_of
from lawqa.pipelines.training.prepared import Prepared, TrainingSource
from lawqa.pipelines.training.resume import earlier_training, require_same_training
from lawqa.prompts import STANDARD
from lawqa.records import (
    TokenizedRecord,
    load_pairs,
    load_records,
    reading_record,
    tokenize_records,
)
from lawqa.runs.directory import RunDirectory
from lawqa.runs.manifest import MANIFEST
from lawqa.runs.outputs import claim_directory
from lawqa.runs.upkeep.lock import LOCK, require_free
from lawqa.runs.upkeep.remove import OF_ADAPTER
from lawqa.settings import (
    ModelSettings,
    PolicyRun,
    PreferenceRun,
    TrainingRun,
    part_of,
    require_belonging,
)
from lawqa.training.monitoring.trackers import require_trackers

if TYPE_CHECKING:
    from lawqa.models.load import LoadedModel
    from lawqa.prompting import ChatTokenizer

logger = logging.getLogger(__name__)

_READS_ALONE = (
    "nothing but statutes is read, and a model may forget how to follow instructions: --extra CHATS.jsonl=1 "
    "mixes chats in, --probe-questions N --dev-file FILE shows what is left"
)
READING_TOKENS = 1024
"""Tokens of a sequence of articles to read, where no other length is asked for."""


def prepare_training(config: TrainingRun, dev_as: PutAs | None = None) -> Prepared:
    """Load and check everything; writes nothing.

    Args:
        config: what is trained on what.
        dev_as: how dev questions are put, for callers that know it; None for as the records are.

    Raises:
        LawqaError: a file, option or model does not allow it.
    """
    from lawqa.models import require_packages

    logger.debug("settings: %s", config)
    require_belonging(config, "train")
    if isinstance(config, PreferenceRun | PolicyRun) and int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("preferences are learnt in one process", "start it without torchrun")
    source = _load(config)
    start = Start.read(config.init_adapter, config.training) if config.init_adapter else None
    dev = _dev(config, source, start, dev_as)
    _check_probe(config, source)
    earlier = earlier_training(config.output_dir) if config.resume and is_main_process() else None
    if earlier is None and is_main_process():
        RunDirectory.check_free(config.output_dir, fresh=config.fresh, kind="train")
        _require_own_directory(config)
    if is_main_process():
        require_free(config.output_dir / LOCK)
    require_packages(quantised=config.load_in_4bit, training=True)
    require_trackers(config.report_to)
    from lawqa.training.adapter import add_adapter

    loaded = _load_model(config, dev)
    records = _rows(config, source, loaded.tokenizer)
    if dev is not None:
        dev.require_scorable(loaded.tokenizer)
    start_notes = (start.note, *start.require_base(loaded.describe())) if start else ()
    model = add_adapter(loaded, config.training)
    if start is not None:
        start.put_into(model)
    prepared = Prepared(
        config, loaded, model, source, tuple(records), dev, earlier, start, start_notes
    )
    if dev is not None:
        with_adapter = replace(loaded, model=model, adapter=config.output_dir)
        prepared = replace(prepared, dev=_planned(dev, config, with_adapter, prepared.units))
    if earlier is not None:
        require_same_training(type(config), config.output_dir, earlier, manifest_of(prepared))
    return prepared


def _load_model(config: TrainingRun, dev: DevQuestions | None) -> LoadedModel:
    """Load the base model; raises ConfigError where it cannot be trained as asked."""
    from lawqa.models.load import load_model

    if config.fsdp:
        if dev is not None and dev.generation is not None:
            raise ConfigError(
                "--fsdp: dev questions are answered by text, which weights shared out over processes cannot "
                "write",
                "give a --dev-file of direct records (lawqa records --mode direct), or leave --dev-file out",
            )
        from lawqa.training.processes.sharding import require_shardable

        require_shardable(use_dora=config.training.use_dora)
    loaded = load_model(part_of(ModelSettings, config), sharded=config.fsdp)
    if loaded.device.type == "cpu" and config.dtype == "float16":
        raise ConfigError("float16 training needs a GPU", "leave --fp16 out on a CPU")
    return loaded


def _rows(
    config: TrainingRun, source: TrainingSource, tokenizer: ChatTokenizer
) -> Sequence[TokenizedRecord]:
    """Tokenize what is trained on; of a policy, whose texts are not written yet, rows of the longest."""
    if isinstance(config, PolicyRun):
        from lawqa.pipelines.training.policy import longest_rows  # with all of retrieval

        records = longest_rows(source.records, config, tokenizer)
    else:
        records = _tokenized(source, tokenizer, config.training.max_seq_length)
    lengths = sorted(len(record.input_ids) for record in records)
    logger.debug(
        "%d records of %d to %d tokens, half of them up to %d",
        len(lengths), lengths[0], lengths[-1], lengths[len(lengths) // 2],
    )  # fmt: skip
    return records


def _require_own_directory(config: TrainingRun) -> None:
    """Refuse an output directory that something is read from, or that holds what others wrote."""
    holds_training = (config.output_dir / MANIFEST).is_file()
    claim_directory(
        config.output_dir,
        "--output-dir",
        sources={
            "the base model's directory": Path(config.model_name) if config.model_name else None,
            "the training file": config.train_file,
            "the adapter to start from": config.init_adapter,
            **{f"the records of --extra {path}": path for path, _ in config.extra},
            "the dev questions": config.dev_file,
        },
        ours=("*",) if holds_training else OF_ADAPTER,
    )


def _dev(
    config: TrainingRun, source: TrainingSource, start: Start | None, dev_as: PutAs | None
) -> DevQuestions | None:
    training = config.training
    if config.dev_file is None:
        return None
    return load_dev(
        config.dev_file,
        (config.train_file, *(path for path, _ in config.extra), *(start.files if start else ())),
        source.records,
        config.dev_condition,
        training,
        part_of(ModelSettings, config),
        dev_as,
    )


def _check_probe(config: TrainingRun, source: TrainingSource) -> None:
    if not config.probe_questions:
        return
    if config.fsdp:
        raise ConfigError(
            "--fsdp: --probe-questions writes texts, which weights shared out over processes cannot",
            "leave one of them out",
        )
    probed_questions(config, source)


def _planned(
    dev: DevQuestions, config: TrainingRun, loaded: LoadedModel, records: int
) -> DevQuestions:
    """Return the dev questions with their cost; the model is left as it was."""
    from lawqa.training.undisturbed import undisturbed

    with undisturbed(loaded.model):
        return dev.planned(loaded, scorings_of(config.training, records))


def _load(config: TrainingRun) -> TrainingSource:
    path, seed = config.train_file, config.training.seed
    with hashed_while_read(path) as sha256:
        if isinstance(config, PreferenceRun):
            read = _pairs(path)
        elif isinstance(config, PolicyRun):
            from lawqa.pipelines.training.policy import policy_source  # as above

            read = policy_source(config)
        else:
            read = _read(path, config.prompt)
        retrieval = read.retrieval or retrieval_of(path, sha256)
        source = replace(read, sha256=sha256, retrieval=retrieval)
    if source.readings and not config.extra:
        source = replace(source, warnings=(*source.warnings, _READS_ALONE))
    extra = load_extra(config.extra, config.prompt, seed)
    records = [*source.records, *(record for one in extra for record in one.records)]
    left_out = 0
    if config.max_synthetic_share is not None:
        records, left_out = capped(records, config.max_synthetic_share, seed)
    return replace(
        source,
        records=tuple(records),
        extra=extra,
        synthetic_left_out=left_out,
        warnings=(*source.warnings, *(warning for one in extra for warning in one.warnings)),
    )


def _read(path: Path, wording: str) -> TrainingSource:
    if holds_readings(path):
        if wording != STANDARD:
            raise ConfigError(
                f"--prompt {wording}: {path} holds statutes to read, which are put in no prompt",
                "leave --prompt out",
            )
        readings = read_readings(path)
        note = f"{path} holds {len(readings)} statutes' articles to read: they teach no answers"
        return TrainingSource(readings=readings, warnings=(note,))
    loaded = load_records(path, wording=wording)
    return TrainingSource(loaded.records, warnings=loaded.warnings)


def _pairs(path: Path) -> TrainingSource:
    pairs = load_pairs(path)
    return TrainingSource(tuple(p.right for p in pairs), wrong=tuple(p.wrong for p in pairs))


def _tokenized(
    source: TrainingSource, tokenizer: ChatTokenizer, max_seq_length: int
) -> list[TokenizedRecord]:
    if source.wrong:
        both = [one for pair in zip(source.records, source.wrong, strict=True) for one in pair]
        return tokenize_records(both, tokenizer, max_seq_length)
    packed = (
        pack_readings(source.readings, tokenizer, max_seq_length or READING_TOKENS)
        if source.readings
        else []
    )
    return [
        *tokenize_records(source.records, tokenizer, max_seq_length),
        *(
            reading_record(f"reading {number}", sequence.input_ids)
            for number, sequence in enumerate(packed, start=1)
        ),
    ]


def is_main_process() -> bool:
    """Return whether this process writes; of those that `torchrun` starts only the first does."""
    return int(os.environ.get("RANK", "0")) == 0
