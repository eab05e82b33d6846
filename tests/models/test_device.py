"""What a device is said to have."""

from __future__ import annotations

import pytest
import torch

from lawqa.models.device import free_bytes

pytestmark = pytest.mark.torch

GIB = 2**30


@pytest.mark.parametrize(
    ("fraction", "free", "expected", "in_one_piece"),
    [
        (0.5, 60, 8, 5),  # 20 GiB allowed, 12 of them held by tensors, 15 reserved
        (1.0, 6, 9, 6),  # others use the card
        (0.3, 60, 0, -3),
    ],
)
def test_gaps_between_tensors_are_no_room_for_a_large_one(
    monkeypatch: pytest.MonkeyPatch, fraction: float, free: int, expected: int, in_one_piece: int
) -> None:
    """Loading leaves gaps: a cache of keys and values that counted them ended in "out of memory"."""
    given_back: list[bool] = []
    reserved = {False: 18, True: 15}
    for name, value in {
        "mem_get_info": lambda _: ((free if given_back else free - 3) * GIB, 40 * GIB),
        "memory_allocated": lambda _: 12 * GIB,
        "memory_reserved": lambda _: reserved[bool(given_back)] * GIB,
        "get_per_process_memory_fraction": lambda _: fraction,
        "empty_cache": lambda: given_back.append(True),
    }.items():
        monkeypatch.setattr(torch.cuda, name, value)
    device = torch.device("cuda", 0)
    assert free_bytes(device) == expected * GIB
    assert not given_back
    assert free_bytes(device, in_one_piece=True) == in_one_piece * GIB
