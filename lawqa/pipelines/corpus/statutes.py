"""e-Gov's bulk download -> one JSONL file of articles: several processes, one order, resumable.

Beside `articles.jsonl`, which appears when it is whole, there are while it is being made:

articles.jsonl.partial    the laws that are done, in order
articles.jsonl.journal    what was asked for; then a line a law: file, articles, where its lines end

and afterwards `articles.jsonl.manifest.json`: what was read, as of which day, and what failed. Workers run
ahead, but laws are written in the order of their ids, so the file is the same whatever the number of
workers and however often the parse was interrupted.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import BinaryIO

from lawqa.bars import Bar
from lawqa.errors import ConfigError
from lawqa.files import open_own, write_json
from lawqa.pipelines.corpus.statutes_journal import Done, Journal, ParseJob
from lawqa.pipelines.corpus.statutes_workers import converted_in_order
from lawqa.runs.manifest import SCHEMA_VERSION
from lawqa.settings import ParseSettings, QuietSettings
from lawqa.statutes.articles import corpus_sha256
from lawqa.statutes.days import day_of
from lawqa.statutes.egov.files import LawFile, LawStore, UnreadFile, choose_revisions

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ParseConfig(ParseSettings, QuietSettings):
    """What to parse, and where to."""


@dataclass(frozen=True)
class ParseResult:
    """What came of a parse."""

    as_of: str
    """The day whose revisions were taken, ISO 8601."""
    laws: int
    """Laws that are in the file."""
    articles: int
    """Lines of the file."""
    failures: tuple[UnreadFile, ...]
    """Files that are not in it, and why."""
    later: tuple[str, ...]
    """Ids of laws that were not yet in force."""


def parse_statutes(config: ParseConfig, *, today: date) -> ParseResult:
    """Parse a bulk download.

    Args:
        config: what to do.
        today: the day taken if none is asked for.

    Raises:
        ConfigError: the options contradict each other or the files that are there, or the output
            cannot be written.
        DataError: the input cannot be read or holds no law, or a worker process died.
    """
    _check_options(config)
    journal = Journal(_beside(config.output, "journal"))
    earlier = journal.read() if config.resume and journal.path.exists() else None
    as_of = _resolved_day(config, earlier[0] if earlier else None, today)
    with LawStore(config.input) as store:
        files, refused = store.list()
    if not files and not refused:
        raise ConfigError(
            f"{config.input}: holds no XML file",
            "give e-Gov's bulk download: its zip or the unpacked folder",
        )
    chosen = choose_revisions(files, as_of)
    job = ParseJob(str(config.input), as_of.isoformat(), _listing_sha256(chosen.files))
    try:
        done = _write_laws(config, journal, job, chosen.files, earlier)
    except OSError as problem:
        raise ConfigError(
            f"{config.output}: cannot be written: {problem.strerror}",
            "finished work is kept; --resume resumes it",
        ) from None
    failures = (*refused, *(UnreadFile(law.path, law.error) for law in done if law.error))
    result = ParseResult(
        as_of=job.as_of,
        laws=sum(not law.error for law in done),
        articles=sum(law.articles for law in done),
        failures=tuple(failures),
        later=chosen.later,
    )
    _finish(config, journal, result)
    return result


def _check_options(config: ParseConfig) -> None:
    if config.resume and config.fresh:
        raise ConfigError("--resume and --fresh contradict each other", "give one of them")
    if config.workers is not None and config.workers < 1:
        raise ConfigError(f"--workers is {config.workers}, expected 1 or more")
    if config.output.is_dir() or not config.output.parent.is_dir():
        raise ConfigError(
            f"{config.output}: expected a file in a directory that exists",
            f"e.g. mkdir -p {config.output.parent}",
        )
    if config.output.resolve() == config.input.resolve():
        raise ConfigError(
            f"{config.output}: is read, and would be overwritten", "name another file"
        )
    interrupted = _beside(config.output, "partial").exists()
    if config.fresh or (config.resume and interrupted):
        return
    if config.output.exists():
        raise ConfigError(f"{config.output}: exists already", "--fresh replaces it")
    if interrupted:
        raise ConfigError(
            f"{config.output}: an interrupted parse lies beside it",
            "--resume resumes it; --fresh starts over",
        )


def _resolved_day(config: ParseConfig, earlier: ParseJob | None, today: date) -> date:
    asked = day_of(config.as_of)
    if earlier is None:
        return asked or today
    day = date.fromisoformat(earlier.as_of)
    if asked not in (None, day):
        raise ConfigError(
            f"--as-of is {config.as_of}, but the interrupted parse is as of {day}",
            "leave it out to resume; --fresh starts over",
        )
    return day


def _write_laws(
    config: ParseConfig,
    journal: Journal,
    job: ParseJob,
    files: Sequence[LawFile],
    earlier: tuple[ParseJob, list[Done]] | None,
) -> list[Done]:
    """Write the lines of all laws to the partial file.

    Returns:
        What became of each law, in order.
    """
    partial = _beside(config.output, "partial")
    if earlier is None:
        os.close(open_own(partial, os.O_WRONLY | os.O_TRUNC))
        journal.start(job)
        done: list[Done] = []
    else:
        done = _still_valid(earlier, job, files, partial)
        journal.restart(job, done)
    with os.fdopen(open_own(partial, os.O_RDWR), "r+b") as out:
        out.truncate(done[-1].end if done else 0)
        out.seek(0, os.SEEK_END)
        _write_rest(config, journal, out, files, done)
        out.flush()
        os.fsync(out.fileno())
    return done


def _write_rest(
    config: ParseConfig, journal: Journal, out: BinaryIO, files: Sequence[LawFile], done: list[Done]
) -> None:
    """Convert what is not done yet; `done` grows by it."""
    rest = files[len(done) :]
    workers = min(config.workers or _cpus(), max(len(rest), 1))
    logger.debug("%d of %d laws to parse, %d processes", len(rest), len(files), workers)
    with (
        Bar("parsing", "laws", len(files), done=len(done), quiet=config.quiet) as bar,
        closing(converted_in_order(config.input, rest, workers)) as laws,
    ):
        for file, law in zip(rest, laws, strict=True):
            out.write(law.lines)
            out.flush()
            done.append(Done(file.path, law.articles, out.tell(), law.error))
            journal.append(done[-1])
            bar.add()


def _still_valid(
    earlier: tuple[ParseJob, list[Done]], job: ParseJob, files: Sequence[LawFile], partial: Path
) -> list[Done]:
    """Return the laws that the partial file holds in full.

    Raises:
        ConfigError: the interrupted parse was of other files.
    """
    before, done = earlier
    paths = [law.path for law in done]
    if before.files_sha256 != job.files_sha256 or paths != [f.path for f in files[: len(done)]]:
        raise ConfigError(
            f"the interrupted parse read other files ({before.input}) than {job.input} holds now",
            "--fresh parses everything again",
        )
    size = partial.stat().st_size if partial.exists() else 0
    return [law for law in done if law.end <= size]


def _finish(config: ParseConfig, journal: Journal, result: ParseResult) -> None:
    """Put the file in its place; the journal goes last, so that an end in between can be resumed."""
    partial = _beside(config.output, "partial")
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "input": str(config.input),
        "as_of": result.as_of,
        "laws": result.laws,
        "articles": result.articles,
        "sha256": corpus_sha256(partial),
        "failures": [{"path": f.path, "message": f.message} for f in result.failures],
        "laws_not_yet_in_force": list(result.later),
    }
    write_json(_beside(config.output, "manifest.json"), manifest)
    partial.replace(config.output)
    journal.remove()


def _listing_sha256(files: Sequence[LawFile]) -> str:
    listing = "".join(f"{file.path}\t{file.size}\n" for file in files)
    return hashlib.sha256(listing.encode(errors="surrogatepass")).hexdigest()


def _beside(output: Path, suffix: str) -> Path:
    return output.with_name(f"{output.name}.{suffix}")


def _cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
