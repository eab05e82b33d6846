"""Export: a stored run in the form of another tool."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from lawqa.errors import ConfigError
from lawqa.pipelines.interchange.described import describe_run
from lawqa.pipelines.interchange.inspect_log import write_inspect_log
from lawqa.pipelines.interchange.lm_eval_log import lm_eval_files, write_lm_eval_log
from lawqa.pipelines.interchange.tables import write_csv, write_parquet
from lawqa.runs.directory import claim_output
from lawqa.runs.result import ReadingName
from lawqa.runs.stored import StoredRun, read_stored_run
from lawqa.settings import RunFormat, StrPath, as_path, checks_arguments

_ENDINGS = {"csv": (".csv",), "parquet": (".parquet",), "inspect": (".eval", ".json")}
_FLAG = "--output-path"


@dataclass(frozen=True)
class Exported:
    """What was written of a run."""

    files: tuple[Path, ...]
    """The files, the samples last."""
    answers: int
    """Answers in them."""
    notes: tuple[str, ...]
    """What a reader of the run must know first; it is in the files too, but for CSV, which has no place."""


@checks_arguments
def export_run(
    run: StrPath,
    format: RunFormat,  # noqa: A002 - as the flag is called
    output_path: StrPath,
    *,
    recorded: bool = False,
    fresh: bool = False,
) -> Exported:
    """Write the answers of a stored run in the form of another tool.

    Example:
        >>> import lawqa
        >>> lawqa.export_run("runs/base", "csv", "base.xlsx")
        Traceback (most recent call last):
        lawqa.errors.ConfigError: --output-path base.xlsx: the name ends in .xlsx, expected .csv

    Args:
        run: a run directory or result file.
        format: csv, parquet; lm-eval for lm-evaluation-harness; inspect for inspect_ai's log, an archive
            (.eval) or JSON (.json).
        output_path: the file; for lm-eval the directory, in which it makes one of the model's name.
        recorded: take the labels as they were recorded instead of reading the stored texts again.
        fresh: replace earlier files of the same names.

    Raises:
        ConfigError: the output is there already, or has another ending than its form asks for.
        DataError: it is not a run.
        MissingExtraError: for parquet, pyarrow is not installed.
    """
    source, target = as_path(run, "run"), as_path(output_path, "output_path")
    if format != "lm-eval":
        _require_ending(target, _ENDINGS[format])
        claim_output(target, _FLAG, fresh=fresh, sources=(source,))
    reading: ReadingName = "recorded" if recorded else "today"
    stored = read_stored_run(source)
    files = _written(stored, format, target, reading, fresh=fresh)
    return Exported(files, len(stored.results), stored.notes)


def _written(
    stored: StoredRun, form: RunFormat, target: Path, reading: ReadingName, *, fresh: bool
) -> tuple[Path, ...]:
    # A case for each form, so that mypy refuses a new one that is not written.
    match form:
        case "csv":
            write_csv(stored, target, reading)
            return (target,)
        case "parquet":
            write_parquet(stored, target, reading)
            return (target,)
        case "inspect":
            write_inspect_log(describe_run(stored, reading), target)
            return (target,)
        case "lm-eval":
            seen = describe_run(stored, reading)
            _require_directory(target)
            results, samples = lm_eval_files(seen, target)
            for path in (results, samples):
                claim_output(path, _FLAG, fresh=fresh, sources=(stored.path,))
            write_lm_eval_log(seen, results, samples)
            return results, samples


def _require_ending(path: Path, endings: tuple[str, ...]) -> None:
    if path.suffix.lower() not in endings:
        raise ConfigError(
            f"{_FLAG} {path}: the name ends in {path.suffix or 'nothing'}, expected {' or '.join(endings)}",
            f"{_FLAG} {path.with_suffix(endings[0])}" if path.name else "name a file",
        )


def _require_directory(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise ConfigError(
            f"{_FLAG} {path}: is a file, expected a directory", "name a new directory"
        )
