"""`lawqa rescore` and `lawqa compare` on our runs and on files like the lab's old ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main

CHOICES = "a 三十日以内\nb 六十日以内\nc 九十日以内\nd 期限はない"


def legacy_row(number: int, gold: str, predicted: str, response: str) -> dict[str, Any]:
    return {
        "question": "期限について正しいものはどれですか。",
        "choices": CHOICES,
        "correct_answer": gold,
        "predicted_answer": predicted,
        "is_correct": gold == predicted,
        "response": response,
        "retrieved_docs_count": 0,
        "file_name": f"民法_{number}",
        "references": [],
    }


@pytest.fixture
def legacy(tmp_path: Path) -> Callable[..., Path]:
    def write(rows: list[dict[str, Any]], name: str = "old.json") -> Path:
        path = tmp_path / name
        content = {"config": {}, "summary": {"accuracy": 0.5}, "results": rows}
        path.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        return path

    return write


@pytest.fixture
def old_file(legacy: Callable[..., Path]) -> Path:
    return legacy(
        [
            legacy_row(1, "b", "a", "回答（1文字のみ）: b"),
            legacy_row(2, "a", "a", "a"),
            legacy_row(
                3, "c", "a", "エラー: HTTPConnectionPool(host='localhost'): Read timed out."
            ),
            legacy_row(4, "d", "unknown", ""),
        ]
    )


def scripted_run(tmp_path: Path, embedded: Path, name: str, answer: str, *flags: str) -> Path:
    script = tmp_path / f"{name}.script.json"
    script.write_text(json.dumps({"*": answer}, ensure_ascii=False), encoding="utf-8")
    run = tmp_path / name
    assert main(
        ["evaluate", "--data", str(embedded), "--llm-backend", "scripted", "--script", str(script),
         "--answer-by", "generate", "--run-dir", str(run), "--output", str(tmp_path / f"{name}.json"), *flags]
    ) == 0  # fmt: skip
    return run


def test_an_echoed_instruction_is_no_longer_read_as_its_digit(
    old_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rescore", str(old_file)]) == 0
    out = capsys.readouterr().out
    rows = {line.split("  ")[0]: line.split("  ")[1:] for line in out.splitlines() if "  " in line}
    assert [cell.strip() for cell in rows["correct / asked"] if cell.strip()] == ["1 / 4", "2 / 4"]
    assert "1 / 0 / 1" in out
    assert "民法_1: a -> b (gold b, now right; answer-line:" in out
    assert "民法_3: a -> none" not in out, "a transport error was never an answer"
    assert "1 answer is read differently" in out


def test_rescore_as_json(old_file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rescore", str(old_file), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["runs"][str(old_file)]
    assert found["reparsed"]["outcomes"] == {
        "correct": 2, "wrong": 0, "unparsed": 1, "truncated": 0, "failed": 1,
    }  # fmt: skip
    assert [flip["question_id"] for flip in found["flips"]] == ["民法_1"]


def test_write_stores_the_new_reading_beside_the_old(old_file: Path) -> None:
    before = old_file.read_bytes()
    assert main(["rescore", str(old_file), "--write"]) == 0
    assert old_file.read_bytes() == before
    written = json.loads((old_file.parent / "old.rescored.json").read_text(encoding="utf-8"))
    assert written["schema_version"] == 1
    assert written["results"][0]["recorded_answer"] == "a"
    assert written["results"][0]["predicted_answer"] == "b"
    assert written["results"][0]["rule"]


@pytest.mark.slow
def test_our_run_directories_and_output_files_rescore_to_themselves(
    tmp_path: Path, embedded_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = scripted_run(tmp_path, embedded_file, "run", "最終回答：b")
    capsys.readouterr()
    assert main(["rescore", str(run), str(tmp_path / "run.json"), "--write"]) == 0
    out = capsys.readouterr().out
    assert out.count("0 answers are read differently") == 2
    assert (run / "rescored.json").is_file()


def test_a_collapsed_run_is_marked_in_its_first_lines(
    legacy: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = legacy([legacy_row(i, "abcd"[i % 4], "a", "a") for i in range(40)])
    assert main(["rescore", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "! as recorded: 100% of answers are a; gold has 25%"


@pytest.mark.slow
def test_compare_pairs_the_questions_and_says_what_n_allows(
    tmp_path: Path, embedded_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = scripted_run(tmp_path, embedded_file, "always-a", "a")
    second = scripted_run(tmp_path, embedded_file, "always-b", "b")
    capsys.readouterr()
    assert main(["compare", str(first), str(second)]) == 0
    out = capsys.readouterr().out
    assert "No difference from always-a is larger than luck." in out
    assert re.search(r"^against always-a +always-b$", out, re.MULTILINE)
    assert re.search(r"^questions +60$", out, re.MULTILINE)
    assert "|" not in out  # text all through, no Markdown
    assert "0 / 15 / 15 / 30" in out
    assert main(["compare", str(first), str(second), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["comparisons"]["always-b"]
    assert found["p_value"] == 1.0
    assert found["difference"] == 0.0
    assert (found["left_out_base"], found["left_out_other"]) == (0, 0)


def test_runs_over_different_questions_meet_on_those_they_share(
    tmp_path: Path,
    embedded_file: Path,
    legacy: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    old = legacy([legacy_row(i, "a", "a", "a") for i in range(6)], "six.json")
    other = legacy([legacy_row(i, "a", "b", "b") for i in range(3, 12)], "nine.json")
    assert main(["compare", str(old), str(other)]) == 0
    assert re.search(r"^left out base / this +3 / 6$", capsys.readouterr().out, re.MULTILINE)
    run = scripted_run(tmp_path, embedded_file, "run", "a")
    assert main(["compare", str(old), str(run)]) == 2
    assert "a comparison needs at least 2" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"response": None}, "result 1: key 'response' is not text but NoneType"),
        ({"correct_answer": "e"}, "result 1: key 'correct_answer' is 'e'"),
        ({"predicted_answer": 3}, "result 1: key 'predicted_answer' is 3"),
    ],
)
def test_a_bad_item_is_named_by_file_and_key(
    legacy: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    message: str,
) -> None:
    path = legacy([{**legacy_row(1, "a", "a", "a"), **change}])
    assert main(["rescore", str(path), "--write"]) == 2
    err = capsys.readouterr().err
    assert err.startswith(f"error: {path}: {message}")
    assert not (path.parent / "old.rescored.json").exists()


@pytest.mark.parametrize(
    "key", ["response", "correct_answer", "predicted_answer", "file_name", "choices"]
)
def test_a_missing_key_is_named(
    legacy: Callable[..., Path], capsys: pytest.CaptureFixture[str], key: str
) -> None:
    row = legacy_row(1, "a", "a", "a")
    del row[key]
    path = legacy([row])
    assert main(["rescore", str(path)]) == 2
    assert f"{path}: result 1 has no key '{key}'" in capsys.readouterr().err


NO_PROBABILITIES = [[None] * 4, [True] * 4, ["-1"] * 4, "abcd", {"a": 1}, [-1.0], 0, []]
NO_ORDERS = [
    None,
    [None, None],
    [[]],
    "0123",
    {},
    [],
    [0, 1, 2],
    [0, 1, 2, 2],
    [0.0, 1, 2, 3],
    [False, True, 2, 3],
]


@pytest.mark.parametrize(
    ("key", "odd"),
    [
        *(("label_logprobs", odd) for odd in NO_PROBABILITIES),
        *(("permutation", odd) for odd in NO_ORDERS),
    ],
)
def test_an_odd_field_of_a_result_is_refused(
    tmp_path: Path, embedded_file: Path, key: str, odd: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    results = scripted_run(tmp_path, embedded_file, "run", "c") / "results.jsonl"
    first, *others = results.read_text(encoding="utf-8").splitlines()
    row = {**json.loads(first), key: odd}
    results.write_text("\n".join([json.dumps(row), *others, ""]), encoding="utf-8")
    assert main(["rescore", str(tmp_path / "run")]) == 2
    assert f"result 1: key '{key}' is" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "[]", "{", '{"results": 3}', '{"results": []}', "\udcff"])
def test_a_file_that_is_no_result_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "bad.json"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert main(["rescore", str(path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"error: {path}")
    assert captured.out == ""


def test_a_missing_file_a_plain_directory_and_a_training_run_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["rescore", str(tmp_path / "nowhere.json")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert main(["rescore", str(tmp_path)]) == 2
    assert "manifest.json is missing" in capsys.readouterr().err
    assert main(["compare", str(tmp_path)]) == 2
    assert "only one run was given" in capsys.readouterr().err


def test_a_question_that_stands_twice_is_refused(
    legacy: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    path = legacy([legacy_row(1, "a", "a", "a"), legacy_row(1, "a", "b", "b")])
    assert main(["rescore", str(path)]) == 2
    assert "question 民法_1 is in it more than once" in capsys.readouterr().err


def test_an_unfinished_run_says_so_first(
    tmp_path: Path, embedded_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = scripted_run(tmp_path, embedded_file, "run", "a")
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(
        json.dumps({**manifest, "status": "interrupted"}), encoding="utf-8"
    )
    rows = (run / "results.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "results.jsonl").write_text("".join(rows[:37]), encoding="utf-8")
    capsys.readouterr()
    assert main(["rescore", str(run)]) == 0
    assert capsys.readouterr().out.splitlines()[1] == (
        "! UNFINISHED: interrupted, 37 of 60 questions answered"
    )


@pytest.mark.parametrize("older", [False, True])
def test_of_orders_prompts_are_counted_and_questions_apart(
    tmp_path: Path, embedded_file: Path, capsys: pytest.CaptureFixture[str], older: bool
) -> None:
    run = scripted_run(tmp_path, embedded_file, "run", "a", "--permutations", "4")
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["data"]["questions"], manifest["data"]["prompts"]) == (60, 240)
    if older:  # before 0.3 prompts were called questions
        del manifest["data"]["prompts"]
        manifest["data"]["questions"] = 240
    capsys.readouterr()
    (run / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    assert main(["rescore", str(run)]) == 0
    assert "UNFINISHED" not in capsys.readouterr().out
    (run / "manifest.json").write_text(
        json.dumps({**manifest, "status": "interrupted"}), encoding="utf-8"
    )
    rows = (run / "results.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    (run / "results.jsonl").write_text("".join(rows[:37]), encoding="utf-8")
    assert main(["rescore", str(run)]) == 0
    unit = "questions" if older else "prompts"
    assert f"UNFINISHED: interrupted, 37 of 240 {unit} answered" in capsys.readouterr().out


@pytest.mark.slow
def test_the_labs_two_files(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(str(path) for path in (shared_data / "legacy").glob("*.json"))
    assert len(files) == 2
    assert main(["rescore", *files]) == 0
    assert "! as recorded: 70% of answers are a; gold has 41%" in capsys.readouterr().out
    assert main(["compare", *files]) == 0
    assert "may be luck" in capsys.readouterr().out


@pytest.mark.slow
def test_rescore_and_compare_need_no_torch(old_file: Path, run_python: Callable[..., Any]) -> None:
    done = run_python(
        "-c",
        "import sys; from lawqa.cli import main; "
        f"file = {str(old_file)!r}; import shutil; again = shutil.copy(file, file + '.again.json'); "
        "assert main(['rescore', file]) == main(['compare', file, again]) == 0; "
        "assert not {'torch', 'transformers'} & set(sys.modules), 'torch was imported'",
    )
    assert done.returncode == 0, done.stderr
