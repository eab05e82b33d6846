"""Prompts: one renderer for training and evaluation.

A `PromptSpec` says how a question is put; `build_prompt` makes chat messages of it; `render` turns them into
text through the tokenizer's own chat template. Nothing else in lawqa writes prompt text. The words are data,
see `lawqa.prompts`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from lawqa.choices import Label, final_answer_line
from lawqa.errors import ConfigError
from lawqa.few_shot import FEW_SHOT as _FEW_SHOT
from lawqa.few_shot import Example
from lawqa.prompts import STANDARD, Wording, wording_of, wordings
from lawqa.questions import Question, choices_text
from lawqa.settings import Condition, Mode, Settings
from lawqa.templates import ChatTokenizer, Message, render_turns, template_facts
from lawqa.thinking import THINK, ThinkMarks, open_thought

__all__ = [
    "ALL_SPECS",
    "VERSION",
    "ChatTokenizer",
    "Condition",
    "Message",
    "Mode",
    "Prompt",
    "PromptSpec",
    "answer_text",
    "build_prompt",
    "end_of_turn",
    "prompt_thought",
    "render",
    "require_outside",
    "spec_hash",
    "spoken_after",
    "wording_hash",
]

VERSION = 1

_MARK = f"-v{VERSION}"


@dataclass(frozen=True)
class PromptSpec(Settings):
    """How a question is put to a model."""

    mode: Mode = "direct"
    """Whether one letter or reasoning is asked for."""
    condition: Condition = "closed"
    """Which context comes before the question."""
    thinking: bool = False
    """Whether the model's own thinking is switched on."""
    few_shot: bool = False
    """Whether two fixed solved questions come first, as chat turns."""
    wording: str = STANDARD
    """The id of the words around the question."""

    @property
    def reasons(self) -> bool:
        """Whether the model writes before it answers, so that its next token is no label."""
        return self.thinking or self.mode == "cot"

    @classmethod
    def from_id(cls, spec_id: str) -> PromptSpec:
        """Return the spec of this name.

        Raises:
            ConfigError: this version of lawqa has no such spec, or no such wording.
        """
        head, mark, wording = spec_id.partition(f"{_MARK}-")
        plain_id = head + _MARK if mark else spec_id
        standard = next((spec for spec in ALL_SPECS if spec.id == plain_id), None)
        others = [*wordings()][1:]
        if standard is None or (mark and wording not in others):
            raise ConfigError(
                f"prompt spec {spec_id!r} is not known to this version of lawqa",
                f"known: {', '.join(spec.id for spec in ALL_SPECS)}; each also with the name of another "
                f"wording behind it: {', '.join(f'-{name}' for name in others) or 'none'}",
            )
        return replace(standard, wording=wording) if mark else standard

    @property
    def id(self) -> str:
        """The name of the spec, such as `direct-closed-v1` or `cot-gold-thinking-fewshot-v1-provisions`."""
        options = [
            name for name, on in (("thinking", self.thinking), ("fewshot", self.few_shot)) if on
        ]
        wording = [] if self.wording == STANDARD else [self.wording]
        return "-".join([self.mode, self.condition, *options, f"v{VERSION}", *wording])


ALL_SPECS: tuple[PromptSpec, ...] = tuple(
    PromptSpec(mode, condition, thinking, few_shot)
    for mode in get_args(Mode)
    for condition in get_args(Condition)
    for thinking in (False, True)
    for few_shot in (False, True)
)
"""Every spec in the standard wording."""


@dataclass(frozen=True)
class Prompt:
    """A question as it is put to a model; it does not hold the right answer."""

    question_id: str
    order: int
    """The number of the choice order shown."""
    spec: PromptSpec
    """How it is put."""
    messages: tuple[Message, ...]
    """The chat, ending with the user's turn."""

    @property
    def key(self) -> str:
        """The prompt's key within a run: `question_id#order`."""
        return f"{self.question_id}#{self.order}"


