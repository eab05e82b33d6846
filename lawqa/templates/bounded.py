"""The process that renders chat templates, seen from the one that wants prompts."""

from __future__ import annotations

import atexit
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from lawqa.errors import ConfigError, MissingExtraError

MEMORY_BYTES = 512 * 2**20
"""What rendering may take: a prompt of a million characters needs a hundredth of it."""
CPU_SECONDS = 5.0
"""The renderer's own time for one prompt, which takes about a millisecond."""
_PATIENCE_SECONDS = 60.0  # by the wall clock, where the CPU timer does not end it
_WORKER = Path(__file__).with_name("worker.py")
_SAFE_JINJA = "3.1.6"


class TemplateError(Exception):
    """A template that gives no text.

    Args:
        kind: `raised` for what it says itself, `syntax`, `broken`, or `bounds`.
        message: what it says, or what is wrong with it.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


class Renderer:
    """One process that renders; it is started with the first request, and again after it was ended."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def render(
        self, template: str, variables: Mapping[str, object], *, now: str, seed: int, most: int
    ) -> str:
        """Return the text of a template.

        Args:
            template: its source.
            variables: what it may use, in plain JSON types.
            now: the time it is given, ISO 8601.
            seed: of what it draws.
            most: the most characters of the text.

        Raises:
            TemplateError: it raises, is broken, does not end, or writes more than it may.
            MissingExtraError: jinja2 is not installed.
        """
        request = {
            "template": template, "variables": dict(variables), "now": now, "seed": seed,
            "most": most,
        }  # fmt: skip
        with self._lock:
            reply = self._ask(json.dumps(request).encode() + b"\n")
        if "text" in reply:
            return str(reply["text"])
        kind, message = reply["error"], reply["message"]
        if kind == "memory":
            raise TemplateError(
                "bounds", f"it takes more than {MEMORY_BYTES // 2**20} MiB of memory"
            )
        if kind == "length":
            raise TemplateError("bounds", f"it writes more than {most:,} characters")
        raise TemplateError(kind, message)

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is None or self._owner != os.getpid():
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()
        process.wait()

    def _ask(self, line: bytes) -> dict[str, str]:
        process = self._started()
        try:
            answer = _answer(process, line)
        except BaseException:
            self.close()  # interrupted: what it answers later belongs to nobody
            raise
        if answer is None:
            self.close()
            raise TemplateError("bounds", f"it does not come to an end within {CPU_SECONDS:g} s")
        reply: dict[str, str] = json.loads(answer)
        if reply.get("error") == "memory":
            self.close()  # what is left of it after that is not known
        return reply

    def _started(self) -> subprocess.Popen[bytes]:
        alive = self._process is not None and self._owner == os.getpid()
        if alive and self._process is not None and self._process.poll() is None:
            return self._process
        _require_jinja()
        if not sys.executable:
            raise ConfigError("Python does not know its own program, which renders chat templates")
        self.close()
        self._process = subprocess.Popen(  # noqa: S603 - this Python, our own file
            [sys.executable, str(_WORKER), str(MEMORY_BYTES), str(CPU_SECONDS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONWARNINGS": "ignore"},
            start_new_session=True,  # Ctrl-C is for the one who asks
        )
        self._owner = os.getpid()
        return self._process


def _answer(process: subprocess.Popen[bytes], line: bytes) -> bytes | None:
    """Return the line that answers this one; None where the process ended, or had to be given up."""
    if process.stdin is None or process.stdout is None:
        raise TypeError("the renderer was started without pipes")
    rest = memoryview(line)
    try:
        while rest:
            rest = rest[process.stdin.write(rest) or 0 :]
    except BrokenPipeError:
        return None
    deadline, answer = time.monotonic() + _PATIENCE_SECONDS, bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not answer.endswith(b"\n"):
            if not selector.select(max(deadline - time.monotonic(), 0)):
                return None
            part = os.read(process.stdout.fileno(), 2**20)
            if not part:
                return None
            answer += part
    return bytes(answer)


def _require_jinja() -> None:
    """Raises MissingExtraError or ConfigError where jinja2 is missing, or known to leave its sandbox."""
    from packaging.version import Version  # not needed for most of what lawqa does

    try:
        installed = version("jinja2")
    except PackageNotFoundError:
        raise MissingExtraError("jinja2", "train") from None
    if Version(installed) < Version(_SAFE_JINJA):
        raise ConfigError(
            f"jinja2 {installed} is installed, whose sandbox can be left: chat templates are not rendered",
            f"pip install -U 'jinja2>={_SAFE_JINJA}'",
        )


RENDERER = Renderer()
"""The process that this one uses."""

atexit.register(RENDERER.close)
