"""Dev questions that a fold keeps back of its own training part, and what else its training can be given."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from lawqa.augment.question_types import ID_PREFIX
from lawqa.cli import main
from lawqa.pipelines.adapters.modes import ModeFigures
from lawqa.questions import Question, read_questions, write_questions
from lawqa.splits import find_leaks

pytestmark = [pytest.mark.torch, pytest.mark.slow]

COT = ("--mode", "cot", "--max-new-tokens", "4")
DEV = ("--dev-size", "3", "--eval-steps", "1", "--dev-max-new-tokens", "4")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, questions: Any) -> Path:
    path = tmp_path_factory.mktemp("data") / "questions.json"
    write_questions(path, sorted(questions, key=lambda one: len(one.context))[:14])
    return path


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions of nobody else's group."""
    path = tmp_path_factory.mktemp("others") / "others.json"
    made = [
        Question(
            id=f"extra{number}", text=f"架空の町の条例{word}について、正しいものを選べ。",
            choices=(f"{word}一", f"{word}二", f"{word}三", f"{word}四"), gold="abcd"[number], context="",
        )
        for number, word in enumerate(("椿", "鷺", "霞", "樫"))
    ]  # fmt: skip
    write_questions(path, made)
    return path


@pytest.fixture(scope="module")
def reasoning(others: Path) -> Path:
    """Records that reason, of those questions."""
    script, records = others.with_name("script.json"), others.with_name("reasoning.jsonl")
    texts = {
        one.id: f"選択肢を順に条文に照らして検討すると、{one.choices[0]}という記述から、この問いで問われて"
        f"いる要件を満たすのは一つである。{one.text}\n最終回答：{one.gold}"
        for one in read_questions(others)
    }
    script.write_text(json.dumps(texts), encoding="utf-8")
    assert main([
        "distill", "--data", str(others), "--output-path", str(records), "--llm-backend", "scripted",
        "--script", str(script), "--samples-per-question", "1", "--without", "agreed", "own-letters",
        "--length-quantiles", "0", "1",
    ]) == 0  # fmt: skip
    return records


def crossval(data: Path, model: Path, output: Path, *more: str) -> int:
    return main(
        ["crossval", "run", "--input", str(data), "--output-dir", str(output), "--no-4bit",
         "--model-name", str(model), "--folds", "2", "--fold", "1", "--max-steps", "2", "--batch-size", "8",
         *more]
    )  # fmt: skip


