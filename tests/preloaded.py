"""Processes of lawqa's command line that have imported torch already: what is tested is their work.

Importing torch, transformers and peft takes seven seconds of a processor, a toy training less than two. These
processes are forked off one that did it once. Where the launcher or a bare start is the point, a test starts
one of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path

_IMPORTED = [
    "bitsandbytes",
    "peft",
    "transformers",
    "lawqa.training.fit",
    "lawqa.pipelines.experiments.crossval",
]
_POLL_SECONDS = 0.01


class Running:
    """A process that runs a command."""

    def __init__(self, process: BaseProcess, printed: Path) -> None:
        self._process = process
        self._printed = printed

    @property
    def returncode(self) -> int | None:
        """Its exit code, as `subprocess` has it; None while it runs."""
        return self._process.exitcode

    def send_signal(self, signum: signal.Signals) -> None:
        if self._process.is_alive() and self._process.pid is not None:
            os.kill(self._process.pid, signum)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float) -> int:
        """Wait for its end, and return its exit code."""
        self._process.join(timeout)
        if self._process.exitcode is None:
            self.kill()
            raise TimeoutError(f"it did not end within {timeout} s\n{self.printed()[1]}")
        return self._process.exitcode

    def printed(self) -> tuple[str, str]:
        """What it wrote on standard output and standard error so far."""
        out, err = (self._printed / name for name in ("out", "err"))
        return tuple(p.read_text(encoding="utf-8") if p.exists() else "" for p in (out, err))  # type: ignore[return-value]

    def communicate(self, timeout: float) -> tuple[str, str]:
        self.wait(timeout)
        return self.printed()

    def wait_for(self, happened: Callable[[], bool], timeout: float = 60) -> None:
        """Wait until something happened, or the process ended."""
        until = time.monotonic() + timeout
        while self.returncode is None and not happened():
            if time.monotonic() > until:
                raise TimeoutError(f"nothing happened within {timeout} s\n{self.printed()[1]}")
            time.sleep(_POLL_SECONDS)


class Preloaded:
    """Starts them; the first start imports."""

    def __init__(self, folder: Path) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([*_IMPORTED, __name__])
        self._folder = folder
        self._started = 0

    def start(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
        patched: Mapping[str, object] | None = None,
    ) -> Running:
        """Start `lawqa ARGUMENTS` on the CPU, with one thread.

        Args:
            arguments: the command and its flags.
            cwd: its working directory; None for that of the test.
            environment: variables to set.
            patched: values to set before it runs, by module and name with a colon between.
        """
        self._started += 1
        printed = self._folder / f"process{self._started}"
        printed.mkdir()
        given = (list(arguments), cwd or Path.cwd(), dict(environment or {}), dict(patched or {}))
        process = self._context.Process(target=_run, args=(*given, printed))
        process.start()
        return Running(process, printed)

    def launch(
        self,
        arguments: Sequence[str],
        processes: int = 2,
        *,
        directories: Sequence[Path] = (),
        patched: Mapping[str, object] | None = None,
    ) -> list[Running]:
        """Start the processes of one distributed run as `torchrun --nproc-per-node` does.

        Args:
            arguments: the command and its flags.
            processes: how many.
            directories: the working directory of each; that of the test where they are left out.
            patched: as for `start`.
        """
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        shared = {
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            "WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes),
        }  # fmt: skip
        return [
            self.start(
                arguments,
                cwd=directories[rank] if directories else None,
                environment={**shared, "RANK": str(rank), "LOCAL_RANK": str(rank)},
                patched=patched,
            )
            for rank in range(processes)
        ]


def _run(
    arguments: list[str],
    cwd: Path,
    environment: dict[str, str],
    patched: dict[str, object],
    printed: Path,
) -> None:
    """Be the process."""
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(printed / name, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    os.chdir(cwd)
    os.environ.update({"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", **environment})
    import torch

    from lawqa.cli import main

    torch.set_num_threads(1)
    for place, value in patched.items():
        module, name = place.split(":")
        setattr(import_module(module), name, value)
    sys.argv = ["lawqa", *arguments]
    raise SystemExit(main(arguments))
