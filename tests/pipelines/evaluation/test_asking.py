"""Asking a backend for what is missing, and forcing answers out of texts that gave none."""

from __future__ import annotations

import pytest

from lawqa.pipelines.evaluation.asking import forced_cue


@pytest.mark.parametrize(
    ("text", "unclosed", "after"),
    [
        ("思うに", False, "\n最終回答："),
        ("思うに\n", False, "最終回答："),
        ("", False, "最終回答："),
        ("思うに\n最終回答：", False, ""),
        ("<think>\n思うに", True, "\n</think>\n\n最終回答："),
        ("<think>\n最終回答：", True, "\n</think>\n\n最終回答："),
    ],
)
def test_what_is_put_between_a_text_and_its_forced_label(
    text: str, unclosed: bool, after: str
) -> None:
    assert forced_cue(text, unclosed_think=unclosed) == after
