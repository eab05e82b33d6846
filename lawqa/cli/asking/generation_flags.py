"""The flags of generated answers."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

DEFAULT_ENSEMBLE_TEMPERATURE = 0.7


@dataclass(frozen=True, kw_only=True)
class GenerationFlags:
    """Generated answers, for --answer-by generate."""

    max_new_tokens: int | None = None
    """The most tokens of one generated answer. Without it: 32 direct, 1024 cot, 4096 thinking."""
    temperature: float | None = None
    """0 for greedy decoding, above 0 answers are sampled. Without it: 0, or 0.7 with --ensemble."""
    top_p: float = 1.0
    """Sample from the likeliest tokens that hold this share of the probability."""
    top_k_sampling: int = 0
    """Sample from the N likeliest tokens; 0 for all."""
    min_p: float = 0.0
    """Drop tokens less likely than this share of the likeliest."""
    ensemble: int = 1
    """Ask each question N times with sampling and take the majority."""
    thinking_budget: int | None = None
    """The most tokens of a think block: one that reaches them is closed and the answer asked for."""
    stop_at_final_answer: bool = True
    """Stop after a finished line 最終回答：x."""
    stop_at_loops: bool = True
    """Stop when the text repeats itself over and over; stored as the reason."""
    force_answers: bool = True
    """Score the labels after texts that gave no answer; stored and counted apart."""

    def chosen_temperature(self) -> float:
        """The temperature, its default resolved."""
        if self.temperature is not None:
            return self.temperature
        return DEFAULT_ENSEMBLE_TEMPERATURE if self.ensemble > 1 else 0.0

    def chosen_max_new_tokens(self, *, mode: str, thinking: bool) -> int:
        """The most tokens, their default resolved."""
        if self.max_new_tokens is not None:
            return self.max_new_tokens
        if thinking:
            return 4096
        return 1024 if mode == "cot" else 32

    def settings(self) -> dict[str, Any]:
        """All of them that need no more to be known, by the names of the settings."""
        resolved = ("max_new_tokens", "temperature")
        return {key: value for key, value in vars(self).items() if key not in resolved}

    def unused(self, *, generates: bool) -> list[str]:
        """Flags that were given and change nothing.

        Args:
            generates: whether text is generated at all.
        """
        sampling = ("top_p", "top_k_sampling", "min_p")
        given = [field.name for field in fields(self) if getattr(self, field.name) != field.default]
        # An ensemble of scored labels is refused, not unused.
        if not generates:
            return [_flag(name) for name in given if name != "ensemble"]
        greedy = self.chosen_temperature() == 0
        return [_flag(name) for name in given if greedy and name in sampling]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
