"""The backend for models in Hugging Face format."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from functools import partial

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.hf.batching import run_batches, run_packed
from lawqa.backends.hf.encoded import Encoded, encode
from lawqa.backends.hf.engine.labels import (
    LabelsAfterText,
    TextLabels,
    continued,
    labels_after_text,
    place_in,
    reasons,
)
from lawqa.backends.hf.engine.sampling import sampling_key
from lawqa.backends.hf.engine.sequence import Finished, Request, ThinkBlocks, Unfit
from lawqa.backends.hf.engine.stops import StopRules
from lawqa.backends.hf.labels import label_token_ids
from lawqa.backends.hf.path_choice import ForwardPath, PathChoice
from lawqa.backends.hf.plain_generation import Written, score_plain, write_plain
from lawqa.backends.hf.plain_model import PlainModel
from lawqa.backends.hf.prefixes import family_order
from lawqa.backends.hf.scoring import (
    NON_FINITE,
    choice_scores,
    fitting_tokens,
    last_logits_shared,
)
from lawqa.backends.hf.self_check import DisagreementError
from lawqa.errors import ConfigError
from lawqa.models.decoder import Decoder
from lawqa.models.device import describe_device, peak_memory_gib
from lawqa.models.load import LoadedModel
from lawqa.prompting import Prompt, render, require_outside
from lawqa.settings import LabelForms
from lawqa.stopwatch import part
from lawqa.templates import template_identity
from lawqa.thinking import THINK, ThinkMarks

__all__ = ["DEFAULT_TOKEN_BUDGET", "HFBackend", "label_token_ids"]

DEFAULT_TOKEN_BUDGET = 8192

logger = logging.getLogger(__name__)


class HFBackend:
    """Asks a loaded model.

    Args:
        loaded: the model.
        token_budget: tokens of one batch when labels are scored or `generate` is transformers' own; None
            for what the free memory holds.
        path: `fast` for the forward pass over flat tokens and the decode engine, where the model is one
            that they know; `plain` for transformers' own forward pass and `generate`.
        adapter: whether the model's adapter, where it has one, is switched on.
        self_check: whether the fast path is compared with transformers before it is used, and left where
            the two disagree; None for on a GPU, whose kernels may be wrong where nobody has tried them.
        label_forms: the written forms of a label that count where labels are scored.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        token_budget: int | None = None,
        *,
        path: ForwardPath = "fast",
        adapter: bool = True,
        self_check: bool | None = None,
        label_forms: LabelForms = "all",
    ) -> None:
        self._loaded = loaded
        self._token_budget = token_budget
        self._label_forms: LabelForms = label_forms
        self._adapter = adapter
        self._self_check = loaded.device.type == "cuda" if self_check is None else self_check
        self._plain = PlainModel(loaded, adapter=adapter)
        self._choice = PathChoice(
            loaded, self._plain, path, adapter=adapter, self_check=self._self_check
        )
        self._used: dict[str, str | int] = {}

    @property
    def chat_template(self) -> str:
        """The tokenizer's own, and what lawqa does beside it (`templates.template_identity`)."""
        return template_identity(self._loaded.tokenizer)

    def render(self, prompt: Prompt) -> str:
        """Return the prompt exactly as it is sent.

        Raises:
            ConfigError: the chat template gives no text for it.
        """
        return render(prompt.messages, self._loaded.tokenizer, thinking=prompt.spec.thinking)

    def without_adapter(self) -> HFBackend:
        """Return the same loaded weights with the adapter switched off.

        Raises:
            ConfigError: there is no adapter.
        """
        if self._loaded.adapter is None:
            raise ConfigError(
                f"{self._loaded.config.model_name} was loaded without an adapter",
                "give --hf-lora-path",
            )
        return HFBackend(
            self._loaded, self._token_budget, path=self._choice.asked, adapter=False,
            self_check=self._self_check, label_forms=self._label_forms,
        )  # fmt: skip

    def describe(self) -> dict[str, object]:
        """Return the model, device, the ways taken so far, and the peak of the memory so far."""
        effect, adapter = self._loaded.effect, self._loaded.adapter
        on = adapter is not None and self._adapter
        return {
            **self._loaded.describe(),
            "device": describe_device(self._loaded.device),
            "peak_memory_gib": peak_memory_gib(self._loaded.device),
            "token_budget": self._token_budget,
            "adapter_on": on,
            "adapter_effect": effect.nats if on and effect else None,
            "adapter_note": effect.note(adapter) if on and effect and adapter else None,
            **({"path": self._choice.taken} if self._choice.taken else {}),
            **self._used,
        }

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        """Return the log-probabilities of the labels from one forward pass; only last positions meet
        `lm_head`.

        Raises:
            BackendError: a label is not a single token for this tokenizer.
            ConfigError: a prompt ends inside an open think block, where no label can follow.
        """
        return self._score([encode(prompt, self._loaded.tokenizer) for prompt in prompts])

    def score_after(
        self, prompts: Sequence[Prompt], texts: Sequence[str]
    ) -> Iterator[ChoiceScores | Failure]:
        """Return the log-probabilities of the labels after each prompt and the text that follows it.

        Raises:
            BackendError: a label is not a single token there.
            ConfigError: a text leaves the think block open in which its prompt ends.
        """
        tokenizer = self._loaded.tokenizer
        pairs = zip(prompts, texts, strict=True)
        return self._score([encode(prompt, tokenizer, text) for prompt, text in pairs])

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        """Return text until any end token, a rule of the settings, or `max_new_tokens`.

        Raises:
            BackendError: there is no room for keys and values, or no token that closes a think block.
        """
        encoded = [encode(prompt, self._loaded.tokenizer) for prompt in prompts]
        if not encoded:
            return iter(())
        with part("kernels"):
            decoder = self._choice.decoder()
        if decoder is not None:
            return self._generate_fast(decoder, encoded, settings)
        return self._generate_plain(encoded, settings)

    def _score(self, encoded: Sequence[Encoded]) -> Iterator[ChoiceScores | Failure]:
        if not encoded:
            return iter(())
        for item in encoded:
            require_outside(item.thought)
        label_ids = label_token_ids(self._loaded.tokenizer, encoded[0].text, self._label_forms)
        with part("kernels"):
            decoder = self._choice.checked_decoder(encoded)
        budget = self._token_budget or (
            DEFAULT_TOKEN_BUDGET if decoder is None else fitting_tokens(decoder)
        )
        self._used["token_budget"] = budget
        logger.debug(
            "scoring %d prompts in batches of %d tokens (%s), %s", len(encoded), budget,
            "as asked for" if self._token_budget else "what the memory holds", self._choice.taken,
        )  # fmt: skip

        def answer(batch: Sequence[Encoded]) -> list[ChoiceScores | Failure]:
            began = time.perf_counter()
            ids = [item.ids for item in batch]
            logits = (
                self._plain.last_logits(ids)
                if decoder is None
                else last_logits_shared(decoder, ids)
            )
            return choice_scores(batch, logits, label_ids, began)

        if decoder is None:
            return run_batches(encoded, lambda item: len(item.ids), budget, answer, _failure)
        order, added = family_order([item.ids for item in encoded])
        return run_packed([encoded[n] for n in order], added, budget, answer, _failure)

    def _generate_fast(
        self, decoder: Decoder, encoded: Sequence[Encoded], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        from lawqa.backends.hf.engine.opening import open_engine  # scored labels need no engine

        loaded = self._loaded
        pairs = [(item, repeat) for repeat in _repeats(settings) for item in encoded]
        requests = [
            Request(
                number, tuple(item.ids), sampling_key(settings.seed, item.prompt.key, repeat),
                settings.max_new_tokens, thinking=_thinks(item),
            )
            for number, (item, repeat) in enumerate(pairs)
        ]  # fmt: skip
        try:
            with part("kernels"):
                engine = open_engine(
                    decoder, requests, settings, loaded.stop_token_ids, loaded.tokenizer,
                    reference=self._plain.last_logits if self._self_check else None,
                    marks=_marks(encoded),
                    labels=self._labels([item for item, _ in pairs], settings),
                )  # fmt: skip
        except DisagreementError as problem:
            self._choice.distrust(str(problem))
            self._choice.decoder()  # writes down which way is taken
            yield from self._generate_plain(encoded, settings)
            return
        self._used |= {"decoding": engine.forward_name, "kv_cache": settings.kv_cache}
        for done in engine.run(requests):
            item, repeat = pairs[done.number]
            if isinstance(done, Unfit):
                yield Failure(item.prompt.key, done.reason, repeat)
                continue
            yield self._completion(item, done, done.seconds, repeat, done.labels)

    def _labels(
        self, encoded: Sequence[Encoded], settings: GenerationSettings
    ) -> LabelsAfterText | None:
        """Return how labels are scored after these prompts' texts; None where that is not asked for."""
        if not settings.score_labels or not any(map(reasons, encoded)):
            return None
        return labels_after_text(
            encoded, self._loaded.tokenizer, self._loaded.device, self._label_forms
        )

    def _think_blocks(
        self, encoded: Sequence[Encoded], settings: GenerationSettings
    ) -> ThinkBlocks | None:
        """Return how think blocks end; None where no completion has one."""
        if not any(map(_thinks, encoded)):
            return None
        from lawqa.backends.hf.engine.opening import think_blocks  # as in `_generate_fast`

        return think_blocks(self._loaded.tokenizer, settings, _marks(encoded))

    def _generate_plain(
        self, encoded: Sequence[Encoded], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        loaded = self._loaded
        if settings.kv_cache != "model":
            self._used["kv_cache"] = "model: transformers' own generation writes the texts"
            logger.warning(
                "--kv-cache %s has no effect: transformers' own generation writes the texts",
                settings.kv_cache,
            )
        stop_ids = loaded.stop_token_ids
        rules = StopRules(settings, stop_ids, loaded.tokenizer)
        blocks = self._think_blocks(encoded, settings)
        labels = self._labels(encoded, settings)

        def answer(batch: Sequence[Encoded], repeat: int) -> list[Completion | Failure]:
            began = time.perf_counter()
            written = write_plain(
                self._plain.generate, [item.ids for item in batch], settings, stop_ids, rules, blocks,
                [sampling_key(settings.seed, item.prompt.key, repeat) for item in batch],
            )  # fmt: skip
            continuations = [
                continued(loaded.tokenizer, item, done.tokens) if done and labels else None
                for item, done in zip(batch, written, strict=True)
            ]
            scored = score_plain(
                self._plain.last_logits,
                [item.ids for item in batch],
                written,
                continuations,
                labels,
            )
            seconds = (time.perf_counter() - began) / len(batch)
            return [
                _failure(item, NON_FINITE, repeat)
                if done is None
                else self._completion(item, done, seconds, repeat, after)
                for item, done, after in zip(batch, written, scored, strict=True)
            ]

        for repeat in _repeats(settings):
            yield from run_batches(
                encoded,
                lambda item: len(item.ids) + settings.max_new_tokens,
                self._token_budget or DEFAULT_TOKEN_BUDGET,
                partial(answer, repeat=repeat),
                partial(_failure, repeat=repeat),
            )

    def _completion(
        self, item: Encoded, done: Finished | Written, seconds: float, repeat: int,
        labels: TextLabels | None,
    ) -> Completion:  # fmt: skip
        text = self._loaded.tokenizer.decode(list(done.tokens), skip_special_tokens=False)
        place = place_in(item, text) if labels else None
        return Completion(
            key=item.prompt.key,
            text=text,
            hit_limit=done.stopped in ("limit", "memory"),
            prompt_text=item.text,
            prompt_tokens=len(item.ids),
            completion_tokens=len(done.tokens),
            seconds=seconds,
            repeat=repeat,
            token_ids=tuple(done.tokens),
            stopped=done.stopped,
            thinking_closed=done.thinking_closed,
            in_thought=item.thought is not None,
            label_logprobs=labels.logprobs if labels else None,
            label_mass=labels.mass if labels else None,
            label_at=place.at if place else None,
            label_after=place.after if place else None,
        )


def _thinks(item: Encoded) -> bool:
    """Return whether the completion begins in a think block, or is asked to open one."""
    return item.prompt.spec.thinking or item.thought is not None


def _marks(encoded: Sequence[Encoded]) -> ThinkMarks:
    """Return the marks of the model's think blocks: those of its prompts, else the usual ones."""
    return next((item.thought for item in encoded if item.thought is not None), THINK)


def _failure(item: Encoded, reason: str, repeat: int = 0) -> Failure:
    return Failure(item.prompt.key, reason, repeat)


def _repeats(settings: GenerationSettings) -> range:
    return range(settings.first_repeat, settings.first_repeat + settings.repeats)
