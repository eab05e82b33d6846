"""Merging an adapter into its base model, and what that does to the scores.

An adapter that was trained over 4-bit weights has learnt to live with their rounding; added to the exact
weights it is a slightly different model. How different is measured, not assumed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.bars import Bar, Say
from lawqa.errors import ConfigError
from lawqa.files import write_json, write_text
from lawqa.models.files.adapter_folder import read_adapter_config
from lawqa.pipelines.adapters.card import CARD, merged_card
from lawqa.pipelines.adapters.manifest import MERGED, AdapterManifest, trained_on_files
from lawqa.pipelines.adapters.notes import notes_on_training
from lawqa.pipelines.experiments.merge_writing import room_for_model, written_beside
from lawqa.pipelines.training.dev import DevQuestions
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import read_questions
from lawqa.runs.outputs import few_quoted, foreign_entries, refuse_working_directory
from lawqa.scoring import ScoredAnswer, Summary, summarise
from lawqa.scoring.comparisons import PairedComparison, compare
from lawqa.settings import MergeSettings, ModelSettings, QuietSettings

if TYPE_CHECKING:
    from lawqa.models.load import LoadedModel
    from lawqa.models.merging import MergeProof

_TOKEN_BUDGET = 8192

_OF_MERGED = (
    MERGED, "trained_on*.jsonl", "config.json", "generation_config.json", "model*.safetensors",
    "model.safetensors.index.json", "tokenizer*", "chat_template.jinja", "special_tokens_map.json",
    "added_tokens.json", "vocab.json", "merges.txt", CARD,
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MergeConfig(MergeSettings, QuietSettings):
    """Which adapter is merged, and where to."""


@dataclass(frozen=True)
class MergeResult:
    """The scores before and after a merge."""

    before: Summary
    """Adapter over the base model as it was trained."""
    after: Summary
    """The merged model."""
    change: PairedComparison
    """After against before."""
    changed_answers: int
    """Questions that are answered differently."""
    shift: float
    """Mean absolute change of a label's log-probability, nats."""
    notes: tuple[str, ...]
    """What a reader of the scores must know first."""


def merge(config: MergeConfig, say: Say = str) -> MergeResult | None:
    """Write the base model with the adapter added to its weights, in bfloat16.

    Args:
        config: what to merge.
        say: prints what is being done, a line each.

    Returns:
        The scores; None without dev questions.

    Raises:
        LawqaError: adapter, model or dev questions do not allow it, the merged model does not answer like
            adapter and base, or there is no room for it. Nothing is left of it then.
    """
    _check_free(config)
    adapter = AdapterManifest.read(config.adapter)
    dev, notes = _dev(config, adapter) if config.dev_file else (None, [])
    from lawqa.models import require_packages

    require_packages(quantised=adapter.quantisation is not None)
    from lawqa.models.device import give_back_memory

    for note in _check_base(config, adapter):
        say(note)
    before = None
    if dev:
        say(f"scoring {len(dev.questions)} dev questions as trained: {_over(adapter)} and adapter")
        before = _score(_as_trained(config, adapter), dev, quiet=config.quiet)
        give_back_memory()  # the larger model comes now
    say("merging in bfloat16")
    merged, proof = _merged(config, adapter)
    if proof.note:
        say(proof.note)
        notes = [proof.note, *notes]
    with written_beside(config.output_dir) as directory:
        _save(directory, config.adapter, merged)
        del merged
        give_back_memory()  # what was written is read again, and scored
        say("reading the merged model back")
        merged = _read_back(directory, proof)
        result = None
        if dev and before:
            say("scoring the merged model")
            result = _result(before, _score(merged, dev, quiet=config.quiet), notes)
        _write_note(directory, config, adapter, result)
    return result


def _check_free(config: MergeConfig) -> None:
    if config.output_dir.exists() and not config.output_dir.is_dir():
        raise ConfigError(f"{config.output_dir}: is a file, expected a directory for the model")
    held = config.output_dir.is_dir() and any(config.output_dir.iterdir())
    ours = (config.output_dir / MERGED).is_file()
    if held and not (config.fresh and ours):
        raise ConfigError(
            f"{config.output_dir}: is not empty",
            "--fresh replaces a merged model" if ours else "name a new directory",
        )
    foreign = foreign_entries(config.output_dir, _OF_MERGED)
    if foreign:
        raise ConfigError(
            f"{config.output_dir}: holds what lawqa merge does not write: {few_quoted(foreign)}; "
            "--fresh would remove it",
            "move it elsewhere, or name a new directory",
        )
    refuse_working_directory(config.output_dir, "--output-dir")
    target = config.output_dir.resolve()
    above = next(parent for parent in target.parents if parent.is_dir())
    if not os.access(above, os.W_OK):
        raise ConfigError(
            f"{config.output_dir}: {above} cannot be written to", "name another place"
        )


def _dev(config: MergeConfig, adapter: AdapterManifest) -> tuple[DevQuestions, list[str]]:
    assert config.dev_file is not None  # noqa: S101 - for the type checker; the caller asked
    questions = read_questions(config.dev_file)
    spec = _spec(config, adapter)
    notes = notes_on_training(
        adapter, questions, spec, allow_leak=False, allow_prompt_mismatch=False
    )
    prompts = tuple(build_prompt(question, spec) for question in questions)
    return DevQuestions(config.dev_file, questions, prompts, _TOKEN_BUDGET), notes


