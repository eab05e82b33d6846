"""4-bit weights kept in a directory, so that the next command reads 5.7 GB of an 8B model and not 16.

What is kept is transformers' own 4-bit checkpoint of the model as it was quantised, and beside it a record of
what it was made of (the content of the model's files, settings, versions) and of its own content. A directory
whose record is another one, or whose files are not those of the record, is made again, which is said.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors import SafetensorError

from lawqa.errors import DataError
from lawqa.files import JsonObject, read_json, write_json
from lawqa.models.files.identity import read_identity
from lawqa.models.pretrained import check_files, load_config, load_weights
from lawqa.models.quantisation import cast_unquantised, stored_type
from lawqa.settings import ModelSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from transformers import PretrainedConfig, PreTrainedModel

logger = logging.getLogger(__name__)

_RECORD = "kept.json"
_FORMAT = 1
_PACKAGES = ("torch", "transformers", "bitsandbytes")
_SHARD = "1GB"
"""Size of a file of weights: several are hashed side by side."""
_SPARE = 1.02
"""Room for the files' headers."""


@dataclass(frozen=True)
class KeptWeights:
    """Where the 4-bit weights of a model are kept, or would be."""

    directory: Path
    """Of this model, type and dtype; whatever else is there is not this."""
    made_of: JsonObject
    """What decides the weights: content of the model's files, 4-bit type, dtype, device, versions."""

    @classmethod
    def of(
        cls,
        config: ModelSettings,
        dtype: torch.dtype,
        device: torch.device,
        content: Mapping[str, str | None],
    ) -> KeptWeights | None:
        """Return where they are kept, as `quantised_cache` says; None where they are not kept.

        Args:
            config: which model, in 4 bits, with its type.
            dtype: of what is not quantised.
            device: what quantises them: a GPU and a CPU need not round alike.
            content: of the model's files, by part, as `read_identity` gives it.
        """
        if config.quantised_cache is None:
            return None
        kind = str(dtype).removeprefix("torch.")
        model = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(config.model_name).name) or "model"
        name = f"{model}-{config.quant_type}-{kind}-{(content['weights'] or '')[:12]}"
        made_of: JsonObject = {
            "format": _FORMAT,
            "content": {part: content[part] for part in ("weights", "config", "generation")},
            "quant_type": config.quant_type,
            "double_quantisation": True,
            "dtype": kind,
            "device": device.type,
            "versions": {package: version(package) for package in _PACKAGES},
        }
        return cls(config.quantised_cache / name, made_of)

    def usable(self) -> bool:
        """Say whether the weights are there, whole and of this model; what is there and is not, is named."""
        if not self.directory.exists():
            return False
        problem = self._problem()
        if problem is not None:
            logger.warning(
                "note: kept 4-bit weights are made again: %s: %s", self.directory, problem
            )
        return problem is None

    def load(
        self, name: str, model_config: PretrainedConfig, dtype: torch.dtype, device: torch.device
    ) -> PreTrainedModel:
        """Load them; the model is called what it was made of.

        Args:
            name: the model's own, which adapters trained over it are to name.
            model_config: of the model's own files.
            dtype: of what is not quantised.
            device: where to.

        Raises:
            BackendError: they do not load.
        """
        own = load_config(str(self.directory))
        stored_type(str(self.directory), own, dtype)
        check_files(str(self.directory), None, own)
        model = load_weights(str(self.directory), None, own, dtype, device)
        cast_unquantised(model, dtype)
        model.name_or_path = model.config._name_or_path = name
        model.config._commit_hash = getattr(model_config, "_commit_hash", None)
        logger.info("note: 4-bit weights were read from %s", self.directory)
        return model

    def keep(self, model: PreTrainedModel) -> None:
        """Write them, whole or not at all; a full or closed disk costs a line and nothing else.

        Args:
            model: as it was loaded and quantised, before anything else was done to it.
        """
        if os.environ.get("RANK", "0") != "0":
            return
        size = _bytes(model)
        try:
            problem = self._hindrance(size)
            if problem is None:
                self._write(model)
        # safetensors has an error of its own for a disk that fills up on the way.
        except (OSError, SafetensorError) as error:
            problem = str(error)
        if problem is not None:
            logger.warning("note: 4-bit weights are not kept in %s: %s", self.directory, problem)
            return
        logger.info(
            "note: 4-bit weights are kept in %s (%.1f GB): the next command reads them there",
            self.directory, size / 1e9,
        )  # fmt: skip

    def _hindrance(self, size: int) -> str | None:
        """Say what is in the way of this many bytes; None for nothing."""
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.directory.parent).free
        if free < size * _SPARE:
            return f"{size * _SPARE / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free"
        if self.directory.exists() and not (self.directory / _RECORD).exists():
            return f"a directory of that name is there and has no {_RECORD}: it is not lawqa's"
        return None

    def _write(self, model: PreTrainedModel) -> None:
        with tempfile.TemporaryDirectory(
            dir=self.directory.parent, prefix=f".{self.directory.name}."
        ) as held:
            made = Path(held) / "made"
            model.save_pretrained(made, max_shard_size=_SHARD)
            record = {"made_of": self.made_of, "content": dict(read_identity(made).content)}
            write_json(made / _RECORD, record)
            # What is there is not usable; it is renamed first, so that no half of it is seen.
            if self.directory.exists():
                self.directory.rename(Path(held) / "old")
            made.rename(self.directory)

    def _problem(self) -> str | None:
        """Say why what is there cannot be used; None where it can."""
        try:
            record = read_json(self.directory / _RECORD)
        except DataError as problem:
            return problem.message
        if not isinstance(record, dict) or not isinstance(record.get("made_of"), dict):
            return f"{_RECORD} is no record of kept weights"
        there = record["made_of"]
        differing = [key for key, value in self.made_of.items() if there.get(key) != value]
        if differing:
            return f"made with another {', '.join(differing).replace('_', ' ')}"
        try:
            found = dict(read_identity(self.directory).content)
        except DataError as problem:
            return problem.message
        recorded = record.get("content")
        recorded = recorded if isinstance(recorded, dict) else {}
        parts = [key for key, value in found.items() if recorded.get(key) != value]
        return f"its {', '.join(parts)} changed since" if parts else None


def _bytes(model: PreTrainedModel) -> int:
    """Return the bytes of a model's weights, with the maxima of 4-bit ones."""
    total = 0
    for parameter in model.parameters():
        total += parameter.numel() * parameter.element_size()
        state = getattr(parameter, "quant_state", None)
        total += 0 if state is None else state.absmax.numel() * state.absmax.element_size()
    return total
