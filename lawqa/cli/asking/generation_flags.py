"""The flags of generated answers."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lawqa.settings import GenerationChoices

DEFAULT_ENSEMBLE_TEMPERATURE = 0.7


@dataclass(frozen=True, kw_only=True)
class GenerationFlags(GenerationChoices):
    """Generated answers, for --answer-by generate."""

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
