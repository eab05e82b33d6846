"""Who may replace whom: actors of a statute that must not be each other's wrong answer."""

from __future__ import annotations

import pytest

from lawqa.augment.questions.actors import may_coincide


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("内閣総理大臣", "金融庁長官", True),
        ("厚生労働大臣", "都道府県知事", True),
        ("金融商品取引業者等", "第一種少額電子募集取扱業者", True),
        ("金融商品取引業者等", "投資者保護基金非加入金融商品取引業者", True),
        ("新設合併設立金融商品取引所", "新設合併設立株式会社金融商品取引所", True),
        ("法人", "基金", True),
        ("内閣総理大臣", "法務大臣", False),
        ("借地権者", "借地権設定者", False),
        ("薬局開設者", "店舗販売業者", False),
    ],
)
def test_actors_that_must_not_stand_side_by_side(one: str, other: str, together: bool) -> None:
    assert may_coincide(one, other) is together
    assert may_coincide(other, one) is together
