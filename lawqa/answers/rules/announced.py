"""Rules that read an answer announced as such."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lawqa.answers.context import conditional
from lawqa.answers.cues import Manner
from lawqa.answers.labels import BRACKETS, FORM, MARK, label_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.negation import aside, denied
from lawqa.answers.slots import Reading
from lawqa.answers.wording import family, find_each, opening, wording

_SOLE = re.compile(
    rf"[\s?>#|_~\-(\[\"'$]{{0,8}}(?:(?:問|q"
    rf"|no\.? ?)?\d{{1,3}}[.):、] {{0,2}}(?=[^\n]))?[(\[\"'$]{{0,2}}(?:\\(?:text|mathrm"
    rf"|mathbf)[a-z]{{0,6}}\{{)?(?:選択肢|選項|选项|option"
    rf"|choice)? ?[(\"']{{0,2}}([{FORM}])"
    r"(?:[)\]\"'.。、,\s]{1,4}\1){0,}[)\]}\"'$.:。、!_~| ]{0,6}(?:のみ|だけ)?(?:です|である)?[。.\s]*\Z"
)

_ANSWER = r"(?:最終)?(?:回答|解答|答え|答案)"
WITHDRAWN = family(
    opening(
        "上記|先ほど|先程|先刻|前述|最初|以上|今の|この|その|今回答|今解答|今答",
        rf"[上先前最以今こそ](?:(?:(?<=上)記|(?<=先)(?:ほど|程|刻)|(?<=前)述|(?<=最)初|(?<=以)上"
        rf"|(?<=[今こそ]))の?(?:{_ANSWER}|結論)|(?<=上)記|(?<=先)(?:ほど|程)の)",
        r"[はがも][、 ]{0,2}(?:誤(?:り(?!では?な|がな)|記|っ)|間違(?!い(?:では?|は|が)な))",
    ),
    opening(
        "いや|いえ|これ|それ|この",
        r"(?:(?<![ぁ-ん])(?:いや|いえ|いいえ)[、。]?(?:これは|それは|これでは)?(?:違(?:い(?:ます|ました)"
        r"|う|った)"
        r"|間違(?:い|え|っ)(?!な)|誤(?:り|っ))"
        r"|(?<![ぁ-ん])(?:これ|それ|この(?:回答|答え?|判断|結論))は(?:誤り|間違い)(?:でした|だった"
        r"|でありました))",
    ),
    wording(
        "不对|错了|更正",
        r"(?:(?<=[。.,\n!])|(?<=[。.,\n!] ))(?:不对|(?:我)?(?:答|选|弄|搞)?错了)[,。!.]"
        rf"|更正[: ,]{{1,2}}(?:[选選]?[项項]?)?[{MARK}][^。\n]{{0,4}}(?:不正确|错误|不对)",
    ),
    opening("最終|回答|解答|答", rf"{_ANSWER}[をは][、 ]{{0,2}}(?:撤回|取り?消)"),
    wording(
        "wrong|incorrect|mistake",
        r"(?:(?:my|the) (?:(?:above|previous|earlier|first|initial|final) )?(?:answer|conclusion"
        r"|choice)"
        r"(?: above)?|the above) (?:is|was) (?:wrong|incorrect|mistaken|a mistake)"
        r"|(?:wait|no|sorry|actually)[,.!]? (?:that|this|it)(?:'s| is| was) (?:wrong|incorrect"
        r"|a mistake)"
        r"|i (?:was (?:wrong|mistaken)|made a mistake)",
    ),
)
CORRECTED = family(
    opening(
        "訂正|修正|正しくは|いや|いえ|いいえ",
        rf"(?:(?:訂正|修正)後?(?:の?{_ANSWER})?[:は]|(?<![ぁ-ん])(?:正しくは|いや|いえ|いいえ))",
        rf"[、,: \n]{{0,3}}(?:選択肢|肢)?[ {BRACKETS}]{{0,4}}(?P<label>[{MARK}])[ {BRACKETS}]{{0,4}}",
        r"(?:で(?:す|ある|した)|だ(?!け|が|と)|が(?:正解|正答|正し)|。|\n|\Z)",
    ),
    wording(
        "訂正|変更|修正|改め",
        rf"(?P<label>[{MARK}])(?<![a-z0-9_][{MARK}])[ {BRACKETS}]{{0,4}}",
        r"[にへと](?:訂正|変更|修正|改め)(?:し|する|いたし|させ|ます|。|\n|\Z)",
    ),
    opening(
        "correction|corrected|edit|make that|i mean|chang",
        r"(?:(?:correction|edit): ?|corrected (?:final )?answer(?: is|:) ?|make that "
        r"|i mean(?:t)? ",
        r"|chang(?:e|ed|ing) (?:my|the) (?:final )?answer to )",
        rf"(?:option |choice )?[ {BRACKETS}]{{0,4}}(?P<label>[{MARK}])[ {BRACKETS}]{{0,4}}(?:[.,;!\n]|\Z)",
    ),
)
ALSO = family(
    opening(
        "さらに|さらには|また|なお|同じく|加えて|同様に|同時に|その|他に",
        r"(?:さら(?:に|には)|また|なお|同じく|加えて|同様に|同時に|その(?:ほか|他)に?(?:も)?|他に)[、 ]{0,2}",
        rf"(?:選択肢)?[ {BRACKETS}]{{0,4}}(?P<label>[{MARK}e-h])[ {BRACKETS}]{{0,4}}も(?:また)?[、 ]{{0,2}}",
        r"(?:正解|正答|答え|正し[いく]|該当|適切|当ては|妥当|含まれ|選(?:び|択)|同(?:様|じ))",
    ),
    wording(
        "も",
        rf"(?P<label>[{MARK}])(?<![a-z0-9_][{MARK}])[ {BRACKETS}]{{0,4}}も(?:また)?[、 ]{{0,2}}正解",
        r"(?:です|である|だ(?!と)|となり|となる|と(?:言|い)え|。|\n|\Z)",
        behind="も",
    ),
    wording(
        "is also",
        rf"(?P<label>[{MARK}])(?<![a-z0-9_][{MARK}])[ {BRACKETS}]{{0,4}}is also ",
        r"(?:(?:a |the )?(?:correct|right|valid) (?:answer|option|choice)|an answer)",
    ),
)
_BOTH = family(
    wording(
        "つ|両方|両者",
        rf"[{MARK}](?<![a-z0-9_][{MARK}])[ {BRACKETS}]{{0,4}}(?:と|、|,|及び|および"
        rf"|並びに)[ {BRACKETS}]{{0,4}}",
        rf"[{MARK}e-h][ {BRACKETS}]{{0,4}}の?(?:(?:[2-4二三四]|両)つ|両方|両者)(?!の(?:うち|中)|で迷)",
        behind="と、,及お並",
    ),
)
ALSO_LIKELY = family(
    wording(
        "も",
        rf"[{MARK}](?<![a-z0-9_][{MARK}])(?![a-z0-9])[ {BRACKETS}]{{0,4}}も(?:また)?[、 ]{{0,2}}",
        r"(?:考えられ(?!な|ませ)|あり得[るま]|ありえ[るま]|候補|可能性が|捨てがた|否定でき|有力|同程度"
        r"|(?:正しい|適切|妥当|正解)(?:だ|である)?(?:と思|と考え|可能性|かも|よう))",
        behind="も",
    ),
)
SECOND_THOUGHTS = family(
    opening("いや|いえ|いいえ", r"(?<![ぁ-んァ-ヶ一-龠])(?:いや|いえ|いいえ)[、,]"),
    opening(
        "訂正|見直|考え直|再検討|再考|間違えました|失礼しました|やはり",
        r"(?<![にへと])訂正(?!(?:[はのが]|して)?(?:な|不要|必要|あり[まえ得]))|見直(?:すと"
        r"|した結果|してみると|す|し)"
        r"|考え直|再検討|再考|間違えました|失礼しました|(?<![ぁ-んァ-ヶ一-龠、])やはり",
    ),
    opening(
        "wait|actually|on reflection|on second thought|correction|let me ",
        r"(?<![a-z])(?<![a-z,] )(?:wait|actually|on (?:reflection|second thoughts?)"
        r"|correction)[,.:;!]",
        r"|let me (?:reconsider|re-?check|correct)",
    ),
)
"""Ways to begin a correction of oneself."""


def sole_label(reading: Reading) -> Iterator[Mark]:
    """The whole text is one label: what a prompt for a single letter asks for."""
    page = reading.page
    match = _SOLE.match(page.text)
    label = label_at(page, match.start(1)) if match else None
    if match and label:
        yield Mark("claim", label, Strength.STATED, match.start(1), match.span(1))


def final_answer(reading: Reading) -> Iterator[Mark]:
    """Under `最終回答：` or `Final answer:` the model gives its last word, as our prompts ask it to."""
    return _claims(reading, "final")


def boxed(reading: Reading) -> Iterator[Mark]:
    r"""`\\boxed{b}` is how models trained on mathematics hand in an answer."""
    return _claims(reading, "boxed")


def answer_line(reading: Reading) -> Iterator[Mark]:
    """A heading such as `回答：` or `**Answer:**` with a label behind or below it is an answer sheet."""
    return _claims(reading, "line")


def answer_sentence(reading: Reading) -> Iterator[Mark]:
    """`正解は b です` and `the correct answer is b` commit in words."""
    return _claims(reading, "sentence")


def several(reading: Reading) -> Iterator[Mark]:
    """`正解は b と d` names more than one label as the answer, which is no single choice."""
    for slot in reading.slots:
        if slot.content == "several":
            yield Mark("void", None, Strength.STATED, slot.at, slot.span)
    for match in find_each(_BOTH, reading.page):
        if label_at(reading.page, match.start()):
            yield Mark("void", None, Strength.STATED, match.start(), match.span())


def outside(reading: Reading) -> Iterator[Mark]:
    """`正解は e` answers with a fifth choice, which is none of the four that were asked about."""
    for slot in reading.slots:
        if slot.content == "outside":
            yield Mark("void", None, Strength.STATED, slot.at, slot.span)


def retraction(reading: Reading) -> Iterator[Mark]:
    """`正解は b ではない` takes back a b that was said before, and claims nothing in its stead."""
    for slot in reading.slots:
        if slot.content == "denied":
            yield Mark("retract", slot.label, Strength.STATED, slot.at, slot.span)


def also_right(reading: Reading) -> Iterator[Mark]:
    """`さらに d も正解` makes an answer two, `d も考えられる` one that was only likely: no single choice."""
    for match in find_each(ALSO, reading.page):
        label = label_at(reading.page, match.start("label"))
        if label and not denied(reading.page.text, match.end("label")):
            yield Mark("void", None, Strength.STATED, match.start(), match.span())
    for match in find_each(ALSO_LIKELY, reading.page):
        if label_at(reading.page, match.start()):
            yield Mark("void", None, Strength.FORCED, match.start(), match.span())


def withdrawal(reading: Reading) -> Iterator[Mark]:
    """`上記の回答は誤りです` and `my answer was wrong` take back whatever was answered before."""
    for match in find_each(WITHDRAWN, reading.page):
        yield Mark("void", None, Strength.STATED, match.start(), match.span())


def correction(reading: Reading) -> Iterator[Mark]:
    """`訂正：c`, `いや、c だ` and `c に訂正します` put another label in the place of what was said before."""
    for match in find_each(CORRECTED, reading.page):
        at = match.start("label")
        label = label_at(reading.page, at)
        if label:
            yield Mark("reopen", None, Strength.STATED, match.start(), match.span())
            yield Mark("claim", label, Strength.STATED, at, match.span())


def second_thoughts(reading: Reading) -> Iterator[Mark]:
    """After `いや、`, `見直すと` or `Wait,` even a weaker claim replaces what was said before."""
    for match in find_each(SECOND_THOUGHTS, reading.page):
        yield Mark("reopen", None, Strength.HINT, match.start(), match.span())


def refused_answer(reading: Reading) -> Iterator[Mark]:
    """`Answer: None of the options` and `回答：なし` fill the place of the answer with a refusal."""
    for slot in reading.slots:
        if slot.content == "none":
            yield Mark("void", None, Strength.STATED, slot.at, slot.span)


def _claims(reading: Reading, manner: Manner) -> Iterator[Mark]:
    for slot in reading.slots:
        if slot.manner != manner or slot.content != "label":
            continue
        # A condition weakens a sentence; on an answer line the letter is handed in all the same.
        text = reading.page.text
        forced = manner == "sentence" and (
            conditional(text, slot.span[0]) or text.startswith(" if ", slot.span[1])
        )
        if forced or slot.soft:
            strength = Strength.FORCED
        elif manner == "final":
            strength = Strength.FINAL
        else:
            strength = Strength.CLAIM if aside(text, slot.span[0]) else Strength.STATED
        yield Mark(
            "claim",
            slot.label,
            strength,
            slot.at,
            slot.span,
            in_line=manner in ("final", "line"),
            soft="soft-answer" if slot.soft else "soft-forced" if forced else "",
        )
