"""Runs beside each other: which prompts pair up, and what is reported before the verdict."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.choices import cyclic_orders
from lawqa.cli import main
from lawqa.errors import ConfigError
from lawqa.pipelines.comparing.comparison import compare_runs
from lawqa.questions import Question, reordered, write_questions


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evaluated(name: str, questions: Any, answers: dict[str, Any], *flags: str) -> Path:
    write_questions(Path(f"{name}.json"), questions)
    Path(f"{name}.script.json").write_text(json.dumps(answers), encoding="utf-8")
    assert main(
        ["evaluate", "--data", f"{name}.json", "--llm-backend", "scripted", "--script",
         f"{name}.script.json", "--answer-by", "generate", "--run-dir", name, *flags]
    ) in (0, 3)  # fmt: skip
    return Path(name)


@pytest.mark.usefixtures("here")
def test_a_run_is_not_counted_twice(embedded_questions: tuple[Question, ...]) -> None:
    run = evaluated("one", embedded_questions[:6], {"*": "a"})
    for others in ([run], [Path("./two"), Path("two")]):
        with pytest.raises(ConfigError, match="is given twice"):
            compare_runs(run, others)


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_what_must_be_known_comes_right_after_the_difference(
    embedded_questions: tuple[Question, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = embedded_questions[:20]
    evaluated("base", asked, {"*": {"error": "broke"}, asked[0].id: "a"})
    reworded = [replace(question, text=f"{question.text}。") for question in asked]
    evaluated("other", reworded, {"*": "a"})
    capsys.readouterr()
    assert main(["compare", "base", "other"]) == 0
    out = capsys.readouterr().out
    notes = [line for line in out.splitlines() if line.startswith("! ")]
    assert out.startswith("other - base: +")
    assert notes == out.splitlines()[4 : 4 + len(notes)], (
        "after the difference and what goes with it"
    )
    assert "! DIFFERENT DATA: 20 questions of other not worded as in base" in notes
    assert any(note.startswith("! other: 100% of answers are a") for note in notes)
    outcomes = next(line for line in out.splitlines() if line.startswith("unparsed / truncated"))
    assert outcomes.split("failed")[1].split() == [
        "0",
        "/",
        "0",
        "/",
        "19",
        "0",
        "/",
        "0",
        "/",
        "0",
    ]
    assert main(["compare", "base", "other", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert content["runs"]["base"]["outcomes"]["failed"] == 19
    assert len(content["notes"]) == len(notes)


@pytest.mark.usefixtures("here")
def test_prompts_pair_up_by_the_choices_that_were_shown(
    embedded_questions: tuple[Question, ...],
) -> None:
    """A file of some orders only names them after the first that it has."""
    original = embedded_questions[:6]
    orders = cyclic_orders()
    both = [replace(reordered(q, orders[n]), order=n + 1) for q in original for n in (0, 1)]
    second = [question for question in both if question.order == 2]
    right = {question.id: "b" for question in original}
    evaluated("both", both, right)
    evaluated("second", second, right)
    found = compare_runs(Path("both"), [Path("second")], by="prompts")
    notes = " ".join(found.notes)
    assert "OTHER ORDERS OR SAMPLES: second and both are compared on the 6 prompts" in notes
    assert "DIFFERENT DATA" not in notes, "both were asked the same questions"
    (comparison,) = found.comparisons.values()
    assert (comparison.prompts, comparison.left_out_base, comparison.left_out_other) == (6, 6, 0)
    assert comparison.only_base == comparison.only_other == 0
    (finals,) = compare_runs(Path("both"), [Path("second")]).comparisons.values()
    assert (finals.questions, finals.left_out_base, finals.left_out_other) == (6, 0, 0)
    assert (finals.by_base, finals.by_other) == ("the vote over 2 orders", "single answers")


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_no_command_writes_over_what_it_reads(
    embedded_questions: tuple[Question, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    run = evaluated("run", embedded_questions[:4], {"*": "a"})
    kept = {
        path: path.read_bytes() for path in (Path("run.json"), *run.iterdir()) if path.is_file()
    }
    again = ["evaluate", "--data", "run.json", "--llm-backend", "scripted", "--script",
             "run.script.json", "--answer-by", "generate"]  # fmt: skip
    for command in (
        [*again, "--run-dir", "new", "--output", "run.json", "--resume"],
        [*again, "--run-dir", "new", "--output", "run.json", "--fresh"],
        [*again, "--run-dir", "new", "--output", "new/results.jsonl"],
        ["records", "--lawqa-path", "run.json", "--output-path", "run.json", "--fresh"],
        ["log", "run", "-o", "run/manifest.json", "--fresh"],
        ["log", "run", "-o", "run.json", "--fresh"],
        ["report", "run", "-o", "run.md", "--data", "run.md", "--fresh"],
    ):
        assert main(command) == 2, command
    err = capsys.readouterr().err
    assert err.count("is read, and would be overwritten") == 5
    assert {path: path.read_bytes() for path in kept} == kept
    assert not Path("new", "manifest.json").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("here")
def test_a_new_run_does_not_replace_an_output_because_it_may_resume(
    embedded_questions: tuple[Question, ...],
) -> None:
    Path("mine.json").write_text("{}", encoding="utf-8")
    write_questions(Path("q.json"), embedded_questions[:4])
    Path("s.json").write_text('{"*": "a"}', encoding="utf-8")
    command = ["evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json",
               "--answer-by", "generate", "--run-dir", "r", "--output", "mine.json", "--resume"]  # fmt: skip
    assert main(command) == 2
    assert Path("mine.json").read_text(encoding="utf-8") == "{}"
    Path("mine.json").unlink()
    assert main(command) == 0
    assert main(command) == 0  # the run's own output


@pytest.mark.usefixtures("here")
def test_an_ensemble_of_runs_has_one_answer_a_question(
    embedded_questions: tuple[Question, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = embedded_questions[:6]
    wrong: dict[str, Any] = {q.id: "b" if q.gold != "b" else "a" for q in asked}
    evaluated("base", asked, wrong)
    for number in range(3):  # each is wrong on two questions, and no two on the same one
        own = {q.id: q.gold for q in asked} | {
            q.id: wrong[q.id] for q in asked[2 * number : 2 * number + 2]
        }
        evaluated(f"seed{number}", asked, own)
    capsys.readouterr()
    runs = ["base", "seed0", "seed1", "seed2"]
    assert main(["compare", *runs, "--seeds", "ensemble"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("ensemble of seed0+seed1+seed2 - base: +100.0 points")
    assert "! ENSEMBLE: seed0, seed1, seed2 answer as one, by the vote of 3 runs" in out
    assert main(["compare", *runs, "--seeds", "ensemble", "--json"]) == 0
    content = json.loads(capsys.readouterr().out)
    together = "ensemble of seed0+seed1+seed2"
    assert list(content["comparisons"]) == [together]
    assert content["comparisons"][together]["by_other"] == "the vote of 3 runs"
    assert content["runs"][together]["final"]["name"] == "the vote of 3 runs"
    assert content["runs"][together]["final"]["accuracy"]["correct"] == 6
    assert content["runs"]["seed0"]["final"]["accuracy"]["correct"] == 4
    for words, problem in (
        ([*runs, "--by", "orders"], "--by orders is no vote of several runs"),
        ([*runs, "--by", "soft"], "the soft vote needs label probabilities"),
        (runs[:2], "--seeds ensemble: only one run is held against the base"),
    ):
        assert main(["compare", *words, "--seeds", "ensemble"]) == 2
        assert problem in capsys.readouterr().err
