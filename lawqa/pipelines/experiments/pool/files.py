"""A pool on disk.

    FILE                   a line a sample, wrong and failed ones too; in the order of the questions when all
                           are drawn, before that as they came
    STEM.asked.jsonl       a line a prompt: the question in the order shown, the messages, what was retrieved
    STEM.provenance.json   what the samples were drawn with

STEM is FILE without `.jsonl`, and without `.samples` before it. The three belong together: with them records
are selected without the question file, the index or the model.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from lawqa.augment.reasoning import Sample
from lawqa.choices import LABELS, Label, Order
from lawqa.errors import DataError
from lawqa.files import JsonObject, json_lines, parse_json, read_bytes, written_whole
from lawqa.prompting import Message
from lawqa.questions import Question, from_sample, to_sample
from lawqa.runs.result import Logprobs, Result

SampleKey = tuple[str, int]
"""A prompt's key, `id#order`, and the number of the sample."""

_NOT_A_POOL = (
    "--pool names a file that lawqa pool sample writes; the samples of lawqa distill are one, too"
)


@dataclass(frozen=True)
class PoolFiles:
    """Where the parts of a pool are."""

    samples: Path
    """The pool itself."""

    @property
    def asked(self) -> Path:
        """The prompts."""
        return self.samples.with_name(f"{self._stem}.asked.jsonl")

    @property
    def provenance(self) -> Path:
        """What the samples were drawn with."""
        return self.samples.with_name(f"{self._stem}.provenance.json")

    @property
    def lock(self) -> Path:
        """What a process holds while it adds samples."""
        return self.samples.with_name(f".{self.samples.name}.lock")

    @property
    def _stem(self) -> str:
        return self.samples.name.removesuffix(".jsonl").removesuffix(".samples")

    def remove(self) -> None:
        """Remove all of them; the samples go first, so that none is left with another's provenance."""
        for path in (self.samples, self.provenance, self.asked):
            path.unlink(missing_ok=True)


@dataclass(frozen=True)
class PoolRow:
    """One sample as a line of the pool."""

    key: str
    """The prompt's: `id#order`."""
    number: int
    """Which of the samples of this prompt, from 0."""
    text: str
    error: str | None = None
    """Why the backend failed; such a sample is drawn again."""
    hit_limit: bool = False
    thinking_closed: bool = False
    """Whether the think block was closed at the thinking budget."""
    in_thought: bool = False
    stopped: str | None = None
    completion_tokens: int | None = None
    prompt_sha256: str | None = None
    """Of the prompt as it was sent, chat template and all; None for a failed sample, and in older pools."""
    label: Label | None = None
    """The answer as displayed; None for none."""
    label_logprobs: Logprobs | None = None
    """As in a stored result: of the labels a-d after the reasoning, normalised over the four."""
    label_mass: float | None = None
    checks: Mapping[str, bool | None] | None = None
    """What every filter says; None until all samples of the pool are drawn."""
    verdict: str | None = None
    """The first filter that it fails, or `kept`; whether it becomes a record is decided by a selection."""

    @classmethod
    def of(cls, result: Result) -> PoolRow:
        """Make a line of an answer."""
        key, number = result.key
        return cls(
            key=key,
            number=number,
            text=result.response,
            error=result.error,
            hit_limit=bool(result.hit_limit),
            thinking_closed=bool(result.thinking_closed),
            in_thought=bool(result.in_thought),
            stopped=result.stopped,
            completion_tokens=result.completion_tokens,
            prompt_sha256=_sha256(result.prompt) if result.prompt else None,
            label=result.label,
            label_logprobs=result.label_logprobs,
            label_mass=result.label_mass,
        )

    def to_json(self) -> JsonObject:
        """Return the line as it is stored."""
        question_id, _, order = self.key.rpartition("#")
        fields = dict(vars(self))
        del fields["key"], fields["number"]
        return {
            "question_id": question_id, "order": int(order), "sample": self.number, **fields,
        }  # fmt: skip

    def sample(self, question: Question) -> Sample:
        """Return what the filters look at.

        Args:
            question: what was asked, in the order that was shown.
        """
        return Sample(
            question,
            self.number,
            self.text,
            cut_off=self.hit_limit or self.thinking_closed,
            error=self.error,
            in_thought=self.in_thought,
        )


@dataclass(frozen=True)
class PooledPrompt:
    """One prompt of a pool."""

    question: Question
    """In the order of choices that was shown."""
    messages: tuple[Message, ...]
    retrieved: str = ""
    """The retrieved context; empty for other conditions than `rag`."""


def read_rows(path: Path) -> dict[SampleKey, PoolRow]:
    """Read the samples of a pool; of several of one key a whole one, and the later of equals.

    Half a line at the end is passed over: a killed process left it, and that sample is drawn again.

    Raises:
        DataError: the file cannot be read, or a line is not a sample.
    """
    rows: dict[SampleKey, PoolRow] = {}
    lines = read_bytes(path).split(b"\n")
    for number, raw in enumerate(
        lines[:-1], start=1
    ):  # behind the last line feed is nothing, or half a line
        if not raw.strip():
            continue
        row = _row(
            path, number, parse_json(_text(path, raw), path, number, "one JSON value a line")
        )
        known = rows.get((row.key, row.number))
        if known is None or known.error is not None or row.error is None:
            rows[row.key, row.number] = row
    return rows


