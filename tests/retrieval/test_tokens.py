"""Normalised text as a search engine reads it."""

from __future__ import annotations

import pytest

from lawqa.retrieval.tokens import mark_words, tokenise


def test_tokens_are_bigrams_that_stop_at_punctuation() -> None:
    assert tokenise("株券等、社債 券") == ["株券", "券等", "社債"]


def test_a_number_is_one_character_of_a_token() -> None:
    thirty = tokenise("三十年")
    assert thirty == tokenise("30年")
    assert len(thirty) == 1
    assert not set(thirty) & set(tokenise("0年") + tokenise("3年") + tokenise("130年"))


@pytest.mark.parametrize("number", ["123456789", "4.5%", "2/3", "99999", "65519"])
def test_any_number_is_one_character(number: str) -> None:
    assert len(mark_words(number)) == 1


def test_latin_letters_match_in_either_case() -> None:
    assert tokenise("ＴＯＫＹＯ") == tokenise("tokyo")
