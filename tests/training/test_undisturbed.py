"""Asking a model in the middle of its training leaves no trace in it."""

from __future__ import annotations

import random
from contextlib import suppress

import numpy as np
import pytest

pytestmark = pytest.mark.torch


def test_asking_disturbs_neither_modes_nor_random_numbers() -> None:
    import torch

    from lawqa.training.undisturbed import undisturbed

    model = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Linear(2, 2))
    model[1].eval()

    def drawn() -> tuple[object, ...]:
        return torch.rand(1).item(), random.random(), float(np.random.rand())  # noqa: S311

    def from_the_start() -> None:
        torch.manual_seed(1)
        random.seed(1)
        np.random.seed(1)

    from_the_start()
    expected = drawn()
    from_the_start()
    with suppress(KeyError), undisturbed(model):
        assert not model[0].training
        drawn()
        raise KeyError
    assert drawn() == expected
    assert [module.training for module in model] == [True, False]
