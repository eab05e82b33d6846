"""Variables of a place put into a command, and the line that a person types."""

from __future__ import annotations

import pytest

from lawqa.commands.expand import amount, expand, shell_line
from lawqa.errors import ConfigError

pytestmark = pytest.mark.every_python


def test_variables_may_name_others_but_not_each_other() -> None:
    assert expand("{a}/x", {"a": "{b}/y", "b": "z"}) == "z/y/x"
    with pytest.raises(ConfigError, match=r"here: variable \{c\} is not defined"):
        expand("{c}", {}, "here")
    with pytest.raises(ConfigError, match="go round in circles"):
        expand("{a}", {"a": "{b}", "b": "{a}"})


def test_a_command_is_typed_as_it_stands_quoted_and_on_lines_that_fit() -> None:
    assert shell_line(("a", "x y", "$z"), {"K": "v w"}) == "K='v w' a 'x y' '$z'"
    assert shell_line(("make", "t"), {}, "t.log") == "nohup make t > t.log 2>&1 &"
    flags = tuple(word for n in range(9) for word in (f"--flag-{n}", "a-long-value"))
    line = shell_line(("lawqa", "train", *flags), {})
    assert all(len(part) <= 92 for part in line.split("\n"))
    assert all(part.endswith(" \\") for part in line.split("\n")[:-1])
    assert line.replace(" \\\n    ", " ").split() == ["lawqa", "train", *flags]


@pytest.mark.parametrize("text", ["", "2 *", "2 ** 9", "f(2)", "'2'", "1 / 0", "x", "__import__"])
def test_an_amount_is_numbers_and_four_operations(text: str) -> None:
    assert amount("({a} + 1) * 4 / 2 - 1", {"a": "2"}, "here") == 5
    with pytest.raises(ConfigError, match=r"here: .* is not an amount"):
        amount(text, {}, "here")
