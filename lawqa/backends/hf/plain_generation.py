"""transformers' own `generate` on left-padded batches: the reference, and the way for unknown models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from transformers import GenerationConfig, LogitsProcessor

from lawqa.backends.base import GenerationSettings, StopReason
from lawqa.backends.hf.batching import left_padded
from lawqa.backends.hf.engine.labels import (
    Continuation,
    LabelsAfterText,
    TextLabels,
    text_labels,
)
from lawqa.backends.hf.engine.sampling import next_tokens
from lawqa.backends.hf.engine.sequence import ThinkBlocks
from lawqa.backends.hf.engine.stops import Stop, StopRules

Generate = Callable[
    [Sequence[Sequence[int]], GenerationSettings, Sequence[int], Sequence[int]],
    list[list[int] | None],
]
"""Prompts, settings, stop tokens, sampling keys -> new tokens, perhaps with padding behind a stop token; None
where the logits were NaN or infinite."""


@dataclass(frozen=True)
class Written:
    """One completion."""

    tokens: list[int]
    """Its tokens, without an end token."""
    stopped: StopReason
    """Why it ended."""
    thinking_closed: bool
    """Whether its think block was closed for it."""


class TokenChoice(LogitsProcessor):  # type: ignore[misc]  # transformers is not checked
    """Chooses tokens as the engine does, and remembers which rows had NaN or infinite logits.

    So what is sampled belongs to the row's own key, and not to the batch, as it would with torch's one
    generator.

    Args:
        prompts: token ids of each row, which are padded on the left.
        settings: how tokens are chosen.
        keys: `sampling_key` of each row.
        stop_ids: tokens that end a text; what a row is given afterwards does not matter.
        device: where the logits are.
    """

    def __init__(
        self,
        prompts: Sequence[Sequence[int]],
        settings: GenerationSettings,
        keys: Sequence[int],
        stop_ids: Sequence[int],
        device: torch.device,
    ) -> None:
        self._widest = max(map(len, prompts))
        padding = [self._widest - len(prompt) for prompt in prompts]
        self._padding = torch.tensor(padding, device=device)
        self._stop_ids = torch.tensor(list(stop_ids), dtype=torch.int64, device=device)
        self._settings = settings
        self._keys = torch.tensor(list(keys), device=device)
        self.broken = torch.zeros(len(prompts), dtype=torch.bool, device=device)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return scores of which only the chosen token's is above minus infinity."""
        ended = torch.isin(input_ids[:, self._widest :], self._stop_ids).any(dim=1)
        self.broken |= ~ended & ~scores.amax(dim=-1).isfinite()
        positions = input_ids.shape[1] - self._padding
        chosen = next_tokens(scores.float(), self._settings, self._keys, positions)
        return torch.full_like(scores, -torch.inf).scatter_(1, chosen[:, None], 0.0)


def generate_plain(
    model: torch.nn.Module,
    prompts: Sequence[Sequence[int]],
    max_new_tokens: int,
    stop_ids: Sequence[int],
    pad: int,
    device: torch.device,
    choice: TokenChoice | None = None,
) -> list[list[int]]:
    """Return tokens after each prompt, up to and with a stop token, or `max_new_tokens` of them.

    Args:
        model: a transformers model, or PEFT's wrapper around one.
        prompts: token ids.
        max_new_tokens: the most tokens of one text.
        stop_ids: tokens that end a text.
        pad: the token that pads shorter prompts on the left and shorter texts on the right.
        device: where the model is.
        choice: chooses the tokens; None for the likeliest.
    """
    inputs = left_padded(prompts, pad, device)
    del inputs["position_ids"]  # generate derives them from the mask, step by step
    config = GenerationConfig(
        max_new_tokens=max_new_tokens,
        eos_token_id=list(stop_ids),
        pad_token_id=pad,
        do_sample=False,
    )
    with torch.no_grad(), _without_own_defaults(model):
        output = model.generate(
            **inputs, generation_config=config, logits_processor=[choice] if choice else None
        )
    rows: list[list[int]] = output[:, inputs["input_ids"].shape[1] :].tolist()
    return rows


