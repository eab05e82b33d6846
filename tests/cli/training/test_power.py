"""`lawqa plan --power`."""

from __future__ import annotations

import json

import pytest

from lawqa.cli import main


def test_the_table_says_what_each_way_to_ask_can_see(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--power", "--questions", "140", "--discordance", "0.25"]) == 0
    out = capsys.readouterr().out
    assert "80% of comparisons detect at p = 0.05" in out
    row = next(line for line in out.splitlines() if line.startswith("140"))
    single, seeds, vote, both = map(float, row.split()[2:])
    assert single == 12.2
    assert both < vote < seeds < single


def test_json_has_a_row_a_design(capsys: pytest.CaptureFixture[str]) -> None:
    flags = "--questions 5 140 --discordance 0.25 --votes 1 --seeds 1 --comparisons 8 --json"
    assert main(["plan", "--power", *flags.split()]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["alpha"] == 0.05 / 8
    assert [row["detectable_points"] for row in content["rows"]] == [
        None,
        pytest.approx(15.2, abs=0.2),
    ]


@pytest.mark.parametrize("flags", [
    "--power --discordance 1.5", "--power --votes 0", "--power --repeatable 2", "--power --spread -1",
    "--power --comparisons 0", "--questions 99",
])  # fmt: skip
def test_what_cannot_be_is_refused(flags: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", *flags.split()]) == 2
    assert "Traceback" not in capsys.readouterr().err
