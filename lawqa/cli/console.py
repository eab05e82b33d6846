"""Messages while a command runs: on standard error, and in a log file where one is asked for.

Every message is a log record of a logger below `lawqa`; results go to standard output instead. A message is
`info` where --quiet may hide it, `warning` or `error` where it may not, and `debug` where only --verbose
shows it.
"""

from __future__ import annotations

import logging
import os
import platform
import re
import shlex
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

from tyro.conf import FlagCreatePairsOff, arg

from lawqa.bars import FILE_ONLY, duration
from lawqa.errors import ConfigError, printable

logger = logging.getLogger(__name__)

_NOT_PROPAGATING = ("transformers",)
"""Libraries whose loggers show their records themselves and pass none to the root."""

_UNDECODED = re.compile("[\udc80-\udcff]+")
_DATED = re.compile(rb"\d{4}-\d\d-\d\dT")


JsonFlag = Annotated[FlagCreatePairsOff[bool], arg(name="json")]
"""Whether a command prints JSON; each says what of."""


@dataclass(frozen=True, kw_only=True)
class ConsoleFlags:
    """Messages while the command runs, and where to keep them."""

    quiet: FlagCreatePairsOff[bool] = False
    """Only warnings and errors: no progress and no notes."""
    verbose: FlagCreatePairsOff[bool] = False
    """Also details for debugging: settings, device, batches, retries."""
    log_file: Path | None = None
    """Append every message to this file, with the time, whatever the terminal shows."""


