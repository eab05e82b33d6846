"""What statutes are called: full titles, the usual abbreviations, and rules that make more of them.

The table holds names that no rule gives; they are those that ministries, courts and textbooks use (most are
in e-Gov's own list of abbreviated titles). A name that would mean two statutes means neither.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lawqa.retrieval.japanese import normalise

ABBREVIATIONS: dict[str, str] = {
    "日本国憲法": "憲法",
    # finance
    "金融商品取引法": "金商法",
    "金融商品取引法施行令": "金商令",
    "金融商品取引業等に関する内閣府令": "金商業等府令 金商業府令 業府令",
    "企業内容等の開示に関する内閣府令": "開示府令 企業内容等開示府令 企業開示府令",
    "特定有価証券の内容等の開示に関する内閣府令": "特定有価証券開示府令 特定有価証券府令",
    "金融商品取引法第二条に規定する定義に関する内閣府令": "定義府令",
    "有価証券の取引等の規制に関する内閣府令": "取引等規制府令 取引規制府令 有価証券取引規制府令",
    "発行者以外の者による株券等の公開買付けの開示に関する内閣府令": "他社株買付府令 他社株府令 公開買付府令",
    "株券等の大量保有の状況の開示に関する内閣府令": "大量保有府令",
    "証券情報等の提供又は公表に関する内閣府令": "証券情報等府令 証券情報府令",
    "金融商品取引法第六章の二の規定による課徴金に関する内閣府令": "課徴金府令",
    "金融商品取引法第二章の六の規定による重要情報の公表に関する内閣府令": "重要情報公表府令 重要情報府令",
    "財務諸表等の用語、様式及び作成方法に関する規則": "財務諸表等規則 財規",
    "連結財務諸表の用語、様式及び作成方法に関する規則": "連結財務諸表規則 連結財規",
    "社債、株式等の振替に関する法律": "社債株式等振替法 振替法 社振法",
    "投資信託及び投資法人に関する法律": "投信法 投資信託法",
    "金融サービスの提供及び利用環境の整備等に関する法律": "金融サービス提供法 金サ法",
    "犯罪による収益の移転防止に関する法律": "犯罪収益移転防止法 犯収法",
    "出資の受入れ、預り金及び金利等の取締りに関する法律": "出資法",
    "外国為替及び外国貿易法": "外為法",
    # medicine and welfare
    "医薬品、医療機器等の品質、有効性及び安全性の確保等に関する法律": (
        "薬機法 医薬品医療機器等法 医薬品医療機器法"
    ),
    "感染症の予防及び感染症の患者に対する医療に関する法律": "感染症法",
    "再生医療等の安全性の確保等に関する法律": "再生医療等安全性確保法",
    "麻薬及び向精神薬取締法": "麻向法 麻薬取締法",
    "毒物及び劇物取締法": "毒劇法",
    "精神保健及び精神障害者福祉に関する法律": "精神保健福祉法",
    "障害者の日常生活及び社会生活を総合的に支援するための法律": "障害者総合支援法",
    "高齢者の医療の確保に関する法律": "高齢者医療確保法",
    "高齢者虐待の防止、高齢者の養護者に対する支援等に関する法律": "高齢者虐待防止法",
    "児童虐待の防止等に関する法律": "児童虐待防止法",
    "健康保険法": "健保法",
    "国民健康保険法": "国保法",
    "厚生年金保険法": "厚年法",
    "国民年金法": "国年法",
    # trade, consumers, information
    "私的独占の禁止及び公正取引の確保に関する法律": "独占禁止法 独禁法",
    "不当景品類及び不当表示防止法": "景品表示法 景表法",
    "特定商取引に関する法律": "特商法",
    "下請代金支払遅延等防止法": "下請法",
    "不正競争防止法": "不競法",
    "製造物責任法": "PL法",
    "個人情報の保護に関する法律": "個情法",
    "行政手続における特定の個人を識別するための番号の利用等に関する法律": (
        "番号利用法 番号法 マイナンバー法"
    ),
    "電子消費者契約に関する民法の特例に関する法律": "電子消費者契約法 電子契約法",
    "電子署名及び認証業務に関する法律": "電子署名法",
    "特定電気通信による情報の流通によって発生する権利侵害等への対処に関する法律": (
        "情報流通プラットフォーム対処法 情プラ法 プロバイダ責任制限法"
    ),
    "不正アクセス行為の禁止等に関する法律": "不正アクセス禁止法",
    "特定電子メールの送信の適正化等に関する法律": "特定電子メール法",
    "消費者の財産的被害等の集団的な回復のための民事の裁判手続の特例に関する法律": (
        "消費者裁判手続特例法"
    ),
    # courts, civil law, land
    "民事訴訟法": "民訴法",
    "刑事訴訟法": "刑訴法",
    "民事執行法": "民執法",
    "民事保全法": "民保法",
    "民事再生法": "民再法",
    "会社更生法": "会更法",
    "裁判員の参加する刑事裁判に関する法律": "裁判員法",
    "法の適用に関する通則法": "法適用通則法",
    "任意後見契約に関する法律": "任意後見法",
    "失火ノ責任ニ関スル法律": "失火責任法",
    "動産及び債権の譲渡の対抗要件に関する民法の特例等に関する法律": (
        "動産・債権譲渡特例法 動産債権譲渡特例法"
    ),
    "一般社団法人及び一般財団法人に関する法律": (
        "一般法人法 一般社団・財団法人法 一般社団財団法人法"
    ),
    "公益社団法人及び公益財団法人の認定等に関する法律": "公益法人認定法 公益認定法",
    "特定非営利活動促進法": "NPO法",
    "不動産登記法": "不登法",
    "建物の区分所有等に関する法律": "区分所有法",
    "マンションの管理の適正化の推進に関する法律": "マンション管理適正化法 マンション管理法",
    "宅地建物取引業法": "宅建業法",
    "住宅の品質確保の促進等に関する法律": "住宅品質確保法 品確法",
    "建築基準法": "建基法",
    "都市計画法": "都計法",
    # labour
    "労働基準法": "労基法",
    "労働契約法": "労契法",
    "労働組合法": "労組法",
    "労働関係調整法": "労調法",
    "労働安全衛生法": "安衛法 労安法",
    "労働安全衛生規則": "安衛則",
    "労働者災害補償保険法": "労災保険法 労災法",
    "雇用の分野における男女の均等な機会及び待遇の確保等に関する法律": "男女雇用機会均等法 均等法",
    "育児休業、介護休業等育児又は家族介護を行う労働者の福祉に関する法律": (
        "育児・介護休業法 育児介護休業法 育介法"
    ),
    "労働者派遣事業の適正な運営の確保及び派遣労働者の保護等に関する法律": "労働者派遣法 派遣法",
    "短時間労働者及び有期雇用労働者の雇用管理の改善等に関する法律": (
        "パートタイム・有期雇用労働法 パート有期法"
    ),
    "高年齢者等の雇用の安定等に関する法律": "高年齢者雇用安定法 高年法",
    "障害者の雇用の促進等に関する法律": "障害者雇用促進法",
    # state, order, traffic, environment
    "行政手続法": "行手法",
    "行政事件訴訟法": "行訴法",
    "行政不服審査法": "行審法",
    "行政機関の保有する情報の公開に関する法律": "情報公開法 行政機関情報公開法",
    "国家賠償法": "国賠法",
    "国家公務員法": "国公法",
    "地方公務員法": "地公法",
    "地方自治法": "地自法",
    "公職選挙法": "公選法",
    "租税特別措置法": "措置法 租特法",
    "出入国管理及び難民認定法": "入管法",
    "道路交通法": "道交法",
    "自動車の運転により人を死傷させる行為等の処罰に関する法律": (
        "自動車運転死傷処罰法 自動車運転死傷行為処罰法"
    ),
    "自動車損害賠償保障法": "自賠法",
    "風俗営業等の規制及び業務の適正化等に関する法律": "風営法 風適法",
    "暴力団員による不当な行為の防止等に関する法律": "暴力団対策法 暴対法",
    "ストーカー行為等の規制等に関する法律": "ストーカー規制法",
    "配偶者からの暴力の防止及び被害者の保護等に関する法律": "配偶者暴力防止法 DV防止法",
    "廃棄物の処理及び清掃に関する法律": "廃掃法",
    "大気汚染防止法": "大防法",
    "水質汚濁防止法": "水濁法",
    "化学物質の審査及び製造等の規制に関する法律": "化審法",
    "核原料物質、核燃料物質及び原子炉の規制に関する法律": "原子炉等規制法 炉規法",
    "エネルギーの使用の合理化及び非化石エネルギーへの転換等に関する法律": "省エネ法",
    "建設工事に係る資材の再資源化等に関する法律": "建設リサイクル法",
    "公共工事の入札及び契約の適正化の促進に関する法律": "入契法",
}
"""Full title -> the abbreviations that no rule makes of it, with blanks between."""

_TAIL = 4
_SUFFIXES = ("施行規則", "施行令", "施行法")
_FIRST_LAW_OF_NAME = re.compile(r".*?[0-9]号\((.+)\)")
_SHORT = 4
_WORD = re.compile(r"[一-龠々ァ-ヴーA-Za-z0-9]")


@dataclass(frozen=True)
class Mention:
    """A place in a text where a statute is named."""

    start: int
    """Where the name begins, counted in the normalised text."""
    end: int
    """Where it ends."""
    law: int
    """The statute's position in the list of titles."""


