"""Plots of stored runs as matplotlib figures."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lawqa
from lawqa.questions import Question

if TYPE_CHECKING:
    from matplotlib.figure import Figure

pytest.importorskip("matplotlib", reason="figures need matplotlib")

pytestmark = [pytest.mark.slow, pytest.mark.plots]

NAME = "改良 $x$"


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, embedded_questions: Sequence[Question]
) -> tuple[str, str]:
    """Two runs, the second with three answers a question, under names in any script."""
    home = tmp_path_factory.mktemp("plots")
    lawqa.write_questions(home / "q.json", embedded_questions[:20])
    paths = []
    for name, right, samples in (("base", 6, 1), (NAME, 18, 3)):
        wrong = {"a": "b", "b": "c", "c": "d", "d": "a"}
        script = {
            q.id: q.gold if number < right else wrong[q.gold]
            for number, q in enumerate(embedded_questions[:20])
        }
        (home / "script.json").write_text(json.dumps(script), encoding="utf-8")
        lawqa.evaluate(
            lawqa.EvaluationConfig(
                home / "q.json", backend="scripted", script=home / "script.json", run_dir=home / name,
                ensemble=samples, answer_by="generate",
            )
        )  # fmt: skip
        paths.append(str(home / name))
    return paths[0], paths[1]


def texts(figure: Figure) -> list[str]:
    axes = figure.axes[0]
    named = [text.get_text() for one in figure.legends for text in one.get_texts()]
    return [*(label.get_text() for label in axes.get_yticklabels()), axes.get_xlabel(), *named]


def test_a_difference_is_drawn_where_it_lies_and_named(runs: tuple[str, str]) -> None:
    figure = lawqa.plot(runs, "difference", base=runs[0])
    compared = lawqa.compare_runs(*runs).judged[NAME].comparison
    (line,) = (one for one in figure.axes[0].lines if one.get_marker() == "s")
    assert line.get_xdata() == pytest.approx([100 * compared.difference])
    assert {NAME, "base = 0"} <= set(texts(figure))


@pytest.mark.parametrize("what", ["accuracy", "laws", "votes", "labels"])
def test_every_plot_shows_itself_as_png_without_pyplot(runs: tuple[str, str], what: str) -> None:
    figure = lawqa.plot(runs, what)  # type: ignore[arg-type]
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]
    assert NAME in texts(figure)


def test_names_of_one_plot_are_saved_as_text(runs: tuple[str, str], tmp_path: Path) -> None:
    lawqa.plot(runs, "accuracy").savefig(tmp_path / "a.svg")
    lawqa.plot(runs, "accuracy").savefig(tmp_path / "a.pdf")
    assert NAME in (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_what_is_not_there_is_refused_with_the_reason(runs: tuple[str, str]) -> None:
    with pytest.raises(lawqa.LawqaError, match="no run stores label probabilities"):
        lawqa.plot(runs, "calibration")
    with pytest.raises(lawqa.LawqaError, match="it takes two runs"):
        lawqa.plot(runs[0], "difference")
    with pytest.raises(lawqa.LawqaError, match=r"log\.jsonl: is not there"):
        lawqa.plot(runs[0], "loss")


def test_without_a_japanese_font_that_is_said(
    runs: tuple[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from lawqa.report.plots import figure

    monkeypatch.setattr(figure, "_japanese_font", lambda: None)
    lawqa.plot(runs, "accuracy")._repr_png_()  # a warning would be an error here
    assert caplog.text.count("no font for Japanese names") == 1


def test_the_curve_of_a_training(checkout: Path) -> None:
    adapter = checkout / "tests" / "runs" / "recorded" / "adapter"
    figure = lawqa.plot(adapter, "loss")
    rows = [json.loads(line) for line in (adapter / "log.jsonl").read_text().splitlines()]
    drawn = figure.axes[0].lines[0]
    assert [*drawn.get_ydata()] == [row["loss"] for row in rows if "loss" in row]  # type: ignore[misc]
