"""Whether the words around a label take it away: a denial behind it, doubt or disowning before it."""

from __future__ import annotations

import re

from lawqa.answers.context import WordsBefore, sentence_start

_NO = r"(?:な[いくかさ]|無[いく]|ありませ|ございませ|あり(?:得|え)[なまず]|あるまい)"
_CANNOT = r"(?:でき(?:な[いくか]|ませ|ず|かね)|いかな|いきませ|許され[なま])"
_ADVERB = r"(?:明らかに|明白に|明確に|完全に|全く|まったく|やはり|極めて|非常に|かなり|とても|ほとんど|まず)?"
_GRADE = r"(?:正解|正答|答え|回答|解答|正しい(?:選択肢|もの|答え)?|適切|妥当|適当|最適|(?:該当|適合)する)"
_HARD = r"(?:に(?:くい|くく)|(?:がた|難|づら)[いく]|かね)"
# These deny nothing although a negation follows them: bと考えざるを得ない, bとしか言えない.
_FILL = (
    r"(?:ことが|(?!ざる|差し?支え|間違い|違い|疑い|ほか|他|しか|過言|問題|異論|否定)[^。、\nが])"
)
_BAD = (
    r"(?:誤(?:り(?!(?:で|と)は|[がは]な)|っ|答)|間違(?!い(?:で|と|が|は)?は?な)"
    r"|不(?:正解|正確|適|可|当)|違(?:う|って|い(?!な|あり))|成り立た|当たら|当てはまら"
    r"|該当(?:し(?:な|ま|得|え)|せず)|(?:正しく|適切で|妥当で|正解で|正答で)は?(?:な[いくか]"
    r"|あり(?:ませ|得|え))"
    r"|除外|排除|消去|却下|外[すれ]|選べ[なま]|考えられな|根拠が|×)"
)
_POOR = (
    rf"(?:{_BAD}|無理|疑(?!い[なよがのはも]|う余)|危険|早計|困難|難し"
    rf"|(?:支持|賛成|採用|首肯){_CANNOT}|認められな)"
)
_VIEW = r"(?:見解|意見|説|主張|立場|考え方?|理解|解釈|判断|結論|指摘|記述|説明|選択|回答|こと|もの|の|点)"

TAKEN_BACK = "|".join(
    (
        # bであるはずがない, bの可能性は低い, bになることはない
        r"(?:の|と(?:の|いう)?)?(?:はず|わけ|訳|筋合い|道理|余地|見込み|可能性|根拠|証拠|確証|保証|こと)"
        rf"(?:で[はも]?|[はがも]|に[はも]?)?{_ADVERB}"
        rf"(?:{_NO}|{_CANNOT}|[低薄乏]|小さ|高くな|考え(?:に|られな|難|がた))",
        # bだとは思えない, bとは考えにくい, bと断定できない
        rf"とは(?!(?:いえ|言え)、){_FILL}{{0,12}}?(?:{_NO}|{_HARD}|ませ|ず|異な|違[いうっ])",
        r"と(?:も|まで)?(?:思|言|いえ|考え|判断|断定|断言|結論|確定|認め|評価|みな|見な)"
        rf"{_FILL}{{0,8}}?(?:な[いか]|ませ|ず|{_HARD})",
        # bと考えるのは無理がある, bだと誤解しやすい
        rf"と(?:考え|判断す|解す|見|み)(?:る|た)(?:の|こと)に?[はがも]{_ADVERB}{_POOR}",
        r"と(?:誤解|勘違い|思い込|早合点|混同)",
        # bであるという見解は誤り
        rf"(?:と(?:の|いう|する|いった)?)?{_VIEW}に?[はがも]{_ADVERB}{_POOR}",
    )
)
"""Ways to take back in Japanese what a clause has claimed so far; the inside of a group."""

