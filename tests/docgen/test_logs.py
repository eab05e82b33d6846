"""`lawqa log`: the lab's forms, empty and filled from real runs of the scripted backend."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.docgen import log_forms, log_text
from lawqa.docgen.logs import BY_HAND, BY_MACHINE
from lawqa.errors import ConfigError
from lawqa.questions import write_questions

pytestmark = pytest.mark.every_python

FIELDS = {
    "ベースライン結果": (
        "日付", "担当者", "環境", "モデル", "RAG 設定", "プロンプト設定", "コマンド", "データセット",
        "正答率", "正解数 / 総数", "時間切れ", "解析エラー", "その他のエラー", "気づき", "次にすること",
    ),
    "学習ログ": (
        "実験 ID", "目的", "データ・分割", "基盤モデル", "LoRA 設定", "ハードウェア", "dev", "test",
        "ベースライン", "微調整後", "気づき", "次にすること",
    ),
    "評価ログ": (
        "実験 ID", "目的", "モデル", "RAG 設定", "プロンプト設定", "コマンド", "正答率", "unparsed",
        "truncated", "failed", "考察", "次にすること",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FIELDS)
def test_an_empty_form_has_the_labs_fields(name: str) -> None:
    text = log_text(name, [])
    for field in FIELDS[name]:
        assert field in text, field
    assert BY_HAND in text
    assert BY_MACHINE in text


@pytest.fixture
def runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_questions: Any
) -> tuple[Path, Path]:
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", embedded_questions[:8])
    for letter in "ab":
        (tmp_path / f"{letter}.json").write_text(json.dumps({"*": letter}), encoding="utf-8")
        argv = f"evaluate --data q.json --llm-backend scripted --script {letter}.json --run-dir runs/{letter}"
        assert main(argv.split()) == 0
    return tmp_path / "runs" / "a", tmp_path / "runs" / "b"


def test_a_log_is_filled_from_manifest_and_summary(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["log", *map(str, runs), "-o", "log.md"]) == 0
    text = Path("log.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == (
        f"wrote log.md: {text.count(BY_HAND)} fields are left to you ({BY_HAND})\n"
    )
    assert BY_MACHINE not in text
    assert text.startswith("# 評価ログ\n")
    for run in runs:
        summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
        assert f"| 保存先 | {run} |" in text
        assert f"| 正解数 / 総数 | {summary['correct_count']} / 8 |" in text
        assert f"| 正答率（95% 区間） | {summary['accuracy']:.1%}（" in text
    assert text.count("### base：closed・direct\n") == 2
    assert "8 問：q.json (sha256 " in text
    assert "direct-closed-v1 (" in text
    verdict = next(line for line in text.splitlines() if line.startswith("| 判定の文 |"))
    assert (
        "closed・direct・8 問では、「base：closed・direct」と「base：closed・direct」に差があるとは言えない"
        in verdict
    )
    assert "正確な McNemar 検定 p = " in verdict
    started = json.loads((runs[0] / "manifest.json").read_text(encoding="utf-8"))["started"]
    local = datetime.fromisoformat(started).astimezone()
    assert f"| 実行日時 | {local:%Y-%m-%d %H:%M %Z} 〜 " in text
    assert "| 全体の所要時間 | " in text
    # No sentence of the program's English is left in a Japanese form.
    for english in (
        "more than luck",
        "may be luck",
        "questions",
        " points",
        "interval",
        "none (",
        " s |",
    ):
        assert english not in text, english
    assert text.count("担当者") == 1


@pytest.mark.slow
def test_one_run_fills_the_baseline_form(runs: tuple[Path, Path]) -> None:
    argv = ["log", str(runs[0]), "--template", "ベースライン結果", "--output", "new/base.md"]
    assert main(argv) == 0
    assert Path("new/base.md").read_text(encoding="utf-8").startswith("# ベースライン結果\n")
    assert main(argv) == 2


def test_what_a_run_warns_of_stands_first(runs: tuple[Path, Path]) -> None:
    manifest = runs[0] / "manifest.json"
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content.update(notes=["LEAK: all | of it <b>"], status="interrupted")
    manifest.write_text(json.dumps(content), encoding="utf-8")
    assert main(["log", str(runs[0]), "-o", "log.md"]) == 0
    text = Path("log.md").read_text(encoding="utf-8")
    before = text[: text.index("## 1.")]
    assert "! 未完了：interrupted" in before
    assert "! 漏えい：LEAK: all \\| of it &lt;b>" in before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["-o", "log.md"], "no run was given"),
        (["nothing", "-o", "log.md"], "nothing: is not a run: manifest.json is missing"),
        (["runs/a", "--template", "学習ログ", "-o", "log.md"], "--template 学習ログ does not fit"),
    ],
)
def test_mistakes_are_named_and_write_nothing(
    runs: tuple[Path, Path],  # noqa: ARG001 - their directory is where it runs
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    assert main(["log", *arguments]) == 2
    assert message in capsys.readouterr().err
    assert not Path("log.md").exists()


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(ConfigError, match="--template 日記: no such form"):
        log_text("日記", [])


def test_an_old_result_file_fills_the_baseline_form(
    runs: tuple[Path, Path],  # noqa: ARG001 - their directory is where it runs
    embedded_questions: Any,
) -> None:
    rows = [
        {"file_name": q.id, "question": q.text, "choices": "", "response": f"最終回答：{q.gold}",
         "predicted_answer": "a", "correct_answer": q.gold}
        for q in embedded_questions[:8]
    ]  # fmt: skip
    config = {"llm_model": "qwen3:8b", "rag_enabled": True, "retriever_type": "vector", "top_k": 3}
    Path("old.json").write_text(json.dumps({"config": config, "results": rows}), encoding="utf-8")
    assert main(["log", "old.json", "--template", "ベースライン結果", "-o", "base.md"]) == 0
    text = Path("base.md").read_text(encoding="utf-8")
    assert "## 研究室の以前の結果ファイル：old\n" in text
    assert "| モデル | qwen3:8b |" in text
    assert "| RAG 設定 | vector、top_k 3 |" in text
    assert "| 正答率（95% 区間） | 100.0%（今の解析規則。記録では " in text


def test_a_training_log_covers_every_fold_of_a_cross_validation(
    runs: tuple[Path, Path],
) -> None:
    content = json.loads((runs[0] / "manifest.json").read_text(encoding="utf-8"))
    config = {
        "training": {"lora_r": 16, "lora_alpha": 32, "lora_dropout": 0.05, "target_modules": "all"}
    }
    Path("cv").mkdir()
    Path("cv/crossval.json").write_text("{}", encoding="utf-8")
    for fold in (1, 2, 10):
        adapter = Path(f"cv/fold{fold}/seed0/adapter")
        adapter.mkdir(parents=True)
        trained = {
            **content,
            "kind": "train",
            "config": config,
            "figures": {"seconds": 4000.0, "steps": 3},
        }
        (adapter / "manifest.json").write_text(json.dumps(trained), encoding="utf-8")
    assert main(["log", "cv", "-o", "log.md"]) == 0
    text = Path("log.md").read_text(encoding="utf-8")
    names = [line for line in text.splitlines() if line.startswith("### ")]
    assert names == [f"### 交差検証 cv の組 {fold}（seed 0）の学習" for fold in (1, 2, 10)]
    assert "| 全体の所要時間 | 3 時間 20 分（" in text
    shutil.rmtree("cv/fold1")
    shutil.rmtree("cv/fold2")
    shutil.rmtree("cv/fold10")
    assert main(["log", "cv", "-o", "other.md"]) == 2


def test_a_new_form_is_a_file_and_nothing_else() -> None:
    form = "{# kind: train #}\n# 日記\n{% for run in runs %}{{ run.name }}{% endfor %}\n"
    assert log_text("日記", [], sources={"日記": form}) == "# 日記\n"
    assert set(log_forms()) == set(FIELDS)
