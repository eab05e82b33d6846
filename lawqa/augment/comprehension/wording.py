"""The law in other words: paraphrases by rule that keep what a sentence says.

Right and wrong choices pass through the same rules, so that neither is recognised by its wording.
"""

from __future__ import annotations

import re

from lawqa.augment.numerals import LARGE_NUMERAL, quantities
from lawqa.augment.questions.drafts import rank
from lawqa.augment.questions.modality import DeonticSentence
from lawqa.statutes.numerals import to_int

OBLIGED, OPTIONAL, PERMITTED, FORBIDDEN = "obliged", "optional", "permitted", "forbidden"

_PHRASES = {
    OBLIGED: ("義務を負う", "ことを要する", "ことが義務付けられている"),
    OPTIONAL: ("義務までは負わない", "ことまでは義務付けられていない"),
    PERMITTED: ("ことが認められている", "ことが許されている", "ことは妨げられない"),
    FORBIDDEN: ("ことは認められていない", "ことは許されていない", "ことを禁じられている"),
}
# What is true, and what is false, of a sentence of each force.
TRUE_OF = {
    "must": (OBLIGED,),
    "may": (PERMITTED, OPTIONAL),
    "must not": (FORBIDDEN,),
    "may not": (FORBIDDEN,),
    "need not": (OPTIONAL,),
}
FALSE_OF = {
    "must": (OPTIONAL,),
    "may": (OBLIGED, FORBIDDEN),
    "must not": (PERMITTED,),
    "may not": (PERMITTED,),
    "need not": (OBLIGED,),
}
# Sentences that give no command: how they end, and how that is said of a rule.
_PLAIN = (
    ("に処する。", ("に処せられる", "に処するものとされている")),
    ("とみなす。", ("とみなされる", "とみなすものとされている")),
    ("と推定する。", ("と推定される", "と推定するものとされている")),
    ("ものとする。", ("ものとされている", "こととされている")),
    ("とする。", ("とされている", "と定められている")),
    ("をいう。", ("を指す", "を意味する")),
    ("効力を失う。", ("効力を失うものとされている", "効力がなくなる")),
    ("効力を生ずる。", ("効力が生ずる", "効力を有することとなる")),
    ("準用する。", ("準用される", "準用することとされている")),
)
_SYNONYMS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"場合においては、|場合は、|場合には、"), "ときは、"),
    (re.compile(r"(?<=[るたい])ときは、"), "場合には、"),
    (re.compile(r"あらかじめ、"), "事前に、"),
    (re.compile(r"遅滞なく、"), "遅滞なく"),
    (re.compile(r"に対し、"), "に対して、"),
    (re.compile(r"に関し、"), "に関して、"),
    (re.compile(r"に基づき、"), "に基づいて、"),
    (re.compile(r"ところにより、"), "ところに従って、"),
    (re.compile(r"の規定により(?=[一-龠])"), "の規定によって"),
    (re.compile(r"にかかわらず、"), "に関係なく、"),
    (re.compile(r"のため必要があると認める"), "のために必要があると判断した"),
    (re.compile(r"必要があると認める"), "必要があると判断した"),
)
_CHANCE = 3
"""One in N places where a paraphrase is possible is left as it is."""

_BOUNDS = (
    (re.compile(r"以上の(?=[一-龠])"), "を下回らない"),
    (re.compile(r"以下の(?=[一-龠])"), "を超えない"),
    (re.compile(r"未満の(?=[一-龠])"), "に満たない"),
    (re.compile(r"に満たない(?=[一-龠])"), "未満の"),
    (re.compile(r"を超える(?=[一-龠])"), "を上回る"),
)
_PENALTY = re.compile(r"^以下の(?:拘禁刑|懲役|禁錮|罰金|過料|科料)")
_PLACE = re.compile(
    rf"第{LARGE_NUMERAL}+[条項号編章](?:の{LARGE_NUMERAL}+(?=第|の|又|及|若|並|から|本|各|[^一-龠]|$))*"
)
_NUMERALS = re.compile(rf"{LARGE_NUMERAL}+")
_SHARE = re.compile(rf"({LARGE_NUMERAL}+)分の({LARGE_NUMERAL}+)")
_DATE = re.compile(
    rf"(?:(?:明治|大正|昭和|平成|令和){LARGE_NUMERAL}+年)?(?<![〇一二三四五六七八九十百千]){LARGE_NUMERAL}+月{LARGE_NUMERAL}+日(?!間)"
    rf"|(?:明治|大正|昭和|平成|令和){LARGE_NUMERAL}+年(?=度|{LARGE_NUMERAL}|[^々一-龠]|$)"
)
_COUNT = re.compile(
    # 数十人 stays as it is; 総トン数五百トン does not.
    rf"(?<![第何・{LARGE_NUMERAL[1:-1]}])(?<!(?<!トン)数){LARGE_NUMERAL}+"
    r"(?=年|箇月|か月|月[^々一-龠]|月[以前後未及又]|度(?=以|を[超下]|未満)|週間|日(?![本常時程中刊曜])|時間(?!的)|円|歳|倍|パーセント|回(?:以|を|の|、)|人(?=以|未|に満|を[下超]|の者)|名以|平方"
    r"|度の[横縦傾]|キロ|センチ|ミリ|マイクロ|メガ|メートル|グラム|トン|リットル|リツトル|ノット|ノツト|ヘクタール"
    r"|カンデラ|ヘルツ|ワット|ワツト|ボルト|アンペア|パスカル|ニュートン|デシベル|ルクス|ベクレル|シーベルト)"
)
_DECIMAL = re.compile(
    rf"(?<![第・{LARGE_NUMERAL[1:-1]}])[〇一二三四五六七八九]・[〇一二三四五六七八九]+(?=[ァ-ヴ]|倍|度)"
)
_DIGITS = str.maketrans("〇一二三四五六七八九・", "0123456789.")
_ONLY = re.compile(r"のみ|に限り|に限つて|に限って")
_SMALL_TSU = re.compile(r"(?<=[一-龠ぁ-ん])つ(?=[てた])(?<!ひとつ)(?<!ふたつ)")
_DEFINITION = re.compile(r"（以下(?:この[条項章節款法]律?において)?(?:単に)?「[^」]*」という。）")
_POINTS = re.compile(r"当該|その|自己|自ら|これらの|同[条項]")
"""What may point to the subject; without it before them they would point to nothing."""

