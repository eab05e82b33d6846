"""Asking a model in the middle of its training, and leaving the training as if nobody had asked."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


@contextmanager
def undisturbed(model: torch.nn.Module) -> Iterator[None]:
    """Switch to evaluation; afterwards each module's mode and every random number generator are as before.

    The memory that asking took (keys and values, graphs) is given back to the device, since the next
    training step needs it in other sizes.

    Args:
        model: the one that is trained.
    """
    modes = [(module, module.training) for module in model.modules()]
    python, numpy = random.getstate(), np.random.get_state()
    # Those of all GPUs only where CUDA is in use already: asking for them would start it.
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    with torch.random.fork_rng(devices=[]):
        model.eval()
        try:
            yield
        finally:
            for module, mode in modes:
                module.training = mode
            random.setstate(python)
            np.random.set_state(numpy)
            if cuda:
                torch.cuda.set_rng_state_all(cuda)
                torch.cuda.empty_cache()
