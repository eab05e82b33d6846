"""Rules that read a commitment in words of its own, without the word 'answer' before it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lawqa.answers.context import conditional, doubtful, in_example, questioned
from lawqa.answers.labels import BRACKETS, FOREIGN, FORM, in_a_list, label_at, labels_at
from lawqa.answers.labels import MARK as OURS
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.negation import TAKEN_BACK, denied, doubted, not_ours, only_possible
from lawqa.answers.page import Page
from lawqa.answers.slots import Reading
from lawqa.answers.wording import Wording, find_each, word, wording

MARK = OURS + FOREIGN
_CLOSE = rf"[ {BRACKETS}]{{0,6}}"
_OPEN = rf"[ {BRACKETS}]{{0,4}}"
_LONE = rf"[{MARK}](?<![a-z0-9_][{MARK}])(?![a-z0-9])"
_GOOD = r"(?:correct|right|best|appropriate|suitable|plausible|accurate|valid|supported)"
_GRADE = rf"(?:{_GOOD}|incorrect|wrong|inaccurate|false|invalid)"
_NOUN = (
    r"(?:answer|option|choice|statement|selection|response|exception|one|description|combination)\b"
)
_NAMED = r"(?:選択肢|肢|(?:the )?(?:option|choice|answer|statement|letter) )?"
_COPULA = (
    r"(?:のみ|だけ)?"
    r"(?:です|で(?=、)|であ(?:ると|り|ろう|る(?![一-龠ァ-ヶー]|[a-z])|る(?:可能|と|こと|ため))|だ(?!け)"
    r"|とな[りる]|にな[りる]|と(?:判断|考え|結論"
    r"|いえ|言え|思|推)|(?:なの)?ではないか|かも|かと|でしょう|が考え|。|\n|\Z)"
)
_STOP = rf"(?={_CLOSE}(?:[.,;\n]|\Z|as\b|because\b|since\b|which\b))"
_DEGREE = (
    r"(?:(?:clearly|likely|most likely|probably|indeed|therefore|thus|also|still|then|the|an?"
    r"|only|most|"
    r"single|best|more|overall|legally|directly) ){0,4}"
)

_ASSERTED = (
    wording(
        "が",
        rf"{_LONE}{_CLOSE}(?:のみ|だけ)?が[、 ]{{0,2}}",
        r"(?:(?:最も|一番|唯一|明らかに|法的に|この中で|本問の|この問題の)の?[、 ]{0,2}){0,2}",
        r"(?:正解|正答|答え|回答|解答|正し|適切|妥当|適当|最適|ふさわし|適し|適合|該当す"
        r"|該当し(?!な|ま[せい])",
        r"|誤|間違|不適|不正|違反|最も)",
        behind="のだが",
    ),
    wording(
        "正解",
        rf"{_LONE}{_CLOSE}(?:は[、 ]{{0,2}}|[:→(] ?)正解(?:です|である|だ|と|[)。\n]|\Z)",
        behind="は:→正",
    ),
    wording(
        "is |are |be |comes |remains |represents |seems ",
        rf"{_LONE}{_CLOSE}",
        r"(?:is|are|would be|must be|should be|comes|remains|represents|seems|appears to be) ",
        rf"(?:{_DEGREE}(?:{_GRADE} )?{_NOUN}",
        rf"|(?:the )?(?:most )?(?:likely|probably|most|best) (?:the )?(?:{_GRADE}|answer)",
        r"|(?:the )?(?:closest|nearest|least (?:in)?(?:correct|wrong|accurate)))",
        behind="iawmscr",
    ),
)
_TOPIC_ANSWERS = (
    wording(
        "答えとな|正解とな|正答とな|答えです|正解です|正答です|答えであ|正解であ|正答であ",
        rf"{_LONE}[)\]\"' ]{{0,3}}[^。\n]{{0,30}}?は[^。\n]{{1,40}}?[、で](?:答え|正解|正答)",
        r"(?:とな[りる]|です|であ[りる])(?!はず|とは|かどうか)",
    ),
)
_CHOSEN = (
    wording(
        "を",
        rf"{_LONE}{_CLOSE}(?:のみ|だけ)?を[、 ]{{0,2}}(?:(?:正解|最も適切|回答|解答|答え)と|推奨"
        rf"|回答(?:し|する)",
        r"|選択し(?!な|得)|選択(?:する|します|いたし)(?!こと|場合|と)",
        r"|選(?:び(?!ませ|たくな|がち|やす|かね)|ぶ(?!こと|場合|と)|ん(?!だ場合|だ人)))",
        behind="のだを",
    ),
    wording(
        "を",
        rf"{_LONE}{_CLOSE}(?:のみ|だけ)?を[、 ]{{0,2}}選(?:択する|択す|ぶ)(?:べき|のが"
        rf"|ことが)(?!で(?:は|も)な)",
        behind="のだを",
    ),
    wording(
        "にす|にし|に決|に絞|に落|で回答|で解答|でよい|で良い",
        rf"{_LONE}{_CLOSE}(?:に(?:する|します|しま(?:し|す)|決(?:め|ま)|絞(?:ら|り|れ)|落ち着)"
        rf"|で(?:回答|解答)(?:する|します)|で(?:よ|良)い)",
        r"(?=[。、\n]|\Z|と|られ|た|こと|る|ま|の)",
        behind="にで",
    ),
    wording(
        "という|とするの|と判断するの|と考えるの|とみるの|と見るの",
        rf"{_LONE}{_CLOSE}(?:という(?:結論|こと|判断|答え)に(?:な[りる]|至[りる])",
        r"|と(?:する|判断する|考える|[み見]る|解する)の(?:が|は)(?:最も)?(?:妥当|適切|自然|合理"
        r"|よい|良い|無難|正し))",
        behind="と",
    ),
    wording(
        "とし|とする", rf"{_LONE}{_CLOSE}と(?:する|します|いたします)(?=[。\n]|\Z)", behind="と"
    ),
    wording(
        "choose |select |pick |go with |opt for ",
        rf"(?:{word('i', 'we', 'would', 'will', 'must', 'should', 'to')}|'d|'ll|,|\.|:) ",
        r"(?:please |just |therefore |then )?(?:choose|select|pick|go with|opt for) ",
        rf"{_NAMED}{_OPEN}[{MARK}]",
    ),
)
_CONCLUDED = (
    wording(
        "したがって|従って|よって|ゆえに|故に|以上|このため|そのため|結論として",
        r"(?:したがって|従って|よって|ゆえに|故に|以上|そのため|このため|結論として)",
        r"(?:より|から|のことから|を踏まえ(?:ると|て)?)?",
        rf"[、,: ]{{0,3}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}{_COPULA}",
    ),
    wording(
        "therefore|thus|hence|consequently|so |so,|only ",
        rf"(?:{word('therefore', 'thus', 'hence', 'consequently', 'so', 'only')})",
        rf"[,: ]{{0,3}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}",
        rf"(?:\.|\n|\Z|is (?:the )?(?:most )?{_GOOD})",
    ),
)
_BEGINS_A_LABEL = rf"[、,: \n選肢to{BRACKETS}{FORM}{FOREIGN}]"
_THEN_A_LABEL = (
    rf"(?={_BEGINS_A_LABEL})[、,: ]{{0,3}}{_NAMED}"
    rf"[ \n{BRACKETS}]{{0,5}}[{MARK}]{_CLOSE}{_COPULA}"
)
_SINGLED_OUT = (
    wording(
        "は",
        rf"は(?={_BEGINS_A_LABEL})(?<!または)(?<!るいは)(?<![又く]は)",
        _THEN_A_LABEL,
    ),
    wording(
        "すると|えると|断すると|選ぶと|選べば|すれば|選ぶなら|したら|するなら|えるなら|て言えば",
        r"(?:選ぶと|選択すると|すると|考えると|判断すると|検討すると|選べば|すれば",
        r"|選ぶなら|選ぶとすれば|選ぶとしたら|選択するなら|答えるなら|強いて言えば|あえて言えば)",
        _THEN_A_LABEL,
    ),
    wording(
        "のが|ものが|肢が|述が",
        rf"(?:のが|ものが|選択肢が|記述が)[、,: ]{{0,3}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}",
        r"(?:です|であ(?:る|り)|だ|と(?:判断|考え|結論|な))",
    ),
    wording(
        "に該当|に相当|に当たる|に当た|にあた|に当ては|に対応",
        rf"{_LONE}{_CLOSE}に(?:該当|相当|対応|当たり?|あたり?|当てはま)(?:し(?:ます|た|ている)"
        rf"|する|る|ります)",
        r"(?=[。\n)]|\Z|と|こと|ため|もの(?:で|と))",
        behind="に",
    ),
    wording(
        "消去法|除外",
        r"(?:消去法|除外法?)(?:で|により|によって|によれば|によると|から|の結果|では"
        r"|を用いると)?[、,: ]{0,2}(?:残る|残った|選べる)?(?:の|もの"
        r"|選択肢)?(?:は|が)?[、 ]{0,2}",
        rf"{_NAMED}{_OPEN}[{MARK}]{_CLOSE}(?=で(?:す|ある)|だ|と|を|が(?!残)|に|。|\n|\Z|、)",
    ),
    wording("うち", rf"うち[、 ]{{0,2}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}(?:です|である|が)"),
    wording(
        "なく",
        rf"{_LONE}{_CLOSE}(?:では|で)なく[、 ]{{0,2}}{_NAMED}{_OPEN}[{MARK}]{_CLOSE}",
        rf"(?:が|を|{_COPULA})",
        behind="で",
    ),
    wording(
        "のは|ものは|選択肢は|記述は",
        rf"(?:のは|ものは|選択肢は|記述は)[、,: ]{{0,3}}{_NAMED}{_OPEN}[1-4]{_CLOSE}{_COPULA}",
    ),
    wording(
        "is|be|remains|'s",
        rf"(?:{word('is', 'be', 'remains')}|'s):? {{1,3}}(?:most likely |likely "
        rf"|probably )?{_OPEN}",
        rf"(?:(?:option|choice|statement) {_OPEN}[{MARK}]{_STOP}",
        rf"|[{MARK}]{_CLOSE}(?:[.,;](?![a-z])|\n|(?:as|because|since)\b))",
    ),
    wording(": option|: choice", rf": (?:option|choice) {_OPEN}[{MARK}]{_STOP}"),
)
# Chinese; simplified characters that Japanese lacks are the keys.
_CHINESE = (
    wording(
        "选|選",
        rf"[选選](?<![不未没候待备当可][选選])(?:择|擇|定|出)?(?:的是|了"
        rf"|为)?[: ]{{0,2}}(?:[选選][项項])?{_OPEN}[{MARK}]{_CLOSE}",
        r"(?:[项項])?(?:较为|比较|更为?|最为?)?(?:合适|恰当|妥当|正确)?(?=[。.,;:!\n、(]|\Z|是"
        r"|作为|作為|因为|吧|为)",
    ),
    wording(
        "确|确|对|错|答案|符合",
        rf"(?:故|因此|所以|综上(?:所述)?|由此|可见|因而|从而|显然|只有|仅有?"
        rf"|即)[,、 ]{{0,2}}(?:[选選][项項] ?)?{_OPEN}",
        rf"[{MARK}]{_CLOSE}(?:[选選]?[项項])?(?:的?(?:说法|表述|观点))?(?:是|为)?(?:唯一"
        rf"|最)?(?:正确|对的|错误|错的|符合"
        rf"|当选|恰当|答案|不正确|不符)",
    ),
    wording("当选|當選", rf"{_LONE}{_CLOSE}(?:[选選]?[项項])?[^。\n;]{{0,12}}[当當][选選]"),
    wording(
        "是|为",
        rf"(?:[选選][项項] ?{_OPEN}[{MARK}]|{_LONE}){_CLOSE}(?:[选選]?[项項])?(?:是|为)(?:唯一|最)?",
        r"(?:正确|合适|恰当|妥当|符合题意|最佳|本题)的?(?:答案|选项|说法)?(?=[。.,;!\n、]|\Z)",
    ),
    wording(
        "的是|的为|项是|项为|法是|应为|应是",
        r"(?:(?:正确|错误|妥当|恰当|合适|符合|不符|属于|成立|适用|可以|应当|不能|有效"
        r"|无效)[^。\n,;:]{0,20}的?(?:[选選]?[项項]|说法|表述"
        r"|一项|做法|答案)?",
        r"(?:是|为)|应[为是])[: ]{0,2}(?:[选選][项項] ?)?",
        rf"{_OPEN}[{MARK}]{_CLOSE}(?:[项項])?(?=[。.,;:!\n、(]|\Z|因为)",
    ),
)
_GUESSED = (
    wording(
        "可能是|可能选|可能为|也许|大概|猜|倾向|估计",
        r"(?:可能(?:是|选|为)|也许(?:是|选)?|大概(?:是|选)?|猜测?(?:是|选)?"
        r"|(?:更)?倾向于?(?:选择?|认为)?|估计(?:是|选)?)",
        rf"[: ]{{0,2}}(?:[选選][项項] ?)?{_OPEN}[{MARK}]{_CLOSE}(?:[项項])?(?=[。.,;!\n、]|\Z|吧"
        rf"|是|因为)",
    ),
    wording(
        "が",
        rf"{_LONE}{_CLOSE}が[、 ]{{0,2}}(?:[^。、\n]{{0,20}}?として)?(?:最も|一番|もっとも|より"
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
        rf"{_LONE}{_CLOSE}(?:のみ|だけ)?を[、 ]{{0,2}}(?:行う(?:べき|の)|実施すべき|施行すべき"
        rf"|選びたい|推したい"
        rf"|支持|第一(?:候補|選択)|優先|有力)",
        behind="のだを",
    ),
    wording(
        "と",
        rf"{_LONE}{_CLOSE}と(?:最も|もっとも|一番|よく)(?:一致|合致|整合|符合)(?!し[なま]せ?)",
        behind="と",
    ),
    wording(
        "consistent|plausible|guess|lean|perhaps|maybe|probably|likely|suspect|inclin",
        r"(?:guess(?:ing)?(?: is| would be)?(?: that)?(?: it(?:'s| is"
        r"| would be))?(?: the answer is)?|lean(?:ing)? toward?s?|perhaps|maybe"
        r"|inclined (?:to(?:wards?)?|toward)(?: (?:choose|pick|select|say|go with))?"
        r"|suspect(?: that)?(?: it(?:'s| is))?(?: the answer is)?|(?:probably|likely)(?: it(?:'s"
        r"| is))?|seems (?:most )?(?:plausible|likely) (?:is|to be))",
        rf":? (?:the answer is |the answer |with )?{_NAMED}{_OPEN}[{MARK}]{_CLOSE}(?=[.,;!?\n]"
        rf"|\Z|but\b|though\b|because\b|since\b|as\b)",
    ),
)
_PROTEST = (
    wording(
        "いて|えて|どちらか",
        r"(?:強いて|しいて|敢えて|あえて|どちらかと|どれかと|無理に|むりに)[^。、\n]{1,12}?(?:ば"
        r"|なら|と|たら)[、 ]{0,2}",
        rf"{_NAMED}{_OPEN}[{MARK}]{_CLOSE}(?:でしょうか|かな|かと|か(?=[。\n]|\Z)|でしょう|だろう"
        rf"|{_COPULA}|が|を)",
    ),
    wording(
        "if i ",
        r"if i (?:absolutely |really )?(?:had|have|were|am|was"
        r"|must)(?: forced)?(?: to)? (?:choose|pick|guess|select|answer)(?: one| an answer)?",
        rf",? (?:then )?(?:i(?:'d| would| will|'ll) (?:say|go with|choose|pick|select|guess) "
        rf"|it would be |it is )?{_NAMED}{_OPEN}[{MARK}]{_CLOSE}(?=[.,;!\n]|\Z)",
    ),
)
_VERDICT_DRAWN = (
    wording(
        "以外は|以外の",
        rf"{_LONE}{_CLOSE}以外(?:は|の(?:選択肢|肢|もの)は)(?:すべて|全て|いずれも|どれも"
        rf"|みな)?(?:明らかに)?",
        r"(?:不適切|誤り|誤って|該当し(?:な|ま)|正しくな|除外|間違|適切で(?:な|は))",
        behind="以",
    ),
    wording(
        "という結|との結|という判|との判",
        rf"{_LONE}{_CLOSE}(?:は|が)[、 ]{{0,2}}(?:誤り|間違い|不適切|正しい|適切|妥当|誤っている"
        rf"|正しくない)(?:である|だ)?と(?:いう"
        rf"|の)(?:結論|判断|結果)",
        r"(?!で?は(?:な|あり))",
        behind="はが",
    ),
)
_DOUBTED = (
    wording(
        "で|じ|か|の|と",
        rf"{_LONE}(?<![がをにでと][{MARK}]){_CLOSE}(?:で(?=は|ある|す|いい|良|よ)|じゃ|か(?=も|と"
        rf"|な)|の(?=可能|では|よう)"
        rf"|と(?=思わ|推))",
        behind="でじかのと",
    ),
)
_LABEL = re.compile(rf"[{FORM}{FOREIGN}]")


def asserted(reading: Reading) -> Iterator[Mark]:
    """`b が正しい` and `option b is the correct answer` single out one; `b は正しい` only grades it."""
    yield from _worded(reading.page, _ASSERTED)
    for found in find_each(_TOPIC_ANSWERS, reading.page):
        labels = labels_at(reading.page, found.start())
        if labels and labels.only and not in_a_list(reading.page, found.start()):
            yield Mark("claim", labels.only, Strength.CLAIM, found.start(), found.span())


def drawn(reading: Reading) -> Iterator[Mark]:
    """`a は誤りという結論` answers a question for the wrong one; `b 以外は不適切` leaves b."""
    for found in find_each(_VERDICT_DRAWN, reading.page):
        labels = labels_at(reading.page, found.start())
        if labels and labels.only and not in_a_list(reading.page, found.start()):
            yield Mark("claim", labels.only, Strength.CLAIM, found.start(), found.span())


def chinese(reading: Reading) -> Iterator[Mark]:
    """`故本题选A`, `故B项正确`, `选项C是正确的` and `下列说法错误的是D` commit in Chinese."""
    return _worded(reading.page, _CHINESE)


def guessed(reading: Reading) -> Iterator[Mark]:
    """`my best guess is c`, `可能是C` and `c が考えられる` call one choice likely and no more."""
    for mark in _guessed(reading):
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


def _guessed(reading: Reading) -> Iterator[Mark]:
    text = reading.page.text
    for found in find_each(_PROTEST, reading.page):
        at = _last_label(reading.page, found)
        labels = labels_at(reading.page, at) if at >= 0 else None
        if labels and labels.only and not denied(text, at + 1) and not in_a_list(reading.page, at):
            yield Mark("claim", labels.only, Strength.FORCED, at, found.span(), soft="soft-forced")
    for mark in _worded(reading.page, _GUESSED):
        yield mark._replace(strength=Strength.FORCED, soft="soft-choice") if mark.label else mark
    for found in find_each(_DOUBTED, reading.page):
        labels = labels_at(reading.page, found.start())
        if labels and labels.only and doubtful(text, found.start() + 1):
            at = found.start()
            if not in_a_list(reading.page, at) and not not_ours(text, at):
                yield Mark(
                    "claim", labels.only, Strength.FORCED, at, found.span(), soft="soft-choice"
                )


def chosen(reading: Reading) -> Iterator[Mark]:
    """`b を選びます` and `I would choose b` are choices made in so many words."""
    return _worded(reading.page, _CHOSEN)


def concluded(reading: Reading) -> Iterator[Mark]:
    """`したがって b。` and `Therefore, option b is correct.` end an argument with one label."""
    return _worded(reading.page, _CONCLUDED)


def singled_out(reading: Reading) -> Iterator[Mark]:
    """`誤っているのは c です` and `the only exception is option d` answer in the words of the question."""
    return _worded(reading.page, _SINGLED_OUT)


def _worded(page: Page, wordings: tuple[Wording, ...]) -> Iterator[Mark]:
    """The claims that wordings find; the last label of a match is the one it singles out."""
    text = page.text
    for found in find_each(wordings, page):
        at = _last_label(page, found)
        labels = labels_at(page, at) if at >= 0 else None
        if labels is None or in_a_list(page, at) or _WEIGHED.search(text, max(0, at - 12), at):
            continue
        soft = "soft-choice" if doubtful(text, at + 1) or _LIKELY.match(text, found.end()) else ""
        if not soft and _talked_about(page, at, found.end()):
            continue
        if _disowned(page.text, found):
            continue
        if labels.only is None:
            if labels.foreign and not labels.labels and not soft:
                yield Mark("void", None, Strength.CLAIM, at, found.span())
            continue
        forced = conditional(text, at)
        strength = Strength.FORCED if forced or soft else Strength.CLAIM
        soft = soft or ("soft-forced" if forced else "")
        yield Mark("claim", labels.only, strength, at, found.span(), soft=soft)


def _last_label(page: Page, found: re.Match[str]) -> int:
    places = [m.start() for m in _LABEL.finditer(page.text, found.start(), found.end())]
    for at in reversed(places):
        if labels_at(page, at) is not None:
            return at
    return -1


_REST = re.compile(
    r"か(?:、|あるいは|または|もしくは|が)|[^。\n、,]{0,8}?(?:とは(?:言|い|限|な)|(?:く|では|で"
    r"|られ)(?:な[いくか]|ありません)"
    r"|か(?:どうか|否か|もしれ|\?|。)"
    r"|の?場合|なら|であれば|可能性が(?:ある|あり)|という(?:説|主張|見解|意見)|と(?:すると|仮定"
    r"|すれば|しても)"
    rf"|{TAKEN_BACK})"
)
_WEIGHED = re.compile(
    r"か[、 ]{0,2}(?:あるいは|または|もしくは|それとも)[、 ]{0,2}(?:選択肢)?[ (\"']{0,2}\Z"
)
_LIKELY = re.compile(
    r"[^。\n、,]{0,6}?(?:(?:の)?(?:で|じゃ)は?(?:ない|なかろう|ありません)(?:の)?(?:でしょう"
    r"|だろう)?か(?!ら)|か(?:も(?:しれ|知れ)"
    r"|と(?:思|考|判断))"
    r"|可能性が(?:最も|一番|非常に|極めて|かなり|より)?(?:高|大き)|と(?:思われ(?!な)|推測|推定|推察))"
)
_IS = ("is", "be", "remains", "'s")


def _talked_about(page: Page, at: int, end: int) -> bool:
    """Whether the words after it deny, doubt or suppose the claim, or the sentence is an example."""
    text = page.text
    return (
        denied(text, at + 1)
        or questioned(text, at + 1)
        or _REST.match(text, end) is not None
        or in_example(text, at)
    )


def _disowned(text: str, found: re.Match[str]) -> bool:
    """Whether the words before it doubt the claim, leave it open, or speak of others' answers."""
    at = found.start() + len("to ") * found[0].startswith("to ")
    return (
        doubted(text, at)
        or not_ours(text, at)
        or (found[0].startswith(_IS) and only_possible(text, at))
    )
