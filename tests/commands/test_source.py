"""The declaration as it is read: known keys, right types, references that lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from lawqa.commands.chain import check_inputs
from lawqa.commands.expand import expand, render_command
from lawqa.commands.model import CommandSource
from lawqa.commands.source import packaged_source, places, read_source
from lawqa.errors import ConfigError

pytestmark = pytest.mark.every_python

Changed = Callable[[str, str], CommandSource]


def test_the_places_are_known_by_id() -> None:
    known = places()
    assert list(known) == ["any", "local-3080", "heart01", "practice"]
    assert [place.id for place in known.values()] == list(known)
    assert all(place.title.isascii() and not place.title_ja.isascii() for place in known.values())


def test_what_the_package_carries_is_the_source(checkout: Path) -> None:
    assets = files("lawqa").joinpath("assets")
    source = checkout / "docs_src"
    assert assets.joinpath("commands.toml").read_bytes() == (source / "commands.toml").read_bytes()
    forms = sorted(path.name for path in (source / "templates" / "logs").iterdir())
    assert len(forms) == 3
    for name in forms:
        packaged = assets.joinpath("logs", name).read_bytes()
        assert packaged == (source / "templates" / "logs" / name).read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("schema_version = 2", "schema_version = 1", "schema_version is 1, expected 2"),
        ("schema_version = 2", "schema_version = ", "is not TOML"),
        ("[failures.oom]", "[failure.oom]", "unknown key 'failure'"),
        ('title = "One"', 'titel = "One"', "unknown key 'titel'"),
        ('title = "One"\n', "", "one: title is missing"),
        ('argv = ["lawqa", "train", "--model-name", "{model}"]', 'argv = "lawqa"', "argv is text, expected"),
        ('argv = ["lawqa", "train", "--model-name", "{model}"]', "argv = []", "argv is empty"),
        ('role = "primary"', 'role = "main"', "role is 'main'"),
        ('failures = ["oom"]', 'failures = ["fire"]', "one: failures: fire is not declared"),
        ('id = "two"', 'id = "one"', "one is declared twice"),
        ('commands = ["two"]', 'commands = ["one"]', "one: role is 'support'"),
        ('decides = "two"', 'decides = "three"', "experiment: commands: three"),
        ('[targets.all]\nplace = "here"', '[targets.all]\nplace = "there"', "all: place: there"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_declaration_is_named(
    changed: Changed, old: str, new: str, message: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        changed(old, new)
    assert caught.value.message.startswith("small.toml: ")
    assert message in caught.value.message


def test_an_unknown_place_or_step_lists_what_there_is() -> None:
    source = packaged_source()
    with pytest.raises(ConfigError, match="--place moon: no such place") as caught:
        source.place("moon")
    assert caught.value.hint == "known: any, local-3080, heart01, practice"
    with pytest.raises(ConfigError, match="moon: no such step"):
        source.command("moon")


def test_an_input_must_be_made_before_or_given(changed: Changed) -> None:
    source = changed('inputs = ["{work}/a/manifest.json"]', 'inputs = ["{work}/b"]')
    with pytest.raises(
        ConfigError, match="two at here: its input w/b is made by no earlier command"
    ):
        check_inputs(source, source.place("here"))
    check_inputs(changed('title = "One"', 'title = "1"'), source.place("here"))


def test_an_output_is_made_by_one_command_only(changed: Changed) -> None:
    source = changed('inputs = ["{work}/a/manifest.json"]', 'outputs = ["{work}/a"]')
    with pytest.raises(ConfigError, match="two at here: w/a is made by one already"):
        check_inputs(source, source.place("here"))


def test_an_own_variable_comes_before_the_places(small: str) -> None:
    source = read_source(small, "small.toml")
    rendered = render_command(
        source.command("one"), source.place("here"), {"model": "mine", "work": "v"}
    )
    assert rendered.argv[-1] == "mine"
    assert rendered.inputs == ("v/q.json",)


def test_the_experiment_fixes_one_condition_one_split_and_the_comparison_that_decides() -> None:
    source = packaged_source()
    experiment, heart01 = source.experiment, source.place("heart01")
    base, crossval = (
        render_command(source.command(c), heart01) for c in ("base-thinking", "crossval-thinking")
    )
    decides = render_command(source.command(experiment.decides), heart01)
    assert experiment.commands == ("crossval-thinking", "base-thinking", "compare-thinking")
    for side in (base, crossval):
        assert side.argv[side.argv.index("--condition") + 1] == experiment.condition
        assert "--thinking" in side.argv
    assert crossval.argv[crossval.argv.index("--learn-from") + 1] == "distilled"
    # Base and adapter see the same questions with the same retrieval, and think and vote alike.
    for flag in (
        "--index", "--top-k", "--max-context-tokens", "--ensemble", "--thinking-budget", "--max-new-tokens",
    ):  # fmt: skip
        values = {side.argv[side.argv.index(flag) + 1] for side in (base, crossval)}
        assert len(values) == 1, flag
    assert (
        base.argv[base.argv.index("--data") + 1]
        == crossval.argv[crossval.argv.index("--input") + 1]
    )
    # What decides reads exactly what these two made.
    assert set(decides.inputs) == {*base.outputs, *crossval.outputs}
    measured = [
        c for c in source.at("heart01", "StepI", "StepJ") if c.evaluates or "crossval" in c.id
    ]
    assert [(c.id, c.role) for c in measured] == [
        ("crossval-thinking", "primary"),
        ("base-thinking", "primary"),
    ]


def test_every_quoted_figure_has_its_counts_conditions_and_source() -> None:
    source = packaged_source()
    shown = {one.id: one.percent for one in source.references}
    assert shown == {"lab_rag_direct": "52.1%", "lab_rag_cot": "60.7%", "lab_best": "73.6%"}
    for one in source.references:
        assert one.conditions_ja
        assert one.source_ja
        assert source.place("heart01").variables[f"reference_{one.id}"] == one.argument


REFERENCE = """
[[references]]
id = "lab"
title_ja = "研究室"
correct = 7
asked = 10
conditions_ja = "条件"
source_ja = "出典"
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("correct = 7", "correct = 11", "11 of 10 is not an accuracy"),
        ("correct = 7", 'correct = "7"', "correct is text, expected a whole number"),
        ('source_ja = "出典"', 'source_ja = " "', "needs conditions_ja and source_ja"),
        ('id = "lab"', 'id = "the lab"', "is not a name of a variable"),
    ],
)
def test_a_reference_without_counts_or_source_is_refused(
    small: str, old: str, new: str, complaint: str
) -> None:
    assert read_source(small + REFERENCE, "c").references[0].argument == "研究室=7/10"
    with pytest.raises(ConfigError, match=complaint):
        read_source(small + REFERENCE.replace(old, new), "c")


