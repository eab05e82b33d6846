"""Results that show themselves as tables in a notebook."""

from __future__ import annotations

from importlib import import_module


class Shown:
    """Something with a form in `lawqa.report.notebook`, which is above and therefore imported by name."""

    def _repr_html_(self) -> str:
        html: str = import_module("lawqa.report.notebook").html_of(self)
        return html
