"""The Jinja templates of documents, and errors in them as a person finds them."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from jinja2 import Environment


def open_templates(directory: Path) -> Environment:
    """Return the templates of a directory.

    Raises:
        MissingExtraError: jinja2 is not installed.
    """
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError:
        raise MissingExtraError("jinja2", "docs") from None
    return Environment(
        loader=FileSystemLoader(directory),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - Markdown of our own texts, no HTML
    )


def render_template(templates: Environment, name: str, context: Mapping[str, object]) -> str:
    """Render a template.

    Raises:
        ConfigError: there is none of this name, it is not well-formed, or it names what is not defined.
    """
    from jinja2 import TemplateNotFound, TemplateSyntaxError, UndefinedError

    try:
        return templates.get_template(name).render(context)
    except TemplateNotFound as problem:
        there = ", ".join(sorted(templates.list_templates()))
        raise ConfigError(
            f"docs_src/templates/{problem.name}: there is no such template", f"there are: {there}"
        ) from None
    except TemplateSyntaxError as problem:
        where = f"docs_src/templates/{problem.name}, line {problem.lineno}"
        raise ConfigError(f"{where}: {problem.message}") from None
    except UndefinedError as problem:
        raise ConfigError(
            f"{_line_of(problem, name)}: {problem.message}",
            "declare it in docs_src/commands.toml, or take one of the names that other templates use",
        ) from None


def _line_of(problem: Exception, name: str) -> str:
    """Say in which line of which template an error arose; jinja2 puts both into the traceback."""
    last = next(
        (
            frame
            for frame in reversed(traceback.extract_tb(problem.__traceback__))
            if Path(frame.filename).suffix == ".j2"
        ),
        None,
    )
    return f"docs_src/templates/{Path(last.filename).name}, line {last.lineno}" if last else name