def drop_torn_line(path: Path) -> None:
    """Cut off half a line that a killed process left at the end of a file."""
    with path.open("r+b") as file:
        whole = file.read()
        if not whole.endswith(b"\n"):
            file.truncate(whole.rfind(b"\n") + 1)


def write_rows(path: Path, rows: Iterable[PoolRow]) -> None:
    """Write a whole pool in the place of the one that is there."""
    with written_whole(path) as file:
        for row in rows:
            file.write(json.dumps(row.to_json(), ensure_ascii=False, allow_nan=False) + "\n")


def write_asked(path: Path, prompts: Iterable[PooledPrompt]) -> None:
    """Write the prompts of a pool."""
    with written_whole(path) as file:
        for asked in prompts:
            line = {
                "schema_version": 1,
                "question": to_sample(asked.question),
                "permutation": list(asked.question.permutation),
                "messages": [{"role": m.role, "content": m.content} for m in asked.messages],
                "retrieved": asked.retrieved,
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")


def read_asked(path: Path) -> dict[str, PooledPrompt]:
    """Read the prompts of a pool, by their keys, in the order of the questions.

    Raises:
        DataError: the file is missing, cannot be read, or a line is not a prompt.
    """
    if not path.is_file():
        raise DataError(
            f"{path}: no such file; it holds the questions of the samples beside it",
            "copy it together with the pool; or the command that sampled writes it again",
        )
    prompts: dict[str, PooledPrompt] = {}
    with json_lines(path) as lines:
        for number, line in lines:
            try:
                asked = _asked(line)
            except (KeyError, TypeError, ValueError, AttributeError) as problem:
                raise DataError(
                    f"{path}: line {number} is not a prompt of a pool: {problem}",
                    "the command that sampled writes the file again",
                ) from None
            prompts[asked.question.key] = asked
    return prompts


def _asked(line: JsonObject) -> PooledPrompt:
    if line["schema_version"] != 1:
        raise ValueError(f"schema_version {line['schema_version']}, expected 1")
    order = tuple(line["permutation"])
    if sorted(order) != [0, 1, 2, 3]:
        raise ValueError(f"permutation {list(order)}, expected an order of 0 to 3")
    messages = tuple(Message(turn["role"], turn["content"]) for turn in line["messages"])
    question = replace(from_sample(line["question"]), permutation=cast(Order, order))
    if not isinstance(line["retrieved"], str):
        raise TypeError("retrieved is not a text")
    return PooledPrompt(question, messages, line["retrieved"])


def _row(path: Path, number: int, line: object) -> PoolRow:
    try:
        return _of_line(line if isinstance(line, Mapping) else {})
    except (KeyError, TypeError, ValueError) as problem:
        why = f"key {problem} is missing" if isinstance(problem, KeyError) else str(problem)
        raise DataError(
            f"{path}: line {number} is not a sample of a pool: {why}", _NOT_A_POOL
        ) from None


def _of_line(line: JsonObject) -> PoolRow:
    if "key" in line:  # as lawqa distill wrote samples before there were pools
        key, sample = line["key"], line["number"]
    else:
        key, sample = f"{line['question_id']}#{line['order']}", line["sample"]
    label, logprobs, mass = line.get("label"), line.get("label_logprobs"), line.get("label_mass")
    expected = {
        "the key": isinstance(key, str) and key.rpartition("#")[2].isdecimal(),
        "sample": isinstance(sample, int) and sample >= 0,
        "text": isinstance(line["text"], str),
        "error": line["error"] is None or isinstance(line["error"], str),
        "label": label is None or label in LABELS,
        "label_logprobs": logprobs is None or _four_numbers(logprobs),
        "label_mass": mass is None or isinstance(mass, int | float),
    }
    wrong = [name for name, holds in expected.items() if not holds]
    if wrong:
        raise ValueError(f"{', '.join(wrong)} is of another kind")
    return PoolRow(
        key=key,
        number=sample,
        text=line["text"],
        error=line["error"],
        hit_limit=line["hit_limit"] is True,
        thinking_closed=line.get("thinking_closed") is True,
        in_thought=line.get("in_thought") is True,
        stopped=line.get("stopped"),
        completion_tokens=line.get("completion_tokens"),
        prompt_sha256=line.get("prompt_sha256"),
        label=label,
        label_logprobs=tuple(logprobs) if logprobs else None,
        label_mass=mass,
        checks=line.get("checks"),
        verdict=line.get("verdict"),
    )


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _four_numbers(values: object) -> bool:
    return (
        isinstance(values, Sequence)
        and len(values) == len(LABELS)
        and all(isinstance(one, int | float) and math.isfinite(one) for one in values)
    )


def _text(path: Path, raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as problem:
        raise DataError(f"{path}: is not UTF-8: {problem.reason}", _NOT_A_POOL) from None
