"""The flags of generated answers."""

from __future__ import annotations

import logging
from dataclasses import dataclass, fields

from lawqa.settings import GenerationChoices, Resolved, values_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class GenerationFlags(GenerationChoices):
    """Generated answers, for --answer-by generate."""

    def choices(self) -> GenerationChoices:
        """Return the settings alone."""
        return GenerationChoices(**values_of(GenerationChoices, self))

    def warn_unused(self, chosen: Resolved) -> None:
        """Warn of flags that were given and change nothing.

        Args:
            chosen: what the settings are that follow the way of asking.
        """
        unused = self.unused(chosen)
        if unused:
            why = "the temperature is 0"
            if chosen.answer_by != "generate":
                why = "labels are scored, no text is generated"
            logger.warning("note: %s unused: %s", ", ".join(unused), why)

    def unused(self, chosen: Resolved) -> list[str]:
        """Return flags that were given and change nothing.

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
