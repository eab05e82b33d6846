"""Files cut off at every byte, as a full disk or a broken copy leaves them: an error or the right figures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.errors import LawqaError
from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
from lawqa.prompting import PromptSpec
from lawqa.questions import read_questions, write_questions
from lawqa.records import make_question_records, write_records
from lawqa.records.files import load_records
from lawqa.runs.manifest import Manifest
from lawqa.runs.stored import read_stored_run
from lawqa.runs.upkeep.find import read_run
from lawqa.scoring import summarise

pytestmark = pytest.mark.rough


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, embedded_file: Path) -> Path:
    """A finished run of three questions in `run`, their file, and records of them."""
    directory = tmp_path_factory.mktemp("whole")
    questions = read_questions(embedded_file)[:3]
    write_questions(directory / "q.json", questions)
    write_records(directory / "r.jsonl", make_question_records(questions, [(PromptSpec(), 1)]))
    config = EvaluationConfig(
        directory / "q.json", PromptSpec(), "logits", "scripted", run_dir=directory / "run",
        output=directory / "o.json", quiet=True,
    )  # fmt: skip
    evaluate(config, lambda _config, _adapter: ScriptedBackend({"*": "c"}))
    return directory


@pytest.fixture
def run(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole / "run", tmp_path / "run")


def cut(path: Path, rough: bool) -> Iterator[int]:
    """The file at every length, or at every seventh and the last hundred; whole again in the end."""
    raw = path.read_bytes()
    short = {*range(0, len(raw), 7), *range(max(0, len(raw) - 100), len(raw))}
    lengths = range(len(raw)) if rough else sorted(short)
    for length in lengths:
        path.write_bytes(raw[:length])
        yield length
    path.write_bytes(raw)


def refused_or_the_same(path: Path, read: Callable[[], Any], rough: bool) -> tuple[int, int]:
    """How often the cut file was refused, and how often read as the whole one is."""
    expected = read()
    refused = same = 0
    for length in cut(path, rough):
        try:
            found = read()
        except LawqaError:
            refused += 1
            continue
        assert found == expected, f"{path.name}, cut to {length} bytes, gives something else"
        same += 1
    assert read() == expected
    return refused, same


@pytest.mark.parametrize("name", ["manifest.json", "results.jsonl"])
def test_a_run_is_scored_whole_or_not_at_all(run: Path, rough: bool, name: str) -> None:
    refused, same = refused_or_the_same(
        run / name, lambda: summarise(read_stored_run(run).answers("recorded")), rough
    )
    # Only the last line feed of the manifest can be missed without harm.
    assert refused > 100
    assert same <= 1


def test_a_list_of_runs_shows_the_right_accuracy_or_what_is_wrong(run: Path, rough: bool) -> None:
    expected = read_run(run).accuracy
    assert expected is not None
    shown = 0
    for length in cut(run / "summary.json", rough):
        found = read_run(run)
        assert found.problem or found.accuracy == expected, length
        shown += not found.problem
    assert shown <= 1


def test_a_run_that_goes_on_asks_what_was_cut_off(run: Path, whole: Path, rough: bool) -> None:
    config = EvaluationConfig(
        whole / "q.json", PromptSpec(), "logits", "scripted", run_dir=run, resume=True, quiet=True
    )
    raw = (run / "results.jsonl").read_bytes()
    expected = [but_time(line) for line in raw.splitlines()]
    step = 1 if rough else 211
    for length in [*range(0, len(raw), step), len(raw) - 1]:
        (run / "results.jsonl").write_bytes(raw[:length])
        evaluate(config, lambda _config, _adapter: ScriptedBackend({"*": "c"}))
        found = [but_time(line) for line in (run / "results.jsonl").read_bytes().splitlines()]
        assert found == expected, length


def but_time(line: bytes) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(line)
    return {**row, "seconds": None}


def test_the_output_file_is_read_whole_or_not_at_all(
    whole: Path, rough: bool, tmp_path: Path
) -> None:
    path = shutil.copy(whole / "o.json", tmp_path / "o.json")
    _, same = refused_or_the_same(path, lambda: read_stored_run(path).results, rough)
    assert same <= 1


def test_a_question_file_is_read_whole_or_not_at_all(
    whole: Path, rough: bool, tmp_path: Path
) -> None:
    path = shutil.copy(whole / "q.json", tmp_path / "q.json")
    _, same = refused_or_the_same(path, lambda: read_questions(path), rough)
    assert same <= 1


def test_of_a_record_file_no_record_is_read_that_is_not_whole(
    whole: Path, rough: bool, tmp_path: Path
) -> None:
    path = shutil.copy(whole / "r.jsonl", tmp_path / "r.jsonl")
    expected = load_records(path).records
    for _ in cut(path, rough):
        try:
            found = load_records(path).records
        except LawqaError:
            continue
        assert found == expected[: len(found)]


def test_an_adapters_manifest_is_read_whole_or_not_at_all(tmp_path: Path, rough: bool) -> None:
    manifest = {
        "schema_version": 1, "kind": "train", "status": "done",
        "model": {"name": "m", "dtype": "float32", "quantisation": "nf4"},
        "prompt_specs": {"direct-closed-v1": "x"}, "questions": [{"id": "民法_1", "fingerprint": "f"}],
    }  # fmt: skip
    (tmp_path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}', encoding="utf-8")
    (tmp_path / "adapter_model.safetensors").touch()
    path = tmp_path / "manifest.json"
    refused, same = refused_or_the_same(
        path, lambda: AdapterManifest.read(tmp_path).training, rough
    )
    assert (refused > 10, same) == (True, 0)
    assert Manifest.read(tmp_path) == Manifest.from_json(manifest)


def test_an_index_with_a_file_of_another_length_is_refused(tmp_path: Path, rough: bool) -> None:
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    from lawqa.pipelines.corpus.indexes.building import IndexConfig, build_index, open_retriever
    from lawqa.pipelines.corpus.indexes.retriever_config import RetrieverConfig
    from lawqa.statutes.articles import Article, Paragraph, write_articles

    paragraphs = (Paragraph(1, "届出は、三日以内にする。"),)
    write_articles(
        tmp_path / "a.jsonl",
        [
            Article(f"L/{n}", "L", "試験法", "", "", "main", str(n), "（届出）", paragraphs)
            for n in (1, 2, 3)
        ],
    )
    index = tmp_path / "index"
    build_index(IndexConfig(articles=tmp_path / "a.jsonl", output_dir=index, quiet=True))
    for path in sorted(path for path in index.iterdir() if path.stat().st_size):
        refused, same = refused_or_the_same(
            path, lambda: open_retriever(RetrieverConfig(index)).index.n_articles, rough
        )
        # The last line feed of a manifest can be missed without harm.
        assert refused
        assert same <= (path.name == "manifest.json"), path.name
