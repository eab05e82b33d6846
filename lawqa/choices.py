"""The four labels a-d, every written form of them, and the orders in which choices can be shown."""

from __future__ import annotations

import itertools
import unicodedata
from collections.abc import Sequence
from typing import Literal, TypeVar, get_args

from lawqa.settings import Permutations

Status = Literal["answered", "unanswered", "truncated"]
"""What a text gives. `answered`: a label. `unanswered`: the model finished without one. `truncated`: it ran
out of tokens."""

Label = Literal["a", "b", "c", "d"]
"""The name of a choice: a, b, c or d, by position."""

LABELS: tuple[Label, ...] = get_args(Label)

Order = tuple[int, int, int, int]
"""A choice order: position i shows the choice that stood at position order[i]."""

ORIGINAL_ORDER: Order = (0, 1, 2, 3)

Item = TypeVar("Item")

# NFKC folds full-width letters and digits, circled digits and letters, and half-width kana into these.
_FORMS: dict[str, Label] = {
    form: label
    for forms in ("abcd", "1234", "アイウエ")
    for form, label in zip(forms, LABELS, strict=True)
}
_ADORNMENT = " \t\r\n()[]{}<>「」『』【】〔〕《》*_`'\".,:;、。"


_TO_WIDE = 0xFEE0  # from ASCII to the full-width block

FINAL_ANSWER_CUE = "最終回答："
"""What the last line of a reasoned answer begins with; prompts ask for it, the parser trusts it most."""


def final_answer_line(label: Label) -> str:
    """Return the line that commits to a label in the parser's strictest form."""
    return f"{FINAL_ANSWER_CUE}{label}"


def label_forms(label: Label) -> tuple[str, ...]:
    """Return what a label can look like as the next token: either case, after a space or not, full width."""
    wide = chr(ord(label) + _TO_WIDE)
    return (
        label,
        f" {label}",
        label.upper(),
        f" {label.upper()}",
        wide,
        chr(ord(label.upper()) + _TO_WIDE),
    )


def label_of(form: str) -> Label | None:
    """Return the label that a lone written form means, or None.

    Knows a-d in either case, 1-4, ①-④ and ア-エ, each also full or half width, and each also inside
    brackets, quotation marks or Markdown emphasis. Anything longer than one mark is not a label.
    """
    bare = unicodedata.normalize("NFKC", form).strip(_ADORNMENT).lower()
    return _FORMS.get(bare)


def cyclic_orders() -> tuple[Order, ...]:
    """Return the four rotations of the choices, the original first; each choice has each label once."""
    return tuple(_as_order([(i + shift) % 4 for i in range(4)]) for shift in range(4))


def all_orders() -> tuple[Order, ...]:
    """Return all 24 orders of four choices, in lexicographic order (the original first)."""
    return tuple(_as_order(p) for p in itertools.permutations(range(4)))


def orders(number: Permutations) -> tuple[Order, ...]:
    """Return the original order alone, the four rotations, or all 24."""
    return {1: (ORIGINAL_ORDER,), 4: cyclic_orders(), 24: all_orders()}[number]


def permute(items: Sequence[Item], order: Order) -> tuple[Item, ...]:
    """Return the items in this order."""
    return tuple(items[source] for source in order)


def inverse(order: Order) -> Order:
    """Return the order that undoes this one: applying both gives the items back."""
    return _as_order([order.index(i) for i in range(4)])


def order_of(original: Sequence[Item], shown: Sequence[Item]) -> Order:
    """Return the order in which the original choices are shown; equal texts keep their sequence.

    Args:
        original: four texts.
        shown: the same texts.
    """
    sources: list[int] = []
    for choice in shown:
        sources.append(next(i for i in range(4) if original[i] == choice and i not in sources))
    return _as_order(sources)


def permute_label(label: Label, order: Order) -> Label:
    """Return the label under which the choice formerly called `label` is found after reordering."""
    return LABELS[order.index(LABELS.index(label))]


def _as_order(positions: Sequence[int]) -> Order:
    first, second, third, fourth = positions
    return (first, second, third, fourth)
