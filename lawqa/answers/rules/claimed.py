"""Rules that read a commitment in words of its own, without the word 'answer' before it."""

from __future__ import annotations

from collections.abc import Iterator

from lawqa.answers.labels import BRACKETS, FOREIGN, FORM, in_a_list, labels_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.rules.claims import CLOSE, COPULA, LONE, MARK, NAMED, OPEN, read_claims
from lawqa.answers.slots import Reading
from lawqa.answers.wording import family, find_each, opening, word, wording

_GOOD = r"(?:correct|right|best|appropriate|suitable|plausible|accurate|valid|supported)"
_GRADE = rf"(?:{_GOOD}|incorrect|wrong|inaccurate|false|invalid)"
_NOUN = (
    r"(?:answer|option|choice|statement|selection|response|exception|one|description|combination)\b"
)
STOP = rf"(?={CLOSE}(?:[.,;\n]|\Z|as\b|because\b|since\b|which\b))"
_DEGREE = (
    r"(?:(?:clearly|likely|most likely|probably|indeed|therefore|thus|also|still|then|the|an?"
    r"|only|most|"
    r"single|best|more|overall|legally|directly) ){0,4}"
)
ASSERTED = family(
    wording(
        "が",
        rf"{LONE}{CLOSE}(?:のみ|だけ)?が[、 ]{{0,2}}",
        r"(?:(?:最も|一番|唯一|明らかに|法的に|この中で|本問の|この問題の)の?[、 ]{0,2}){0,2}",
        r"(?:正解|正答|答え|回答|解答|正し|適切|妥当|適当|最適|ふさわし|適し|適合|該当す"
        r"|該当し(?!な|ま[せい])",
        r"|誤|間違|不適|不正|違反|最も)",
        behind="のだが",
    ),
    wording(
        "正解",
        rf"{LONE}{CLOSE}(?:は[、 ]{{0,2}}|[:→(] ?)正解(?:です|である|だ|と|[)。\n]|\Z)",
        behind="は:→正",
    ),
    wording(
        "is |are |be |comes |remains |represents |seems ",
        rf"{LONE}{CLOSE}",
        r"(?:is|are|would be|must be|should be|comes|remains|represents|seems|appears to be) ",
        rf"(?:{_DEGREE}(?:{_GRADE} )?{_NOUN}",
        rf"|(?:the )?(?:most )?(?:likely|probably|most|best) (?:the )?(?:{_GRADE}|answer)",
        r"|(?:the )?(?:closest|nearest|least (?:in)?(?:correct|wrong|accurate)))",
        behind="iawmscr",
    ),
)
TOPIC_ANSWERS = family(
    wording(
        "答えとな|正解とな|正答とな|答えです|正解です|正答です|答えであ|正解であ|正答であ",
        rf"{LONE}[)\]\"' ]{{0,3}}[^。\n]{{0,30}}?は[^。\n]{{1,40}}?[、で](?:答え|正解|正答)",
        r"(?:とな[りる]|です|であ[りる])(?!はず|とは|かどうか)",
    ),
)
CHOSEN = family(
    wording(
        "を",
        rf"{LONE}{CLOSE}(?:のみ|だけ)?を[、 ]{{0,2}}(?:(?:正解|最も適切|回答|解答|答え)と|推奨"
        rf"|回答(?:し|する)",
        r"|選択し(?!な|得)|選択(?:する|します|いたし)(?!こと|場合|と|人|者|受験)",
        r"|選(?:び(?!ませ|たくな|たいところ|たくも|がち|やす|かね)|ぶ(?!こと|場合|と|人|者|受験)|ん(?!だ場合|だ人)))",
        behind="のだを",
    ),
    wording(
        "を",
        rf"{LONE}{CLOSE}(?:のみ|だけ)?を[、 ]{{0,2}}選(?:択する|択す|ぶ)(?:べき|のが"
        rf"|ことが)(?!で(?:は|も)な)",
        behind="のだを",
    ),
    wording(
        "にす|にし|に決|に絞|に落|で回答|で解答|でよい|で良い",
        rf"{LONE}{CLOSE}(?:に(?:する|します|しま(?:し|す)|決(?:め|ま)|絞(?:ら|り|れ)|落ち着)"
        rf"|で(?:回答|解答)(?:する|します)|で(?:よ|良)い)",
        r"(?=[。、\n]|\Z|と|られ|た|こと|る|ま|の)",
        behind="にで",
    ),
    wording(
        "という|とするの|と判断するの|と考えるの|とみるの|と見るの|と解するの",
        rf"{LONE}{CLOSE}(?:という(?:結論|こと|判断|答え)に(?:な[りる]|至[りる])",
        r"|と(?:する|判断する|考える|[み見]る|解する)の(?:が|は)(?:最も)?(?:妥当|適切|自然|合理"
        r"|よい|良い|無難|正し))",
        behind="と",
    ),
    wording("とし|とする", rf"{LONE}{CLOSE}と(?:する|します|いたします)(?=[。\n]|\Z)", behind="と"),
    wording(
        "choose |select |pick |go with |opt for ",
        rf"(?:{word('i', 'we', 'would', 'will', 'must', 'should', 'to')}|'d|'ll|,|\.|:) ",
        r"(?:please |just |therefore |then )?(?:choose|select|pick|go with|opt for) ",
        rf"{NAMED}{OPEN}[{MARK}]",
    ),
)
CONCLUDED = family(
    opening(
        "したがって|従って|よって|ゆえに|故に|以上|このため|そのため|結論として",
        r"(?:したがって|従って|よって|ゆえに|故に|以上|そのため|このため|結論として)",
        r"(?:より|から|のことから|を踏まえ(?:ると|て)?)?",
        rf"[、,: ]{{0,3}}{NAMED}{OPEN}[{MARK}]{CLOSE}{COPULA}",
    ),
    opening(
        "therefore|thus|hence|consequently|so |so,|so:|so(|only",
        rf"(?:{word('therefore', 'thus', 'hence', 'consequently', 'so', 'only')})",
        rf"[,: ]{{0,3}}{NAMED}{OPEN}[{MARK}]{CLOSE}",
        rf"(?:\.|\n|\Z|is (?:the )?(?:most )?{_GOOD})",
    ),
)
_BEGINS_A_LABEL = rf"[、,: \n選肢to{BRACKETS}{FORM}{FOREIGN}]"
_THEN_A_LABEL = (
    rf"(?={_BEGINS_A_LABEL})[、,: ]{{0,3}}{NAMED}"
    rf"[ \n{BRACKETS}]{{0,5}}[{MARK}]{CLOSE}{COPULA}"
)
SINGLED_OUT = family(
    wording(
        "は",
        rf"は(?={_BEGINS_A_LABEL})(?<!または)(?<!るいは)(?<![又く]は)",
        _THEN_A_LABEL,
    ),
    opening(
        "選ぶと|選択すると|すると|考えると|判断すると|検討すると|選べば|すれば|選ぶなら|選択するなら|答えるなら|強いて言えば|あえて言えば",
        r"(?:選ぶと|選択すると|すると|考えると|判断すると|検討すると|選べば|すれば",
        r"|選ぶなら|選ぶとすれば|選ぶとしたら|選択するなら|答えるなら|強いて言えば|あえて言えば)",
        _THEN_A_LABEL,
    ),
    opening(
        "のが|ものが|選択肢が|記述が",
        rf"(?:のが|ものが|選択肢が|記述が)[、,: ]{{0,3}}{NAMED}{OPEN}[{MARK}]{CLOSE}",
        r"(?:です|であ(?:る|り)|だ|と(?:判断|考え|結論|な))",
    ),
    wording(
        "に該当|に相当|に当たる|に当た|にあた|に当ては|に対応",
        rf"{LONE}{CLOSE}に(?:該当|相当|対応|当たり?|あたり?|当てはま)(?:し(?:ます|た|ている)"
        rf"|する|る|ります)",
        r"(?=[。\n)]|\Z|と|こと|ため|もの(?:で|と))",
        behind="に",
    ),
    opening(
        "消去法|除外",
        r"(?:消去法|除外法?)(?:で|により|によって|によれば|によると|から|の結果|では"
        r"|を用いると)?[、,: ]{0,2}(?:残る|残った|選べる)?(?:の|もの"
        r"|選択肢)?(?:は|が)?[、 ]{0,2}",
        rf"{NAMED}{OPEN}[{MARK}]{CLOSE}(?=で(?:す|ある)|だ|と|を|が(?!残)|に|。|\n|\Z|、)",
    ),
    opening("うち", rf"うち[、 ]{{0,2}}{NAMED}{OPEN}[{MARK}]{CLOSE}(?:です|である|が)"),
    wording(
        "なく",
        rf"{LONE}{CLOSE}(?:では|で)なく[、 ]{{0,2}}{NAMED}{OPEN}[{MARK}]{CLOSE}",
        rf"(?:が|を|{COPULA})",
        behind="で",
    ),
    opening(
        "のは|ものは|選択肢は|記述は",
        rf"(?:のは|ものは|選択肢は|記述は)[、,: ]{{0,3}}{NAMED}{OPEN}[1-4]{CLOSE}{COPULA}",
    ),
    opening(
        "is |is:|be |be:|remains |remains:|'s",
        rf"(?:{word('is', 'be', 'remains')}|'s):? {{1,3}}(?:most likely |likely "
        rf"|probably )?{OPEN}",
        rf"(?:(?:option|choice|statement) {OPEN}[{MARK}]{STOP}",
        rf"|[{MARK}]{CLOSE}(?:[.,;](?![a-z])|\n|(?:as|because|since)\b))",
    ),
    opening(": option|: choice", rf": (?:option|choice) {OPEN}[{MARK}]{STOP}"),
)
VERDICT_DRAWN = family(
    wording(
        "以外",
        rf"{LONE}{CLOSE}(?:の(?:選択肢|肢))?以外(?:に(?:は)?|は|で(?:は)?)、?[^。\n、]{{0,16}}?",
        r"(?:な(?:い|さそう|かろう|し)(?!と(?:は|ま)|わけ|だろうか|でしょうか|か)|ありません(?!か)|考え(?:にく|られ(?:な|ませ)|難|づら)"
        r"|残(?:ら|りませ)|選べ(?:な|ませ)|見当たら|あり(?:得|え)(?:な|ませ)|当てはまら|該当し(?:な|ませ))",
        behind="以の",
    ),
    wording(
        "以外は|以外の",
        rf"{LONE}{CLOSE}以外(?:は|の(?:選択肢|肢|もの)は)(?:すべて|全て|いずれも|どれも"
        rf"|みな)?(?:明らかに)?",
        r"(?:不適切|誤り|誤って|該当し(?:な|ま)|正しくな|除外|間違|適切で(?:な|は))",
        behind="以",
    ),
    wording(
        "という結|との結|という判|との判",
        rf"{LONE}{CLOSE}(?:は|が)[、 ]{{0,2}}(?:誤り|間違い|不適切|正しい|適切|妥当|誤っている"
        rf"|正しくない)(?:である|だ)?と(?:いう"
        rf"|の)(?:結論|判断|結果)",
        r"(?!で?は(?:な|あり))",
        behind="はが",
    ),
)


