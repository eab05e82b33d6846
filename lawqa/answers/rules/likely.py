"""Rules that read a choice that is only called likely, or made under protest."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lawqa.answers.context import doubtful, questioned
from lawqa.answers.labels import in_a_list, label_at, labels_at
from lawqa.answers.marks import Mark, Strength
from lawqa.answers.negation import denied, not_ours
from lawqa.answers.rules.claims import (
    CLOSE,
    COPULA,
    LONE,
    MARK,
    NAMED,
    OPEN,
    last_label_in,
    read_claims,
)
from lawqa.answers.slots import Reading
from lawqa.answers.text.page import Page
from lawqa.answers.wording import family, find_each, opening, wording

# A clause that calls what follows it likely, and no more.
_CHINESE_HEDGE = (
    r"(?:可能|也许|或许|大概|大概率|多半|恐怕|估计|猜测?|推测|应该|应当|似乎|好像|看来|看起来|(?:我"
    r"|个人)(?:觉得|认为|想)|感觉"
    r"|(?:倾向|偏向)于?(?:认为)?|可能的?|最接近的)(?<![不没未][可应][能该])"
)
_ENGLISH_HEDGE = (
    r"(?:(?:looks|seems) like|let's say|(?:with|low) (?:\w{1,12} )?confidence|guess(?:ing)?(?: is"
    r"| would be)?(?: that)?(?: it(?:'s| is| would be))?(?: the answer is)?"
    r"|lean(?:ing)? toward?s?|perhaps|maybe|possibly|presumably|tentatively|tentative answer(?: is)?"
    r"|inclined (?:to(?:wards?)?|toward)(?: (?:choose|pick|select|say|go with))?"
    r"|suspect(?: that)?(?: it(?:'s| is))?(?: the answer is)?|(?:probably|likely)(?: it(?:'s| is))?"
    r"|seems (?:most )?(?:plausible|likely) (?:is|to be)|(?<!not )by (?:the )?(?:process of )?elimination"
    r"|(?:i|we)(?:'d| would|'ll| will| can only)? (?:say|think|believe)|go(?:ing)? (?:for|with)"
    r"|(?:not|n't)(?: \w{1,12}){1,3}, but(?: i think)?|(?:\A|(?<=[\n.,:] )|(?<=\n))(?:choosing|picking"
    r"|selecting))"
)
_GUESSED = family(
    opening(
        "可能|也许|或许|大概|猜|倾向|偏向|估计|推测|应该|应当|似乎|好像|看来|看起来|我觉得|我认为|我想"
        "|个人觉得|个人认为|感觉|多半"
        "|恐怕|接近的|最接近的|有可能|个人想",
        rf"{_CHINESE_HEDGE}(?:正确)?(?:答案|选项)?(?:会|应该?)?(?:是|为|选择?"
        rf"|选了)?[: ]{{0,2}}(?:[选選][项項] ?)?",
        rf"{OPEN}[{MARK}]{CLOSE}(?:[项項])?(?=[。.,;!\n、]|\Z|吧|是正确|正确|比较|较|最|因为)",
    ),
    wording(
        "合适|合理|恰当|妥当|正确|准确|符合|贴切|接近|最|更好|较好|对的|性|概率|可能",
        rf"{LONE}(?<![比与和跟][{MARK}]){CLOSE}(?:[选選]?[项項])?(?:的?(?:说法|表述|观点))?",
        r"(?:(?:可能|应该|应当|似乎|看来|也许|大概|显然|相对)?(?:是|为)?(?:比较|较为|较|更为|更加|更|最为"
        r"|最)",
        r"(?:合适|合理|恰当|妥当|正确|准确|符合(?:题意|题目|要求|条件)?|贴切|接近)的?(?:答案|选项|选择"
        r"|一项)?",
        r"|的?(?:可能性|概率)(?:应该|可能)?(?:是)?(?:最|更|较|比较|非常|很)?(?:大|高)(?:一些)?"
        r"|(?:更|最|较|比较)?有可能(?:是)?(?:正确|对)?的?(?:答案|选项)?|看起来(?:是)?(?:最|更|较"
        r"|比较)?(?:合理|正确|合适)"
        r"|(?:可能|应该|应当|似乎|看来|也许|大概)(?:是|为)?(?:正确|对的|正确的)(?:答案|选项)?",
        r"|(?:是|为)(?:最佳|最优|更好的?|较好的?)(?:答案|选项|选择)?)(?=[。.,;!\n、]|\Z|因为|吧)",
        behind="选選项項的可应應似看也大显顯相是为為比较更最有概",
    ),
    wording(
        "が",
        rf"{LONE}{CLOSE}が[、 ]{{0,2}}(?:[^。、\n]{{0,20}}?として)?(?:最も|一番|もっとも|より"
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
        rf"{LONE}{CLOSE}(?:のみ|だけ)?を[、 ]{{0,2}}(?:行う(?:べき|の)|実施すべき|施行すべき"
        rf"|選びたい(?!ところ)|推したい"
        rf"|支持|第一(?:候補|選択)|優先|有力)",
        behind="のだを",
    ),
    wording(
        "と",
        rf"{LONE}{CLOSE}と(?:最も|もっとも|一番|よく)(?:一致|合致|整合|符合)(?!し[なま]せ?)",
        behind="と",
    ),
    opening(
        "looks like|seems like|let's say|with |low |guess|lean|perhaps|maybe|possibly|presumably"
        "|tentative|inclined|probably|likely"
        "|suspect|seems |by |i say|i think|i believe|i'd |i would |i'll |i will |i can only|we say"
        "|we think|we believe"
        "|we'd |we would |we'll |we will |we can only|go for|go with|going for|going with|not |n't "
        "|choosing|picking"
        "|selecting",
        rf"{_ENGLISH_HEDGE}:?,? (?:(?:that )?it(?:'s| is| would be) |the answer is |the answer |with )?",
        rf"{NAMED}{OPEN}[{MARK}]{CLOSE}(?=[.,;!?\n]|\Z|but\b|though\b|because\b|since\b|as\b)",
    ),
    wording(
        "seems |appears |looks |feels |sounds |fits |matches |works |aligns | my | the | what ",
        rf"{LONE}{CLOSE}(?:(?:seems|appears|looks|feels|sounds)(?: to be| like)?(?: the| a)?(?: more"
        rf"| most| very)?",
        r" (?:correct|right|best|likely|plausible|appropriate|reasonable|suitable|accurate|closest|good"
        r"|better)",
        r"(?! to (?!me)| that | at first)|(?:fits|matches|works|aligns)(?: it"
        r"| the \w{1,20})? (?:the )?(?:best"
        r"|most closely)",
        r"|(?:is|would be|remains|was)(?: probably| likely)? my (?:best |final |tentative )?(?:guess"
        r"|choice|pick|bet",
        r"|answer|selection)|(?:is|would be) the (?:best|closest|nearest|better|safest) (?:fit|match|bet"
        r"|guess))\b",
        behind="saflmwir",
    ),
)
_CLAUSE_BEFORE = family(
    opening(
        "が、|ものの、|けど、|けれど、|ども、|ながら、|ので、|では、|には、|ため、|ると、|から、|ず、",
        r"(?:が|ものの|けど|けれど|けれども|ながら|ので|では|には|ため|ると|から|ず)、",
        rf"(?:おそらく|恐らく|たぶん|多分|やはり)?、?{NAMED}{OPEN}[{MARK}]{CLOSE}(?=(?:(?:です(?:ね)?|だ"
        rf"|である",
        r"|でしょう(?:ね)?|だろう|かな|と(?:考え|思い|判断し)ます|と(?:考える|思う|判断する|する|します))",
        r"[)\"']{0,2}(?:[。.!\n]|\Z)|。))",
    ),
)
# What a clause ends in that presumes the choice before it.
_IS = (
    r"(?:の(?:ほう|方|線)|あたり|辺り)?"
    r"(?:のみ|だけ)?(?:である|です|だ|だった|でした|なの(?:だ)?|に(?:なる|該当する|当たる|相当する)"
    r"|と(?:なる|いえる|言える|なり)"
    r"|が(?:最も|一番|いちばん|もっとも|より)?[、 ]?(?:正解|正答|答え|正しい|適切|妥当|適当|近い|該当する"
    r"|良い|よい|無難|濃厚|まし|自然|しっくりく|有力)"
    r"(?:だ|である|です|な(?:の|もの))?)?(?:の)?"
)
_FREE = rf"(?<![をにでも][{MARK}])(?<![^るう]と[{MARK}])(?<![^す]が[{MARK}])"
"""Behind a label: the particle before it leaves it the subject of its clause."""

_PRESUMED = family(
    wording(
        "はず|しか|ということ|お願い|ないか|でしょう|だろう|思|考え|推|気が|よう|そう|みたい|らしい"
        "|っぽい|かな|間違いな|差し支え|問題な",
        rf"{LONE}{_FREE}{CLOSE}{_IS}",
        r"(?:はず(?:です|だ(?!っ|が)|である)|しか(?:な(?:い(?!と?は)|さそう)|考えられ(?:な|ませ)"
        r"|あり(?:ませ|得ま))"
        r"|ということ(?:で(?=[。、\n]|\Z|す)|に(?:しま|す|な))|でお願い|(?:のでは|では"
        r"|じゃ)ない(?:でしょう|だろう)か(?!ら)|(?:でしょう|だろう)(?:ね|な|と(?:思|考え"
        r"|推))?(?=[)\"']{0,2}(?:[。.!\n]|\Z|が、))",
        r"|と(?:思(?:い(?!ま(?:し|せ)|きや|つつ)|われ(?:る|ます)(?!が|の|もの)|う(?!の|が、誤|人))"
        r"|考え(?:ま(?!せ)す|る(?!と|の|か|場合|人|説|立場|余地|に)"
        r"|られ(?:る|ます)(?!が|の|もの))"
        r"|推(?:測|定|察|し(?!進)|論)(?!でき|し(?:か|に))|予想|感じ(?:る|ます)|見られ(?:る|ます))",
        r"|(?:の|な|ような|のような)?気が(?:す|し(?!な|ませ))",
        r"|(?:の|な)?よう(?:です|だ(?!が)|に(?:思|見え|感じ)(?!な))|みたい(?:です|だ)|らしい|っぽい",
        r"|(?:と|に)(?:なり|なっていき|該当し|当てはまり)そう(?:です|だ|に)|かな(?:と|。|あ|ぁ|\n|\Z)",
        r"|で(?:ほぼ|まず|おそらく)?(?:間違い|まちがい|問題)(?:は|が)?な(?:い|さそう|かろう)(?!とは|か)",
        r"|と(?:考え|見|み|解し|判断し|言っ|いっ)て(?:も)?(?:ほぼ)?(?:よ|良|い)い|差し支えな(?!い?と?は))",
        behind="のあ辺だでなにとがはしらよみっか気推思差",
    ),
    wording(
        "そう",
        rf"{LONE}{_FREE}{CLOSE}(?:が(?:最も|一番)?(?:正し|適切で?あ?り?|妥当で?あ?り?|該当し|当てはまり"
        rf"|近|良さ|よさ)|に(?:なり|該当し|当てはまり|近)|と(?:なり|言え|いえ)|で(?:良さ"
        rf"|よさ))そう(?:です|だ(?!が)|に(?:思|見))",
    ),
    wording(
        "おき|おく|いただ|頂き|推|答え|挙げ|選ぶことに|選んで|のが|のは|採用",
        rf"{LONE}(?<![がにでとも][{MARK}]){CLOSE}(?:と(?:(?:答え|回答し|解答し|判断し|し)て|させて)?"
        rf"(?:おき(?:ます|たい)|おく(?!と|こと)|いただき|頂き)",
        r"|(?:と|で)(?:答え|回答し|解答し)(?:ます|ておき|ておく)|を(?:推(?:し(?!な)|す(?!こと))"
        r"|選(?:ぶことに(?:し|する)|んで(?:おき|おく)"
        r"|ばせて)|(?:答え|正解|第一候補)(?:として|に)(?:挙げ|選)|採用し(?!な))",
        r"|と(?:する|判断する|考える|[み見]る|解する|結論づける)の(?:が|は)(?:最も|一番)?(?:妥当|適切"
        r"|自然|合理|よい|良い|無難"
        r"|素直|正し))",
        behind="とでを答正第採",
    ),
)
_PROTEST = family(
    opening(
        "強いて|しいて|敢えて|あえて|どちらかと|どれかと|無理に|むりに",
        r"(?:強いて|しいて|敢えて|あえて|どちらかと|どれかと|無理に|むりに)[^。、\n]{1,12}?(?:ば"
        r"|なら|と|たら)[、 ]{0,2}",
        rf"{NAMED}{OPEN}[{MARK}]{CLOSE}(?:でしょうか|かな|かと|か(?=[。\n]|\Z)|でしょう|だろう"
        rf"|{COPULA}|が|を)",
    ),
    opening(
        "if ",
        r"if (?:i |it |a choice )?(?:absolutely |really )?(?:(?:had|have|were|am|was|must) ?(?:be )?)?"
        r"(?:(?:forced|pressed) ?)?(?:to )?(?:choose|pick|guess|select|answer|made|say)(?: one| an answer)?",
        rf",? (?:then )?(?:i(?:'d| would| will|'ll) (?:say|go with|choose|pick|select|guess) "
        rf"|it would be |it is )?{NAMED}{OPEN}[{MARK}]{CLOSE}(?=[.,;!\n]|\Z)",
    ),
)
_DOUBTED = family(
    wording(
        "で|じ|か|の|と",
        rf"{LONE}(?<![がをにでと][{MARK}]){CLOSE}(?:で(?=は|ある|す|いい|良|よ)|じゃ|か(?=も|と"
        rf"|な)|の(?=可能|では|よう)"
        rf"|と(?=思わ|推))",
        behind="でじかのと",
    ),
)


def likely_choice(reading: Reading) -> Iterator[Mark]:
    """`my best guess is c`, `可能是C` and `c が考えられる` call one choice likely and no more."""
    for mark in _likely_choices(reading):
        if mark.label is None or _is_last_word(reading.page, mark):
            yield mark


def _is_last_word(page: Page, mark: Mark) -> bool:
    """Return whether no other choice is named in the sentences behind it; if one is, the text went on
    weighing.
    """
    end = page.text.find("。", mark.span[1])
    if end < 0 or len(page.text) - end > _MOST_BEHIND:
        return end < 0
    others = (at for at in page.letters if at > end)
    return not any(label_at(page, at) not in (None, mark.label) for at in others)


_MOST_BEHIND = 600
"""A soft commitment with more text than this behind it was not the last word."""


_SUPPOSED = re.compile(
    r"(?:場合(?:は|に|には)?|であれば|(?<!選ぶ)(?<!選択する)(?<!答える)(?:とすると|とすれば|としたら)"
    r"|(?<!選ぶ)(?<!する)なら(?:ば)?|とき(?:は|に)?)、? ?(?:選択肢)?[ (\"']{0,3}\Z"
)


def _presumed(reading: Reading) -> Iterator[Mark]:
    """`c のように思います`, `c でほぼ間違いない`, and `確信はありませんが、c です`."""
    page = reading.page
    for match in (*find_each(_PRESUMED, page), *find_each(_CLAUSE_BEFORE, page)):
        at = last_label_in(page, match)
        labels = labels_at(page, at) if at >= 0 else None
        if labels is None or labels.only is None or in_a_list(page, at):
            continue
        if denied(page.text, at + 1) or questioned(page.text, at + 1) or not_ours(page.text, at):
            continue
        if _SUPPOSED.search(page.text, max(0, at - 16), at):
            continue
        yield Mark("claim", labels.only, Strength.FORCED, at, match.span(), soft="soft-choice")


def _likely_choices(reading: Reading) -> Iterator[Mark]:
    text = reading.page.text
    for match in find_each(_PROTEST, reading.page):
        at = last_label_in(reading.page, match)
        labels = labels_at(reading.page, at) if at >= 0 else None
        if labels and labels.only and not denied(text, at + 1) and not in_a_list(reading.page, at):
            yield Mark("claim", labels.only, Strength.FORCED, at, match.span(), soft="soft-forced")
    for mark in read_claims(reading.page, _GUESSED):
        yield mark._replace(strength=Strength.FORCED, soft="soft-choice") if mark.label else mark
    yield from _presumed(reading)
    for match in find_each(_DOUBTED, reading.page):
        labels = labels_at(reading.page, match.start())
        if labels and labels.only and doubtful(text, match.start() + 1):
            at = match.start()
            if not in_a_list(reading.page, at) and not not_ours(text, at):
                yield Mark(
                    "claim", labels.only, Strength.FORCED, at, match.span(), soft="soft-choice"
                )
