"""Splits without leaks: groups of questions that belong together, hold-out, k-fold, leak audit.

    audit_items   what an item holds that could give another away
    stems         whether a question's text alone says which question it is
    containment   all near-same pairs, without comparing every pair
    reasons       why two items must not be on both sides
    groups        sets of questions that must stay together
    stratify      whole groups dealt into parts that mirror laws and gold labels
    schemes       hold-out, k-fold, the lab's split
    leaks         the audit of any two sets

Reads no files. Deterministic for a seed, on every machine and Python.
"""

from __future__ import annotations

from lawqa.settings import Scheme
from lawqa.splits.audit_items import AuditItem, item_of_question, item_of_text
from lawqa.splits.groups import Group, Link, find_groups
from lawqa.splits.leaks import Leak, find_leaks
from lawqa.splits.reasons import LINK_KINDS, LINK_RULES, LinkKind, Reason, Rules
from lawqa.splits.schemes import (
    DEFAULT_FOLDS,
    DEFAULT_TEST_SIZE,
    LAB_SEED,
    SCHEMES,
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
    "LAB_SEED",
    "LINK_KINDS",
    "LINK_RULES",
    "SCHEMES",
    "AuditItem",
    "Group",
    "Leak",
    "Link",
    "LinkKind",
    "Reason",
    "Rules",
    "Scheme",
    "Split",
    "class_balance",
    "find_groups",
    "find_leaks",
    "holdout",
    "item_of_question",
    "item_of_text",
    "kfold",
    "lab_final",
    "size_in_questions",
]
