"""The articles that questions cite, wherever they do."""

from __future__ import annotations

import pytest

from lawqa.augment.citing import cited_articles
from lawqa.augment.statutes import make_statute_questions
from lawqa.questions import Question
from lawqa.statutes.article_names import ArticleName
from lawqa.statutes.articles import Article, Paragraph

ACT, ORDER = "金融商品取引法", "金融商品取引法施行令"
TITLES = (ACT, ORDER, "海浜の保全に関する法律")


def question(text: str = "問", context: str = "", *choices: str) -> Question:
    four = (*choices, *"いろはに")[:4]
    return Question("甲_1", text, four, "a", context)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("asked", "cited"),
    [
        (question(context="## 金商法\n### 第27条の4\n#### 第3項\n本文"), [(ACT, "27_4")]),
        (question(context="## 海浜保全法\n### 第5条\n本文"), [(TITLES[2], "5")]),
        (question("金商法27条の4第3項によれば、どのように扱われるか。"), [(ACT, "27_4")]),
        (
            question("根拠となる条文はどれか。", "", "金商法第五条", "金商令第6条"),
            [(ACT, "5"), (ORDER, "6")],
        ),
        (
            question("金商法の規定はどれか。", "", "第5条第2項", "同法第7条"),
            [(ACT, "5"), (ACT, "7")],
        ),
        (question("第5条によれば、どうか。"), []),
        (question("丙法第5条によれば、どうか。"), []),
        (question(context="## 丙法\n### 第5条\n本文"), [("丙法", "5")]),
    ],
)
def test_headings_texts_and_choices(asked: Question, cited: list[tuple[str, str]]) -> None:
    found = cited_articles([asked], TITLES)
    assert found == tuple(ArticleName(title, article) for title, article in sorted(cited))


def test_a_choice_goes_on_from_the_question_and_not_from_another_choice() -> None:
    asked = question("金商法第5条について、どれか。", "", "丙法の定めによる", "第8条による")
    assert ArticleName(ACT, "8") in cited_articles([asked], TITLES)


def test_each_article_once_in_order() -> None:
    asked = question("金商法第9条、第5条及び金商法第9条", "## 金融商品取引法\n### 第5条\n本文")
    assert cited_articles([asked, asked], TITLES) == (
        ArticleName(ACT, "5"),
        ArticleName(ACT, "9"),
    )


def test_an_abbreviated_title_is_excluded() -> None:
    articles = [
        Article(f"L/main/{n}", "L", ACT, "", "", "main", str(n), "", (Paragraph(1, f"文{n}。"),))
        for n in (5, 6)
    ]
    made = make_statute_questions(articles, excluded=[ArticleName("金商法", "5")], quiet=True)
    assert made.articles_left_out["cited by a question that is evaluated on"] == 1
