"""One law in e-Gov's standard XML (法令標準XML) -> its articles.

The tags are those of 法令標準XMLスキーマ v3 (laws.e-gov.go.jp/file/XMLSchemaForJapaneseLaw_v3.xsd), the
form of e-Gov's bulk download and of 法令API. No file is validated: real ones carry attributes that the
schema does not know. Text in places that the schema does not allow is kept.

What becomes a record: every `Article` of the main and supplementary provisions; every run of
`Paragraph`s that are there without an article; every 別表, 様式 and the like; 制定文 and 前文 together;
a chapter that holds only its title (第三章　削除). An `Article` inside a table or an amendment
(`NewProvision`, `QuoteStruct`) is text of the article that holds it.

Dropped, and nothing else: the table of contents (`TOC` of the law itself), ruby readings (`Rt`), the
`ParagraphNum` that says no more than `num` and the `ArticleTitle` that says no more than `article`. An
`ArticleTitle` that says more is kept as the last of `headings`.

Ids: `LAW_ID/main/2_2`, `LAW_ID/suppl/1` for the law's own 附則, `LAW_ID/suppl:AMEND_LAW_NUM/1` for an
amending law's, `LAW_ID/appdx/別表第一`, `LAW_ID/preamble`; `-` stands for a missing name, and `~2`,
`~3` follow the second and third of a name. They hold no revision: an article keeps its id when the law is
amended.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET  # DOCTYPE is refused before parsing, so no entity is ever expanded
from dataclasses import dataclass, field

from lawqa.errors import DataError
from lawqa.settings import LawPart
from lawqa.statutes.articles import Article, Paragraph
from lawqa.statutes.egov.numbers import normalised_number, restates_article
from lawqa.statutes.egov.paragraphs import children_as_paragraphs, read_paragraph, unnumbered
from lawqa.statutes.egov.text import outer_text_of, text_of

DROPPED_TAGS = ("TOC", "Rt", "ParagraphNum", "ArticleTitle")
"""Tags whose text may be missing; the module's text says when."""

EXTRACT = "抄"
_SECTIONS = frozenset({"Part", "Chapter", "Section", "Subsection", "Division"})
_SECTION_TITLES = frozenset({f"{section}Title" for section in _SECTIONS} | {"SupplProvisionLabel"})
_APPENDICES = frozenset(
    {"AppdxTable", "AppdxNote", "AppdxStyle", "AppdxFormat", "AppdxFig", "Appdx"}
    | {"SupplProvisionAppdxTable", "SupplProvisionAppdxStyle", "SupplProvisionAppdx"}
)
_PROLOG_SLICE = 4096


@dataclass(frozen=True)
class LawName:
    """What the name of a law's file says."""

    law_id: str
    """`346CO0000000264`."""
    revision: str = ""
    """`20230607_505CO0000000202`: the date in force and the law that amended; empty if not named."""


def parse_law(xml: bytes, name: LawName) -> tuple[Article, ...]:
    """Return the articles of a law: preamble first, then in the order of the file.

    Args:
        xml: the file.
        name: id and revision, which the text itself does not reliably give.

    Raises:
        DataError: it is not well-formed, has a DOCTYPE, is nested too deeply, its root is not `Law`,
            or it holds no text.
    """
    try:
        _refuse_doctype(xml)
        root = ET.fromstring(xml)  # noqa: S314 - without a DOCTYPE there is no entity to expand
        if root.tag != "Law":
            raise DataError(f"root element is {str(root.tag)[:80]}, expected Law")
        articles = _Collector(name, root).collect()
    except ET.ParseError as problem:
        raise DataError(f"is not well-formed XML: {problem}") from None
    except (ValueError, LookupError) as problem:  # expat: an encoding that it does not know
        raise DataError(f"cannot be decoded: {problem}") from None
    except RecursionError:
        raise DataError("is nested too deeply to be a law") from None
    if not articles:
        raise DataError("holds no text of a law")
    return articles


class _Prolog:
    """What comes before the root element."""

    def __init__(self) -> None:
        self.over = False

    def doctype(self, *_: object) -> None:
        raise DataError("has a DOCTYPE, which a law of e-Gov never has; it is not read")

    def start(self, *_: object) -> None:
        self.over = True


def _refuse_doctype(xml: bytes) -> None:
    prolog = _Prolog()
    parser = ET.XMLParser(target=prolog)  # noqa: S314 - the prolog is what this looks at
    for start in range(0, len(xml), _PROLOG_SLICE):
        if prolog.over:
            return
        parser.feed(xml[start : start + _PROLOG_SLICE])
    if not prolog.over:
        parser.close()  # expat may have put off the last slices


@dataclass(frozen=True)
class _Place:
    """A part of the law, and how the ids of its records begin."""

    part: LawPart
    key: str
    amend_law_num: str | None = None


@dataclass
class _Frame:
    """A chapter, or another container, that is being read."""

    titles: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    """Those of its titles that no record has carried yet."""


