"""Ways to name a choice, brought to the one that the rules read: its bare label.

`時効の援用（c）`, `選択肢cの「時効の援用」`, `c. 時効の援用が`, `c肢`, `3番` all name c. Where the choices
are known and an answer is due, the words of exactly one choice do so as well. The rules then read
`最も適切なのは c である`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from lawqa.answers.labels import FOREIGN, MARK
from lawqa.answers.ordinals import numbered
from lawqa.answers.text.mapping import Edit, Pieces, edited
from lawqa.answers.text.page import Page, fold_choices
from lawqa.choices import LABELS

_ANY = rf"[{MARK}{FOREIGN}]"
_ALONE = rf"{_ANY}(?<![a-z0-9_\\ァ-ヶー]{_ANY})(?![a-z0-9_ァ-ヶー])"
_MEMBER = r"(?: ?という選択?肢|の?選択肢|の?肢|の記述|の説明|番(?!目|号)|项|項|选项|選項)"
_PREDICATE = (
    # the first sign is looked at before the branches, because most places are no predicate
    r"(?=[)\"' 。のだがをとかにで是正符错])"
    r"(?=[)\"' 。]{0,3}(?:(?:のみ|だけ)?(?:が[、 ]?(?:最も|一番|もっとも|唯一|最適|最有力|第一|正"
    r"|適|妥当|答|該当|当てはま|合致"
    r"|考え|挙げ|誤|不適|間違|疑|有力|選)|(?:を|と)(?:選|正解|答|第一|優先|判断|考え|結論|な[りる]|思)"
    r"|という(?:結論|判断|答え|こと)に(?:な|至)|のが(?:正し|適切|妥当|最も)|。 ?これが(?:正解|正答|答え"
    r"|正し|最も)|の可能性|か(?:も|と)|に(?:該当|相当|な[りる]|当[たて]|あた|決)|で(?:す|、|ある|しょう"
    r"|は?ない(?:か|で))|だ(?:。|と|ろう|\n|\Z)"
    r"|が(?:正|答)|が$|がよ|が良|がい|であ)|が?是|正确|符合|错误))"
)
_BRACKETED = re.compile(
    rf"\( ?(?:選択肢|选项|選項|肢|選択|option |choice |answer )? ?(?P<label>{_ANY})(?:{_MEMBER}"
    rf"|選択)? ?\)"
)
_ITEM_TEXT = re.compile(
    rf"(?P<label>{_ALONE})(?P<sep>{_MEMBER}?[)\"']?(?: ?[.:] ?| の|の| |(?=\()))"
    rf"(?P<text>\([^()\n]{{1,120}}\)(?:という)?{_MEMBER}?|(?![はがをもとにでやか]|可能性|場合|よう"
    rf"|とおり|通り|ほう"
    rf"|方[がは])[^。、\n():]{{1,60}}?){_PREDICATE}"
)
_BRACKET_TEXT = re.compile(rf"(?P<label>{_ALONE}) ?\((?!{_ANY} ?\))[^()\n]{{1,120}}\)")
_LABEL = re.compile(_ALONE)
_SUFFIX = re.compile(
    rf"(?P<label>{_ALONE})(?:{_MEMBER}|[.](?=(?:です|である|が(?:正|最|該|適)|[をと](?:選|判|考))))"
)
_CUE_WORD = re.compile(
    r"(?:\A|の|[、。 ])(?:正解|正答|答え?|回答|解答|最終回答|選択肢?|肢|記号|番号|結論|選んだ答え"
    r"|选项|答案|option|choice|answer"
    r"|letter|statement|correct|label|conclusion)s? ?\Z"
)
_CUE_ENDS = frozenset("解答え択肢号番論项案nertl")
_START = re.compile(
    r"(?:は|が|として|、|:|。|\n|\A|したがって|よって|診断|[(\"']|これは|→|うち|なら"
    r"|すると)[ )(\"'、]{0,3}\Z"
)
_LINE_START = re.compile(r"(?:\A|\n)[ >\-#(\"']{0,8}(?:選択肢|option|choice)? ?\Z")
_CLOSING = re.compile(r"[。. ]{0,2}[)\"']{1,3}")
_OPENING = re.compile(r"[(\"' ]{0,3}\Z")
_GOES_ON = frozenset(")\"' .:のという選肢番项項(")
_MEMBER_SIGNS = frozenset(" とのい選选肢番项項.")
_SHORTEST = 2
_MOST = 400


class Named(NamedTuple):
    """A page in which choices are named by their labels.

    Args:
        page: the page.
        pieces: the way back to the page before.
        by_text: the places of labels that were named by the words of their choice alone.
    """

    page: Page
    pieces: Pieces
    by_text: frozenset[int]


def name_choices(page: Page) -> Named:
    """Return the page with every choice that it names in other words named by its label."""
    text = page.text
    edits = [
        *_choice_texts(page),
        *numbered(page),
    ]
    if page.letters:
        edits += [*_bracketed(text), *_items(page), *_suffixes(page)]
    if not edits:
        return Named(page, ((0, 0),), frozenset())
    edits.sort(key=lambda edit: (edit.start, -edit.end))
    (raw, folded), pieces = edited([page.raw, text], edits)
    named = Page(raw, folded, page.choices, page.unclosed_think, (pieces, *page.maps))
    words = {edit.start for edit in edits if edit.text in LABELS and edit.text}
    places = frozenset(here for here, there in pieces if there in words and folded[here] in LABELS)
    return Named(named, pieces, places)


def _choice_texts(page: Page) -> Iterator[Edit]:
    """Yield choices named by their words, with their label beside them or, where an answer
    is expected, without.
    """
    text = page.text
    taken = bytearray(len(text))  # by a longer choice, which may hold a shorter one
    for label, words, alone in _longest_first(page.choices):
        for at in _places(text, words):
            end = at + len(words)
            if 1 in taken[at:end]:
                continue
            taken[at:end] = b"\1" * len(words)
            edit = _beside(text, at, end)
            if edit is None and alone and _answers(text, at, end):
                start, stop = _with_brackets(text, at, end)
                edit = Edit(start, stop, text=label)
            if edit is not None:
                yield edit


@lru_cache(maxsize=4096)
def _longest_first(choices: tuple[str, ...]) -> list[tuple[str, str, bool]]:
    """Return label and words of each choice, and whether the words are enough to name it."""
    folded = [" ".join(choice.split()).strip(" 。.、,") for choice in fold_choices(choices)]
    known = [
        (label, words, len(words) >= _SHORTEST and folded.count(words) == 1)
        for label, words in zip(LABELS, folded, strict=False)
        if words
    ]
    return sorted(known, key=lambda choice: -len(choice[1]))


def _places(text: str, words: str) -> Iterator[int]:
    at = text.find(words)
    for _ in range(_MOST):
        if at < 0:
            return
        yield at
        at = text.find(words, at + len(words))


_LABEL_BEFORE = re.compile(
    rf"(?P<label>{_ALONE}){_MEMBER}?[)\"']?(?: ?[.:、] ?|の| ){{0,2}}[(\"']?\Z"
)
_LABEL_BEHIND = re.compile(rf"[)\"' ]{{0,3}}{_BRACKETED.pattern}")


def _beside(text: str, at: int, end: int) -> Edit | None:
    """Return the edit for words of a choice with a label before or behind them."""
    behind = _LABEL_BEHIND.match(text, end)
    before = _LABEL_BEFORE.search(text, max(0, at - 16), at)
    if behind and not before:
        if _LINE_START.search(text, max(0, at - 12), at) and not _PREDICATED.match(
            text, behind.end()
        ):
            return None
        return Edit(_with_brackets(text, at, end)[0], behind.end(), behind.span("label"))
    if before is None:
        return None
    stop = _with_brackets(text, at, end)[1] if text[before.end() - 1] in "(\"'" else end
    heads = _LINE_START.search(text, max(0, before.start() - 12), before.start()) is not None
    if heads and not _PREDICATED.match(text, stop):
        return None  # the choice is listed or analysed
    return Edit(before.start(), stop, before.span("label"))


_PREDICATED = re.compile(_PREDICATE)


def _answers(text: str, at: int, end: int) -> bool:
    """Return whether the words are where a sentence has its answer."""
    start = _OPENING.search(text, max(0, at - 3), at)
    first = start.start() if start else at
    return (
        _START.search(text, max(0, first - 8), first) is not None
        and _PREDICATED.match(text, end) is not None
    )


def _with_brackets(text: str, at: int, end: int) -> tuple[int, int]:
    """Return the stretch with the brackets or quotation marks around it."""
    opening = _OPENING.search(text, max(0, at - 3), at)
    start = opening.start() if opening else at
    closing = _CLOSING.match(text, end) if start < at else None
    return (start, closing.end()) if closing else (at, end)


_LEADING = re.compile(
    r"[いえべけ](?:れ)?ば|なら|として|すると|よって|したがって|ゆえに|から(?=.)|おそらく|恐らく"
    r"|たぶん|多分|やはり|もっとも|最も(?=[^なも適妥])"
    r"|つまり|結局|これは|すなわち|ならば|むしろ|まず"
)
_BOUNDARIES = "。、\n:;,はが→()"
_NO_NOUN = re.compile(
    rf"文字\Z|[ぁ-ん](?<!もの)(?<!こと)(?<!ん) ?\Z|\A[ ]?(?:[正誤適否可○×]|妥当|適切|不[適可])[ ]?\Z|{_ALONE}"
)
_SAID = re.compile(
    r"(?:であ[るり]|です|だ|と(?:考え|判断|思|言|推)[^。、\n]{0,10}|とな[りる]\w{0,3}"
    r"|にな[りる]\w{0,3}|でしょう|だろう) ?\Z"
)
_ENGLISH_VERB = re.compile(
    r".*\b(?:is|are|be|was|choose|select|pick|chose|selected|as|to)\b:? ", re.DOTALL
)


def _bracketed(text: str) -> Iterator[Edit]:
    """Find `時効の援用（c）` and `…時効の援用である（選択肢c）`, whatever the choices are."""
    for match in list(_BRACKETED.finditer(text))[-_MOST:]:
        stop = match.start()
        start = _noun_start(text, stop)
        words = text[start:stop]
        if not words.strip(" )\"'"):
            continue
        ends = text[max(0, start - 1) : stop].rstrip(" s")[-1:] in _CUE_ENDS
        if ends and _CUE_WORD.search(text, max(0, start - 1), stop):
            continue
        said = _SAID.search(text, start, stop)
        if said:
            yield Edit(start, stop, match.span("label"))
            yield Edit(stop, match.end(), text="である")
        elif not _NO_NOUN.search(words):
            yield Edit(start, match.end(), match.span("label"))


def _noun_start(text: str, stop: int) -> int:
    """Return where the noun phrase that ends here begins; `stop` itself where there is none."""
    last = len(text[max(0, stop - 2) : stop].rstrip()) + max(0, stop - 2)
    if last and text[last - 1] == ")":
        opening = text.rfind("(", max(0, last - 200), last - 1)
        return opening if opening >= 0 and "\n" not in text[opening:last] else stop
    low = max(0, stop - 60)
    window = text[low:stop]
    start = 1 + max(map(window.rfind, _BOUNDARIES))
    start = max([start, *(m.end() for m in _LEADING.finditer(window, start))])
    words = window[start:]
    if words.isascii():
        verb = _ENGLISH_VERB.match(words)
        return low + start + verb.end() if verb else stop
    return low + start if start or low == 0 else stop


def _items(page: Page) -> Iterator[Edit]:
    """Find `選択肢c. 時効の援用 が正解`, `cの「…」が正しい` and `c（…）と考えられる`, whatever the choices
    are.
    """
    text = page.text
    for start in page.letters[-_MOST:]:
        if text[start + 1 : start + 2] not in _GOES_ON:
            continue
        match = _ITEM_TEXT.match(text, start) or _BRACKET_TEXT.match(text, start)
        if not match or _LABEL.search(text, match.end("label"), match.end()):
            continue
        before = text[max(0, start - 4) : start].rstrip(" (\"'")
        called = before.endswith(("選択肢", "选项"))
        if not called and _LINE_START.search(text, max(0, start - 12), start):
            continue
        if match.re is _BRACKET_TEXT:
            if before and _PREDICATED.match(text, match.end()):
                yield Edit(start, match.end(), match.span("label"))
            continue
        quoted = match["text"].startswith("(")
        loose = match["sep"].strip(" )\"'")[:1] in ("の", "")
        tied = not loose and _START.search(text, max(0, start - 8), start)
        if called or (quoted and before) or tied:
            yield Edit(start, match.end(), match.span("label"))


def _suffixes(page: Page) -> Iterator[Edit]:
    """Find `c肢`, `cの選択肢`, `cという選択肢`."""
    for start in page.letters[-_MOST:]:
        if page.text[start + 1 : start + 2] not in _MEMBER_SIGNS:
            continue
        match = _SUFFIX.match(page.text, start)
        if match:
            yield Edit(start, match.end(), match.span("label"))
