"""`lawqa export` of stored runs, opened by the tools they are meant for."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest

import lawqa
from lawqa.cli import main
from lawqa.runs.flat import COLUMNS

RUNS = ("plain", "samples", "orders1", "rag", "half", "lab.json", "pooled", "fold")


@pytest.fixture(scope="session")
def recorded(checkout: Path) -> Path:
    return checkout / "tests" / "runs" / "recorded"


@pytest.mark.parametrize("name", RUNS)
def test_csv_holds_every_answer_and_is_read_back(name: str, recorded: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    exported = lawqa.export_run(recorded / name, "csv", target)
    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    run = lawqa.read_stored_run(recorded / name)
    assert len(rows) == exported.answers == len(run.results)
    assert list(rows[0]) == list(COLUMNS)
    for row, result, answer in zip(rows, run.results, run.answers(), strict=True):
        assert row["question_id"] == result.question_id
        assert row["response"] == result.response
        assert (row["predicted"] or None) == answer.predicted
        assert row["correct"] == str(answer.outcome == "correct")
    assert target.read_bytes().startswith(b"\xef\xbb\xbf"), "spreadsheets need the mark"


@pytest.mark.slow
def test_parquet_is_the_frame_with_its_types_and_notes(recorded: Path, tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas", reason="the extra frames is not installed")
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra frames is not installed")
    assert main(
        ["export", str(recorded / "half"), "--format", "parquet", "-o", str(tmp_path / "a.parquet")]
    ) == 0  # fmt: skip
    table = parquet.read_table(tmp_path / "a.parquet")
    run = lawqa.read_stored_run(recorded / "half")
    assert table.equals(run.to_arrow())
    said = json.loads(table.schema.metadata[b"lawqa"])
    assert said["notes"] == list(run.notes)
    assert "UNFINISHED" in said["notes"][0]
    frame = run.to_frame()
    assert list(frame.columns) == table.column_names
    assert frame["correct"].mean() == sum(a.outcome == "correct" for a in run.answers()) / len(
        frame
    )
    assert frame["order"].dtype == pandas.Int64Dtype()
    assert frame.attrs["lawqa"] == said


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the fifty packages that inspect_ai imports
def test_inspect_ai_opens_the_log_of_every_run(recorded: Path, tmp_path: Path) -> None:
    log = pytest.importorskip("inspect_ai.log", reason="the extra interop is not installed")
    for name in RUNS:
        target = tmp_path / f"{name}.eval"
        lawqa.export_run(recorded / name, "inspect", target)
        lawqa.export_run(recorded / name, "inspect", tmp_path / f"{name}.json")
        opened, run = log.read_eval_log(str(target)), lawqa.read_stored_run(recorded / name)
        answers = run.answers()
        assert opened.status == ("cancelled" if name == "half" else "success")
        plain = log.read_eval_log(str(tmp_path / f"{name}.json"))
        archived = {(sample.id, sample.epoch): sample for sample in opened.samples}
        assert archived == {(sample.id, sample.epoch): sample for sample in plain.samples}
        assert len(log.read_eval_log_sample_summaries(str(target))) == len(run.results)
        assert len(archived) == len(run.results)
        right = sum(answer.outcome == "correct" for answer in answers)
        assert opened.results.scores[0].metrics["accuracy"].value == right / len(answers)
        for sample, result, answer in zip(plain.samples, run.results, answers, strict=True):
            assert sample.output.completion == result.response
            assert sample.choices == list(result.choices)
            assert sample.target == result.gold.upper()
            assert (sample.scores["lawqa"].value == "C") == (answer.outcome == "correct")
            assert (sample.error is not None) == (answer.outcome == "failed")
    assert len(log.list_eval_logs(str(tmp_path))) == len(RUNS), "inspect view lists them"


def test_lm_eval_log_has_the_names_and_fields_of_lm_eval(recorded: Path, tmp_path: Path) -> None:
    results, samples = lawqa.export_run(recorded / "plain", "lm-eval", tmp_path / "out").files
    assert results.parent == samples.parent == tmp_path / "out" / "scripted"
    rows = [json.loads(line) for line in samples.read_text(encoding="utf-8").splitlines()]
    run = lawqa.read_stored_run(recorded / "plain")
    assert [row["doc"]["id"] for row in rows] == [result.question_id for result in run.results]
    assert [row["resps"] for row in rows] == [[[result.response]] for result in run.results]
    right = [float(answer.outcome == "correct") for answer in run.answers()]
    assert [row["exact_match"] for row in rows] == right
    content = json.loads(results.read_text(encoding="utf-8"))
    (figures,) = content["results"].values()
    assert figures["exact_match,lawqa"] == sum(right) / len(right)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of the packages that lm_eval and datasets import
def test_lm_eval_and_datasets_read_the_samples_of_every_run(recorded: Path, tmp_path: Path) -> None:
    utils = pytest.importorskip("lm_eval.utils", reason="the extra interop is not installed")
    datasets = pytest.importorskip("datasets", reason="the extra train is not installed")
    for name in RUNS:
        files = lawqa.export_run(recorded / name, "lm-eval", tmp_path / name).files
        names = [path.as_posix() for path in files]
        assert utils.get_results_filenames(names) == names[:1]
        assert utils.get_sample_results_filenames(names) == names[1:]
        assert utils.get_file_task_name(files[1].name).startswith("lawqa_jp")
        assert utils.get_file_datetime(files[1].name) in files[0].name
        loaded = datasets.load_dataset(
            "json", data_files=names[1], split="train", cache_dir=str(tmp_path / "cache")
        )
        run = lawqa.read_stored_run(recorded / name)
        assert [doc["id"] for doc in loaded["doc"]] == [one.question_id for one in run.results]
        assert set(loaded.column_names) >= {"doc_hash", "prompt_hash", "target_hash", "filter"}


def test_loglikelihoods_are_those_of_the_next_token(tmp_path: Path, recorded: Path) -> None:
    pooled = lawqa.read_stored_run(recorded / "pooled")
    _, samples = lawqa.export_run(recorded / "pooled", "lm-eval", tmp_path).files
    rows = [json.loads(line) for line in samples.read_text(encoding="utf-8").splitlines()]
    for row, result in zip(rows, pooled.results, strict=True):
        values = [float(pair[0]) for (pair,) in row["resps"]]
        assert result.label_mass is not None
        assert sum(map(math.exp, values)) == pytest.approx(result.label_mass)
        assert "abcd"[values.index(max(values))] == result.label
        assert row["acc"] == float(result.label == result.gold)
        assert int(row["target"]) == "abcd".index(result.gold)


@pytest.mark.parametrize(
    ("form", "path", "said"),
    [
        ("csv", "out.xlsx", "the name ends in .xlsx, expected .csv"),
        ("inspect", "out.log", "the name ends in .log, expected .eval or .json"),
        ("parquet", "out", "the name ends in nothing, expected .parquet"),
        ("csv", "there.csv", "exists already"),
        ("csv", "there.csv/x.csv", "Not a directory"),
        ("lm-eval", "there.csv", "is a file, expected a directory"),
    ],
)
def test_an_output_that_cannot_be_is_refused_and_nothing_is_written(
    form: str,
    path: str,
    said: str,
    recorded: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "there.csv").write_text("mine")
    code = main(["export", str(recorded / "plain"), "--format", form, "-o", str(tmp_path / path)])
    assert code == 2
    assert said in capsys.readouterr().err
    assert [entry.name for entry in tmp_path.iterdir()] == ["there.csv"]
    assert (tmp_path / "there.csv").read_text() == "mine"


def test_fresh_replaces_and_a_second_export_is_the_same(recorded: Path, tmp_path: Path) -> None:
    for form, name in (("csv", "a.csv"), ("inspect", "a.eval"), ("lm-eval", "lm")):
        first = lawqa.export_run(recorded / "samples", form, tmp_path / name)  # type: ignore[arg-type]
        contents = [path.read_bytes() for path in first.files]
        with pytest.raises(lawqa.LawqaError, match="exists already"):
            lawqa.export_run(recorded / "samples", form, tmp_path / name)  # type: ignore[arg-type]
        lawqa.export_run(recorded / "samples", form, tmp_path / name, fresh=True)  # type: ignore[arg-type]
        assert [path.read_bytes() for path in first.files] == contents


def test_what_no_file_can_store_is_escaped_in_every_form(tmp_path: Path) -> None:
    row = {
        "file_name": "民法_1",
        "question": "期間\ud83d",
        "choices": "a 一\nb 二\nc 三\nd 四",
        "correct_answer": "b",
        "predicted_answer": "b",
        "response": '=1+1, "b"\r\n\0\u2028b\udc93',
    }
    old = tmp_path / "old.json"
    old.write_text(json.dumps({"results": [row]}), encoding="utf-8")
    for form, name in (("csv", "a.csv"), ("inspect", "a.json"), ("lm-eval", "lm")):
        for path in lawqa.export_run(old, form, tmp_path / name).files:  # type: ignore[arg-type]
            content = path.read_text(encoding="utf-8")
            assert "\0" not in content
            assert form != "csv" or "\\u0000" in content
    pytest.importorskip("pyarrow", reason="the extra frames is not installed")
    (path,) = lawqa.export_run(old, "parquet", tmp_path / "a.parquet").files
    assert path.stat().st_size
