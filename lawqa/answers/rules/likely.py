"""Rules that read a choice that is only called likely, or made under protest."""

from __future__ import annotations

from collections.abc import Iterator

from lawqa.answers.context import doubtful
from lawqa.answers.labels import in_a_list, label_at, labels_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.negation import denied, not_ours
from lawqa.answers.page import Page
from lawqa.answers.rules.claims import (
    CLOSE,
    COPULA,
    LONE,
    MARK,
    NAMED,
    OPEN,
    last_label_in,
    read_claims,
)
from lawqa.answers.slots import Reading
from lawqa.answers.wording import find_each, wording

_GUESSED = (
    wording(
        "可能是|可能选|可能为|也许|大概|猜|倾向|估计",
        r"(?:可能(?:是|选|为)|也许(?:是|选)?|大概(?:是|选)?|猜测?(?:是|选)?"
        r"|(?:更)?倾向于?(?:选择?|认为)?|估计(?:是|选)?)",
        rf"[: ]{{0,2}}(?:[选選][项項] ?)?{OPEN}[{MARK}]{CLOSE}(?:[项項])?(?=[。.,;!\n、]|\Z|吧"
        rf"|是|因为)",
    ),
    wording(
        "が",
        rf"{LONE}{CLOSE}が[、 ]{{0,2}}(?:[^。、\n]{{0,20}}?として)?(?:最も|一番|もっとも|より"
        rf"|まず|第一に"
        rf"|強く)?[、 ]{{0,2}}",
        r"(?:考えられ(?!な|ませ|得|る(?:もの|が|けど))|挙げられる?(?!が)|疑われ|有力|優先され"
        r"|望まし|合致(?!し[なま]せ?)|一致(?!し[なま]せ?)"
        r"|近い|無難|良い|よい"
        r"|いい|推奨され|選択され|求められ|導かれ|最善|最良|ベスト|しっくり|必要(?:で|と|だ|。)"
        r"|(?:本|この)(?:症例|患者|問題?|設問)の(?:診断|答え|正解)|選ばれ|支持され|第一選択|候補)",
        behind="が",
    ),
    wording(
        "を",
        rf"{LONE}{CLOSE}(?:のみ|だけ)?を[、 ]{{0,2}}(?:行う(?:べき|の)|実施すべき|施行すべき"
        rf"|選びたい|推したい"
        rf"|支持|第一(?:候補|選択)|優先|有力)",
        behind="のだを",
    ),
    wording(
        "と",
        rf"{LONE}{CLOSE}と(?:最も|もっとも|一番|よく)(?:一致|合致|整合|符合)(?!し[なま]せ?)",
        behind="と",
    ),
    wording(
        "consistent|plausible|guess|lean|perhaps|maybe|probably|likely|suspect|inclin",
        r"(?:guess(?:ing)?(?: is| would be)?(?: that)?(?: it(?:'s| is"
        r"| would be))?(?: the answer is)?|lean(?:ing)? toward?s?|perhaps|maybe"
        r"|inclined (?:to(?:wards?)?|toward)(?: (?:choose|pick|select|say|go with))?"
        r"|suspect(?: that)?(?: it(?:'s| is))?(?: the answer is)?|(?:probably|likely)(?: it(?:'s"
        r"| is))?|seems (?:most )?(?:plausible|likely) (?:is|to be))",
        rf":? (?:the answer is |the answer |with )?{NAMED}{OPEN}[{MARK}]{CLOSE}(?=[.,;!?\n]"
        rf"|\Z|but\b|though\b|because\b|since\b|as\b)",
    ),
)
_PROTEST = (
    wording(
        "いて|えて|どちらか",
        r"(?:強いて|しいて|敢えて|あえて|どちらかと|どれかと|無理に|むりに)[^。、\n]{1,12}?(?:ば"
        r"|なら|と|たら)[、 ]{0,2}",
        rf"{NAMED}{OPEN}[{MARK}]{CLOSE}(?:でしょうか|かな|かと|か(?=[。\n]|\Z)|でしょう|だろう"
        rf"|{COPULA}|が|を)",
    ),
    wording(
        "if i ",
        r"if i (?:absolutely |really )?(?:had|have|were|am|was"
        r"|must)(?: forced)?(?: to)? (?:choose|pick|guess|select|answer)(?: one| an answer)?",
        rf",? (?:then )?(?:i(?:'d| would| will|'ll) (?:say|go with|choose|pick|select|guess) "
        rf"|it would be |it is )?{NAMED}{OPEN}[{MARK}]{CLOSE}(?=[.,;!\n]|\Z)",
    ),
)
_DOUBTED = (
    wording(
        "で|じ|か|の|と",
        rf"{LONE}(?<![がをにでと][{MARK}]){CLOSE}(?:で(?=は|ある|す|いい|良|よ)|じゃ|か(?=も|と"
        rf"|な)|の(?=可能|では|よう)"
        rf"|と(?=思わ|推))",
        behind="でじかのと",
    ),
)


def likely_choice(reading: Reading) -> Iterator[Mark]:
    """`my best guess is c`, `可能是C` and `c が考えられる` call one choice likely and no more."""
    for mark in _likely_choices(reading):
        if mark.label is None or _is_last_word(reading.page, mark):
            yield mark


def _is_last_word(page: Page, mark: Mark) -> bool:
    """Whether no other choice is named in the sentences behind it; if one is, the text went on weighing."""
    end = page.text.find("。", mark.span[1])
    if end < 0 or len(page.text) - end > _MOST_BEHIND:
        return end < 0
    others = (at for at in page.letters if at > end)
    return not any(label_at(page, at) not in (None, mark.label) for at in others)


_MOST_BEHIND = 600
"""A soft commitment with more text than this behind it was not the last word."""


def _likely_choices(reading: Reading) -> Iterator[Mark]:
    text = reading.page.text
    for found in find_each(_PROTEST, reading.page):
        at = last_label_in(reading.page, found)
        labels = labels_at(reading.page, at) if at >= 0 else None
        if labels and labels.only and not denied(text, at + 1) and not in_a_list(reading.page, at):
            yield Mark("claim", labels.only, Strength.FORCED, at, found.span(), soft="soft-forced")
    for mark in read_claims(reading.page, _GUESSED):
        yield mark._replace(strength=Strength.FORCED, soft="soft-choice") if mark.label else mark
    for found in find_each(_DOUBTED, reading.page):
        labels = labels_at(reading.page, found.start())
        if labels and labels.only and doubtful(text, found.start() + 1):
            at = found.start()
            if not in_a_list(reading.page, at) and not not_ours(text, at):
                yield Mark(
                    "claim", labels.only, Strength.FORCED, at, found.span(), soft="soft-choice"
                )
