"""Results that show themselves as tables in a notebook.

How they look is written in `lawqa.report.notebook`, above the results. `lawqa` itself, above everything,
hands it down with `show_by`: so no arrow runs up from here.
"""

from __future__ import annotations

from collections.abc import Callable

_forms: list[Callable[[object], str]] = []


def show_by(html_of: Callable[[object], str]) -> None:
    """Let results be shown by this function, which makes HTML of one."""
    _forms[:] = [html_of]


class Shown:
    """A result with a form in notebooks."""

    def _repr_html_(self) -> str:
        return _forms[0](self)