class Console:
    """Shows this process's log records on the terminal, and in a log file, until it is closed.

    Args:
        arguments: of the command line.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._started = time.monotonic()
        self._own = logging.getLogger("lawqa")
        self._levels = {log: log.level for log in (self._own, logging.root)}
        self._terminal = _Terminal(logging.INFO)
        self._file: _LogFile | None = None
        # On the root: libraries' warnings look as they do where there is no handler at all.
        logging.root.addHandler(self._terminal)
        self._own.setLevel(logging.INFO)
        # It advises to install `kernels` on a machine without a GPU, whoever imports it first.
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

    def follow(self, command: object) -> None:
        """Apply the flags of a command.

        Raises:
            ConfigError: they contradict each other, or the log file cannot be opened.
        """
        flags = console_flags_of(command)
        if flags.quiet and flags.verbose:
            raise ConfigError(
                "--quiet and --verbose contradict each other", "leave one of them out"
            )
        if flags.quiet:
            self._terminal.setLevel(logging.WARNING)
            # Read by transformers, huggingface_hub and peft when they are imported.
            os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        if flags.verbose:
            self._terminal.setLevel(logging.DEBUG)
            self._own.setLevel(logging.DEBUG)
            logging.root.setLevel(logging.INFO)  # libraries log their requests and retries
        if flags.log_file is not None:
            self._open_file(flags.log_file)

    def ended(self, code: int) -> int:
        """Write to the log file how the command ended; returns the code."""
        logger.info(
            "ended with exit code %d after %s",
            code, duration(time.monotonic() - self._started), extra=FILE_ONLY,
        )  # fmt: skip
        return code

    def close(self) -> None:
        """Leave logging as it was."""
        logging.root.removeHandler(self._terminal)
        for log, level in self._levels.items():
            log.setLevel(level)
        if self._file is not None:
            logging.captureWarnings(False)
            logging.root.removeHandler(self._file)
            for name in _NOT_PROPAGATING:
                logging.getLogger(name).removeHandler(self._file)
            with suppress(OSError):  # a full disk; reported when it was met
                self._file.close()

    def _open_file(self, path: Path) -> None:
        self._file = opened(path)
        logging.captureWarnings(True)  # as records, which the terminal shows as they were
        for name in ("", *_NOT_PROPAGATING):
            logging.getLogger(name).addHandler(self._file)
        from lawqa._version import __version__

        logger.info(
            "lawqa %s: %s (in %s, process %d, Python %s on %s)",
            __version__, shlex.join(self._arguments), Path.cwd(), os.getpid(),
            platform.python_version(), platform.node(), extra=FILE_ONLY,
        )  # fmt: skip


@contextmanager
def console_messages(arguments: Sequence[str]) -> Iterator[Console]:
    """Show log records inside the block; the traceback of a bug also goes to the log file."""
    console = Console(arguments)
    try:
        yield console
    except Exception:
        logger.exception("a bug of lawqa ended it", extra=FILE_ONLY)
        raise
    finally:
        console.close()


@contextmanager
def resume_hint_on_interrupt(line: str) -> Iterator[None]:
    """Follow an interrupt inside the block by this line."""
    try:
        yield
    except KeyboardInterrupt:
        logger.error(line)  # noqa: TRY400 - no bug
        raise


def console_flags_of(command: object) -> ConsoleFlags:
    """Return the flags that a command holds, at any depth; the defaults where it has none."""
    if isinstance(command, ConsoleFlags):
        return command
    if is_dataclass(command):
        for field in fields(command):
            value = getattr(command, field.name)
            if is_dataclass(value):
                flags_below = console_flags_of(value)
                if flags_below != ConsoleFlags():
                    return flags_below
    return ConsoleFlags()


def opened(path: Path) -> _LogFile:
    """Return a log file to append to.

    Raises:
        ConfigError: it cannot be written, or is not a log file.
    """
    try:
        if path.exists() and not path.is_file() and not path.is_char_device():
            raise ConfigError(
                f"--log-file {path}: is a directory or a pipe, expected a file", "name a new file"
            )
        if path.is_file():
            with path.open("rb") as file:
                begins = file.read(16)
            if begins and not _DATED.match(begins):
                raise ConfigError(
                    f"--log-file {path}: is not a log file, so nothing was appended to it",
                    "name a new file",
                )
        return _LogFile(path)
    except OSError as problem:
        missing = not path.parent.is_dir()
        raise ConfigError(
            f"--log-file {path}: cannot be written: {problem.strerror}",
            f"mkdir -p {shlex.quote(str(path.parent))}"
            if missing
            else "name a file that may be written",
        ) from None


if TYPE_CHECKING:
    _StreamHandler = logging.StreamHandler[TextIO]
else:  # Python 3.10 cannot subscript it
    _StreamHandler = logging.StreamHandler


class _Terminal(_StreamHandler):
    """Messages on standard error as they are, around a bar where there is one."""

    def __init__(self, level: int) -> None:
        super().__init__()
        self.setLevel(level)
        self.addFilter(
            lambda record: not (getattr(record, "file_only", False) or _is_shown(record.name))
        )

    def emit(self, record: logging.LogRecord) -> None:
        """Show one record."""
        self.stream = sys.stderr  # asked each time: tests and notebooks put another in its place
        bars: Any = sys.modules.get("tqdm")  # no one can have opened a bar without it
        with bars.tqdm.external_write_mode(file=sys.stderr) if bars else nullcontext():
            super().emit(record)

    def format(self, record: logging.LogRecord) -> str:
        """Return the message alone."""
        return super().format(record).rstrip("\n")


def _is_shown(name: str) -> bool:
    """Return whether a library shows the records of this logger itself."""
    log: logging.Logger | None = logging.getLogger(name)
    while log is not None and log is not logging.root:
        if any(not isinstance(handler, logging.NullHandler) for handler in log.handlers):
            return True
        log = log.parent
    return False


class _LogFile(logging.FileHandler):
    """Appends each record at once, so that a kill loses none; a full disk does not end the run."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self._path, self._warned = path, False
        rank = os.environ.get("RANK")
        who = f"[process {rank}] " if rank else ""
        self.setFormatter(_Dated(f"%(asctime)s %(levelname)s {who}%(name)s: %(message)s"))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's own name
        """Warn once that the log has gaps."""
        del record
        if not self._warned:
            self._warned = True
            logger.warning("! %s: cannot be written: %s", self._path, sys.exc_info()[1])


class _Dated(logging.Formatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        del datefmt
        return datetime.fromtimestamp(record.created).astimezone().isoformat(timespec="seconds")

    def format(self, record: logging.LogRecord) -> str:
        text = _UNDECODED.sub(_decoded, super().format(record).rstrip("\n"))
        # Further lines are indented: whatever a message quotes, a line with a date is a record.
        return printable(text).replace("\n", "\n    ")


def _decoded(found: re.Match[str]) -> str:
    """Return a path's bytes as UTF-8: in a locale without it Python keeps them undecoded."""
    return found[0].encode(errors="surrogateescape").decode(errors="backslashreplace")
