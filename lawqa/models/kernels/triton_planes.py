"""The order of columns in which 4-bit products read their inputs.

Eight 4-bit weights lie in a 32-bit word. Of each 256 columns those come first whose number is 0 modulo 8,
then 1, and so on: the same four bits of 32 words then meet inputs that lie side by side.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

DEPTH = 256
"""Columns that are put in order together: those of one round of a product."""
_WEIGHTS_OF_A_WORD = 8
_DEPTH = tl.constexpr(DEPTH)


def in_planes(x: torch.Tensor) -> torch.Tensor:
    """Return columns in the order of the products.

    Args:
        x: shape [..., columns], a multiple of 256 of them.
    """
    words = DEPTH // _WEIGHTS_OF_A_WORD
    return x.unflatten(-1, (-1, words, _WEIGHTS_OF_A_WORD)).transpose(-1, -2).reshape(x.shape)


@triton.jit
def column_in_planes(column):
    """Return where `in_planes` puts a column."""
    inner = column % _DEPTH
    return column - inner + inner % 8 * (_DEPTH // 8) + inner // 8
