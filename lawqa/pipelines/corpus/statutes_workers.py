"""Law files -> lines of JSONL in worker processes, handed back in the order of the files."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lawqa.errors import DataError
from lawqa.statutes.articles import article_line
from lawqa.statutes.egov.files import LawFile, LawStore
from lawqa.statutes.egov.law_xml import parse_law

_AHEAD = 8
"""Laws in work or waiting to be written, for each worker; bounds the memory of a slow disk."""


@dataclass(frozen=True)
class ConvertedLaw:
    """What came of one file."""

    lines: bytes
    """JSONL in UTF-8; empty if it could not be read."""
    articles: int
    """How many lines."""
    error: str = ""
    """Why it could not be read; empty if it could."""


def converted_in_order(
    path: Path, files: Sequence[LawFile], workers: int
) -> Generator[ConvertedLaw, None, None]:
    """Convert files of a folder or zip; close the generator to end the workers early.

    Args:
        path: the folder or zip; each worker opens it for itself.
        files: files in it.
        workers: processes; with 1 everything is done in this one.

    Yields:
        One result a file, in the order of the files.

    Raises:
        DataError: the folder or zip cannot be read, or a worker died.
    """
    if workers == 1:
        with LawStore(path) as store:
            for file in files:
                yield _convert(store, file)
        return
    # spawn: a fork of a process that has threads, such as tqdm's, may hang
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_start_worker)
    pending: deque[Future[ConvertedLaw]] = deque()
    try:
        for file in files:
            pending.append(pool.submit(_convert_in_worker, path, file))
            if len(pending) >= _AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool:
        raise DataError(
            "a worker process died, perhaps for want of memory",
            "--resume resumes it; fewer --workers take less memory",
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _convert(store: LawStore, file: LawFile) -> ConvertedLaw:
    try:
        articles = parse_law(store.read(file), file.name)
    except DataError as problem:
        return ConvertedLaw(b"", 0, problem.message)
    return ConvertedLaw("".join(map(article_line, articles)).encode(), len(articles))


def _convert_in_worker(path: Path, file: LawFile) -> ConvertedLaw:
    return _convert(_opened_once(path), file)


@cache
def _opened_once(path: Path) -> LawStore:
    return LawStore(path)


def _start_worker() -> None:
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the parent, which ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Leave no worker behind when the parent is killed and cannot say so."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
