"""Short names of statutes."""

from __future__ import annotations

import pytest

from lawqa.statutes.abbreviations import ABBREVIATIONS

pytestmark = pytest.mark.every_python


def test_no_abbreviation_in_the_table_is_given_twice() -> None:
    listed = [name for names in ABBREVIATIONS.values() for name in names.split()]
    assert sorted(listed) == sorted(set(listed))
