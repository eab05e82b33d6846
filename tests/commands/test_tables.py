"""What is wrong in a declaration is named by its place, in TOML's words."""

from __future__ import annotations

import pytest

from lawqa.commands.source import read_source
from lawqa.errors import ConfigError

pytestmark = pytest.mark.every_python


@pytest.mark.parametrize(
    ("old", "new", "said", "hint"),
    [
        ('model = "m"', "model = 5", "variables: model is a number, expected text", 'write "5"'),
        (
            'work = "w"',
            "work = true",
            "places.here.variables: work is true or false",
            'write "true"',
        ),
        ('title = "here"', "title = 0.5", "places.here: here: title is a number", 'write "0.5"'),
        ('"持っている"', "1", "given: {data} is a number, expected text", 'write "1"'),
        ('backends = ["hf"]', 'backends = ["hf", 3]', "backends: item 2 is a number", 'write "3"'),
        ('backends = ["hf"]', 'backends = "hf"', "backends is text, expected a list", ""),
        ('step = "StepI"', "step = 1", "one: step is a number, expected text", 'write "1"'),
        ('purpose = "first"', 'manual = 1\npurpose = "first"', "manual is a number", ""),
        ('purpose = "first"', 'accepts = ["0"]\npurpose = "first"', "item 1 is text", ""),
        ('condition = "rag"', "condition = 1979-05-27", "condition is a date, expected text", ""),
        ('points_ja = ["固定"]', "points_ja = [[]]", "points_ja: item 1 is a list", ""),
    ],
)
def test_a_value_of_another_type_is_named_with_what_to_write(
    small: str, old: str, new: str, said: str, hint: str
) -> None:
    assert small.count(old) == 1
    with pytest.raises(ConfigError) as caught:
        read_source(small.replace(old, new), "small.toml")
    assert said in caught.value.message
    assert caught.value.message.startswith("small.toml: ")
    assert hint in (caught.value.hint or "")


@pytest.mark.parametrize("key", ["commands", "documents", "numbers"])
def test_a_single_table_where_a_list_belongs_is_refused(small: str, key: str) -> None:
    text = small.replace("[[commands]]", "[[other]]").replace("[[other]]", "[commands]", 1)
    text = text.split("[[other]]")[0] if key == "commands" else small + f'\n[{key}]\nfile = "x"\n'
    with pytest.raises(ConfigError, match=f"small.toml: {key} is a table, expected a list"):
        read_source(text, "small.toml")


def test_a_declaration_without_an_experiment_says_so(small: str) -> None:
    start, end = small.index("[experiment]"), small.index("[targets.all]")
    with pytest.raises(ConfigError, match=r"small\.toml: experiment is missing"):
        read_source(small[:start] + small[end:], "small.toml")
