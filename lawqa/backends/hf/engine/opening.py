"""The engine for a loaded model: which kernels, how large a cache, how long the prefills."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeAlias

import torch

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.engine.cache import PAGE, PagedCache, workspace_bytes
from lawqa.backends.hf.engine.labels import LabelsAfterText
from lawqa.backends.hf.engine.loop import Engine, EngineOptions
from lawqa.backends.hf.engine.sequence import Request, ThinkBlocks
from lawqa.backends.hf.engine.steps import Forward, TorchForward
from lawqa.backends.hf.engine.stops import StopRules
from lawqa.backends.hf.self_check import (
    DisagreementError,
    ReferenceLogits,
    checked_prompts,
    decoding_disagreement,
)
from lawqa.errors import BackendError
from lawqa.models.decoder import Decoder
from lawqa.models.device import free_bytes
from lawqa.models.kernels.triton_probe import triton_obstacle
from lawqa.thinking import THINK, ThinkMarks

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# The 4-bit products work on up to 128 rows at a time: a step of 129 takes as long as two.
_MOST_ROWS_CUDA, _MOST_ROWS_CPU = 128, 16
_PREFILL_TOKENS_CUDA, _PREFILL_TOKENS_CPU = (8192, 4096), (2048,)
"""Tokens of a prefill, the first that leaves room for the pages of all rows. Weights are decoded from 4 bits,
and kernels launched, once a prefill; but where memory is short another row gains more than that costs."""
_STEPS_CUDA = 8
_NO_TOKEN = -1

ForwardMaker: TypeAlias = Callable[[Decoder, PagedCache], Forward]

logger = logging.getLogger(__name__)


def open_engine(
    decoder: Decoder,
    requests: Sequence[Request],
    settings: GenerationSettings,
    stop_ids: Sequence[int],
    tokenizer: PreTrainedTokenizerBase,
    *,
    kernels: bool = True,
    graphs: bool = True,
    reference: ReferenceLogits | None = None,
    marks: ThinkMarks = THINK,
    labels: LabelsAfterText | None = None,
) -> Engine:
    """Return an engine for these requests, with a cache from the memory that is free.

    Args:
        decoder: the model.
        requests: what will be asked of it.
        settings: how tokens are chosen and when a completion ends.
        stop_ids: tokens that end a turn.
        tokenizer: of the model.
        kernels: whether Triton kernels may be used where they can.
        graphs: whether steps may be captured on CUDA.
        reference: what steps are compared with before they are used; None for no comparison.
        marks: of the model's think blocks.
        labels: how labels are scored where completions end; None for not.

    Raises:
        BackendError: the memory holds no useful cache, or the tokenizer cannot close a think block.
        DisagreementError: even steps in plain torch do not give the reference's probabilities.
    """
    cuda = decoder.device.type == "cuda"
    longest = max(len(request.ids) + request.limit for request in requests)
    longest_prompt = max(len(request.ids) for request in requests)
    steps = _STEPS_CUDA if cuda else 1
    eight_bit = settings.kv_cache == "int8"
    rows = min(len(requests), _MOST_ROWS_CUDA if cuda else _MOST_ROWS_CPU)
    fused, extra = _fused_forwards(decoder) if cuda and kernels else ([], 0)
    compared = checked_prompts([request.ids for request in requests])
    expected = None if reference is None else reference(compared)
    free = free_bytes(decoder.device, in_one_piece=True)
    # Main memory is also that of everybody else on the machine.
    room = (free if cuda else free // 2) - extra
    reach = longest + steps + (labels.most_added if labels else 0)
    pages, prefill = _divided(decoder, room, rows, reach, longest_prompt, eight_bit=eight_bit)
    if pages < 1:
        raise BackendError(
            f"{free / 2**30:.1f} GiB of {'GPU' if cuda else 'main'} memory are free: too little to keep "
            "keys and values",
            "end what else takes it, or take a smaller model",
        )
    cache = PagedCache(decoder.shape, decoder.dtype, decoder.device, pages, eight_bit=eight_bit)
    forward = _trusted([*fused, TorchForward], decoder, cache, compared, expected, rows)
    thinks = any(request.thinking for request in requests)
    thinking = think_blocks(tokenizer, settings, marks) if thinks else None
    logger.debug(
        "decoding with %s, %s graphs, %d rows, a cache of %d tokens",
        type(forward).__name__, "CUDA" if cuda and graphs else "no", rows, pages * PAGE,
    )  # fmt: skip
    return Engine(
        decoder, cache, forward, settings, StopRules(settings, stop_ids, tokenizer), thinking,
        EngineOptions(rows, prefill, steps, graphs=cuda and graphs), labels,
    )  # fmt: skip


def _divided(
    decoder: Decoder, room: int, rows: int, reach: int, longest_prompt: int, *, eight_bit: bool
) -> tuple[int, int]:
    """Divide memory between keys and values and the passes that compute those of prompts.

    Args:
        decoder: the model.
        room: bytes.
        rows: sequences that run at once.
        reach: the most tokens of a sequence.
        longest_prompt: its tokens; it is computed in one piece, however long a prefill is.
        eight_bit: whether keys and values are stored in 8 bits.

    Returns:
        Pages of keys and values, not positive where nothing fits, and tokens of a prefill.
    """
    page_bytes = decoder.shape.cache_bytes(decoder.dtype, eight_bit=eight_bit) * PAGE
    wanted = rows * -(-reach // PAGE)
    tokens = _PREFILL_TOKENS_CUDA if decoder.device.type == "cuda" else _PREFILL_TOKENS_CPU
    pages = prefill = 0
    for prefill in tokens:
        beside = workspace_bytes(decoder, max(prefill, longest_prompt), rows)
        pages = min(wanted, (room - beside) // page_bytes - 1)
        if pages == wanted:
            break
    return pages, prefill


def _fused_forwards(decoder: Decoder) -> tuple[list[ForwardMaker], int]:
    """Return the classes of fused forward passes, the fastest first, and the bytes of one of them.

    A reason is logged for each that cannot be used.
    """
    reason = triton_obstacle(decoder.device)
    if reason is None:
        from lawqa.backends.hf.engine.triton_forward import (
            GluonForward,
            TritonForward,
            extra_bytes,
            fused_step_obstacle,
        )
        from lawqa.models.kernels.nf4_products import gluon_obstacle

        reason = fused_step_obstacle(decoder)
        if reason is None:
            older = gluon_obstacle()
            if older is None:
                return [GluonForward, TritonForward], extra_bytes(decoder)
            logger.info("note: 4-bit products by slower kernels: %s", older)
            return [TritonForward], extra_bytes(decoder)
    logger.warning("decoding without fused kernels: %s", reason)
    return [], 0


def _trusted(
    kinds: Sequence[ForwardMaker], decoder: Decoder, cache: PagedCache, prompts: Sequence[Sequence[int]],
    expected: torch.Tensor | None, rows: int,
) -> Forward:  # fmt: skip
    """Return the first kind of step that gives the expected logits; a reason is logged for each before it."""
    reason = ""
    for kind in kinds:
        forward = kind(decoder, cache)
        if expected is None:
            return forward
        disagreement = _disagreement(decoder, cache, forward, prompts, expected, rows)
        if disagreement is None:
            return forward
        reason = disagreement
        logger.warning("decoding without %s: %s", type(forward).__name__, reason)
        del forward  # what it keeps beside the model is gone before the next one keeps its own
        cache.clear()
    raise DisagreementError(reason)


def _disagreement(
    decoder: Decoder, cache: PagedCache, forward: Forward, prompts: Sequence[Sequence[int]],
    expected: torch.Tensor, rows: int,
) -> str | None:  # fmt: skip
    """Return why steps cannot be used (other logits, or kernels that do not run here); None where they can.

    Raises:
        torch.OutOfMemoryError: the memory is full.
        RuntimeError: steps in plain torch fail, or the card reports an error.
    """
    try:
        return decoding_disagreement(decoder, cache, forward, prompts, expected, rows)
    except torch.OutOfMemoryError:
        raise
    # Triton's compiler, its launcher and the driver raise errors of many types.
    except Exception as problem:
        if isinstance(forward, TorchForward) or "CUDA error" in str(problem):
            raise
        return f"{type(problem).__name__}: {str(problem)[:200]}"


def think_blocks(
    tokenizer: PreTrainedTokenizerBase, settings: GenerationSettings, marks: ThinkMarks = THINK
) -> ThinkBlocks:
    """Return how think blocks end for a tokenizer; with no token for it, they are never seen to end.

    Args:
        tokenizer: of the model.
        settings: with the thinking budget.
        marks: of the model's think blocks.

    Raises:
        BackendError: there is a thinking budget, and no token that ends a block.
    """
    end = tokenizer.encode(marks.closing, add_special_tokens=False)
    if len(end) != 1:
        if settings.thinking_budget is not None and not settings.budget_required:
            logger.warning(
                "think blocks have no budget: %s is not a single token for this tokenizer",
                marks.closing,
            )
        if settings.thinking_budget is None or not settings.budget_required:
            return ThinkBlocks(_NO_TOKEN, (), None)
        raise BackendError(
            f"--thinking-budget: {marks.closing} is not a single token for this tokenizer",
            "leave --thinking-budget out",
        )
    closing = tokenizer.encode(marks.ending, add_special_tokens=False)
    return ThinkBlocks(end[0], tuple(closing), settings.thinking_budget)
