"""The backend for models in Hugging Face format."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from transformers import GenerationConfig

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.hf.batching import left_padded, run_batches
from lawqa.backends.hf.device import describe_device, peak_memory_gib
from lawqa.backends.hf.load import LoadedModel
from lawqa.choices import LABELS
from lawqa.errors import BackendError
from lawqa.prompting import ChatTokenizer, Prompt, render

DEFAULT_TOKEN_BUDGET = 8192

# What a label can look like as the next token; each is used where the tokenizer has it as one token.
_FORMS = ("{lower}", " {lower}", "{upper}", " {upper}", "{wide_lower}", "{wide_upper}")
_TO_WIDE = 0xFEE0  # from ASCII to the full-width block


@dataclass(frozen=True)
class _Encoded:
    prompt: Prompt
    text: str
    ids: list[int]


class HFBackend:
    """Asks a loaded model.

    Args:
        loaded: the model.
        token_budget: padded tokens of one batch.
    """

    def __init__(self, loaded: LoadedModel, token_budget: int = DEFAULT_TOKEN_BUDGET) -> None:
        self._loaded = loaded
        self._token_budget = token_budget
        tokenizer = loaded.tokenizer
        # Padded positions are masked, so any id serves where a tokenizer has no padding token.
        self._pad: int = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0

    @property
    def chat_template(self) -> str:
        """The tokenizer's own."""
        return str(self._loaded.tokenizer.chat_template or "")

    def describe(self) -> dict[str, Any]:
        """Model, device, and the peak of its memory so far."""
        return {
            **self._loaded.describe(),
            "device": describe_device(self._loaded.device),
            "peak_memory_gib": peak_memory_gib(self._loaded.device),
            "token_budget": self._token_budget,
        }

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        """Log-probabilities of the labels from one forward pass; only last positions meet `lm_head`.

        Raises:
            BackendError: a label is not a single token for this tokenizer.
        """
        encoded = [self._encode(prompt) for prompt in prompts]
        if not encoded:
            return iter(())
        label_ids = label_token_ids(self._loaded.tokenizer, encoded[0].text)
        return run_batches(
            encoded,
            lambda item: len(item.ids),
            self._token_budget,
            lambda batch: self._score(batch, label_ids),
            lambda item, reason: Failure(item.prompt.key, reason),
        )

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        """Text until any end token or `max_new_tokens`; greedy where the temperature is 0."""
        encoded = [self._encode(prompt) for prompt in prompts]
        torch.manual_seed(settings.seed)
        return run_batches(
            encoded,
            lambda item: len(item.ids) + settings.max_new_tokens,
            self._token_budget,
            lambda batch: self._generate(batch, settings),
            lambda item, reason: Failure(item.prompt.key, reason),
        )

    def _encode(self, prompt: Prompt) -> _Encoded:
        tokenizer = self._loaded.tokenizer
        text = render(prompt.messages, tokenizer, thinking=prompt.spec.thinking)
        return _Encoded(prompt, text, tokenizer.encode(text, add_special_tokens=False))

    def _precision(self) -> AbstractContextManager[Any]:
        """As in training: an adapter's float32 weights are multiplied in the model's dtype."""
        if self._loaded.adapter is None or self._loaded.dtype == torch.float32:
            return nullcontext()
        autocast: AbstractContextManager[Any] = torch.autocast(
            self._loaded.device.type, dtype=self._loaded.dtype
        )
        return autocast

    def _score(self, batch: Sequence[_Encoded], label_ids: list[list[int]]) -> list[ChoiceScores]:
        start = time.perf_counter()
        inputs = left_padded([item.ids for item in batch], self._pad, self._loaded.device)
        with torch.no_grad(), self._precision():
            logits = self._loaded.model(**inputs, use_cache=False, logits_to_keep=1).logits
        logprobs = logits[:, -1].float().log_softmax(dim=-1)
        per_label = torch.stack([logprobs[:, ids].logsumexp(dim=-1) for ids in label_ids], dim=-1)
        mass = per_label.logsumexp(dim=-1, keepdim=True)
        normalised, masses = (per_label - mass).tolist(), mass.exp()[:, 0].tolist()
        seconds = (time.perf_counter() - start) / len(batch)
        return [
            ChoiceScores(
                key=item.prompt.key,
                logprobs=(row[0], row[1], row[2], row[3]),
                label_mass=min(total, 1.0),
                prompt_text=item.text,
                prompt_tokens=len(item.ids),
                seconds=seconds,
            )
            for item, row, total in zip(batch, normalised, masses, strict=True)
        ]

    def _generate(
        self, batch: Sequence[_Encoded], settings: GenerationSettings
    ) -> list[Completion]:
        start = time.perf_counter()
        inputs = left_padded([item.ids for item in batch], self._pad, self._loaded.device)
        del inputs["position_ids"]  # generate derives them from the mask, step by step
        sampling: dict[str, Any] = {"do_sample": False}
        if settings.temperature > 0:
            sampling = {
                "do_sample": True,
                "temperature": settings.temperature,
                "top_k": 0,
                "top_p": 1.0,
            }
        with torch.no_grad(), self._precision():
            output = self._loaded.model.generate(
                **inputs,
                generation_config=GenerationConfig(
                    max_new_tokens=settings.max_new_tokens,
                    eos_token_id=list(self._loaded.stop_token_ids),
                    pad_token_id=self._pad,
                    **sampling,
                ),
            )
        rows = output[:, inputs["input_ids"].shape[1] :].tolist()
        seconds = (time.perf_counter() - start) / len(batch)
        return [self._completion(item, row, seconds) for item, row in zip(batch, rows, strict=True)]

    def _completion(self, item: _Encoded, row: list[int], seconds: float) -> Completion:
        stops = set(self._loaded.stop_token_ids)
        length = next((i for i, token in enumerate(row) if token in stops), None)
        tokens = row if length is None else row[:length]
        return Completion(
            key=item.prompt.key,
            text=self._loaded.tokenizer.decode(tokens, skip_special_tokens=False),
            hit_limit=length is None,
            prompt_text=item.text,
            prompt_tokens=len(item.ids),
            completion_tokens=len(tokens),
            seconds=seconds,
        )


def label_token_ids(tokenizer: ChatTokenizer, prompt_text: str) -> list[list[int]]:
    """For each label the tokens that spell it as the next token after this prompt.

    Lower and upper case, with and without a space before it, half and full width.

    Raises:
        BackendError: some label has no form of a single token there.
    """
    before = tokenizer.encode(prompt_text, add_special_tokens=False)
    found: list[list[int]] = []
    for label in LABELS:
        wide = chr(ord(label) + _TO_WIDE)
        forms = {
            form.format(
                lower=label,
                upper=label.upper(),
                wide_lower=wide,
                wide_upper=chr(ord(label.upper()) + _TO_WIDE),
            )
            for form in _FORMS
        }
        encoded = [tokenizer.encode(prompt_text + form, add_special_tokens=False) for form in forms]
        single = {ids[-1] for ids in encoded if ids[:-1] == before}
        if not single:
            raise BackendError(
                f"label {label!r} is not a single token for this tokenizer", "--answer-by generate"
            )
        found.append(sorted(single))
    if len({token for ids in found for token in ids}) != sum(map(len, found)):
        raise BackendError("two labels share a token for this tokenizer", "--answer-by generate")
    return found
