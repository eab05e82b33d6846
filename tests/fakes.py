"""A tokenizer that needs no download: ChatML, an id for every special mark and for every other byte."""

from __future__ import annotations

import re
from typing import Any

MARKS = ("<|im_start|>", "<|im_end|>", "<think>", "</think>")
EMPTY_THINK_BLOCK = "<think>\n\n</think>\n\n"

_PIECES = re.compile("(" + "|".join(map(re.escape, MARKS)) + ")")
_FIRST_MARK_ID = 256


class ByteTokenizer:
    """Satisfies `lawqa.prompting.ChatTokenizer`.

    Args:
        chat_template: name of the template; None for a tokenizer without one.
        thinking_switch: the template closes an empty think block when thinking is off, as Qwen3's does.
        end_mark: what the template writes after every turn.
    """

    def __init__(
        self,
        *,
        chat_template: str | None = "ChatML",
        thinking_switch: bool = True,
        end_mark: str = "<|im_end|>",
    ) -> None:
        self.chat_template = chat_template
        self._thinking_switch = thinking_switch
        self._end_mark = end_mark

    def apply_chat_template(
        self, conversation: list[dict[str, str]], *, tokenize: bool, **options: Any
    ) -> str:
        if tokenize:
            raise NotImplementedError("lawqa renders text and encodes it itself")
        text = "".join(
            f"<|im_start|>{turn['role']}\n{turn['content']}{self._end_mark}\n"
            for turn in conversation
        )
        if options.get("add_generation_prompt"):
            text += "<|im_start|>assistant\n"
            if self._thinking_switch and not options.get("enable_thinking", True):
                text += EMPTY_THINK_BLOCK
        return text

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        if add_special_tokens:
            raise NotImplementedError("the template writes every special mark itself")
        ids: list[int] = []
        for piece in _PIECES.split(text):
            ids += [_FIRST_MARK_ID + MARKS.index(piece)] if piece in MARKS else piece.encode()
        return ids

    def decode(self, token_ids: list[int]) -> str:
        text, pending = "", bytearray()
        for token in token_ids:
            if token < _FIRST_MARK_ID:
                pending.append(token)
                continue
            text += pending.decode(errors="replace") + MARKS[token - _FIRST_MARK_ID]
            pending.clear()
        return text + pending.decode(errors="replace")
