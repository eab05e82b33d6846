"""A small made-up body of law: an act, its order and its rule, another act, and a supplementary provision."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.retrieval.index import StatuteIndex
from lawqa.statutes.articles import Article, Paragraph, write_articles

ACT, ORDER = "試験品取引法", "試験品取引法施行令"
RULE = "試験品取引法第二条に規定する定義に関する内閣府令"
HOUSE = "家屋の賃貸借に関する法律"

_IDS = {ACT: "901AC01", ORDER: "902CO01", RULE: "903M01", HOUSE: "904AC01"}


def article(
    law: str, number: str | None, *paragraphs: str, caption: str = "", part: str = "main"
) -> Article:
    return Article(
        id=f"{_IDS[law]}/{part}/{number}",
        law_id=_IDS[law],
        law_title=law,
        law_num="",
        revision="",
        part=part,  # type: ignore[arg-type]
        article=number,
        caption=caption,
        paragraphs=tuple(Paragraph(n, text) for n, text in enumerate(paragraphs, start=1)),
    )


ARTICLES = (
    article(ACT, "1", "この法律は、試験品の取引を公正にすることを目的とする。", caption="（目的）"),
    article(
        ACT,
        "2",
        "この法律において「試験品」とは、次に掲げる物をいう。\n一　検査のために作られた物\n二　試料\n"
        "二の二　模型であつて政令で定めるもの\n三　前各号に準ずる物",
        "この法律において「買取人」とは、試験品を買い取る者をいう。",
        caption="（定義）",
    ),
    article(
        ACT,
        "5",
        "試験品の公開買取りをしようとする者は、買取期間その他政令で定める事項を公告しなければならない。",
        "前項の公告は、買取期間の初日の二十一日前までにしなければならない。",
        caption="（公開買取りの公告）",
    ),
    article(
        ACT, "5_2", "買取人は、前条の公告を取り消すことができない。", caption="（公告の取消し）"
    ),
    article(
        ACT, "24", "買取人は、毎年、買取報告書を提出しなければならない。", caption="（買取報告書）"
    ),
    article(ACT, "55:57", "削除"),
    article(
        ACT, "1", "公開買取りの公告については、なお従前の例による。公開買取りの公告。", part="suppl"
    ),
    article(
        ORDER,
        "1",
        "試験品取引法（昭和二十三年法律第九百号。以下「法」という。）第二条第一項第二号の二に規定する政令で定める"
        "模型は、縮尺十分の一以下のものとする。",
        caption="（模型）",
    ),
    article(
        ORDER,
        "9_4",
        "法第五条第一項に規定する政令で定める事項は、次に掲げるものとする。\n一　氏名\n二　住所",
        caption="（掲載の方法）",
    ),
    article(RULE, "16", "令第一条の縮尺は、寸法による。", caption="（縮尺）"),
    article(
        HOUSE,
        "3",
        "家屋の賃貸借の期間は、三十年を超えることができない。",
        "期間の定めがない場合には、賃料の百分の五を支払う。",
        caption="（期間）",
    ),
    article(HOUSE, "4", "家屋の賃借人は、家屋を転貸することができない。", caption="（転貸）"),
)


@pytest.fixture(scope="session")
def statutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("statutes") / "articles.jsonl"
    write_articles(path, ARTICLES)
    return path


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> StatuteIndex:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    from lawqa.retrieval.indexing import write_index

    directory = tmp_path_factory.mktemp("index")
    write_index(ARTICLES, directory)
    return StatuteIndex(directory)
