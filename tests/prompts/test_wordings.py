"""Wordings as files: dropped in, known by id, refused with a reason, and never mixed."""

from __future__ import annotations

import importlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest

from lawqa.answers import parse
from lawqa.cli import main
from lawqa.errors import ConfigError, DataError
from lawqa.prompting import ALL_SPECS, Condition, Mode, PromptSpec, build_prompt, wording_hash
from lawqa.prompts import wording_of, wordings
from lawqa.questions import Question, write_questions

pytestmark = pytest.mark.every_python

MakeQuestion = Callable[..., Question]
_MODULE = importlib.import_module("lawqa.prompts.wordings")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package's wordings, into which a file can be dropped."""
    copy = tmp_path / "prompts"
    copy.mkdir()
    for path in _MODULE.FOLDER.glob("*.toml"):
        shutil.copy(path, copy)
    monkeypatch.setattr(_MODULE, "FOLDER", copy)
    return copy


@pytest.fixture
def drop(folder: Path) -> Callable[..., Path]:
    """Drops a file of this name in: the standard wording with one text replaced by another."""

    def make(name: str, before: str = "専門家です", after: str = "先生です") -> Path:
        text = (folder / "standard.toml").read_text(encoding="utf-8")
        assert before in text
        path = folder / f"{name}.toml"
        path.write_text(text.replace(before, after), encoding="utf-8")
        return path

    return make


