"""What a list holds: items of two lists of one law, distinguished by the sentence that announces each."""

from __future__ import annotations

import pytest

from lawqa.augment.comprehension.listed import _asks_alike, relative


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        (
            "製造業者は、次に掲げる業務を行わせなければならない",
            "製造業者等は、次に掲げる業務を適切に行わせなければならない",
            True,
        ),
        (
            "許可の申請書に添付しなければならない書類",
            "許可の申請書に添付しなければならない書類",
            True,
        ),
        (
            "許可の申請書に添付しなければならない書類",
            "認可の申請書に添付しなければならない書類",
            False,
        ),
    ],
)
def test_lists_that_are_announced_alike_answer_for_each_other(
    one: str, other: str, alike: bool
) -> None:
    assert _asks_alike(one, other) is alike


@pytest.mark.parametrize(
    ("sentence", "asked"),
    [
        (
            "申請書には、次に掲げる書類を添付しなければならない。",
            "申請書に添付しなければならない書類",
        ),
        ("管理者は、次に掲げる行為をしてはならない。", "管理者がしてはならない行為"),
        (
            "管理者は、変更したときは、次に掲げる事項を公表しなければならない。",
            "管理者が変更したときに公表しなければならない事項",
        ),
        ("管理者は、次に掲げる事項を記載した書面を提出しなければならない。", None),
        ("前項の申請書には、次に掲げる書類を添付しなければならない。", None),
        ("総会は、次に掲げる事項を議決しなければならない。", None),
        ("管理者は、桟橋の設備に関する次に掲げる事項を記録しなければならない。", None),
        ("管理者は、次に掲げる業務を行わなければならない。", None),
        ("事業報告書は、次に掲げる事項を記載しなければならない。", None),
        ("届出書は、次に掲げる事項を記録しなければならない。", None),
    ],
)
def test_a_list_as_a_noun(sentence: str, asked: str | None) -> None:
    found = relative(sentence)
    assert (found[0] if found else None) == asked
