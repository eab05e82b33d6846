"""Citations of statutes in Japanese text.

「金融商品取引法第5条第6項」「同法施行令第9条の4」「法第二条第一項」: a citation names its statute in full, by
an abbreviation, by a word that points back (同法, 法, 令, 規則), or not at all: then it is the statute named
last, or, in the text of a statute, that statute itself. This module reads text; it knows no index and
no file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lawqa.statutes.antecedents import Antecedents, LawKind, law_kind
from lawqa.statutes.law_names import LawNames, Mention
from lawqa.statutes.normalise import normalise


@dataclass(frozen=True)
class Citation:
    """One article that a text cites."""

    law: int | None
    """The statute's position in the list of titles; None where it is not known."""
    foreign: bool
    """Whether a statute is named that is not in the list. If not and `law` is None, no statute is named."""
    article: str
    """The article as article files name it: 27_13_2 for 第27条の13の2."""
    paragraph: int | None
    """The number of the 項; None where none is named."""
    item: str | None
    """The number of the 号, with branches: 3 or 3_2; None where none is named."""
    start: int
    """Where the citation, with its statute's name, begins in the squeezed text (see `squeeze`)."""
    end: int
    """Where it ends."""


@dataclass(frozen=True)
class CitationReading:
    """What a text cites, and what it leaves to be pointed back to."""

    citations: tuple[Citation, ...]
    """In the order of the text."""
    laws: tuple[int, ...]
    """The statutes named, with or without an article, each once, in order."""
    antecedents: Antecedents
    """For reading the text that follows."""
    bare: bool
    """Whether the text is citations and nothing else, as choices are where the legal basis is asked for."""


_KIND_OF: dict[str, LawKind] = {
    **dict.fromkeys(("法律", "法"), "act"),
    **dict.fromkeys(("政令", "令", "施行令"), "order"),
    **dict.fromkeys(("内閣府令", "府令", "省令", "規則", "施行規則"), "rule"),
}
_REFERENCE = re.compile(
    r"(?:(?:第|(?<![同0-9]))(?P<article>[0-9]+)条(?![件例文約理])(?P<branches>(?:の[0-9]+)*)|(?P<same>[同本前次]条|[同前]項))"
    r"(?:第?(?P<paragraph>[0-9]+)項)?(?:第?(?P<item>[0-9]+)号(?P<item_branches>(?:の[0-9]+)*))?"
    r"(?:[イロハニホヘトチリヌルヲワカ](?![ァ-ヴー]))?(?:本文|ただし書|但書|前段|後段|柱書|各号)?"
)
_POINTER = re.compile(
    # 法 or 令 alone ends a title after る, た, の and き (…に関する規則, …すべき令); 法律 alone always does.
    r"(?<![一-龠々ァ-ヴー])"
    r"(?:(同|本|この|当該)(法律|法|政令|令|内閣府令|府令|省令|規則)?|(?<![るたのき])(法|政令|令|府令|省令|規則))?"
    r"(施行令|施行規則)?の?$"
)
_NUMBERED_NAME = re.compile(
    r"(法律|法|内閣府令|府令|省令|令|規則)(?=\((?:明治|大正|昭和|平成|令和)(?:[0-9]+|元)年)"
)
_OTHER_NAME = re.compile(
    r"[一-龠々ァ-ヴーA-Za-z・]*(?:法|法律|令|規則|条例|規程|規約|憲法|条約|協定|基準|指針|ガイドライン|約款)の?$"
)
_JOINED = re.compile(r"(?:及び|又は|並びに|若しくは|かつ|から|まで|[、,・~〜～の\-―]|\([^()]*\))*")
_IN_BRACKETS = re.compile(r"\([^()]*\)$")
_DEFINES = re.compile(r"\((?:[^()]*?[。、])?以下(?:単に)?「([^「」]{1,20})」と(?:いう|総称する)")
_SUPPLEMENT = re.compile(r"附則(?:\([^()]*\))?$")
_BLANK = re.compile(r"[^\S\n]+")
_ITEM_LABEL = re.compile(
    r"^((?:[0-9一二三四五六七八九十百]+(?:の[0-9一二三四五六七八九十]+)*|[イロハニホヘトチリヌルヲワカ]|\([0-9a-z]+\)))[^\S\n]+",
    re.MULTILINE,
)
_BARE_REST = 8
"""The most letters that a bare citation holds beside it, as in 「…第5条が定める場合」."""
_REACH = 130
"""How far before an article number the words are looked at that say whose article it is."""


