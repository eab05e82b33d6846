"""The flags of a model and of its training, shared by the commands that train."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tyro.conf import FlagCreatePairsOff, OmitArgPrefixes

from lawqa.cli.console import ConsoleFlags
from lawqa.cli.model_flags import ModelFlags, of_adapter
from lawqa.errors import ConfigError
from lawqa.settings import (
    DevSettings,
    Dtype,
    FoldTrainingSettings,
    OptimiserSettings,
    TrackerSettings,
)


@dataclass(frozen=True, kw_only=True)
class TrainingFlags(TrackerSettings, OptimiserSettings, ModelFlags):
    """Which model is trained, and how."""

    fp16: FlagCreatePairsOff[bool] = False
    """The same as --bnb-4bit-compute-dtype float16."""
    bf16: FlagCreatePairsOff[bool] = False
    """The same as --bnb-4bit-compute-dtype bfloat16."""
    console: OmitArgPrefixes[ConsoleFlags] = field(default_factory=ConsoleFlags)

    def chosen_dtype(self) -> Dtype:
        """Return the dtype that the three flags mean.

        Raises:
            ConfigError: they contradict each other.
        """
        named: dict[str, Dtype | None] = {
            "--fp16": "float16" if self.fp16 else None,
            "--bf16": "bfloat16" if self.bf16 else None,
            "--bnb-4bit-compute-dtype": None if self.dtype == "auto" else self.dtype,
        }
        given = {flag: dtype for flag, dtype in named.items() if dtype}
        if len(set(given.values())) > 1:
            raise ConfigError(
                " and ".join(f"{flag} ({dtype})" for flag, dtype in given.items())
                + " contradict each other",
                "give one dtype",
            )
        return next(iter(given.values()), "auto")


@dataclass(frozen=True, kw_only=True)
class FoldTrainingFlags(TrainingFlags, DevSettings, FoldTrainingSettings):
    """Which model each fold trains, and how."""

    def quantises(self, stored: Callable[[], bool | None]) -> bool:
        """Return whether the model is quantised.

        Args:
            stored: whether it was in what the same command resumes; None where there is nothing.
        """
        return self.in_4bit(stored, lambda: of_adapter(self.init_adapter))
