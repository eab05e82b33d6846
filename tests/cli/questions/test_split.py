"""`lawqa split` and `lawqa data leaks`, from arguments to files and exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Annotated, Any

import pytest
import tyro
from tyro.conf import arg, subcommand

from lawqa.cli.console import console_messages
from lawqa.cli.questions.leaks import Leaks
from lawqa.cli.questions.split import SplitCommand
from lawqa.errors import LawqaError
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, file_sha256, read_questions, write_questions
from lawqa.records import make_record, write_records

Command = Annotated[
    Annotated[SplitCommand, subcommand("split")] | Annotated[Leaks, subcommand("leaks")],
    arg(name=""),
]
GOLD = PromptSpec("direct", "gold")
CLOSED = PromptSpec("direct", "closed")


def run(*words: object) -> int:
    """What `lawqa.cli.main` does with these words."""
    try:
        command: SplitCommand | Leaks = tyro.cli(
            Command, prog="lawqa", args=[str(word) for word in words]
        )
        with console_messages([]):
            return command.run()
    except LawqaError as problem:
        sys.stderr.write(f"error: {problem.message}\nhint: {problem.hint}\n")
        return 2


@pytest.fixture
def pairs(question: Callable[..., Question]) -> list[Question]:
    """Ten pairs that share a context, on articles of their own."""

    def make(number: int) -> Question:
        law = "民法" if number % 4 < 2 else "商法"
        article = number // 2 + 1
        kanji = chr(0x4E00 + 40 * article)
        return question(
            id=f"{law}_{number:02}",
            text=f"{chr(0x5E00 + 30 * number) * 9}について、正しいものはどれですか。",
            choices=tuple(f"{chr(0x6E00 + 7 * number + i) * 12}" for i in range(4)),
            gold="abcd"[number % 4],
            context=f"## {law}\n### 第{article}条\n{kanji * 30}は、算入しない。",
        )

    return [make(number) for number in range(20)]


@pytest.fixture
def source(pairs: list[Question], tmp_path: Path) -> Path:
    file = tmp_path / "in" / "questions.json"
    file.parent.mkdir()
    write_questions(file, pairs)
    return file


def tree(directory: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(directory)): file.read_bytes()
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


def ids(file: Path) -> list[str]:
    return [question.id for question in read_questions(file)]


def told(directory: Path) -> dict[str, Any]:
    story: dict[str, Any] = json.loads((directory / "split.json").read_text(encoding="utf-8"))
    return story


def test_holdout(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "deep" / "out"
    assert run("split", "--input", source, "--output-dir", out, "--test-size", 6) == 0
    assert set(tree(out)) == {"train.json", "test.json", "split.json"}
    assert (len(ids(out / "train.json")), len(ids(out / "test.json"))) == (14, 6)
    said = capsys.readouterr()
    assert said.err == ""
    assert "20 questions in 10 groups: 10 of 2" in said.out
    assert "links between them by reason: context 10" in said.out
    assert "leaks between parts: none" in said.out
    assert f"wrote 2 parts and split.json to {out}" in said.out
    assert run("leaks", out / "train.json", out / "test.json") == 0
    assert "no leaks between 14 training items and 6 test items" in capsys.readouterr().out


def test_what_split_json_tells(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = ["--input", source, "--output-dir", out, "--test-size", "0.3", "--dev-size", "0.2"]
    assert run("split", *words, "--seed", 7) == 0
    story = told(out)
    assert (story["schema_version"], story["scheme"], story["seed"]) == (1, "holdout", 7)
    assert story["asked"] == {"folds": None, "test_size": 0.3, "dev_size": 0.2}
    assert story["data"] == {
        "path": str(source),
        "sha256": file_sha256(source),
        "questions": 20,
    }
    assert set(story["parts"]) == {"train", "dev", "test"}
    for name, part in story["parts"].items():
        file = out / f"{name}.json"
        assert part["sha256"] == file_sha256(file)
        assert [entry["id"] for entry in part["questions"]] == ids(file)
        counts = [n for labels in part["balance"].values() for n in labels.values()]
        assert sum(counts) == len(ids(file))
    assert len(story["groups"]) == 10
    first = story["groups"][0]
    assert first["links"] == [
        {
            "first": first["members"][0],
            "second": first["members"][1],
            "kind": "context",
            "detail": "",
        }
    ]
    assert story["rules"]["near_context"] == 0.5
    assert story["leaks"] == {"pairs": 0, "list": []}


def test_kfold(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run("split", "--input", source, "--output-dir", out, "--scheme", "kfold") == 0
    assert set(tree(out)) == {
        "split.json",
        *(f"fold{n}/{part}.json" for n in range(1, 6) for part in ("train", "test")),
    }
    tested = [name for n in range(1, 6) for name in ids(out / f"fold{n}" / "test.json")]
    assert sorted(tested) == sorted(ids(source))
    assert "fold5/test" in capsys.readouterr().out


def test_the_parts_hold_the_questions_unchanged(
    source: Path, tmp_path: Path, pairs: list[Question]
) -> None:
    out = tmp_path / "out"
    assert run("split", "--input", source, "--output-dir", out) == 0
    together = [*read_questions(out / "train.json"), *read_questions(out / "test.json")]
    assert sorted(together, key=lambda q: q.id) == sorted(pairs, key=lambda q: q.id)


@pytest.mark.slow
def test_lab_final_says_that_it_leaks(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = shared_data / "lawqa_jp" / "selection.json"
    out = tmp_path / "out"
    assert run("split", "--input", data, "--output-dir", out, "--scheme", "lab-final") == 0
    said = capsys.readouterr()
    assert "note: the lab's split cuts groups: 16 pairs leak" in said.err
    assert "leaks between parts: 16 pairs, which give 14 questions away" in said.out
    assert told(out)["seed"] == 20251128
    assert told(out)["leaks"]["pairs"] == 16
    assert run("leaks", out / "train.json", out / "test.json") == 1
    assert "16 leaking pairs; 14 of 40 test items given away" in capsys.readouterr().out


def test_a_size_that_groups_do_not_allow_is_said(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("split", "--input", source, "--output-dir", tmp_path / "o", "--test-size", 5) == 0
    assert "note: test: 4 questions instead of 5, for groups are never divided" in (
        capsys.readouterr().err
    )


def test_fresh_replaces_a_split_and_nothing_else(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    words = ["split", "--input", source, "--output-dir", out]
    assert run(*words, "--scheme", "kfold", "--folds", 3) == 0
    (out / "fold3" / "adapter").mkdir()
    (out / "fold3" / "adapter" / "weights").write_text("w")
    (out / "notes.txt").write_text("n")
    before = tree(out)
    assert run(*words) == 2
    assert "already holds a split" in capsys.readouterr().err
    assert tree(out) == before
    assert run(*words, "--fresh") == 0
    assert set(tree(out)) == {
        "train.json",
        "test.json",
        "split.json",
        "notes.txt",
        "fold3/adapter/weights",
    }
    assert not (out / "fold1").exists()


def test_another_file_in_the_way_is_kept(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "train.json").write_text("mine")
    words = ["split", "--input", source, "--output-dir", out]
    assert run(*words) == 2
    assert "exists already" in capsys.readouterr().err
    assert tree(out) == {"train.json": b"mine"}
    assert run(*words, "--fresh") == 0
    assert "split.json" in tree(out)


def test_the_input_is_never_overwritten(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = source.rename(source.with_name("train.json"))
    before = file.read_bytes()
    assert run("split", "--input", file, "--output-dir", file.parent, "--fresh") == 2
    assert "is the input" in capsys.readouterr().err
    assert file.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--scheme", "holdout", "--folds", "5"], "--folds says nothing"),
        (["--scheme", "kfold", "--test-size", "5"], "--test-size says nothing"),
        (["--scheme", "kfold", "--folds", "1"], "--folds is 1"),
        (["--scheme", "kfold", "--folds", "11"], "cannot fill 11 folds"),
        (["--scheme", "lab-final"], "the lab's split is of 140 questions"),
        (["--scheme", "lab-final", "--seed", "1"], "fixed to seed 20251128"),
        (["--scheme", "lab-final", "--dev-size", "5"], "no dev part"),
        (["--test-size", "1.5"], "expected a share below 1 or a whole number"),
        (["--test-size", "-3"], "expected a share below 1 or a whole number"),
        (["--test-size", "20"], "cannot be split so"),
        (["--dev-size", "0"], "--dev-size is 0"),
        (["--dev-size", "nan"], "expected a share below 1 or a whole number"),
        (["--test-size", "10", "--dev-size", "10"], "beside the test part"),
    ],
)
def test_bad_options_write_nothing(
    source: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    words: Sequence[str],
    message: str,
) -> None:
    out = tmp_path / "out"
    assert run("split", "--input", source, "--output-dir", out, *words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.split("hint: ")[1].strip()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in"]


def test_bad_inputs_write_nothing(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    missing = tmp_path / "in" / "missing.json"
    broken = tmp_path / "in" / "broken.json"
    broken.write_text('{"samples": [')
    for file, message in ((missing, "no such file"), (broken, "broken JSON")):
        assert run("split", "--input", file, "--output-dir", out) == 2
        assert message in capsys.readouterr().err
        assert run("leaks", source, file) == 2
        assert message in capsys.readouterr().err
    assert run("split", "--input", source, "--output-dir", source) == 2
    assert "is a file, expected a directory" in capsys.readouterr().err
    assert run("split", "--input", source, "--output-dir", source / "below") == 2
    assert "cannot be written" in capsys.readouterr().err
    assert not out.exists()


def test_a_failure_while_writing_leaves_the_directory_as_it_was(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    words = ["split", "--input", source, "--output-dir", out]
    assert run(*words) == 0
    before = tree(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lawqa.pipelines.corpus.split.write_json", full)
    assert run(*words, "--fresh", "--seed", 3) == 2
    assert tree(tmp_path) == before


def test_leaks_lists_every_planted_pair(
    pairs: list[Question], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train, test = tmp_path / "train.json", tmp_path / "test.jsonl"
    renamed = replace(pairs[6], id="別名", context="", choices=pairs[6].choices[::-1])
    another_order = replace(pairs[8], order=3, choices=pairs[8].choices[::-1], context="")
    write_questions(train, [*pairs[10:], renamed, another_order, pairs[0]])
    write_questions(tmp_path / "test.json", pairs[1:10])
    samples = json.loads((tmp_path / "test.json").read_text(encoding="utf-8"))["samples"]
    test.write_text("\n".join(json.dumps(s) for s in samples), encoding="utf-8")
    assert run("leaks", train, test) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"{pairs[0].key} -> {pairs[1].key}: same context; both quote 民法 1条 1項",
        f"別名#1 -> {pairs[6].key}: same question and choices",
        f"{pairs[8].id}#3 -> {pairs[8].key}: orders of one question; same question and choices",
        "3 leaking pairs; 3 of 9 test items given away",
    ]


def test_leaks_understands_records(
    pairs: list[Question], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records, test = tmp_path / "records.jsonl", tmp_path / "test.json"
    write_questions(test, pairs[:10])
    write_records(records, [make_record(q, GOLD) for q in pairs[10:]])
    assert run("leaks", records, test) == 0
    assert "no leaks between 10 training items and 10 test items" in capsys.readouterr().out
    by_id = replace(make_record(pairs[0], CLOSED), origin=None)
    by_print = replace(make_record(pairs[2], CLOSED), question_id="別名", origin=None)
    by_text = replace(by_print, messages=make_record(pairs[4], CLOSED).messages, fingerprint="")
    write_records(records, [by_id, by_print, by_text])
    assert run("leaks", records, test) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines[:-1]] == [
        f"record 1 ({pairs[0].key}) -> {pairs[0].key}",
        f"record 2 (別名#1) -> {pairs[2].key}",
        f"record 3 (別名#1) -> {pairs[4].key}",
    ]
    assert lines[2].endswith(": near-same question (1.00)")


def test_a_closed_book_record_leaks_by_the_context_it_does_not_show(
    pairs: list[Question], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records, test = tmp_path / "records.jsonl", tmp_path / "test.json"
    made = [make_record(q, CLOSED) for q in pairs[::2]]
    write_records(records, made)
    write_questions(test, pairs[1::2])
    assert run("leaks", records, test) == 1
    said = capsys.readouterr()
    assert said.err == ""
    assert "10 leaking pairs; 10 of 10 test items given away" in said.out
    write_records(records, [replace(record, origin=None) for record in made])
    assert run("leaks", records, test) == 0
    assert "10 records without the question" in capsys.readouterr().err


def test_the_labs_old_records_are_compared_by_text(
    pairs: list[Question], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records, test = tmp_path / "records.jsonl", tmp_path / "test.json"
    choices = "\n".join(f"{x} {c}" for x, c in zip("abcd", pairs[0].choices, strict=True))
    line = {"input": f"質問: {pairs[0].text}\n選択肢:\n{choices}\n回答: ", "output": "a"}
    records.write_text(json.dumps(line), encoding="utf-8")
    write_questions(test, pairs[:4])
    assert run("leaks", records, test) == 1
    said = capsys.readouterr()
    assert "1 record without the question" in said.err
    assert f"-> {pairs[0].key}: near-same question" in said.out


@pytest.mark.slow
def test_neither_command_brings_torch(
    source: Path, tmp_path: Path, run_python: Callable[..., CompletedProcess[str]]
) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from lawqa.cli.questions.leaks import Leaks; from lawqa.cli.questions.split import SplitCommand; "
        "early = set(sys.modules); "
        "SplitCommand(Path(sys.argv[1]), Path(sys.argv[2])).run(); "
        "Leaks(Path(sys.argv[2], 'train.json'), Path(sys.argv[2], 'test.json')).run(); "
        "print('lawqa.splits' in early, sorted({'torch', 'transformers'} & set(sys.modules)))"
    )
    done = run_python("-c", code, str(source), str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False []"
