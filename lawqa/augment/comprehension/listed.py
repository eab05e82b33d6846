"""What a list holds: items of two lists of one law, distinguished by the sentence that announces each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from lawqa.augment.comprehension.ruby import holds_reading
from lawqa.augment.comprehension.wording import modern, without_definitions
from lawqa.augment.provisions import Provision, ProvisionItem, deleted, whole_context_of
from lawqa.augment.questions.drafts import Draft, rank, shuffled
from lawqa.augment.questions.self_contained import item_stands_alone, stands_unaided
from lawqa.augment.questions.statute_facts import Statute
from lawqa.augment.questions.which_provision import speaks_of_its_place

_NOUN = "事項|書類|場合|もの|行為|業務|事業|要件|基準|事由|書面|費用|権利|者|とき|財産|収入|措置|施設|資料"
_LEAD = re.compile(
    rf"^(?P<head>[^。]*?)次(?:に掲げる|の各号に掲げる)(?P<noun>{_NOUN})を(?P<verb>[^。]{{2,40}})。$"
)
_ANNOUNCED = re.compile(
    rf"次(?:に掲げる|の各号に掲げる)(?P<noun>{_NOUN})|次の(?:各号の)?いずれかに該当する(?P<case>場合|とき|者|もの)"
)
_TOPIC = re.compile(
    r"^(?P<who>[^、。「」（）]{1,40}?)(?P<particle>には|においては|については|は)、"
)
_ROLES = {"は": "が", "には": "に", "においては": "において", "については": "について"}
_HARD = re.compile(
    r"[（「『〔]|前[各二三四五六七八九十]*[条項号章節]|次[条項]|この[条項号章節款]|同[条項号法]|当該|左の|その他|ほか"
    r"|議決|決議"  # what takes a special majority is decided by the meeting, too
    r"|(?<![一-龠])[法令]第|省令で定める|政令で定める|府令で定める|規則で定める"
)
_ITEM_HARD = re.compile(
    r"[「『〔\u3000 ]|前[各二三四五六七八九十]*[条項号章節款]|次[条項号章節款]|この[条項号編章節款目]"
    r"|同[条項号]|その他前"
    r"|に掲げるもの|ほか、|^当該"
    r"|(?<![一-龠])[法令]第|^その他|[一二三四五六七八九十]号|イ|ロ"
    r"|(?<![条二三四五六七八九十])第[一二三四五六七八九十]+項"  # of which article?
)
# An item that takes over what another provision lists: then items from there belong to this list too.
_INCLUDES = re.compile(
    r"[条項号](?:[^。]{0,20})(?:掲げる|定める|規定する)(?:もの|基準|要件|事項|書類|措置|場合|者|行為|業務)"
    r"|[条項号](?:各号)?(?:（[^（）]*）)?(?:の|までの)(?:基準|要件|事項|書類|措置)。?$"
)
# The articles of association hold a name and seat, too, and so does what is written in them.
_WRITTEN = re.compile(
    r"(?:定款|規約|規程|約款|申請書|届出書|登記簿|計画|契約)に(?:記載|記録|定め)[^。]{0,20}事項"
    r"|資産及び負債の状況を(?:示す|明らかに)"  # an inventory, too
)
# Where a breach of articles is listed, what another list says was not done may be one of them.
_BREACH = re.compile(r"違反")
_OFFENCE = re.compile(r"違反|ないで|せず|怠|虚偽|不正|拒")
# An item on something: 事務所に関する事項 has room for its name and place.
_ON = re.compile(r"(?P<what>[^。]*?)(?:に関する|についての)(?:事項|こと|規定|定め)$")
_PARTS = re.compile(r"、|及び|並びに|又は|若しくは|その他の?")
_TAIL = re.compile(r"(?:され|し|れ)?(?:た|る|ない|つた)?(?:とき|場合|者|もの|こと)$")
_LAST_NOUN = re.compile(r"[一-龠々ァ-ヴー]{2,}$")
# Who and where: in some words or others nearly every list of particulars holds it, and nearly every list of
# grounds for revocation a breach of the law.
_NAMES = re.compile(r"氏名|住所|個人番号|基礎年金番号|この法律[^、。]{0,30}違反")
# 高さその他大きさを示す事項, その他参考となるべき事項: nobody can say what does not belong there.
_OPEN = re.compile(
    r"^その他|一般的|その他[^。]*(?:必要|参考|重要|示す|認める|定める)[^。]*(?:事項|もの|こと|書類|資料|場合)。?$"
)
_PERSON = re.compile(r"(?:者|もの|人|法人|会社|団体)。?$")
# 申込証は、機構が作成し、これに…: its topic is no subject, so it cannot become 申込証が.
_SECOND_SUBJECT = re.compile(r"[一-龠々ァ-ヴー者]が|これ")
# 事業報告書は、次に掲げる事項を記載しなければならない。: nobody would say 報告書が記載する.
_DOCUMENT = re.compile(r"(?:書|報告|簿|計画|規程|規約|定款|約款|証|状|票|基準)$")
_WRITES = re.compile(r"記載|記録|定め|表示|明記")
_BRACKET = re.compile(r"（[^（）]*）")
_SHORTHAND = re.compile(r"以下[^「」]{0,12}「([^「」]+)」という。")
"""What a definition in the lead calls something: the question leaves the definition out."""

MAX_LEAD, MIN_ITEM, MAX_ITEM = 110, 6, 70
_NEAR = 40
"""Paragraphs between two lists whose items are in one question."""

_GRAM, _MAX_OVERLAP = 2, 0.45
_MAX_OVERLAP_WITH_OWN = 0.24
"""Of a wrong choice with the list that is asked for: 流体の種類 may be 液体の種類."""

_FROM_ONE_LIST = 2
"""The most wrong choices from one other list."""

_HOLDS = (
    "{law}により{asked}として、正しいものを教えてください。",
    "{law}の規定により、{asked}に該当するものを教えてください。",
)
_QUOTED = (
    "{law}は、「{asked}」と定めています。そこに掲げられている{noun}として、正しいものを教えてください。",
    "「{asked}」とする{law}の規定に掲げられている{noun}に該当するものを教えてください。",
)


@dataclass(frozen=True)
class _List:
    provision: Provision
    noun: str
    asked: str
    """The list as a noun: 登録の申請書に添付しなければならない書類."""
    quoted: bool
    """Whether `asked` is the sentence itself, because it cannot be turned into a noun."""
    items: tuple[ProvisionItem, ...]
    """Those that can be choices."""
    closed: bool
    """Whether it has no item on whatever else is necessary."""


def listed_drafts(statute: Statute, seed: int) -> Iterator[Draft]:
    """Yield questions on which item a list holds; the others are of two or three other lists of the same
    kind.

    Three items of one other list would give the fourth away by its place in the context alone.
    """
    places = {provision.key: place for place, provision in enumerate(statute.provisions)}
    lists = [found for p in statute.provisions if (found := _list(p)) is not None]
    for own in lists:
        near = [
            other
            for other in lists
            if other.noun == own.noun
            and not _asks_alike(own.asked, other.asked)
            and 0 < abs(places[other.provision.key] - places[own.provision.key]) <= _NEAR
        ]
        if near and own.items and own.closed:
            yield from _draft(own, near, seed)


def relative(sentence: str) -> tuple[str, str] | None:
    """Return a sentence that announces a list as a noun phrase with its noun; None where that would be no
    Japanese.

    登録の申請書には、次に掲げる書類を添付しなければならない。 gives 登録の申請書に添付しなければならない書類.
    """
    sentence = without_definitions(sentence)
    match = _LEAD.match(sentence)
    if match is None or len(sentence) > MAX_LEAD or _HARD.search(sentence):
        return None
    if speaks_of_its_place(sentence) or holds_reading(sentence):
        return None
    verb = match["verb"]
    if re.search(r"[、をがは]|場合|とき|もの|した|により", verb.replace("てはなら", "")):
        return None
    if not verb.endswith(("ない", "できる", "る", "う", "す", "く", "つ")):
        return None
    head = match["head"]
    topic = _TOPIC.match(head)
    if topic is None:
        return None
    rest = re.sub(r"(とき|場合)(?:に)?は、", r"\1に", head[topic.end() :])
    rest = rest.replace("場合においては、", "場合において")
    if re.search(r"は、|が、|、$|に関する$|に係る$", rest) or rest.count("、") > 1:
        return None
    if not rest and match["noun"] == "業務":
        return None  # 事業者が行わなければならない業務: there is more of it than one list holds
    if topic["particle"] == "は" and (
        _SECOND_SUBJECT.search(rest) or (_DOCUMENT.search(topic["who"]) and _WRITES.search(verb))
    ):
        return None
    return f"{topic['who']}{_ROLES[topic['particle']]}{rest}{verb}{match['noun']}", match["noun"]


def _list(provision: Provision) -> _List | None:
    if len(provision.items) < 3 or not provision.article.law_title:
        return None
    found = relative(provision.lead)
    quoted = found is None
    found = found or _quoted(provision.lead)
    if found is None:
        return None
    if any(_INCLUDES.search(i.text) or _WRITTEN.search(i.text) for i in provision.items):
        return None
    shorthand = tuple(_SHORTHAND.findall(provision.lead))
    items = tuple(
        item
        for item in provision.items
        if _is_choice(item)
        and not any(word in item.text for word in shorthand)
        # Among cases a person is no case, and would be seen at once.
        and not (found[1] == "場合" and _PERSON.search(item.text))
    )
    closed = not any(_OPEN.search(_BRACKET.sub("", item.text)) for item in provision.items)
    return _List(provision, found[1], modern(found[0]), quoted, items, closed) if items else None


def _quoted(lead: str) -> tuple[str, str] | None:
    lead = without_definitions(lead)
    match = _ANNOUNCED.search(lead)
    if match is None or len(lead) > MAX_LEAD or _HARD.search(lead) or not lead.endswith("。"):
        return None
    if speaks_of_its_place(lead) or holds_reading(lead):
        return None
    noun = match["noun"] or match["case"]
    # そこに掲げられているとき is no Japanese.
    return lead.rstrip("。"), "場合" if noun == "とき" else noun


def _is_choice(item: ProvisionItem) -> bool:
    text = _choice(item)
    return (
        not item.below
        and MIN_ITEM <= len(text) <= MAX_ITEM
        and not deleted(item.text)
        and not _ITEM_HARD.search(without_definitions(item.text).rstrip("。"))
        and item_stands_alone(item.text)
        and stands_unaided(item.text)
        and "。" not in text
        and not holds_reading(text)
    )


def _choice(item: ProvisionItem) -> str:
    return modern(without_definitions(item.text).rstrip("。"))


def _draft(own: _List, near: Sequence[_List], seed: int) -> Iterator[Draft]:
    name = own.provision.key
    mine = [
        item for item in own.items if all(_apart(item, other.provision.items) for other in near)
    ]
    breach = any(_BREACH.search(item.text) for item in own.provision.items)
    on = frozenset[str]().union(*map(_nouns, own.provision.items))
    wrong: list[tuple[_List, ProvisionItem]] = []
    order = shuffled(near, lambda other: other.provision.key, seed, "lists", name)
    for other in (*order, *order):
        shown = [own.provision, other.provision, *(each.provision for each, _ in wrong)]
        if len(wrong) == 3 or sum(each is other for each, _ in wrong) == _FROM_ONE_LIST:
            continue
        # Which item is in which list can only be read where all of them are shown.
        if whole_context_of(shown) is None:
            continue
        taken = [item for _, item in wrong]
        items = [
            item
            for item in shuffled(other.items, _text, seed, "wrong", name)
            if not _NAMES.search(item.text)
            and _apart(item, own.provision.items, _MAX_OVERLAP_WITH_OWN)
            and not any(noun in item.text for noun in on)
            and not (breach and _OFFENCE.search(item.text))
            and _apart(item, taken)
        ]
        wrong += [(other, item) for item in items[:1]]
    context = whole_context_of([own.provision, *(each.provision for each, _ in wrong)])
    if not mine or len(wrong) < 3 or context is None:
        return
    right = shuffled(mine, _text, seed, "right", name)[0]
    stems = _QUOTED if own.quoted else _HOLDS
    stem = stems[int(rank(seed, "stem", name), 16) % len(stems)]
    yield Draft(
        type="listed",
        kind=own.noun,
        provisions=(own.provision, *(each.provision for each, _ in wrong)),
        text=stem.format(law=own.provision.law, asked=own.asked, noun=own.noun),
        right=_choice(right),
        wrong=cast("tuple[str, str, str]", tuple(_choice(item) for _, item in wrong)),
        context=context,
        excerpt=f"{own.asked}\n{right.text}",
        facts=(f"{own.provision.name}: {right.text}",),
    )


def _apart(
    item: ProvisionItem, others: Sequence[ProvisionItem], most: float = _MAX_OVERLAP
) -> bool:
    """Return whether no item of the other list says nearly the same, or holds it."""
    own = _grams(_said(item))
    for other in others:
        theirs = _grams(_said(other))
        shared = len(own & theirs)
        if shared > most * min(len(own) or 1, len(theirs) or 1):
            return False
    return True


def _nouns(item: ProvisionItem) -> frozenset[str]:
    """Return what an item is on: 事務所 and 実施場所 of 事務所及び実施場所に関する事項."""
    match = _ON.match(_BRACKET.sub("", item.text).rstrip("。"))
    parts = _PARTS.split(match["what"]) if match else ()
    return frozenset(noun[0] for part in parts if (noun := _LAST_NOUN.search(part)))


def _said(item: ProvisionItem) -> str:
    """Return what an item says, without brackets and the end that many have: に関する事項."""
    text = _BRACKET.sub("", item.text).rstrip("。")
    match = _ON.match(text)
    return match["what"] if match else _TAIL.sub("", text)


def _asks_alike(one: str, other: str) -> bool:
    """Return whether two lists are announced in the same words, but for some put in
    (製造業者等は, 適切に).
    """
    shorter, longer = sorted((one, other), key=len)
    rest = iter(longer)
    return all(letter in rest for letter in shorter)


def _grams(text: str) -> frozenset[str]:
    return frozenset(text[i : i + _GRAM] for i in range(len(text) - _GRAM + 1))


def _text(item: ProvisionItem) -> str:
    return item.text