def squeeze(text: str) -> str:
    """Return the normalised text without blanks: what `Citation.start` and `end` count in.

    The blank between an item's number and its text becomes a line feed, so that the two do not run together.
    """
    return squeeze_normalised(normalise(text))


def squeeze_normalised(normalised: str) -> str:
    """Return the same as `squeeze`, of a text that is normalised already."""
    return _BLANK.sub("", _ITEM_LABEL.sub(r"\1\n", normalised))


def read_citations(
    text: str, names: LawNames, antecedents: Antecedents | None = None
) -> CitationReading:
    """Find all citations in a text.

    A range (第10条から第15条まで) gives its two ends. Articles of supplementary provisions (附則第3条) are
    left out: their numbers repeat with every amendment.

    Args:
        text: any text.
        names: the statutes that can be named.
        antecedents: what went before, such as the question before a choice.
    """
    return read_squeezed(squeeze(text), names, antecedents)


def read_squeezed(
    squeezed: str, names: LawNames, antecedents: Antecedents | None = None
) -> CitationReading:
    """Return the same as `read_citations`, of a text that is normalised and without blanks already."""
    mentions = list(names.mentions(squeezed))
    reader = _Reader(squeezed, mentions, names, antecedents or Antecedents())
    citations = reader.citations()
    laws = tuple(dict.fromkeys(mention.law for mention in mentions))
    return CitationReading(
        tuple(citations), laws, reader.antecedents(), _is_bare(squeezed, citations, mentions)
    )


@dataclass(frozen=True)
class _Named:
    """A statute named in the text; `law` is None for one that is not in the list."""

    start: int
    end: int
    law: int | None


