"""A backend that answers from a table: for tests of the real runner, and for trying lawqa without a model."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.choices import LABELS, label_of
from lawqa.errors import DataError
from lawqa.prompting import Prompt
from lawqa.questions import read_text

_SURE = 0.97
_OTHERWISE = "*"


class ScriptedBackend:
    """Answers from a table.

    Args:
        script: completions by prompt key (`id#order`), by question id, or under `*` for all others. A
            completion is a text, or an object with `text` and, as needed, `hit_limit` (bool), `logprobs`
            (four numbers) or `error` (a reason: the question fails).
    """

    def __init__(self, script: Mapping[str, Any]) -> None:
        for key, entry in script.items():
            _check_entry(key, entry)
        self._script = script

    @classmethod
    def from_file(cls, path: Path) -> ScriptedBackend:
        """Read the table from a JSON file.

        Raises:
            DataError: the file is not a JSON object.
        """
        try:
            script = json.loads(read_text(path))
        except json.JSONDecodeError as problem:
            raise DataError(
                f"{path}: broken JSON at line {problem.lineno}: {problem.msg}"
            ) from None
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

    def describe(self) -> dict[str, Any]:
        """The name, and nothing else: there is no model."""
        return {"backend": "scripted", "name": "scripted", "entries": len(self._script)}

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        """The table's log-probabilities, or nearly all of it on the label that the text is."""
        for prompt in prompts:
            entry = self._entry(prompt)
            if "error" in entry:
                yield Failure(prompt.key, str(entry["error"]))
                continue
            scores = entry.get("logprobs") or _one_label(str(entry["text"]))
            if scores is None:
                yield Failure(prompt.key, f"the script gives no label: {entry['text']!r}")
                continue
            first, second, third, fourth = _normalised(scores)
            yield ChoiceScores(
                prompt.key, (first, second, third, fourth), 1.0, _shown(prompt), 0, 0.0
            )

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        """The table's texts, whole."""
        del settings
        for prompt in prompts:
            entry = self._entry(prompt)
            if "error" in entry:
                yield Failure(prompt.key, str(entry["error"]))
                continue
            text, hit_limit = str(entry["text"]), bool(entry.get("hit_limit", False))
            yield Completion(prompt.key, text, hit_limit, _shown(prompt), 0, len(text), 0.0)

    def _entry(self, prompt: Prompt) -> Mapping[str, Any]:
        for key in (prompt.key, prompt.question_id, _OTHERWISE):
            if key in self._script:
                found = self._script[key]
                return found if isinstance(found, Mapping) else {"text": found}
        return {"error": "the script has no entry for it"}


def _check_entry(key: str, entry: object) -> None:
    """Make sure that an entry is a completion; raises DataError."""
    known = isinstance(entry, str) or (
        isinstance(entry, Mapping)
        and ("error" in entry or isinstance(entry.get("text"), str))
        and ("logprobs" not in entry or _four_numbers(entry["logprobs"]))
    )
    if not known:
        raise DataError(
            f"the script's entry for {key!r} is no completion: {entry!r}",
            'a text, or {"text": …} with hit_limit, logprobs (four numbers) or error',
        )


def _four_numbers(value: object) -> bool:
    return (
        isinstance(value, Sequence)
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


def _shown(prompt: Prompt) -> str:
    return "\n\n".join(f"{message.role}: {message.content}" for message in prompt.messages)