class LawNames:
    """All names of a set of statutes.

    Args:
        titles: the full titles, as e-Gov writes them; a position in this list stands for a statute.
        names: normalised name -> position, as `as_mapping` gave it; None to make them from the titles.
    """

    def __init__(self, titles: Sequence[str], names: Mapping[str, int] | None = None) -> None:
        self.titles = tuple(titles)
        self._names = dict(_all_names(titles) if names is None else names)
        lengths: dict[str, set[int]] = defaultdict(set)
        for name in self._names:
            lengths[name[-_TAIL:]].add(len(name))
        self._lengths = {tail: sorted(found, reverse=True) for tail, found in lengths.items()}
        self._short_tails = sorted({-len(tail) for tail in lengths if len(tail) < _TAIL})
        last_letters = "".join(sorted({name[-1] for name in self._names}))
        self._end = re.compile(f"[{re.escape(last_letters)}]" if last_letters else r"\Z.")
        self._parents: dict[int, int | None] = {}
        self._normalised: dict[int, str] = {}

    def as_mapping(self) -> dict[str, int]:
        """Normalised name -> position in the titles; each statute's own title before its other names."""
        return dict(self._names)

    def law(self, name: str) -> int | None:
        """The statute of this name, whatever the spelling of its numerals; None where none has it."""
        return self._names.get(normalise(name))

    def derived(self, law: int, suffix: str) -> int | None:
        """The statute whose title is this one's and a suffix, such as 施行令; None where there is none."""
        return self._names.get(self._title(law) + suffix)

    def parent(self, law: int) -> int | None:
        """The statute whose title this one's begins with, as orders and rules are named after their act."""
        if law not in self._parents:
            title = self._title(law)
            heads = (title[:end] for end in range(len(title) - 1, 1, -1))
            found = (self._names[head] for head in heads if head in self._names)
            self._parents[law] = next((other for other in found if other != law), None)
        return self._parents[law]

    def mentions(self, normalised: str) -> Iterator[Mention]:
        """The statutes named in a normalised text, left to right; of names that overlap the one begun first.

        A short name inside a longer word is none (商法 in 信託商法); neither is a name that goes on as the
        name of another statute (薬機法 in 薬機法施行令 where only the former is known).
        """
        found = []
        for match in self._end.finditer(normalised):
            name = self._name_before(normalised, match.end())
            if name is not None:
                found.append(Mention(match.end() - len(name), match.end(), self._names[name]))
        end = 0
        for mention in sorted(found, key=lambda mention: (mention.start, -mention.end)):
            if mention.start >= end:
                yield mention
                end = mention.end

    def _title(self, law: int) -> str:
        """Its title, normalised; not read off the names, which hold one of two statutes of the same title."""
        if law not in self._normalised:
            self._normalised[law] = normalise(self.titles[law])
        return self._normalised[law]

    def _name_before(self, text: str, end: int) -> str | None:
        """The longest name that ends here."""
        if text.startswith(_SUFFIXES, end):
            return None
        tails = [text[max(0, end - _TAIL) : end], *(text[end + n : end] for n in self._short_tails)]
        for length in (length for tail in tails for length in self._lengths.get(tail, ())):
            start = end - length
            if start < 0 or text[start:end] not in self._names:
                continue
            if length > _SHORT or start == 0 or not _WORD.match(text[start - 1]):
                return text[start:end]
        return None


