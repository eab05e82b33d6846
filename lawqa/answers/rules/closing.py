"""The rule that reads what the closing sentence makes of the one choice it names.

Soft words are an open class: `cの公算が大きい`, `cに軍配が上がる`, `my money is on c`. So this rule lists no
phrases. It asks three things of the last sentence: it names one choice only, a word of judgement is tied to
that choice, and nothing in it denies, supposes, asks or reports.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lawqa.answers.context import in_example, sentence_start
from lawqa.answers.labels import BRACKETS, in_a_list, labels_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.negation import denied, not_ours
from lawqa.answers.slots import Reading
from lawqa.answers.text.page import Page

_MOST_SENTENCE = 160
_SHORT = 80
"""A text of one line that is no longer needs no full stop to be finished."""

_FINISHED = re.compile(r"[。.!)\"'~…] ?\Z")
_ITEM = re.compile(r"[ >#]{0,6}(?:[-・] ?\S|\(?[0-9]{1,2}[.)、:])")
_CLAUSE_ENDS = re.compile(
    r"(?:ます|です|せん|ない|した|だ|る|い|[ねき]る)(?:が|けれども?|けど|ものの)、? ?|一方で?、|しかし、?"
    r"|\bbut |(?<=[,。;])(?:但是?|不过|然而)"
)
_CLOSE = (
    rf"[ {BRACKETS}]{{0,6}}(?:の?(?:選択肢|肢)|[选選]?[项項])?[ {BRACKETS}]{{0,3}}(?:のみ|だけ)?"
)
_FIT = (
    r"(?:正し|正解|正答|答え|適切|適当|妥当|最適|適し|適合|ふさわし|相応|近|有力|良[いさ]|よ[いさ]|好まし"
    r"|望まし"
    r"|自然|無難|安全|合理|相当|整合|合致|一致|符合|優|勝|ベスト|ベター|最善|最良|一番|いちばん|濃厚|まし"
    r"|該当|当てはま|確実|本命|しっくり|求めら|導[かけ]|診断|推奨|選択|考慮さ|挙げら|第一|抜け|抜きん|一歩|上回|際立|説得力"
    r"|筋が|素直|忠実|穏当|順当|賢明|得策|手堅|堅[いく]|固[いく]|ぴったり)"
)
JUDGED = (
    rf"が、?[^。、\n]{{0,12}}?(?:{_FIT}|沿[うっい])|で(?:す|ある)(?=[。よね]|\Z)|だ(?=[。よね]|\Z)"
    r"|を、?(?:[^。、\n]{0,8}?)(?:選(?!択肢)|採|推[しす奨]|支持|答|回答|解答|正解|マーク|提出|第一|優先"
    r"|提案|暫定)|しか(?:残|考え|選べ|選び|あり|な[いさ]|該当|当ては)"
    r"|に(?:軍配|分があ|落ち着|決[まめ定し]|傾|一票|絞|賭|投票|し(?:て(?:お|み)|た[いく]|ます|よう|ました)"
    r"|する(?=。|\Z|こと|ほか|しか)"
    r"|(?:違|相違)い?(?:な|あり)|な(?:る|り(?:ます|ましょう))(?=。|\Z|と|だろ|でしょ|か|はず)|(?:該当"
    r"|相当)|当たる)"
    r"|で(?:行[きくこ]|合って|差し支え|い[きくこ](?!ま?せ|な)|決|確定|問題|間違い|まちがい|異論"
    r"|よ[いかさ]|良[いかさ]"
    r"|い(?:い|かがで)|あろう|回答|解答|答"
    r"|提出|お願|ファイナル|(?=。|\Z))"
    r"|という(?:理解|解釈|認識|結論|答え|判断|整理|こと)で(?:よ|良|い|問題|合って|差し支え|間違い)"
    r"|との(?:判断|結論|答え)に|と(?:い(?:う|った)(?:こと|結論|判断|答え|回答)[にで]|お答え|(?:し|考え"
    r"|判断し|回答し|答え|解答し)(?:て"
    r"|た[いく])|する|します|した(?:い|)"
    r"|思|考え|判断|結論|見|み[るてら]|解|推|踏|睨|にら|予[想測]|答え|回答|解答|なる|なり|捉え|読"
    r"|言[えわ]|いえ|最も|もっとも|一番|(?:一致|合致|整合))"
    r"|(?:である|だ|になる|となる|なの)(?:か)?と(?:思|考え|判断|見|み[るてら]|推|言え|いえ|解|踏|感)"
    r"|で(?:あろう|しょう(?!か))|だろう(?!か)|なん(?:じゃ|では|だ)|なの(?:では|だろ|でしょ)|じゃな|かも"
    r"|かと|か(?:な|しら)"
    r"|っぽ|らし|みたい"
    r"|の(?:公算|蓋然|確率|確度|線|可能性[がの](?:最も|一番|より|かなり|比較的|相当|十分)?(?:高|大|濃|強)"
    r"|ほう|方|ような|はず|気が)"
    r"|寄り|あたり|辺り"
)
_COMPARED = re.compile(rf"{_CLOSE}よりも?は?(?!ほか|他|以外|あり|な)")
_TIED = re.compile(
    rf"{_CLOSE}[、 ]{{0,2}}(?:{JUDGED})|\) ?[^。、\n()はが]{{1,30}}が(?:最も|一番|もっとも) ?{_FIT}"
)
_HARMLESS = re.compile(
    r"(?:の|なの|なん)?(?:で|じゃ)は?(?:ない|ありません|なかろう)(?:の)?(?:でしょう|だろう)?か(?:な|と|。"
    r"|\Z)?"
    r"|(?:ほか|他|しか|違い|間違い|まちがい|相違|問題|異論|疑い|差し支え|申し分)[はがも]?(?:あり(?:ません"
    r"|ま)|な[いくさか])|しか[^。、\n]{0,4}?(?:[らえべりき](?:な[いくさか]|ませ|ず)|得(?:な|ませ))"
    r"|ざるを得(?:ない|ません)|疑う余地[はが]な|自信[はが]?(?:な|ありませ)|確信[はが]?(?:な|ありませ)"
    r"|(?<![a-z])(?:not|n't)(?: \w{1,10})? (?:sure|certain|confident)|uncertain\w*|without (?:more"
    r"|further|additional|any)"
    r"|(?:二択|選ぶ|答える|どれか|一つ)(?:と言われれば|なら)|no certainty|if i (?:had|have|must|were)"
    r"|if (?:forced|pressed)|less (?:sure|certain)|not without"
    r"|不(?:太|敢|是很|能完全)?(?:确定|肯定)|(?:若|如果)(?:必须|一定|非)|不过|差不多|不妨|没有?(?:疑问"
    r"|问题|把握)"
)
_DENIES = re.compile(
    r"のような形|という形|形式|な[いくかけし]|無[いくし]|ませ|[らかさたまえれめべせけ]ず(?!れ)|まい|得ま|難|困|がた[いく]"
    r"|にく[いく]|づら|無理|乏し|早計|誤|間違|違[うっいえ]"
    r"|矛盾|疑[問わ]|弱[いく]|低[いく]|余地|(?:という|とする|との)(?:見解|説|意見|主張|考え|立場|人|者"
    r"|ところ|声|指摘)|学説|多数説|有力説"
    r"|場合|なら(?!な)|とすれば|とすると|としたら|だとす|どうか|だろうか|でしょうか|のか(?=[。?]|\Z)"
    r"|ますか|ですか"
    r"|可能性[はも]|可能性がある|可能性があ[りっ]|もあ[りる]|迷|悩|分から|わから|検討|確認|思いき"
    r"|ところだ|たくな|がち|人が|人も|者が|仮定|比較"
    r"|除|外[しれす]|\?|ように(?:答|書|回答|出力)|文字|形式|格式|输出|写成|请|か[をは](?!な)|検証|少数"
    r"|人は|者は|例え|次の|設問"
    r"|\b(?:not|never|no|neither|nor|whether|if|could|may|might|cannot|wrong|incorrect|false|unlikely"
    r"|tempt\w*"
    r"|rul\w* out|exclud\w*|another|other|others|some|people|example|format|unless|would have been|seemed"
    r"|thought|used to|once)\b|n't"
    r"|[不未没非无别勿]|如果|假如|假设|若|是否|还是|吗|看似|有人|难以|错|误|哪|例如"
)
_ENGLISH_WORD = (
    r"\b(?:best|safest|soundest|strongest|closest|nearest|makes? (?:the )?(?:most|more) sense"
    r"|(?:fit|match|align|suit|correspond|track)(?:s|es)?\b[^.\n]{0,24} (?:better|more closely|most)"
    r"|the one\b|top (?:pick|choice)|holds? up|most (?:\w{1,14} )?(?:defensible|likely|probabl[ey]"
    r"|sensible|reasonable"
    r"|natural|fitting|plausible|accurate)|defensible|preferable|preferred|i prefer|i favou?r"
    r"|my (?:\w{1,12} )?(?:answer|choice|pick"
    r"|bet|money|vote|guess|selection|conclusion)|(?:the|our|likely|better|right"
    r"|correct) (?:answer(?! choice)|choice|pick|bet)(?! (?:option |choice )?\(?[a-d]\b)"
    r"|(?<!most )likely(?! to\b)|probabl[ey]|presumably|arguably|on balance|lean\w*|settl(?:e|ed"
    r"|ing) (?:on|for)|(?:by|process of) elimination"
    r"|eliminating the (?:others|rest)|least (?:bad|wrong|problematic|objectionable)|go(?:ing"
    r"|es)? (?:with|for)|opt(?:ing)? for"
    r"|guess\w*|edges? (?:out|ahead)|strikes me as|(?:gut|hunch|instinct) (?:says|is|feeling)|reckon"
    r"|if (?:pressed|forced)|inclin\w*|tentativ\w*|it is\b(?=[.!]|\Z)|conclu\w+|must be|has to be|have to be"
    r"|comes? out|wins|stands out"
    r"|sure|certain|confident|i(?:'d| would| will|'ll) (?:take|choose|pick|say|select|mark|put|answer"
    r"|submit|venture|bet on|wager|figure))"
)
_CHINESE_WORD = (
    r"选(?!项)|選(?![項択])|答案|正确(?!处理)|合适|合理|恰当|妥当|靠谱|稳妥|贴切|接近|可能(?=是|为"
    r"|性[最更较]|$)|(?:最|更|较为?)有?可能|概率[最更较]|暂定|判断为|判定为"
    r"|唯有|(?:更|最|较)(?:有道理|说得通|好|准确|稳妥|符合)|站得住"
    r"|推断为|倾向|偏向|认为是|猜|当选|[最较更]佳|最优|应是|应为|应该是|恐怕|想来|看来|或为|优先|胜出|符合题"
)
_NAMED = r"(?:option|choice|answer|statement|(?:letter))?"
_TIED_BEFORE = re.compile(
    rf"(?:{_ENGLISH_WORD})[^.\n,;]{{0,20}}?[ :,]{_NAMED}[ {BRACKETS}]{{0,4}}\Z"
    rf"|(?:{_CHINESE_WORD})[^。\n,;]{{0,8}}?[ {BRACKETS}]{{0,4}}\Z"
)
_TIED_BEHIND = re.compile(
    rf"[ {BRACKETS}]{{0,6}}(?:\([^()\n]{{1,60}}\)[ )]{{0,3}})?(?:[,.]? ?(?:(?:is|are|would|will|should"
    rf"|seems?|appears?|looks?|feels?|remains?|stands|has|comes|though)\b"
    rf"[^.\n;,]{{0,24}}?)?(?<![a-z])(?:{_ENGLISH_WORD})"
    rf"|(?:[选選]?[项項])?[^。\n,;]{{0,6}}?(?:{_CHINESE_WORD}))"
)
_CONCLUDES = re.compile(
    r"\A[ \n>#-]{0,4}(?:したがって|従って|よって|ゆえに|故に|以上|このため|そのため|結論|結局|総合|総じて"
    r"|つまり|すると|まとめ|最終|ここ[はで]"
    r"|therefore|thus|hence|so\b|overall|in (?:sum|conclusion|short|the end)|on balance|ultimately|综上"
    r"|因此|所以|故|总之|综合|权衡)"
)


def closing_choice(reading: Reading) -> Iterator[Mark]:
    """A last sentence that names one choice and judges it, with whatever words, has chosen it softly."""
    page = reading.page
    text = page.text
    last = len(text.rstrip(" \n"))
    start = sentence_start(text, max(0, last - 1))
    if last - start > _MOST_SENTENCE or not page.letters or page.letters[-1] < start:
        return
    line = text.rfind("\n", max(0, start - _MOST_SENTENCE), start) + 1
    if _ITEM.match(text, line) and not _CONCLUDES.match(text, start):
        return  # a point of an analysis
    if not _FINISHED.search(text, 0, last) and (start > 0 or last > _SHORT):
        return
    clause = max(
        (m.end() for m in islice(_CLAUSE_ENDS.finditer(text, start, last), 9)), default=start
    )
    at = _only_label(page, clause, last)
    if at is None or in_example(text, at) or not_ours(text, at) or denied(text, at + 1):
        return
    labels = labels_at(page, at)
    if labels is None or labels.only is None or in_a_list(page, at):
        return
    if not _CONCLUDES.match(text, start) and _named_before(page, labels.only, start):
        return  # one of several verdicts, not the conclusion
    rest = _HARMLESS.sub("", text[clause:last])
    if _judged(text, at, clause) and not _DENIES.search(rest):
        yield Mark("claim", labels.only, Strength.HINT, at, (clause, last), soft="soft-closing")


def _only_label(page: Page, start: int, end: int) -> int | None:
    """Return where the one label named between these places first appears; None where none or several are.

    What it is only compared with (`bよりはcの方が`) is left out.
    """
    places = [at for at in page.letters if start <= at < end]
    named = [
        (at, labels)
        for at in places
        if (labels := labels_at(page, at)) and not _COMPARED.match(page.text, at + 1)
    ]
    if not named or any(one.foreign or one.labels != named[0][1].labels for _, one in named):
        return None
    return named[0][0]


def _named_before(page: Page, label: str, start: int) -> bool:
    """Return whether another label is named before the sentence that begins here."""
    before = (at for at in page.letters if at < start)
    return any((one := labels_at(page, at)) and one.labels != (label,) for at in before)


def _judged(text: str, at: int, start: int) -> bool:
    """Return whether a word of judgement, in one of three languages, is tied to the label here."""
    return (
        _TIED.match(text, at + 1) is not None
        or _TIED_BEHIND.match(text, at + 1) is not None
        or _TIED_BEFORE.search(text, max(start, at - 60), at) is not None
    )
