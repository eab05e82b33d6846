"""In which words questions are put."""

from __future__ import annotations

from dataclasses import dataclass, field

from lawqa.settings.accepted import Settings
from lawqa.settings.declared import RESULT, by_content

STANDARD_PROMPT = "standard"
"""The wording that is used where none is named."""


@dataclass(frozen=True, kw_only=True)
class WordingSettings(Settings):
    """In which words questions are put."""

    # By content: the spec's id and hash are what is compared.
    prompt: str = field(default=STANDARD_PROMPT, metadata=by_content(RESULT))
    """The wording of the prompts, by its id; `lawqa prompts` lists them."""
