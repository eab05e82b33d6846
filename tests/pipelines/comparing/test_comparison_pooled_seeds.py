"""Folds of a cross-validation pooled, and its training seeds as repeats of one run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.questions import Question, write_questions

SETTINGS = {
    "folds": 2, "seed": 0, "model_name": "toy", "training": {}, "data_sha256": "0" * 64,
    "prompt_spec": "direct-closed-v1", "trained": [["direct-closed-v1", 1]],
    "rag": None,
}  # fmt: skip
WRONG = {"a": "b", "b": "c", "c": "d", "d": "a"}


def run(
    name: Path, questions: tuple[Question, ...], right: set[str], seed: int, adapter: str
) -> None:
    """A run whose manifest says that an adapter answered, whatever the script."""
    name.parent.mkdir(parents=True, exist_ok=True)
    data, script = name.parent / f"{name.name}.json", name.parent / f"{name.name}.script"
    write_questions(data, questions)
    table = {q.id: q.gold if q.id in right else WRONG[q.gold] for q in questions}
    script.write_text(json.dumps(table), encoding="utf-8")
    files = ["--data", str(data), "--script", str(script), "--run-dir", str(name)]
    how = ["--llm-backend", "scripted", "--answer-by", "generate", "--seed", str(seed), "--quiet"]
    assert main(["evaluate", *files, *how]) == 0
    file = name / "manifest.json"
    manifest = json.loads(file.read_text(encoding="utf-8"))
    manifest["model"] = {"name": "toy"}
    if adapter:
        manifest["adapter"] = {"path": adapter, "weights_sha256": None, "manifest": {}}
    file.write_text(json.dumps(manifest), encoding="utf-8")


@pytest.fixture
def crossval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_questions: tuple[Question, ...]
) -> Path:
    """Two folds and two seeds of 12 questions: seed 0 right on 9, seed 1 on 11; the base on 3."""
    monkeypatch.chdir(tmp_path)
    asked = embedded_questions[:12]
    ids = [question.id for question in asked]
    for seed, right in ((0, set(ids[:9])), (1, set(ids[:11]))):
        for fold, part in ((1, asked[:6]), (2, asked[6:])):
            place = Path(f"cv/fold{fold}/seed{seed}")
            run(place / "run", part, right, seed, str(place / "adapter"))
    Path("cv/crossval.json").write_text(
        json.dumps({"schema_version": 1, "settings": SETTINGS}), encoding="utf-8"
    )
    run(Path("base"), asked, set(ids[:3]), 0, "")
    return Path("cv")


@pytest.mark.slow
def test_the_note_of_pooled_seeds_has_numbers_and_compare_takes_them_as_one(
    crossval: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["crossval", "pool", str(crossval)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("! POOLED: 2 folds;")
    assert "2 training seeds, which differ by " in out
    assert "over 2 training seeds: mean 83.3%" in out
    pooled = [str(crossval / "pooled" / f"seed{seed}") for seed in (0, 1)]
    assert main(["compare", "base", *pooled]) == 0
    out = capsys.readouterr().out
    assert out.startswith(
        "cv/seed0+cv/seed1 - base: +58.3 points, higher, more than luck (95% interval "
    )
    assert (
        "cv/seed0+cv/seed1 by single answers over 2 seeds, base by single answers, on 12 questions"
        in out
    )
    assert "! SEEDS: cv/seed0, cv/seed1 are repeats of one run and are compared together" in out
    assert main(["report", "base", *pooled, "-o", "r.md"]) == 0
    said = capsys.readouterr().out
    assert "+58.3 points" in said
    assert "SEEDS: R2, R3 are repeats of one run" in Path("r.md").read_text(encoding="utf-8")
    assert main(["compare", "base", *pooled, "--seeds", "apart"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("cv/seed0 - base: +50.0 points, higher")
    assert "seed1 - base: +66.7 points, higher" in out
    assert "raw, p = " in out
    assert "Holm-corrected for 2)" in out


@pytest.mark.slow
def test_one_seed_says_what_it_cannot_see(
    crossval: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for fold in (1, 2):
        Path(f"cv/fold{fold}/seed1").rename(f"cv/fold{fold}/put-away")
    capsys.readouterr()
    assert main(["crossval", "pool", str(crossval)]) == 0
    out = capsys.readouterr().out
    assert (
        "One training seed: neither interval nor p sees how far another training would fall." in out
    )
    assert "a test at p = 0.05 errs in (2: 3-5%, 4: 5-13%, 6: 8-24%) of comparisons" in out
    assert main(["compare", "base", "cv/pooled/seed0"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("cv/seed0 - base: +50.0 points, higher")
    assert "! cv/seed0: POOLED: 2 folds;" in out