def build_prompt(question: Question, spec: PromptSpec, *, retrieved: str = "") -> Prompt:
    """Put a question as the spec says.

    Args:
        question: the question, in the order of choices to show.
        spec: how to put it.
        retrieved: the retrieved context, for the condition `rag` only.

    Raises:
        ConfigError: the condition needs a context and there is none, or no wording has the spec's id.
    """
    context = _context(question, spec, retrieved)
    wording = wording_of(spec.wording)
    messages = [Message("system", wording.system)]
    if spec.few_shot:
        for example in _FEW_SHOT:
            shown = "" if spec.condition == "closed" else example.question.context
            messages.append(Message("user", _user_text(example.question, spec, wording, shown)))
            messages.append(Message("assistant", _example_answer(example, spec)))
    messages.append(Message("user", _user_text(question, spec, wording, context)))
    return Prompt(question.id, question.order, spec, tuple(messages))


def answer_text(label: Label, spec: PromptSpec, reasoning: str = "") -> str:
    """Return the assistant's turn that answers with this label, as the prompt asks for it.

    With thinking the reasoning is in the think block, which such a prompt leaves to the model.
    """
    if spec.thinking:
        answer = label if spec.mode == "direct" else final_answer_line(label)
        return f"<think>\n{reasoning}\n</think>\n\n{answer}"
    return label if spec.mode == "direct" else f"{reasoning}\n{final_answer_line(label)}"


def render(messages: Sequence[Message], tokenizer: ChatTokenizer, *, thinking: bool) -> str:
    """Return the text that a model sees, up to where its answer begins.

    With thinking off, a template that knows `enable_thinking` closes an empty think block at the end of
    the prompt; a template that does not know it ignores the switch. One that ends every prompt inside an
    open think block (`prompt_thought`) thinks in either case.

    Raises:
        ConfigError: the tokenizer has no chat template, the template gives no text, loses the question or
            ignores add_generation_prompt, or thinking is asked of one that has no switch and opens no think
            block.
    """
    text = render_turns(tokenizer, messages, thinking=thinking).text
    template_facts(tokenizer)  # refuses one whose prompts end before the answer's turn begins
    if not thinking or prompt_thought(text):
        return text
    if text == render_turns(tokenizer, messages, thinking=False).text:
        raise ConfigError(
            "this model's chat template has no thinking switch", "leave --thinking out"
        )
    return text


def prompt_thought(text: str) -> ThinkMarks | None:
    """Return the marks of the think block inside which a rendered prompt ends; None where it ends outside of
    one.

    Only what the template wrote behind the question counts: a context may quote any mark.
    """
    asked = max(text.rfind(ask) for wording in wordings().values() for ask in _asks(wording))
    return open_thought(text[max(asked, 0) :])


def context_span(text: str) -> tuple[int, int] | None:
    """Return where the context of the question that is asked is in a prompt, as offsets; None where it has
    none.

    Args:
        text: the prompt as it was sent, in any wording of ours.
    """
    places = []
    for wording in wordings().values():
        opening = f"{wording.headings['context']}\n"
        end = text.rfind(f"\n\n{wording.headings['question']}\n")
        start = text.rfind(opening, 0, max(end, 0))
        if start >= 0:
            places.append((start + len(opening), end))
    return max(places, default=None)


THINK_AND_GENERATE = "--thinking --answer-by generate  lets the model think and reads its answer"


def require_outside(thought: ThinkMarks | None, hint: str = THINK_AND_GENERATE) -> None:
    """Refuse to score a label where the text so far ends inside a think block.

    Args:
        thought: `prompt_thought` of the text.
        hint: what to do instead.

    Raises:
        ConfigError: it does.
    """
    if thought is not None:
        raise ConfigError(
            f"this model's chat template ends the prompt inside an open think block ({thought.opening}): "
            "what follows is a thought, so no label can be scored there",
            hint,
        )


