"""Every generated file from source, templates and command line; written, or compared with what is there."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.commands import (
    PLACE_KEYS,
    CommandSource,
    KnownFailure,
    Place,
    Rendered,
    expand,
    read_source,
    render_command,
)
from lawqa.docgen.blocks import replace_block
from lawqa.docgen.logs import LOG_TEMPLATES, log_text
from lawqa.docgen.verify import ParseArguments, verify, verify_text
from lawqa.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    from jinja2 import Environment

NOTICE = (
    "自動生成：`make docs`（docs_src/commands.toml と docs_src/templates から）。直接編集しない。"
    " / Generated; do not edit."
)


@dataclass(frozen=True)
class Interface:
    """What documents need to know of the command line."""

    parse: ParseArguments
    """Its parser."""
    help_text: Callable[[Sequence[str]], str]
    """The help of a subcommand, given its words."""
    subcommands: tuple[tuple[str, ...], ...]
    """All subcommands, in order."""


@dataclass(frozen=True)
class Document:
    """A document that is made whole from a template."""

    path: str
    """Where it goes, from the repository's root."""
    template: str
    """Its template in `docs_src/templates`."""
    place: str
    """The place whose commands it shows."""


DOCUMENTS = (
    Document("docs/heart01/StepI_A100_Qwen3_8B_本番学習指示.md", "StepI.md.j2", "heart01"),
    Document("docs/heart01/StepJ_A100_Qwen3_8B_評価指示.md", "StepJ.md.j2", "heart01"),
    Document("docs/local/開発とデバッグ_3080.md", "local.md.j2", "local-3080"),
    Document("docs/local/Ollamaベースライン_3080.md", "baseline.md.j2", "local-3080"),
    Document("docs/lawqa_toml.md", "lawqa_toml.md.j2", "any"),
    Document("docs/cli.md", "cli.md.j2", "any"),
)


def generate(root: Path, interface: Interface) -> dict[Path, str]:
    """The text of every generated file.

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
    templates = _environment(root / "docs_src" / "templates")
    files: dict[Path, str] = {}
    for document in DOCUMENTS:
        place = source.place(document.place)
        text = templates.get_template(document.template).render(
            **_context(source, place, interface)
        )
        verify_text(source, place.id, text, document.path, interface.parse)
        files[root / document.path] = text
    for name in LOG_TEMPLATES:
        files[root / "docs" / "logs" / f"{name}.md"] = log_text(name, [], notice=NOTICE)
    files |= _blocks(root, source, interface)
    return files


def unset_variables(root: Path) -> dict[str, str]:
    """Variables whose value is a placeholder that the lab has not replaced yet, by name.

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


def changed_files(files: Mapping[Path, str]) -> list[Path]:
    """Which of these files are missing or say something else on disk."""
    return [path for path, text in files.items() if _on_disk(path) != text]


def write_files(files: Mapping[Path, str]) -> list[Path]:
    """Write what changed; what is the same is left alone.

    Returns:
        the files written.
    """
    changed = changed_files(files)
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path], encoding="utf-8", newline="\n")
    return changed


def diff_text(path: Path, text: str) -> str:
    """The unified difference from what is on disk to what should be there."""
    return "".join(
        difflib.unified_diff(
            (_on_disk(path) or "").splitlines(keepends=True),
            text.splitlines(keepends=True),
            f"{path} (on disk)",
            f"{path} (generated)",
        )
    )


def _on_disk(path: Path) -> str | None:
    return path.read_bytes().decode(errors="replace") if path.is_file() else None


def _environment(directory: Path) -> Environment:
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


def _context(source: CommandSource, place: Place, interface: Interface) -> dict[str, object]:
    def steps(*names: str) -> list[Rendered]:
        return [render_command(command, place) for command in source.at(place.id, *names)]

    def one(command_id: str) -> Rendered:
        return render_command(source.command(command_id), place)

    return {
        "notice": f"<!-- {NOTICE} -->",
        "source": source,
        "place": place,
        "places": source.places,
        "experiment": source.experiment,
        "fixed": {name: _value(name, place) for name in source.experiment.variables},
        "steps": steps,
        "one": one,
        "failures_of": lambda found: _failures(source, found),
        "targets": source.targets,
        "place_keys": PLACE_KEYS,
        "placeholders": place.placeholders,
        "value": lambda name: _value(name, place),
        # Functions, because only one document needs each of them and they take a second.
        "power_table": _power_table,
        "subcommands": lambda: [
            (" ".join(words), interface.help_text(words)) for words in interface.subcommands
        ],
    }


def _power_table() -> list[list[str]]:
    """Detectable differences in points: single answers, the vote of 8, three trainings."""
    from lawqa.scoring import Design, detectable_difference

    rows = []
    for questions, discordance in itertools.product((42, 140), (0.15, 0.25, 0.35)):
        designs = (
            Design(questions, discordance),
            Design(questions, discordance, votes=8),
            Design(questions, discordance, seeds=3),
        )
        found = [detectable_difference(design) for design in designs]
        shown = ["—" if one is None else f"{100 * one:.1f}" for one in found]
        rows.append([str(questions), f"{discordance:.0%}", *shown])
    return rows


def _value(name: str, place: Place) -> str:
    return expand(f"{{{name}}}", place.variables, name)


def _failures(source: CommandSource, found: Sequence[Rendered]) -> list[KnownFailure]:
    """The failures of these commands, each once, in the order of the source."""
    named = {name for rendered in found for name in rendered.command.failures}
    return [failure for failure in source.failures.values() if failure.id in named]


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


def console_block(commands: Sequence[tuple[Rendered, str]]) -> str:
    """A console block: each command on one line, with a remark behind it, or above where that is too wide."""
    lines = [
        (" ".join(rendered.shell.replace("\\\n", " ").split()), said) for rendered, said in commands
    ]
    # Remarks stand in one column, as far as the lines are short enough.
    column = min(max(len(line) for line, _ in lines), 64)
    shown = [
        f"$ {line:<{column}}  # {said}" if len(line) <= column else f"# {said}\n$ {line}"
        for line, said in lines
    ]
    return "```console\n" + "\n".join(shown) + "\n```\n"


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
