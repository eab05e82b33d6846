"""Retrieved contexts with a real tokenizer and model: counted in tokens, alike in training and asking."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.pipelines.corpus.indexes.building import IndexConfig, build_index
from lawqa.questions import write_questions
from lawqa.records import load_records
from lawqa.statutes.articles import Article, Paragraph, write_articles

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory, questions: Any) -> Path:
    """Eight questions, and an index of the contexts of all."""
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    root = tmp_path_factory.mktemp("rag")
    write_questions(root / "q.json", questions[:8])
    contexts = dict.fromkeys(question.context for question in questions)
    articles = [
        Article(f"law/{n}", "law", "試験法", "", "", "main", str(n), "", (Paragraph(1, text),))
        for n, text in enumerate(contexts, start=1)
    ]
    write_articles(root / "a.jsonl", articles)
    build_index(IndexConfig(articles=root / "a.jsonl", output_dir=root / "index", quiet=True))
    return root


def flags(here: Path) -> list[str]:
    return ["--condition", "rag", "--index", str(here / "index"), "--top-k", "3",
            "--max-context-tokens", "60"]  # fmt: skip


def test_records_and_evaluation_show_the_same_context_counted_in_the_models_tokens(
    here: Path, tiny_dir: Path, tiny_tokenizer: Any, tmp_path: Path
) -> None:
    model = ["--hf-model-name", str(tiny_dir)]
    assert main(["evaluate", "--data", str(here / "q.json"), "--run-dir", str(tmp_path / "r"),
                 "--no-4bit", *model, *flags(here)]) == 0  # fmt: skip
    assert main(["records", "--lawqa-path", str(here / "q.json"), "--output-path",
                 str(tmp_path / "r.jsonl"), *model, *flags(here)]) == 0  # fmt: skip
    made = json.loads((tmp_path / "r" / "manifest.json").read_text(encoding="utf-8"))["retrieval"]
    assert (made["counted_in"], made["tokenizer"]) == ("tokens", str(tiny_dir))
    lines = (tmp_path / "r" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    asked = {row["file_name"]: row for row in map(json.loads, lines)}
    records = load_records(tmp_path / "r.jsonl").records
    assert {record.question_id for record in records} == set(asked)
    for record in records:
        tokens = len(tiny_tokenizer.encode(record.retrieved, add_special_tokens=False))
        assert 0 < tokens == asked[record.question_id]["retrieved_size"] <= 60
        assert f"【参考条文】\n{record.retrieved}\n" in asked[record.question_id]["prompt"]


@pytest.mark.slow
def test_a_cross_validation_trains_and_asks_with_retrieved_contexts(
    here: Path, tiny_dir: Path, tmp_path: Path
) -> None:
    output = tmp_path / "cv"
    argv = ["crossval", "run", "--input", str(here / "q.json"), "--output-dir", str(output),
            "--model-name", str(tiny_dir), "--folds", "2", "--use-4bit", "--num-epochs", "1",
            "--batch-size", "8", *flags(here)]  # fmt: skip
    assert main(argv) == 0
    records = load_records(output / "fold1" / "seed0" / "records.jsonl").records
    assert all(record.retrieved for record in records)
    pooled = output / "pooled" / "seed0" / "results.jsonl"
    answers = [json.loads(line) for line in pooled.read_text(encoding="utf-8").splitlines()]
    assert len(answers) == 8
    manifests = [
        json.loads((output / run / "manifest.json").read_text(encoding="utf-8"))
        for run in ("pooled/seed0", "fold1/seed0/run")
    ]
    assert manifests[0]["retrieval"] == manifests[1]["retrieval"]
    assert manifests[0]["retrieval"]["index_sha256"]
    assert all(row["retrieved_docs_count"] for row in answers)
    assert main([*argv, "--top-k", "1"]) == 2
