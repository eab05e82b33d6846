"""`lawqa log`: the lab's forms, empty and filled from real runs of the scripted backend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.docgen import LOG_TEMPLATES, log_text
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


@pytest.mark.parametrize("name", LOG_TEMPLATES)
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
        assert f"### {run}" in text
        assert f"| 正解数 / 総数 | {summary['correct_count']} / 8 |" in text
        assert f"| 正答率（95 % 区間） | {summary['accuracy']:.1%}（" in text
    assert "8 questions: q.json (sha256 " in text
    assert "direct-closed-v1 (" in text
    assert "McNemar" in text


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
    assert "! UNFINISHED: interrupted" in before
    assert "! LEAK: all \\| of it &lt;b>" in before


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