def names_of(title: str) -> Iterator[str]:
    """What a statute can be called, normalised: its title first, then the rules, then the table.

    The rules: a statute named by its number, 昭和…号（…法律）, is called by what stands in brackets;
    …に関する法律 is called …法, also without の, 等, and what follows 及び (資金決済法, 廃棄物処理法).
    """
    own = normalise(title)
    yield own
    numbered = _FIRST_LAW_OF_NAME.fullmatch(own)
    if numbered:
        own = numbered[1]
        yield own
    base, suffix = own, ""
    for ending in _SUFFIXES:
        if own.endswith(ending):
            base, suffix = own.removesuffix(ending), ending
    for name in [*_by_rules(base), *_TABLE.get(base, ())]:
        yield name + suffix
    if suffix:
        yield from _TABLE.get(own, ())


def _by_rules(base: str) -> Iterator[str]:
    if not base.endswith("に関する法律"):
        return
    subject = base.removesuffix("に関する法律")
    for part in dict.fromkeys((subject, re.split("及び|並びに|、", subject)[0])):
        for form in dict.fromkeys(
            (part, part.replace("の", ""), part.replace("の", "").rstrip("等"))
        ):
            if len(form) >= _SHORT:
                yield form + "法"


def _all_names(titles: Sequence[str]) -> dict[str, int]:
    """Every name -> its statute: own titles win, a name made for two statutes is dropped."""
    names: dict[str, int] = {}
    for law, title in enumerate(titles):
        names.setdefault(normalise(title), law)
    made: dict[str, set[int]] = defaultdict(set)
    for law, title in enumerate(titles):
        for name in names_of(title):
            made[name].add(law)
    for name, laws in made.items():
        if len(laws) == 1:
            names.setdefault(name, min(laws))
    return names


def _normalised_table(table: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    return {normalise(title): tuple(map(normalise, names.split())) for title, names in table}


_TABLE = _normalised_table(ABBREVIATIONS.items())
