"""One chat as text: the template's own rendering, with the system text where the template takes it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lawqa.errors import ConfigError
from lawqa.templates.bounded import RENDERER, TemplateError

FIXED_DATE = "2024-07-26"
"""The date given to a template that prints one, on every day: the one that Llama 3's falls back to."""

_SPARE_CHARACTERS = 1_000_000
_LONGEST_TEMPLATE = 1_000_000
_FACTOR = 8
"""The most characters of a text: this many times those of the messages, and the spare ones."""


class HoldsTemplate(Protocol):
    """What holds a chat template.

    One with a `special_tokens_map`, as transformers' have, holds a Jinja template, which lawqa renders itself
    in bounds; any other renders by its own `apply_chat_template`.
    """

    @property
    def chat_template(self) -> object:
        """The Jinja template, several by name, or None."""

    def apply_chat_template(
        self, conversation: list[dict[str, str]], *, tokenize: bool, **options: object
    ) -> object:
        """Render a chat; with `tokenize=False` as text."""


class ChatTokenizer(HoldsTemplate, Protocol):
    """What lawqa needs of a tokenizer; transformers' tokenizers satisfy it."""

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]:
        """Return the token ids of a text."""

    def decode(self, token_ids: list[int]) -> str:
        """Return the text of token ids."""


Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One turn of a chat."""

    role: Role
    """Who speaks."""
    content: str
    """What is said."""


@dataclass(frozen=True)
class RenderedChat:
    """A chat as text."""

    text: str
    system_moved: bool = False
    """Whether the system text is at the head of the first user turn, for want of a system role."""


@dataclass(frozen=True)
class Chance:
    """What is fixed while a template renders."""

    now: str = FIXED_DATE
    """The time, ISO 8601."""
    seed: int = 0
    """Of what it draws."""


FIXED = Chance()
_ADDRESS = re.compile(r"<[^<>\n]{1,100} at 0x[0-9a-f]{6,16}>")


def render_turns(
    tokenizer: HoldsTemplate,
    turns: Sequence[Message],
    *,
    thinking: bool,
    add_generation_prompt: bool = True,
    chance: Chance = FIXED,
) -> RenderedChat:
    """Return a chat as the template writes it.

    Where the template has no system role (it raises, or leaves the text out), the system text goes before the
    first user turn's, with an empty line between.

    Args:
        tokenizer: whose template it is.
        turns: the chat.
        thinking: the value given to templates with a switch.
        add_generation_prompt: whether the text ends where an answer begins.
        chance: the time and seed given to the template.

    Raises:
        ConfigError: there is no template, it gives no text, or one without what the user said.
    """
    template = template_source(tokenizer)

    def attempt(shown: Sequence[Message]) -> str:
        return _text(
            tokenizer, template, shown, chance,
            {"add_generation_prompt": add_generation_prompt, **thinking_switches(on=thinking)},
        )  # fmt: skip

    system = [turn for turn in turns if turn.role == "system"]
    try:
        text = attempt(turns)
        if all(turn.content.strip() in text for turn in system):
            _require_whole(text, turns)
            return RenderedChat(text)
        problem = None
    except TemplateError as raised:
        problem = raised
    if not system or (problem is not None and problem.kind != "raised"):
        raise _explained(problem)
    moved = _with_system_moved(turns)
    try:
        text = attempt(moved)
    except TemplateError as again:
        raise _explained(problem or again) from None
    _require_whole(text, moved)
    return RenderedChat(text, system_moved=True)


def thinking_switches(*, on: bool) -> dict[str, bool]:
    """Return the variables by which templates know whether to think: Qwen3's, and that of DeepSeek and
    Granite.
    """
    return {"enable_thinking": on, "thinking": on}


def template_source(tokenizer: HoldsTemplate) -> str:
    """Return the template that is rendered; of several the one named `default`.

    Raises:
        ConfigError: there is none.
    """
    template = tokenizer.chat_template
    if isinstance(template, Mapping) and template:
        if "default" not in template:
            raise ConfigError(
                f"this model's tokenizer has several chat templates, {', '.join(sorted(template))}, and "
                "none is named default",
                "name one of them default in its tokenizer_config.json",
            )
        template = template["default"]
    if not template:
        raise ConfigError(
            "this model's tokenizer has no chat template",
            "use an instruction-tuned model, such as Qwen/Qwen3-8B",
        )
    if len(str(template)) > _LONGEST_TEMPLATE:
        raise ConfigError(
            f"this model's chat template is {len(str(template)):,} characters long, expected at most "
            f"{_LONGEST_TEMPLATE:,}",
            "take the one that came with the model: the longest are some 30,000 characters",
        )
    return str(template)


def _text(
    tokenizer: HoldsTemplate,
    template: str,
    turns: Sequence[Message],
    chance: Chance,
    options: dict[str, bool],
) -> str:
    messages = [{"role": turn.role, "content": turn.content} for turn in turns]
    special: Mapping[str, object] | None = getattr(tokenizer, "special_tokens_map", None)
    if special is None:
        return str(tokenizer.apply_chat_template(messages, tokenize=False, **options))
    variables = {
        **{name: _plain(token) for name, token in special.items()},
        "messages": messages, "tools": None, "documents": None, **options,
    }  # fmt: skip
    most = _FACTOR * sum(len(turn.content) for turn in turns) + _SPARE_CHARACTERS
    return RENDERER.render(template, variables, now=chance.now, seed=chance.seed, most=most)


def _plain(token: object) -> object:
    return [str(one) for one in token] if isinstance(token, (list, tuple)) else str(token)


def _with_system_moved(turns: Sequence[Message]) -> list[Message]:
    system = "\n\n".join(turn.content for turn in turns if turn.role == "system")
    others = [turn for turn in turns if turn.role != "system"]
    first = next((n for n, turn in enumerate(others) if turn.role == "user"), None)
    if first is None:
        return others
    others[first] = Message("user", f"{system}\n\n{others[first].content}")
    return others


def _require_whole(text: str, turns: Sequence[Message]) -> None:
    """Raises ConfigError where the text lacks what a user said, has it in another sequence, holds the
    memory address of an object, which no two processes share, or what is not text.
    """
    printed = _ADDRESS.search(text)
    if printed and not any(printed[0] in turn.content for turn in turns):
        raise ConfigError(
            f"this model's chat template prints a Python object, {printed[0]}, whose text is "
            "another in every process",
            "repair chat_template.jinja in the model's folder: such as | list behind a filter",
        )
    said_so = {char for turn in turns for char in turn.content}
    if any("\ud800" <= char <= "\udfff" for char in {*text} - said_so):
        raise ConfigError(
            "this model's chat template writes half a character (a lone surrogate), which no tokenizer takes",
            "repair chat_template.jinja in the model's folder",
        )
    at = 0
    for turn in turns:
        if turn.role != "user":
            continue
        said = turn.content.strip()
        at = text.find(said, at)
        if at < 0:
            raise ConfigError(
                "this model's chat template does not show the question as it is: its text lacks "
                f"{_shortened(said)!r}",
                "use a model whose chat template writes the content of every user turn",
            )
        at += len(said)


def _explained(problem: TemplateError | None) -> ConfigError:
    if problem is None:
        return ConfigError("this model's chat template leaves out a message")
    if problem.kind == "raised":
        return ConfigError(
            f"this model's chat template refuses the prompt: {problem.message}",
            "use a model whose chat template takes user and assistant turns",
        )
    what = {
        "syntax": "is not valid Jinja",
        "bounds": "is not rendered",
        "broken": "fails",
    }[problem.kind]
    return ConfigError(
        f"this model's chat template {what}: {problem.message}",
        "repair chat_template.jinja in the model's folder (or chat_template in its tokenizer_config.json)",
    )


def _shortened(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[:most]}…"
