"""An attribute that is worked out once, and for each object by itself."""

from __future__ import annotations

from lawqa.answers.text.lazy import lazy


class Word:
    """A word that counts how often its length was worked out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.times = 0

    @lazy
    def size(self) -> int:
        """How long it is."""
        self.times += 1
        return len(self.text)


def test_it_is_worked_out_when_first_asked_for_and_kept() -> None:
    one, other = Word("正解"), Word("b")
    assert one.times == 0
    assert (one.size, one.size, other.size) == (2, 2, 1)
    assert (one.times, other.times) == (1, 1)