def spoken_after(prompt_text: str, answer: str) -> str:
    """Return what a model is taught to write behind a prompt: the answer, without what the prompt says
    already.

    A prompt that ends inside an open think block has the answer's opening mark; the block is closed by the
    marks of the prompt's own family.

    Args:
        prompt_text: the rendered prompt.
        answer: `answer_text`.
    """
    marks = prompt_thought(prompt_text)
    if marks is None or not answer.startswith(THINK.opening):
        return answer
    thought, closing, reply = answer.removeprefix(THINK.opening).partition(THINK.closing)
    if closing:
        reply = f"{marks.closing}{marks.reply}{reply.removeprefix(THINK.reply)}"
    # `<think>` may be followed by a line end in the prompt, in the answer, or in both.
    opened = prompt_text[prompt_text.lower().rindex(marks.opening.lower()) + len(marks.opening) :]
    return thought.removeprefix(opened) + reply if opened.isspace() else thought + reply


def end_of_turn(tokenizer: ChatTokenizer) -> str:
    """Return what the chat template writes right after an assistant's answer, such as `<|im_end|>`.

    Raises:
        ConfigError: the template does not mark where an answer ends, or gives no text.
    """
    answer = "法令答案"  # a placeholder that no template writes by itself
    turns = (Message("user", "問"), Message("assistant", answer))
    text = render_turns(tokenizer, turns, thinking=False, add_generation_prompt=False).text
    end = text.rpartition(answer)[2].strip() if answer in text else ""
    if not end:
        raise ConfigError(
            "this model's chat template does not mark the end of an answer",
            "a model trained on it would never stop; use one with a chat template like Qwen3's",
        )
    return end


def spec_hash(spec: PromptSpec, chat_template: str) -> str:
    """Return a hash of everything that decides a prompt's bytes except question, context and tokenizer.

    It covers mode, condition, thinking, few-shot examples, all wording and the chat template.
    """
    probe = Question(
        id="probe", text="問", choices=("一", "二", "三", "四"), gold="a", context="文"
    )
    retrieved = "文" if spec.condition == "rag" else ""
    prompt = build_prompt(probe, spec, retrieved=retrieved)
    parts = {
        "spec": spec.id,
        "messages": [[m.role, m.content] for m in prompt.messages],
        "chat_template": chat_template,
    }
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def wording_hash(wording_id: str) -> str:
    """Return a hash of everything that a wording decides: that of all its specs, without a chat template.

    Raises:
        ConfigError: there is no such wording.
    """
    specs = [replace(spec, wording=wording_of(wording_id).id) for spec in ALL_SPECS]
    return hashlib.sha256("".join(spec_hash(spec, "") for spec in specs).encode()).hexdigest()[:16]


def _context(question: Question, spec: PromptSpec, retrieved: str) -> str:
    if spec.condition == "closed":
        return ""
    context = question.context if spec.condition == "gold" else retrieved
    if not context.strip():
        raise ConfigError(
            f"{question.key}: has no context for the condition {spec.condition}",
            "use --condition closed, or data with a コンテキスト for every question",
        )
    return context


def _user_text(question: Question, spec: PromptSpec, wording: Wording, context: str) -> str:
    # Context first: questions that share it, and all orders of one question, then share a prefix.
    headings = wording.headings
    parts = [f"{headings['context']}\n{context}"] if context else []
    parts.append(f"{headings['question']}\n{question.text}")
    parts.append(f"{headings['choices']}\n{choices_text(question.choices)}")
    parts.append(f"{headings['ask']}\n{wording.asks(spec.mode, context=bool(context))}")
    return "\n\n".join(parts)


def _asks(wording: Wording) -> list[str]:
    return [*wording.ask.values(), *wording.ask_with_context.values()]


def _example_answer(example: Example, spec: PromptSpec) -> str:
    # Earlier turns show no think block: chat templates take it out of them.
    shown = replace(spec, thinking=False)
    return answer_text(example.question.gold, shown, example.reasoning)
