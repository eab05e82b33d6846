"""Words of a short query: cut by scripts and pairs of kanji, or by SudachiPy where that is asked for."""

from __future__ import annotations

import pytest

from lawqa.retrieval.queries.words import by_rules, other_spellings

LEASE, CIVIL = "借地借家法", "民法"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("正当事由", ["正当", "事由"]),
        ("債務不履行", ["債務", "不履行"]),
        ("賃借人", ["賃借人"]),
        ("建物の賃貸借", ["建物", "賃貸借"]),
        ("インサイダー取引", ["インサイダー", "取引"]),
        ("しきききん", ["しきききん"]),
        ("", []),
    ],
)
def test_words_by_rules(text: str, words: list[str]) -> None:
    assert by_rules(text) == words


def test_statutes_spell_everyday_words_and_okurigana_otherwise() -> None:
    assert "賃貸人" in other_spellings("大家から")
    assert "取消" in other_spellings("契約を取り消し")
    assert other_spellings("正当事由") == []