def asserted(reading: Reading) -> Iterator[Mark]:
    """`b が正しい` and `option b is the correct answer` single out one; `b は正しい` only grades it."""
    yield from read_claims(reading.page, ASSERTED)
    for match in find_each(TOPIC_ANSWERS, reading.page):
        labels = labels_at(reading.page, match.start())
        if labels and labels.only and not in_a_list(reading.page, match.start()):
            yield Mark("claim", labels.only, Strength.CLAIM, match.start(), match.span())


def drawn(reading: Reading) -> Iterator[Mark]:
    """`a は誤りという結論` answers a question for the wrong one; `b 以外は不適切` leaves b."""
    for match in find_each(VERDICT_DRAWN, reading.page):
        labels = labels_at(reading.page, match.start())
        if labels and labels.only and not in_a_list(reading.page, match.start()):
            yield Mark("claim", labels.only, Strength.CLAIM, match.start(), match.span())


def chosen(reading: Reading) -> Iterator[Mark]:
    """`b を選びます` and `I would choose b` are choices made explicitly."""
    return read_claims(reading.page, CHOSEN)


def concluded(reading: Reading) -> Iterator[Mark]:
    """`したがって b。` and `Therefore, option b is correct.` end an argument with one label."""
    return read_claims(reading.page, CONCLUDED)


def singled_out(reading: Reading) -> Iterator[Mark]:
    """`誤っているのは c です` and `the only exception is option d` answer in the words of the question."""
    return read_claims(reading.page, SINGLED_OUT)
