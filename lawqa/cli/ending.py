"""The end of a process that imported torch: at once, after threads, exit functions and output."""

from __future__ import annotations

import atexit
import os
import sys
import threading
from typing import NoReturn

_TORCH = "torch"


def end(code: int) -> NoReturn:
    """End this process with a code.

    Taking torch and a loaded model apart object by object takes seconds, and the system frees their memory
    anyway. So threads are waited for, what was registered with `atexit` runs, and output is flushed, in the
    order in which the interpreter does it; what it would do after that is left out.

    Raises:
        SystemExit: torch was not imported, or output cannot be flushed, which the interpreter then reports.
    """
    if _TORCH not in sys.modules:
        sys.exit(code)
    threading._shutdown()  # type: ignore[attr-defined]  # as the interpreter does, executors' threads included
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        sys.exit(code)
    os._exit(code)
