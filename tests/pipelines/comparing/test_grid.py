"""`lawqa report --grid`: everything that was measured on one page, with what is missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import Question, write_questions

pytestmark = pytest.mark.slow

THINKING = ("--thinking", "--ensemble", "4")


@pytest.fixture
def make(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_questions: Sequence[Question]
) -> Callable[..., Path]:
    """Makes a run in which the first N of 20 questions are answered rightly; an adapter is written in."""
    monkeypatch.chdir(tmp_path)
    questions = embedded_questions[:20]
    write_questions(tmp_path / "q.json", questions)

    def made(path: str, right: int, *flags: str, adapter: bool = False, **changes: Any) -> Path:
        answers = {
            q.id: f"最終回答：{q.gold if i < right else 'abcd'[('abcd'.index(q.gold) + 1) % 4]}"
            for i, q in enumerate(questions)
        }
        Path("s.json").write_text(json.dumps(answers), encoding="utf-8")
        argv = ["evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json",
                "--answer-by", "generate", "--quiet"]  # fmt: skip
        assert main([*argv, "--run-dir", path, *flags]) == 0
        manifest = Path(path) / "manifest.json"
        content = json.loads(manifest.read_text(encoding="utf-8"))
        content.update(changes)
        if adapter:
            content["adapter"] = {"folds": [{"path": f"{path}/fold1"}]}
            content["config"]["pooled_folds"] = 5
        manifest.write_text(json.dumps(content), encoding="utf-8")
        return Path(path)

    return made


def test_cells_comparisons_references_and_what_is_missing(
    make: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    base = make("work/ladder/thinking-closed", 6, *THINKING)
    make("work/ladder/direct-closed", 5)
    make("work/crossval/closed/pooled/seed0", 6, adapter=True)
    pooled = make("work/crossval/thinking/pooled/seed0", 18, *THINKING, adapter=True)
    # A fold's own run is part of the pooled one; a run of fewer questions gives way to that of all.
    make("work/crossval/thinking/fold1/seed0/run", 2, *THINKING, adapter=True)
    make("work/again", 1, "--samples", "4")
    capsys.readouterr()
    argv = [
        "report",
        "--grid",
        "work",
        "--base",
        str(base),
        "--reference",
        "前の値=5/20",
        "--lang",
        "ja",
    ]
    assert main([*argv, "-o", "s.md"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "closed・thinking・4 票の多数決・20 問で、アダプタは base より 60.0 ポイント高い（"
    )
    assert "学習 1 回）。" in out.splitlines()[0]
    row = next(line for line in out.splitlines() if line.startswith("★ "))
    assert "30.0% (14.5% – 51.9%, n = 20)" in row
    assert "90.0% (69.9% – 97.2%, n = 20)" in row
    assert "rag・direct" not in out
    assert "20 問のうち" not in out
    assert "24 のうち 20" in out
    assert "cot-gold（アダプタ）" in out
    # The exploration is judged apart from the primary row, and a difference of nothing may be luck.
    assert " 主実験 " in out
    line = next(line for line in out.splitlines() if line.startswith("closed・direct "))
    assert "差があるとは言えない" in line
    assert "前の値: 25.0% (5 / 20)" in out
    assert "これまでの値より高い" in out
    assert "again" in out.split("ほかの実行")[1]
    assert "fold1" not in out
    text = Path("s.md").read_text(encoding="utf-8")
    assert text.startswith("# まとめ / Summary\n\n## 判定\n")
    assert text.count("```text\n") == 2
    assert str(pooled.parent.parent.name) in text

    english = [word for word in argv if word not in ("--lang", "ja")]
    assert main([*english, "-o", "s.txt"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("adapter thinking-closed - base: +60.0 points, higher, more than luck")
    assert "not measured yet" in Path("s.txt").read_text(encoding="utf-8")


def test_the_page_needs_nothing_else_and_shows_both_languages(make: Callable[..., Path]) -> None:
    pytest.importorskip("matplotlib")
    base = make("ladder/direct-closed", 6, notes=["<script>alert(1)</script>"])
    make("cv/closed/pooled/seed0", 12, adapter=True)
    argv = ["report", "--grid", "ladder", "cv", "--base", str(base), "--reference", "A & B=5/20"]
    assert main([*argv, "-o", "s.html"]) == 0
    page = Path("s.html").read_text(encoding="utf-8")
    assert page.count("<svg ") == 2
    assert page.count("<table>") == 3
    assert "default-src 'none'" in page
    assert "http://" not in page.replace("http://www.w3.org/", "")
    assert "<script>alert" not in page
    assert "A &amp; B: 25.0%" in page
    assert "まだ測っていない" in page
    assert "not measured yet" in page
    assert main([*argv, "-o", "s.html"]) == 2
    assert main([*argv, "-o", "s.html", "--fresh"]) == 0


def test_what_may_not_be_judged_is_not(
    make: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    base = make("ladder/direct-closed", 6)
    make("cv/closed/pooled/seed0", 18, adapter=True, notes=["LEAK: 3 questions"])
    broken = make("broken", 3)
    (broken / "results.jsonl").write_text("", encoding="utf-8")
    unfinished = make("ladder/cot-closed", 3, "--mode", "cot", status="interrupted")
    capsys.readouterr()
    argv = ["report", "--grid", ".", "--base", str(base), "--lang", "ja", "-o", "s.txt"]
    assert main(argv) == 0
    out = capsys.readouterr().out
    assert out.startswith("判定できない（`! LEAK` の行がある）。")
    assert "読めない：broken/results.jsonl: holds 0 answers" in out
    assert "途中" in next(line for line in out.splitlines() if line.startswith("考えてから"))
    assert unfinished.name in out


def test_old_result_files_and_seeds_have_a_place(
    make: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    embedded_questions: Sequence[Question],
) -> None:
    make("ladder/direct-closed", 6)
    for seed in (0, 1):
        make(f"cv/closed/pooled/seed{seed}", 16, "--seed", str(seed), adapter=True)
    rows = [
        {"file_name": q.id, "question": q.text, "choices": "", "response": "a", "predicted_answer": "a",
         "correct_answer": q.gold}
        for q in embedded_questions[:20]
    ]  # fmt: skip
    Path("old.json").write_text(json.dumps({"results": rows}), encoding="utf-8")
    capsys.readouterr()
    assert (
        main(["report", "--grid", "ladder", "cv", "old.json", "--lang", "ja", "-o", "s.txt"]) == 0
    )
    out = capsys.readouterr().out
    assert out.startswith("base とアダプタを比べた 1 件のうち 1 件は、偶然とは言えない差")
    assert "80.0%, 80.0%（2 回の学習）" in out
    assert "old " in out.split("ほかの実行")[1]


MISTAKES = [
    (["--grid"], "no run was given"),
    (["--grid", "nothing"], "nothing: is not there"),
    (["--grid", "empty"], "holds no run"),
    (["--grid", "ladder", "--base", "q.json"], "--base q.json: is not among the runs"),
    (["--grid", "ladder", "--reference", "a=1/2"], "--reference without --base"),
    (
        ["--grid", "ladder", "--base", "ladder/a", "--reference", "a=3/2"],
        "expected NAME=CORRECT/ASKED",
    ),
    (["--grid", "ladder", "--by", "plain"], "--by is for a report of single runs"),
    (["--grid", "ladder", "-o", "s.pdf"], "expected .html, .md or .txt"),
    (["ladder/a", "--reference", "a=1/2"], "--reference is for --grid"),
]


def test_mistakes_are_named_and_nothing_is_written(
    make: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    make("ladder/a", 6)
    Path("empty").mkdir()
    for words, said in MISTAKES:
        assert main(["report", *words]) == 2, words
        assert said in capsys.readouterr().err
    assert not Path("report.html").exists()
