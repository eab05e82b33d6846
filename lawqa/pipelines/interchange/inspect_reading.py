"""A log of inspect_ai, read as answers of a run: its JSON form, or a .eval archive."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from lawqa.choices import LABELS
from lawqa.errors import DataError
from lawqa.files import JsonObject, parse_json, read_text
from lawqa.pipelines.interchange.foreign import (
    ForeignAnswer,
    ForeignLog,
    ForeignQuestion,
    choices_of,
    label_from,
    mass_of,
    read_foreign_question,
)
from lawqa.questions import Question
from lawqa.runs.result import Logprobs

_AT_LIMIT = ("max_tokens", "model_length")
_ATTACHED = "attachment://"
_CONVERT = (
    "inspect log convert LOG.eval --to json --output-dir DIR  makes one that any Python reads"
)


def read_inspect(path: Path) -> ForeignLog:
    """Read a log.

    Raises:
        DataError: it is none, holds no sample, or a sample is not a four-choice question.
    """
    content = (
        _archived(path) if path.suffix.lower() == ".eval" else parse_json(read_text(path), path)
    )
    spec = content.get("eval") if isinstance(content, Mapping) else None
    if not isinstance(spec, Mapping):
        raise DataError(f"{path}: is not a log of inspect_ai: it has no key 'eval'")
    samples = content.get("samples")
    if not isinstance(samples, list) or not samples:
        raise DataError(
            f"{path}: holds no samples",
            "run inspect eval with --log-samples, or import the log and not its header",
        )
    packages = spec.get("packages")
    return ForeignLog(
        tool="inspect",
        version=str(packages.get("inspect_ai") or "") or None
        if isinstance(packages, Mapping)
        else None,
        model=str(spec.get("model") or "unknown"),
        task=str(spec.get("task") or "unknown"),
        started=str(spec["created"]) if spec.get("created") else None,
        finished=content.get("status") == "success",
        answers=tuple(
            _answer(f"{path}: sample {number}", sample)
            for number, sample in enumerate(samples, start=1)
        ),
    )


def _archived(path: Path) -> JsonObject:
    """Put the parts of an archive together; inspect_ai itself compresses them in a way few Pythons know."""
    try:
        with ZipFile(path) as archive:
            header = json.loads(archive.read("header.json"))
            names = [name for name in archive.namelist() if name.startswith("samples/")]
            samples = [json.loads(archive.read(name)) for name in names]
    except NotImplementedError:  # Zstandard, which Python reads from 3.14 on
        return _through_inspect(path)
    except FileNotFoundError:
        raise DataError(
            f"{path}: no such file", "paths are relative to the directory the command runs in"
        ) from None
    except (BadZipFile, KeyError, ValueError, OSError) as problem:
        raise DataError(
            f"{path}: is not a whole .eval archive: {problem}",
            "was it cut off while it was copied?",
        ) from None
    return {**header, "samples": samples}


def _through_inspect(path: Path) -> JsonObject:
    try:
        from inspect_ai.log import read_eval_log
    except ImportError:
        raise DataError(
            f"{path}: is compressed with Zstandard, which this Python does not read", _CONVERT
        ) from None
    content: JsonObject = json.loads(read_eval_log(str(path)).model_dump_json())
    return content


def _answer(where: str, sample: object) -> ForeignAnswer:
    if not isinstance(sample, Mapping):
        raise DataError(f"{where}: is not an object but {type(sample).__name__}")
    attachments = sample.get("attachments")
    whole = _Whole(attachments if isinstance(attachments, Mapping) else {})
    output = sample.get("output")
    output = output if isinstance(output, Mapping) else {}
    written = next(iter(output.get("choices") or ()), None)
    message = written.get("message") if isinstance(written, Mapping) else None
    text = whole.text(message.get("content") if isinstance(message, Mapping) else "")
    usage = output.get("usage")
    usage = usage if isinstance(usage, Mapping) else {}
    asked = _asked(where, sample, whole)
    error = sample.get("error")
    epoch = sample.get("epoch", 1)
    return ForeignAnswer(
        asked,
        text,
        repeat=epoch - 1 if type(epoch) is int and epoch >= 1 else 0,
        logprobs=_logprobs(asked.measured),
        mass=mass_of(asked.measured),
        hit_limit=isinstance(written, Mapping) and written.get("stop_reason") in _AT_LIMIT,
        prompt_tokens=_count(usage.get("input_tokens")),
        completion_tokens=_count(usage.get("output_tokens")),
        seconds=_seconds(output.get("time")),
        error=str(error.get("message") or "failed") if isinstance(error, Mapping) else None,
        right=_right(sample.get("scores")),
    )


def _asked(where: str, sample: Mapping[str, object], whole: _Whole) -> ForeignQuestion:
    metadata = sample.get("metadata")
    if isinstance(metadata, Mapping) and "permutation" in metadata:  # exported by lawqa
        return read_foreign_question(where, metadata, sample.get("target"))
    target = sample.get("target")
    if isinstance(target, list) and len(target) == 1:
        target = target[0]
    if isinstance(target, str) and target.strip().isdigit():
        raise DataError(f"{where}: the target is {target!r}, expected a letter")
    question = Question(
        id=str(sample.get("id")),
        text=whole.text(sample.get("input")).strip(),
        choices=choices_of(where, sample.get("choices") or ()),
        gold=label_from(where, target),
    )
    return ForeignQuestion(question)


class _Whole:
    """Puts long texts back that inspect_ai keeps apart.

    Args:
        attachments: the texts by their digests.
    """

    def __init__(self, attachments: Mapping[str, object]) -> None:
        self._attachments = attachments

    def text(self, content: object) -> str:
        """Return a text, the parts of a message, or the last message of several; thinking in its marks."""
        if isinstance(content, str):
            digest = content.removeprefix(_ATTACHED)
            return str(self._attachments.get(digest, content)) if digest != content else content
        if not isinstance(content, Sequence) or not content:
            return ""
        if all(isinstance(one, Mapping) and "role" in one for one in content):
            return self.text(content[-1].get("content"))
        return "".join(self._parts(content))

    def _parts(self, content: Sequence[object]) -> Iterator[str]:
        for part in content:
            if not isinstance(part, Mapping):
                continue
            if part.get("type") == "reasoning":
                yield f"<think>\n{self.text(part.get('reasoning'))}\n</think>\n\n"
            elif part.get("type") == "text":
                yield self.text(part.get("text"))


def _right(scores: object) -> bool | None:
    """Return whether the first scorer counted the sample as right: C or 1; None where it says
    something else.
    """
    first = next(iter(scores.values()), None) if isinstance(scores, Mapping) else None
    value = first.get("value") if isinstance(first, Mapping) else None
    return {"C": True, "I": False, 1: True, 0: False, "N": False}.get(
        value if isinstance(value, str | int | float) else ""
    )


def _logprobs(measured: JsonObject | None) -> Logprobs | None:
    """Return what a run of scored labels, exported by lawqa, keeps of them."""
    values = measured.get("label_logprobs") if measured else None
    if not measured or measured.get("answer_by") != "logits" or not isinstance(values, list):
        return None
    if len(values) != len(LABELS) or not all(isinstance(one, int | float) for one in values):
        return None
    a, b, c, d = map(float, values)
    return a, b, c, d


def _count(value: object) -> int | None:
    return value if type(value) is int and value >= 0 else None


def _seconds(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and value >= 0 else None