@contextmanager
def _without_own_defaults(model: torch.nn.Module) -> Iterator[None]:
    """Keep a model's own generation config, such as a repetition penalty, out of ours."""
    wrapped = getattr(model, "get_base_model", None)
    models = [model, wrapped()] if wrapped else [model]
    before = [one.generation_config for one in models]
    for one in models:
        one.generation_config = GenerationConfig()
    try:
        yield
    finally:
        for one, own in zip(models, before, strict=True):
            one.generation_config = own


def write_plain(
    generate: Generate,
    prompts: Sequence[Sequence[int]],
    settings: GenerationSettings,
    stop_ids: Sequence[int],
    rules: StopRules,
    blocks: ThinkBlocks | None,
    keys: Sequence[int],
) -> list[Written | None]:
    """Return completions of one batch; a think block that reaches its budget is closed, and the answer
    follows.

    None for a completion whose logits were NaN or infinite.

    Args:
        generate: writes tokens.
        prompts: token ids.
        settings: how tokens are chosen, and how many at most.
        stop_ids: tokens that end a turn.
        rules: when a completion ends.
        blocks: how think blocks end; None where no prompt begins one.
        keys: `sampling_key` of each completion.
    """
    limit = settings.max_new_tokens
    if blocks is None or blocks.budget is None or blocks.budget >= limit:
        texts = generate(prompts, settings, stop_ids, keys)
        return [
            None if row is None
            else _written(_upto(row, stop_ids), limit, rules, blocks, closed=False)
            for row in texts
        ]  # fmt: skip
    ends, first = {*stop_ids, blocks.end}, replace(settings, max_new_tokens=blocks.budget)
    begun = generate(prompts, first, sorted(ends), keys)
    rows = {n: _upto(row, ends) for n, row in enumerate(begun) if row is not None}
    closed = {n for n, row in rows.items() if row[-1] not in ends}
    for n in closed:
        rows[n].extend(blocks.closing)
    open_ended = [n for n, row in rows.items() if row[-1] not in stop_ids and len(row) < limit]
    if open_ended:
        rest = replace(settings, max_new_tokens=limit - min(len(rows[n]) for n in open_ended))
        longer = generate(
            [[*prompts[n], *rows[n]] for n in open_ended], rest, stop_ids,
            [keys[n] for n in open_ended],
        )  # fmt: skip
        for n, row in zip(open_ended, longer, strict=True):
            rows[n] = [] if row is None else [*rows[n], *_upto(row, stop_ids)]
    return [
        _written(rows[n], limit, rules, blocks, closed=n in closed) if rows.get(n) else None
        for n in range(len(prompts))
    ]


def score_plain(
    last_logits: Callable[[Sequence[Sequence[int]]], torch.Tensor],
    prompts: Sequence[Sequence[int]],
    written: Sequence[Written | None],
    continuations: Sequence[Continuation | None],
    labels: LabelsAfterText | None,
) -> list[TextLabels | None]:
    """Return labels after the texts of one batch, from one more forward pass over prompts and texts.

    Args:
        last_logits: next-token logits of sequences.
        prompts: token ids.
        written: the texts; None for one that failed.
        continuations: how each is continued to the place of its label; None for one that is not scored.
        labels: how labels are scored; None for not.
    """
    scored: list[TextLabels | None] = [None] * len(prompts)
    rows, ids = [], []
    for row, (done, where) in enumerate(zip(written, continuations, strict=True)):
        if done is not None and where is not None:
            rows.append(row)
            ids.append([*prompts[row], *done.tokens[: where.kept], *where.added])
    if ids and labels is not None:
        for row, weights in zip(rows, labels.weights(last_logits(ids)).cpu(), strict=True):
            scored[row] = text_labels(weights)
    return scored


def _upto(row: Sequence[int], ends: Sequence[int] | set[int]) -> list[int]:
    """Cut off the padding: keep all up to and with the first of these tokens."""
    at = next((n for n, token in enumerate(row) if token in ends), len(row))
    return list(row[: at + 1])


def _written(
    row: list[int], limit: int, rules: StopRules, blocks: ThinkBlocks | None, *, closed: bool
) -> Written:
    answer_from: int | None = 0
    if blocks is not None:
        answer_from = row.index(blocks.end) + 1 if blocks.end in row else None
    stop = rules.check(row, 0, limit, answer_from) or Stop(len(row), "limit")
    return Written(row[: stop.length], stop.reason, closed)
