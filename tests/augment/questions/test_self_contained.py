"""Which sentences of a statute can stand alone in a question, and which lean on words that are not shown."""

from __future__ import annotations

import pytest

from lawqa.augment.questions.self_contained import item_stands_alone, stands_alone

pytestmark = pytest.mark.every_python


@pytest.mark.parametrize(
    ("sentence", "alone"),
    [
        ("届出は、書面でしなければならない。", True),
        ("前項の届出は、書面でしなければならない。", True),  # known from the excerpt
        ("第五条の規定による届出は、同条第二項の書面でする。", True),
        ("同条の届出は、書面でしなければならない。", False),
        ("届出は、同項の書面でしなければならない。", False),
        ("この場合において、届出は書面でする。", False),
        ("ただし、書面によるときは、この限りでない。", False),
        ("その届出は、書面でしなければならない。", False),
        ("次に掲げる者は、届出をしなければならない。", False),
        ("別表第一に定める者は、届出をしなければならない。", False),
        ("第五条の規定は、届出について準用する。", False),
        ("届出があつたときも、同様とする。", False),
        ("第三条中「甲」とあるのは、「乙」とする。", False),
        ("届出は、書面でしなければならない", False),
        ("この法律は、公布の日から施行する。", True),
    ],
)
def test_which_sentences_stand_alone(sentence: str, alone: bool) -> None:
    assert stands_alone(sentence) is alone


@pytest.mark.parametrize(
    ("item", "alone"),
    [
        ("直近三年間の計算書類", True),
        ("前号の届出の写し", True),  # the excerpts leave it out
        ("前号に掲げる者の役員", False),
        ("イに掲げる者の役員", False),
        ("その他政令で定める者", False),
        ("次に掲げる者のいずれか", False),
    ],
)
def test_which_items_stand_alone(item: str, alone: bool) -> None:
    assert item_stands_alone(item) is alone
