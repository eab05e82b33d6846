"""An adapter with the manifest of its training, held against the base model that it is applied to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import BackendError, DataError
from lawqa.files import JsonObject, read_json
from lawqa.models.files.adapter_folder import directory_hash, read_adapter_config
from lawqa.models.files.identity import model_directory, read_identity
from lawqa.pipelines.adapters.record import require_recorded
from lawqa.pipelines.adapters.training_manifest import NEEDED, require_readable
from lawqa.prompting import PromptSpec
from lawqa.runs.identity import BASE_PARTS, model_differences, model_name
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.settings import QuantType

TRAINED_ON = "trained_on.jsonl"
"""What an adapter was trained on, kept beside it for the leak audit: records, or statutes that it read."""

BESIDE_READINGS = "trained_on.records.jsonl"
"""The records that were mixed into statutes to read."""

MERGED = "merged.json"
"""What a merged model was made of, its adapter's manifest with it; beside the weights."""


def trained_on_files(adapter: Path) -> tuple[Path, ...]:
    """Return the files of all records that an adapter was trained on, those of earlier stages included."""
    return tuple(sorted(adapter.glob("trained_on*.jsonl")))


@dataclass(frozen=True)
class AdapterManifest:
    """An adapter with what is known of its training."""

    path: Path
    """The directory of the adapter, or of the model that it was merged into."""
    training: Manifest | None
    """The manifest that training left; None for an adapter without one."""

    @classmethod
    def read(cls, path: Path) -> AdapterManifest:
        """Read the manifest beside an adapter.

        Raises:
            BackendError: there is no adapter, not a whole one, or not the one that the training wrote.
            DataError: the manifest is broken, or its training did not finish.
        """
        read_adapter_config(path)
        if not (path / MANIFEST).is_file():
            return cls(path, None)
        training, again = Manifest.read(path), "copy it again, or train again with --fresh"
        training.require(path, "kind", "status", *NEEDED, hint=again)
        if training.kind != "train" or training.status != "done":
            raise DataError(
                f"{path / MANIFEST}: kind {training.kind}, status {training.status}; "
                "expected a finished training",
                "train again with --fresh",
            )
        require_readable(training.to_json(), path / MANIFEST, again)
        require_recorded(path, training)
        return cls(path, training)

    @classmethod
    def of_merged(cls, model: Path) -> AdapterManifest | None:
        """Return what went into a merged model; None for a model that `lawqa merge` did not write.

        Raises:
            DataError: its `merged.json` is broken.
        """
        path = model / MERGED
        if not path.is_file():
            return None
        hint = "lawqa merge --fresh  writes the model again"
        try:
            content = read_json(path)["manifest"]
        except DataError as problem:
            raise DataError(problem.message, hint) from None
        except (KeyError, TypeError) as problem:
            raise DataError(f"{path}: says nothing of the adapter: {problem!r}", hint) from None
        if content is None:
            return cls(model, None)
        if not isinstance(content, dict):
            raise DataError(f"{path}: its manifest is not a JSON object", hint)
        require_readable(content, path, hint)
        return cls(model, Manifest.from_json(content))

    @property
    def quantisation(self) -> QuantType | None:
        """The 4-bit type of the base model that it was trained over; None for none or unknown."""
        if self.training is None:
            return None
        known: QuantType | None = self.training.model["quantisation"]
        return known

    def check_base(
        self,
        base: JsonObject,
        spec: PromptSpec,
        spec_hash: str,
        *,
        allow_prompt_mismatch: bool,
        allow_base_mismatch: bool = False,
    ) -> list[str]:
        """Compare the loaded base model and its chat template with those of the training.

        Args:
            base: `Backend.describe()` of the loaded base model.
            spec: the prompt spec that is evaluated.
            spec_hash: its hash with the loaded chat template.
            allow_prompt_mismatch: give a note where wording or template differ.
            allow_base_mismatch: give a note where it is another base model.

        Returns:
            Notes on what differs and is allowed.

        Raises:
            BackendError: another base model, not allowed.
            DataError: another wording or chat template, not allowed.
        """
        notes = self.check_identity(base, allow_base_mismatch=allow_base_mismatch)
        if self.training is None:
            return notes
        trained = self.training.model
        if trained["quantisation"] != base["quantisation"]:
            notes.append(
                f"QUANTISATION DIFFERS: trained over {trained['quantisation'] or 'plain'} weights, "
                f"evaluated over {base['quantisation'] or 'plain'} ones"
            )
        if trained["dtype"] != base["dtype"]:
            notes.append(
                f"NUMBER TYPE DIFFERS: trained with products in {trained['dtype']}, evaluated in "
                f"{base['dtype']}"
            )
        return notes + self.check_wording(
            spec, spec_hash, allow_prompt_mismatch=allow_prompt_mismatch
        )

    def check_identity(self, base: JsonObject, *, allow_base_mismatch: bool = False) -> list[str]:
        """Compare a base model with that of the training.

        Args:
            base: `name`, `revision`, `commit`, `content` and `directory_sha256` as in `Backend.describe()`.
            allow_base_mismatch: give a note where it is another one.

        Returns:
            A note, where it is not known or not the same.

        Raises:
            BackendError: another base model, not allowed.
        """
        allowed = allow_base_mismatch
        if self.training is None:
            return self._unknown_base_notes(base, allowed=allowed)
        trained = self.training.model
        differ = model_differences(trained, base, BASE_PARTS)
        if not differ:
            return []
        return self._other_base(
            model_name(trained), trained["name"], base, tuple(differ), allowed=allowed
        )

    def _other_base(
        self, trained: str, name: str, base: JsonObject, differ: Sequence[str], *, allowed: bool
    ) -> list[str]:
        """Return a note on a base that is not the one trained over; an error where that is not allowed."""
        parts = [part.removeprefix("the model's ") for part in differ if part != "the model's name"]
        why = f": {', '.join(parts)} differ" if parts else ""
        message = f"{self.path} was trained over {trained}, not over {model_name(base)}{why}"
        if not allowed:
            raise BackendError(
                message,
                f"--hf-model-name {name} (lawqa merge: --model-name); if it is the same model all the same, "
                "--allow-base-mismatch, and the summary says so",
            )
        return [f"BASE MISMATCH: {message}"]

    def _unknown_base_notes(self, base: JsonObject, *, allowed: bool) -> list[str]:
        """Return what PEFT alone says of the base, held against the loaded one."""
        named = str(read_adapter_config(self.path).get("base_model_name_or_path") or "")
        if named == base["name"]:
            return []
        there = model_directory(named, None) if named else None
        if there is not None and (base.get("content") or base["directory_sha256"]):
            content = read_identity(there).content
            trained = {"name": named, "content": content, "directory_sha256": directory_hash(there)}
            differ = model_differences(trained, base, BASE_PARTS)
            return (
                self._other_base(named, named, base, tuple(differ), allowed=allowed)
                if differ
                else []
            )
        return [
            f"UNKNOWN BASE: {self.path} says that it was trained over {named or 'some model'}, and is "
            f"applied to {model_name(base)}; whether they are the same is unknown"
        ]

    def check_wording(
        self, spec: PromptSpec, spec_hash: str, *, allow_prompt_mismatch: bool
    ) -> list[str]:
        """Compare wording and chat template with those of the training.

        Args:
            spec: the prompt spec that is evaluated.
            spec_hash: its hash with the loaded chat template.
            allow_prompt_mismatch: only note where they differ.

        Returns:
            A note, where they differ and that is allowed.

        Raises:
            DataError: they differ, and that is not allowed.
        """
        if self.training is None:
            return []
        notes = []
        known = self.training.prompt_specs.get(spec.id)
        if known is not None and known != spec_hash:
            message = f"the wording or chat template of {spec.id} has changed since training"
            if not allow_prompt_mismatch:
                raise DataError(
                    f"{self.path}: {message}",
                    "evaluate with the lawqa version and tokenizer it was trained with, or say "
                    "--allow-prompt-mismatch",
                )
            notes.append(f"PROMPT MISMATCH: {message}")
        return notes
