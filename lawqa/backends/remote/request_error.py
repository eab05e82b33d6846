"""A request to a model server that failed; imports no client."""

from __future__ import annotations

_LONGEST_REASON = 300
# Statuses that may pass: time-outs, too many requests, and a server that starts, stops or is broken.
_PASSING_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class RequestError(Exception):
    """A request that was not answered as it should be.

    Args:
        reason: what went wrong, for the result of the question; shortened where a server sent a page.
        passing: the same request may succeed later.
    """

    def __init__(self, reason: str, *, passing: bool = False) -> None:
        one_line = " ".join(reason.split())
        short = one_line[:_LONGEST_REASON] + ("…" if len(one_line) > _LONGEST_REASON else "")
        super().__init__(short)
        self.reason = short
        self.passing = passing

    @classmethod
    def from_status(cls, status: int, message: str) -> RequestError:
        """Make one of an HTTP status of 300 or more: lawqa follows no redirection."""
        return cls(f"HTTP {status}: {message}", passing=status in _PASSING_STATUSES)
