"""Splits without leaks: groups of questions that belong together, hold-out, k-fold, leak audit.

    material    what an item holds that could give another away
    stems       whether a question's text alone says which question it is
    near        all near-same pairs, without comparing every pair
    reasons     why two items must not stand on both sides
    groups      sets of questions that must stay together
    stratify    whole groups dealt into parts that mirror laws and gold labels
    schemes     hold-out, k-fold, the lab's split
    leaks       the audit of any two sets

Knows nothing about files. Deterministic for a seed, on every machine and Python.
"""

from __future__ import annotations

from lawqa.splits.groups import Group, Link, find_groups
from lawqa.splits.leaks import Leak, find_leaks
from lawqa.splits.material import Material, of_question, of_text
from lawqa.splits.reasons import KINDS, RULES, Kind, Reason, Rules
from lawqa.splits.schemes import (
    DEFAULT_FOLDS,
    DEFAULT_TEST_SIZE,
    LAB_SEED,
    SCHEMES,
    Scheme,
    Split,
    class_balance,
    holdout,
    kfold,
    lab_final,
    size_in_questions,
)

__all__ = [
    "DEFAULT_FOLDS",
    "DEFAULT_TEST_SIZE",
    "KINDS",
    "LAB_SEED",
    "RULES",
    "SCHEMES",
    "Group",
    "Kind",
    "Leak",
    "Link",
    "Material",
    "Reason",
    "Rules",
    "Scheme",
    "Split",
    "class_balance",
    "find_groups",
    "find_leaks",
    "holdout",
    "kfold",
    "lab_final",
    "of_question",
    "of_text",
    "size_in_questions",
]
