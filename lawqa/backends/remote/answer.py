"""One answer of a chat endpoint, the same for every protocol."""

from __future__ import annotations

from dataclasses import dataclass

from lawqa.backends.base import GenerationSettings
from lawqa.backends.remote.reading import Listed, OddAnswerError, needed_count
from lawqa.backends.remote.text import WrittenText


@dataclass(frozen=True)
class AnswerFields:
    """How a protocol writes what `ChatAnswer` reads of it."""

    reason: str
    """The field that says why a text ended."""
    ended: tuple[str, ...]
    """Its values for a text that the model ended."""
    cut: tuple[str, ...]
    """Its values for a text that ran into the limit of new tokens."""
    count: str
    """The field with the length of the text in tokens."""


@dataclass(frozen=True)
class ChatAnswer:
    """One answer of a chat endpoint."""

    content: str
    """The text; empty where there is none."""
    thinking: str
    """What the server took out of the text as thinking; empty where nothing was."""
    ended: str | None
    """The reason why it ended as the server wrote it; None where the server gives none."""
    prompt_tokens: int | None
    """The length of the prompt; None where the server does not report it."""
    completion_tokens: int | None
    """The length of the text; None where the server does not report it."""
    first_tokens: Listed | None
    """The likeliest first tokens; empty where nothing was written, None where the server lists none."""
    fields: AnswerFields
    fingerprint: str | None = None
    """Of the server's build and settings."""

    def written(self, settings: GenerationSettings) -> WrittenText:
        """Return what the model wrote.

        Raises:
            RequestError: it ended for an unknown reason, so it may not be whole; or its length is missing.
        """
        return WrittenText(
            content=self.content,
            thinking=self.thinking,
            hit_limit=self._hit_limit(settings.max_new_tokens),
            tokens=needed_count(self.completion_tokens, self.fields.count),
        )

    def _hit_limit(self, max_new_tokens: int) -> bool:
        """Return whether the text ran into the limit; decided by its length where the server
        gives no reason.
        """
        if self.ended is None:
            return (self.completion_tokens or 0) >= max_new_tokens
        if self.ended in self.fields.cut:
            return True
        if self.ended in self.fields.ended:
            return False
        raise OddAnswerError(f"{self.fields.reason} is neither stop nor length", self.ended)
