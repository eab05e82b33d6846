from __future__ import annotations

import pytest

from lawqa.augment.comprehension.ruby import holds_reading
from lawqa.augment.comprehension.wording import (
    FORBIDDEN,
    OBLIGED,
    PERMITTED,
    commanded,
    loosened,
    modern,
    plainly,
    without_definitions,
)
from lawqa.augment.questions.modality import deontic_sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("第二十三条の二の二十三第一項の登録", "第23条の2の23第1項の登録"),
        ("第二十三条の二の五又は第二十三条の承認", "第23条の2の5又は第23条の承認"),
        ("三年以下の拘禁刑又は百万円以下の罰金", "3年以下の拘禁刑又は100万円以下の罰金"),
        ("資本金の額が五億円以上", "資本金の額が5億円以上"),
        ("一億二千万円", "1億2000万円"),
        ("総員の三分の二以上", "総員の3分の2以上"),
        ("同時に五人以上の者", "同時に5人以上の者"),
        ("一般の第三者に、一部を一時に", "一般の第三者に、一部を一時に"),
        ("行つた者によつて保つている", "行った者によって保っている"),
        ("一つの事業", "一つの事業"),
        ("間隔は、〇・三メートル以下", "間隔は、0.3メートル以下"),
        ("一・五倍を超える額、十・五倍の額", "1.5倍を超える額、十・五倍の額"),
        ("平成十三年三月三十一日までに", "平成13年3月31日までに"),
        ("毎年三月三十一日に、昭和二十三年以後", "毎年3月31日に、昭和23年以後"),
        ("気温が三十七度以下、一月未満", "気温が37度以下、1月未満"),
        ("末日の翌日の一月後までに", "末日の翌日の1月後までに"),
        ("毎年二月、八月及び十一月とする", "毎年2月、8月及び11月とする"),
        (
            "三メートル離れた面を直径二十五センチメートル、百カンデラ",
            "3メートル離れた面を直径25センチメートル、100カンデラ",
        ),
        ("総トン数五〇〇トン以上、数十トン", "総トン数500トン以上、数十トン"),
        ("二十度の横傾斜及び十度の縦傾斜", "20度の横傾斜及び10度の縦傾斜"),
        ("年一度の検査、三フッ化ホウ素、第三トン", "年一度の検査、三フッ化ホウ素、第三トン"),
    ],
)
def test_numerals_and_small_kana_of_today(text: str, said: str) -> None:
    assert modern(text) == said


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("橋梁りようを渡る", True),
        ("覆おおいを設ける", True),
        ("塗装の剥はく離の作業", True),
        ("覆いを設け、橋を渡る", False),
        ("剥離した塗料", False),
    ],
)
def test_readings_that_ran_into_the_text(text: str, holds: bool) -> None:
    assert holds_reading(text) is holds


def test_brackets_that_only_name_something_are_left_out() -> None:
    text = "登録を受けた者（以下「登録者」という。）は、届出（軽微なものを除く。）をする。"
    assert without_definitions(text) == "登録を受けた者は、届出（軽微なものを除く。）をする。"


def test_a_duty_in_other_words_stays_a_duty() -> None:
    duty = deontic_sentence("管理者は、帳簿を保存しなければならない。")
    assert duty is not None
    said = {commanded(duty, OBLIGED, 0, str(n)) for n in range(200)}
    assert said == {
        "管理者は、帳簿を保存する義務を負う",
        "管理者は、帳簿を保存することを要する",
        "管理者は、帳簿を保存することが義務付けられている",
        "管理者は、帳簿を保存しないことは許されない",
        "帳簿を保存する義務を負うのは、管理者である",
        "帳簿を保存することを要するのは、管理者である",
        "帳簿を保存することが義務付けられているのは、管理者である",
    }


def test_what_is_permitted_is_not_said_of_its_subject_alone() -> None:
    """許されているのは、管理者である would say that nobody else may."""
    power = deontic_sentence("管理者は、帳簿を開示することができる。")
    assert power is not None
    for meaning in (PERMITTED, FORBIDDEN):
        said = {commanded(power, meaning, 0, str(n)) for n in range(200)}
        assert all(text.startswith("管理者は、") for text in said)


def test_a_subject_that_is_pointed_to_stays_in_front() -> None:
    ban = deontic_sentence("管理者は、その帳簿を開示してはならない。")
    assert ban is not None
    said = {commanded(ban, FORBIDDEN, 0, str(n)) for n in range(200)}
    assert all(text.startswith("管理者は、その帳簿を") for text in said)


def test_bounds_are_said_the_other_way_round() -> None:
    text = "五億円以上の会社、二十歳未満の者及び三年を超える期間"
    said = {loosened(text, 0, str(n)) for n in range(40)}
    assert "五億円を下回らない会社、二十歳に満たない者及び三年を上回る期間" in said
    penalty = "三年以下の拘禁刑"
    assert {loosened(penalty, 0, str(n)) for n in range(40)} == {penalty}


def test_sentences_without_command() -> None:
    assert plainly("本邦に住所を有する者とみなす。", 0, "x") in {
        "本邦に住所を有する者とみなされる",
        "本邦に住所を有する者とみなすものとされている",
    }
    assert plainly("会長が会務を総理する。", 0, "x") is None
