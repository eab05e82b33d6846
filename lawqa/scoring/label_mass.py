"""How much of the probability of the next token the labels hold together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from statistics import median

from lawqa.amounts import percent

LOW_MASS = 0.1
"""Below this the model was about to write something else than a label: which label is the likeliest then says
little of what it would have answered. A model that answers with a letter puts 0.9 and more on the labels."""


@dataclass(frozen=True)
class LabelMass:
    """The label masses of a run's scored answers."""

    scored: int
    """Answers whose mass is known."""
    low: int
    """Of them, those below the threshold."""
    median: float
    """The median mass, from 0 to 1."""
    lowest: float
    """The lowest mass, from 0 to 1."""
    threshold: float = LOW_MASS
    """Below this a mass is low."""

    @property
    def share(self) -> float:
        """Share of the scored answers whose mass is low, from 0 to 1."""
        return self.low / self.scored

    @property
    def sentence(self) -> str | None:
        """The alarm in words, for the first line of a report; None where no mass is low."""
        if not self.low:
            return None
        return (
            f"LOW LABEL MASS: in {self.low} of {self.scored} scored answers ({percent(self.share, 0)}) all "
            f"labels together have less than {self.threshold:g} of the probability (median "
            f"{self.median:.2g}, lowest {self.lowest:.2g}): the model was about to write something else; "
            "--answer-by generate reads what it writes"
        )

    def to_json(self) -> dict[str, object]:
        """Return the figures in plain JSON types."""
        return {**asdict(self), "share": round(self.share, 4)}


def label_mass_of(masses: Iterable[float | None], threshold: float = LOW_MASS) -> LabelMass | None:
    """Return the label masses of a run; None where none is known.

    Args:
        masses: for each answer the probability that the next token is any label; None where that is not
            known, as for generated texts and in runs from before it was stored.
        threshold: below this a mass is low.
    """
    known = [mass for mass in masses if isinstance(mass, (int, float)) and math.isfinite(mass)]
    if not known:
        return None
    return LabelMass(
        len(known), sum(mass < threshold for mass in known), median(known), min(known), threshold
    )
