"""How much an adapter changes the probabilities of a model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class AdapterEffect:
    """What an adapter does to the next-token probabilities of a probe prompt."""

    nats: float
    """The largest change of a log-probability, at any token after any position; 0 for none, to the bit."""
    reason: str
    """Why it does nothing, as far as its files tell; empty where it does something."""
    probe: tuple[int, ...] = ()
    """The prompt, token ids."""

    def note(self, adapter: Path) -> str | None:
        """Return what a reader of scores must know first; None where the adapter does something."""
        if self.nats:
            return None
        reason = f": {self.reason}" if self.reason else ""
        return (
            f"ADAPTER CHANGES NOTHING: with {adapter} a probe prompt has the base model's logits, to the "
            f"bit{reason}"
        )
