"""The GPU made ready by a thread while torch is imported.

The driver needs .4 s for what a process's first call to the GPU waits for: to find the devices, and to make
this process's context on one of them. None of it is Python, so it costs nothing beside an import.
"""

from __future__ import annotations

import ctypes
import logging
import os
from collections.abc import Callable
from threading import Thread
from typing import Any

logger = logging.getLogger(__name__)

_DRIVER = "libcuda.so.1"


def make_card_ready(load: Callable[[str], Any] = ctypes.CDLL) -> Thread:
    """Begin to make the GPU ready that `pick_device` will pick; torch takes over what is there.

    Nothing is said of a machine without a GPU, or of one that fails: torch meets the same, and is asked.

    Args:
        load: opens the driver's library; calls of its functions must let the interpreter run.

    Returns:
        The thread that does it.
    """
    thread = Thread(target=_make_ready, args=(load,), name="card", daemon=True)
    thread.start()
    return thread


def _make_ready(load: Callable[[str], Any]) -> None:
    number = os.environ.get("LOCAL_RANK", "0")
    if not number.isdecimal():
        return
    try:
        driver = load(_DRIVER)
    except OSError:
        return
    device, context = ctypes.c_int(), ctypes.c_void_p()
    failed = (
        driver.cuInit(0)
        or driver.cuDeviceGet(ctypes.byref(device), int(number))
        or driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device)
    )
    if failed:
        logger.debug("the GPU is left to torch: the driver's error %d", failed)