class _Collector:
    def __init__(self, name: LawName, root: ET.Element) -> None:
        self._name = name
        self._root = root
        self._title = self._num = ""
        self._articles: list[Article] = []
        self._preamble: list[Paragraph] = []
        self._frames: list[_Frame] = []
        self._ids: set[str] = set()

    def collect(self) -> tuple[Article, ...]:
        bodies = self._root.findall("LawBody")
        self._num = " ".join(filter(None, map(text_of, self._root.findall("LawNum"))))
        titles = [title for body in bodies for title in body.findall("LawTitle")]
        self._title = " ".join(filter(None, map(text_of, titles)))
        self._preamble.extend(unnumbered(self._root.text))
        for child in self._root:
            if child.tag == "LawBody":
                self._read_body(child)
            elif child.tag != "LawNum":
                self._preamble.extend(unnumbered(outer_text_of(child)))
            self._preamble.extend(unnumbered(child.tail))
        if self._preamble:
            self._add(_Place("preamble", "preamble"), None, None, "", self._preamble)
            self._articles.insert(0, self._articles.pop())
        return tuple(self._articles)

    def _read_body(self, body: ET.Element) -> None:
        self._preamble.extend(unnumbered(body.text))
        for child in body:
            if child.tag == "Preamble":
                self._preamble.extend(children_as_paragraphs(child))
            elif child.tag == "MainProvision":
                self._read_container(child, _Place("main", "main"))
            elif child.tag == "SupplProvision":
                num = "".join(child.get("AmendLawNum", "").split()) or None
                self._read_container(
                    child, _Place("suppl", f"suppl:{num}" if num else "suppl", num)
                )
            elif child.tag in _APPENDICES:
                self._read_appendix(child, _Place("appdx", "appdx"))
            elif child.tag not in ("LawTitle", "TOC"):
                self._preamble.extend(unnumbered(outer_text_of(child)))
            self._preamble.extend(unnumbered(child.tail))

    def _read_container(self, element: ET.Element, place: _Place) -> None:
        """Read everything in a provision, or in a chapter of it."""
        frame = _Frame()
        self._frames.append(frame)
        loose = unnumbered(element.text)
        for child in element:
            if child.tag in _SECTION_TITLES or child.tag in _SECTIONS or child.tag == "Article":
                self._flush(loose, place)
            if child.tag in _SECTION_TITLES:
                self._read_title(child, element, frame)
            elif child.tag in _SECTIONS:
                self._read_container(child, place)
            elif child.tag == "Article":
                self._read_article(child, place)
            elif child.tag in _APPENDICES:
                self._flush(loose, place)
                self._read_appendix(child, place)
            elif child.tag == "Paragraph":
                loose.append(read_paragraph(child))
            else:
                loose.extend(unnumbered(outer_text_of(child)))
            loose.extend(unnumbered(child.tail))
        self._flush(loose, place)
        self._frames.pop()
        self._flush([Paragraph(None, title) for title in frame.untold], place)

    def _read_title(self, title: ET.Element, holder: ET.Element, frame: _Frame) -> None:
        text = text_of(title)
        if title.tag == "SupplProvisionLabel" and holder.get("Extract") == "true":
            text = f"{text}\u3000{EXTRACT}"
        if text:
            frame.titles.append(text)
            frame.untold.append(text)

    def _read_article(self, element: ET.Element, place: _Place) -> None:
        number = normalised_number(element.get("Num"))
        captions = [child for child in element if child.tag == "ArticleCaption"]
        titles = [child for child in element if child.tag == "ArticleTitle"]
        told = [
            text for text in map(text_of, titles) if text and not restates_article(text, number)
        ]
        paragraphs = children_as_paragraphs(element, without=[*captions, *titles])
        caption = "".join(map(text_of, captions))
        if number or caption or paragraphs or told:
            self._add(place, number, number, caption, paragraphs, tuple(told))

    def _read_appendix(self, element: ET.Element, place: _Place) -> None:
        titles = [c for c in element if c.tag in (f"{element.tag}Title", "ArithFormulaNum")]
        related = [child for child in element if child.tag == "RelatedArticleNum"]
        title = "".join(map(text_of, titles))
        caption = title + "".join(map(text_of, related))
        body = text_of(element, without=[*titles, *related])
        if caption or body:
            paragraphs = [Paragraph(None, body)] if body else []
            self._add(place, "".join(title.split()), None, caption, paragraphs)

    def _flush(self, loose: list[Paragraph], place: _Place) -> None:
        """Make a record of paragraphs that are in no article."""
        if loose:
            self._add(place, None, None, "", loose)
            loose.clear()

    def _add(
        self,
        place: _Place,
        name: str | None,
        article: str | None,
        caption: str,
        paragraphs: list[Paragraph],
        more_headings: tuple[str, ...] = (),
    ) -> None:
        above = [title for frame in self._frames for title in frame.titles]
        for frame in self._frames:
            frame.untold.clear()
        self._articles.append(
            Article(
                id=self._new_id(place, name),
                law_id=self._name.law_id,
                law_title=self._title,
                law_num=self._num,
                revision=self._name.revision,
                part=place.part,
                article=article,
                caption=caption,
                paragraphs=tuple(paragraphs),
                amend_law_num=place.amend_law_num,
                headings=(*above, *more_headings),
            )
        )

    def _new_id(self, place: _Place, name: str | None) -> str:
        base = f"{self._name.law_id}/{place.key}"
        if place.part != "preamble":
            base += f"/{name or '-'}"
        candidate, times = base, 1
        while candidate in self._ids:
            times += 1
            candidate = f"{base}~{times}"
        self._ids.add(candidate)
        return candidate
