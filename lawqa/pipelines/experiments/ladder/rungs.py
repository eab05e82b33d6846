"""The rungs of the ladder: a base model asked in every way, the cheapest first."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from lawqa.errors import ConfigError
from lawqa.prompting import Condition, Mode
from lawqa.settings import LadderWay

WAYS: tuple[LadderWay, ...] = get_args(LadderWay)

_ORDERS: Literal[4] = 4

_CONDITIONS: tuple[Condition, ...] = get_args(Condition)


@dataclass(frozen=True)
class Rung:
    """One way of asking with one kind of context."""

    way: LadderWay
    condition: Condition
    wording: str = ""
    """The id of another wording than the ladder's first, which the rung tries; empty for the first."""

    @property
    def name(self) -> str:
        """Its name and that of its run directory, such as `cot-gold` or `cot-gold-provisions`."""
        return "-".join([self.way, self.condition, *([self.wording] if self.wording else [])])

    @property
    def first(self) -> Rung:
        """The same rung in the ladder's first wording."""
        return replace(self, wording="")

    @property
    def mode(self) -> Mode:
        """The mode of its prompt; a thinking model is asked for the letter alone after its thought."""
        return "cot" if self.way == "cot" else "direct"

    @property
    def thinks(self) -> bool:
        """Whether the model's own thinking is switched on."""
        return self.way == "thinking"

    @property
    def writes(self) -> bool:
        """Whether text is generated."""
        return self.way in ("cot", "thinking")

    def orders(self, votes: int) -> Literal[1, 4]:
        """Return in how many orders of its choices a question is asked.

        In 4 cyclic ones every choice is once under every letter, so that a liking for a letter cancels.

        Args:
            votes: how many texts are written for a question, where texts are written; they are divided
                over the orders.
        """
        divided = self.writes and votes % _ORDERS == 0
        return _ORDERS if self.way == "orders" or divided else 1


RUNGS: tuple[Rung, ...] = tuple(Rung(way, condition) for way in WAYS for condition in _CONDITIONS)
"""All of them: ways by what they cost, and within a way short prompts first."""


def chosen_rungs(
    only: Sequence[str], *, has_index: bool
) -> tuple[tuple[Rung, ...], tuple[str, ...]]:
    """Return the rungs that are asked for, and a sentence on those that are left out.

    Args:
        only: names of rungs (`cot-gold`), of ways (`cot`) or of conditions (`gold`); empty for all.
        has_index: whether contexts can be retrieved.

    Raises:
        ConfigError: a name is not known, or names rungs that need an index alone.
    """
    unknown = [name for name in only if not any(_names(name, rung) for rung in RUNGS)]
    if unknown:
        raise ConfigError(
            f"--only {unknown[0]}: there is no such rung",
            f"rungs: {', '.join(rung.name for rung in RUNGS)}; or a way ({', '.join(WAYS)}), "
            f"or a condition ({', '.join(_CONDITIONS)})",
        )
    rungs = tuple(r for r in RUNGS if not only or any(_names(name, r) for name in only))
    if has_index:
        return rungs, ()
    kept = tuple(rung for rung in rungs if rung.condition != "rag")
    asked = [name for name in only if name == "rag" or name.endswith("-rag")]
    if asked:
        raise ConfigError(
            f"--only {asked[0]}: the condition rag needs an index",
            "--index DIR; lawqa index build --articles ARTICLES.jsonl --output-dir DIR  builds one",
        )
    return kept, (_left_out(rungs, kept, "they need --index DIR"),) if kept != rungs else ()


def _left_out(rungs: Collection[Rung], kept: Collection[Rung], why: str) -> str:
    names = [rung.name for rung in rungs if rung not in kept]
    return f"left out: {', '.join(names)}: {why}"


def _names(name: str, rung: Rung) -> bool:
    return name in (rung.name, rung.way, rung.condition)
