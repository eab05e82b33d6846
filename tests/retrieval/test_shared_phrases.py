"""Phrases that two texts share."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lawqa.retrieval.shared_phrases import shared_phrases


def test_shared_phrases_are_the_longest_and_not_inside_one_another() -> None:
    phrases = shared_phrases("公開買付けの期間、公告の期間", "公開買付けの期間は公告する。")
    assert phrases == ["公開買付けの期間", "公告"]
    assert shared_phrases("甲乙", "丙丁") == []


def test_a_shared_word_of_two_letters_counts_unless_it_is_only_grammar() -> None:
    assert shared_phrases("転貸をすること", "転貸とは、これをするものをいう") == ["転貸"]


@given(st.text("公開買付けの期間、", max_size=20), st.text("公開買付けの期間。", max_size=20))
def test_shared_phrases_stand_in_both(query: str, text: str) -> None:
    for phrase in shared_phrases(query, text):
        assert phrase in query
        assert phrase in text
