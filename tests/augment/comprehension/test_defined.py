"""What the law says of somebody who is described by the words of a definition instead of the defined term."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lawqa.augment.comprehension.defined import _definitions
from lawqa.augment.provisions import parse_articles
from lawqa.augment.questions.statute_facts import Statute, statutes_of
from lawqa.statutes.articles import Article


def of_one(article: Article) -> Statute:
    provisions = parse_articles([article]).provisions
    return statutes_of(provisions, provisions)[0]


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("第三条の許可を受けて桟橋を設けた者（以下「設置者」という。）は、届け出る。", ["設置者"]),
        (
            "試験の実施、記録、報告についての責任を有する者（以下「責任者」という。）は、報告する。",
            [],
        ),
        ("国土交通大臣又はその指定する者（以下「指定機関」という。）は、講習を行う。", []),
    ],
)
def test_only_a_whole_phrase_is_a_definition(
    text: str, terms: list[str], make_article: Callable[..., Article]
) -> None:
    assert list(_definitions(of_one(make_article("3", "", (text,))))) == terms
