"""The flags of generated answers."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lawqa.settings import GenerationChoices, Resolved


@dataclass(frozen=True, kw_only=True)
class GenerationFlags(GenerationChoices):
    """Generated answers, for --answer-by generate."""

    def unused(self, chosen: Resolved) -> list[str]:
        """Flags that were given and change nothing.

        Args:
            chosen: what the settings are that follow the way of asking.
        """
        sampling = ("top_p", "top_k_sampling", "min_p")
        given = [field.name for field in fields(self) if getattr(self, field.name) != field.default]
        # An ensemble of scored labels is refused, not unused.
        if chosen.answer_by != "generate":
            return [_flag(name) for name in given if name != "ensemble"]
        greedy = chosen.temperature == 0
        return [_flag(name) for name in given if greedy and name in sampling]


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
