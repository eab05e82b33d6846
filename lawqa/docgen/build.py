"""Every generated file from source, templates and command line; written, or compared with what is there."""

from __future__ import annotations

import difflib
import itertools
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lawqa.commands import (
    PLACE_KEYS,
    Chapter,
    CommandSource,
    Document,
    Experiment,
    KnownFailure,
    OutcomeText,
    Place,
    Rendered,
    expand,
    read_source,
    render_command,
)
from lawqa.commands.recipe import Recipe
from lawqa.docgen.blocks import replace_block
from lawqa.docgen.durations import (
    bases_for,
    basis_ja,
    duration_ja,
    measured_file,
    stage_duration_ja,
)
from lawqa.docgen.logs import log_text
from lawqa.docgen.verify import ParseArguments, verify, verify_text
from lawqa.errors import ConfigError, MissingExtraError
from lawqa.report.grid.verdict import VERDICT_FIGURES, VERDICT_NAMES

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
    templates = _environment(root / "docs_src" / "templates")
    files: dict[Path, str] = {}
    for document in source.documents:
        context = _context(source, document, interface, root / "docs_src")
        text = render(templates, document.template_file, context)
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
        f"-c constraints.txt\n{_value('torch', place)}\n-e .[all]\n"
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


def changed_files(files: Mapping[Path, str]) -> list[Path]:
    """Return which of these files are missing or say something else on disk."""
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
    """Return the unified difference from what is on disk to what should be there."""
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


def render(templates: Environment, name: str, context: Mapping[str, object]) -> str:
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


def _context(
    source: CommandSource, document: Document, interface: Interface, folder: Path
) -> dict[str, object]:
    """Return what templates may name; measurements of places lie in the folder of the sources."""
    place = source.place(document.place)
    bases = bases_for(source, place, measured_file(place, folder))

    def chapter_steps(chapter: Chapter) -> list[Rendered]:
        commands = itertools.chain.from_iterable(
            [source.command(step)] if step in source.commands else source.at(place.id, step)
            for step in chapter.steps
        )
        return [render_command(command, place) for command in commands]

    def steps(*names: str) -> list[Rendered]:
        return [render_command(command, place) for command in source.at(place.id, *names)]

    def one(command_id: str) -> Rendered:
        return render_command(source.command(command_id), place)

    return {
        "notice": f"<!-- {NOTICE} -->",
        "document": document,
        "chapter_steps": chapter_steps,
        "source": source,
        "place": place,
        "places": source.places,
        "experiment": _expanded(source.experiment, place),
        "outcomes": [_as_form(outcome, place) for outcome in source.experiment.outcomes],
        "references": source.references,
        "fixed": {name: _value(name, place) for name in source.experiment.variables},
        "steps": steps,
        "one": one,
        "failures_of": lambda rendered: _failures(source, rendered),
        "targets": source.targets,
        "duration": lambda rendered: duration_ja(rendered.command, place, bases),
        "recipe": _expanded_recipe(source.recipe, place),
        "stage_steps": lambda stage: [one(step) for step in stage.steps],
        "stage_duration": lambda stage: stage_duration_ja(stage, source, place, bases),
        "basis_of_durations": basis_ja(source, place, bases),
        "place_keys": PLACE_KEYS,
        "placeholders": place.placeholders,
        "value": lambda name: _value(name, place),
        "expanded": lambda text: expand(text, place.variables, document.file),
        # Functions, because only one document needs each of them and they take a second.
        "power_table": lambda: _power_table(
            int(_value("n_questions", place)), int(_value("votes", place))
        ),
        "subcommands": lambda: [
            (" ".join(words), interface.help_text(words)) for words in interface.subcommands
        ],
    }


def _expanded(experiment: Experiment, place: Place) -> Experiment:
    """Put the place's variables into what the experiment says."""
    return replace(
        experiment,
        title_ja=expand(experiment.title_ja, place.variables, "experiment: title_ja"),
        second_claim_ja=expand(
            experiment.second_claim_ja, place.variables, "experiment: second_claim_ja"
        ),
        points_ja=tuple(
            expand(point, place.variables, "experiment: points_ja")
            for point in experiment.points_ja
        ),
    )


def _expanded_recipe(recipe: Recipe | None, place: Place) -> Recipe | None:
    """Put the place's variables into what the recipe says."""

    def put(text: str) -> str:
        return expand(text, place.variables, "recipe")

    return recipe and replace(
        recipe,
        title_ja=put(recipe.title_ja),
        stages=tuple(
            replace(
                stage,
                title_ja=put(stage.title_ja),
                text_ja=put(stage.text_ja),
                outcomes=tuple(
                    replace(one, when_ja=put(one.when_ja), then_ja=put(one.then_ja))
                    for one in stage.outcomes
                ),
            )
            for stage in recipe.stages
        ),
    )


def _as_form(outcome: OutcomeText, place: Place) -> OutcomeText:
    """Return an outcome with ○ for the figures that only a result has."""
    blank = {**dict.fromkeys(VERDICT_FIGURES, "○"), **VERDICT_NAMES}

    def put(text: str) -> str:
        return expand(text, {**blank, **place.variables}, f"experiment: outcomes: {outcome.id}")

    return replace(
        outcome,
        when_ja=put(outcome.when_ja),
        sentence_ja=put(outcome.sentence_ja),
        means_ja=put(outcome.means_ja),
    )


def _power_table(questions: int, votes: int) -> list[list[str]]:
    """Return the detectable differences in points, by the share that exactly one of two single answers gets
    right.
    """
    from lawqa.scoring import Design, detectable_difference

    rows = []
    for discordance in (0.1, 0.2, 0.3):
        designs = (
            Design(questions, discordance, votes=votes),
            Design(questions, discordance, votes=votes, seeds=3),
            Design(questions, discordance),
        )
        differences = [detectable_difference(design) for design in designs]
        shown = ["—" if one is None else f"{100 * one:.1f}" for one in differences]
        rows.append([f"{discordance:.0%}", *shown])
    return rows


def _value(name: str, place: Place) -> str:
    return expand(f"{{{name}}}", place.variables, name)


def _failures(source: CommandSource, every: Sequence[Rendered]) -> list[KnownFailure]:
    """Return the failures of these commands, each once, in the order of the source."""
    named = {name for rendered in every for name in rendered.command.failures}
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
    """Return a console block: each command on one line, with a remark behind it, or above where that is too
    wide.
    """
    lines = [
        (" ".join(rendered.shell.replace("\\\n", " ").split()), said) for rendered, said in commands
    ]
    # Remarks share one column as far as the lines are short enough.
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
