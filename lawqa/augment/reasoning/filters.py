"""What a sampled answer must pass before it is learnt from.

A filter looks at one sample alone and says True, False, or None where there is nothing to check; `agreed`
alone looks at all samples of a question. Every filter is asked of every sample, so that each has its count.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from lawqa.answers import parse
from lawqa.choices import LABELS, Label
from lawqa.prompting import PromptSpec
from lawqa.questions import Question
from lawqa.statutes.citations import read_citations
from lawqa.statutes.headings import quoted_paragraphs
from lawqa.statutes.law_names import LawNames
from lawqa.statutes.normalise import canonical
from lawqa.thinking import FAMILIES

SampleFilter = Literal[
    "whole", "answered", "right", "agreed", "reasoned", "no-loop", "japanese", "grounded", "own-letters"
]  # fmt: skip
"""whole: the text ended by itself; answered: it commits to a choice; right: to the right one; agreed: no
other choice was given by more of the question's samples; reasoned: there is reasoning before the answer;
no-loop: it does not repeat itself; japanese: it is in Japanese; grounded: articles that it names are in the
context, the question or its choices; own-letters: where it quotes a choice, the letter is the one shown."""

FILTERS: tuple[SampleFilter, ...] = get_args(SampleFilter)
"""In the sequence in which they are applied: a sample is counted under the first that it fails."""

Verdict = Literal[
    "failed", "cut off", "no answer", "wrong", "outvoted", "no reasoning", "loop", "not in Japanese",
    "cites what is not there", "letters of another order",
    "too short or long", "similar", "enough", "uneven labels", "over the limit", "kept",
]  # fmt: skip
"""What became of a sample: the first filter that it fails, or why it was not taken, or that it was."""

_FAILS: Mapping[SampleFilter, Verdict] = {
    "whole": "cut off",
    "answered": "no answer",
    "right": "wrong",
    "agreed": "outvoted",
    "reasoned": "no reasoning",
    "no-loop": "loop",
    "japanese": "not in Japanese",
    "grounded": "cites what is not there",
    "own-letters": "letters of another order",
}

MIN_REASONING = 20
"""Characters: less is a remark, not reasoning."""
MAX_REPEATS = 3
"""A line that occurs so often is a loop."""
MIN_COMPRESSED = 0.2
"""Compressed to a smaller share of its bytes than this, a text repeats itself; prose stays above 0.35."""
MIN_KANA = 0.15
"""Share of kana among kana and kanji. Sentences of lawqa_jp have 0.22 or more (99%), Chinese has none."""
MIN_JAPANESE = 0.6
"""Share of kana and kanji among all letters; names of funds and units are Latin in Japanese texts, too."""
LONGEST_NAME = 40
"""Letters of a sentence without kana that can be the name of a statute with article and paragraph; a longer
one is in another language."""

_OPENINGS = "|".join(re.escape(marks.opening) for marks in FAMILIES)
_CLOSINGS = "|".join(re.escape(marks.closing + marks.reply.strip()) for marks in FAMILIES)
# The opening mark is in the prompt where the template opens the block.
_THOUGHT = re.compile(
    rf"\s*(?:{_OPENINGS})?\s*(?P<thought>.*?)\s*(?:{_CLOSINGS})\s*(?P<rest>.*)", re.DOTALL
)
_KANA = re.compile(r"[ぁ-ゖァ-ヺー]")
_KANJI = re.compile(r"[\u3400-\u9fff々〆]")
_SENTENCE_END = re.compile(r"[。．!?！？\n]+")
_QUOTED = 6
"""Characters of a choice that a text must repeat for it to be a quotation of it."""
_LETTER_BEFORE = re.compile(
    r"(?<![a-z])(?:選択肢|肢)?[「『((\[【]*([a-d])[」』))\]】]*[::.、,。はがの「『]{0,3}$"
)


@dataclass(frozen=True)
class Sample:
    """One sampled answer."""

    question: Question
    """What was asked, in the order of choices that was shown."""
    number: int
    """Which of the samples of this prompt, from 0."""
    text: str
    """The raw text."""
    cut_off: bool = False
    """Whether the text, or its think block, ran into a limit of tokens."""
    error: str | None = None
    """Why the backend failed; None where it did not."""
    in_thought: bool = False
    """Whether it begins inside a think block that its prompt opened."""


@dataclass(frozen=True)
class Checked:
    """A sample with what the filters say of it."""

    sample: Sample
    label: Label | None
    """The answer as displayed; None for none."""
    reasoning: str
    """What would be learnt; empty where there is none."""
    checks: Mapping[SampleFilter, bool | None]
    """By filter; None where there is nothing to check. `agreed` is missing until all samples are known."""

    @property
    def choice(self) -> int | None:
        """The answer as a position in the original order, the same for all orders of a question."""
        if self.label is None:
            return None
        return self.sample.question.permutation[LABELS.index(self.label)]


def check(sample: Sample, spec: PromptSpec, context: str = "") -> Checked:
    """Ask the filters of one sample.

    Args:
        sample: the sample.
        spec: how it was asked; with thinking, the reasoning is what is in the think block.
        context: the statute text that its prompt showed; empty for none, then nothing can be grounded.
    """
    unknown: dict[SampleFilter, bool | None] = dict.fromkeys(FILTERS)
    del unknown["agreed"]
    if sample.error is not None:
        return Checked(sample, None, "", unknown)
    question = sample.question
    answer = parse(sample.text, question.choices, in_thought=sample.in_thought)
    checks: dict[SampleFilter, bool | None] = {
        **unknown, "whole": not sample.cut_off, "answered": answer.label is not None,
    }  # fmt: skip
    if answer.label is None:
        return Checked(sample, None, "", checks)
    at = answer.span[0] if answer.span is not None else len(sample.text)
    reasoning = _reasoning(sample.text, at, spec)
    checks["right"] = answer.label == question.gold
    checks["reasoned"] = len(reasoning) >= MIN_REASONING
    if checks["reasoned"]:
        checks["no-loop"] = not loops(reasoning)
        checks["japanese"] = in_japanese(reasoning)
        checks["grounded"] = grounded(reasoning, question, context) if context else None
        checks["own-letters"] = own_letters(reasoning, question)
    return Checked(sample, answer.label, reasoning, checks)


def agreed(samples: Sequence[Checked]) -> bool | None:
    """Return whether no wrong choice was given by more of a question's samples than the right one.

    Of four choices one sample in four is right by luck, whatever its reasoning. None where nothing was
    answered.

    Args:
        samples: all samples of one question, in whatever orders.
    """
    votes = Counter(one.choice for one in samples if one.choice is not None)
    if not votes:
        return None
    question = samples[0].sample.question
    right = question.permutation[LABELS.index(question.gold)]
    return votes[right] == max(votes.values())


def verdict_of(checked: Checked, skipped: Sequence[SampleFilter] = ()) -> Verdict:
    """Return the first filter that a sample fails, as a verdict; `kept` where it passes all.

    Args:
        checked: the sample with what the filters say of it.
        skipped: filters that are not applied.
    """
    if checked.sample.error is not None:
        return "failed"
    for name in FILTERS:
        if name not in skipped and checked.checks.get(name) is False:
            return _FAILS[name]
    return "kept"


def loops(text: str) -> bool:
    """Return whether a text repeats a line, or is so repetitive that it compresses to a fifth."""
    lines = Counter(line.strip() for line in text.split("\n") if line.strip())
    if max(lines.values(), default=0) >= MAX_REPEATS:
        return True
    raw = text.encode("utf-8", "surrogatepass")
    return len(raw) > 300 and len(zlib.compress(raw)) < MIN_COMPRESSED * len(raw)


def in_japanese(text: str) -> bool:
    """Return whether a text is in Japanese throughout: by its share of kana, and no long sentence without
    any.
    """
    kana, kanji, letters = _letters(text)
    japanese = kana + kanji
    if japanese < MIN_JAPANESE * letters or kana < MIN_KANA * japanese:
        return False
    sentences = (_letters(sentence) for sentence in _SENTENCE_END.split(text))
    return all(kana > 0 or letters <= LONGEST_NAME for kana, _, letters in sentences)


def grounded(reasoning: str, question: Question, context: str) -> bool:
    """Return whether every article that reasoning names is named in the context, the question or a choice.

    Articles are compared by their numbers: 第二条, 第2条 and 2条 are one, 第2条の2 another.
    """
    shown = [context, question.text, *question.choices]
    known = {number for text in shown for number in _articles(text)}
    known |= {quoted.article for quoted in quoted_paragraphs(context)}
    return _articles(reasoning) <= known


def own_letters(reasoning: str, question: Question) -> bool:
    """Return whether a letter beside a quoted choice is that under which the choice was shown.

    A model that learnt one order of the choices writes its letters in others, too.
    """
    text = canonical(reasoning).lower()
    choices = [canonical(choice).lower() for choice in question.choices]
    for label, choice in zip(LABELS, choices, strict=True):
        start = _opening(choice, [other for other in choices if other != choice])
        if start is None:
            continue
        for quotation in re.finditer(re.escape(start), text):
            before = _LETTER_BEFORE.search(text, max(0, quotation.start() - 12), quotation.start())
            if before and before[1] != label and choices[LABELS.index(_label(before[1]))] != choice:
                return False
    return True


def _label(letter: str) -> Label:
    return next(label for label in LABELS if label == letter)


def _opening(choice: str, others: Sequence[str]) -> str | None:
    """Return the shortest beginning of a choice that no other has; None where it is too short to be a
    quotation.
    """
    for length in range(_QUOTED, len(choice) + 1):
        if not any(other.startswith(choice[:length]) for other in others):
            return choice[:length]
    return None


def _articles(text: str) -> set[str]:
    """Return the numbers of the articles that a text names, such as 27_13_2."""
    return {citation.article for citation in read_citations(text, _NO_LAWS).citations}


_NO_LAWS = LawNames(())


def _letters(text: str) -> tuple[int, int, int]:
    """Return how many kana, kanji and letters of any script."""
    kana, kanji = len(_KANA.findall(text)), len(_KANJI.findall(text))
    return kana, kanji, sum(character.isalpha() for character in text)


def _reasoning(text: str, answer_at: int, spec: PromptSpec) -> str:
    """Return the think block's text, or what comes before the line of the answer."""
    thought = _THOUGHT.fullmatch(text)
    if spec.thinking:
        return thought["thought"] if thought else ""
    before = text[: text.rfind("\n", 0, answer_at) + 1]
    return before[thought.start("rest") :].strip() if thought else before.strip()