_OBJECT_DENIED = (
    rf"を{_FILL}{{0,14}}?(?:[てで]は(?:い?け|なら|なり|だめ|ダメ)|べきでは?{_NO}"
    rf"|(?:こと|わけ|訳|理由|余地|根拠|必要|必然性)[にで]?[はがも]?{_ADVERB}(?:{_CANNOT}|{_NO}|乏|薄|弱|見当)"
    rf"|{_VIEW}に?[はがも]{_ADVERB}{_POOR}|[ばべびしせめ](?:な[いか]|ませ))"
)
_TOPIC_DENIED = rf"[はも][、 ]{{0,2}}{_ADVERB}{_BAD}|\(?(?:不正解|誤答)|[ (]?[×✗✘❌✖✕]"
_FIT_DENIED = (
    r"(?:に限[らり]|[にと][はも]?(?:該当(?:し|する(?:こと|わけ)で?は?)|当たら|当てはまら|なら"
    r"|なり(?:得|え)?))"
    r"(?:な[いくか]|ませ|ず)"
)
_ENGLISH_DENIED = (
    r",? (?:(?:(?:is|was|would be)(?:n't| not)|(?:can(?:not|'t| not)|could(?:n't| not)) be)"
    r" (?:the |a )?(?:correct|right|answer|valid|it\b)"
    r"|(?:does|do)(?:n't| not) (?:apply|match|fit|qualify|hold)"
    r"|(?:can|should|must|may) be (?:excluded|eliminated|ruled out|rejected|discarded)"
    r"|(?:is|was|would be|seems|looks|appears)(?: (?:to be|clearly|also|therefore|thus|simply"
    r"|plainly))?"
    r" (?:wrong|incorrect|false|invalid|inaccurate|untrue|mistaken|unlikely|improbable|impossible"
    r"|implausible|excluded|eliminated|ruled out)"
    r"(?=[ )\"']*(?:[.,;:!]|\n|\Z|(?:so|and|but|because|since|as|therefore)\b)))"
)
_DENIED = re.compile(
    rf"[ )\]}}\"'$。]{{0,4}}(?:(?:のみ|だけ)?(?:[がはも][、 ]?)?(?:最も|一番)?{_GRADE}?"
    rf"(?:(?:で|じゃ)[はも]?{_NO}|で[はも]?あるはず|以外|を除|と[はも]?言えず"
    rf"|(?:で(?:ある|あった|す)|だ(?:った)?|[にと](?:なる|する)(?!場合)|を選ぶ)?(?:{TAKEN_BACK}))"
    rf"|{_TOPIC_DENIED}|{_FIT_DENIED}|{_OBJECT_DENIED}|{_ENGLISH_DENIED})"
)
_WORDS = r"(?: (?!(?:but|and|so)\b)\w{1,12})"
_DOUBTED = WordsBefore(
    "not|never|hardly|n't|wrong|incorrect|mistake|error|false|untrue|doubt|unlikely|tempt|absurd|avoid",
    rf"(?:\b(?:not|never|hardly|cannot)|n't){_WORDS}? (?:think|believe|say|said|mean|agree|suggest"
    r"|follow|imply|conclude|claim|accept|see|going|want|like|willing|able|ready|wish|advise"
    r"|recommend"
    r"|(?:true|clear|certain|sure|convinced|likely|the case|possible|right|correct|proper|advisable"
    r"|reasonable|appropriate|safe|wise|allowed|permitted) (?:to|that|if|whether))"
    rf"{_WORDS}{{0,4}} ?\Z"
    r"|\b(?:wrong|incorrect|mistaken?|an error|false|untrue|doubtful|unlikely|tempting|tempted"
    r"|absurd)"
    rf" (?:to|that|if|whether){_WORDS}{{0,4}} \Z"
    rf"|(?<!no )(?<!not )(?<!without )(?<!beyond )(?<!without a )\bdoubt{_WORDS}{{0,4}} ?\Z"
    r"|\b(?:avoid|never|can't|cannot|won't) \Z",
)
_OPEN = WordsBefore(
    "could|may|might|can|unlikely to|thought to|used to|not|never|hardly|whether|n't",
    r"(?:\b(?:could|may|might|can|cannot|unlikely to|thought to|used to|not|never|hardly"
    r"|whether)|n't)"
    r"(?: (?:also|well|possibly|perhaps|conceivably|potentially|even|ever|really|actually|it"
    r"|this|that))* ?\Z",
)
_NOT_OURS = WordsBefore(
    "誤答|不正解|以外|でない|ではない|誤った|間違|誤り|よくある|ありがち|典型的|多い|受験|多くの人|旧"
    "|改正前|従前"
    "|昨年|前回|別の|類題|例題|正解から|正解と|正答から|正答と|mistake|trap|distractor|misconception"
    "|pitfall|error"
    "|wrong|incorrect| say| think| believe| argue| claim| assume| conclude|some|many|others|people"
    "|students|most|under the |before the ",
    r"(?:誤答|不正解|(?:正解|正答|答え)(?:以外|では?ない)(?:もの|の|選択肢)?"
    r"|(?:誤った|間違った|間違えた|間違いの|誤りの)(?:最終)?(?:答え?|回答|解答|解|正解)"
    r"|(?:よくある|ありがちな|典型的な|多い)(?:間違い|誤り|誤解|ミス|ひっかけ)(?:の(?:答え?|回答|解答))?"
    r"|(?:受験者|受験生|多くの人)[^。\n、]{0,10}(?:選び|選ぶ|選ん|間違|誤)[^。\n、]{0,8}"
    r"|(?:旧法|旧規定|旧条文|改正前|従前|昨年|前回|別の(?:問題|見解|説)|類題|例題)"
    r"(?:の(?:規定|条文|問題|試験))?(?:の?下)?(?:で[はも]?|なら|によれば|によると|は|の)[、 ]?"
    r"[^。\n、が]{0,8}"
    r"|(?:正解|正答)(?:から|と)[^。\n、]{1,8}の)"
    r"(?:の(?:選択肢|肢|例|一つ|1つ))?(?:は|が|として)?[、 ]{0,2}\Z"
    r"|\b(?:mistake|trap|distractor|misconception|pitfall|error"
    r"|(?:wrong|incorrect|mistaken) (?:answer|guess))s?(?: here| made)? ?\Z"
    r"|\b(?:some|many|others|people|one|you|students)(?: (?:might|may|would|could|often))?"
    r" (?:say|think|believe|argue|claim|assume|conclude)(?: that)?(?: \w{1,8}){0,3} ?\Z"
    r"|\b(?:some|many|others|people|students|most) ?\Z"
    r"|\b(?:under|before) the (?:old|former|previous|repealed)[^.\n,]{1,30},?(?: \w{1,8}){0,3} ?\Z",
)
_ASIDE = re.compile(
    r"[ (\-]{0,4}(?:なお|ちなみに|※|補足|参考|注[:)]|note\b|by the way|incidentally)"
)


def denied(text: str, at: int) -> bool:
    """Return whether what follows a label takes it away again (`b ではない`, `b は誤り`, `b is wrong`)."""
    return _DENIED.match(text, at) is not None


def doubted(text: str, at: int) -> bool:
    """Return whether the words just before a claim deny it (`I don't think …`, `It would be wrong to …`)."""
    return _DOUBTED.before(text, at)


def only_possible(text: str, at: int) -> bool:
    """Return whether an `is` or `be` here is preceded by a word that leaves it open (`could`,
    `unlikely to`).
    """
    return _OPEN.before(text, at)


def not_ours(text: str, at: int) -> bool:
    """Return whether the words before a claim speak of others' answers: wrong ones, those of an old law."""
    return _NOT_OURS.before(text, at)


def aside(text: str, at: int) -> bool:
    """Return whether the sentence around this place is a remark by the way (`なお`, `※`, `Note`)."""
    return _ASIDE.match(text, sentence_start(text, at), at) is not None
