"""What a question file can be solved by without reading it.

    stems       whether a question asks for the wrong one
    surface     what can be seen of a choice without understanding it
    rules       solvers that look at the surface only
    words       solvers that know other questions of the file, but not what this one asks
    audit       how often each of them is right, and the limits

A question file on which one of them does well teaches that shortcut instead of reading (Gururangan et al.
2018, "Annotation Artifacts in Natural Language Inference Data"; Poliak et al. 2018, "Hypothesis Only
Baselines in Natural Language Inference").
"""

from __future__ import annotations

from lawqa.augment.shortcuts.audit import (
    LIMITS,
    Breach,
    Commonest,
    RuleScore,
    ShortcutAudit,
    ShortcutLimits,
    audit_shortcuts,
)
from lawqa.augment.shortcuts.rules import SHORTCUT_RULES, credits_of
from lawqa.augment.shortcuts.stems import asks_for_wrong

__all__ = [
    "LIMITS",
    "SHORTCUT_RULES",
    "Breach",
    "Commonest",
    "RuleScore",
    "ShortcutAudit",
    "ShortcutLimits",
    "asks_for_wrong",
    "audit_shortcuts",
    "credits_of",
]
