"""What a pool is sampled with, as settings and as the file beside it keeps them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

from lawqa.backends.base import Backend
from lawqa.errors import ConfigError
from lawqa.files import JsonObject
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.evaluation.contexts import RagConfig
from lawqa.pipelines.evaluation.job import Job
from lawqa.pipelines.experiments.stored_settings import (
    called_content,
    content_differences,
    read_stored,
    write_stored,
)
from lawqa.prompting import PromptSpec, spec_hash
from lawqa.runs.identity import model_differences
from lawqa.settings import (
    LocalAnswererSettings,
    ModelSettings,
    PlaceSettings,
    PoolSettings,
    QuietSettings,
    Resolved,
    SampleSettings,
    Sampling,
    declaration,
    differences,
    values_of,
)
from lawqa.settings.ranges import require_in_range

HELP = "lawqa pool sample --help  explains every option"

_OF_OLD = {
    "top_p": 1.0,
    "top_k_sampling": 0,
    "min_p": 0.0,
    "permutations": 1,
    "thinking_budget": None,
}
"""How samples were drawn whose provenance does not say it: of all tokens, in one order, with no budget."""

_BEGUN = (*vars(Sampling()), "max_new_tokens", "thinking_budget")

_OF_MODEL = ("backend", "quantisation", "dtype", "num_ctx")
"""What a backend says of itself and decides its answers, besides the model's content."""


@dataclass(frozen=True, kw_only=True)
class PoolConfig(
    PoolSettings, SampleSettings, QuietSettings, LocalAnswererSettings, ModelSettings, PlaceSettings
):
    """What is sampled, of which model, and where the samples go."""

    spec: PromptSpec = field(metadata=declaration(EvaluationConfig, "spec"))
    """How questions are put: cot, or with thinking."""
    rag: RagConfig | None = field(default=None, metadata=declaration(EvaluationConfig, "rag"))
    """Where contexts are retrieved, for the condition `rag`."""
    begun: Resolved | None = field(default=None, metadata=declaration(EvaluationConfig, "begun"))
    """What samples that are resumed were begun with: it holds for what is not given now."""

    def asked(self) -> EvaluationConfig:
        """Return the settings of an evaluation that draws such samples; the defaults are decided there."""
        # Distilled answers are drawn, however few: their defaults are those of several samples.
        per_order = max(-(-self.samples_per_question // self.permutations), 2)
        return EvaluationConfig(
            **{
                **values_of(EvaluationConfig, self),
                "answer_by": "generate",
                "ensemble": per_order * self.permutations,
                "model_name": self.model_name if self.backend == "hf" else "",
                # What a sampler was trained on gives no figure away; `sampler_notes` names it.
                "allow_leak": self.adapter is not None,
                "run_dir": self.pool.parent,
            }
        )

    def check(self) -> None:
        """Make sure that the settings can be meant together.

        Raises:
            ConfigError: they cannot.
        """
        if not self.spec.reasons:
            raise ConfigError(
                "a direct answer is one letter: there is no reasoning to learn from",
                "--mode cot, or --thinking",
            )
        require_in_range(self, HELP)
        if self.temperature == 0:
            raise ConfigError(
                "--temperature is 0, expected above 0: greedy samples are all the same", HELP
            )


@dataclass(frozen=True, kw_only=True)
class _Contents:
    """What the settings of a pool name; each field says what messages call it."""

    data_sha256: str = field(metadata=called_content("the content of --data"))
    prompt_spec: str = field(metadata=called_content("the prompt"))
    prompt_spec_hash: str = field(metadata=called_content("the prompt's wording or chat template"))
    model: JsonObject = field(metadata=called_content("the model"))
    """As the backend describes itself; compared by its content."""
    retrieval: JsonObject | None = field(metadata=called_content("the retrieval"))
    adapter_sha256: str = field(default="", metadata=called_content("the adapter"))
    """Of its weights and config; empty without one."""


@dataclass(frozen=True)
class PoolManifest:
    """What samples were drawn with."""

    settings: JsonObject
    """The settings that decide samples, by name and in JSON types."""
    contents: _Contents
    """What they name."""

    @classmethod
    def of(cls, config: PoolConfig, job: Job, backend: Backend) -> PoolManifest:
        """Return what these settings mean, over this model and these questions."""
        chosen = vars(job.config.resolved())
        settings = {name: chosen[name] for name in _BEGUN}
        settings |= {
            "permutations": config.permutations,
            "seed": config.seed,
            "kv_cache": config.kv_cache,
        }
        adapter = job.adapter_files
        contents = {
            "data_sha256": job.data_sha256,
            "prompt_spec": config.spec.id,
            "prompt_spec_hash": spec_hash(config.spec, backend.chat_template),
            "model": backend.describe(),
            "retrieval": job.retrieval.manifest if job.retrieval else None,
            "adapter_sha256": "-".join(map(str, adapter.to_json().values())) if adapter else "",
        }
        return cls._of_stored(json.loads(json.dumps({**settings, **contents})))

    @classmethod
    def read(cls, path: Path) -> PoolManifest:
        """Read the provenance of samples.

        Raises:
            DataError: it is missing, was damaged, or is of another layout version.
        """
        stored = read_stored(
            path,
            PoolConfig,
            _Contents,
            is_of="what samples were drawn with",
            hint="--fresh starts over",
            needs=("temperature", "max_new_tokens", "seed"),
        )
        return cls._of_stored(stored)

    @classmethod
    def _of_stored(cls, stored: JsonObject) -> PoolManifest:
        known = {one.name for one in fields(_Contents)}
        contents = {name: value for name, value in stored.items() if name in known}
        settings = {name: value for name, value in stored.items() if name not in known}
        return cls({**_OF_OLD, **settings}, _Contents(**contents))

    @property
    def spec(self) -> PromptSpec:
        """How questions were put."""
        return PromptSpec.from_id(self.contents.prompt_spec)

    def begun(self, config: PoolConfig) -> PoolConfig:
        """Return the settings of a call that adds to these samples: what it does not give is as it was.

        Their defaults follow the model's own file and the version of lawqa, which change between two calls.
        """
        kept = {name: self.settings[name] for name in _BEGUN}
        return replace(config, begun=replace(config.asked().resolved(), **kept))

    def write(self, path: Path, more: JsonObject) -> None:
        """Write it, with what else is known of the samples."""
        write_stored(path, self.settings, self.contents, more)

    def differences(self, other: PoolManifest) -> list[str]:
        """Return what the two do not share, by the names that a user knows."""
        changed = differences(PoolConfig, self.settings, other.settings, "evaluate")
        before, after = self.contents, other.contents
        contents = content_differences(before, after, beside=("model",))
        model = [
            f"the model's {key}"
            for key in _OF_MODEL
            if before.model.get(key) != after.model.get(key)
        ]
        return [*changed, *contents, *model, *model_differences(before.model, after.model)]


def differs_from_defaults(config: PoolConfig) -> str:
    """Return which settings of resumed samples differ from today's defaults, as a sentence;
    empty for none.
    """
    today = vars(replace(config, begun=None).asked().resolved())
    otherwise = [
        f"{name} {value} (today {today[name]})"
        for name, value in vars(config.asked().resolved()).items()
        if value != today[name]
    ]
    return f"resumed as it was begun: {', '.join(otherwise)}" if otherwise else ""
