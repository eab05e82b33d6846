"""What a training took from the modes that it did not teach: said, kept, repeated where they are asked."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import write_questions

pytestmark = pytest.mark.torch


@pytest.mark.slow
def test_a_probe_after_training_is_printed_kept_and_repeated_by_evaluate(
    tmp_path: Path, tiny_dir: Path, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(tmp_path / "train.json", questions[:12])
    write_questions(tmp_path / "test.json", questions[30:34])
    arguments = [
        "train", "--model-name", str(tiny_dir), "--train-file", str(tmp_path / "train.json"), "--output-dir",
        str(tmp_path / "out"), "--num-epochs", "4", "--batch-size", "4", "--gradient-accumulation-steps", "1",
        "--learning-rate", "1e-2", "--probe-questions", "3", "--probe-max-new-tokens", "40", "--do-train",
    ]  # fmt: skip
    assert main(arguments) == 0
    captured = capsys.readouterr()
    manifest = tmp_path / "out" / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    modes = {mode["spec"]: mode for mode in content["figures"]["modes"]}
    assert list(modes) == ["direct-closed-v1", "cot-closed-v1", "direct-closed-thinking-v1"]
    assert [mode["trained"] for mode in modes.values()] == [True, False, False]
    letters = modes["direct-closed-v1"]
    assert letters["before"]["unparsed"] == 3, "random weights name no label"
    assert letters["after"]["unparsed"] == 0
    cot = modes["cot-closed-v1"]
    assert cot["after"]["median_tokens"] < cot["before"]["median_tokens"] / 4
    assert "median length" in cot["warning"]
    assert f"! MODE LOST: {cot['warning']}" in captured.out
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "## Modes without and with the adapter" in card
    assert content["status"] == "done"

    def evaluate(*more: str) -> str:
        assert main([
            "evaluate", "--data", str(tmp_path / "test.json"), "--hf-model-name", str(tiny_dir),
            "--hf-lora-path", str(tmp_path / "out"), "--run-dir", str(tmp_path / "run"), "--fresh", *more,
        ]) == 0  # fmt: skip
        return capsys.readouterr().out

    assert "MODE LOST" not in evaluate()
    asked = evaluate("--mode", "cot", "--max-new-tokens", "16", "--allow-prompt-mismatch")
    assert "MODE LOST" in asked
    notes = json.loads((tmp_path / "run" / "summary.json").read_text(encoding="utf-8"))["notes"]
    assert any(cot["warning"] in note for note in notes)

    def probe(*more: str) -> tuple[int, str]:
        code = main([
            "probe", "--data", str(tmp_path / "test.json"), "--hf-model-name", str(tiny_dir), *more,
            "--probe-questions", "3", "--probe-max-new-tokens", "40",
        ])  # fmt: skip
        return code, capsys.readouterr().out

    code, shown = probe("--hf-lora-path", str(tmp_path / "out"))
    assert code == 1, "a check that found something"
    assert "! MODE LOST: cot-closed-v1, which was not trained: median length" in shown
    assert re.search(r"^direct-closed-v1 \(trained\) +base +0/3 .* 100% ", shown, re.MULTILINE)
    assert re.search(r"^ +adapter +0/3 .* 0% ", shown, re.MULTILINE)
    bare = Path(shutil.copytree(tmp_path / "out", tmp_path / "bare"))
    (bare / "manifest.json").unlink()
    code, shown = probe("--hf-lora-path", str(bare), "--no-4bit")
    assert code == 1
    assert "! NO MODE COUNTS AS TRAINED" in shown
    assert "(trained)" not in shown
    code, shown = probe("--no-4bit")
    assert code == 0
    assert " adapter " not in shown, "a base model has one line a mode"

    content["figures"]["modes"][0]["spec"] = 7
    manifest.write_text(json.dumps(content), encoding="utf-8")
    assert main(["merge", str(tmp_path / "out"), "-o", str(tmp_path / "merged")]) == 2
    assert "figures.modes[0].spec is 7, expected a prompt spec" in capsys.readouterr().err


def test_what_cannot_be_probed_is_refused_before_a_model_is_loaded(
    tmp_path: Path, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_questions(tmp_path / "train.json", questions[:4])
    old = {"input": "問題", "output": "a", "meta": {}}
    (tmp_path / "old.jsonl").write_text(json.dumps(old) + "\n", encoding="utf-8")

    def refused(file: str, *more: str) -> str:
        assert main([
            "train", "--model-name", "no-such-model", "--train-file", str(tmp_path / file), "--output-dir",
            str(tmp_path / "out"), *more,
        ]) == 2  # fmt: skip
        return capsys.readouterr().err

    alone = refused("train.json", "--probe-max-new-tokens", "40")
    assert "--probe-max-new-tokens without --probe-questions" in alone
    assert "does not say which questions" in refused("old.jsonl", "--probe-questions", "4")
    assert "--fsdp: --probe-questions" in refused("train.json", "--probe-questions", "4", "--fsdp")
