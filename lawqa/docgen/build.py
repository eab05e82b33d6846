"""Every generated file from source, templates and command line."""

from __future__ import annotations

from pathlib import Path

from lawqa.commands.expand import render_command
from lawqa.commands.model import CommandSource, Place
from lawqa.commands.source import read_source
from lawqa.docgen.blocks import console_block, replace_block
from lawqa.docgen.context import NOTICE, Interface, template_context, value_of
from lawqa.docgen.logs import log_text
from lawqa.docgen.rendering import open_templates, render_template
from lawqa.docgen.verify import verify, verify_text
from lawqa.errors import ConfigError


def generate(root: Path, interface: Interface) -> dict[Path, str]:
    """Return the text of every generated file.

    Args:
        root: the repository.
        interface: the command line.

    Raises:
        ConfigError: a declaration, template or marker is wrong, or a document shows a command that does
            not run.
        PolicyError: a place forbids a command.
        MissingExtraError: jinja2 is not installed.
    """
    path = root / "docs_src" / "commands.toml"
    if not path.is_file():
        raise ConfigError(
            f"{root}: holds no docs_src/commands.toml", "run it in a checkout, at its top"
        )
    source = read_source(path.read_text(encoding="utf-8"), str(path))
    verify(source, interface.parse)
    templates = open_templates(root / "docs_src" / "templates")
    files: dict[Path, str] = {}
    for document in source.documents:
        context = template_context(source, document, interface, root / "docs_src")
        text = render_template(templates, document.template_file, context)
        verify_text(source, document.place, text, document.file, interface.parse)
        files[root / document.file] = text
    forms = _forms(root)
    for name, form in forms.items():
        files[root / "docs" / "logs" / f"{name}.md"] = log_text(
            name, [], notice=NOTICE, sources=forms
        )
        # What `lawqa log` reads: ours are links to the templates, and a new one is copied.
        files[root / "lawqa" / "assets" / "logs" / f"{name}.md.j2"] = form
    files[root / "requirements-heart01.txt"] = _requirements(source.place("heart01"))
    files |= _blocks(root, source, interface)
    return files


def _forms(root: Path) -> dict[str, str]:
    """Return the log forms among the templates, by name."""
    paths = sorted((root / "docs_src" / "templates" / "logs").glob("*.md.j2"))
    return {path.name.removesuffix(".md.j2"): path.read_text(encoding="utf-8") for path in paths}


def _requirements(place: Place) -> str:
    """Return what `pip install -r` reads at a place: the tested versions, and the torch that its driver can
    run.
    """
    return (
        f"# {NOTICE}\n# pip install -r requirements-{place.id}.txt, in the checkout's top folder.\n"
        f"-c constraints.txt\n{value_of('torch', place)}\n-e .[all]\n"
    )


def unset_variables(root: Path) -> dict[str, str]:
    """Return variables whose value is a placeholder that the lab has not replaced yet, by name.

    Raises:
        ConfigError: the declaration is wrong.
    """
    path = root / "docs_src" / "commands.toml"
    source = read_source(path.read_text(encoding="utf-8"), str(path))
    return {
        name: value
        for place in source.places.values()
        for name, value in place.placeholders.items()
    }


def _blocks(root: Path, source: CommandSource, interface: Interface) -> dict[Path, str]:
    files = {}
    shown = [render_command(command, source.place("any")) for command in source.at("any", "readme")]
    for name, title in (("README.md", "title"), ("README.ja.md", "title_ja")):
        block = console_block([(rendered, getattr(rendered.command, title)) for rendered in shown])
        verify_text(source, "any", block, name, interface.parse)
        files[root / name] = replace_block(
            (root / name).read_text(encoding="utf-8"), "steps", block, name
        )
    makefile = root / "Makefile"
    files[makefile] = replace_block(
        makefile.read_text(encoding="utf-8"), "targets", _targets(source), "Makefile"
    )
    return files


def _targets(source: CommandSource) -> str:
    lines = []
    for target in source.targets.values():
        steps = " ".join(target.commands)
        lines.append(f"{target.id}: ## {target.title}")
        lines.append("\t@$(HAS_LAWQA)")
        lines.append(
            f"\t$(LAWQA) step run --place $(or $(PLACE),{target.place}) $(STEP_FLAGS) {steps}"
        )
        lines.append("")
    return "\n".join(lines)
