"""Statute Japanese as a search engine reads it: one spelling for each word and number, then tokens.

`normalise` folds what means the same and is written differently: character widths (NFKC), kanji and Arabic
numerals, months, ratios, and the large つ, や, ゆ, よ of older statutes. Every rule looks only at the
neighbouring characters, so a statute and a question are folded alike. The result is for searching and for
reading citations; it is never shown.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from zlib import crc32

_ONES = "〇一二三四五六七八九"
_TO_ASCII = str.maketrans("〇零一二三四五六七八九", "00123456789")
_SMALL_UNITS = {"十": 10, "百": 100, "千": 1000}
_LARGE_UNITS = {"万": 10**4, "億": 10**8, "兆": 10**12}
_SECTION = re.compile(r"(?:([1-9]?)千)?(?:([1-9]?)百)?(?:([1-9]?)十)?([1-9]?)")

_DIGIT = "[0-9〇零一二三四五六七八九]"
_NUMERAL = "[0-9〇零一二三四五六七八九十百千万億兆]"
_RUN = rf"{_DIGIT}{{1,3}}(?:,{_DIGIT}{{3}}(?!{_DIGIT}))+{_NUMERAL}*|{_NUMERAL}+(?:[.・]{_DIGIT}+)?"
_RUN_START = rf"(?<![.,・])(?<!{_NUMERAL})"
_RUN_END = rf"(?!{_NUMERAL})"
# Words that count. A kanji numeral is folded only beside one of them, after 第, or in a ratio, so that
# 一般, 一部, 唯一 or 第三者 stay words.
_COUNTERS = (
    "年|[か箇個カヵケヶ][月年所国]|月|日|週|時間|分間|秒|歳|才|円|銭|人|名|件|回|倍|割(?![合当])|個|社|枚|本"
    "|口|台|頭|点|級|階|パーセント|%|ポイント|メートル|キロ|センチ|ミリ|グラム|トン|リットル|平方|立方|ヘクタール"
    "|アール|以上|以下|以内|以後|以前|未満|を超え|を下ら|に満たない"
)
_RATIO = re.compile(rf"({_RUN})分の({_RUN}){_RUN_END}")
_ORDINAL = re.compile(
    rf"(?:第({_RUN})(?!{_NUMERAL}|者)([条項号章節款目編]?)|{_RUN_START}({_RUN})(条(?![件例文約理])|項(?!目)|号(?![外機館車室線])))"
    rf"((?:の{_NUMERAL}+(?!{_NUMERAL}|分の|{_COUNTERS}))*)"
)
_COUNTED = re.compile(rf"{_RUN_START}({_RUN})(?={_COUNTERS})")
_SPAN = re.compile(r"[か箇個カヵケヶ](?=[月年])(?<=[0-9].)")
_PLACES = re.compile(r"[箇個カヵケヶ](?=[所国])(?<=[0-9].)")
_TENTHS = re.compile(r"(?<![0-9.])([0-9]{1,4})割(?![合当])(?:([0-9〇一二三四五六七八九])分(?!の))?")
_PERCENT = re.compile(r"パーセント(?<=[0-9]パーセント)")

# Each pattern starts with the letter itself: the regex engine then skips from one occurrence to the next.
_KANA_RULES = (
    # つ before た or て closes a verb's stem (あつた, 行つて); the adverb かつて itself has a large つ.
    (
        r"つ(?=た)(?<=[ぁ-ん一-龠々]つ)|つ(?=て)(?<=[ぁ-おき-ん一-龠々]つ)|つ(?=て)(?<=[一-龠々]かつ)",
        "っ",
    ),
    (r"つ(?=[ぱぴぷぺぽ])|つ(?=せん)(?<=あつ)|つ(?=と[りる])(?<=のつ)|つ(?=とも)(?<=もつ)", "っ"),
    # やゆよ after these rows; not in 〜やすい, not in 〜しよう and 〜じよう (the will to do something).
    (r"や(?![すむ])(?<=[きぎしじちぢひび]や)", "ゃ"),
    (r"ゆ(?<=[きぎしじちぢひび]ゆ)", "ゅ"),
    (
        r"よ(?=[うくん])(?<=[きぎちぢひび]よ)|よ(?!う(?:[とながも。、」]|$)|り)(?=[うくん糖])(?<=[しじ]よ)",
        "ょ",
    ),
    (r"ツ(?=[カキクケコサシスセソタチテトドグパピプペポ])(?<=[ァ-ヴ]ツ)", "ッ"),
    (r"ヤ(?<=[キギシジチヂ]ヤ)", "ャ"),
    (r"ユ(?<=[キギシジチヂニヒビピミリ]ユ)", "ュ"),
    (r"ヨ(?<=[キギシジチヂ]ヨ)", "ョ"),
)
_KANA = tuple((re.compile(pattern), small) for pattern, small in _KANA_RULES)

_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?(?:%|/[0-9]+)?")
_EXACT, _HASHED, _PLANE = 0xF0000, 0x100000, 0xFFF0
_BETWEEN_WORDS = re.compile(r"[^\w\U000F0000-\U0010FFFF]+")


def normalise(text: str) -> str:
    """The text in the one spelling that statutes and questions are compared in.

    `第二十一条の二` and `第２１条の２` both become `第21条の2`; `六箇月`, `6か月` and `六月` become `6月`;
    `五千万円` and `5,000万円` become `50000000円`; `百分の五`, `5パーセント` and `５％` become `5%`;
    `三分の二` becomes `2/3`; `あつた` becomes `あった`. Applying it twice changes nothing more.
    """
    text = unicodedata.normalize("NFKC", text)
    for pattern, small in _KANA:
        text = pattern.sub(small, text)
    return _fold_numbers(text)


def to_int(numeral: str) -> int | None:
    """The value of a numeral of kanji, ASCII digits or both, such as 二十一, 二〇二五 or 4千万; else None.

    Units stand in falling order (千 百 十 inside 兆 億 万), as in statutes: 十百 is no numeral.
    """
    digits = numeral.translate(_TO_ASCII)
    if not digits:
        return None
    total = 0
    for unit, value in sorted(_LARGE_UNITS.items(), key=lambda entry: -entry[1]):
        head, found, tail = digits.partition(unit)
        if not found:
            continue
        section = _section(head)
        if not section:
            return None
        total += section * value
        digits = tail
    rest = _section(digits) if digits else 0
    return None if rest is None else total + rest


def to_kanji(number: int) -> str:
    """A number from 0 to 10**16 - 1 as statutes write it: 21 is 二十一, 1000 is 千, 10000 is 一万.

    Raises:
        ValueError: the number is out of that range.
    """
    if not 0 <= number < 10**16:
        raise ValueError(f"{number} is out of range, expected 0 to 10**16 - 1")
    if number == 0:
        return "〇"
    parts = []
    for unit, value in (("兆", 10**12), ("億", 10**8), ("万", 10**4), ("", 1)):
        section, number = divmod(number, value)
        if section:
            parts.append(_section_kanji(section) + unit)
    return "".join(parts)


def mark_words(normalised: str) -> str:
    """Normalised text as the tokeniser cuts it: one line a run of words, one character a number.

    A number becomes a character of a private-use plane, so that 30年 is two characters and never matches 0年:
    itself below 65,520, a hash of its digits above, or with a fraction, ratio or per cent sign.
    """
    marked = _NUMBER.sub(_number_mark, normalised.lower())
    return _BETWEEN_WORDS.sub("\n", marked)


def tokenise(text: str) -> list[str]:
    """The character bigrams of a text, in order; none reaches over punctuation.

    Character bigrams find Japanese about as well as words do and need no dictionary (Fujii and Croft 1993, "A
    comparison of indexing techniques for Japanese text retrieval", SIGIR). For statutes measured again by
    benchmarks/retrieval.py: on the dev half MRR by words alone .82 against .79 with SudachiPy (mode C) for 13
    statutes, .83 against .76 for a fifth of all; twice the postings, an eighth of the tokenising time.
    `lawqa.retrieval.bm25` computes the same for whole arrays.
    """
    words = mark_words(normalise(text)).split("\n")
    return [word[i : i + 2] for word in words for i in range(len(word) - 1)]


def _section(digits: str) -> int | None:
    """The value of digits, or of a numeral below 10,000 whose units are 千, 百 and 十; None for neither."""
    if digits.isascii() and digits.isdigit():
        return int(digits)
    match = _SECTION.fullmatch(digits)
    if match is None or not digits:
        return None
    present = [unit in digits for unit in "千百十"]
    values = [
        int(digit or 1) * unit if there else 0
        for digit, unit, there in zip(match.groups()[:3], (1000, 100, 10), present, strict=True)
    ]
    return sum(values) + int(match[4] or 0)


def _section_kanji(section: int) -> str:
    out = []
    for unit, value in (("千", 1000), ("百", 100), ("十", 10)):
        digit, section = divmod(section, value)
        if digit:
            out.append((_ONES[digit] if digit > 1 else "") + unit)
    return "".join(out) + (_ONES[section] if section else "")


def _fold_numbers(text: str) -> str:
    text = _RATIO.sub(_ratio, text)
    text = _ORDINAL.sub(_ordinal, text)
    text = _COUNTED.sub(lambda match: _arabic(match[1]), text)
    text = _SPAN.sub("", text)
    text = _PLACES.sub("か", text)
    text = _TENTHS.sub(_tenths, text)
    return _PERCENT.sub("%", text)


def _arabic(run: str) -> str:
    """A numeral in ASCII digits; unchanged where it is none. Digits only keep their leading zeros."""
    whole, point, fraction = run.replace(",", "").replace("・", ".").partition(".")
    digits = whole.translate(_TO_ASCII)
    if not (digits.isascii() and digits.isdigit()):
        value = to_int(whole)
        if value is None:
            return run
        digits = str(value)
    return digits + point + fraction.translate(_TO_ASCII)


def _ordinal(match: re.Match[str]) -> str:
    ordinal, ordinal_unit, plain, plain_unit, branches = match.groups()
    head = f"第{_arabic(ordinal)}{ordinal_unit}" if ordinal else f"{_arabic(plain)}{plain_unit}"
    return head + "".join(f"の{_arabic(branch)}" for branch in branches.split("の")[1:])


def _ratio(match: re.Match[str]) -> str:
    below, above = _arabic(match[1]), _arabic(match[2])
    if below in ("10", "100") and _is_short_number(above):
        return _per_cent(Decimal(above) * (100 // int(below)))
    return f"{above}/{below}" if _is_short_number(above + below) else match[0]


def _tenths(match: re.Match[str]) -> str:
    return _per_cent(Decimal(match[1]) * 10 + Decimal((match[2] or "0").translate(_TO_ASCII)))


def _per_cent(value: Decimal) -> str:
    digits = format(value, "f")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + "%"


def _is_short_number(digits: str) -> bool:
    """Whether this is a number that Decimal holds exactly."""
    return len(digits) <= 20 and digits.isascii() and digits.replace(".", "", 1).isdigit()


def _number_mark(match: re.Match[str]) -> str:
    number = match[0]
    if number.isdigit() and len(number) < 6 and int(number) < _PLANE:
        return chr(_EXACT + int(number))
    return chr(_HASHED + crc32(number.encode()) % _PLANE)
