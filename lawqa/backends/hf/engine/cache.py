"""Keys and values of running sequences, in pages (arXiv:2309.06180), sized from the memory that is free."""

from __future__ import annotations

import math

import numpy as np
import torch

from lawqa.models.decoder import Decoder
from lawqa.models.kernels.pages import Pages
from lawqa.models.shapes import ModelShape

PAGE = 64
"""Tokens of a page; one block of the attention kernel."""


class PagedCache:
    """Key and value pages of all layers, and how many sequences hold each.

    Several may hold a page that none of them writes to any more. Page 0 is given to no sequence: rows of a
    batch that hold none write there.

    Args:
        shape: the model's sizes.
        dtype: of products.
        device: where they live.
        pages: how many pages there are besides page 0.
        page: tokens of a page.
        eight_bit: whether keys and values are stored in 8 bits instead of the dtype of products.
    """

    def __init__(
        self,
        shape: ModelShape,
        dtype: torch.dtype,
        device: torch.device,
        pages: int,
        page: int = PAGE,
        *,
        eight_bit: bool = False,
    ) -> None:
        self.page = page
        self.pages = pages
        self.dtype = dtype
        self.eight_bit = eight_bit
        heads = (shape.layers, (pages + 1) * page, shape.kv_heads)
        size, kind = (*heads, shape.head_dim), torch.int8 if eight_bit else dtype
        # Zeros, not whatever was there: a masked slot is multiplied by 0, and 0 * inf is not 0.
        self.keys, self.values = (_zeros(size, kind, device) for _ in range(2))
        self._scales = [_zeros(heads, torch.float32, device) for _ in range(2 if eight_bit else 0)]
        self._free = list(range(pages, 0, -1))
        self._holders = [0] * (pages + 1)

    @property
    def free(self) -> int:
        """How many pages nobody holds."""
        return len(self._free)

    @property
    def precision(self) -> torch.dtype:
        """A dtype that keeps numbers about as exactly: 8 bits by token and head round as bfloat16 does."""
        return torch.bfloat16 if self.eight_bit else self.dtype

    def layer(self, number: int) -> Pages:
        """Return the pages of one layer."""
        return Pages(*(stored[number] for stored in self._stored()))

    def pages_for(self, tokens: int) -> int:
        """Return how many pages `tokens` tokens fill."""
        return -(-tokens // self.page)

    def take(self, tokens: int) -> list[int] | None:
        """Return pages for `tokens` tokens, or None where too few are free."""
        count = self.pages_for(tokens)
        if count > len(self._free):
            return None
        taken = self._free[len(self._free) - count :]
        del self._free[len(self._free) - count :]
        for page in taken:
            self._holders[page] = 1
        return taken[::-1]

    def share(self, pages: list[int]) -> list[int]:
        """Return the same pages for one holder more.

        Raises:
            ValueError: nobody holds one of them.
        """
        self._require_held(pages)
        for page in pages:
            self._holders[page] += 1
        return list(pages)

    def give_back(self, pages: list[int]) -> None:
        """Take one holder off pages that `take` or `share` gave; without a holder a page is free.

        Raises:
            ValueError: nobody holds one of them.
        """
        self._require_held(pages)
        for page in reversed(pages):
            self._holders[page] -= 1
            if not self._holders[page]:
                self._free.append(page)

    def copy(self, source: int, target: int) -> None:
        """Put one page's keys and values into another page."""
        one, other = (slice(page * self.page, (page + 1) * self.page) for page in (source, target))
        for stored in self._stored():
            stored[:, other] = stored[:, one]

    def erase(self, pages: list[int]) -> None:
        """Forget what the only holder of these pages wrote there; pages that others hold too are left."""
        for page in pages:
            if self._holders[page] == 1:
                slots = slice(page * self.page, (page + 1) * self.page)
                for stored in self._stored():
                    stored[:, slots] = 0

    def clear(self) -> None:
        """Forget all keys and values: what a wrong kernel left there may not be a number."""
        for stored in self._stored():
            stored.zero_()

    def _stored(self) -> list[torch.Tensor]:
        return [self.keys, self.values, *self._scales]

    def _require_held(self, pages: list[int]) -> None:
        loose = [page for page in pages if not self._holders[page]]
        if loose:
            raise ValueError(f"nobody holds the pages {loose}")

    def slots(self, pages: list[int], tokens: int) -> torch.Tensor:
        """Return where the first tokens of a sequence are stored, shape [tokens], on the CPU."""
        positions = torch.arange(tokens)
        return torch.tensor(pages)[positions // self.page] * self.page + positions % self.page


def _zeros(size: tuple[int, ...], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """Return zeros; in main memory those of the kernel, which takes none before something is
    written there.
    """
    if device.type != "cpu":
        return torch.zeros(size, dtype=dtype, device=device)
    untouched = np.zeros(math.prod(size) * dtype.itemsize, dtype=np.uint8)
    return torch.from_numpy(untouched).view(dtype).view(size)


def workspace_bytes(decoder: Decoder, tokens: int, rows: int) -> int:
    """Return the bytes that a prefill of `tokens` tokens and a step of `rows` rows take beside the cache.

    Counted from the tensors that are alive at the widest place, which is the MLP or attention, with a quarter
    as much again for the allocator's rounding and fragments. (On an H200, Qwen3-8B: 0.8 GiB were taken where
    this counts 2.0.)
    """
    shape, size = decoder.shape, decoder.dtype.itemsize
    mlp = 4 * shape.intermediate + 4 * shape.hidden
    attention = 4 * shape.hidden + 6 * (shape.heads + 2 * shape.kv_heads) * shape.head_dim
    dequantised = 2 * shape.intermediate * shape.hidden * size
    logits = rows * shape.vocabulary * 4 * 5
    return int(1.25 * (tokens * max(mlp, attention) * size + dequantised + logits)) + (256 << 20)
