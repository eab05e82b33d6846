"""Label scores after a text, from the pages in which it lies: the cue is fed, the label is not written."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from lawqa.backends.hf.encoded import Encoded
from lawqa.backends.hf.labels import label_token_ids
from lawqa.backends.label_place import LabelPlace, label_place
from lawqa.choices import FINAL_ANSWER_CUE, LABELS
from lawqa.errors import BackendError
from lawqa.settings import LabelForms
from lawqa.thinking import THINK, open_thought

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

WIDTH = len(LABELS) + 1
"""Numbers of a row of scores: the log of each label's weight, and of that of the whole vocabulary."""

_ROOM = 16  # tokens of a text whose end is cut off within one, spelled again

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Continuation:
    """How a finished text is continued up to the place of its label."""

    kept: int
    """Tokens of the text that stay."""
    added: tuple[int, ...]
    """Tokens that follow them."""


@dataclass(frozen=True)
class LabelsAfterText:
    """What it takes to score labels where completions end."""

    label_ids: Sequence[torch.Tensor]
    """The tokens that spell each label, where the logits are: a captured step can copy nothing there."""
    most_added: int
    """No continuation adds more tokens; one that would is not scored."""
    continuation: Callable[[int, Sequence[int]], Continuation]
    """By a request's number and the tokens of its text."""

    def weights(self, logits: torch.Tensor) -> torch.Tensor:
        """Return what logits [rows, vocabulary] say of the labels: float32, shape [rows, WIDTH]."""
        each = [logits.index_select(1, ids).logsumexp(dim=-1) for ids in self.label_ids]
        return torch.stack([*each, logits.logsumexp(dim=-1)], dim=-1)


@dataclass(frozen=True)
class TextLabels:
    """The labels after a text."""

    logprobs: tuple[float, float, float, float]
    """Normalised over the four."""
    mass: float
    """The probability of any label there, 0 to 1."""


def text_labels(weights: torch.Tensor) -> TextLabels | None:
    """Return the probabilities of one row of `weights`; None where they are NaN or infinite."""
    row = weights.double()
    if not bool(row.isfinite().all()):
        return None
    mass = row[:-1].logsumexp(dim=0)
    first, second, third, fourth = (row[:-1] - mass).tolist()
    return TextLabels((first, second, third, fourth), min(float((mass - row[-1]).exp()), 1.0))


def place_in(item: Encoded, text: str) -> LabelPlace:
    """Return where the labels of a prompt's completion are scored."""
    return label_place(
        text,
        item.prompt.spec.mode,
        in_thought=item.thought is not None,
        marks=open_thought(text) or item.thought or THINK,
    )


def reasons(item: Encoded) -> bool:
    """Return whether a completion of this prompt holds reasoning or a think block before its answer."""
    spec = item.prompt.spec
    return spec.mode == "cot" or spec.thinking or item.thought is not None


def labels_after_text(
    encoded: Sequence[Encoded],
    tokenizer: PreTrainedTokenizerBase,
    device: torch.device,
    forms: LabelForms = "all",
) -> LabelsAfterText | None:
    """Return how the labels of these prompts' completions are scored; None with a logged reason.

    Args:
        encoded: the prompts, by the number of their requests.
        tokenizer: of the model.
        device: where logits are.
        forms: the written forms of a label that count.
    """
    try:
        spellings = label_token_ids(tokenizer, f"{encoded[0].text}\n{FINAL_ANSWER_CUE}", forms)
    except BackendError as problem:
        logger.warning("no label probabilities after texts: %s", problem.message)
        return None
    longest = max((item.thought or THINK for item in encoded), key=lambda marks: len(marks.ending))
    cue = tokenizer.encode(f"\n{longest.ending}{FINAL_ANSWER_CUE}", add_special_tokens=False)

    def continuation(number: int, tokens: Sequence[int]) -> Continuation:
        return continued(tokenizer, encoded[number], tokens)

    label_ids = [torch.tensor(ids, device=device) for ids in spellings]
    return LabelsAfterText(label_ids, len(cue) + _ROOM, continuation)


def continued(
    tokenizer: PreTrainedTokenizerBase, item: Encoded, tokens: Sequence[int]
) -> Continuation:
    """Return how a text is continued to the place of its label; a token across it is spelled again."""
    text = tokenizer.decode(list(tokens), skip_special_tokens=False)
    place = place_in(item, text)
    kept = _tokens_within(tokenizer, tokens, text, place.at)
    begun = tokenizer.decode(list(tokens[:kept]), skip_special_tokens=False)
    rest = text[len(begun) : place.at] + place.after
    added = tokenizer.encode(rest, add_special_tokens=False) if rest else []
    return Continuation(kept, tuple(added))


def _tokens_within(
    tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int], text: str, characters: int
) -> int:
    """Return the most tokens whose text is the beginning of this text and no longer than this."""
    if characters >= len(text):
        return len(tokens)
    low, high = 0, len(tokens)
    while low < high:  # the text only grows with its tokens
        middle = (low + high + 1) // 2
        begun = tokenizer.decode(list(tokens[:middle]), skip_special_tokens=False)
        low, high = (middle, high) if len(begun) <= characters else (low, middle - 1)
    # Half a character is decoded as a sign of its own.
    while low and not text.startswith(
        tokenizer.decode(list(tokens[:low]), skip_special_tokens=False)
    ):
        low -= 1
    return low
