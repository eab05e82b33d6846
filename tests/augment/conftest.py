"""A small statute of our own, and a judge of generated questions that knows nothing of the generator."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from functools import cache

import pytest

from lawqa.choices import LABELS
from lawqa.questions import Question
from lawqa.statutes.articles import Article, Paragraph

LAW = "技能検定事業法"

# Article number (None: an appendix), caption, paragraphs. Written for these tests; no such law exists.
TEXTS: tuple[tuple[str | None, str, tuple[str, ...]], ...] = (
    ("1", "（目的）", ("この法律は、検定事業の適正な運営を図り、受検者の利益を保護することを目的とする。",)),
    (
        "2",
        "（定義）",
        (
            "この法律において「検定事業」とは、人の技能を評価し、その結果を証明する事業をいう。",
            "この法律において「検定事業者」とは、次条の登録を受けた者をいう。",
            "この法律において「公開講習」とは、次に掲げる講習をいう。\n一 受講の資格を定めない講習\n"
            "一の二 電気通信回線により配信する講習\n二 次に掲げるものに該当する講習\n"
            "イ 費用を徴収しないもの\nロ 公共の施設で行うもの\n三 学校の教員が無償で行う講習",
        ),
    ),
    ("3", "（登録）", ("検定事業を行おうとする者は、文部科学大臣の登録を受けなければならない。",)),
    (
        "3_2",
        "（登録の更新）",
        (
            "前条の登録は、五年ごとにその更新を受けなければ、その期間の経過によつて、その効力を失う。",
            "前項の更新の申請は、登録の有効期間の満了の日の三十日前までに文部科学大臣にしなければならない。",
        ),
    ),
    (
        "4",
        "（変更の届出）",
        (
            "検定事業者は、その名称又は所在地を変更したときは、遅滞なく、その旨を文部科学大臣に届け出なければならない。",
            "検定事業者は、検定の方法を変更しようとするときは、あらかじめ、法務大臣の承認を受けなければならない。"
            "ただし、軽微な変更については、この限りでない。",
        ),
    ),
    ("5", "", ("削除",)),
    (
        "6",
        "（帳簿の保存）",
        (
            "講習実施者は、講習の記録を帳簿に記載し、その記載の日から十年間保存しなければならない。",
            "監督者は、事故の発生を知つたときは、直ちに、環境大臣に報告しなければならない。",
            "受検者は、検定の結果の写しの交付を請求することができる。",
        ),
    ),
    (
        "7",
        "（秘密の保持）",
        (
            "講師は、その職務に関して知り得た受検者の秘密を利用してはならない。",
            "財務大臣は、手数料の額が適正でないと認めるときは、検定事業者に対し、六月以内の期間を定めて業務の停止を命ずることができる。",
        ),
    ),
    (
        "8",
        "（検定委員会）",
        (
            "検定委員会の議事は、出席した委員の三分の二以上の多数をもつて決定しなければならない。",
            "検定委員会は、毎年二回、会議の記録を速やかに公表しなければならない。",
            "総委員の四分の一以上の委員の請求があつたときは、会長は、二週間以内に会議を招集しなければならない。",
        ),
    ),
    (
        "9",
        "（手数料）",
        (
            "検定を受けようとする者は、三千円を超える手数料を納付することを要しない。",
            "資本金の額が五億円以上の検定事業者は、会計の監査を実施しなければならない。",
            "学生である受検者については、手数料の過半数を免除することができる。",
        ),
    ),
    ("10", "（基準）", ("検定の会場は、床面積が百平方メートル以上の施設とする。",)),
    (
        "11",
        "（罰則）",
        (
            "第三条の登録を受けないで検定事業を行つた者は、三年以下の拘禁刑に処する。",
            "第七条第一項の規定に違反した講師は、一年以下の拘禁刑又は百万円以下の罰金に処する。",
        ),
    ),
    (
        "12",
        "（みなし規定）",
        (
            "検定の申込みを撤回した者は、当該検定の申込みをしなかつたものとみなす。",
            "合格の決定の日から二年を経過した者は、再び検定を申し込むことができる。",
            "第九条第二項の規定は、地方公共団体である検定事業者については、適用しない。",
        ),
    ),
    (
        "13",
        "（添付書類）",
        (
            "登録の申請書には、次に掲げる書類を添付しなければならない。\n一 定款又はこれに代わる書面\n"
            "二 役員の名簿及び履歴書\n三 検定の実施計画を記載した書面\n"
            "四 直近三年の収支決算書\n五 会場の図面",
        ),
    ),
    ("14", "（認定）", ("優良な講習実施者は、環境大臣の認定を受けることができる。",)),
    ("15", "（許可）", ("講師は、財務大臣の許可を受けなければ、受検者に教材を販売してはならない。",)),
    ("16,17", "", ("削除",)),
    (None, "別表第一（第十条関係）", ("区分 | 面積\n筆記 | 百平方メートル",)),
)  # fmt: skip


def made_article(
    number: str | None,
    caption: str,
    paragraphs: Sequence[str],
    *,
    law: str = LAW,
    part: str = "main",
) -> Article:
    """An article of a law of our own."""
    parsed = tuple(Paragraph(place, text) for place, text in enumerate(paragraphs, start=1))
    where = "appdx" if number is None else part
    return Article(
        id=f"{law}/{where}/{number or caption}",
        law_id="000TEST",
        law_title=law,
        law_num="",
        revision="",
        part=where,  # type: ignore[arg-type] # the tests' own words
        article=number,
        caption=caption,
        paragraphs=parsed,
    )


@pytest.fixture(scope="session")
def make_article() -> Callable[..., Article]:
    return made_article


@pytest.fixture(scope="session")
def statute() -> tuple[Article, ...]:
    """Articles with 枝番号, 号 with 枝番号, イロハ, 別表, 削除, a proviso and relative references."""
    return tuple(made_article(*entry) for entry in TEXTS)


Judge = Callable[[Question, Sequence[Article]], list[str]]


@pytest.fixture(scope="session")
def judge() -> Judge:
    """Says what is wrong with a generated question, from its words and the articles alone."""
    return judged


_NAME = r"(第\d+条(?:の\d+)*)(?:第(\d+)項)?(?:第(\d+)号((?:の\d+)*))?"
_GAP = "［　　］"


def judged(question: Question, articles: Sequence[Article]) -> list[str]:
    """The faults of a question: none if its gold choice alone is what the named article says."""
    faults = [] if len({flat(c) for c in question.choices}) == 4 else ["choices are not distinct"]
    law, kind = question.id.split("_")[1], question.id.split("_")[-2]
    law_articles = [a for a in articles if a.law_title == law and a.part == "main"]
    check = {"穴埋め": cloze_holds, "正誤": statement_holds, "条文": provision_holds}[kind]
    held = [label for label, choice in zip(LABELS, question.choices, strict=True)
            if check(question, choice, law_articles)]  # fmt: skip
    if held != [question.gold]:
        faults.append(f"gold is {question.gold}, but the articles hold {held}")
    if kind == "正誤":
        faults += [f for c in question.choices if (f := one_fact(c, law_articles))]
    if f"## {law}\n" not in question.context:
        faults.append("the context does not name the law")
    if kind == "穴埋め" and flat(question.choices[LABELS.index(question.gold)]) not in flat(
        question.context
    ):
        faults.append("the context does not hold the answer")
    return faults


def flat(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split())


@cache
def whole(article: Article) -> str:
    return flat("".join(paragraph.text for paragraph in article.paragraphs))


def find(name: str, articles: Sequence[Article]) -> Article:
    number = "_".join(re.findall(r"\d+", name))
    (found,) = (article for article in articles if article.article == number)
    return found


def cloze_holds(question: Question, choice: str, articles: Sequence[Article]) -> bool:
    """Whether the quote, filled, is in the named article; no other article may hold it either."""
    text = question.text.split("なお、文中の「")[0]
    named = re.search(_NAME, text[: text.index("「")])
    assert named is not None
    quote = text[text.index("「") + 1 : text.rindex("」")]
    sentence = re.split(r"\u3000\d+号", quote)[0]
    filled = flat(sentence.replace(_GAP, choice))
    assert sentence.count(_GAP) == 1
    holders = [article for article in articles if filled in whole(article)]
    assert not holders or find(named[1], articles) in holders
    return bool(holders)


def statement_holds(_: Question, choice: str, articles: Sequence[Article]) -> bool:
    """Whether the named article says the statement word for word."""
    named = re.fullmatch(_NAME + "によれば、(.*)", choice)
    assert named is not None, choice
    return flat(named[5]) in whole(find(named[1], articles))


MOST = 26  # characters that one fact may take: 吸収合併存続会員金融商品取引所


def one_fact(choice: str, articles: Sequence[Article]) -> str:
    """What is wrong with a statement that differs from its article in more than one short place."""
    named = re.fullmatch(_NAME + "によれば、(.*)", choice)
    assert named is not None
    statement, article = flat(named[5]), whole(find(named[1], articles))
    same = max(i for i in range(len(statement) + 1) if statement[:i] in article)
    for head in range(same, max(-1, same - MOST), -1):
        for place in re.finditer(re.escape(statement[:head]), article):
            original = article[place.end() : place.end() + len(statement) + MOST]
            for changed in range(min(MOST, len(statement) - head) + 1):
                if 0 <= original.find(statement[head + changed :]) <= MOST:
                    return ""
    return f"differs from the article in more than one place: {choice}"


def provision_holds(question: Question, choice: str, articles: Sequence[Article]) -> bool:
    """Whether the paragraph or item that a choice names holds the quoted words."""
    named = re.fullmatch(_NAME, choice)
    assert named is not None, choice
    paragraphs = find(named[1], articles).paragraphs
    text = paragraphs[int(named[2] or 1) - 1].text
    if named[3]:
        number = kanji(int(named[3])) + "".join(
            f"の{kanji(int(b))}" for b in re.findall(r"\d+", named[4])
        )
        (text,) = re.findall(rf"^{number}[ \u3000]+(.*)$", text, re.MULTILINE)
    quote = question.text[question.text.index("「") + 1 : question.text.rindex("」")]
    return flat(quote) in flat(text)


def kanji(number: int) -> str:
    digits = "〇一二三四五六七八九"
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else ("" if tens == 1 else digits[tens]) + "十") + (
        digits[ones] if ones else ""
    )
