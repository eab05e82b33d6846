"""Defaults that follow how questions are put; this decides them, for command line and Python alike.

A setting whose default follows the mode, thinking or the number of samples is None until somebody gives it,
so that a configuration with another prompt spec has the defaults of that one. To add such a setting: a field
of `Resolved` by its name, and its value in `defaults_of`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from lawqa.settings.values import AnswerBy, Way

_MAX_NEW_TOKENS: dict[Way, int] = {"direct": 32, "cot": 1024, "thinking": 4096}

_THINKING_BUDGETS = {"closed": 3072, "gold": 2048, "rag": 2048}
"""By condition. On 19 GiB the 4-bit weights of an 8B model leave keys and values of some 80,000 tokens: about
twenty answers of full length at once beside a prompt of 500 tokens, or of 2,500 with statute text."""


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn; None where whoever gives these values says nothing of it."""

    temperature: float | None = None
    top_p: float | None = None
    top_k_sampling: int | None = None
    min_p: float | None = None


THINKING_SAMPLING = Sampling(0.6, 0.95, 20, 0.0)
"""What Qwen3's makers recommend with thinking, who warn of greedy decoding there (its model card)."""
PLAIN_SAMPLING = Sampling(0.7, 0.8, 20, 0.0)
"""What they recommend without thinking."""
_GREEDY = Sampling(0.0, 1.0, 0, 0.0)
_NAMES = tuple(field.name for field in fields(Sampling))

OWN_FILE = "generation_config.json"


@dataclass(frozen=True)
class Resolved:
    """The settings whose defaults follow how questions are put, each as given, else its default."""

    answer_by: AnswerBy
    max_new_tokens: int
    temperature: float
    top_p: float = 1.0
    top_k_sampling: int = 0
    min_p: float = 0.0
    thinking_budget: int | None = None
    """None for no limit of its own."""


def way_of(mode: str, *, thinking: bool) -> Way:
    """Return how answers come about in this mode, `direct` or `cot`, with the model's thinking on or off."""
    if thinking:
        return "thinking"
    return "cot" if mode == "cot" else "direct"


def defaults_of(
    mode: str,
    *,
    thinking: bool,
    samples: int = 1,
    condition: str = "closed",
    own: Sampling | None = None,
    temperature: float | None = None,
    max_new_tokens: int | None = None,
    closes_thoughts: bool = True,
) -> Resolved:
    """Return the defaults for a way of asking.

    One answer without thinking is greedy, reasoning too: it repeats exactly, and a single draw would only add
    noise. With thinking, or several samples, answers are drawn as the model's own file says, where it does,
    else as its makers recommend.

    Args:
        mode: `direct` or `cot`.
        thinking: whether the model's own thinking is on.
        samples: how many answers to each prompt are drawn.
        condition: which context prompts show.
        own: what the model's own file says; None for a model without one.
        temperature: the one that was given; None where none was.
        max_new_tokens: the most tokens that were given; a thinking budget leaves a quarter for the answer.
        closes_thoughts: whether the backend can close a think block.
    """
    way = way_of(mode, thinking=thinking)
    most = _MAX_NEW_TOKENS[way] if max_new_tokens is None else max_new_tokens
    budget = min(_THINKING_BUDGETS.get(condition, 2048), most * 3 // 4) or None
    drawn = _drawn(way, samples, own, temperature)
    return Resolved(
        answer_by="logits" if way == "direct" and samples == 1 else "generate",
        max_new_tokens=most,
        temperature=drawn.temperature or 0.0,
        top_p=1.0 if drawn.top_p is None else drawn.top_p,
        top_k_sampling=drawn.top_k_sampling or 0,
        min_p=drawn.min_p or 0.0,
        thinking_budget=budget if thinking and closes_thoughts else None,
    )


def sources_of(
    mode: str,
    *,
    thinking: bool,
    samples: int = 1,
    own: Sampling | None = None,
    given: Mapping[str, float | None],
) -> dict[str, str]:
    """Return where each value of `Sampling` comes from, in words for a manifest.

    Args:
        mode: as in `defaults_of`.
        thinking: as there.
        samples: as there.
        own: as there.
        given: what was given, by name; None for what was not.
    """
    way = way_of(mode, thinking=thinking)
    greedy = _drawn(way, samples, own, given.get("temperature")) == _GREEDY
    known = own if own is not None and _speaks_of(own, way) else Sampling()
    makers = f"recommended {'with' if thinking else 'without'} thinking"
    otherwise = "greedy: one answer without thinking"
    if given.get("temperature") is not None:
        otherwise = "greedy: the temperature is 0"
    return {
        name: "given"
        if given.get(name) is not None
        else otherwise
        if greedy
        else makers
        if getattr(known, name) is None
        else OWN_FILE
        for name in _NAMES
    }


def _drawn(way: Way, samples: int, own: Sampling | None, temperature: float | None) -> Sampling:
    greedy = samples == 1 and way != "thinking" if temperature is None else temperature == 0
    if greedy:
        return _GREEDY
    makers = THINKING_SAMPLING if way == "thinking" else PLAIN_SAMPLING
    if own is None or not _speaks_of(own, way):
        return makers
    known = {name: value for name, value in vars(own).items() if value is not None}
    return replace(makers, **known)


def _speaks_of(own: Sampling, way: Way) -> bool:
    """Return whether a file's values hold for this way: those of models that can do both are for thinking."""
    for_thinking = (own.temperature, own.top_p, own.top_k_sampling) == (0.6, 0.95, 20)
    return way == "thinking" or not for_thinking


def resolved(settings: object, defaults: Resolved) -> Resolved:
    """Return each of these settings as it was given; where it is None or no setting there, its default."""
    given = {field.name: getattr(settings, field.name, None) for field in fields(defaults)}
    return replace(defaults, **{name: value for name, value in given.items() if value is not None})
