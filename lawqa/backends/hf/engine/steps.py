"""One decoding step for a batch of rows, as plain torch, and its replay as a CUDA graph."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.nn import functional

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.labels import WIDTH, LabelsAfterText
from lawqa.backends.hf.engine.sampling import next_tokens
from lawqa.models.decoder import Decoder
from lawqa.stopwatch import part

_LENGTH_BUCKET = 256

logger = logging.getLogger(__name__)


@dataclass
class Rows:
    """The state of a batch on the device; a step reads it and moves it on by one token."""

    ids: torch.Tensor
    """The token to feed, int64, shape [rows]."""
    positions: torch.Tensor
    """Its position in its sequence, int64, shape [rows]."""
    tables: torch.Tensor
    """The pages of each row's sequence, int32, shape [rows, pages]."""
    keys: torch.Tensor
    """`sampling_key`, int64, shape [rows]."""
    forced: torch.Tensor
    """Tokens that must come next, whatever the model says, int64, shape [rows, most]."""
    forced_counts: torch.Tensor
    """How many of them there are, int64, shape [rows]."""
    whole: torch.Tensor
    """The steps since the state was written in which the model gave numbers, int64, shape [rows]."""
    step: torch.Tensor
    """The number of the step since the state was written, int64, shape [1]."""
    out: torch.Tensor
    """What the steps chose, int64, shape [steps, rows]."""
    labels: torch.Tensor
    """What the steps say of the labels, float32, shape [steps, rows, WIDTH]; of no row where nobody asks."""

    @classmethod
    def empty(
        cls,
        rows: int,
        pages: int,
        forced: int,
        steps: int,
        device: torch.device,
        *,
        labels: bool = False,
    ) -> Rows:
        """Return a state in which no row holds a sequence."""
        scored = torch.zeros(steps, rows if labels else 0, WIDTH, device=device)

        def zeros(*size: int, dtype: torch.dtype = torch.int64) -> torch.Tensor:
            return torch.zeros(size, dtype=dtype, device=device)

        return cls(
            ids=zeros(rows), positions=zeros(rows), tables=zeros(rows, pages, dtype=torch.int32),
            keys=zeros(rows), forced=zeros(rows, forced), forced_counts=zeros(rows),
            whole=zeros(rows), step=zeros(1), out=zeros(steps, rows), labels=scored,
        )  # fmt: skip

    def first(self, rows: int) -> Rows:
        """Return views of the first rows."""
        return Rows(
            self.ids[:rows], self.positions[:rows], self.tables[:rows], self.keys[:rows],
            self.forced[:rows], self.forced_counts[:rows], self.whole[:rows], self.step,
            self.out[:, :rows], self.labels[:, :rows],
        )  # fmt: skip

    def clear(self) -> None:
        """Forget all sequences."""
        for tensor in (self.ids, self.positions, self.tables, self.keys, self.forced,
                       self.forced_counts, self.whole, self.step):  # fmt: skip
            tensor.zero_()


class Forward(Protocol):
    """The part of a step between token ids and the residual stream."""

    fixed_length: bool
    """Whether its launches are the same for all lengths of the sequences."""

    def __call__(self, rows: Rows, longest: int) -> torch.Tensor:
        """Feed `rows.ids`, store their keys and values, and give the residual stream [rows, hidden].

        Args:
            rows: the state.
            longest: no sequence has more tokens than this.
        """


