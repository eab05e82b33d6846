"""Who a permission is asked of, where the provision that speaks of it names another by number only."""

from __future__ import annotations

import pytest

from lawqa.augment.comprehension.referred import _is_kind_of


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        ("鉄道運送事業者", "鉄道事業者", True),
        ("一般旅客自動車運送事業者", "一般乗合旅客自動車運送事業者", True),
        ("指定試験機関", "登録試験機関", False),
    ],
)
def test_a_kind_of_somebody_is_no_other(one: str, other: str, kind: bool) -> None:
    assert _is_kind_of(one, other) is kind
    assert _is_kind_of(other, one) is kind
