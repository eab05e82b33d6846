"""What a distillation is to do, and what its samples were drawn with."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from lawqa.backends.base import Backend, GenerationSettings
from lawqa.files import JsonObject
from lawqa.models.files.generation_config import OwnSampling, deciding_sampling
from lawqa.pipelines.evaluation.rag import RagConfig, Retrieval
from lawqa.pipelines.experiments.stored_settings import (
    called,
    content_differences,
    read_stored,
    write_stored,
)
from lawqa.prompting import PromptSpec, spec_hash
from lawqa.runs.identity import model_differences
from lawqa.settings import (
    PLACE,
    RESULT,
    DistillSettings,
    Resolved,
    Sampling,
    by_content,
    declaration,
    defaults_of,
    differences,
    resolved,
    sources_of,
)
from lawqa.settings.evaluation import AnswererSettings

_SAMPLED = 2
"""Distilled answers are drawn, however few: their defaults are those of several samples."""

_NOT_NARROWED = {"top_p": 1.0, "top_k_sampling": 0, "min_p": 0.0}
"""How samples were drawn whose provenance does not say it: from all tokens."""

_OF_MODEL = ("backend", "quantisation", "dtype", "num_ctx")
"""What a backend says of itself and decides its answers, besides the model's content."""


@dataclass(frozen=True, kw_only=True)
class DistillConfig(DistillSettings):
    """What is sampled, and what is kept."""

    spec: PromptSpec = field(metadata=by_content(RESULT))
    """How questions are put: cot, or with thinking."""
    seed: int = field(default=0, metadata=declaration(AnswererSettings, "seed"))
    """Sample i is drawn with seed + i."""
    rag: RagConfig | None = field(default=None, metadata=by_content(RESULT))
    """Where contexts are retrieved, for the condition `rag`."""
    quiet: bool = field(default=False, metadata=PLACE)
    """No progress."""
    model_name: str = field(default="", metadata=PLACE)
    """The model whose own file says how answers are drawn; empty for none. What is asked is the backend."""
    revision: str | None = field(default=None, metadata=PLACE)
    """Its revision."""
    begun: Resolved | None = field(default=None, metadata=PLACE)
    """What samples that are resumed were begun with: it holds for what is not given now."""

    def resolved(self) -> Resolved:
        """Return the settings that follow prompt spec and model where they were not given."""
        if self.begun is not None:
            return resolved(self, self.begun)
        spec, own = self.spec, self._own_sampling().sampling
        defaults = defaults_of(spec.mode, thinking=spec.thinking, samples=_SAMPLED, own=own)
        return resolved(self, defaults)

    def sampling_sources(self) -> dict[str, str]:
        """Where temperature, top_p, top_k_sampling and min_p come from."""
        given = {name: getattr(self, name) for name in vars(Sampling())}
        if self.begun is not None:
            return {
                name: "as it was begun" if value is None else "given"
                for name, value in given.items()
            }
        spec, own = self.spec, self._own_sampling().sampling
        return sources_of(spec.mode, thinking=spec.thinking, samples=_SAMPLED, own=own, given=given)

    def notes(self) -> list[str]:
        """What a user must know of how samples are drawn."""
        notes = []
        if self.begun is not None:
            today = vars(replace(self, begun=None).resolved())
            otherwise = [
                f"{name} {value} (today {today[name]})"
                for name, value in vars(self.resolved()).items()
                if value != today[name]
            ]
            if otherwise:
                notes.append(f"resumed as it was begun: {', '.join(otherwise)}")
        if left_out := self._own_sampling().left_out:
            notes.append(
                f"NOT APPLIED: the model's generation_config.json also asks for {', '.join(left_out)}"
            )
        return notes

    def _own_sampling(self) -> OwnSampling:
        given = (self.temperature, self.top_p, self.top_k_sampling, self.min_p)
        return deciding_sampling(self.model_name, self.revision, given, draws=True)

    def generation(self, number: int) -> GenerationSettings:
        """Return how sample `number` of every question is drawn."""
        chosen = self.resolved()
        return GenerationSettings(
            chosen.max_new_tokens,
            chosen.temperature,
            top_p=chosen.top_p,
            top_k=chosen.top_k_sampling,
            min_p=chosen.min_p,
            seed=self.seed + number,
            score_labels=False,
        )


@dataclass(frozen=True, kw_only=True)
class _Contents:
    """What the settings of a distillation name; each field says what messages call it."""

    data_sha256: str = field(metadata=called("the content of --data"))
    prompt_spec: str = field(metadata=called("the prompt"))
    prompt_spec_hash: str = field(metadata=called("the prompt's wording or chat template"))
    model: JsonObject = field(metadata=called("the model"))
    """As the backend describes itself; compared by its content."""
    retrieval: JsonObject | None = field(metadata=called("the retrieval"))


@dataclass(frozen=True)
class DistillManifest:
    """What samples were drawn with."""

    settings: JsonObject
    """The settings that decide samples, by name and in JSON types."""
    contents: _Contents
    """What they name."""

    @classmethod
    def of(
        cls, config: DistillConfig, backend: Backend, retrieval: Retrieval | None, data_sha256: str
    ) -> DistillManifest:
        """Return what these settings mean, over this model and these questions."""
        chosen = config.resolved()
        settings = {
            "temperature": chosen.temperature,
            "top_p": chosen.top_p,
            "top_k_sampling": chosen.top_k_sampling,
            "min_p": chosen.min_p,
            "max_new_tokens": chosen.max_new_tokens,
            "seed": config.seed,
        }
        contents = {
            "data_sha256": data_sha256,
            "prompt_spec": config.spec.id,
            "prompt_spec_hash": spec_hash(config.spec, backend.chat_template),
            "model": backend.describe(),
            "retrieval": retrieval.manifest if retrieval else None,
        }
        return cls._of_stored(json.loads(json.dumps({**settings, **contents})))

    @classmethod
    def read(cls, path: Path) -> DistillManifest:
        """Read the provenance of samples.

        Raises:
            DataError: it is missing, was damaged, or is of another layout version.
        """
        stored = read_stored(
            path,
            DistillConfig,
            _Contents,
            is_of="what samples were drawn with",
            hint="--fresh starts over",
            needs=("temperature", "max_new_tokens", "seed"),
        )
        return cls._of_stored(stored)

    @classmethod
    def _of_stored(cls, stored: JsonObject) -> DistillManifest:
        contents = {one.name: stored[one.name] for one in fields(_Contents)}
        settings = {name: value for name, value in stored.items() if name not in contents}
        settings = {**_NOT_NARROWED, **settings}
        return cls(settings, _Contents(**contents))

    def begun(self, config: DistillConfig) -> DistillConfig:
        """Return the settings of a call that resumes these samples: what it does not give is as it was.

        Their defaults follow the model's own file and the version of lawqa, which change between two calls.
        """
        kept = {name: self.settings[name] for name in (*vars(Sampling()), "max_new_tokens")}
        return replace(config, begun=replace(config.resolved(), **kept))

    def write(self, path: Path, more: JsonObject) -> None:
        """Write it, with what else is known of the distillation."""
        write_stored(path, self.settings, self.contents, more)

    def differences(self, other: DistillManifest) -> list[str]:
        """Return what the two do not share, by the names that a user knows."""
        changed = differences(DistillConfig, self.settings, other.settings, "evaluate")
        before, after = self.contents, other.contents
        named = content_differences(before, after, beside=("model",))
        model = [
            f"the model's {key}"
            for key in _OF_MODEL
            if before.model.get(key) != after.model.get(key)
        ]
        return [*changed, *named, *model, *model_differences(before.model, after.model)]
