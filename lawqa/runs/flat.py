"""The answers of a run as a flat table: a row a stored answer, plain values only, for other tools.

CSV, Parquet, Arrow tables and pandas frames all hold these columns. Labels and choices are as displayed,
after the choices were put into the order of the row.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from lawqa.choices import LABELS
from lawqa.errors import MissingExtraError
from lawqa.files import UNSTORABLE, JsonObject
from lawqa.runs.manifest import Manifest
from lawqa.runs.result import Logprobs, ReadingName, Result

if TYPE_CHECKING:
    import pandas
    import pyarrow


class HasAnswers(Protocol):
    """A stored run as far as a table needs it (`lawqa.runs.stored.StoredRun`)."""

    @property
    def path(self) -> Path:
        """Where it lies."""

    @property
    def results(self) -> Sequence[Result]:
        """Its answers in stored order."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know first."""

    @property
    def manifest(self) -> Manifest | None:
        """None for a result file."""


_BATCH = 2_000

ValueKind = Literal["text", "whole", "real", "flag"]
Value = str | int | float | bool | None

COLUMNS: dict[str, ValueKind] = {
    "question_id": "text",
    "law": "text",
    "order": "whole",
    "permutation": "text",
    "repeat": "whole",
    "prompt_spec": "text",
    "answer_by": "text",
    "question": "text",
    **{f"choice_{label}": "text" for label in LABELS},
    "gold": "text",
    "predicted": "text",
    "outcome": "text",
    "correct": "flag",
    "response": "text",
    "rule": "text",
    **{f"logprob_{label}": "real" for label in LABELS},
    "label_mass": "real",
    "forced_answer": "text",
    **{f"forced_logprob_{label}": "real" for label in LABELS},
    "forced_label_mass": "real",
    "hit_limit": "flag",
    "stopped": "text",
    "thinking_closed": "flag",
    "prompt_tokens": "whole",
    "completion_tokens": "whole",
    "seconds": "real",
    "retrieved_count": "whole",
    "gold_retrieved": "flag",
    "references": "text",
    "error": "text",
    "prompt": "text",
}
"""Names and kinds, in the sequence in which they are written."""


def flat_row(result: Result, reading: ReadingName = "today") -> dict[str, Value]:
    """Return the columns of one answer; what was not stored is None.

    Args:
        result: the answer.
        reading: whether `predicted` and `outcome` are as recorded or as today's parser reads the text. `rule`
            is that of the label shown.
    """
    scored = result.scored(reading)
    parsed_again = reading == "today" and result.is_text
    texts = result.choices or (None,) * len(LABELS)
    return {
        "question_id": result.question_id,
        "law": result.law,
        "order": result.order_number,
        "permutation": " ".join(map(str, result.order)),
        "repeat": result.repeat,
        "prompt_spec": result.prompt_spec or None,
        "answer_by": result.answer_by,
        "question": result.question,
        **{f"choice_{label}": text for label, text in zip(LABELS, texts, strict=True)},
        "gold": result.gold,
        "predicted": scored.predicted,
        "outcome": scored.outcome,
        "correct": scored.outcome == "correct",
        "response": result.response,
        "rule": result.parsed.rule if parsed_again else result.rule,
        **_by_label("logprob", result.label_logprobs),
        "label_mass": result.label_mass,
        "forced_answer": result.forced_answer,
        **_by_label("forced_logprob", result.forced_logprobs),
        "forced_label_mass": result.forced_label_mass,
        "hit_limit": result.hit_limit,
        "stopped": result.stopped,
        "thinking_closed": result.thinking_closed,
        "prompt_tokens": result.prompt_tokens,
        "completion_tokens": result.completion_tokens,
        "seconds": result.seconds,
        "retrieved_count": result.retrieved_count,
        "gold_retrieved": result.gold_retrieved,
        "references": "\n".join(result.references),
        "error": result.error,
        "prompt": result.prompt,
    }


def flat_rows(run: HasAnswers, reading: ReadingName = "today") -> Iterator[dict[str, Value]]:
    """Yield the columns of every answer of a run in stored order."""
    return (flat_row(result, reading) for result in run.results)


def about(run: HasAnswers) -> JsonObject:
    """Return what a table of a run's answers must carry to be understood without the run."""
    manifest = run.manifest
    said: JsonObject = {
        "run": run.path.resolve().name,
        "notes": list(run.notes),
        "prompt_specs": dict(manifest.prompt_specs) if manifest else {},
        "model": manifest.model.get("name") if manifest else None,
        "label_forms": manifest.config.get("label_forms", "all") if manifest else None,
        "started": manifest.started if manifest else None,
        "data_sha256": manifest.data.get("sha256") if manifest else None,
    }
    return said


def to_arrow(run: HasAnswers, reading: ReadingName = "today") -> pyarrow.Table:
    """Return an Arrow table of the answers; its schema's metadata say under `lawqa` what run they are of.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    schema = _arrow_schema(run)
    return _imported("pyarrow").Table.from_batches(arrow_batches(run, reading), schema)


def arrow_batches(run: HasAnswers, reading: ReadingName = "today") -> Iterator[pyarrow.RecordBatch]:
    """Yield the answers as Arrow batches of the same schema, so that few rows are held at once.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    arrow, schema = _imported("pyarrow"), _arrow_schema(run)
    rows = flat_rows(run, reading)
    while batch := [
        {name: storable(value) for name, value in row.items()} for row in islice(rows, _BATCH)
    ]:
        yield arrow.RecordBatch.from_pylist(batch, schema=schema)


def _arrow_schema(run: HasAnswers) -> pyarrow.Schema:
    arrow = _imported("pyarrow")
    types = {
        "text": arrow.string(),
        "whole": arrow.int64(),
        "real": arrow.float64(),
        "flag": arrow.bool_(),
    }
    described = json.dumps(about(run), ensure_ascii=False).encode("utf-8", UNSTORABLE)
    return arrow.schema(
        [(name, types[kind]) for name, kind in COLUMNS.items()], metadata={"lawqa": described}
    )


def to_frame(run: HasAnswers, reading: ReadingName = "today") -> pandas.DataFrame:
    """Return a pandas frame of the answers; whole numbers and flags that are missing are `pandas.NA`.

    Raises:
        MissingExtraError: pandas is not installed.
    """
    pandas = _imported("pandas")
    types = {"text": "object", "whole": "Int64", "real": "float64", "flag": "boolean"}
    rows = list(flat_rows(run, reading))
    columns = {
        name: pandas.Series([row[name] for row in rows], dtype=types[kind])
        for name, kind in COLUMNS.items()
    }
    frame = pandas.DataFrame(columns)
    frame.attrs["lawqa"] = about(run)
    return frame


def storable(value: Value) -> Value:
    """Return a value as UTF-8 files hold it: half a surrogate pair becomes its escape."""
    if isinstance(value, str):
        return value.encode("utf-8", UNSTORABLE).decode("utf-8")
    return value


def _by_label(name: str, logprobs: Logprobs | None) -> dict[str, Value]:
    values = logprobs or (None,) * len(LABELS)
    return {f"{name}_{label}": value for label, value in zip(LABELS, values, strict=True)}


def _imported(package: str) -> Any:  # neither package has types of its own
    try:
        return import_module(package)
    except ImportError:
        raise MissingExtraError(package, "frames") from None