def test_the_practice_articles_come_from_the_embedded_questions(embedded_questions) -> None:  # type: ignore[no-untyped-def]
    from lawqa.statutes.articles import read_articles

    contexts = "\n".join(question.context for question in embedded_questions)
    path = Path(str(files("lawqa").joinpath("assets", "articles.jsonl")))
    articles = list(read_articles(path))
    assert len(articles) == 73
    lines = [line for a in articles for p in a.paragraphs for line in p.text.split("\n")]
    assert lines
    assert all(line in contexts for line in lines)


def test_a_variant_takes_over_what_it_does_not_say(small: str) -> None:
    variant = """
[[commands]]
id = "three"
extends = "one"
title_ja = "三"
outputs = ["{work}/{kind}"]
variables = {kind = "closed", model = "other"}
"""
    source = read_source(small + variant, "small.toml")
    one, three = source.command("one"), source.command("three")
    assert (three.title_ja, three.title) == ("三", one.title)
    assert three.argv == one.argv
    place = source.place("here")
    rendered = render_command(three, place, {"model": "mine"})
    assert rendered.argv[-1] == "other", "what makes it a variant comes before the user's own file"
    assert rendered.outputs == ("w/closed",)
    assert render_command(one, place, {"model": "mine"}).argv[-1] == "mine"


@pytest.mark.parametrize(
    ("parent", "said"),
    [("nothing", "nothing is not declared"), ("three", "three extends itself in the end")],
)
def test_a_variant_of_nothing_is_refused(small: str, parent: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_source(f'{small}\n[[commands]]\nid = "three"\nextends = "{parent}"\n', "small.toml")


def test_a_step_may_have_any_name_and_a_document_shows_it(small: str) -> None:
    text = small.replace('step = "StepI"', 'step = "StepX"', 1)
    document = """
[[documents]]
file = "docs/StepX_何か.md"
place = "here"
title = "X"
steps = ["StepX"]
chapters = [{title = "一", steps = ["one", "StepJ"], text = "本文"}]
"""
    (made,) = read_source(text + document, "small.toml").documents
    assert made.template_file == "StepX.md.j2"
    assert [chapter.title for chapter in made.chapters] == ["一"]
    for old, new, said in (
        ('steps = ["StepX"]', 'steps = ["StepY"]', "no command belongs to 'StepY'"),
        ('"one", "StepJ"', '"ones"', "chapters: 一: no command belongs to 'ones'"),
        ('place = "here"\ntitle = "X"', 'place = "moon"', "place: moon is not declared"),
        ('title = "X"', 'titel = "X"', "unknown key 'titel'"),
    ):
        assert document.count(old) == 1
        with pytest.raises(ConfigError, match=re.escape(said)):
            read_source(text + document.replace(old, new), "small.toml")


@pytest.mark.parametrize(
    ("test", "dev", "counts"),
    [("0.3", "0.1", "84 14 42"), ("0.2", "0.1", "98 14 28"), ("30", "10", "100 10 30")],
)
def test_the_sizes_of_the_parts_follow_from_the_split(
    small: str, test: str, dev: str, counts: str
) -> None:
    sizes = f'n_questions = "140"\ntest_size = "{test}"\ndev_size = "{dev}"\n'
    place = read_source(small.replace("[variables]\n", "[variables]\n" + sizes), "s").place("here")
    assert expand("{n_train} {n_dev} {n_test}", place.variables) == counts


@pytest.mark.parametrize("pattern", ["(", "no group", "(a)(b)"])
def test_a_pattern_of_a_number_has_one_group(small: str, pattern: str) -> None:
    with pytest.raises(ConfigError, match="numbers: "):
        read_source(f"{small}\n[[numbers]]\npattern = '{pattern}'\nvariables = ['model']\n", "s")
