"""A run's answers as a CSV or Parquet file."""

from __future__ import annotations

import csv
from itertools import chain
from pathlib import Path

from lawqa.files import replaced_whole, written_whole
from lawqa.runs.flat import COLUMNS, Value, arrow_batches, flat_rows
from lawqa.runs.result import ReadingName
from lawqa.runs.stored import StoredRun


def write_csv(run: StoredRun, path: Path, reading: ReadingName) -> None:
    """Write a CSV file of RFC 4180: a header, a line an answer, UTF-8.

    It begins with a byte order mark: without one a spreadsheet on Windows shows Japanese as rubbish, and
    pandas, R, DuckDB and datasets skip it.
    """
    with written_whole(path) as file:
        file.write("\ufeff")
        lines = csv.DictWriter(file, [*COLUMNS], lineterminator="\r\n")
        lines.writeheader()
        for row in flat_rows(run, reading):
            lines.writerow({name: _without_nul(value) for name, value in row.items()})


def _without_nul(value: Value) -> Value:
    """Return a text with NUL as its escape: many readers end there, Python's before 3.11 refuse it."""
    return value.replace("\0", "\\u0000") if isinstance(value, str) else value


def write_parquet(run: StoredRun, path: Path, reading: ReadingName) -> None:
    """Write a Parquet file; its metadata say under `lawqa` what run it is of.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    batches = arrow_batches(run, reading)
    first = next(batches)
    from pyarrow import parquet

    with (
        replaced_whole(path) as temporary,
        parquet.ParquetWriter(temporary, first.schema) as writer,
    ):
        for batch in chain([first], batches):
            writer.write_batch(batch)
