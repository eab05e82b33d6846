"""Run lawqa's command line, killed at the KILL_AT-th training batch or answer: lawqa_killed.py ARGUMENTS."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from typing import Any
from unittest.mock import patch

from transformers import Trainer

from lawqa.cli import main
from lawqa.runs.result_log import ResultLog

times = itertools.count(1)


def killing(function: Any) -> Any:
    """Return the function, ending as the out-of-memory killer does at its KILL_AT-th call."""

    def counted(*args: Any, **kwargs: Any) -> Any:
        if next(times) == int(os.environ["KILL_AT"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)

    return counted


Trainer._prepare_inputs = killing(Trainer._prepare_inputs)
patch.object(ResultLog, "append", killing(ResultLog.append)).start()
sys.exit(main())
