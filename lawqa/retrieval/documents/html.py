"""The text of an HTML page in lines, its headings marked; only the standard library."""

from __future__ import annotations

from html.parser import HTMLParser

_HIDDEN = frozenset({"script", "style", "noscript", "template", "svg", "head", "nav", "footer"})
_BLOCKS = frozenset(
    {
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "br",
        "dd",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "table",
        "tbody",
        "thead",
        "tr",
        "ul",
    }
)
_SPACED = frozenset({"p", "table", "ul", "ol", "dl", "blockquote", "section", "div"})
_TEXT = frozenset({"p", "table", "ul", "ol", "dl", "pre", "blockquote", "hr"})
"""What ends a heading whose end tag is missing."""
_CELLS = frozenset({"td", "th"})


def html_lines(page: str) -> list[tuple[str, int | None]]:
    """Return the lines of a page with the levels of its headings, None for text; `<title>` where it has no
    h1.
    """
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.finished()


class _Reader(HTMLParser):
    """Gathers lines; entities are replaced by the parser."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[tuple[str, int | None]] = []
        self._words: list[str] = []
        self._level: int | None = None
        self._hidden: list[str] = []
        self._title: list[str] | None = None
        self._in_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        if tag == "title" and self._title is None:
            self._in_title, self._title = True, []
        elif tag == "body":
            self._hidden.clear()
        elif tag in _HIDDEN:
            self._hidden.append(tag)
        elif tag in _CELLS and self._words:
            self._words.append(" | ")
        if tag in _BLOCKS:
            self._end_line(blank=tag in _SPACED)
        if tag in _TEXT:
            self._level = None
        if len(tag) == 2 and tag[0] == "h" and tag[1] in "123456":
            self._level = int(tag[1])

    def handle_endtag(self, tag: str) -> None:
        if tag == "title":
            self._in_title = False
        elif tag in self._hidden:
            while self._hidden and self._hidden.pop() != tag:
                continue
        if tag in _BLOCKS:
            self._end_line(blank=tag in _SPACED)
            self._level = None

    def handle_data(self, data: str) -> None:
        if self._in_title and self._title is not None:
            self._title.append(data)
        elif not self._hidden:
            self._words.append(data)

    def finished(self) -> list[tuple[str, int | None]]:
        """Return the lines, when the page has ended."""
        self._end_line(blank=False)
        title = " ".join("".join(self._title or ()).split())
        tops = [text for text, level in self._lines if level == 1]
        if title and len(tops) != 1:
            return [(title, 1), *((t, None if v is None else v + 1) for t, v in self._lines)]
        return self._lines

    def _end_line(self, *, blank: bool) -> None:
        text = " ".join("".join(self._words).split())
        self._words.clear()
        if text:
            self._lines.append((text, self._level))
        elif blank and self._lines and self._lines[-1][0]:
            self._lines.append(("", None))
