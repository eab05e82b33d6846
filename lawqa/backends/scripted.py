"""A backend that answers from a table: for tests of the real runner, and for trying lawqa without a model."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from lawqa.amounts import counted
from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings, StopReason
from lawqa.backends.label_place import label_place
from lawqa.backends.remote.text import sent_text
from lawqa.choices import LABELS, label_of
from lawqa.errors import DataError
from lawqa.files import JsonDict, JsonObject, read_json
from lawqa.prompting import Prompt

_SURE = 0.97
_OTHERWISE = "*"


class ScriptedBackend:
    """Answers from a table.

    Args:
        script: completions by prompt key (`id#order`), by question id, or under `*` for all others. A
            completion is a text, a list of texts (one for each repeat), or an object with `text` (one or a
            list) and, as needed, `hit_limit` (bool), `stopped` (end, limit, final-answer, loop),
            `thinking_closed` (bool), `in_thought` (bool: its prompt opened a think block), `logprobs` (four
            numbers), `label_mass` (their share of the probability, 1 if not given), `forced` (what is
            answered after the text: a label or four numbers), `delay` (seconds before each answer) or
            `error` (a reason: the question fails).
    """

    def __init__(self, script: JsonObject) -> None:
        for key, entry in script.items():
            _check_entry(key, entry)
        self._script = script

    @classmethod
    def from_file(cls, path: Path) -> ScriptedBackend:
        """Read the table from a JSON file.

        Raises:
            DataError: the file is not a JSON object.
        """
        script = read_json(path)
        if not isinstance(script, dict):
            raise DataError(
                f"{path}: expected an object of question ids and texts",
                'for example {"*": "c"}',
            )
        return cls(script)

    @property
    def chat_template(self) -> str:
        """Empty: nothing is rendered."""
        return ""

    def describe(self) -> JsonDict:
        """Return the name, and which table: there is no model."""
        return {
            "backend": "scripted",
            "name": "scripted",
            "entries": len(self._script),
            "script": {key: _digest(entry) for key, entry in self._script.items()},
        }

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        """Yield the table's log-probabilities, or nearly all of it on the label that the text is."""
        for prompt in prompts:
            entry = self._entry(prompt)
            _wait(entry)
            if "error" in entry:
                yield Failure(prompt.key, str(entry["error"]))
                continue
            text = entry["text"] if isinstance(entry["text"], str) else entry["text"][0]
            scores = entry.get("logprobs") or _one_label(text)
            mass = float(entry.get("label_mass", 1.0))
            yield _scored(prompt, scores, f"the script gives no label: {text!r}", mass)

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        """Yield the table's texts, whole, whatever the settings but for the repeats."""
        for prompt in prompts:
            for repeat in range(settings.first_repeat, settings.first_repeat + settings.repeats):
                answer = self._completion(prompt, repeat)
                yield self._with_labels(answer, prompt) if settings.score_labels else answer

    def score_after(
        self, prompts: Sequence[Prompt], texts: Sequence[str]
    ) -> Iterator[ChoiceScores | Failure]:
        """Yield the table's forced answers, whatever the text."""
        for prompt, _ in zip(prompts, texts, strict=True):
            entry = self._entry(prompt)
            _wait(entry)
            forced = entry.get("forced", entry.get("logprobs"))
            scores = _one_label(forced) if isinstance(forced, str) else forced
            mass = float(entry.get("label_mass", 1.0))
            yield _scored(prompt, scores, "the script forces no answer", mass)

    def _with_labels(self, answer: Completion | Failure, prompt: Prompt) -> Completion | Failure:
        """Return the answer with the table's log-probabilities, where it reasoned and the table has some."""
        scores = self._entry(prompt).get("logprobs")
        reasons = prompt.spec.mode == "cot" or prompt.spec.thinking
        if isinstance(answer, Failure) or scores is None or not reasons:
            return answer
        place = label_place(answer.text, prompt.spec.mode, in_thought=answer.in_thought)
        first, second, third, fourth = _normalised(scores)
        return replace(
            answer,
            label_logprobs=(first, second, third, fourth),
            label_mass=float(self._entry(prompt).get("label_mass", 1.0)),
            label_at=place.at,
            label_after=place.after,
        )

    def _completion(self, prompt: Prompt, repeat: int) -> Completion | Failure:
        entry = self._entry(prompt)
        _wait(entry)
        if "error" in entry:
            return Failure(prompt.key, str(entry["error"]), repeat)
        texts = entry["text"]
        if not isinstance(texts, str):
            if repeat >= len(texts):
                given = counted(len(texts), "text")
                reason = f"the script has {given} for it, and number {repeat + 1} was asked"
                return Failure(prompt.key, reason, repeat)
            texts = texts[repeat]
        hit_limit = bool(entry.get("hit_limit", False))
        return Completion(
            key=prompt.key,
            text=texts,
            hit_limit=hit_limit,
            prompt_text=sent_text(prompt.messages),
            prompt_tokens=0,
            completion_tokens=len(texts),
            seconds=0.0,
            repeat=repeat,
            stopped=entry.get("stopped", "limit" if hit_limit else "end"),
            thinking_closed=bool(entry.get("thinking_closed", False)),
            in_thought=bool(entry.get("in_thought", False)),
        )

    def _entry(self, prompt: Prompt) -> JsonObject:
        for key in (prompt.key, prompt.question_id, _OTHERWISE):
            if key in self._script:
                answer = self._script[key]
                return answer if isinstance(answer, Mapping) else {"text": answer}
        return {"error": "the script has no entry for it"}


