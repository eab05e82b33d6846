"""Work that is several runs: cross-validation, sweeps, distillation, merging."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lawqa.settings.accepted import Settings
from lawqa.settings.corpus import RecordFileSettings, SplitSettings
from lawqa.settings.declared import (
    PLACE,
    RESULT,
    SPEED,
    by_content,
    declaration,
    only_with,
)
from lawqa.settings.evaluation import AskedSettings, GenerationChoices, KvCache, RunSettings
from lawqa.settings.model import ModelSettings
from lawqa.settings.training_run import AdapterOutputs, StageSettings, TrainingFiles
from lawqa.settings.values import OwnCondition, Permutations

LearnFrom = Literal["letters", "distilled"]
"""What a fold learns from."""

_OF_DISTILLED = only_with(RESULT, learn_from="distilled")

FilterName = Literal["agreed", "japanese", "grounded", "own-letters", "no-loop"]
"""Filters of sampled reasoning that can be left out."""


@dataclass(frozen=True, kw_only=True)
class FoldSettings(Settings):
    """What is split."""

    input: Path = field(metadata=declaration(SplitSettings, "input"))
    """The questions: lawqa_jp JSON, or JSONL."""
    output_dir: Path = field(metadata=declaration(AdapterOutputs, "output_dir"))
    """Where split, folds and the pooled run go."""
    folds: int = field(default=5, metadata=declaration(SplitSettings, "folds"))
    """How many folds."""
    fold: int | None = field(default=None, metadata=PLACE)
    """Only this fold, from 1; `lawqa crossval pool` joins them later."""
    seeds: int = field(default=1, metadata=PLACE)
    """Train each fold N times, with --seed, --seed + 1, and so on."""
    prior_correction: bool = field(default=False, metadata=PLACE)
    """Also show the pooled answers without each adapter's prior for each letter, fitted on its training
    questions, which are asked in 4 orders for that; the figures of the run stay as they are."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Remove what an earlier one left in the directory (with --fold: of that fold), and start over."""


@dataclass(frozen=True, kw_only=True)
class RecordSettings(Settings):
    """What is learnt from."""

    permutations: Permutations = field(
        default=1, metadata=declaration(AskedSettings, "permutations")
    )
    """Train on each question in N orders of its choices."""
    learn_from: LearnFrom = field(default="letters", metadata=RESULT)
    """letters: the right letters, with the direct prompt, however held-out questions are asked. distilled:
    right reasoned answers of the base model, sampled once to all questions and divided by fold."""
    samples_per_question: int = field(default=8, metadata=_OF_DISTILLED)
    """Answers that are sampled to each question, for --learn-from distilled."""
    keep: int = field(default=2, metadata=_OF_DISTILLED)
    """The most of them that are learnt from."""


@dataclass(frozen=True, kw_only=True)
class FoldTrainingSettings(StageSettings):
    """How each fold is trained, besides the hyperparameters."""

    dev_size: float = field(default=0.0, metadata=declaration(SplitSettings, "dev_size"))
    """Keep back whole groups of each fold's training questions, a share of all below 1 or a count: their
    accuracy decides which step is kept. They are put as what is learnt: where that is reasoning, as held-out
    questions are, and answered by text. 0 for none: the last step is kept."""
    max_synthetic_share: float | None = field(
        default=None, metadata=declaration(TrainingFiles, "max_synthetic_share")
    )
    """The most that questions made by lawqa augment may be of all records of a fold, from 0 to below 1: more
    are left out, drawn by --seed. Without it: all are learnt."""


@dataclass(frozen=True, kw_only=True)
class HeldOutSettings(Settings):
    """How held-out questions are asked, where a flag of an evaluation's name belongs to the training."""

    eval_permutations: Permutations = field(default=1, metadata=RESULT)
    """Ask each held-out question in N orders of its choices."""
    eval_token_budget: int = field(default=0, metadata=SPEED)
    """Tokens of one batch of held-out questions, 0 for what the memory holds."""


