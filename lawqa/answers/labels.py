"""Recognise a label where one may be: a, b, c, d in every written form, and lists of them.

A letter is a label only if it is alone: not in a word, not the English article, not a numbered item
of a statute. A plain digit is one only if nothing that is counted follows it.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lawqa.answers.text.page import Page
from lawqa.choices import LABELS, Label

FORM = "a-d1-4①-④アイウエⅠ-Ⅳ一二三四"
"""The inside of a character class: every form of a label after folding."""

MARK = "a-d①-④アイウエ"
"""The same without plain digits, which are too common in legal text to be looked for."""

FOREIGN = "e-hj⑤-⑩オカキ"
"""Labels of a fifth and later choice: an answer, but none that can be right here."""

SCRIPTS = ("abcd", "1234", "①②③④", "アイウエ", "ⅠⅡⅢⅣ", "一二三四")
"""The labels in order, in each script."""

BRACKETS = r"()\[\]{}\"'<>$"

_VALUES: dict[str, Label] = {
    char: label
    for script in ("abcd", "1234", "①②③④", "アイウエ", "ⅠⅡⅢⅣ", "一二三四")
    for char, label in zip(script, LABELS, strict=True)
}
_STANDS_ALONE = re.compile(
    r"""
    [a-d] (?<! [a-z0-9_\\][a-d] ) (?<! [iuey]'d )
    (?! [a-z0-9_\u0300-\u036f] | '[a-z] | \.[a-z](?![a-z]) | -[0-9] | -[a-z]{2} )
  | [①-④] (?! [ ]?[0-9] )
  | [アイウエ] (?<! [ァ-ヶー][アイウエ] ) (?! [ァ-ヶー] )
  | [Ⅰ-Ⅳ一二三四] (?<! [a-z0-9Ⅰ-Ⅻ一-龠][Ⅰ-Ⅳ一二三四] )
    (?= [)\]"'$ ]{0,4}
        (?: $ | \n | 。 | です | である | だ[。と\n] | [をが](?:正|選) ) )
  | [1-4] (?<! [0-9a-z_.第§\[-][1-4] )
    (?= [ ]{0,3} [)}"'$]{0,4} [ ]{0,3}
        (?: $ | [\n。、,:→(/&・] | \.(?![0-9]) | で(?:す|ある|しょ|は|な) | だ | 番(?!目)
          | が | を | に(?!つ) | と | の | または | 又は | 及び | および | か[、\s] | or\b | and\b ) )
    """,
    re.VERBOSE,
)
_FOREIGN_ALONE = re.compile(
    r"[e-hj](?<![a-z0-9_\\][e-hj])(?![a-z0-9_]|'[a-z]|\.[a-z](?![a-z])|-[0-9]|-[a-z]{2}| [a-z]{2,})"
    r"|[⑤-⑩](?! ?[0-9])|[オカキ](?<![ァ-ヶー][オカキ])(?![ァ-ヶー])"
)
# "a" is the English article unless what follows it could not follow an article.
_AFTER_ARTICLE = re.compile(
    r"[ ]+(?!(?:is|are|was|would|will|should|must|can|cannot|because|as|since|and|or|which|that"
    r"|if|due|"
    r"based|for|from|in|on|at|to|with|under|per|but|not|does|do|has|seems|appears|being|by|also|"
    r"best|directly|correctly|option|choice|-)\b)[a-z]{2,}"
)
_JOIN = re.compile(
    r"[ )\]}\"'$]*(?P<range>~|-|から|to\b|through\b)[ (\[\"']*"
    r"|[ )\]}\"'$]*(?:\([^()\n]{1,60}\) ?)?\(?"
    r"(?:[、,・/&+]|とも|でも|も|ないし|と|和|与|及(?!び)|或(?!い)|以及|及び|および|並びに"
    r"|ならびに|又は|または|もしくは|あるいは|か|and\b|or\b)"
    r"[ ]*(?:and\b|or\b|及び|および|又は|または|もしくは|あるいは|ないし)?[ (\[{\"']*"
    r"(?:選択肢|option\b|choice\b)?[ (\[\"']*"
    r"|\) ?\((?=[a-d①-④]\))|\|(?=[a-d](?:[| \n]|\Z))"
)
_TOPIC = re.compile(
    r"[ )\]\"']{0,4}(?:は|が(?!、?(?:正し|正解|正答|適切|妥当|該当|答え))|:|→| is\b| are\b| was\b| would\b)"
)

VERDICT = r"(?:[正誤×不妥適]|(?:in)?(?:correct|valid|accurate)|right\b|wrong\b|true\b|false\b)"
"""How the grade of a choice begins; the inside of a pattern."""

_ITEM_SIGN = rf"(?:[)\]\"']? ?[:=→×]|\)| - |[.、, ]{{1,3}}{VERDICT}| ?が ?{VERDICT})"


class LabelList(NamedTuple):
    """One or more labels written as a list (`b`, `b と d`, `a, b, c or d`, `a-d`).

    Args:
        labels: without repetitions, in the order of writing.
        at: where the first one is.
        end: just behind the last one.
        foreign: a fifth or later choice is among them.
    """

    labels: tuple[Label, ...]
    at: int
    end: int
    foreign: bool = False

    @property
    def only(self) -> Label | None:
        """The label, if there is just one and nothing else."""
        return self.labels[0] if len(self.labels) == 1 and not self.foreign else None


def label_at(page: Page, at: int) -> Label | None:
    """Return the label that is alone at this place, or None."""
    if not _STANDS_ALONE.match(page.text, at):
        return None
    if page.text[at] == "a" and _AFTER_ARTICLE.match(page.text, at + 1):
        emphasised = page.raw[at + 1 : at + 2] in ("*", "`")
        return "a" if emphasised else None
    return _VALUES[page.text[at]]


def foreign_at(page: Page, at: int) -> bool:
    """Return whether the label of a fifth or later choice is alone at this place."""
    return _FOREIGN_ALONE.match(page.text, at) is not None


def labels_at(page: Page, at: int) -> LabelList | None:
    """Return the list of labels that begins at this place, or None.

    In `c、d は誤り` the list is `c` alone: the second letter is the topic of what follows.
    """
    label = label_at(page, at)
    foreign = label is None and foreign_at(page, at)
    if label is None and not foreign:
        return None
    labels: list[Label] = [label] if label else []
    end = at + 1
    for _ in range(8):
        if page.text.startswith("\n", end) or end == len(page.text):
            break
        join = _JOIN.match(page.text, end)
        following = label_at(page, join.end()) if join else None
        other = join is not None and following is None and foreign_at(page, join.end())
        if join is None or not (following or other):
            break
        if _TOPIC.match(page.text, join.end() + 1) and join[0].strip(" )\"'") in ("、", ","):
            break
        if join["range"] and labels:
            last = LABELS[-1] if following is None else following
            labels += LABELS[LABELS.index(labels[-1]) : LABELS.index(last) + 1]
        if following:
            labels.append(following)
        foreign = foreign or other
        end = join.end() + 1
    return LabelList(tuple(dict.fromkeys(labels)), at, end, foreign)


def next_sign(page: Page, at: int) -> str:
    """Return the sign that follows the label here in its script: `c` after `b`, `ウ` after
    `イ`; not for `d`.
    """
    script = next(script for script in SCRIPTS if page.text[at] in script)
    return script[script.index(page.text[at]) + 1]


def next_heads_item(page: Page, at: int, end: int) -> bool:
    """Return whether the next label heads an item before `end`: `a：誤り、b：正しい` goes through the
    choices.
    """
    named = f"(?:選択肢|option |choice )?{next_sign(page, at)}"
    item = rf"(?:[ 、,;。./|)-]|(?<=[^ -~])){named}{_ITEM_SIGN}|\({named}\) ?(?:[:=→]|{VERDICT})"
    return re.compile(item).search(page.text, at + 1, end) is not None


def in_a_list(page: Page, at: int) -> bool:
    """Return whether the label here is a later member of a list (`a と b`, `not a or b`)."""
    return _LIST_BEFORE.search(page.text, max(0, at - 12), at) is not None


_LIST_BEFORE = re.compile(
    rf"(?:(?<![a-z0-9])[{MARK}{FOREIGN}][ )\"']{{0,3}}(?:[、,・/&~-]|と|及び|および|又は|または|か| and| or)"
    r"|\b(?:nor|not|neither|except|than))"
    r"[ (\"']{0,3}(?:選択肢|option|choice)?[ (\"']{0,3}\Z"
)
