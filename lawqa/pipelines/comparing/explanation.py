"""Why a stored answer, or any text, is read as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import NoReturn

from lawqa.amounts import counted
from lawqa.answers.explanation import Explanation, explain
from lawqa.errors import DataError
from lawqa.files import JsonObject
from lawqa.runs.result import Result
from lawqa.runs.stored import StoredRun

_SHOWN = 10
"""The most names in a message."""


@dataclass(frozen=True)
class Explained:
    """A text with the evidence in it."""

    name: str
    """The question and, where it has several answers, its order and sample; or the file."""
    text: str
    """What was read."""
    explanation: Explanation
    """The evidence and what became of it."""

    def to_json(self) -> JsonObject:
        """Return the evidence in plain JSON types, each piece with the words it rests on."""
        answer = self.explanation.answer
        return {
            "name": self.name,
            "label": answer.label,
            "status": answer.status,
            "rule": answer.rule,
            "soft": answer.soft,
            "span": list(answer.span) if answer.span else None,
            "characters": len(self.text),
            "characters_read": self.explanation.read,
            "evidence": [
                {**asdict(piece), "span": list(piece.span), "text": self.text[slice(*piece.span)]}
                for piece in self.explanation.evidence
            ],
        }


def explain_stored(run: StoredRun, name: str) -> Explained:
    """Explain one stored answer.

    Args:
        run: the run.
        name: the question's id; where it has several answers `ID#SAMPLE`, `ID#ORDER` where it was asked in
            several orders, `ID#ORDER#SAMPLE` where both.

    Raises:
        DataError: there is no such answer, several, or one that holds no text.
    """
    names = _names(run.results)
    result = names.get(name)
    if result is None:
        _refuse(run, name, list(names))
    if not result.is_text:
        what = "is a failure" if result.is_failed else "was scored from label probabilities"
        raise DataError(f"{run.path}: {name} {what}: there is no text to explain")
    return Explained(
        name,
        result.response,
        explain(
            result.response,
            result.choices or None,
            hit_limit=bool(result.hit_limit),
            in_thought=result.begins_in_thought,
        ),
    )


def explain_text(name: str, text: str) -> Explained:
    """Explain a text by itself; its choices are not known.

    Args:
        name: what it is called.
        text: the text.
    """
    return Explained(name, text, explain(text))


def _names(results: Sequence[Result]) -> dict[str, Result]:
    """Return every answer by the shortest name that no other has."""
    names: dict[str, Result] = {}
    by_question: dict[str, list[Result]] = {}
    for result in results:
        by_question.setdefault(result.question_id, []).append(result)
    for result in results:
        same = by_question[result.question_id]
        orders = len({other.order_number for other in same}) > 1
        samples = len({other.repeat for other in same}) > 1
        parts = [str(result.order_number)] * orders + [str(result.repeat)] * samples
        names["#".join([result.question_id, *parts])] = result
    return names


def _refuse(run: StoredRun, name: str, names: Sequence[str]) -> NoReturn:
    wanted = name.split("#", 1)[0]
    same = [other for other in names if other.split("#", 1)[0] == wanted]
    part = [other for other in names if wanted and wanted in other]
    part.sort(key=lambda other: not other.endswith(wanted))
    near = same or part or get_close_matches(wanted, names, n=3, cutoff=0.5) or list(names)
    shown = ", ".join(near[:_SHOWN]) + (", …" if len(near) > _SHOWN else "")
    if same:
        raise DataError(
            f"{run.path}: {wanted} has {counted(len(same), 'answer')}", f"--explain one of: {shown}"
        )
    raise DataError(f"{run.path}: no answer to a question {name}", f"--explain one of: {shown}")
