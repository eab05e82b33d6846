"""What every page is made with: templates that escape, hashes of our scripts, text that can be stored."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

from lawqa.errors import MissingExtraError, tame
from lawqa.report.phrase import Phrase, same
from lawqa.report.table import Cell, Share, Text
from lawqa.scoring import Accuracy

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def page_environment(names: Iterable[str]) -> tuple[Environment, dict[str, str]]:
    """Return the environment of the page templates, and the sources of those named.

    Whatever a template is given is escaped, unless it was made `trusted`.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    try:
        from jinja2 import DictLoader, Environment, StrictUndefined
    except ImportError:
        raise MissingExtraError("jinja2", "report") from None
    folder = files("lawqa.report.page").joinpath("templates")
    sources = {name: folder.joinpath(name).read_text(encoding="utf-8") for name in names}
    environment = Environment(
        loader=DictLoader(sources),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"kind": _cell_kind, "phrase": _phrase_of, "fragment": _fragment_of}
    return environment, sources


def trusted(text: str) -> Markup:
    """Return text that a template writes as it is: our own scripts, drawings, and JSON escaped before."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - never a text of runs or questions


def script_hash(script: str) -> str:
    """Return what a content security policy knows a script by: the base64 of its SHA-256."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def storable_page(page: str) -> str:
    """Return a page that can be written: UTF-8 has no lone surrogate, which only a damaged file holds."""
    return tame(page.encode("utf-8", "replace").decode("utf-8"))


def _fragment_of(name: str) -> str:
    """Return a name as the fragment of an address: only ASCII is escaped, so that other scripts
    stay short.
    """
    return re.sub(
        "[\x00-\x7f\ud800-\udfff]+", lambda found: quote(found[0], safe="", errors="replace"), name
    )


def _cell_kind(cell: Cell) -> str:
    """Return how a template writes a cell: `accuracy`, `share` or `text`."""
    if isinstance(cell, Accuracy):
        return "accuracy"
    return "share" if isinstance(cell, Share) else "text"


def _phrase_of(text: Text) -> Phrase:
    """Return a heading or cell in both languages."""
    return same(text) if isinstance(text, str) else text
