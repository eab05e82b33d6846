"""The types of generated questions, and how their ids tell them; nothing of how any is made."""

from __future__ import annotations

from typing import Literal, get_args

ID_PREFIX = "生成"
"""What the ids of generated questions begin with; no question of lawqa_jp does."""

QuotedType = Literal["cloze", "altered", "which"]
"""cloze: the missing words; altered: the true statement among altered ones; which: the provision."""

ReadingType = Literal[
    "judged", "counted", "listed", "excepted", "penalised", "defined", "referred", "applied"
]  # fmt: skip
"""judged: the right or the wrong one of four statements in other words; counted: how many of four are right;
listed: what a list holds; excepted: the exception to a rule; penalised: what a breach of a rule is punished
with; defined: who or what a rule speaks of, by its definition; referred: whose permission a rule speaks of,
by a reference to another; applied: what holds where a provision applies another mutatis mutandis (準用)."""

QuestionType = QuotedType | ReadingType

QUOTED_TYPES: tuple[QuotedType, ...] = get_args(QuotedType)
"""Types whose answer is in the words of the statute; string matching solves them."""

READING_TYPES: tuple[ReadingType, ...] = get_args(ReadingType)
"""Types whose answer cannot be found by string matching."""

QUESTION_TYPES: tuple[QuestionType, ...] = (*QUOTED_TYPES, *READING_TYPES)

TYPE_NAMES: dict[QuestionType, str] = {
    "cloze": "穴埋め",
    "altered": "正誤",
    "which": "条文",
    "judged": "判断",
    "counted": "個数",
    "listed": "列挙",
    "excepted": "例外",
    "penalised": "罰則",
    "defined": "定義",
    "referred": "参照",
    "applied": "準用",
}
"""What question ids call the types."""


def source_of(question_id: str) -> str:
    """Return the source of a generated question, such as `statute:cloze`; empty for any other question."""
    parts = question_id.split("_")
    names = {name: kind for kind, name in TYPE_NAMES.items()}
    if parts[0] != ID_PREFIX or len(parts) < 3 or parts[-2] not in names:
        return ""
    return f"statute:{names[parts[-2]]}"
