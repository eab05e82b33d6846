"""What other tools' logs ask of a run besides its answers: who answered, when, how well."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from lawqa.files import JsonObject
from lawqa.runs.flat import about
from lawqa.runs.manifest import now
from lawqa.runs.result import ReadingName, Result
from lawqa.runs.stored import StoredRun
from lawqa.scoring import Summary, summarise

TASK = "lawqa_jp"
"""What the questions are called in other tools, where several tasks lie beside each other."""


@dataclass(frozen=True)
class Described:
    """A run as other tools see it."""

    run: StoredRun
    reading: ReadingName
    """How its texts are read."""
    summary: Summary
    """Its figures in that reading."""

    @property
    def model(self) -> str:
        """The name of what answered, its adapter behind a plus sign."""
        manifest = self.run.manifest
        if manifest is None:
            return "unknown"
        name = str(manifest.model.get("name") or manifest.model.get("backend") or "unknown")
        adapters = [str(one["path"]) for one in manifest.adapters]
        return "+".join([_last(name), *dict.fromkeys(map(_last, adapters))])

    @property
    def started(self) -> str:
        """When it began, UTC, ISO 8601; the present moment where no manifest says so."""
        return (self.run.manifest.started if self.run.manifest else "") or now()

    @cached_property
    def task(self) -> str:
        """The name of the task: the prompt spec says how it was asked."""
        return task_name(*sorted({result.prompt_spec for result in self.run.results} - {""}))

    @cached_property
    def by_probability(self) -> bool:
        """Whether labels were scored and no text was generated."""
        return all(result.answer_by == "logits" for result in self.run.results)

    def said(self) -> JsonObject:
        """Return what travels with the answers: notes, data, and the final answer's accuracy and interval."""
        final = self.summary.to_json()["final"]
        return {**about(self.run), "reading": self.reading, "final": final}


def describe_run(run: StoredRun, reading: ReadingName) -> Described:
    """Describe a run.

    Raises:
        DataError: its answers contradict themselves.
    """
    return Described(run, reading, summarise(run.answers(reading)))


def task_name(*spec_ids: str) -> str:
    """Return what a task is called that asks by these prompt specs."""
    return "_".join([TASK, *(re.sub(r"\W", "_", spec) for spec in spec_ids)])


def moment(text: str) -> datetime:
    """Return the moment that a manifest names; now where it is none."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(now())


def document(result: Result) -> dict[str, object]:
    """Return a question as a document of other tools: the fields that `lawqa import` reads back."""
    return {
        "id": result.question_id,
        "order": result.order_number,
        "permutation": list(result.order),
        "law": result.law,
        "question": result.question,
        "choices": list(result.choices),
        "gold": result.gold,
        "references": list(result.references),
        "prompt_spec": result.prompt_spec,
    }


def measured(result: Result) -> dict[str, object]:
    """Return what lawqa stores of an answer and other tools have no place for."""
    return {
        "repeat": result.repeat,
        "answer_by": result.answer_by,
        "rule": result.rule,
        "label_logprobs": list(result.label_logprobs) if result.label_logprobs else None,
        "label_mass": result.label_mass,
        "hit_limit": result.hit_limit,
        "stopped": result.stopped,
        "thinking_closed": result.thinking_closed,
        "in_thought": result.in_thought,
        "completion_tokens": result.completion_tokens,
        "prompt_tokens": result.prompt_tokens,
        "seconds": result.seconds,
        "forced_answer": result.forced_answer,
        "error": result.error,
    }


def _last(path: str) -> str:
    """Keep the last two parts of a name: a hub id stays whole, and a local path loses its machine."""
    return path.rstrip("/") if path.count("/") == 1 else path.rstrip("/").rpartition("/")[2]
