"""What a sentence commands, allows or forbids, turned into something else by its last words.

しなければならない and することができる differ in the verb's form too, so the verb is inflected. Where the
form cannot be recognised by the spelling, the sentence is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Force = Literal["must", "may", "must not", "may not", "need not"]
"""What a sentence does: commands, allows, forbids, denies the power, or releases from a duty."""

_MUST, _MAY, _MUST_NOT = "なければならない。", "ことができる。", "てはならない。"
_MAY_NOT, _NEED_NOT = "ことができない。", "ことを要しない。"
_ALLOWED: tuple[tuple[str, Force], ...] = (
    (_MAY, "may"),
    (_MAY_NOT, "may not"),
    (_NEED_NOT, "need not"),
)

# Stem before ない -> what the dictionary form ends in, for the verbs that change their last vowel.
_GODAN = dict(zip("わかがさたなばまら", "うくぐすつぬぶむる", strict=True))
# Verbs of one stem in statutes that end in a kanji or in a kana of the i-row: 届け出る, 得る, 用いる, 講じる.
_ICHIDAN_END = re.compile(r"[えけげせてねべめれ出得見経いきじちび]$")
_NOUN_SHI = re.compile(r"(?:[一-龠々]{2}|[ァ-ヴー]|を|に|と)し$")
# These are not a noun with する: their し belongs to 消す, 渡す, 出す and the like.
_NOT_SURU = re.compile(r"(?:取消|引渡|貸出|差出|払戻|繰越|取戻|見直|明渡|申渡|持出|呼出|貸渡)し$")
_TE_SHI = re.compile(r"(?:[一-龠々]{2}|[ァ-ヴー]|を|に|と)し$")
_TE_VERBS = {
    "行つ": "行う",
    "行っ": "行う",
    "用い": "用いる",
    "受け": "受ける",
    "漏らし": "漏らす",
    "与え": "与える",
}
_MUST_DO, _MAY_DO, _NEED_NOT_DO = "しなければならない", "することができる", "することを要しない"
_FORMS = {
    _MUST_DO: (_MAY_DO, _NEED_NOT_DO, "してはならない"),
    _MAY_DO: (_MUST_DO, _NEED_NOT_DO, "してはならない"),
    _NEED_NOT_DO: (_MUST_DO, _MAY_DO, "してはならない"),
    "してはならない": (_MUST_DO, _MAY_DO, _NEED_NOT_DO),
    "することができない": (_MUST_DO, _MAY_DO, _NEED_NOT_DO),
}
_WITHOUT = re.compile(r"なければ(?!ならない)|場合(?:又は[^、]*)?を除き|場合を除くほか|外、|ほか、")
_E_ROW_VERB = re.compile(r"[えけげせてねべめれ出得見経]る$")


@dataclass(frozen=True)
class DeonticSentence:
    """A sentence that commands, allows or forbids, without its last words."""

    force: Force
    clause: str
    """The sentence up to the verb in dictionary form: 届出書を提出する."""
    negative: str
    """The same up to the stem before ない: 届出書を提出し; empty where it is unclear."""


def deontic_sentence(sentence: str) -> DeonticSentence | None:
    """Return the command that a sentence gives; None for any other sentence."""
    if sentence.endswith(_MUST):
        head = sentence.removesuffix(_MUST)
        verb, dictionary = _dictionary_of_negative(head)
        if not dictionary:
            return None
        return DeonticSentence("must", head.removesuffix(verb) + dictionary, head)
    if sentence.endswith(_MUST_NOT):
        head = sentence.removesuffix(_MUST_NOT)
        changed = next(_from_prohibition(head), None)
        if changed is None:
            return None
        clause = sentence.removesuffix(changed[0]) + changed[1].removesuffix(_MAY)
        return DeonticSentence("must not", clause, "")
    for ending, force in _ALLOWED:
        if sentence.endswith(ending):
            head = sentence.removesuffix(ending)
            if _conditional(sentence) or head.endswith(("ない", "ものとする")):
                return None
            must = next((c for c in _from_permission(head) if c[1].endswith(_MUST)), None)
            negative = ""
            if must is not None:
                stem = head + _MAY
                negative = stem.removesuffix(must[0]) + must[1].removesuffix(_MUST)
            return DeonticSentence(force, head, negative)
    return None


def other_commands(sentence: str) -> Iterator[tuple[str, str]]:
    """Yield what the sentence's last words can be changed to, each as (before, after).

    The two are the ends of the sentence, from the verb on. Duties of effort (努めなければならない) and
    conditions (…でなければならない) are no commands to do something and are left alone.
    """
    if sentence.endswith(_MUST):
        yield from _from_duty(sentence.removesuffix(_MUST))
    elif sentence.endswith(_MUST_NOT):
        yield from _from_prohibition(sentence.removesuffix(_MUST_NOT))
    elif sentence.endswith(_MAY):
        if not sentence.endswith(("ないことができる。", "ものとすることができる。")):
            yield from _from_permission(sentence.removesuffix(_MAY))
    elif sentence.endswith(_MAY_NOT) and not _conditional(sentence):
        yield _MAY_NOT, _MAY
    elif sentence.endswith(_NEED_NOT):
        yield from _from_exemption(sentence.removesuffix(_NEED_NOT))


def command_forms(sentence: str) -> tuple[str, tuple[str, ...]] | None:
    """Return the last words of a sentence that commands, allows or forbids to do something, and other such
    words.

    Only nouns with する, whose forms are certain. The others each say something else: してはならない and
    することができない, which say the same, never appear together.
    """
    if _conditional(sentence):
        return None
    for form, others in _FORMS.items():
        head = sentence.removesuffix(f"{form}。")
        if head != sentence and _NOUN_SHI.search(f"{head}し") and not _NOT_SURU.search(f"{head}し"):
            return form, others
    return None


def _from_duty(head: str) -> Iterator[tuple[str, str]]:
    verb, dictionary = _dictionary_of_negative(head)
    if dictionary:
        yield verb + _MUST, dictionary + _MAY
        yield verb + _MUST, dictionary + _NEED_NOT


def _from_prohibition(head: str) -> Iterator[tuple[str, str]]:
    for stem, dictionary in _TE_VERBS.items():
        if head.endswith(stem):
            yield stem + _MUST_NOT, dictionary + _MAY
            return
    if _TE_SHI.search(head) and not _NOT_SURU.search(head) and not _conditional(head):
        yield "し" + _MUST_NOT, "する" + _MAY


def _from_permission(head: str) -> Iterator[tuple[str, str]]:
    yield _MAY, _MAY_NOT
    if head.endswith("する"):
        yield "する" + _MAY, "し" + _MUST
    elif head.endswith("ずる"):
        yield "ずる" + _MAY, "じ" + _MUST
    elif _E_ROW_VERB.search(head):
        yield "る" + _MAY, _MUST
    elif head[-1:] in _GODAN.values() and head[-1:] != "る":
        negative = next(stem for stem, end in _GODAN.items() if end == head[-1])
        yield head[-1] + _MAY, negative + _MUST


def _from_exemption(head: str) -> Iterator[tuple[str, str]]:
    for before, after in _from_permission(head):
        if after.endswith(_MUST):
            yield before.replace(_MAY, _NEED_NOT), after


def _dictionary_of_negative(head: str) -> tuple[str, str]:
    """Return the last sign or so of a verb before なければならない, and its dictionary form;
    empty if untold.
    """
    last = head[-1:]
    if head.endswith(("努め", "つとめ", "で", "れ", "あら", "なら", "適合し", "該当し", "い")):
        return "", ""  # effort, condition, passive: no deed of an actor
    if last == "し":
        known = _NOUN_SHI.search(head) and not _NOT_SURU.search(head)
        return ("し", "する") if known else ("", "")
    if last in _GODAN:
        return last, _GODAN[last]
    if _ICHIDAN_END.search(head):
        return last, last + "る"
    return "", ""


def _conditional(sentence: str) -> bool:
    """Return whether a deed is forbidden only without something: turned round, that would be no Japanese."""
    return _WITHOUT.search(sentence) is not None
