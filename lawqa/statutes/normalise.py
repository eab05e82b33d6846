"""One spelling for texts that are compared, in three strengths.

    fold        character widths (NFKC) and white space: the same words; in `folding`
    canonical   and the numbers of articles in Arabic digits: the same words on the same articles. Groups of
                questions and the leak audit compare these; 三十日 and 30日 stay different.
    normalise   what means the same and is written differently: also other numerals, months, ratios, and the
                large つ, や, ゆ, よ of older statutes. For searching and for reading citations, never shown.

Every rule of `normalise` looks only at the neighbouring characters, so a statute and a question are folded
alike.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from lawqa.statutes.folding import fold
from lawqa.statutes.numerals import ASCII_DIGITS, arabic, to_int

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


def canonical(text: str) -> str:
    """Return the folded text with the numbers of articles, paragraphs and items in Arabic digits."""
    return arabic(fold(text))


def normalise(text: str) -> str:
    """Return the text in the one spelling that statutes and questions are compared in.

    `第二十一条の二` and `第２１条の２` both become `第21条の2`; `六箇月`, `6か月` and `六月` become `6月`;
    `五千万円` and `5,000万円` become `50000000円`; `百分の五`, `5パーセント` and `５％` become `5%`;
    `三分の二` becomes `2/3`; `あつた` becomes `あった`. Applying it twice changes nothing more.
    """
    text = unicodedata.normalize("NFKC", text)
    for pattern, small in _KANA:
        text = pattern.sub(small, text)
    return _fold_numbers(text)


def _fold_numbers(text: str) -> str:
    text = _RATIO.sub(_ratio, text)
    text = _ORDINAL.sub(_ordinal, text)
    text = _COUNTED.sub(lambda match: _arabic(match[1]), text)
    text = _SPAN.sub("", text)
    text = _PLACES.sub("か", text)
    text = _TENTHS.sub(_tenths, text)
    return _PERCENT.sub("%", text)


def _arabic(run: str) -> str:
    """Return a numeral in ASCII digits; unchanged where it is none. Digits only keep their leading zeros."""
    whole, point, fraction = run.replace(",", "").replace("・", ".").partition(".")
    digits = whole.translate(ASCII_DIGITS)
    if not (digits.isascii() and digits.isdigit()):
        value = to_int(whole)
        if value is None:
            return run
        digits = str(value)
    return digits + point + fraction.translate(ASCII_DIGITS)


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
    return _per_cent(Decimal(match[1]) * 10 + Decimal((match[2] or "0").translate(ASCII_DIGITS)))


def _per_cent(value: Decimal) -> str:
    digits = format(value, "f")
    return (digits.rstrip("0").rstrip(".") if "." in digits else digits) + "%"


def _is_short_number(digits: str) -> bool:
    """Return whether this is a number that Decimal holds exactly."""
    return len(digits) <= 20 and digits.isascii() and digits.replace(".", "", 1).isdigit()
