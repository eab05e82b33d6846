"""Templates are rendered, and their mistakes are named with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.docgen.rendering import open_templates, render_template
from lawqa.errors import ConfigError


def rendered(directory: Path, text: str, **context: object) -> str:
    (directory / "page.md.j2").write_text(text, encoding="utf-8")
    return render_template(open_templates(directory), "page.md.j2", context)


def test_a_template_is_filled_and_keeps_its_last_line_break(tmp_path: Path) -> None:
    assert rendered(tmp_path, "{% if n %}\n{{ n }} 問 <b>\n{% endif %}\n", n=140) == "140 問 <b>\n"


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("1\n{% if %}\n", "docs_src/templates/page.md.j2, line 2: Expected an expression", None),
        ("1\n\n{{ votes }}\n", "docs_src/templates/page.md.j2, line 3: 'votes' is undefined", "declare it"),
        ("{% include 'no.j2' %}", "docs_src/templates/no.j2: there is no such template", "page.md.j2"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(
    text: str, message: str, hint: str | None, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as raised:
        rendered(tmp_path, text)
    assert raised.value.message.startswith(message)
    assert hint is None or hint in (raised.value.hint or "")


def test_a_mistake_in_a_macro_names_the_file_of_the_macro(tmp_path: Path) -> None:
    (tmp_path / "_macros.j2").write_text(
        "{% macro m() %}\n{{ nothing.at }}\n{% endmacro %}", "utf-8"
    )
    with pytest.raises(ConfigError, match=r"_macros\.j2, line 2"):
        rendered(tmp_path, "{% import '_macros.j2' as m %}\n\n\n{{ m.m() }}")
