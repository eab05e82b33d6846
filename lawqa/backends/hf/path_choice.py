"""Which forward pass answers: ours over flat tokens, or transformers' own."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Literal

from lawqa.backends.hf.encoded import Encoded
from lawqa.backends.hf.plain_model import PlainModel
from lawqa.backends.hf.scoring import last_logits_shared
from lawqa.backends.hf.self_check import checked_prompts, disagreement
from lawqa.models.decoder import Decoder, read_decoder
from lawqa.models.kernels.fallback import kernels_name
from lawqa.models.kernels.triton_probe import fastest_elementwise
from lawqa.models.load import LoadedModel
from lawqa.models.projections import UnsupportedModelError

ForwardPath = Literal["fast", "plain"]

logger = logging.getLogger(__name__)


class PathChoice:
    """Takes the fast path where the model is one that it knows and its probabilities are transformers'.

    Args:
        loaded: the model.
        plain: the same through transformers.
        asked: `plain` for transformers in any case.
        adapter: whether the model's adapter, where it has one, is switched on.
        self_check: whether the two are compared before the fast one is used.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        plain: PlainModel,
        asked: ForwardPath,
        *,
        adapter: bool,
        self_check: bool,
    ) -> None:
        self.asked: ForwardPath = asked
        self.taken: str | None = None
        """The path taken last, and why, for the manifest; None before any."""
        self._loaded = loaded
        self._plain = plain
        self._adapter = adapter
        self._scores_checked = not self_check
        self._distrusted: str | None = None
        self._logged: set[str] = set()

    def decoder(self) -> Decoder | None:
        """Take the model apart, again on every call: an adapter may have been trained in between."""
        loaded = self._loaded
        if self.asked == "plain":
            self.taken = "transformers, as asked for"
            return None
        if self._distrusted is not None:
            self.taken = f"transformers: {self._distrusted}"
            return None
        elementwise = fastest_elementwise(loaded.device)
        try:
            decoder = read_decoder(
                loaded.model, loaded.dtype, adapter=self._adapter, elementwise=elementwise
            )
        except UnsupportedModelError as problem:
            self._log_plain(str(problem))
            self.taken = f"transformers: {problem}"
            return None
        self.taken = f"flat tokens, {kernels_name(elementwise)}"
        return decoder

    def distrust(self, reason: str) -> None:
        """Take transformers' own way from here on, and log why."""
        self._log_plain(reason)
        self._distrusted = reason

    def _log_plain(self, reason: str) -> None:
        """Log once that the slower way is taken, and why."""
        if reason not in self._logged:
            self._logged.add(reason)
            logger.warning("asking through transformers' own forward pass: %s", reason)

    def checked_decoder(self, encoded: Sequence[Encoded]) -> Decoder | None:
        """Return the model taken apart, if its probabilities are those of transformers; looked at once."""
        decoder = self.decoder()
        if decoder is None or self._scores_checked:
            return decoder
        compared = checked_prompts([item.ids for item in encoded])
        reason = disagreement(
            self._plain.last_logits(compared), last_logits_shared(decoder, compared), decoder.dtype
        )
        self._scores_checked = True
        if reason is None:
            return decoder
        self.distrust(reason)
        return self.decoder()
