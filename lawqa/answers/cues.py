"""The places where a text announces its answer, and the signs and small words that may come before it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal, NamedTuple

from lawqa.answers.text.page import Page

Manner = Literal["final", "boxed", "line", "sentence"]


MOST_CUES = 600
"""Of more cues than this the first and the last half are read: no completion holds that number."""


class Cue(NamedTuple):
    """One announcement of an answer.

    Args:
        manner: under a final cue, in a box, or on an answer line; which of these is a sentence the gap says.
        start: where it begins.
        end: just behind it.
    """

    manner: Manner
    start: int
    end: int


_THING = r"(?:選択肢|答え|回答|解答|もの|記述|説明|組み?合わ?せ|条文|番号|記号)"
_OPTION = r"(?:option|choice|response|statement|selection|letter)"
_SAMPLE = r"形式|フォーマット|書式|例|サンプル|見本|イメージ|テンプレート|ひな形|書き方"
# Two searches, each of which can skip ahead to the first letters of its cues.
_JAPANESE_CUE = re.compile(
    r"最(?:終的?な?|后的?)(?:の)?(?:回答|解答|答え|答案|正解|選択|結論)"
    r"|正(?:解|答|确答案|確答案|確選項|确选项|确的?(?:选项|答案))(?:選択肢|の選択肢|の記号)?"
    rf"|正しい{_THING}|適切な{_THING}|妥当な{_THING}|適当な{_THING}|正確な{_THING}"
    rf"|(?:回答|解答|出力)(?!の?(?:{_SAMPLE}))|答案(?!格式|模板|示例|样例)|答え?(?!の形式|案)|結論|选择"
    r"|文字(?:のみ|だけ|以内)"
)
_ENGLISH_CUE = re.compile(
    r"[abcfors\\](?<![a-z][^\\])(?:nswer|ns\b\.?|inal (?:answer|choice|selection)|onclusion\b"
    rf"|orrect (?:{_OPTION}|answer)|(?:ight|est|ppropriate|ccurate|uitable) {_OPTION}"
    r"|(?:orrect|utput)(?= ?:)|(?<=\\)(?:f?boxed|fbox|framebox))"
)
# The key of a field (`{"selected_option": "b"}`, `submit(choice="b")`).
_FIELD_CUE = re.compile(
    r"(?<=[\"'({,\n ])(?:(?:final|correct|selected|chosen|predicted|my|your)[_ -]?)?"
    r"(?:choice|option|selection|selected|letter|label|answer|result|response|final)"
    r"(?:[_ -](?:letter|label|option|choice|key|id|value))?"
    r"[\"']?(?= ?[:=] ?[\"'\[(]{1,3} ?[a-j1-9①-⑩][\"'\])])"
)
_BOX_IN_BOX = 2 * "\\boxed{"
_FIELD = re.compile(r"[:=] ?[\"'\[]")
_NOT_A_CUE_AFTER = frozenset("不非お応問模誤")
_NOT_A_CUE_AFTER_WORDS = re.compile(r"(?:example |sample |incorrect |wrong |\bno |\bnot the )\Z")
_FINAL = ("最", "final")
NOTE = re.compile(r"[ )\]]{0,4}\((?P<note>[^()\n]{0,60})\)(?=[ )\]\"']{0,4}[:→=は\n]|[ )]{0,4}\Z)")
FREE_NOTE = re.compile(
    r"(?![^\n:。、(]{0,22}(?:以外|を除|ではな|でない|じゃな|得ない|えない))"
    r"[^\n:。、(]{1,24}:(?<!例:)(?<!形式:)(?<!書式:)(?<!格式:)(?<!フォーマット:)(?<!方法:)(?<!format:)"
    r"(?<!候補:)(?<!根拠:)(?<!理由:)(?<!分析:)(?<!検討:)"
)
GAP = re.compile(
    r"[ \n:=→<>|\"')\](\[{}・、,#$-]+"
    r"|\\(?:text|textbf|mathrm|mathbf|boxed|bf|rm|\[|\()(?![a-z])"
    r"|[はが](?!い)|应该?[是为选]|[是为為]|选(?!项)|として(?:は)?|となるのは|となる(?:の|選択肢)は"
    r"|以下(?:です|になります)?。?(?!の)|(?:最も|やはり|明らかに|おそらく|恐らく|次の|以下の)(?:とおり|通り)?(?:です|である)?"
    r"|(?:選択肢|肢|記号|番号|記述|選項|选项)(?:の|は)?(?!と|を|に|が)"
    r"|(?:option|choice|letter|answer|statement|number|is|be|would|should|must|will|appears?"
    r"|seems?|to|"
    r"the|therefore|thus|hence|then|likely|most|clearly|probably|simply|indeed|still|remains"
    r"|as follows|"
    r"correct|best|right|single|final|this|question|problem|for|here|in this case)"
    r"(?![a-z])"
)
_WHOLE_GAP = re.compile(rf"(?:{GAP.pattern}){{0,12}}")


def find_cues(page: Page) -> Iterator[Cue]:
    """Yield every announcement of an answer, in the order of the text."""
    text = page.text
    quoted = '"' in text or "'" in text or "[" in text
    fields = _FIELD_CUE.finditer(text) if quoted and _FIELD.search(text) else ()
    cues = [*_JAPANESE_CUE.finditer(text), *_ENGLISH_CUE.finditer(text), *fields]
    cues.sort(key=re.Match.start)
    if len(cues) > MOST_CUES:
        cues = [*cues[: MOST_CUES // 2], *cues[-MOST_CUES // 2 :]]
    for cue in cues:
        start = cue.start()
        before = text[start - 1] if start else ""
        if before in _NOT_A_CUE_AFTER or (
            before == " " and _NOT_A_CUE_AFTER_WORDS.search(text, max(0, start - 12), start)
        ):
            continue
        if cue[0][0] == "\\":
            if text.startswith(_BOX_IN_BOX, start - len(_BOX_IN_BOX)):
                continue  # a loop of boxes that never close
            yield Cue("boxed", start, cue.end())
        else:
            yield Cue("final" if cue[0].startswith(_FINAL) else "line", start, cue.end())


def skip_gap(text: str, at: int) -> int:
    """Step over signs and small words; at most three line ends and a hundred characters."""
    limit, lines = at + 100, 0
    whole = _WHOLE_GAP.match(text, at, limit)
    if whole and whole[0].count("\n") <= 3:
        return whole.end()
    for _ in range(12):
        gap = GAP.match(text, at, limit)
        if gap is None:
            break
        lines += gap[0].count("\n")
        if lines > 3:
            break
        at = gap.end()
    return at
