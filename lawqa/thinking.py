"""The marks between which families of models think, and whether a text ends inside a thought.

Pure text. A prompt that ends in an open thought rules everything behind it: no label may be scored there,
nothing but a thought may be trained there, and a completion without the closing mark is not an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple


class ThinkMarks(NamedTuple):
    """How a family of models marks its thinking.

    Args:
        opening: what opens a thought.
        closing: what closes it.
        reply: the text between the closing mark and the reply.
    """

    opening: str
    closing: str
    reply: str = "\n\n"

    @property
    def ending(self) -> str:
        """What closes a thought and leads to the reply, as the model itself would write it."""
        return f"\n{self.closing}{self.reply}"


THINK = ThinkMarks("<think>", "</think>")
"""Of Qwen3, DeepSeek-R1 and most others; lawqa's records are written with it."""

FAMILIES: tuple[ThinkMarks, ...] = (
    THINK,
    ThinkMarks("<thinking>", "</thinking>"),
    ThinkMarks("<thought>", "</thought>"),  # Exaone Deep
    ThinkMarks("<reasoning>", "</reasoning>"),
    ThinkMarks("<reflection>", "</reflection>"),  # Reflection Llama, between thinking and output
    ThinkMarks("<|im_start|>think", "<|im_start|>answer", "\n"),  # s1
    ThinkMarks("<seed:think>", "</seed:think>"),
    ThinkMarks("<longcat_think>", "</longcat_think>"),
    ThinkMarks("[THINK]", "[/THINK]"),  # Magistral
    ThinkMarks("◁think▷", "◁/think▷"),  # Kimi-VL
    ThinkMarks("<|begin_of_thought|>", "<|end_of_thought|>", "\n\n<|begin_of_solution|>\n\n"),
    ThinkMarks("<|START_THINKING|>", "<|END_THINKING|>", "<|START_RESPONSE|>"),  # Command A
    ThinkMarks("<|inner_prefix|>", "<|inner_suffix|>", ""),  # Apertus
    ThinkMarks("<unused94>thought", "<unused95>", ""),  # MedGemma
    ThinkMarks("<|channel>thought", "<channel|>", ""),  # Gemma 4
    ThinkMarks("[unused16]", "[unused17]", ""),  # openPangu
    ThinkMarks(
        "<|channel|>analysis<|message|>",
        "<|end|>",
        "<|start|>assistant<|channel|>final<|message|>",
    ),  # gpt-oss
)
"""Every known pair of marks."""

_OPENING = {marks.opening.lower(): marks for marks in FAMILIES}
_CLOSING = frozenset(marks.closing.lower() for marks in FAMILIES)
_MARK = re.compile("|".join(map(re.escape, [*_OPENING, *_CLOSING])), re.IGNORECASE)


def open_thought(text: str) -> ThinkMarks | None:
    """Return the marks of the thought inside which a text ends; None where it ends outside of one."""
    found: ThinkMarks | None = None
    for mark in _marks(text):
        marks = _OPENING.get(mark)
        if marks is not None and found is None:
            found = marks
        elif found is not None and mark == found.closing.lower():
            found = None
    return found


def closes_thought(text: str) -> bool:
    """Return whether a text holds the closing mark of any family."""
    return any(mark in _CLOSING for mark in _marks(text))


def _marks(text: str) -> Iterator[str]:
    for mark in _MARK.finditer(text):
        yield mark.group().lower()