class TorchForward:
    """Decoding in plain torch: every row's keys and values are gathered from their pages.

    Args:
        decoder: the model.
        cache: its pages.
    """

    fixed_length = False

    def __init__(self, decoder: Decoder, cache: PagedCache) -> None:
        self._decoder = decoder
        self._cache = cache

    def __call__(self, rows: Rows, longest: int) -> torch.Tensor:
        """Do the same as `Forward`."""
        page, cache, decoder = self._cache.page, self._cache, self._decoder
        where = torch.arange(longest, device=rows.ids.device)
        slots = rows.tables[:, where // page].long() * page + where % page
        seen = (where[None, :] <= rows.positions[:, None])[:, None, None]
        own = rows.tables.gather(1, (rows.positions // page)[:, None])[:, 0].long() * page
        own = own + rows.positions % page
        grouped = decoder.shape.heads != decoder.shape.kv_heads

        def attend(layer: int, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
            pages = cache.layer(layer)
            pages.store(own, k, v)
            keys, values = pages.read(slots, q.dtype)
            mixed = functional.scaled_dot_product_attention(
                q[:, :, None],
                keys.transpose(1, 2),
                values.transpose(1, 2),
                seen,
                enable_gqa=grouped,
            )
            return mixed[:, :, 0].flatten(1)

        return decoder.forward(rows.ids, rows.positions, attend)


class Stepper:
    """Runs steps: eagerly, or on CUDA as graphs that are captured when first needed.

    Args:
        decoder: the model.
        forward: how a step computes.
        settings: how tokens are chosen.
        state: the rows.
        capacity: no sequence will ever have more tokens than this.
        graphs: whether to capture.
        labels: how steps score labels; None for not.
    """

    def __init__(
        self,
        decoder: Decoder,
        forward: Forward,
        settings: GenerationSettings,
        state: Rows,
        *,
        capacity: int,
        graphs: bool,
        labels: LabelsAfterText | None = None,
    ) -> None:
        self._labels = labels
        self._decoder = decoder
        self._forward = forward
        self._settings = settings
        self._state = state
        self._capacity = capacity
        self._graphs: dict[tuple[int, int], torch.cuda.CUDAGraph] | None = {} if graphs else None
        self._pool: object = None

    def bucket(self, rows: int) -> int:
        """Return the rows that a step for `count` sequences computes."""
        if self._graphs is None:
            return rows
        most = len(self._state.ids)
        steps = (1, 2, 4, 8, *range(16, 128, 16), *range(128, most + 32, 32))
        size: int = min(most, next(step for step in steps if step >= rows))
        return size

    def prepare(self, rows: int, longest: int) -> Callable[[], None]:
        """Return what runs one step of the first rows; the state is cleared if a graph has to be captured.

        Args:
            rows: of a `bucket`.
            longest: no sequence will have more tokens than this.
        """
        if self._graphs is None:
            return lambda: self._step(rows, min(longest, self._capacity))
        length = min(self._capacity, -(-longest // _LENGTH_BUCKET) * _LENGTH_BUCKET)
        length = self._capacity if self._forward.fixed_length else length
        if (rows, length) not in self._graphs:
            graph = self._captured(rows, length)
            if graph is None:
                self._graphs = None
                return self.prepare(rows, longest)
            self._graphs[rows, length] = graph
        replay: Callable[[], None] = self._graphs[rows, length].replay
        return replay

    def _captured(self, rows: int, longest: int) -> torch.cuda.CUDAGraph | None:
        """Return a graph, or None with a logged reason: launched steps are slower, and need no
        memory more.
        """
        try:
            with part("kernels"):
                return self._capture(rows, longest)
        # Drivers, MIG slices and a full memory each fail in their own words, as plain RuntimeErrors too;
        # a step that fails for another reason fails again when it is launched.
        except RuntimeError as problem:
            logger.warning(
                "decoding without CUDA graphs from here on: capturing %d rows failed: %s",
                rows, str(problem)[:300],
            )  # fmt: skip
        torch.cuda.empty_cache()
        self._state.clear()
        return None

    def _step(self, rows: int, longest: int) -> None:
        state = self._state.first(rows)
        with torch.no_grad():
            logits = self._decoder.logits(self._forward(state, longest))
        # NaN in the residual stream makes every logit NaN, so one of them is looked at; it
        # stays in the row's keys and values, so later steps have none either.
        state.whole.add_(logits[:, 0].isfinite() & (state.whole == state.step))
        chosen = next_tokens(logits, self._settings, state.keys, state.positions + 1)
        most = state.forced.shape[1]
        forced = state.forced.index_select(1, state.step.clamp(max=most - 1))[:, 0]
        chosen = torch.where(state.step < state.forced_counts, forced, chosen)
        state.out.index_copy_(0, state.step, chosen[None])
        if self._labels is not None:
            state.labels.index_copy_(0, state.step, self._labels.weights(logits)[None])
        state.ids.copy_(chosen)
        state.positions.add_(1)
        state.step.add_(1)

    def _capture(self, rows: int, longest: int) -> torch.cuda.CUDAGraph:
        logger.debug("capturing a step of %d rows", rows)
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):  # kernels are compiled and chosen before the capture
                self._state.clear()
                self._step(rows, longest)
        torch.cuda.current_stream().wait_stream(stream)
        self._state.clear()
        self._pool = self._pool or torch.cuda.graph_pool_handle()
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool):
            self._step(rows, longest)
        self._state.clear()
        return graph
