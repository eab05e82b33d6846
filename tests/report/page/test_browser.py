"""What the question browser of the page is given: questions and answers as JSON, each text once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.report.page.browser import embedded_json

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


@pytest.mark.slow
@settings(max_examples=50)
@given(st.dictionaries(st.text(), st.text() | st.lists(st.text())))
def test_embedded_json_is_the_same_value_and_cannot_end_its_element(value: dict[str, Any]) -> None:
    text = embedded_json(value)
    assert json.loads(text) == value
    assert not set("<>&\u2028\u2029") & set(text)
    text.encode("utf-8")


def test_a_lone_surrogate_stays_in_the_data() -> None:
    assert json.loads(embedded_json({"x": "a\ud83d"})) == {"x": "a\ud83d"}
    assert json.loads(embedded_json({"x": "😀"})) == {"x": "😀"}
