"""What an adapter's files were when they were read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lawqa.digests import Stamp, remembered, require_unchanged, sha256_of
from lawqa.models.files.adapter_folder import CONFIG, WEIGHTS
from lawqa.models.files.identity import json_digest

# They say where the base lies and who wrote the file, not what the adapter does.
_VOLATILE = ("base_model_name_or_path", "revision", "inference_mode", "peft_version")


@dataclass(frozen=True)
class AdapterContent:
    """The content of an adapter's directory, taken before it is loaded."""

    weights_sha256: str | None
    """Of the whole file of weights; None where it is missing."""
    config_sha256: str | None
    """Of the config without the name of the base: rank, alpha, targets; None where it is missing."""
    stamps: Mapping[Path, Stamp]
    """Both files as they were."""

    @classmethod
    def read(cls, adapter: Path) -> AdapterContent:
        """Hash an adapter's files.

        Raises:
            OSError: one cannot be read.
        """
        weights, config = adapter / WEIGHTS, adapter / CONFIG
        stamps = {path: Stamp.of(path) for path in (weights, config) if path.is_file()}
        return cls(
            remembered(weights, "sha256", lambda path: {"": sha256_of(path)})[""]
            if weights in stamps
            else None,
            json_digest(config, _VOLATILE),
            stamps,
        )

    def require_unchanged(self) -> None:
        """Make sure that what was loaded is what was hashed.

        Raises:
            DataError: a file was changed meanwhile.
        """
        require_unchanged(self.stamps, "while the adapter was loaded")

    def to_json(self) -> dict[str, str | None]:
        """Return what a manifest keeps of them."""
        return {"weights_sha256": self.weights_sha256, "config_sha256": self.config_sha256}
