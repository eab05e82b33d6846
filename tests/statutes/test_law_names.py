"""One title for each statute."""

from __future__ import annotations

import pytest

from lawqa.statutes.abbreviations import ABBREVIATIONS
from lawqa.statutes.law_names import canonical_title
from lawqa.statutes.normalise import canonical


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("金商法", "金融商品取引法"),
        ("金商法施行令", "金融商品取引法施行令"),
        ("金商令", "金融商品取引法施行令"),
        (
            "薬機法施行規則",
            "医薬品、医療機器等の品質、有効性及び安全性の確保等に関する法律施行規則",
        ),
        ("定義府令", "金融商品取引法第２条に規定する定義に関する内閣府令"),
        ("個人情報保護法", "個人情報の保護に関する法律"),
        ("廃棄物処理法", "廃棄物の処理及び清掃に関する法律"),
        ("感染症予防法施行令", "感染症の予防及び感染症の患者に対する医療に関する法律施行令"),
        ("貸金決済法", "貸金の決済に関する法律"),
        ("貸金決済法施行令", "貸金決済に関する法律　施行令"),
    ],
)
def test_two_names_of_one_statute(name: str, other: str) -> None:
    assert canonical_title(name) == canonical_title(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("金商法", "金商法施行令"),
        ("民法", "民法施行法"),
        ("民法", "民事訴訟法"),
        ("商法", "金商法"),
    ],
)
def test_two_statutes(one: str, other: str) -> None:
    assert canonical_title(one) != canonical_title(other)


def test_a_known_statute_is_called_by_its_full_title() -> None:
    for title, abbreviations in ABBREVIATIONS.items():
        for name in (title, *abbreviations.split()):
            assert canonical_title(name) == canonical(title), name
