"""What a chat template does to every prompt, found by rendering a chat of two words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.templates.folder import CONFIG_FILE, TEMPLATE_FILE, has_second_template
from lawqa.templates.rendering import FIXED_DATE, Chance, HoldsTemplate, Message, render_turns
from lawqa.thinking import open_thought

_PROBE = (Message("system", "法令"), Message("user", "問"))
_ANSWER = "法令答案"  # a placeholder that no template writes by itself
_OTHER_DAY = Chance(now="2031-11-05T13:14:15")
_OTHER_SEEDS = tuple(Chance(seed=seed) for seed in range(1, 9))
_DRAWS = re.compile(r"random|lipsum")
_KNOWN: dict[str, TemplateFacts] = {}  # by template and special tokens


@dataclass(frozen=True)
class TemplateFacts:
    """What a reader must know of a chat template."""

    system_moved: bool = False
    """It has no system role: the system text is at the head of the first user turn."""
    dated: bool = False
    """It prints the date, which is the fixed one."""
    random: bool = False
    """It draws at random, with a fixed seed."""
    opens_thought: str | None = None
    """The mark of the think block inside which prompts end although thinking is off; None for no block."""

    def to_json(self) -> dict[str, object]:
        """Return what a manifest says; empty for a template of which nothing must be said."""
        if self == TemplateFacts():
            return {}
        return {**asdict(self), **({"date": FIXED_DATE} if self.dated else {})}

    @property
    def changes(self) -> str:
        """What beside the template's source decides a prompt's bytes; empty for nothing."""
        names = [
            *(["system text in the first user turn"] if self.system_moved else []),
            *([f"date {FIXED_DATE}"] if self.dated else []),
            *(["seed 0"] if self.random else []),
        ]
        return ", ".join(names)


def template_description(tokenizer: HoldsTemplate) -> dict[str, object]:
    """Return what a manifest's `model` says of the template; nothing of a plain one, or of none."""
    if not tokenizer.chat_template:
        return {}
    facts = template_facts(tokenizer).to_json()
    if has_second_template(Path(str(getattr(tokenizer, "name_or_path", "")))):
        facts["second_template"] = True
    return {"chat_template": facts} if facts else {}


def template_warnings(model: Mapping[str, object]) -> Iterator[str]:
    """Yield what a reader must know first of the template, of a manifest's `model`."""
    described = model.get("chat_template")
    if not isinstance(described, Mapping):
        return
    if described.get("system_moved"):
        yield (
            "NO SYSTEM ROLE: the model's chat template has none; the system text is at the head of the "
            "first user turn, in training as in evaluation"
        )
    if described.get("dated"):
        yield (
            f"FIXED DATE: the model's chat template prints the date; every prompt says {FIXED_DATE}, on "
            "whatever day it is made"
        )
    if described.get("random"):
        yield "FIXED SEED: the model's chat template draws at random; every prompt is drawn alike"
    if described.get("second_template"):
        yield (
            f"TWO CHAT TEMPLATES: {TEMPLATE_FILE} is used, and the model's {CONFIG_FILE} holds another"
        )


def template_facts(tokenizer: HoldsTemplate) -> TemplateFacts:
    """Return what the tokenizer's template does to every prompt.

    Raises:
        ConfigError: there is no template, or it renders nothing.
    """
    special = getattr(tokenizer, "special_tokens_map", None)
    if special is None:
        return _found(tokenizer)
    key = f"{tokenizer.chat_template}\n{special}"
    if key not in _KNOWN:
        _KNOWN[key] = _found(tokenizer)
    return _KNOWN[key]


def template_identity(tokenizer: HoldsTemplate) -> str:
    """Return the template's source, and what beside it decides a prompt's bytes; for `prompting.spec_hash`.

    Empty where there is no template.
    """
    template = tokenizer.chat_template
    if not template:
        return ""
    changes = template_facts(tokenizer).changes
    return f"{template}\n{{# lawqa: {changes} #}}" if changes else str(template)


def _require_answer_header(tokenizer: HoldsTemplate, prompt: str) -> None:
    """Refuse a template that ignores `add_generation_prompt` where the answer needs a header before it.

    Llama 2's ignores it rightly: its `[/INST]` is where the answer begins.

    Raises:
        ConfigError: it does, and the prompt would end before the assistant's turn begins.
    """
    if prompt != render_turns(tokenizer, _PROBE, thinking=False, add_generation_prompt=False).text:
        return
    answered = (*_PROBE, Message("assistant", _ANSWER))
    whole = render_turns(tokenizer, answered, thinking=False, add_generation_prompt=False).text
    header = whole.removeprefix(prompt).partition(_ANSWER)[0] if whole.startswith(prompt) else ""
    if header.strip():
        raise ConfigError(
            "this model's chat template ignores add_generation_prompt: the prompt ends before the "
            f"assistant's turn begins, without {header!r}",
            f"let chat_template.jinja in the model's folder end with {{% if add_generation_prompt %}}{{{{ "
            f"{header!r} }}}}{{% endif %}}",
        )


def _found(tokenizer: HoldsTemplate) -> TemplateFacts:
    plain = render_turns(tokenizer, _PROBE, thinking=False)
    _require_answer_header(tokenizer, plain.text)
    other_day = render_turns(tokenizer, _PROBE, thinking=False, chance=_OTHER_DAY)
    drawn = _OTHER_SEEDS if _DRAWS.search(str(tokenizer.chat_template)) else ()
    thought = open_thought(plain.text.rpartition(_PROBE[-1].content)[2])
    return TemplateFacts(
        system_moved=plain.system_moved,
        dated=other_day.text != plain.text,
        random=any(
            render_turns(tokenizer, _PROBE, thinking=False, chance=chance).text != plain.text
            for chance in drawn
        ),
        opens_thought=thought.opening if thought else None,
    )
