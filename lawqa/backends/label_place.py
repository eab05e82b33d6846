"""Where in a text that a model wrote the labels are scored: right where its answer's label belongs."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lawqa.choices import FINAL_ANSWER_CUE
from lawqa.prompting import Mode
from lawqa.thinking import THINK, ThinkMarks

_FINAL_LINE = re.compile(
    rf"^[^\S\n]*[*#>]*[^\S\n]*{re.escape(FINAL_ANSWER_CUE[:-1])}[^\S\n]*[:：]", re.MULTILINE
)


@dataclass(frozen=True)
class LabelPlace:
    """A place where a label is the next token."""

    at: int
    """Characters of the text before it."""
    after: str
    """What is put between them and the label."""

    def text(self, written: str) -> str:
        """Return what comes before the label."""
        return written[: self.at] + self.after


def label_place(
    text: str, mode: Mode, *, in_thought: bool = False, marks: ThinkMarks = THINK
) -> LabelPlace:
    """Return where the labels are scored after a think block or reasoning.

    Never behind the answer itself, which would only be repeated: a text that names its answer in a final line
    is cut off before the name. One that ends in a thought has it closed and is asked for the answer.

    Args:
        text: what the model wrote, without its end token.
        mode: `direct` for a label right after the thought, `cot` for one in a final line.
        in_thought: whether the prompt opened a thought, in which the text begins.
        marks: of the model's thoughts.
    """
    # Only texts hold thoughts: labels scored without one need no patterns of their marks.
    from lawqa.answers.text.thoughts import spoken

    heard = spoken(text, inside=in_thought)
    if heard.open:
        return LabelPlace(len(text), f"{marks.ending}{FINAL_ANSWER_CUE}")
    begin = heard.ranges[-1][0] if heard.ranges else len(text)
    reply = text[begin:]
    if mode == "direct":
        if not reply.strip():
            return LabelPlace(begin, marks.reply)
        return LabelPlace(len(text) - len(reply.lstrip()), "")
    lines = list(_FINAL_LINE.finditer(reply))
    if lines:
        return LabelPlace(begin + lines[-1].end(), "")
    return LabelPlace(len(text), answer_cue(text))


def answer_cue(text: str) -> str:
    """Return what is put after a text so that a label must follow."""
    if text.endswith(FINAL_ANSWER_CUE):
        return ""
    return FINAL_ANSWER_CUE if not text or text.endswith("\n") else f"\n{FINAL_ANSWER_CUE}"