def _check_entry(key: str, entry: object) -> None:
    """Make sure that an entry is a completion; raises DataError."""
    known = _is_text(entry) or (
        isinstance(entry, Mapping)
        and ("error" in entry or _is_text(entry.get("text")))
        and ("logprobs" not in entry or _four_numbers(entry["logprobs"]))
        and ("forced" not in entry or _is_forced(entry["forced"]))
        and entry.get("stopped", "end") in get_args(StopReason)
        and isinstance(entry.get("delay", 0), (int, float))
        and isinstance(entry.get("label_mass", 1), (int, float))
    )
    if not known:
        raise DataError(
            f"the script's entry for {key!r} is not a completion: {entry!r}",
            'a text, a list of texts, or {"text": …} with hit_limit, stopped, thinking_closed, in_thought, '
            "logprobs (four numbers), label_mass, forced (a label), delay (seconds) or error",
        )


def _is_text(value: object) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(text, str) for text in value)
    return isinstance(value, str)


def _is_forced(value: object) -> bool:
    return label_of(value) is not None if isinstance(value, str) else _four_numbers(value)


def _wait(entry: JsonObject) -> None:
    if "delay" in entry:  # sleeping for 0 seconds takes time, too
        time.sleep(entry["delay"])


def _scored(
    prompt: Prompt, scores: Sequence[float] | None, otherwise: str, mass: float
) -> ChoiceScores | Failure:
    if scores is None:
        return Failure(prompt.key, otherwise)
    first, second, third, fourth = _normalised(scores)
    return ChoiceScores(
        prompt.key, (first, second, third, fourth), mass, sent_text(prompt.messages), 0, 0.0
    )


def _four_numbers(value: object) -> bool:
    return (
        isinstance(value, Sequence)
        and not isinstance(value, str)
        and len(value) == len(LABELS)
        and all(isinstance(number, (int, float)) for number in value)
    )


def _one_label(text: str) -> list[float] | None:
    label = label_of(text)
    if label is None:
        return None
    rest = (1 - _SURE) / (len(LABELS) - 1)
    return [math.log(_SURE if other == label else rest) for other in LABELS]


def _normalised(scores: Sequence[float]) -> list[float]:
    total = math.log(sum(math.exp(score) for score in scores))
    return [score - total for score in scores]


def _digest(entry: object) -> str | None:
    """Return what distinguishes an entry from another that answers differently; None for one that fails.

    A digest of its answer, and after a slash one of what it answers when it is forced, where it does.
    """
    whole = entry if isinstance(entry, Mapping) else {"text": entry}
    if "error" in whole:
        return None
    said = {key: value for key, value in whole.items() if key not in ("delay", "forced")}
    forced = f"/{_short_hash(whole['forced'])}" if "forced" in whole else ""
    return _short_hash(said) + forced


def _short_hash(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]
