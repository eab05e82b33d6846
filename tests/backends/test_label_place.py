"""Where labels are scored in a text: at the answer's place, never behind it, never inside a thought."""

from __future__ import annotations

import pytest

from lawqa.backends.label_place import label_place
from lawqa.prompting import Mode
from lawqa.thinking import ThinkMarks

pytestmark = pytest.mark.every_python

CUE = "最終回答："


@pytest.mark.parametrize(
    ("mode", "text", "before"),
    [
        ("cot", "aは誤り。\n最終回答：b\n", "aは誤り。\n最終回答："),
        ("cot", "aは誤り。\n最終回答：b\nやはり\n最終回答：c\n",
         "aは誤り。\n最終回答：b\nやはり\n最終回答："),
        ("cot", "aは誤り。\n**最終回答：** b", "aは誤り。\n**最終回答："),
        ("cot", "aは誤り。", f"aは誤り。\n{CUE}"),
        ("cot", "aは誤り。\n", f"aは誤り。\n{CUE}"),
        ("cot", f"aは誤り。\n{CUE}", f"aは誤り。\n{CUE}"),
        ("cot", "", CUE),
        ("cot", "<think>\n最終回答：d\n</think>\n\n理由。",
         f"<think>\n最終回答：d\n</think>\n\n理由。\n{CUE}"),
        ("cot", "<think>\n最終回答：d\n</think>\n\n最終回答：a",
         "<think>\n最終回答：d\n</think>\n\n最終回答："),
        ("cot", "<think>\n最終回答：d\n", f"<think>\n最終回答：d\n\n</think>\n\n{CUE}"),
        ("direct", "<think>\nd\n</think>\n\nb", "<think>\nd\n</think>\n\n"),
        ("direct", "<think>\nd\n</think>b", "<think>\nd\n</think>"),
        ("direct", "<think>\nd\n</think>", "<think>\nd\n</think>\n\n"),
        ("direct", "<think>\nd", f"<think>\nd\n</think>\n\n{CUE}"),
    ],
)  # fmt: skip
def test_the_label_belongs_right_behind_what_is_kept(mode: Mode, text: str, before: str) -> None:
    assert label_place(text, mode).text(text) == before


def test_a_thought_that_the_prompt_opened_is_closed_by_its_own_marks() -> None:
    marks = ThinkMarks("<thought>", "</thought>")
    place = label_place("dと思う", "cot", in_thought=True, marks=marks)
    assert place.text("dと思う") == f"dと思う\n</thought>\n\n{CUE}"
    closed = "dと思う</thought>\n\nb"
    assert label_place(closed, "direct", in_thought=True).text(closed) == "dと思う</thought>\n\n"
