"""The text of an element of e-Gov's law XML, laid out in lines, with nothing lost but ruby readings."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from lawqa.statutes.egov.text import text_of


def sentence(inside: str) -> str:
    """A sentence's text, as it is in a paragraph."""
    return text_of(
        ET.fromstring(f"<ParagraphSentence>\n <Sentence>{inside}</Sentence>\n</ParagraphSentence>")  # noqa: S314
    )


@pytest.mark.parametrize(
    ("inside", "text"),
    [
        ("強<Ruby>靱<Rt>じん</Rt></Ruby>性の確保", "強靱性の確保"),
        ("禁<Ruby>錮<Rt>こ</Rt> </Ruby>以上の刑", "禁錮以上の刑"),
        ("<Ruby>砒<Rt>ひ</Rt></Ruby>素<Ruby>燐<Rt>りん</Rt></Ruby>", "砒素燐"),
        ("<Line Style='double'>傍線<Ruby>部<Rt>ぶ</Rt></Ruby>分</Line>の続き", "傍線部分の続き"),
        ("面積ｍ<Sup>２</Sup>当たり", "面積ｍ^２当たり"),
        ("ＣＯ<Sub>２</Sub>の量", "ＣＯ２の量"),
        ("式<ArithFormula Num='1'>Ａ÷Ｂ</ArithFormula>による", "式［算式：Ａ÷Ｂ］による"),
        ("式<ArithFormula><Fig src='a.jpg'/></ArithFormula>による", "式［算式：［図］］による"),
        ("式<ArithFormula/>による", "式［算式］による"),
        ("旗<Fig src='./pict/a.jpg'/>を掲げる", "旗［図］を掲げる"),
        ("<Sup/>前<Sub/>後", "前後"),
        ("第一条\n      の規定", "第一条の規定"),
        ("第一条 の規定", "第一条 の規定"),
        ("the\n  Act of <Line>Japan</Line>\n  today", "the Act of Japan today"),
        ("&lt;甲&gt;&amp;乙", "<甲>&乙"),
        ("<![CDATA[<甲>]]><!-- 注 -->乙", "<甲>乙"),
        ("甲<Unknown>乙</Unknown>丙", "甲\n乙\n丙"),
    ],
)
def test_a_sentence_is_read_to_its_end(inside: str, text: str) -> None:
    assert sentence(inside) == text


def test_text_behind_a_quotation_is_kept() -> None:
    quoted = (
        "「第一款」を「<QuoteStruct>\n<TOCSubsection Num='2'>\n"
        "<SubsectionTitle>第二款　番号</SubsectionTitle>\n"
        "<ArticleRange>（第三条―第四条）</ArticleRange>\n</TOCSubsection>\n</QuoteStruct>」に改める。"
    )
    assert sentence(quoted).split("\n") == [
        "「第一款」を「",
        "第二款　番号",
        "（第三条―第四条）",
        "」に改める。",
    ]
