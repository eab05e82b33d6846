"""A small declaration that tests change in one place at a time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lawqa.commands.model import CommandSource
from lawqa.commands.source import read_source

SMALL = """
schema_version = 2
[variables]
model = "m"
data = "{work}/q.json"
[places.here]
title = "here"
title_ja = "ここ"
backends = ["hf"]
[places.here.variables]
work = "w"
[places.here.given]
"{data}" = "持っている"
[failures.oom]
when = "a"
when_ja = "あ"
do = "b"
do_ja = "い"
[[commands]]
id = "one"
step = "StepI"
places = ["here"]
title = "One"
title_ja = "一"
purpose = "first"
purpose_ja = "最初"
argv = ["lawqa", "train", "--model-name", "{model}"]
inputs = ["{data}"]
outputs = ["{work}/a"]
failures = ["oom"]
[[commands]]
id = "two"
step = "StepJ"
role = "primary"
places = ["here"]
title = "Two"
title_ja = "二"
purpose = "second"
purpose_ja = "次"
argv = ["lawqa", "evaluate", "--llm-backend", "hf", "--hf-model-name", "{model}"]
inputs = ["{work}/a/manifest.json"]
evaluates = "base"
[experiment]
id = "e"
title = "?"
title_ja = "？"
condition = "rag"
mode = "direct"
decides = "two"
commands = ["two"]
variables = ["model"]
points_ja = ["固定"]
[targets.all]
place = "here"
title = "both"
commands = ["one", "two"]
"""


@pytest.fixture
def small() -> str:
    return SMALL


@pytest.fixture
def changed() -> Callable[[str, str], CommandSource]:
    """The small declaration with one text replaced."""

    def change(old: str, new: str) -> CommandSource:
        assert SMALL.count(old) == 1, old
        return read_source(SMALL.replace(old, new), "small.toml")

    return change
