"""`lawqa demo`: the whole path, as it is printed and as it is left on disk."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lawqa.cli import main

pytestmark = [pytest.mark.torch, pytest.mark.slow]


def test_the_demo_runs_the_whole_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "demo run"
    assert main(["demo", "--run-dir", str(run)]) == 0
    out = capsys.readouterr().out
    assert "its accuracy is chance by design" in out
    assert "trained on 42 questions, measured on 18 held out" in out
    header = next(line for line in out.splitlines() if "base (NF4)" in line)
    assert "with QLoRA adapter" in header
    for row in ("accuracy", "95% interval", "unparsed / truncated / failed", "answers a b c d",
                "gold a b c d", "floor: guessing", "floor: one letter always"):  # fmt: skip
        assert any(line.startswith(row) for line in out.splitlines()), row
    assert f"\nrun: {run}\n" in out
    *_, judged, compared, significant, power, needed, report = out.rstrip().splitlines()
    assert judged.startswith("with QLoRA adapter - base (NF4): ")
    assert "may be luck" in judged or "more than luck" in judged
    assert compared.endswith("on 18 questions")
    assert "significant" in significant
    assert "80%" in power
    assert re.fullmatch(
        r"  to detect .* points, if it is real\) .* takes about [\d,]+ questions", needed
    )
    assert report == f"report: {run / 'report.html'}"
    assert "<html" in (run / "report.html").read_text(encoding="utf-8")[:200]

    training = json.loads((run / "adapter" / "manifest.json").read_text(encoding="utf-8"))
    assert training["figures"]["last_loss"] < training["figures"]["first_loss"] / 2
    assert training["model"]["quantisation"] == "nf4"
    asked = []
    for part in ("base", "adapted"):
        rows = (run / part / "results.jsonl").read_text(encoding="utf-8").split("\n")
        asked.append({json.loads(row)["file_name"] for row in rows if row})
    trained = {entry["id"] for entry in training["questions"]}
    assert asked[0] == asked[1]
    assert len(asked[0]) == 18
    assert not asked[0] & trained

    assert main(["demo", "--run-dir", str(run)]) == 2
    assert "already holds a demo" in capsys.readouterr().err
