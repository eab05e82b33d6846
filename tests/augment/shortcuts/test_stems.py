"""Whether a question asks for the choice that is wrong, or that does not belong."""

from __future__ import annotations

import pytest

from lawqa.augment.shortcuts import asks_for_wrong


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("次のうち、誤っているものを教えてください。", True),
        ("届出について、誤りであるものはどれか。", True),
        ("第3条の「有価証券」に該当しないものを教えてください。", True),
        ("次の記述のうち、正しくないものを選びなさい。", True),
        ("第2章の規定が適用されない有価証券として誤っているものを教えてください。", True),
        ("誤っているものはいくつありますか。\nア 権利は消滅しない。", True),
        ("次のうち、正しいものを教えてください。", False),
        ("届け出なければならない事項として、正しいものを教えてください。", False),
        ("申請書に添付しなければならない書類に該当するものを教えてください。", False),
        ("登録をしないで事業を行った者の罰則を定めた条文を教えてください。", False),
        ("正しいものはいくつありますか。\nア 誤っている記載は、無効とする。", False),
    ],
)
def test_whether_the_wrong_one_is_asked_for(text: str, wrong: bool) -> None:
    assert asks_for_wrong(text) is wrong
