"""An adapter that another training starts from: what it has seen, through any chain, stays known.

Weights remember every training that they went through. So the manifest of a second stage names the questions
of the first as trained on, and the records of all stages lie beside the adapter for the leak audit.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lawqa.amounts import counted
from lawqa.errors import BackendError, ConfigError
from lawqa.files import JsonObject
from lawqa.pipelines.adapters.content import AdapterContent
from lawqa.pipelines.adapters.manifest import (
    BESIDE_READINGS,
    TRAINED_ON,
    AdapterManifest,
    trained_on_files,
)
from lawqa.pipelines.adapters.statutes_read import read_nothing_unknown
from lawqa.runs.manifest import Manifest
from lawqa.settings import Hyperparameters

_LORA = ("lora_r", "lora_alpha", "use_rslora", "use_dora", "target_modules")


@dataclass(frozen=True)
class Start:
    """The adapter that a training starts from."""

    adapter: AdapterManifest
    """With its manifest."""
    training: Manifest
    """That manifest."""
    content: AdapterContent
    """Its files as they were read."""

    @classmethod
    def read(cls, path: Path, training: Hyperparameters | None = None) -> Start:
        """Read an adapter to start from, and make sure that it can be.

        Args:
            path: its directory.
            training: how it will be trained further; None where it is not.

        Raises:
            LawqaError: there is no whole adapter of a finished training there.
            ConfigError: nothing is known of its training, its records are gone, or its LoRA settings differ.
        """
        adapter = AdapterManifest.read(path)
        if adapter.training is None:
            raise ConfigError(
                f"{path}: has no manifest, so nobody could say which questions the new "
                "adapter has seen",
                "take an adapter that lawqa train wrote",
            )
        start = cls(adapter, adapter.training, AdapterContent.read(path))
        if training is not None:
            start._require_same_lora(training)
        wanted = [TRAINED_ON, *(stage["trained_on"] for stage in start._stages_before())]
        missing = [name for name in wanted if not (path / name).is_file()]
        if missing:
            raise ConfigError(
                f"{path}: has lost {', '.join(missing)}, by which leaks are found",
                "copy the whole directory again",
            )
        return start

    @property
    def path(self) -> Path:
        """Its directory."""
        return self.adapter.path

    @property
    def files(self) -> tuple[Path, ...]:
        """The records of all its trainings."""
        return trained_on_files(self.path)

    @property
    def note(self) -> str:
        """What a user must know."""
        count = len(self._stages_before()) + 1
        trainings = "its training" if count == 1 else f"its {count} trainings"
        return (
            f"starts from {self.path}: the {counted(len(self.training.questions), 'question')} of "
            f"{trainings} count as "
            "trained on"
        )

    def stages(self) -> list[JsonObject]:
        """Return what the next manifest keeps of all trainings before it, the oldest first."""
        data, before = self.training.data, self._stages_before()
        own = {
            "path": str(self.path),
            "weights_sha256": self.content.weights_sha256,
            "trained_on": f"trained_on.stage{len(before) + 1}.jsonl",
            "data_sha256": data.get("sha256"),
            "records": data.get("records"),
            "shortened": data.get("shortened"),
            "retrieval": data.get("retrieval"),
            "prompt_specs": dict(self.training.prompt_specs),
            "says_questions": bool(self.training.questions) or read_nothing_unknown(data),
            "dev_questions": (data.get("dev") or {}).get("questions", []),
            "seed": self.training.seed,
        }
        return [*before, own]

    def questions(self, own: Sequence[JsonObject]) -> list[JsonObject]:
        """Return the questions of all trainings, those of the new one first, each once."""
        known = {
            (q["id"], q.get("order"), q["fingerprint"]): q for q in [*own, *self.training.questions]
        }
        return list(known.values())

    def require_base(self, base: JsonObject) -> tuple[str, ...]:
        """Make sure that it was trained over this base model; notes on what differs and is allowed.

        Args:
            base: as the loaded model describes itself.

        Raises:
            ConfigError: it was trained over another model.
        """
        try:
            notes = self.adapter.check_identity(base)
        except BackendError as problem:
            name = self.training.model["name"]
            raise ConfigError(
                f"--init-adapter: {problem.message}", f"--model-name {name}"
            ) from None
        if self.adapter.quantisation != base["quantisation"]:
            was, now = (one or "plain" for one in (self.adapter.quantisation, base["quantisation"]))
            notes.append(
                f"QUANTISATION DIFFERS: {self.path} was trained over {was} weights, and is trained further "
                f"over {now} ones"
            )
        return tuple(notes)

    def put_into(self, model: Any) -> None:  # this package imports no deep-learning library
        """Give a fresh adapter on a model these weights.

        Raises:
            BackendError: the files cannot be read, or do not fit.
            DataError: they changed meanwhile.
        """
        from lawqa.models.adapters.files import read_adapter_files
        from lawqa.models.adapters.state import put_adapter_state

        put_adapter_state(model, read_adapter_files(self.path).tensors)
        self.content.require_unchanged()

    def copy_records(self, directory: Path) -> None:
        """Copy the records of all its trainings beside the adapter that came of it."""
        last = self.stages()[-1]["trained_on"]
        own = {TRAINED_ON: last, BESIDE_READINGS: last.replace(".jsonl", ".records.jsonl")}
        for file in self.files:
            shutil.copyfile(file, directory / own.get(file.name, file.name))

    def _stages_before(self) -> list[JsonObject]:
        return list(self.training.data.get("stages") or ())

    def _require_same_lora(self, training: Hyperparameters) -> None:
        stored = self.training.config.get("training")
        before: Mapping[str, object] = stored if isinstance(stored, Mapping) else {}
        differing = {
            name: before[name]
            for name in _LORA
            if name in before and _plain(before[name]) != _plain(getattr(training, name))
        }
        if differing:
            asked = ", ".join(
                f"{_flag(name)} {_shown(getattr(training, name))}" for name in differing
            )
            raise ConfigError(
                f"--init-adapter {self.path}: its weights have another form than {asked}",
                "give "
                + " ".join(f"{_flag(name)} {_shown(value)}" for name, value in differing.items()),
            )


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _shown(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
