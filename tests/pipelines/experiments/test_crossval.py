"""`lawqa crossval`: every question is held out once, and an interrupted one resumes where it stopped."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions
from lawqa.statutes.articles import Article, Paragraph, write_articles

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, questions: Any) -> Path:
    path = tmp_path_factory.mktemp("data") / "questions.json"
    write_questions(path, questions[:12])
    return path


def crossval(data: Path, model: Path, output: Path, *more: str) -> int:
    return main(
        ["crossval", "run", "--input", str(data), "--output-dir", str(output), "--model-name", str(model),
         "--folds", "2", "--use-4bit", "--num-epochs", "1", "--batch-size", "8", "--learning-rate", "5e-3",
         *more]
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(data: Path, tiny_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-validation that nobody disturbed; to be copied, not written to."""
    output = tmp_path_factory.mktemp("whole") / "cv"
    assert crossval(data, tiny_dir, output) == 0
    return output


def rows(run: Path) -> list[dict[str, Any]]:
    text = (run / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_every_question_is_held_out_once_and_pooled_into_a_comparable_run(
    whole: Path, data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(whole, tmp_path / "cv")
    capsys.readouterr()
    assert crossval(data, tiny_dir, tmp_path / "cv", "--seeds", "2") == 0
    out = capsys.readouterr().out
    assert out.startswith("! POOLED: 2 folds")
    assert "over 2 training seeds: mean" in out
    pooled = tmp_path / "cv" / "pooled" / "seed0"
    assert len({row["file_name"] for row in rows(pooled)}) == len(rows(pooled)) == 12
    for fold in (1, 2):
        adapter = tmp_path / "cv" / f"fold{fold}" / "seed0" / "adapter" / "manifest.json"
        trained = {q["id"] for q in json.loads(adapter.read_text(encoding="utf-8"))["questions"]}
        asked = {row["file_name"] for row in rows(adapter.parents[1] / "run")}
        assert asked.isdisjoint(trained)
        assert len(asked | trained) == 12

    base = tmp_path / "base"
    assert main(["evaluate", "--data", str(data), "--hf-model-name", str(tiny_dir), "--hf-load-in-4bit",
                 "--run-dir", str(base)]) == 0  # fmt: skip
    capsys.readouterr()
    assert main(["compare", str(base), str(pooled)]) == 0
    out = capsys.readouterr().out
    assert "/seed0: POOLED" in out
    assert re.search(r"^against \S+ +\S+/seed0$", out, re.MULTILINE)
    assert re.search(r"^questions +12$", out, re.MULTILINE)


def test_it_goes_on_where_it_stopped_and_pools_the_same(
    whole: Path, data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pieces = tmp_path / "pieces"
    assert crossval(data, tiny_dir, pieces, "--fold", "2") == 0
    assert main(["crossval", "pool", str(pieces)]) == 2
    assert "fold 1 of 2 is missing" in capsys.readouterr().err
    # As a killed process leaves it: trained, not evaluated.
    adapter = pieces / "fold2" / "seed0" / "adapter" / "adapter_model.safetensors"
    trained_at = adapter.stat().st_mtime_ns
    manifest = pieces / "fold2" / "seed0" / "run" / "manifest.json"
    manifest.write_text(
        manifest.read_text(encoding="utf-8").replace('"done"', '"running"'), encoding="utf-8"
    )
    assert crossval(data, tiny_dir, pieces) == 0
    err = capsys.readouterr().err
    assert "fold 2, seed 0: training" not in err
    assert "1 of 2 trainings, " in err
    assert "fold 2, seed 0: evaluating" in err
    assert adapter.stat().st_mtime_ns == trained_at
    for one, other in zip(
        rows(whole / "pooled" / "seed0"), rows(pieces / "pooled" / "seed0"), strict=True
    ):
        assert one["file_name"] == other["file_name"]
        assert one["label_logprobs"] == pytest.approx(other["label_logprobs"], abs=1e-5)


def test_a_training_that_was_cut_short_in_a_fold_is_gone_on_with(
    data: Path,
    tiny_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from lawqa.training.checkpoints.checkpoint_state import CheckpointState

    options = ("--batch-size", "2", "--gradient-accumulation-steps", "1", "--fold", "1")
    assert crossval(data, tiny_dir, tmp_path / "whole", *options) == 0
    taken, original = [0], CheckpointState.took_step

    def took_step(keeper: CheckpointState, loss: float, tokens: int) -> None:
        taken[0] += 1
        if taken[0] == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        original(keeper, loss, tokens)

    monkeypatch.setattr(CheckpointState, "took_step", took_step)
    assert crossval(data, tiny_dir, tmp_path / "cut", *options) == 143
    err = capsys.readouterr().err
    assert "finished work is kept; run the same command again to resume\n" in err
    assert "interrupted: stopped after step 2 of 3; saved" in err
    monkeypatch.undo()
    assert crossval(data, tiny_dir, tmp_path / "cut", *options) == 0
    assert "checkpoint-2" in capsys.readouterr().err
    adapters = [
        (tmp_path / name / "fold1" / "seed0" / "adapter" / "adapter_model.safetensors").read_bytes()
        for name in ("whole", "cut")
    ]
    assert adapters[0] == adapters[1]


def test_a_signal_while_an_adapter_is_written_ends_the_whole(
    data: Path, tiny_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    from lawqa.pipelines.training import train

    written = train.write_outputs

    def write_outputs(*given: Any) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        written(*given)

    with monkeypatch.context() as patched:
        patched.setattr(train, "write_outputs", write_outputs)
        assert crossval(data, tiny_dir, tmp_path / "cv") == 143
    assert "run the same command again to resume" in capfd.readouterr().err
    assert not (tmp_path / "cv" / "fold2").exists()
    assert crossval(data, tiny_dir, tmp_path / "cv") == 0
    assert "fold 1, seed 0: training" not in capfd.readouterr().err


def test_shortened_contexts_are_said_by_every_fold_and_in_the_first_lines(
    data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--fold", "1", "--condition", "gold", "--max-seq-length", "500", "--quiet")
    assert crossval(data, tiny_dir, tmp_path / "cv", *options) == 0
    assert "! SHORTENED CONTEXTS: " in capsys.readouterr().err
    run = json.loads((tmp_path / "cv/fold1/seed0/run/manifest.json").read_text(encoding="utf-8"))
    assert run["notes"][0].startswith("SHORTENED CONTEXTS: ")


def test_a_fold_whose_results_were_cut_off_is_not_pooled(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(whole, tmp_path / "cv")
    results = tmp_path / "cv" / "fold2" / "seed0" / "run" / "results.jsonl"
    lines = results.read_bytes().splitlines(keepends=True)
    results.write_bytes(b"".join(lines[:-1]))
    capsys.readouterr()
    assert main(["crossval", "pool", str(tmp_path / "cv")]) == 2
    assert f"holds {len(lines) - 1} answers, and {len(lines)} were given" in capsys.readouterr().err


def test_other_settings_in_the_same_directory_are_refused(
    whole: Path, data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(whole, tmp_path / "cv", ignore=shutil.ignore_patterns("fold2", "pooled"))
    shutil.copytree(whole / "split" / "fold2", tmp_path / "cv" / "split" / "fold2")
    assert crossval(data, tiny_dir, tmp_path / "cv", "--fold", "2", "--lora-r", "4") == 2
    assert "holds a cross-validation with other settings (--lora-r)" in capsys.readouterr().err
    # What the message says to add after running out of memory.
    assert crossval(data, tiny_dir, tmp_path / "cv", "--fold", "2", "--token-budget", "2048") == 0
    assert crossval(data, tiny_dir, tmp_path / "cv", "--fold", "3") == 2
    assert "--fold is 3, expected 1 to 2" in capsys.readouterr().err


def test_fresh_begins_anew_and_leaves_other_files(
    whole: Path, data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(whole, tmp_path / "cv")
    (tmp_path / "cv" / "notes.txt").write_text("mine", encoding="utf-8")
    capsys.readouterr()
    other = ("--fresh", "--lora-r", "4")
    assert crossval(data, tiny_dir, tmp_path / "cv", *other) == 0
    assert "done already" not in capsys.readouterr().err
    config = tmp_path / "cv/fold2/seed0/adapter/adapter_config.json"
    assert json.loads(config.read_text(encoding="utf-8"))["r"] == 4
    assert (tmp_path / "cv" / "notes.txt").is_file()
    one = ("--fold", "2", "--lora-r", "4")
    assert crossval(data, tiny_dir, tmp_path / "cv", *one, "--fresh") == 0
    assert crossval(data, tiny_dir, tmp_path / "cv", "--lora-r", "4") == 0
    assert capsys.readouterr().err.count("done already") == 2


def test_an_index_that_was_built_anew_is_another_cross_validation(
    data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def index(text: str) -> None:
        paragraphs = (Paragraph(1, text),)
        write_articles(
            tmp_path / "articles.jsonl",
            [Article(id="1", law_id="1", law_title="民法", law_num="1", revision="", part="main",
                     article="1", caption="", paragraphs=paragraphs)],
        )  # fmt: skip
        assert main(["index", "build", "--articles", str(tmp_path / "articles.jsonl"),
                     "--output-dir", str(tmp_path / "index"), "--fresh"]) == 0  # fmt: skip

    rag = ("--condition", "rag", "--index", str(tmp_path / "index"))
    index("私権は、公共の福祉に適合しなければならない。選択肢、問題、次のうち。")
    assert crossval(data, tiny_dir, tmp_path / "cv", *rag) == 0
    index(
        "私権は、公共の福祉に適合しなければならない。選択肢、問題、次のうち。私権の享有は、出生に始まる。"
    )
    capsys.readouterr()
    assert crossval(data, tiny_dir, tmp_path / "cv", *rag) == 2
    assert (
        "holds a cross-validation with other settings (the retrieval's index)"
        in capsys.readouterr().err
    )
    settings = tmp_path / "cv" / "crossval.json"
    old = json.loads(settings.read_text(encoding="utf-8"))  # from before it was written down
    del old["settings"]["index_sha256"]
    settings.write_text(json.dumps(old), encoding="utf-8")
    shutil.rmtree(tmp_path / "cv" / "fold2")
    assert crossval(data, tiny_dir, tmp_path / "cv", *rag) == 2
    err = capsys.readouterr().err
    assert "contexts of different indexes" in err
    assert "hint: lawqa crossval run --fresh" in err


def test_folds_of_several_machines_are_pooled(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, others in (("one", "fold2"), ("two", "fold1")):
        shutil.copytree(whole, tmp_path / name, ignore=shutil.ignore_patterns(others, "pooled"))
    capsys.readouterr()
    out = tmp_path / "joined"
    assert main(["crossval", "pool", str(tmp_path / "one"), str(tmp_path / "two"),
                 "--output-dir", str(out)]) == 0  # fmt: skip
    assert "correct / asked" in capsys.readouterr().out
    assert len(rows(out / "seed0")) == 12


def test_a_directory_that_holds_none_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["crossval", "pool", str(tmp_path)]) == 2
    assert "crossval.json: no such file" in capsys.readouterr().err


def test_a_mix_is_trained_on_and_one_of_its_conditions_evaluated(
    data: Path, tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mixed = ("--fold", "1", "--mix", "closed=1,gold=1")
    assert crossval(data, tiny_dir, tmp_path / "cv", *mixed, "--condition", "gold") == 0
    fold = tmp_path / "cv" / "fold1" / "seed0"
    adapter = json.loads((fold / "adapter" / "manifest.json").read_text(encoding="utf-8"))
    assert set(adapter["prompt_specs"]) == {"direct-closed-v1", "direct-gold-v1"}
    assert {row["prompt_spec"] for row in rows(fold / "run")} == {"direct-gold-v1"}
    assert crossval(data, tiny_dir, tmp_path / "no", "--mix", "gold=1", "--fold", "1") == 2
    assert "direct-closed-v1 is evaluated but not trained on" in capsys.readouterr().err