_TOPIC = re.compile(r"^(?P<who>[^、。「」（）]{1,40}?)は、")


def without_definitions(text: str) -> str:
    """Return the text without brackets that only give a name to something for later use."""
    return _DEFINITION.sub("", text)


def modern(text: str) -> str:
    """Return the text with small っ and Arabic numerals, as a question of today writes it."""
    text = _SMALL_TSU.sub("っ", text)
    text = _PLACE.sub(_in_arabic, text)
    text = _SHARE.sub(_in_arabic, text)
    text = _DATE.sub(_in_arabic, text)
    text = _DECIMAL.sub(lambda match: match[0].translate(_DIGITS), text)
    return _COUNT.sub(lambda match: _arabic(match[0]), text)


def loosened(text: str, seed: int, name: str) -> str:
    """Return the text with some of its formal words changed for others of the same meaning."""
    for place, (pattern, other) in enumerate(_SYNONYMS):
        if _turn(seed, name, "synonym", str(place)) % _CHANCE:
            text = pattern.sub(other, text)
    for quantity in reversed(list(quantities(text))):
        following = text[quantity.end :]
        if _PENALTY.match(following):
            continue
        for pattern, other in _BOUNDS:
            if (match := pattern.match(following)) and _turn(seed, name, "bound") % 2:
                text = text[: quantity.end] + other + following[match.end() :]
                break
    return text


def commanded(
    command: DeonticSentence, meaning: str, seed: int, name: str, *, may_turn: bool = True
) -> str:
    """Return a command in other words, with one of the four meanings; without a full stop.

    Args:
        command: the sentence.
        meaning: what it is to say.
        seed: chooses the words, with the name.
        name: what distinguishes this sentence from others.
        may_turn: whether its subject may be moved to the end (…のは、Aである).
    """
    turn = _turn(seed, name, "phrase")
    if meaning == OBLIGED and command.negative and turn % 4 == 0:
        return f"{command.negative}ないことは許されない"
    phrases = _PHRASES[meaning]
    if meaning == PERMITTED and _ONLY.search(command.clause):
        phrases = phrases[:-1]  # what only this may be done is not merely 妨げられない
    phrase = phrases[turn // 4 % len(phrases)]
    if may_turn and turn // 16 % 3 == 0 and (swapped := _cleft(command.clause, phrase)):
        return swapped
    return command.clause + phrase


def plainly(sentence: str, seed: int, name: str) -> str | None:
    """Return a sentence that gives no command, in other words, without a full stop; None for others."""
    for ending, others in _PLAIN:
        if sentence.endswith(ending):
            return sentence.removesuffix(ending) + others[_turn(seed, name, "plain") % len(others)]
    return None


def _cleft(clause: str, phrase: str) -> str | None:
    """Turn Aは、…する義務を負う into …する義務を負うのは、Aである."""
    topic = _TOPIC.match(clause)
    if (
        topic is None
        or _POINTS.search(clause[topic.end() :])
        or phrase
        not in _PHRASES[OBLIGED]  # 許されているのは、Aである would say that others may not
    ):
        return None
    rest = clause[topic.end() :]
    if "は、" in re.sub(r"(?:とき|場合に|場合)は、", "", rest):
        return None
    rest = re.sub(r"(とき|場合)に?は、", r"\1に、", rest)
    return f"{rest}{phrase}のは、{topic['who']}である"


def _in_arabic(match: re.Match[str]) -> str:
    return _NUMERALS.sub(lambda numeral: _arabic(numeral[0]), match[0])


def _arabic(numeral: str) -> str:
    value = to_int(numeral)
    if value is None:
        return numeral
    if value < 10**4:
        return str(value)
    parts = []
    for size, name in ((10**12, "兆"), (10**8, "億"), (10**4, "万")):
        if value >= size:
            parts.append(f"{value // size}{name}")
            value %= size
    return "".join(parts) + (str(value) if value else "")


def _turn(seed: int, *names: str) -> int:
    return int(rank(seed, *names), 16)