@dataclass(frozen=True)
class GridSettings(Settings):
    """What is tried: every combination. Each is a cross-validation of its own, so that a sweep may grow."""

    learning_rates: tuple[float, ...] = field(default=(1e-4, 2e-4, 4e-4), metadata=PLACE)
    """Highest learning rates."""
    ranks: tuple[int, ...] = field(default=(16,), metadata=PLACE)
    """Ranks of the adapter; --lora-r and --lora-alpha count by their ratio only, which stays."""
    epochs: tuple[float, ...] = field(default=(2.0, 4.0), metadata=PLACE)
    """Passes over the records."""


@dataclass(frozen=True, kw_only=True)
class SampleSettings(Settings):
    """Whose reasoned answers are sampled, and how."""

    data: Path = field(metadata=by_content(RESULT))
    """The training questions; never those that are to be measured on."""
    samples_per_question: int = field(default=8, metadata=PLACE)
    """Answers sampled for each question, spread over the orders of its choices; a higher number adds to those
    that are there."""
    permutations: Permutations = field(
        default=4, metadata=declaration(AskedSettings, "permutations")
    )
    """Ask each question in up to N orders of its choices, one after another."""
    adapter: Path | None = field(default=None, metadata=declaration(AskedSettings, "adapter"))
    """An adapter directory: the model with it is the sampler."""
    temperature: float | None = field(
        default=None, metadata=declaration(GenerationChoices, "temperature")
    )
    """Of sampling, above 0. Without it: the model's generation_config.json, else 0.7, with --thinking 0.6."""
    top_p: float | None = field(default=None, metadata=declaration(GenerationChoices, "top_p"))
    """Sample from the likeliest tokens that hold this share of the probability. Without it: the model's
    generation_config.json, else 0.8, with --thinking 0.95."""
    top_k_sampling: int | None = field(
        default=None, metadata=declaration(GenerationChoices, "top_k_sampling")
    )
    """Sample from the N likeliest tokens; 0 for all. Without it: the model's generation_config.json, else
    20."""
    min_p: float | None = field(default=None, metadata=declaration(GenerationChoices, "min_p"))
    """Drop tokens less likely than this share of the likeliest. Without it: the model's
    generation_config.json, else 0."""
    max_new_tokens: int | None = field(
        default=None, metadata=declaration(GenerationChoices, "max_new_tokens")
    )
    """The most tokens of one answer. Without it: 1024, with --thinking 4096."""
    thinking_budget: int | None = field(
        default=None, metadata=declaration(GenerationChoices, "thinking_budget")
    )
    """The most tokens of a think block; one that reaches them is closed, and not learnt from. Without it:
    3072 closed, 2048 with context, at most three quarters of --max-new-tokens."""
    kv_cache: KvCache = field(default="model", metadata=declaration(GenerationChoices, "kv_cache"))
    """How keys and values are kept while text is written. int8 holds nearly twice the texts at once and
    rounds a little."""
    allow_prompt_mismatch: bool = field(
        default=False, metadata=declaration(RunSettings, "allow_prompt_mismatch")
    )
    """Let an adapter sample with a prompt that it was not trained on."""
    allow_base_mismatch: bool = field(
        default=False, metadata=declaration(RunSettings, "allow_base_mismatch")
    )
    """Apply the adapter to another base model than it was trained over."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Start over; without it the same command resumes where it stopped."""


@dataclass(frozen=True, kw_only=True)
class PoolSettings(Settings):
    """Which pool of samples."""

    pool: Path = field(metadata=PLACE)
    """A pool, as `lawqa pool sample` writes it; the samples of `lawqa distill` are one, too."""


@dataclass(frozen=True, kw_only=True)
class FromPoolSettings(PoolSettings):
    """The pool that something is made of, and the file that it goes to."""

    output_path: Path = field(metadata=declaration(RecordFileSettings, "output_path"))
    """The JSONL file to write; what was taken and left out is counted beside it."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier file."""


