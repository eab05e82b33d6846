"""Held-out questions asked in any way: votes of reasoned answers, orders, the prior, extra records."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.cli import main
from lawqa.pipelines.experiments import crossval_records
from lawqa.questions import Question, write_questions
from lawqa.runs.result_log import ResultLog

pytestmark = [pytest.mark.torch, pytest.mark.slow]

COT = ("--mode", "cot", "--ensemble", "3", "--max-new-tokens", "4")
FIVE = ("--folds", "5", "--batch-size", "1", "--gradient-accumulation-steps", "1", *COT)
"""All embedded questions; what a fold learns is no matter."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, questions: Any) -> Path:
    path = tmp_path_factory.mktemp("data") / "questions.json"
    write_questions(path, questions[:12])
    return path


def crossval(data: Path, model: Path, output: Path, *more: str) -> int:
    return main(
        ["crossval", "run", "--input", str(data), "--output-dir", str(output), "--no-4bit",
         "--model-name", str(model),
         "--folds", "2", "--max-steps", "1", "--batch-size", "8", "--quiet", *more]
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(embedded_file: Path, tiny_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Votes of reasoned answers that nobody disturbed; to be copied, not written to."""
    output = tmp_path_factory.mktemp("whole") / "cv"
    assert crossval(embedded_file, tiny_dir, output, *FIVE) == 0
    return output


def rows(run: Path) -> list[dict[str, Any]]:
    text = (run / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def summary(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((path / "summary.json").read_text(encoding="utf-8"))
    return content


def test_votes_of_reasoned_answers_are_pooled_with_one_final_answer_a_question(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pooled = whole / "pooled" / "seed0"
    assert len(rows(pooled)) == 180
    assert {row["prompt_spec"] for row in rows(pooled)} == {"cot-closed-v1"}
    for said in (summary(pooled), summary(whole / "pooled")):
        assert said["final"]["accuracy"]["asked"] == 60
        assert said["final"]["name"] == "the vote of 3"
        first, second, *_ = said["notes"]
        assert first == (
            "ASKED OTHERWISE THAN TRAINED: the adapter learnt letters, with direct-closed-v1, and is asked "
            "with cot-closed-v1; that is declared"
        )
        assert second.startswith("POOLED: 5 folds")
        assert not any("MISMATCH" in note for note in said["notes"])
    other = tmp_path / "other"
    shutil.copytree(pooled, other)
    assert main(["compare", str(pooled), str(other)]) == 0
    assert main(["rescore", str(pooled)]) == 0
    assert main(["runs", "list", str(whole)]) == 0
    assert main(["report", str(pooled), "-o", str(tmp_path / "report.html")]) == 0
    assert main(["crossval", "pool", str(whole), "--output-dir", str(tmp_path / "again")]) == 0
    out = capsys.readouterr().out
    assert "! ASKED OTHERWISE THAN TRAINED" in out
    limits = summary(whole / "pooled")["limits"]
    assert f"ran into a limit: {limits['answers']} (" in out
    assert limits["sentence"] in out


def test_killed_twenty_times_inside_generation_it_gives_the_same_answers(
    whole: Path,
    embedded_file: Path,
    tiny_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut = tmp_path / "cut"
    shutil.copytree(whole, cut)
    for run in (*cut.glob("fold*/seed0/run"), cut / "pooled"):
        shutil.rmtree(run)
    appended, kills, original = [0], 0, ResultLog.append

    def append(log: ResultLog, result: Any) -> Any:
        line = original(log, result)
        appended[0] += 1
        if appended[0] == 9 and kills < 20:  # 20 times, all over the 180 answers
            os.kill(os.getpid(), signal.SIGTERM)
        return line

    monkeypatch.setattr(ResultLog, "append", append)
    while (code := crossval(embedded_file, tiny_dir, cut, *FIVE)) == 143:
        kills += 1
        appended[0] = 0
    assert (code, kills) == (0, 20)
    kept = ("file_name", "repeat", "response", "pred", "outcome", "stopped")
    one, other = (
        [{key: row.get(key) for key in kept} for row in rows(path / "pooled" / "seed0")]
        for path in (whole, cut)
    )
    assert one == other


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--mode", "cot", "--ensemble", "3", "--temperature", "0"], "needs a --temperature above 0"),
        ([*COT, "--eval-permutations", "4"], "--ensemble 3 with --eval-permutations 4"),
        (["--thinking-budget", "8"], "--thinking-budget needs --thinking"),
        (["--mode", "cot", "--max-new-tokens", "0"], "max-new-tokens is 0"),
        (["--eval-token-budget", "-1"], "--eval-token-budget is -1"),
        (["--learn-from", "distilled"], "a direct answer is one letter"),
        (["--mode", "cot", "--learn-from", "distilled", "--mix", "closed=1"], "--mix is of letters"),
        (["--mode", "cot", "--learn-from", "distilled", "--permutations", "4"], "--permutations 4 is of"),
        (["--mode", "cot", "--mix", "gold=1"], "direct-closed-v1 is evaluated but not trained on"),
        (["--mode", "cot", "--prior-correction"], "--prior-correction is of answers by the likeliest"),
        (["--extra", "nowhere.jsonl=1"], "there is no such file"),
        (["--extra", "nowhere.jsonl"], "expected FILE=WEIGHT"),
        (["--extra", "nowhere.jsonl=0"], "expected FILE=WEIGHT"),
        (["--extra", "nowhere.jsonl=nan"], "expected FILE=WEIGHT"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_is_written(
    options: list[str], said: str, data: Path, tiny_dir: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert crossval(data, tiny_dir, tmp_path / "cv", *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "cv").exists()


def test_a_file_where_the_output_is_to_go_is_refused_by_name(
    data: Path, tiny_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for output in (data, data / "cv"):
        assert crossval(data, tiny_dir, output, *COT) == 2
        assert f"--output-dir {output}: {data} is a file" in capsys.readouterr().err


def test_other_ways_of_asking_are_another_cross_validation(
    whole: Path,
    embedded_file: Path,
    tiny_dir: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = tmp_path / "cv"
    shutil.copytree(whole, copy)
    for options, named in (
        ((*FIVE, "--ensemble", "5"), "--ensemble"),
        ((*FIVE, "--ensemble", "4", "--eval-permutations", "4"), "--eval-permutations"),
        ((*FIVE, "--learn-from", "distilled"), "--learn-from"),
        ((*FIVE, "--mode", "direct"), "--mode"),
        ((*FIVE, "--prompt", "provisions"), "--prompt"),
    ):
        assert crossval(embedded_file, tiny_dir, copy, *options) == 2
        assert named in capsys.readouterr().err
    assert crossval(embedded_file, tiny_dir, copy, *FIVE, "--eval-token-budget", "999") == 0
    manifest = copy / "fold2" / "seed0" / "run" / "manifest.json"
    manifest.write_text("{", encoding="utf-8")
    assert crossval(embedded_file, tiny_dir, copy, *FIVE) == 2
    err = capsys.readouterr().err
    assert f"{manifest}: broken JSON" in err
    assert f"hint: remove {manifest.parent}, and the same command" in err


def test_orders_are_averaged_and_the_prior_is_fitted_on_training_questions_only(
    data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "cv"
    options = ("--eval-permutations", "4", "--prior-correction")
    assert crossval(data, tiny_dir, output, *options) == 0
    out = capsys.readouterr().out
    assert "the mean over 4 orders" in out
    assert "seed0: prior of the letters removed (PriDe): " in out
    pooled = summary(output / "pooled")
    assert not any(note.startswith(("ASKED OTHERWISE", "LEAK")) for note in pooled["notes"])
    assert len(pooled["prior"]["priors"]) == 2
    for fold in (1, 2):
        asked = {row["file_name"] for row in rows(output / f"fold{fold}" / "seed0" / "prior")}
        held_out = {row["file_name"] for row in rows(output / f"fold{fold}" / "seed0" / "run")}
        assert asked
        assert asked.isdisjoint(held_out)
    plain = summary(output / "pooled" / "seed0")["final"]["accuracy"]
    assert pooled["prior"]["plain"]["correct"] == plain["correct"]  # beside it, never instead of it


def test_an_extra_record_of_a_held_out_group_is_refused_by_name(
    data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = tmp_path / "more.jsonl"
    assert main(["records", "--lawqa-path", str(data), "--output-path", str(records)]) == 0
    assert crossval(data, tiny_dir, tmp_path / "cv", "--extra", f"{records}=1") == 2
    err = capsys.readouterr().err
    assert f"--extra {records}: " in err
    named = (
        r"\d+ of its records are of groups that fold 1 holds out: record \d+ \(.*問題番号\d+#1\)"
    )
    assert re.search(named, err)
    assert not (tmp_path / "cv").exists()
    assert crossval(data, tiny_dir, tmp_path / "cv", "--extra", f"{data}=1") == 2
    assert "holds no training records" in capsys.readouterr().err


def test_extra_records_are_taken_as_often_as_their_weight_says(
    data: Path, tiny_dir: Path, tmp_path: Path
) -> None:
    others = [
        Question(
            id=f"extra{number}", text=f"架空の町の条例{word}について、正しいものを選べ。",
            choices=(f"{word}一", f"{word}二", f"{word}三", f"{word}四"), gold="a", context="",
        )
        for number, word in enumerate(("椿", "鷺", "霞", "樫"))
    ]  # fmt: skip
    source, records = tmp_path / "others.json", tmp_path / "others.jsonl"
    write_questions(source, others)
    assert main(["records", "--lawqa-path", str(source), "--output-path", str(records)]) == 0
    options = ("--fold", "1", "--extra", f"{records}=1.5")
    assert crossval(data, tiny_dir, tmp_path / "cv", *options) == 0
    text = (tmp_path / "cv" / "fold1" / "seed0" / "records.jsonl").read_text(encoding="utf-8")
    taken = [json.loads(line)["question_id"] for line in text.splitlines()]
    assert sum(one.startswith("extra") for one in taken) == 6
    assert {one for one in taken if one.startswith("extra")} == {question.id for question in others}


@pytest.fixture
def _reasons_well(questions: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A base model that reasons to the right answer."""
    table = {
        question.id: f"選択肢を順に条文に照らして検討すると、{question.choices[0][:12]}という記述から、"
        f"この問いで問われている要件を満たすのは一つである。{question.text[:20]}\n最終回答：{question.gold}"
        for question in questions[:12]
    }
    backend = ScriptedBackend(table)
    monkeypatch.setattr(crossval_records, "open_backend", lambda *_: backend)


@pytest.mark.usefixtures("_reasons_well")
def test_sampled_reasoning_is_divided_by_fold(data: Path, tiny_dir: Path, tmp_path: Path) -> None:
    output = tmp_path / "cv"
    options = (*COT, "--learn-from", "distilled", "--samples-per-question", "2")
    assert crossval(data, tiny_dir, output, *options) == 0
    notes = summary(output / "pooled" / "seed0")["notes"]
    assert not any(note.startswith("ASKED OTHERWISE") for note in notes)
    for fold in (1, 2):
        text = (output / f"fold{fold}" / "seed0" / "records.jsonl").read_text(encoding="utf-8")
        learnt = [json.loads(line) for line in text.splitlines()]
        held_out = {row["file_name"] for row in rows(output / f"fold{fold}" / "seed0" / "run")}
        assert {one["source"] for one in learnt} == {"distill"}
        assert learnt
        assert held_out.isdisjoint({one["question_id"] for one in learnt})


def test_a_fold_that_keeps_no_sampled_answer_is_an_error_with_the_counts(
    data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "cv"
    options = (*COT, "--learn-from", "distilled", "--samples-per-question", "1")
    assert crossval(data, tiny_dir, output, *options) == 2
    err = capsys.readouterr().err
    assert "fold 1: none of its " in err
    assert "kept a sampled answer to learn from (of their samples: 6 cut off)" in err
    assert not list(output.glob("fold*/seed*/adapter"))
    assert crossval(data, tiny_dir, output, *options[:-1], "2") == 2
    assert "(--samples-per-question)" in capsys.readouterr().err


def test_a_model_without_thinking_is_refused_before_the_first_training(
    data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_dir, model)
    for path in model.glob("*"):
        if path.suffix in (".jinja", ".json") and "enable_thinking" in path.read_text(
            encoding="utf-8"
        ):
            text = path.read_text(encoding="utf-8").replace("enable_thinking", "no_such_switch")
            path.write_text(text, encoding="utf-8")
    assert crossval(data, model, tmp_path / "cv", "--thinking", "--max-new-tokens", "16") == 2
    assert "this model's chat template has no thinking switch" in capsys.readouterr().err
    assert not (tmp_path / "cv").exists()
