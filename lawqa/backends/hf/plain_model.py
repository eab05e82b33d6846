"""A model as PEFT and transformers run it: the reference for all faster ways."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.plain_generation import TokenChoice, generate_plain
from lawqa.backends.hf.scoring import last_logits_padded
from lawqa.models.load import LoadedModel


class PlainModel:
    """Transformers' own forward pass and `generate`, on left-padded batches.

    Args:
        loaded: the model.
        adapter: whether its adapter, where it has one, is switched on.
    """

    def __init__(self, loaded: LoadedModel, *, adapter: bool) -> None:
        self._loaded = loaded
        self._adapter = adapter
        pad = loaded.tokenizer.pad_token_id
        # Padded positions are masked, so any id serves where a tokenizer has no padding token.
        self._pad: int = pad if pad is not None else 0

    def last_logits(self, prompts: Sequence[Sequence[int]]) -> torch.Tensor:
        """Return next-token logits, float32, shape [prompts, vocabulary]."""
        with self._as_asked() as model:
            return last_logits_padded(model, prompts, self._pad, self._loaded.device)

    def following_logits(self, prompt: Sequence[int], text: Sequence[int]) -> torch.Tensor:
        """Return next-token logits before each token of a text that follows a prompt, [tokens,
        vocabulary].
        """
        ids = torch.tensor([[*prompt, *text[:-1]]], device=self._loaded.device)
        with self._as_asked() as model, torch.no_grad():
            output = model(input_ids=ids, use_cache=False, logits_to_keep=len(text))
        logits: torch.Tensor = output.logits[0].float()
        return logits

    def generate(
        self,
        prompts: Sequence[Sequence[int]],
        settings: GenerationSettings,
        ends: Sequence[int],
        keys: Sequence[int],
    ) -> list[list[int] | None]:
        """Return tokens after each prompt, as `plain_generation.Generate`."""
        choice = TokenChoice(prompts, settings, keys, ends, self._loaded.device)
        with self._as_asked() as model:
            rows = generate_plain(
                model,
                prompts,
                settings.max_new_tokens,
                ends,
                self._pad,
                self._loaded.device,
                choice,
            )
        broken = choice.broken.tolist()
        return [None if bad else row for row, bad in zip(rows, broken, strict=True)]

    @contextmanager
    def _as_asked(self) -> Iterator[torch.nn.Module]:
        """Lend the model, with or without its adapter; an adapter multiplies in the model's dtype."""
        loaded = self._loaded
        if loaded.adapter is None:
            yield loaded.model
        elif not self._adapter:
            with loaded.model.disable_adapter():
                yield loaded.model
        else:
            half = loaded.dtype != torch.float32
            with torch.autocast(loaded.device.type, dtype=loaded.dtype, enabled=half):
                yield loaded.model
