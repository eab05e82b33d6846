"""Generation for many prompts at once: sequences join and leave a running batch (continuous batching).

Keys and values live in pages that a sequence takes as it grows; completions of one prompt share its
pages, and prompts that begin alike those of their beginning. Where pages run out, the sequence that joined
last gives its pages back and is computed again later. A completion's tokens do not depend on when it joined
or beside whom, up to the rounding of the products.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.engine.cache import PagedCache
from lawqa.backends.hf.engine.labels import LabelsAfterText, text_labels
from lawqa.backends.hf.engine.prefill import prefill
from lawqa.backends.hf.engine.queue import SequenceQueue
from lawqa.backends.hf.engine.sampling import next_tokens
from lawqa.backends.hf.engine.sequence import (
    Finished,
    Request,
    Running,
    ThinkBlocks,
    Unfit,
    fill_rows,
)
from lawqa.backends.hf.engine.steps import Forward, Rows, Stepper
from lawqa.backends.hf.engine.stops import StopRules
from lawqa.backends.hf.scoring import NON_FINITE
from lawqa.models.decoder import Decoder
from lawqa.models.device import full_memory_named

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineOptions:
    """How the engine divides its work."""

    max_rows: int
    """The most sequences that run at once."""
    prefill_tokens: int
    """Prompt tokens of one prefill."""
    steps: int
    """Steps between two looks at what was written."""
    graphs: bool
    """Whether steps are captured as CUDA graphs."""


@dataclass
class EngineStats:
    """What the engine has done so far."""

    prefills: int = 0
    prefill_tokens: int = 0
    """Tokens they computed, shared prefixes once."""
    prefill_seconds: float = 0.0
    """Their time."""
    steps: int = 0
    step_rows: int = 0
    """Sequences in them, summed."""
    step_seconds: float = 0.0
    """Their time."""
    preempted: int = 0
    """How often a sequence had to give its pages back."""
    most_rows: int = 0
    """The most sequences at once."""


@dataclass(frozen=True)
class _Prefilled:
    """What a prefill gave, by sequence."""

    chosen: list[int | None]
    """The next token; None where logits are NaN or infinite."""
    labels: torch.Tensor | None
    """Of `LabelsAfterText.weights`; None where no completion was at the place of its label."""


class Engine:
    """Writes completions.

    Args:
        decoder: the model.
        cache: pages for keys and values.
        forward: how a decoding step computes.
        settings: how tokens are chosen.
        rules: when a completion ends.
        thinking: how think blocks end; None where no request has one.
        options: how the work is divided.
        labels: how labels are scored where completions end; None for not.
    """

    def __init__(
        self,
        decoder: Decoder,
        cache: PagedCache,
        forward: Forward,
        settings: GenerationSettings,
        rules: StopRules,
        thinking: ThinkBlocks | None,
        options: EngineOptions,
        labels: LabelsAfterText | None = None,
    ) -> None:
        self.stats = EngineStats()
        self.forward_name = type(forward).__name__
        self._decoder = decoder
        self._cache = cache
        self._forward = forward
        self._settings = settings
        self._rules = rules
        self._thinking = thinking
        self._options = options
        self._labels = labels
        self._prefill_tokens = options.prefill_tokens

    def run(self, requests: Sequence[Request]) -> Iterator[Finished | Unfit]:
        """Write all completions; they come in the order in which they finish."""
        if not requests:
            return
        longest = max(len(request.ids) + request.limit for request in requests)
        added = self._labels.most_added if self._labels else 0
        capacity = longest + added + self._options.steps
        rows = min(self._options.max_rows, len(requests))
        state = Rows.empty(
            rows, self._cache.pages_for(capacity), self._options.steps, self._options.steps,
            self._decoder.device, labels=self._labels is not None,
        )  # fmt: skip
        stepper = Stepper(
            self._decoder, self._forward, self._settings, state,
            capacity=capacity, graphs=self._options.graphs, labels=self._labels,
        )  # fmt: skip
        queue = SequenceQueue(
            self._cache,
            [Running(r, answer_from=None if r.thinking else 0) for r in requests],
            rows=rows,
            steps=self._options.steps,
        )
        while queue:
            joined = queue.admit(self._prefill_tokens)
            if joined:
                yield from self._prefill(joined, queue)
            elif not queue.running:
                yield self._outgrown(queue.give_up())
            else:
                yield from map(self._outgrown, queue.make_room())
                if queue.running:
                    yield from self._decode(stepper, state, queue)
            self.stats.preempted = queue.preempted

    def _prefill(
        self, joined: Sequence[Running], queue: SequenceQueue
    ) -> Iterator[Finished | Unfit]:
        began = time.perf_counter()
        try:
            with full_memory_named():
                given: _Prefilled | None = self._first_tokens(joined)
        except torch.OutOfMemoryError:
            given = None  # leave the handler first: the exception holds the tensors of its frames
        if given is None:
            torch.cuda.empty_cache()
            yield from self._prefill_less(joined, queue)
            return
        seconds = time.perf_counter() - began
        self.stats.prefills += 1
        self.stats.prefill_seconds += seconds
        for row, (sequence, token) in enumerate(zip(joined, given.chosen, strict=True)):
            sequence.cached = sequence.length
            sequence.seconds += seconds / len(joined)
            finished: Finished | Unfit | None
            if sequence.finished is not None and given.labels is not None:
                finished = sequence.ended(text_labels(given.labels[row]))
            elif token is None:
                finished = Unfit(sequence.request.number, NON_FINITE)
            else:
                finished = self._accept(sequence, [token])
            if token is None:
                self._cache.erase(sequence.pages)
            if finished is None:
                queue.running.append(sequence)
            else:
                queue.release(sequence)
                yield finished

    def _prefill_less(
        self, joined: Sequence[Running], queue: SequenceQueue
    ) -> Iterator[Finished | Unfit]:
        """Try smaller prefills after running out of memory, or end a sequence that came alone."""
        if len(joined) == 1:
            queue.release(joined[0])
            yield self._ended_by_memory(joined[0], f"out of memory with {joined[0].length} tokens")
            return
        total = sum(sequence.length for sequence in joined)
        self._prefill_tokens = min(self._prefill_tokens, total) // 2
        logger.warning("out of memory: prefills of %d tokens from here on", self._prefill_tokens)
        queue.put_back(joined)

    def _first_tokens(self, joined: Sequence[Running]) -> _Prefilled:
        """Store keys and values of all known tokens."""
        device = self._decoder.device
        logits, computed = prefill(
            self._decoder, self._cache, [s.known for s in joined], [s.pages for s in joined],
            [s.shared for s in joined],
        )  # fmt: skip
        self.stats.prefill_tokens += computed
        keys = torch.tensor([sequence.request.key for sequence in joined], device=device)
        positions = torch.tensor([sequence.length for sequence in joined], device=device)
        chosen = next_tokens(logits, self._settings, keys, positions).tolist()
        whole = logits.amax(dim=-1).isfinite().tolist()
        scored = self._labels is not None and any(sequence.finished for sequence in joined)
        return _Prefilled(
            [token if right else None for token, right in zip(chosen, whole, strict=True)],
            self._labels.weights(logits).cpu() if scored and self._labels else None,
        )

    def _decode(
        self, stepper: Stepper, state: Rows, queue: SequenceQueue
    ) -> Iterator[Finished | Unfit]:
        steps, running = self._options.steps, queue.running
        self.stats.most_rows = max(self.stats.most_rows, len(running))
        began = time.perf_counter()
        rows = stepper.bucket(len(running))
        longest = max(sequence.length for sequence in running) + steps
        step = stepper.prepare(rows, longest)
        pending = [sequence.pending(steps + 1) for sequence in running]
        fill_rows(state.first(rows), running, pending)
        try:
            with full_memory_named():
                for _ in range(steps):
                    step()
                written: list[list[int]] | None = state.out[:, : len(running)].t().tolist()
        except torch.OutOfMemoryError:
            written = None  # as in a prefill
        if written is None:
            torch.cuda.empty_cache()
            yield from self._decode_fewer(queue)
            return
        share = self._count(steps, len(running), time.perf_counter() - began)
        whole = state.whole[: len(running)].tolist()
        scored = state.labels.cpu() if any(sequence.finished for sequence in running) else None
        for place, (sequence, known, row, right) in enumerate(
            zip(list(running), pending, written, whole, strict=True)
        ):
            sequence.seconds += share
            sequence.cached += steps
            finished: Finished | Unfit | None
            if sequence.finished is not None and scored is not None:
                finished = self._label_scored(sequence, scored[:, place], len(known), right)
            else:
                finished = self._continued(sequence, row[len(known) - 1 : right], right)
            if right < steps:
                # A masked slot is multiplied by 0, and 0 times NaN or infinity is NaN.
                self._cache.erase(sequence.pages)
            if finished is not None:
                running.remove(sequence)
                queue.release(sequence)
                yield finished

    def _count(self, steps: int, rows: int, seconds: float) -> float:
        """Count steps that were taken; returns the seconds of each row."""
        self.stats.steps += steps
        self.stats.step_rows += steps * rows
        self.stats.step_seconds += seconds
        return seconds / rows

    def _label_scored(
        self, sequence: Running, scored: torch.Tensor, known: int, right: int
    ) -> Finished | None:
        """End a written completion whose label was scored in these steps; None where its place is ahead.

        Args:
            sequence: the completion.
            scored: the labels' weights after each step, [steps, labels].
            known: how many tokens were fed that were known before.
            right: how many steps were finite.
        """
        steps = self._options.steps
        if known > steps and right >= steps:
            return None
        return sequence.ended(text_labels(scored[min(known, steps) - 1]))

    def _continued(
        self, sequence: Running, new: Sequence[int], right: int
    ) -> Finished | Unfit | None:
        """Append what was written while `right` steps were finite; the completion if that ends it."""
        finished = self._accept(sequence, new) if new else None
        if right >= self._options.steps:
            return finished
        # A label cannot be scored any more, but the text before it is whole.
        if sequence.finished is not None:
            return sequence.ended(None)
        return finished or Unfit(sequence.request.number, NON_FINITE)

    def _decode_fewer(self, queue: SequenceQueue) -> Iterator[Finished | Unfit]:
        """Try fewer rows after running out of memory in a step, or end a sequence that was alone."""
        if len(queue.running) == 1:
            sequence = queue.running.pop()
            queue.release(sequence)
            yield self._ended_by_memory(sequence, f"out of memory with {sequence.length} tokens")
            return
        queue.halve()
        logger.warning("out of memory: %d rows at once from here on", len(queue.running))

    def _accept(self, sequence: Running, new: Sequence[int]) -> Finished | None:
        """Append what the model wrote; the completion if that ends it."""
        start, request, blocks = len(sequence.tokens), sequence.request, self._thinking
        sequence.tokens.extend(new)
        if sequence.answer_from is None and blocks is not None:
            budget = request.limit if blocks.budget is None else blocks.budget
            within = sequence.tokens[start:budget]
            if blocks.end in within:
                sequence.answer_from = start + within.index(blocks.end) + 1
            elif len(sequence.tokens) >= budget:
                del sequence.tokens[budget:]
        stop = self._rules.check(sequence.tokens, start, request.limit, sequence.answer_from)
        if stop is None and blocks is not None and sequence.answer_from is None:
            self._close_block(sequence, blocks)
            stop = self._rules.check(sequence.tokens, len(sequence.tokens), request.limit)
        sequence.cached = min(sequence.cached, sequence.length - 1)
        if stop is None:
            return None
        tokens = tuple(sequence.tokens[: stop.length])
        finished = Finished(request.number, tokens, stop.reason, sequence.closed, sequence.seconds)
        return None if self._scores(sequence, finished) else finished

    def _scores(self, sequence: Running, finished: Finished) -> bool:
        """Let a written completion run on to the place of its label, where labels are scored."""
        if self._labels is None:
            return False
        continuation = self._labels.continuation(finished.number, finished.tokens)
        if len(continuation.added) > self._labels.most_added:
            return False
        sequence.continue_to_labels(finished, continuation)
        return True

    def _close_block(self, sequence: Running, blocks: ThinkBlocks) -> None:
        if blocks.budget is None or len(sequence.tokens) < blocks.budget:
            return
        # What was fed beyond the budget is overwritten when the closing tokens are fed.
        sequence.cached = min(sequence.cached, sequence.length)
        sequence.tokens.extend(blocks.closing)
        sequence.answer_from = len(sequence.tokens)
        sequence.closed = True

    def _outgrown(self, sequence: Running) -> Finished | Unfit:
        room = self._cache.pages * self._cache.page
        return self._ended_by_memory(
            sequence,
            f"out of memory: {sequence.reach(self._options.steps)} tokens, and the cache of keys and "
            f"values holds {room}",
        )

    def _ended_by_memory(self, sequence: Running, reason: str) -> Finished | Unfit:
        """Return what has been written is kept, and judged like any text that reached a limit."""
        number = sequence.request.number
        if sequence.finished is not None:
            logger.warning("no label probabilities after a completion: %s", reason)
            return sequence.ended(None)
        if not sequence.tokens:
            return Unfit(number, reason)
        logger.warning("a completion ends after %d tokens: %s", len(sequence.tokens), reason)
        tokens = tuple(sequence.tokens)
        return Finished(number, tokens, "memory", sequence.closed, sequence.seconds)
