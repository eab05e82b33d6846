"""Which subcommands put the same work on a model, so that a rule for one of them is a rule for all."""

from __future__ import annotations

from collections.abc import Iterable

MODEL_WORK: dict[str, tuple[str, ...]] = {
    "evaluate": ("evaluate", "ladder", "augment hard", "probe"),
    "train": ("train", "prefer", "crossval run", "sweep"),
}
"""By the subcommand that a rule names: those that load a model for the same work. A rule that demands what
an evaluation must name (`--llm-backend`) demands it of everything that only evaluates."""

OTHER_MODEL_WORK: dict[str, str] = {
    "distill": "samples what is learnt from; no figure comes of it",
    "pool": "samples what is learnt from, as distill does",
    "merge": "writes a model; the rules on models hold for its flags",
    "plan": "reads a model's config; with --measure times it for two minutes, and keeps no weights",
    "records": "reads a model's tokenizer",
    "index": "reads a tokenizer or an embedding model",
    "doctor": "looks at the model's files",
}
"""Subcommands with a flag for a model to which no rule for another subcommand applies, with the reason."""


def alike(commands: Iterable[str]) -> tuple[str, ...]:
    """Return these subcommands, and those that put the same work on a model."""
    every = [one for name in commands for one in (name, *MODEL_WORK.get(name, ()))]
    return tuple(dict.fromkeys(every))
