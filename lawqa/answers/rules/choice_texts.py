"""Rules that know an answer by the text of the choice it quotes; they need the choices."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from lawqa.answers.context import questioned, sentence_start
from lawqa.answers.labels import MARK, label_at
from lawqa.answers.marks import Kind, Mark, Strength
from lawqa.answers.negation import denied
from lawqa.answers.rules.closing import JUDGED
from lawqa.answers.slots import Reading
from lawqa.answers.text.page import Page, fold_choices
from lawqa.choices import LABELS, Label

_MOST = 50
"""So many of the last announced answers are compared with the choices."""

_WINDOW = 20_000
"""A quotation is looked for in the last N characters."""

_SHORTEST = 4
"""A shorter choice text (年, 5年) turns up by chance in any explanation."""

_OPENERS = re.compile(r"[\s(\[\"'{$:\-]*(?:選択肢)?[\s(\[\"'{$:\-]*")
_UNDECIDED = re.compile(
    rf"[)\]\"'}}$\s。]*(?:[(\[]{{1,2}} ?(?:選択肢)?[{MARK}] ?[)\]]{{1,2}})?[)\]\"'\s]*(?:という(?:選択肢"
    rf"|もの|点))?"
    r"(?:を(?:検討|考え|見|確認|比較|除|読)|の?場合|か(?:どうか|否か|\?|。|、|\Z)|については?"
    r"|に関して|とは[、,]|とは?(?:異な|違|別|対比|比べ|比較)"
    r"|で(?:は|も)?な[いくか]|じゃな|よりも?|に対して|は(?:どう|いかが|別|誤|不)|も(?:検討|考え)"
    r"|を選(?:ぶ|択する|択す)べきでは|が(?:正解|誤り|正しい)(?:だ|で)?と(?:する|仮定|すれ)"
    r"|\?|以外|と(?:は言え|はいえ)な)"
)
_NO_LETTERS = re.compile(r"[\W_]+")
_ITEM_ENDS = re.compile(r"[)\]\"' ]{0,3}(?:[。.]|\n|\Z)")
_ITEM_HEAD = re.compile(
    rf"(?:\A|\n)[ >\-#(]{{0,4}}(?:選択肢)?(?P<label>[{MARK}])[)\] ]{{0,2}}[.:、 ] ?\Z"
)
_DONE = re.compile(r"[)\]\"'}$\s]*(?:です|である|だ|と(?:な|い|考|判)|が|[。.、,]|\n|\Z)")
_CLOSING = re.compile(r"[)\]\"'}$。 ]*")
_FINISHED = re.compile(r"[。.!)\"' ]\Z")
_ITEM = re.compile(
    rf"[ >\-#(]{{0,6}}(?:選択肢|option|choice)? ?[{MARK}](?:[ )\]]{{0,2}}[.:、)\]→]| )"
)
_MEANT = re.compile(
    rf"[)\]\"'}}$\s。.!]*(?:\([^()\n]{{1,40}}\) ?)?(?:\Z|[(\[]{{1,2}} ?(?:選択肢)?[{MARK}]|[。\n]"
    rf"|(?:と(?:いう|する|の)?(?:選択?肢|記述|説明|もの|こと)?)?(?:、?(?:{JUDGED})|を行う|が最|、以上)"
    rf"|にあ[るり]|is (?:the )?(?:correct|right|best|answer)"
    r"|是正确|正确)"
)
"""What makes a quotation at the end the answer: nothing behind it, or a word of judgement."""
_LONGER = re.compile(r"第|の?[0-9]|各号|本文|ただし書|但書|項|号")
"""What makes a quoted statute number another one."""

_LOWERED = re.compile(
    r"[)\]\"'}$\s。]*(?:と(?:いう|の|する)?(?:記述|説明|選択肢|主張|見解|考え|もの|こと|点"
    r"|の)?)?(?:は|が)[^。\n]{0,30}(?:誤"
    r"|不適|正しくな|ない|ません|間違)"
)


def quoted_answer(reading: Reading) -> Iterator[Mark]:
    """`回答：` followed by the words of one choice, without its letter, names that choice."""
    open_slots = [slot for slot in reading.slots if slot.content == "other"][-_MOST:]
    if not reading.page.choices or not open_slots:
        return
    choices = _squeezed_choices(reading.page)
    for slot in open_slots:
        hit = _quoted_at(reading.page.text, slot.at, choices) if choices else None
        if hit:
            label, end = hit
            kind: Kind = "retract" if _not_meant(reading.page.text, end) else "claim"
            yield Mark(kind, label, Strength.STATED, slot.at, (slot.span[0], end))


def quoted_line(reading: Reading) -> Iterator[Mark]:
    """A last line, or a whole text, that is word for word one choice hands that choice in."""
    text = reading.verbatim.text
    start = text.rfind("\n") + 1
    size = len(text) - start
    if not any(
        size <= 2 * len(choice) + 10 and len(choice) <= 2 * size
        for choice in reading.verbatim.choices
    ):
        return
    line = "".join(filter(str.isalnum, text[start:]))
    labels = [label for label, choice in _squeezed_choices(reading.verbatim) if line == choice]
    if len(labels) == 1 and not _listed(reading.verbatim, start):
        yield Mark("claim", labels[0], Strength.CLAIM, start, (start, len(text)))


def quoted_item(reading: Reading) -> Iterator[Mark]:
    """A line that is one choice with its label (`b：…`), no other choice having such a line, hands it in."""
    page = reading.verbatim
    items: list[tuple[Label, int, int]] = []
    for label, choice in zip(LABELS, fold_choices(page.choices), strict=False):
        words = choice.strip(" 。.")
        at = page.text.find(words) if len(words) >= _SHORTEST else -1
        head = _ITEM_HEAD.search(page.text, max(0, at - 12), at) if at >= 0 else None
        if head and label_at(page, head.start("label")) == label:
            items.append((label, head.start("label"), at + len(words)))
    # An a by itself may be the first of all four, the text being cut off behind it.
    if len(items) == 1 and items[0][0] != "a" and _ITEM_ENDS.match(page.text, items[0][2]):
        label, at, end = items[0]
        yield Mark("claim", label, Strength.HINT, at, (at, end))


def _listed(page: Page, start: int) -> bool:
    """Return whether the line before this one is another choice: then the choices are only listed."""
    above = page.text[:start].rstrip()
    line = "".join(filter(str.isalnum, above[above.rfind("\n") + 1 :][-2000:]))
    return any(choice == line for _, choice in _squeezed_choices(page))


def quoted_choice(reading: Reading) -> Iterator[Mark]:
    """Where the text ends on one choice in full, or is little more than that, it means that choice."""
    if not reading.verbatim.choices:
        return
    choices = [c for c in _squeezed_choices(reading.verbatim) if len(c[1]) >= _SHORTEST]
    text = reading.verbatim.text
    start = max(0, len(text) - _WINDOW)
    squeezed = _NO_LETTERS.sub("", text[start:])
    hits: list[tuple[int, int, Label]] = []
    for label, choice in sorted(choices, key=lambda c: -len(c[1])):
        at = squeezed.rfind(choice)
        if at >= 0 and not any(first <= at and at + len(choice) <= last for first, last, _ in hits):
            hits.append((at, at + len(choice), label))
    if len(hits) != 1:
        return
    first, last, label = hits[0]
    _, places = _squeeze(text, start)
    span = (places[first], places[last - 1] + 1)
    line = text.rfind("\n", 0, span[0]) + 1
    if _ITEM.match(text, line):
        return
    most = 2 * (span[1] - span[0]) >= len(text)
    at_end = span[1] > sentence_start(text, len(text) - 1) and _FINISHED.search(text)
    if (
        (most or at_end or len(text) - span[1] < 3)
        and not _LOWERED.match(text, span[1])
        and not _not_meant(text, span[1])
        and not _LONGER.match(text, span[1])
        and not _UNDECIDED.match(text, span[1])
        and _MEANT.match(text, span[1])
    ):
        yield Mark("claim", label, Strength.HINT, span[0], span)


def _not_meant(text: str, end: int) -> bool:
    """Return whether what follows a quotation denies or doubts it."""
    closing = _CLOSING.match(text, end)
    at = closing.end() if closing else end
    return denied(text, at) or questioned(text, at)


def _squeeze(text: str, start: int = 0) -> tuple[str, list[int]]:
    """Return the letters and digits from `start` on, and where each is."""
    places = [i for i, word in enumerate(map(str.isalnum, text[start:]), start) if word]
    return "".join([text[i] for i in places]), places


def _squeezed_choices(page: Page) -> list[tuple[Label, str]]:
    return _squeezed(page.choices)


@lru_cache(maxsize=4096)
def _squeezed(choices: tuple[str, ...]) -> list[tuple[Label, str]]:
    squeezed = ("".join(filter(str.isalnum, choice)) for choice in fold_choices(choices))
    return [(label, words) for label, words in zip(LABELS, squeezed, strict=False) if words]


def _quoted_at(text: str, at: int, choices: list[tuple[Label, str]]) -> tuple[Label, int] | None:
    """Return the one choice whose words begin here, and where they end; a quotation may break off at a line
    end.
    """
    skipped = _OPENERS.match(text, at)
    start = skipped.end() if skipped else at
    longest = max(len(choice) for _, choice in choices)
    words = text[start : start + 3 * longest + 50]
    window = "".join(filter(str.isalnum, words))
    hits = [(label, choice) for label, choice in choices if window.startswith(choice)]
    if hits:
        label, choice = max(hits, key=lambda hit: len(hit[1]))
        end = start + _squeeze(words)[1][len(choice) - 1] + 1
        unique = sum(choice == other for _, other in choices) == 1
        closed = _DONE.match(text, end) or _not_meant(text, end)
        return (label, end) if unique and closed else None
    line, places = _squeeze(text[start : start + 3 * longest].split("\n", 1)[0].split("。", 1)[0])
    begun = [label for label, choice in choices if len(line) >= 12 and choice.startswith(line)]
    return (begun[0], start + places[-1] + 1) if len(begun) == 1 else None