class _Reader:
    """Goes through one text from left to right and keeps what was named."""

    def __init__(
        self, text: str, mentions: list[Mention], names: LawNames, antecedents: Antecedents
    ) -> None:
        self._text, self._names, self._start = text, names, antecedents
        self._law, self._article = antecedents.law, antecedents.article
        self._foreign, self._paragraph = antecedents.foreign, antecedents.paragraph
        self._last, self._defined = dict(antecedents.last), dict(antecedents.defined)
        known = [_Named(mention.start, mention.end, mention.law) for mention in mentions]
        ends = {mention.end for mention in mentions}
        others = [
            _Named(match.start(), match.end(), None)
            for match in _NUMBERED_NAME.finditer(text)
            if match.end() not in ends
        ]
        self._named = sorted(known + others, key=lambda named: named.start)
        self._passed = 0  # how many of them lie behind
        self._end = -1  # the end of the citation before

    def antecedents(self) -> Antecedents:
        return replace(
            self._start,
            law=self._law,
            foreign=self._foreign,
            last=self._last,
            defined=self._defined,
            article=self._article,
            paragraph=self._paragraph,
        )

    def citations(self) -> list[Citation]:
        citations = []
        for match in _REFERENCE.finditer(self._text):
            self._pass_names(match.start())
            if self._passed and match.start() < self._named[self._passed - 1].end:
                continue  # a part of a title: 金融商品取引法第二条に規定する定義に関する内閣府令
            citation = self._same(match) if match["same"] else self._numbered(match)
            if citation is not None:
                if citation.law is None and self._foreign:
                    citation = replace(citation, foreign=True)
                citations.append(citation)
                self._law, self._article = citation.law, citation.article
                self._foreign, self._paragraph = citation.foreign, citation.paragraph
                self._end = match.end()
        self._pass_names(len(self._text))
        return citations

    def _pass_names(self, position: int) -> None:
        """Take up the statutes named before this position."""
        while self._passed < len(self._named) and self._named[self._passed].start <= position:
            named = self._named[self._passed]
            self._passed += 1
            self._foreign = named.law is None
            if named.law is None:
                self._last.pop(law_kind(self._text[named.start : named.end]), None)
                self._law, self._article = None, None
                continue
            if named.law != self._law:
                self._law, self._article = named.law, None
            self._last[law_kind(self._names.titles[named.law])] = named.law
            defines = _DEFINES.match(self._text, named.end)
            if defines:
                self._defined[defines[1]] = named.law

    def _same(self, match: re.Match[str]) -> Citation | None:
        """Return what 同条, 前条, 次条, 同項 and 前項 mean; 前項 in a statute is of the article itself:
        nothing.
        """
        word, law, article = match["same"], self._law, self._article
        if word in ("前条", "次条"):
            law = self._start.own
            article = self._start.before if word == "前条" else self._start.after
        if article is None or word == "本条" or (word == "前項" and self._start.own is not None):
            return None
        citation = _citation(match, law, article, foreign=False, start=match.start())
        return replace(citation, paragraph=self._paragraph) if word == "同項" else citation

    def _numbered(self, match: re.Match[str]) -> Citation | None:
        before = self._text[max(0, match.start() - _REACH) : match.start()]
        if _SUPPLEMENT.search(before):
            return None
        article = match["article"] + match["branches"].replace("の", "_")
        bare = _IN_BRACKETS.sub("", before.removesuffix("の"))
        ends = {match.start() - len(before) + len(bare), match.start()}
        named = self._named[self._passed - 1] if self._passed else None
        if named and named.end in ends:
            foreign = named.law is None
            return _citation(match, named.law, article, foreign=foreign, start=named.start)
        pointer = _POINTER.search(before)
        if pointer and any(pointer.groups()[1:]):
            start = match.start() - len(pointer[0])
            return _citation(match, self._pointed_at(pointer), article, foreign=False, start=start)
        if self._end >= 0 and _JOINED.fullmatch(self._text, self._end, match.start()):
            return _citation(match, self._law, article, foreign=False, start=match.start())
        other = _OTHER_NAME.search(before)
        if other:
            self._last.pop(law_kind(other[0].removesuffix("の")), None)
            start = match.start() - len(other[0])
            return _citation(match, None, article, foreign=True, start=start)
        own = self._start.own
        law = self._law if own is None else own
        return _citation(match, law, article, foreign=False, start=match.start())

    def _pointed_at(self, pointer: re.Match[str]) -> int | None:
        """Return what 同法, 法施行令, 令, 規則 and the like mean here."""
        back, suffix = pointer[1] or "", pointer[4] or ""
        word = pointer[2] or pointer[3] or ""
        own, last = self._start.own, self._last
        # A text that says 以下「法」という means that statute until it ends, whatever is named in
        # between; with 同 before it or 施行令 behind it the word is no longer that abbreviation.
        if not suffix and not back and word in self._defined:
            return self._defined[word]
        if back in ("本", "この") and own is not None:
            return own
        # 同法 always points back to the act named last. 法施行令 counts from the act that is called 法
        # here, which orders define for the act they carry out, even right after they named another.
        act = last.get("act") if back else self._defined.get("法", last.get("act", self._own_act()))
        kind = _KIND_OF[suffix or word]
        # 施行令, and 令 where no order was named yet, are found by their act: titles derive from its own.
        if suffix or (kind != "act" and kind not in last):
            ending = suffix or ("施行令" if kind == "order" else "施行規則")
            derived = None if act is None else self._names.derived(act, ending)
            return last.get(kind) if derived is None else derived
        return act if kind == "act" else last[kind]

    def _own_act(self) -> int | None:
        """Return the act that 法 means in the text of a statute that has not said so: its own, or its
        title's.
        """
        own = self._start.own
        if own is None or law_kind(self._names.titles[own]) == "act":
            return own
        return self._names.parent(own)


def _citation(
    match: re.Match[str], law: int | None, article: str, *, foreign: bool, start: int
) -> Citation:
    paragraph = int(match["paragraph"]) if match["paragraph"] else None
    item = match["item"] and match["item"] + match["item_branches"].replace("の", "_")
    return Citation(law, foreign, article, paragraph, item, start, match.end())


def _is_bare(text: str, citations: list[Citation], mentions: list[Mention]) -> bool:
    """Return whether next to no letters are outside citations and names of statutes."""
    if not citations:
        return False
    end, letters = 0, 0
    spans = [(citation.start, citation.end) for citation in citations]
    spans += [(mention.start, mention.end) for mention in mentions]
    for start, stop in sorted(spans):
        letters += sum(map(str.isalnum, text[end:start]))
        if letters > _BARE_REST:
            return False
        end = max(end, stop)
    return letters + sum(map(str.isalnum, text[end:])) <= _BARE_REST
