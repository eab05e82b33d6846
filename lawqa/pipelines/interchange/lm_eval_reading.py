"""The samples that lm-evaluation-harness logs (`samples_TASK_DATE.jsonl`), read as answers of a run."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from lawqa.choices import LABELS
from lawqa.errors import DataError
from lawqa.files import JsonObject, JsonValue, json_lines, parse_json, read_text
from lawqa.pipelines.interchange.foreign import (
    ForeignAnswer,
    ForeignLog,
    ForeignQuestion,
    mass_of,
    read_foreign_question,
    required_text,
)


def read_lm_eval(path: Path) -> ForeignLog:
    """Read a file of samples; what ran is taken from `results_DATE.json` beside it where that is there.

    Raises:
        DataError: a line is not a sample of a four-choice question; the line is named.
    """
    with json_lines(path) as lines:
        answers = [
            answer
            for number, sample in lines
            for answer in _answers(f"{path}: line {number}", sample)
        ]
    results = _results_beside(path)
    model = results.get("model_name") or path.resolve().parent.name
    version = results.get("lm_eval_version")
    return ForeignLog(
        tool="lm-eval",
        version=str(version) if version else None,
        model=str(model),
        task=path.name.removeprefix("samples_").rpartition("_")[0],
        started=None,
        finished=True,
        answers=tuple(answers),
    )


def _results_beside(path: Path) -> JsonObject:
    date = path.stem.rpartition("_")[2]
    beside = path.parent / f"results_{date}.json"
    if not beside.is_file():
        return {}
    content = parse_json(read_text(beside), beside)
    return content if isinstance(content, Mapping) else {}


def _answers(where: str, sample: object) -> Iterator[ForeignAnswer]:
    if not isinstance(sample, Mapping) or not {"doc", "resps", "target"} <= sample.keys():
        raise DataError(
            f"{where}: is not a sample of lm-eval: doc, resps or target is missing",
            "give the samples_*.jsonl that lm_eval writes with --log_samples",
        )
    asked = read_foreign_question(where, sample["doc"], sample["target"])
    replies = sample["resps"]
    if (
        not isinstance(replies, list)
        or not replies
        or not all(isinstance(r, list) for r in replies)
    ):
        raise DataError(f"{where}: resps is not a list of replies")
    prompt = _prompt(sample.get("arguments"))
    right = _right(sample)
    if len(replies) == len(LABELS) and all(_is_pair(reply) for reply in replies):
        yield _scored(where, asked, replies, prompt, right, sample.get("arguments"))
        return
    if len(replies) != 1:
        raise DataError(
            f"{where}: has {len(replies)} replies, expected four loglikelihoods or one text",
            "only four-choice and generating tasks can be imported",
        )
    for repeat, text in enumerate(replies[0]):
        yield ForeignAnswer(
            asked, required_text(f"{where}: resps", text), repeat=repeat + asked.repeat, prompt=prompt,
            right=right if len(replies[0]) == 1 else None, error=_error(asked),
        )  # fmt: skip


def _error(asked: ForeignQuestion) -> str | None:
    """Return what broke, in a log that lawqa exported; lm-eval has no place for it."""
    error = (asked.measured or {}).get("error")
    return error if isinstance(error, str) and error else None


def _is_pair(reply: Sequence[object]) -> bool:
    return len(reply) == 1 and isinstance(reply[0], list) and len(reply[0]) == 2


def _scored(
    where: str,
    asked: ForeignQuestion,
    replies: Sequence[JsonValue],  # whose shape was checked
    prompt: str | None,
    right: bool | None,
    arguments: object,
) -> ForeignAnswer:
    try:
        values = [float(reply[0][0]) for reply in replies]
    except (TypeError, ValueError):
        raise DataError(f"{where}: a loglikelihood is not a number") from None
    if not all(map(math.isfinite, values)):
        return ForeignAnswer(
            asked,
            "",
            repeat=asked.repeat,
            prompt=prompt,
            error="a loglikelihood is not finite",
            right=right,
        )
    highest = max(values)
    together = highest + math.log(math.fsum(math.exp(value - highest) for value in values))
    a, b, c, d = (value - together for value in values)
    # Only a letter is a next token; the loglikelihood of a whole text is not the probability of a label.
    letters = [text.strip().lower() for text in _continuations(arguments)] == list(LABELS)
    # lm-eval moves white space at the end of a prompt into the continuation (`TemplateLM._encode_pair`), so
    # that its loglikelihoods are of that too: the same for all four, but no probability of a label.
    whole = prompt is not None and prompt == prompt.rstrip()
    mass = min(math.exp(together), 1.0) if letters and whole else mass_of(asked.measured)
    return ForeignAnswer(
        asked, "", repeat=asked.repeat, prompt=prompt, logprobs=(a, b, c, d), mass=mass, right=right,
        by_text=not letters,
    )  # fmt: skip


def _continuations(arguments: object) -> list[str]:
    if not isinstance(arguments, Mapping):
        return []
    parts = [arguments.get(f"gen_args_{n}") for n in range(len(LABELS))]
    return [str(part.get("arg_1", "")) for part in parts if isinstance(part, Mapping)]


def _prompt(arguments: object) -> str | None:
    first = arguments.get("gen_args_0") if isinstance(arguments, Mapping) else None
    prompt = first.get("arg_0") if isinstance(first, Mapping) else None
    return prompt if isinstance(prompt, str) else None


def _right(sample: Mapping[str, object]) -> bool | None:
    """Return whether lm-eval itself counted the sample as right; None where it says neither."""
    value = sample.get("acc", sample.get("exact_match"))
    return bool(value) if isinstance(value, int | float) else None
