"""A model's own reasoning as something to learn from (rejection sampling), without a language model.

    filters    what a sampled answer must pass before it is learnt from
    selection  which of those that pass are taken: hard questions first, caps, even labels
    balance    how many of each label

Right answers after real reasoning are kept, as in STaR (Zelikman et al. 2022, arXiv:2203.14465) and rejection
sampling fine-tuning (Yuan et al. 2023, arXiv:2308.01825). No sentence is ever made up here.
"""

from __future__ import annotations

from lawqa.augment.reasoning.filters import (
    FILTERS,
    Checked,
    Sample,
    SampleFilter,
    Verdict,
    check,
    verdict_of,
)
from lawqa.augment.reasoning.selection import JudgedSample, SelectionRules, select

__all__ = [
    "FILTERS",
    "Checked",
    "JudgedSample",
    "Sample",
    "SampleFilter",
    "SelectionRules",
    "Verdict",
    "check",
    "select",
    "verdict_of",
]
