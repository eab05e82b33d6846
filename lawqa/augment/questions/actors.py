"""Who may replace whom: actors of a statute that must not be each other's wrong answer."""

from __future__ import annotations

import re

# Powers pass from one to another of these by delegation (金商法194条の7, 薬機法81条) or for some goods
# (薬機法83条), so that one for another may be true after all.
_DELEGATION = (
    re.compile(r"内閣総理大臣|庁長官|財務局長|支局長|監視委員会"),
    re.compile(r"厚生労働大臣|農林水産大臣|都道府県知事|地方厚生|市長|区長|機構"),
)
# What is said of the whole is also true of its part, and the roles of one firm may meet in it.
_OVERLAPS = (
    (
        re.compile(r"^金融商品取引業者等?$"),
        re.compile(r"取扱業者|特例仲介等業者|特別金融商品取引業者|登録金融機関|届出者|行為者"),
    ),
    (re.compile(r"製造販売業者"), re.compile(r"承認取得者|登録業者|許可事業者")),
    (re.compile(r"販売業者|開設者|登録業者"), re.compile(r"許可事業者|申請者|出願者")),
    (re.compile(r"役員|委員"), re.compile(r"理事|監事|清算人|会長|委員")),
)
_SHARED_NAME = 5
"""Actors whose names share N characters in a row may be kinds of one actor."""

_GENERIC = re.compile(
    r"^(?:外国)?(?:法人|会社)$|^(?:役員|職員|会員|委員|受託者|利害関係人)$|^解散した"
)


def may_coincide(one: str, other: str) -> bool:
    """Return whether what is true of one actor may be true of the other."""
    if _GENERIC.search(one) or _GENERIC.search(other):
        return True
    if any(one[i : i + _SHARED_NAME] in other for i in range(len(one) - _SHARED_NAME + 1)):
        return True
    groups = (*((group, group) for group in _DELEGATION), *_OVERLAPS)
    return any(
        (first.search(one) and second.search(other)) or (first.search(other) and second.search(one))
        for first, second in groups
    )