def _spec(config: MergeConfig, adapter: AdapterManifest) -> PromptSpec:
    if adapter.training is None:
        return PromptSpec("direct", config.dev_condition or "closed")
    known = [PromptSpec.from_id(name) for name in adapter.training.prompt_specs if "-v" in name]
    fitting = [
        spec
        for spec in known
        if not spec.reasons and spec.condition != "rag"
        and config.dev_condition in (None, spec.condition)
    ]  # fmt: skip
    if len(fitting) != 1:
        raise ConfigError(
            f"--dev-file: {config.adapter} was trained on "
            f"{', '.join(adapter.training.prompt_specs) or 'no prompts'}; {len(fitting)} of them can be "
            "scored here",
            "--dev-condition closed or gold  picks one; or leave --dev-file out",
        )
    return fitting[0]


def _check_base(config: MergeConfig, adapter: AdapterManifest) -> list[str]:
    """Return notes on the base model; raises where it is another one, or not whole."""
    from lawqa.models.load import describe_files

    name, revision = _base(config, adapter)
    described = describe_files(name, revision)
    if described["stored"] is not None:
        raise ConfigError(
            f"{name}: its files hold 4-bit weights, and merging needs whole ones",
            "--model-name  names the model that they were made from",
        )
    if config.model_name and _over_4bit_files(adapter):
        return [
            f"UNKNOWN BASE: {config.adapter} was trained over files of 4-bit weights; whether they were made "
            f"from {name} is unknown"
        ]
    return adapter.check_identity(described, allow_base_mismatch=config.allow_base_mismatch)


def _over_4bit_files(adapter: AdapterManifest) -> bool:
    if adapter.training is not None:
        return adapter.training.model.get("stored") is not None
    from lawqa.models.load import describe_files

    named = str(read_adapter_config(adapter.path).get("base_model_name_or_path") or "")
    return Path(named).is_dir() and describe_files(named)["stored"] is not None


def _as_trained(config: MergeConfig, adapter: AdapterManifest) -> LoadedModel:
    from lawqa.models.load import load_model

    name, revision = _base(config, adapter)
    in_4bit = adapter.quantisation is not None
    settings = ModelSettings(
        model_name=name, revision=revision, load_in_4bit=in_4bit, quant_type=adapter.quantisation
    )
    return load_model(settings, config.adapter)


def _merged(config: MergeConfig, adapter: AdapterManifest) -> tuple[LoadedModel, MergeProof]:
    from lawqa.models.load import load_model
    from lawqa.models.merging import merge_weights

    name, revision = _base(config, adapter)
    settings = ModelSettings(model_name=name, revision=revision, dtype="bfloat16")
    loaded = load_model(settings, config.adapter)
    return loaded, merge_weights(loaded)


def _read_back(directory: Path, proof: MergeProof) -> LoadedModel:
    """Return the merged model as it lies on the disk."""
    from lawqa.models.load import load_model

    loaded = load_model(ModelSettings(model_name=str(directory), dtype="bfloat16"))
    proof.require(loaded)
    return loaded


def _base(config: MergeConfig, adapter: AdapterManifest) -> tuple[str, str | None]:
    if config.model_name:
        return config.model_name, config.revision
    if adapter.training is not None:
        model = adapter.training.model
        return model["name"], model["revision"]
    named = read_adapter_config(config.adapter)
    if not named.get("base_model_name_or_path"):
        raise ConfigError(f"{config.adapter}: names no base model", "--model-name  names it")
    return str(named["base_model_name_or_path"]), named.get("revision")


def _over(adapter: AdapterManifest) -> str:
    return adapter.quantisation or "plain weights"


def _score(loaded: LoadedModel, dev: DevQuestions, *, quiet: bool) -> list[ScoredAnswer]:
    dev.require_scorable(loaded.tokenizer)
    with Bar("scoring", "questions", len(dev.questions), quiet=quiet) as bar:
        answers = [answer.scored for answer in bar.over(dev(loaded, 0, 1))]
    return sorted(answers, key=lambda answer: answer.key)


def _result(
    before: Sequence[ScoredAnswer], after: Sequence[ScoredAnswer], notes: Sequence[str]
) -> MergeResult:
    pairs = list(zip(before, after, strict=True))
    shifts = [
        abs(a - b)
        for one, other in pairs
        if one.label_logprobs and other.label_logprobs
        for a, b in zip(one.label_logprobs, other.label_logprobs, strict=True)
    ]
    return MergeResult(
        before=summarise(before),
        after=summarise(after),
        change=compare(before, after),
        changed_answers=sum(one.predicted != other.predicted for one, other in pairs),
        shift=sum(shifts) / max(len(shifts), 1),
        notes=tuple(notes),
    )


def _save(directory: Path, adapter: Path, merged: LoadedModel) -> None:
    with room_for_model(directory, merged.model.get_memory_footprint()):
        merged.model.save_pretrained(directory)
        merged.tokenizer.save_pretrained(directory)
        for records in trained_on_files(adapter):
            shutil.copy(records, directory / records.name)


def _write_note(
    directory: Path, config: MergeConfig, adapter: AdapterManifest, result: MergeResult | None
) -> None:
    scores = None
    if result:
        scores = {
            "before": result.before.to_json(),
            "after": result.after.to_json(),
            "changed_answers": result.changed_answers,
            "shift": result.shift,
        }
    content = {
        "adapter": str(config.adapter),
        "manifest": adapter.training.to_json() if adapter.training else None,
        "scores": scores,
    }
    with room_for_model(directory, 0):
        write_json(directory / MERGED, {"schema_version": 1, **content})
        write_text(directory / CARD, merged_card(content))
        for weights in directory.glob("*.safetensors"):
            weights.chmod(0o644)  # safetensors makes files that only their owner can read