@dataclass(frozen=True, kw_only=True)
class SelectSettings(Settings):
    """Which of the sampled answers become records."""

    keep: int = field(default=2, metadata=PLACE)
    """The most kept for each question."""
    limit: int | None = field(default=None, metadata=PLACE)
    """The most kept in all, of questions with 1 to half of their samples right first."""
    without: tuple[FilterName, ...] = field(default=(), metadata=PLACE)
    """Filters that are counted and not applied: agreed (no other choice has more of the samples), japanese,
    grounded (articles named are in the context), own-letters (of the order shown), no-loop."""
    length_quantiles: tuple[float, float] = field(default=(0.05, 0.95), metadata=PLACE)
    """Leave out reasoning shorter or longer than these quantiles of all that passes."""
    even_labels: bool = field(default=True, metadata=PLACE)
    """Keep labels even: none has two records more than another."""


@dataclass(frozen=True, kw_only=True)
class DifficultySettings(Settings):
    """Which questions are hard for a model."""

    difficulty: float = field(default=0.5, metadata=PLACE)
    """Keep questions of this difficulty or more: 1 less the probability of the right choice, the mean over
    the orders asked. 0.5 keeps what the model gets wrong and what it is unsure of."""
    limit: int | None = field(default=None, metadata=declaration(SelectSettings, "limit"))
    """At most N, the hardest."""
    permutations: Permutations = field(
        default=4, metadata=declaration(AskedSettings, "permutations")
    )
    """Ask each question in N orders of its choices, so that a liking for a letter is no difficulty."""
    run_dir: Path | None = field(default=None, metadata=declaration(RunSettings, "run_dir"))
    """Where the answers go, a run like any other. Without it: NAME.run beside the output NAME.json."""


@dataclass(frozen=True, kw_only=True)
class ProbeSettings(Settings):
    """Which questions are asked in every mode, and with which adapter."""

    data: Path = field(metadata=declaration(SampleSettings, "data"))
    """The questions. Form is looked at, not what is known, so those that were trained on serve as well."""
    probe_questions: int = field(default=8, metadata=declaration(StageSettings, "probe_questions"))
    """Ask N of them, drawn by their ids, so that a larger number keeps those of a smaller one."""
    probe_max_new_tokens: int | None = field(default=None, metadata=PLACE)
    """The most tokens of a text that reasons. Without it: 1024 cot, 4096 thinking."""
    adapter: Path | None = field(default=None, metadata=declaration(AskedSettings, "adapter"))
    """An adapter directory: every mode is asked without and with it, side by side."""
    allow_base_mismatch: bool = field(
        default=False, metadata=declaration(RunSettings, "allow_base_mismatch")
    )
    """Apply the adapter to another base model than it was trained over."""


@dataclass(frozen=True, kw_only=True)
class AverageSettings(Settings):
    """Which adapters are averaged, and where to."""

    adapters: tuple[Path, ...] = field(metadata=by_content(RESULT))
    """The adapters: the --output-dir of finished trainings over one base model."""
    output_dir: Path = field(metadata=declaration(AdapterOutputs, "output_dir"))
    """Where the averaged adapter goes."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier adapter in the output directory."""


@dataclass(frozen=True, kw_only=True)
class MergeSettings(Settings):
    """Which adapter is merged, and where to."""

    adapter: Path = field(metadata=declaration(AverageSettings, "adapters"))
    """The adapter: the --output-dir of a finished training."""
    output_dir: Path = field(metadata=declaration(AdapterOutputs, "output_dir"))
    """Where the merged model goes."""
    model_name: str | None = field(default=None, metadata=declaration(ModelSettings, "model_name"))
    """The base model, where it is not where the adapter says."""
    revision: str | None = field(default=None, metadata=declaration(ModelSettings, "revision"))
    """Its revision."""
    dev_file: Path | None = field(default=None, metadata=declaration(AdapterOutputs, "dev_file"))
    """Questions that are scored before and after; without it nobody knows what the merge did."""
    dev_condition: OwnCondition | None = field(
        default=None, metadata=declaration(AdapterOutputs, "dev_condition")
    )
    """The context that they are put with, where the adapter was trained with several."""
    allow_base_mismatch: bool = field(
        default=False, metadata=declaration(RunSettings, "allow_base_mismatch")
    )
    """Merge into another base model than the adapter was trained over."""
    fresh: bool = field(default=False, metadata=declaration(RunSettings, "fresh"))
    """Replace an earlier merged model in the output directory."""