@pytest.fixture
def data(tmp_path: Path, question: MakeQuestion, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", [question(id=f"民法_{n}", text=f"問{n}") for n in (1, 2)])
    (tmp_path / "script.json").write_text('{"*": "a"}', encoding="utf-8")
    return tmp_path / "q.json"


def evaluated(data: Path, run: str, *flags: str) -> int:
    return main(
        [
            "evaluate",
            "--data",
            str(data),
            "--llm-backend",
            "scripted",
            "--script",
            "script.json",
            "--run-dir",
            run,
            *flags,
        ]
    )


# --- what ships


def test_the_hashes_of_what_ships_are_the_recorded_ones(
    check_golden: Callable[[str, str], None],
) -> None:
    lines = [f"{name} {wording_hash(name)}\n" for name in wordings()]
    check_golden("wording_hashes.txt", "".join(lines))


@pytest.mark.parametrize("mode", get_args(Mode))
@pytest.mark.parametrize("condition", get_args(Condition))
@pytest.mark.parametrize("wording", list(wordings()))
def test_no_wording_could_pass_for_an_answer(
    question: MakeQuestion, wording: str, condition: Condition, mode: Mode
) -> None:
    plain = question(text="問", context="文", choices=("甲", "乙", "丙", "丁"))
    spec = PromptSpec(mode, condition, wording=wording)
    prompt = build_prompt(plain, spec, retrieved="文" if condition == "rag" else "")
    words = "".join(m.content for m in prompt.messages).replace("a 甲\nb 乙\nc 丙\nd 丁", "")
    assert parse(words).label is None


def test_the_second_wording_speaks_of_the_provisions_only_where_there_are_some(
    question: MakeQuestion,
) -> None:
    with_context, without = (
        build_prompt(question(), PromptSpec("direct", condition, wording="provisions"))
        .messages[-1]
        .content
        for condition in ("gold", "closed")
    )
    for words in ("参考条文に従って", "関係しない部分", "「…」は省略された部分"):
        assert words in with_context
        assert words not in without
    assert "「誤っているもの」を選ぶ問題では" in with_context
    assert "「誤っているもの」を選ぶ問題では" in without


def test_an_id_leads_back_to_its_spec_in_every_wording() -> None:
    ids = [replace(spec, wording=name).id for spec in ALL_SPECS for name in wordings()]
    assert len(set(ids)) == 24 * len(wordings())
    assert [PromptSpec.from_id(name).id for name in ids] == ids


@pytest.mark.parametrize(
    "name", ["direct-closed-v1-", "direct-closed-v1-standard", "direct-v1-provisions"]
)
def test_no_other_name_is_a_spec(name: str) -> None:
    with pytest.raises(ConfigError, match="is not known") as caught:
        PromptSpec.from_id(name)
    assert "-provisions" in caught.value.hint


# --- a third one


def test_a_file_that_is_dropped_in_is_a_wording(
    drop: Callable[..., Path], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = wordings()
    assert first == "standard"
    drop("mine")
    assert list(wordings()) == ["standard", *sorted([*others, "mine"])]
    assert main(["prompts"]) == 0
    assert f"mine  {wording_hash('mine')}" in capsys.readouterr().out
    assert evaluated(data, "run", "--prompt", "mine") == 0
    manifest = json.loads(Path("run/manifest.json").read_text(encoding="utf-8"))
    assert list(manifest["prompt_specs"]) == ["direct-closed-v1-mine"]
    assert (
        main(["records", "--lawqa-path", str(data), "--output-path", "r.jsonl", "--prompt", "mine"])
        == 0
    )
    record = json.loads(Path("r.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert record["prompt_spec"] == "direct-closed-v1-mine"
    assert "先生です" in record["messages"][0]["content"]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("{final_answer_cue}", "答え：", "does not hold {final_answer_cue}"),
        ("その記号だけを答え", "たとえば a と答え", "'ask.direct' holds 'a'"),
        ("その記号だけを答え", "たとえば２と答え", "'ask.direct' holds '２'"),
        ("その記号だけを答え", "{label}を答え", "holds braces"),
        ("system = ", "sytem = ", "'sytem' is not known"),
        ('about = "the', "about = the", "cannot be read"),
        ('choices = "【選択肢】"\n', "", "'headings.choices' is missing or empty"),
        ("[ask]\n", "[asks]\n", "table [ask] is missing"),
    ],
)
def test_a_file_that_is_no_wording_is_refused_with_what_is_wrong(
    drop: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    before: str,
    after: str,
    message: str,
) -> None:
    path = drop("mine", before, after)
    with pytest.raises(DataError) as caught:
        wordings()
    assert message in caught.value.message
    assert main(["prompts"]) == 2
    assert str(path) in capsys.readouterr().err


def test_a_name_that_could_not_be_in_a_spec_id_is_refused(drop: Callable[..., Path]) -> None:
    drop("my-own")
    with pytest.raises(DataError, match="lower-case letters"):
        wordings()


# --- an unknown one, and two that differ


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "script.json"],
        ["records", "--lawqa-path", "q.json", "--output-path", "r.jsonl"],
        [
            "distill",
            "--data",
            "q.json",
            "--output-path",
            "r.jsonl",
            "--llm-backend",
            "scripted",
            "--script",
            "script.json",
        ],
        ["crossval", "run", "--input", "q.json", "--output-dir", "cv", "--folds", "2"],
        ["sweep", "--train-file", "q.json", "--output-dir", "sw"],
        ["train", "--train-file", "q.json", "--output-dir", "a"],
        ["prompts"],
    ],
    ids=lambda words: words[0],
)
def test_an_unknown_id_is_an_error_that_lists_the_known_ones(
    data: Path, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    assert data.exists()
    assert main([*command, "--prompt", "nope"]) == 2
    said = capsys.readouterr().err
    assert "--prompt nope: no such wording" in said
    assert "known: standard, provisions" in said


def test_a_run_is_not_resumed_in_another_wording(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert evaluated(data, "run") == 0
    assert evaluated(data, "run", "--resume", "--prompt", "provisions") == 2
    assert "direct-closed-v1-provisions" in capsys.readouterr().err


def test_records_in_other_words_than_asked_for_are_refused(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["records", "--lawqa-path", str(data), "--output-path", "r.jsonl"]) == 0
    flags = ["--train-file", "r.jsonl", "--output-dir", "a", "--prompt", "provisions"]
    assert main(["train", *flags]) == 2
    said = capsys.readouterr().err
    assert "the prompts of r.jsonl are worded otherwise: direct-closed-v1" in said


def test_the_standard_wording_is_the_default() -> None:
    assert wording_of("standard").id == PromptSpec().wording