def content(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_fold_chooses_its_step_by_questions_of_its_own_training_part_answered_by_text(
    data: Path, reasoning: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output, options = (
        tmp_path / "cv",
        (*COT, *DEV, "--patience", "1", "--max-steps", "4", "--extra", f"{reasoning}=1"),
    )
    assert crossval(data, tiny_dir, output, *options) == 0
    err = capsys.readouterr().err
    planned, before, reached = (
        err.index(said)
        for said in ("answered by 1 text of at most 4 tokens, greedy; ", "step 0: dev accuracy",
                     "fold 1, seed 0: dev before training ")
    )  # fmt: skip
    assert planned < before < reached, "the cost is said before anything is asked"
    assert "of 3 texts, at most 12 tokens and " in err[planned:before]
    fold = output / "fold1" / "seed0"
    parts = {
        name: read_questions(output / "split" / "fold1" / f"{name}.json")
        for name in ("train", "dev", "test")
    }
    assert not find_leaks(parts["dev"], parts["train"])
    assert not find_leaks(parts["dev"], parts["test"])
    assert len(parts["dev"]) >= 3
    learnt = [json.loads(row) for row in (fold / "records.jsonl").read_text("utf-8").splitlines()]
    assert {row["question_id"] for row in learnt}.isdisjoint(one.id for one in parts["dev"])
    manifest = content(fold / "adapter" / "manifest.json")
    dev, figures = manifest["data"]["dev"], manifest["figures"]
    assert (dev["prompt_specs"], dev["answer_by"]) == ("cot-closed-v1", "generate")
    assert {one["id"] for one in dev["questions"]} <= {one.id for one in parts["dev"]}
    assert figures["best"]["step"] in {one["step"] for one in figures["dev"]}
    assert figures["steps"] == 2, "--patience 1 ends it: random weights get no better"
    assert crossval(data, tiny_dir, output, *options) == 0
    assert "done already" in capsys.readouterr().err
    assert (
        crossval(data, tiny_dir, output, *COT, "--max-steps", "4", "--extra", f"{reasoning}=1") == 2
    )
    assert "other settings (--dev-max-new-tokens, --dev-size, --eval-steps, --patience)" in (
        capsys.readouterr().err
    )


def test_where_letters_are_learnt_dev_questions_are_scored_on_the_letter(
    data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crossval(data, tiny_dir, tmp_path / "no", *COT, *DEV) == 2
    assert "dev questions are put as direct-closed-v1" in capsys.readouterr().err
    assert not (tmp_path / "no").exists()
    assert crossval(data, tiny_dir, tmp_path / "cv", *COT, "--dev-size", "0.2", "--quiet") == 0
    dev = content(tmp_path / "cv/fold1/seed0/adapter/manifest.json")["data"]["dev"]
    assert (dev["prompt_specs"], dev["answer_by"]) == ("direct-closed-v1", "logits")


def test_a_cross_validation_from_before_dev_questions_is_resumed(
    data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "cv"
    assert crossval(data, tiny_dir, output) == 0
    settings = output / "crossval.json"
    stored = content(settings)
    for name in ("dev_size", "max_synthetic_share", "init_adapter"):
        del stored["settings"][name]
    settings.write_text(json.dumps(stored), encoding="utf-8")
    capsys.readouterr()
    assert crossval(data, tiny_dir, output) == 0
    assert "done already" in capsys.readouterr().err
    assert crossval(data, tiny_dir, output, "--dev-size", "3") == 2
    assert "(--dev-size)" in capsys.readouterr().err


def train(model: Path, file: Path, output: Path) -> Path:
    assert main(["train", "--model-name", str(model), "--train-file", str(file), "--output-dir", str(output),
                 "--no-4bit", "--max-steps-override", "1", "--do-train", "--quiet"]) == 0  # fmt: skip
    return output


def test_folds_start_from_an_adapter_unless_it_has_seen_what_they_hold_out(
    data: Path, others: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = train(tiny_dir, data, tmp_path / "seen")
    first = train(tiny_dir, others, tmp_path / "first")
    capsys.readouterr()
    assert crossval(data, tiny_dir, tmp_path / "no", "--init-adapter", str(seen)) == 2
    err = capsys.readouterr().err
    assert f"--init-adapter {seen}: " in err
    assert "of its records are of groups that fold 1 holds out" in err
    assert not (tmp_path / "no").exists()
    assert (
        crossval(data, tiny_dir, tmp_path / "no", "--init-adapter", str(first), "--lora-r", "4")
        == 2
    )
    assert "its weights have another form than --lora-r 4" in capsys.readouterr().err
    output, options = tmp_path / "cv", ("--init-adapter", str(first), "--probe-questions", "1",
                                        "--probe-max-new-tokens", "2")  # fmt: skip
    assert crossval(data, tiny_dir, output, *options) == 0
    assert "fold 1, seed 0: modes\nmode " in capsys.readouterr().err
    manifest = content(output / "fold1/seed0/adapter/manifest.json")
    assert [one["trained_on"] for one in manifest["data"]["stages"]] == ["trained_on.stage1.jsonl"]
    assert len(manifest["figures"]["modes"]) == 3
    # Another adapter in its place is another cross-validation.
    shutil.copytree(seen, first, dirs_exist_ok=True)
    assert crossval(data, tiny_dir, output, *options) == 2
    assert "the weights of --init-adapter" in capsys.readouterr().err


def test_no_more_of_a_folds_records_are_synthetic_than_the_cap_says(
    data: Path, tiny_dir: Path, tmp_path: Path
) -> None:
    made = [
        Question(id=f"{ID_PREFIX}_{n}", text=f"架空の町の条例{n * 7919}について選べ。",
                 choices=(f"甲{n}", f"乙{n * 31}", f"丙{n * 53}", f"丁{n * 97}"), gold="a", context="")
        for n in range(1, 9)
    ]  # fmt: skip
    source, records = tmp_path / "made.json", tmp_path / "made.jsonl"
    write_questions(source, made)
    assert main(["records", "--lawqa-path", str(source), "--output-path", str(records)]) == 0
    share = ("--extra", f"{records}=1", "--max-synthetic-share", "0.25", "--quiet")
    assert crossval(data, tiny_dir, tmp_path / "cv", *share) == 0
    synthetic = content(tmp_path / "cv/fold1/seed0/adapter/manifest.json")["data"]["synthetic"]
    real = len(read_questions(tmp_path / "cv/split/fold1/train.json"))
    assert synthetic == {"records": real // 3, "left_out": 8 - real // 3}


def test_an_adapter_of_a_fold_that_lost_a_mode_is_named_in_the_pooled_notes(
    data: Path, tiny_dir: Path, tmp_path: Path
) -> None:
    for fold in ("1", "2"):
        assert crossval(data, tiny_dir, tmp_path / "cv", "--fold", fold, "--quiet") == 0
    path = tmp_path / "cv/fold2/seed0/adapter/manifest.json"
    manifest, side = content(path), vars(ModeFigures(4, 0, 0, 0, 0, 0, 9.0))
    manifest["figures"]["modes"] = [
        {
            "spec": "cot-closed-v1",
            "trained": False,
            "before": side,
            "after": side,
            "warning": "gone",
        }
    ]
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["crossval", "pool", str(tmp_path / "cv")]) == 0
    notes = content(tmp_path / "cv/pooled/seed0/summary.json")["notes"]
    assert "MODE LOST in fold 2: gone" in notes
