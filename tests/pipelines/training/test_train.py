"""`lawqa train` and what `lawqa evaluate` makes of its adapter, as a student runs them."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.pipelines.corpus.records_provenance import write_provenance
from lawqa.questions import write_questions

pytestmark = pytest.mark.torch


class Work:
    """A directory with a train and a test file, and commands that run in it."""

    def __init__(self, directory: Path, model: Path) -> None:
        self.directory = directory
        self.model = model
        self.adapter = directory / "adapter"

    def train(self, *more: str) -> int:
        return main(
            [
                "train", "--model-name", str(self.model), "--train-file", str(self.directory / "train.json"),
                "--output-dir", str(self.adapter), "--use-4bit", "--num-epochs", "1", "--batch-size", "4",
                "--gradient-accumulation-steps", "1", "--learning-rate", "5e-3", *more,
            ]
        )  # fmt: skip

    def evaluate(self, data: str, name: str, *more: str) -> int:
        return main(
            [
                "evaluate", "--data", str(self.directory / data), "--hf-model-name", str(self.model),
                "--run-dir", str(self.directory / name), *more,
            ]
        )  # fmt: skip

    def rows(self, name: str) -> list[dict[str, Any]]:
        text = (self.directory / name / "results.jsonl").read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def work(tmp_path: Path, tiny_dir: Path, questions: Any) -> Work:
    write_questions(tmp_path / "train.json", questions[:12])
    write_questions(tmp_path / "test.json", questions[12:20])
    write_questions(tmp_path / "mixed.json", questions[10:16])
    return Work(tmp_path, tiny_dir)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Work:
    directory = tmp_path_factory.mktemp("trained")
    write_questions(directory / "train.json", questions[:12])
    write_questions(directory / "test.json", questions[12:20])
    write_questions(directory / "mixed.json", questions[10:16])
    work = Work(directory, tiny_dir)
    assert work.train("--do-train") == 0
    return work


def test_without_do_train_it_is_a_rehearsal_that_writes_nothing(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.train() == 0
    out = capsys.readouterr().out
    assert "records    12 from" in out
    assert "steps      3 of 4 records (4 x 1), 3 an epoch, 1 epochs" in out
    assert "loss, 2 tokens:" in out
    assert "rehearsal only: nothing was trained or written" in out
    assert not work.adapter.exists()


@pytest.mark.slow
def test_training_leaves_an_adapter_with_a_manifest(trained: Work) -> None:
    names = {path.name for path in trained.adapter.iterdir()}
    assert {
        "adapter_config.json",
        "adapter_model.safetensors",
        "manifest.json",
        "log.jsonl",
    } <= names
    manifest = json.loads((trained.adapter / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["schema_version"] == 1
    assert (manifest["kind"], manifest["status"]) == ("train", "done")
    assert list(manifest["prompt_specs"]) == ["direct-closed-v1"]
    assert len(manifest["questions"]) == 12
    assert manifest["model"]["quantisation"] == "nf4"
    assert manifest["figures"]["steps"] == 3
    assert len(manifest["data"]["sha256"]) == 64
    assert manifest["ended"] >= manifest["started"]


@pytest.mark.slow
def test_the_adapter_is_a_standard_one_and_reloads_to_the_same_scores(
    trained: Work, tiny_dir: Path, questions: Any
) -> None:
    from peft import PeftModel

    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.load import load_model
    from lawqa.pipelines.training.prepare import prepare_training
    from lawqa.pipelines.training.train import train
    from lawqa.prompting import PromptSpec, build_prompt
    from lawqa.settings import Hyperparameters, ModelSettings, TrainingRun

    prompts = [build_prompt(question, PromptSpec()) for question in questions[12:20]]
    training = Hyperparameters(num_epochs=1, batch_size=4, learning_rate=5e-3)
    again = trained.directory / "again"
    config = TrainingRun(
        train_file=trained.directory / "train.json",
        output_dir=again,
        model_name=str(tiny_dir),
        load_in_4bit=True,
        training=training,
        quiet=True,
    )
    prepared = prepare_training(config)
    train(prepared)
    prepared.loaded.model = prepared.model
    in_memory = {s.key: s.logprobs for s in HFBackend(prepared.loaded).score_choices(prompts)}  # type: ignore[union-attr]
    reloaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True), again)
    assert isinstance(reloaded.model, PeftModel)
    base = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=True))
    from_base = {s.key: s.logprobs for s in HFBackend(base).score_choices(prompts)}  # type: ignore[union-attr]
    for item in HFBackend(reloaded).score_choices(prompts):
        assert item.logprobs == pytest.approx(in_memory[item.key], abs=1e-5)  # type: ignore[union-attr]
        assert item.logprobs != pytest.approx(from_base[item.key], abs=1e-2)  # type: ignore[union-attr]


def test_held_out_questions_are_scored_over_4_bits_as_trained(
    trained: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--hf-lora-path", str(trained.adapter), "--fresh")
    assert trained.evaluate("test.json", "held-out", *options) == 0
    out = capsys.readouterr().out
    assert "correct / asked" in out
    assert "LEAK" not in out
    manifest = json.loads(
        (trained.directory / "held-out" / "manifest.json").read_text(encoding="utf-8")
    )
    assert manifest["model"]["quantisation"] == "nf4"
    assert manifest["adapter"]["path"] == str(trained.adapter)
    assert len(trained.rows("held-out")) == 8


def test_trained_on_questions_are_refused_before_a_model_is_loaded(
    trained: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--hf-lora-path", str(trained.adapter))
    assert trained.evaluate("mixed.json", "leak", *options) == 2
    captured = capsys.readouterr()
    assert "2 of 6 questions were in the training of" in captured.err
    assert "--allow-leak" in captured.err
    assert not (trained.directory / "leak").exists()


def test_questions_that_share_a_context_with_a_trained_one_are_refused_too(
    trained: Work, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    relative = replace(questions[20], id="新しい問題", context=questions[0].context)
    write_questions(trained.directory / "related.json", [relative, *questions[12:14]])
    assert trained.evaluate("related.json", "related", "--hf-lora-path", str(trained.adapter)) == 2
    err = capsys.readouterr().err
    assert "1 of 3 questions with the context or article of one that was in the training of" in err
    assert "新しい問題" in err


@pytest.mark.slow
def test_an_allowed_leak_stands_in_the_first_line_everywhere(
    trained: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    output = trained.directory / "leak-allowed.json"
    options = (
        "--hf-lora-path",
        str(trained.adapter),
        "--allow-leak",
        "--fresh",
        "--output",
        str(output),
    )
    assert trained.evaluate("mixed.json", "leak-allowed", *options) == 0
    assert capsys.readouterr().out.startswith("! LEAK: 2 of 6 questions were in the training of")
    for path in (output, trained.directory / "leak-allowed" / "summary.json"):
        content = json.loads(path.read_text(encoding="utf-8"))
        assert content.get("summary", content)["notes"][0].startswith("LEAK: 2 of 6")


@pytest.mark.slow
def test_a_prompt_that_was_not_trained_on_is_refused_unless_allowed(
    trained: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("--hf-lora-path", str(trained.adapter), "--condition", "gold", "--fresh")
    assert trained.evaluate("test.json", "gold", *options) == 2
    assert (
        "was trained on the prompt specs direct-closed-v1, not on direct-gold-v1"
        in capsys.readouterr().err
    )
    assert trained.evaluate("test.json", "gold", *options, "--allow-prompt-mismatch") == 0
    assert capsys.readouterr().out.startswith("! PROMPT MISMATCH")


@pytest.mark.slow
def test_another_base_model_is_refused_by_name(
    trained: Work, tiny_tokenizer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from lawqa.models.tiny import write_tiny_model

    write_tiny_model(tmp_path / "other", tiny_tokenizer, seed=7)
    other = Work(trained.directory, tmp_path / "other")
    assert other.evaluate("test.json", "other", "--hf-lora-path", str(trained.adapter)) == 2
    err = capsys.readouterr().err
    assert "was trained over" in err
    assert f"--hf-model-name {trained.model}" in err


@pytest.mark.slow
def test_a_moved_base_model_is_still_the_same(trained: Work, tmp_path: Path) -> None:
    shutil.copytree(trained.model, tmp_path / "moved")
    moved = Work(trained.directory, tmp_path / "moved")
    options = ("--hf-lora-path", str(trained.adapter), "--fresh", "--samples", "2")
    assert moved.evaluate("test.json", "moved", *options) == 0


@pytest.mark.slow
def test_an_adapter_without_a_manifest_is_used_and_that_is_said(
    trained: Work, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = tmp_path / "old-adapter"
    shutil.copytree(trained.adapter, old)
    (old / "manifest.json").unlink()
    options = ("--hf-lora-path", str(old), "--hf-load-in-4bit", "--samples", "2", "--fresh")
    assert trained.evaluate("mixed.json", "old", *options) == 0
    assert capsys.readouterr().out.startswith("! UNKNOWN TRAINING")


@pytest.mark.slow
def test_a_used_output_directory_is_refused_and_fresh_replaces_it(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.train("--do-train", "--max-steps-override", "1") == 0
    assert work.train("--do-train", "--max-steps-override", "1") == 2
    assert "already holds a run" in capsys.readouterr().err
    assert work.train("--do-train", "--max-steps-override", "2", "--fresh") == 0
    manifest = json.loads((work.adapter / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["figures"]["steps"] == 2
    assert len(list((work.adapter / "tensorboard").iterdir())) == 1


def test_too_long_records_are_named_and_nothing_is_cut(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    assert work.train("--max-seq-length", "64") == 2
    err = capsys.readouterr().err
    assert "12 of 12 records cannot be trained on" in err
    assert "more than --max-seq-length 64" in err


@pytest.mark.slow
def test_the_labs_old_records_train_with_a_warning(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    old = work.directory / "old.jsonl"
    rows = [{"input": f"質問{i}に答えてください。", "output": "c", "meta": {}} for i in range(4)]
    old.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert work.train("--train-file", str(old), "--do-train") == 0
    captured = capsys.readouterr()
    assert "old input/output records" in captured.err
    manifest = json.loads((work.adapter / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["prompt_specs"] == {"lab-legacy": ""}
    assert work.evaluate("test.json", "r", "--hf-lora-path", str(work.adapter)) == 2
    assert "not on direct-closed-v1" in capsys.readouterr().err


def test_generated_answers_are_parsed_and_their_text_kept(work: Work) -> None:
    options = ("--answer-by", "generate", "--max-new-tokens", "4", "--samples", "3")
    assert work.evaluate("test.json", "generated", *options) == 0
    rows = work.rows("generated")
    assert len(rows) == 3
    for row in rows:
        assert row["completion_tokens"] <= 4
        assert row["prompt"].endswith("</think>\n\n")
        assert (row["predicted_answer"] is None) == (row["outcome"] in ("unparsed", "truncated"))


@pytest.mark.slow
def test_statutes_read_are_declared_and_no_leak_through_two_stages_and_a_comparison(
    work: Work, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from lawqa.augment.reading import ReadingRecord, write_readings

    asked = questions[12]
    text = "## 例示法\n### 第{}条\nこの法律の規定は、例を示すことを目的として定める。"
    articles = [ReadingRecord(f"x/{i}", "例示法", text.format(i)) for i in range(1, 40)]
    articles.append(ReadingRecord("y/1", "他法", asked.context))
    readings, chats = work.directory / "reading.jsonl", work.directory / "chats.jsonl"
    write_readings(readings, articles)
    turns = [{"role": "user", "content": "こんにちは"}, {"role": "assistant", "content": "はい。"}]
    lines = [json.dumps({"messages": turns}, ensure_ascii=False)] * 4
    chats.write_text("\n".join(lines) + "\n", encoding="utf-8")
    first = work.directory / "first"
    read = ("--train-file", str(readings), "--extra", f"{chats}=1", "--max-seq-length", "256",
            "--output-dir", str(first), "--do-train", "--num-epochs", "3",
            "--dev-file", str(work.directory / "mixed.json"), "--dev-condition", "closed",
            "--probe-questions", "1", "--probe-max-new-tokens", "4")  # fmt: skip
    assert work.train(*read) == 0
    said = capsys.readouterr()
    assert "holds 40 statutes' articles to read" in said.err
    assert "nothing but statutes is read" not in said.err
    assert "direct-closed" in said.out  # the probe of what is left
    manifest = json.loads((first / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["figures"]["last_loss"] < manifest["figures"]["first_loss"]
    assert manifest["data"]["statutes_read"] == {
        "articles": 40, "laws": ["他法", "例示法"], "unknown": 0,
    }  # fmt: skip
    assert [extra["records"] for extra in manifest["data"]["extra"]] == [4]
    assert sorted(path.name for path in first.glob("trained_on*")) == [
        "trained_on.jsonl", "trained_on.records.jsonl",
    ]  # fmt: skip

    assert work.evaluate("test.json", "after", "--hf-lora-path", str(first)) == 0
    notes = json.loads((work.directory / "after/summary.json").read_text(encoding="utf-8"))["notes"]
    (said,) = [note for note in notes if note.startswith("STATUTES READ: ")]
    assert "has read 40 articles of 2 statutes as text" in said
    assert "2 of 8 questions quote one of them; it was trained on no prompt" in said
    assert not any(note.startswith(("LEAK", "UNKNOWN", "PROMPT")) for note in notes)

    second = ("--init-adapter", str(first), "--max-steps-override", "1", "--do-train")
    assert work.train(*second) == 0
    stage = json.loads((work.adapter / "manifest.json").read_text(encoding="utf-8"))["data"]
    assert stage["statutes_read"]["articles"] == 40
    assert {"trained_on.stage1.jsonl", "trained_on.stage1.records.jsonl"} <= {
        path.name for path in work.adapter.iterdir()
    }
    assert work.evaluate("test.json", "staged", "--hf-lora-path", str(work.adapter)) == 0
    capsys.readouterr()
    runs = [str(work.directory / name) for name in ("after", "staged")]
    assert main(["compare", *runs]) == 0
    assert capsys.readouterr().out.count("STATUTES READ: ") == 2
    report = str(work.directory / "report.html")
    assert main(["report", *runs, "--lang", "en", "--output", report, "--quiet"]) == 0
    assert "has read statutes as text." in Path(report).read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_question_that_is_printed_among_statutes_to_read_is_a_leak(
    work: Work, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    from lawqa.augment.reading import ReadingRecord, write_readings

    asked = questions[12]
    printed = "\n".join([asked.text, *asked.choices])
    write_readings(work.directory / "reading.jsonl", [ReadingRecord("x/1", "例示法", printed)])
    options = ("--train-file", str(work.directory / "reading.jsonl"), "--do-train")
    assert work.train(*options, "--max-steps-override", "1") == 0
    assert "nothing but statutes is read" in capsys.readouterr().err
    assert work.evaluate("test.json", "r", "--hf-lora-path", str(work.adapter)) == 2
    assert "--allow-leak" in capsys.readouterr().err


@pytest.mark.slow
def test_the_manifest_says_what_retrieved_contexts_were_made_with(work: Work) -> None:
    records = work.directory / "train.jsonl"
    assert main(["records", "--lawqa-path", str(work.directory / "train.json"), "--output-path",
                 str(records)]) == 0  # fmt: skip
    made_with = {"top_k": 5, "raft": {"distractors": 1, "without_gold": 0.5, "seed": 0}}
    write_provenance(records, made_with, ["direct-rag-v1"], 0)
    options = ("--train-file", str(records), "--max-steps-override", "1")
    assert work.train(*options, "--do-train") == 0
    manifest = json.loads((work.adapter / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["data"]["retrieval"] == made_with


@pytest.mark.slow
def test_long_contexts_are_shortened_and_that_is_said_and_stored(
    work: Work, capsys: pytest.CaptureFixture[str]
) -> None:
    records = work.directory / "gold.jsonl"
    assert main(["records", "--lawqa-path", str(work.directory / "train.json"), "--output-path",
                 str(records), "--condition", "gold"]) == 0  # fmt: skip
    options = ("--train-file", str(records), "--max-seq-length", "500", "--max-steps-override", "1")
    assert work.train(*options, "--do-train") == 0
    captured = capsys.readouterr()
    manifest = json.loads((work.adapter / "manifest.json").read_text(encoding="utf-8"))
    shortened = manifest["data"]["shortened"]
    assert shortened > 0
    assert f", limit 500; {shortened} with a shortened context" in captured.out
    said = re.search(
        rf"note: (SHORTENED CONTEXTS: {shortened} of 12 records lost \d+ to \d+ tokens .*"
        r"--max-seq-length (\d+), or none, keeps all whole)\n",
        captured.err,
    )
    assert said is not None
    assert manifest["notes"] == [said[1]]
    # The evaluation says it in its first line.
    assert (
        work.evaluate("test.json", "r", "--hf-lora-path", str(work.adapter), "--condition", "gold")
        == 0
    )
    assert capsys.readouterr().out.startswith(
        f"! SHORTENED CONTEXTS: {shortened} of the 12 records"
    )

    # The named length fixes it, and so does none.
    for corrected in (("--max-seq-length", said[2]), ("--max-seq-length", "0"), ()):
        assert work.train("--train-file", str(records), "--fresh", *corrected) == 0
        captured = capsys.readouterr()
        assert "shortened" not in captured.out
        assert "SHORTENED" not in captured.err
    assert f"to {said[2]}, median" in captured.out
    assert ", no limit\n" in captured.out
