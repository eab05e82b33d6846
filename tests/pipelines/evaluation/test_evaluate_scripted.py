"""The real runner, from the command line to the files it leaves, on answers from a table."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import pytest

from lawqa.backends.base import ChoiceScores, Failure
from lawqa.backends.scripted import ScriptedBackend
from lawqa.choices import LABELS, permute
from lawqa.cli import main
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate
from lawqa.prompting import ALL_SPECS, Prompt, PromptSpec, spec_hash
from lawqa.questions import Question, file_sha256, fingerprint, write_questions

pytestmark = pytest.mark.every_python

MakeQuestion = Callable[..., Question]
LAB_KEYS = {
    "question": str,
    "choices": str,
    "correct_answer": str,
    "predicted_answer": str,
    "is_correct": bool,
    "response": str,
    "retrieved_docs_count": int,
    "file_name": str,
    "references": list,
}
ALL_RIGHT = {"民法_1": "a", "民法_2": "b", "刑法_3": "c", "刑法_4": "d"}


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def questions(question: MakeQuestion) -> list[Question]:
    """Four questions on two laws, with the right answers a, b, c and d."""
    return [
        question(
            id=name, text=f"問{number}はどれですか。", gold=gold, references=("https://example.jp",)
        )
        for number, (name, gold) in enumerate(ALL_RIGHT.items(), start=1)
    ]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, questions: list[Question]) -> Path:
    """An own working directory with the questions in q.json."""
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", questions)
    return tmp_path


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """`lawqa evaluate` with these scripted answers and further flags."""

    def ask(script: object, *flags: str) -> Ended:
        (here / "script.json").write_text(json.dumps(script), encoding="utf-8")
        code = main([
            "evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "script.json",
            *flags,
        ])  # fmt: skip
        return Ended(code, *capsys.readouterr())

    return ask


def loaded(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def results(run_dir: Path) -> list[dict[str, Any]]:
    lines = (run_dir / "results.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [json.loads(line) for line in lines]


def column(run_dir: Path, key: str) -> list[Any]:
    return [row[key] for row in results(run_dir)]


# --- figures


def test_right_and_wrong_answers_are_counted(run: Run, here: Path) -> None:
    ended = run({**ALL_RIGHT, "刑法_4": "a"}, "--run-dir", "r")
    assert ended.code == 0
    assert column(here / "r", "outcome") == ["correct", "correct", "correct", "wrong"]
    assert column(here / "r", "predicted_answer") == ["a", "b", "c", "a"]
    summary = loaded(here / "r" / "summary.json")
    assert (summary["accuracy"], summary["correct_count"], summary["total_count"]) == (0.75, 3, 4)
    assert summary["schema_version"] == 1


def test_the_statistics_travel_with_the_accuracy(run: Run, here: Path) -> None:
    run({**ALL_RIGHT, "刑法_4": "a"}, "--run-dir", "r")
    statistics = loaded(here / "r" / "summary.json")["statistics"]
    assert statistics["n"] == statistics["questions"] == 4
    interval = statistics["accuracy"]["interval"]
    assert 0 < interval["low"] < 0.75 < interval["high"] < 1
    assert statistics["outcomes"] == {
        "correct": 3, "wrong": 1, "unparsed": 0, "truncated": 0, "failed": 0,
    }  # fmt: skip
    assert statistics["predicted"] == {"a": 2, "b": 1, "c": 1, "d": 0}
    assert statistics["gold"] == {"a": 1, "b": 1, "c": 1, "d": 1}
    assert statistics["floors"]["chance"] == 0.25
    assert {law: found["correct"] for law, found in statistics["by_law"].items()} == {
        "刑法": 1,
        "民法": 2,
    }


def test_the_printed_table_says_what_the_files_say(run: Run) -> None:
    out = run({**ALL_RIGHT, "刑法_4": "a"}, "--run-dir", "r").out
    rows = {line.split("  ")[0]: line.split("  ")[-1].strip() for line in out.split("\n")}
    assert rows["accuracy"] == "75.0%"
    assert rows["correct / asked"] == "3 / 4"
    assert rows["unparsed / truncated / failed"] == "0 / 0 / 0"
    assert rows["answers a b c d"] == "2 1 1 0"
    assert rows["gold a b c d"] == "1 1 1 1"
    assert rows["floor: guessing"] == "25.0%"
    assert "run: r" in out.split("\n")


def test_a_note_is_the_first_line_that_is_printed_and_the_first_entry_of_the_summary(
    here: Path, capsys: pytest.CaptureFixture[str], embedded_file: Path
) -> None:
    (here / "script.json").write_text('{"*": "c"}', encoding="utf-8")
    flags = ["--llm-backend", "scripted", "--script", "script.json", "--run-dir", "r"]
    assert main(["evaluate", "--data", str(embedded_file), *flags]) == 0
    (note,) = loaded(here / "r" / "summary.json")["notes"]
    assert capsys.readouterr().out.split("\n")[0] == f"! {note}"
    assert list(loaded(here / "r" / "summary.json"))[:2] == ["schema_version", "notes"]


def test_without_anything_to_say_first_the_table_comes_first(run: Run, here: Path) -> None:
    assert run(ALL_RIGHT, "--run-dir", "r").out.split()[:2] == ["this", "run"]
    assert loaded(here / "r" / "summary.json")["notes"] == []


# --- what is kept of every question


def test_results_hold_one_line_per_question_with_the_labs_nine_keys_first(
    run: Run, here: Path, questions: list[Question]
) -> None:
    run(ALL_RIGHT, "--run-dir", "r")
    rows = results(here / "r")
    assert [row["file_name"] for row in rows] == [asked.id for asked in questions]
    for row in rows:
        assert list(row)[:9] == list(LAB_KEYS)
        assert {key: type(row[key]) for key in LAB_KEYS} == LAB_KEYS
        assert row["schema_version"] == 1
    assert rows[1]["question"] == "問2はどれですか。"
    assert rows[1]["choices"].startswith("a 初日を算入する\nb 初日を算入しない\nc ")
    assert rows[1]["correct_answer"] == "b"
    assert rows[1]["references"] == ["https://example.jp"]


def test_output_is_one_json_with_config_summary_and_results(run: Run, here: Path) -> None:
    ended = run(ALL_RIGHT, "--run-dir", "r", "--output", "new/out.json", "--seed", "5")
    output = loaded(here / "new" / "out.json")
    assert list(output) == ["schema_version", "config", "summary", "results"]
    assert output["schema_version"] == 1
    assert output["config"]["data"] == "q.json"
    assert output["config"]["seed"] == 5
    assert output["config"]["spec"]["mode"] == "direct"
    summary = loaded(here / "r" / "summary.json")
    assert output["summary"] == {key: summary[key] for key in summary if key != "schema_version"}
    assert output["results"] == results(here / "r")
    assert "output: new/out.json" in ended.out.split("\n")


def test_the_labs_own_files_have_the_keys_that_we_keep(shared_data: Path) -> None:
    legacy = loaded(shared_data / "legacy" / "baseline_rag_qwen3_full.json")
    assert list(legacy["results"][0]) == list(LAB_KEYS)
    assert list(legacy["summary"]) == ["accuracy", "correct_count", "total_count"]


def test_the_raw_text_is_kept_as_it_came(run: Run, here: Path) -> None:
    raw = " <think>\n迷う\n</think>\n\n答えは\u2028「\uff42」です。\t\n"
    run({"*": raw}, "--run-dir", "r", "--answer-by", "generate")
    assert column(here / "r", "response") == [raw] * 4
    assert column(here / "r", "predicted_answer") == ["b"] * 4


def test_what_was_parsed_and_by_which_rule_is_kept(run: Run, here: Path) -> None:
    run({"*": "最終回答\uff1ab"}, "--run-dir", "r", "--answer-by", "generate")
    row = results(here / "r")[0]
    assert (row["status"], row["rule"], row["span"]) == ("answered", "final-answer", [0, 6])
    assert row["answer_by"] == "generate"


def test_label_probabilities_are_kept_where_labels_were_scored(run: Run, here: Path) -> None:
    run({"*": {"text": "b", "logprobs": [-2.0, -1.0, -3.0, -4.0]}}, "--run-dir", "r")
    row = results(here / "r")[0]
    assert sum(map(math.exp, row["label_logprobs"])) == pytest.approx(1)
    assert (row["predicted_answer"], row["response"], row["answer_by"]) == ("b", "b", "logits")


def test_equal_probabilities_are_drawn_by_the_question(run: Run, here: Path) -> None:
    run({"*": {"text": "", "logprobs": [-9.0, -0.7, -0.7, -9.0]}}, "--run-dir", "r")
    drawn = column(here / "r", "predicted_answer")
    assert set(drawn) == {"b", "c"}
    final = loaded(here / "r" / "summary.json")["final"]
    assert (final["ties"], final["by_draw"]) == (4, 4)
    # Gold is a, b, c, d: the two that are among the level labels count one half each.
    assert final["expected"] == 0.25
    run({"*": {"text": "", "logprobs": [-9.0, -0.7, -0.7, -9.0]}}, "--run-dir", "again")
    assert column(here / "again", "predicted_answer") == drawn


# --- answers that are none


def test_every_kind_of_missing_answer_has_its_own_count(run: Run, here: Path) -> None:
    script = {
        "民法_1": "わかりません。",
        "民法_2": {"text": "第140条によれば", "hit_limit": True},
        "刑法_3": {"error": "out of memory"},
        "刑法_4": {"text": "d\nd\nd", "hit_limit": True},
    }
    ended = run(script, "--run-dir", "r", "--answer-by", "generate")
    assert ended.code == 3
    assert ended.err.startswith("1 question failed")
    assert column(here / "r", "outcome") == ["unparsed", "truncated", "failed", "correct"]
    assert column(here / "r", "predicted_answer") == [None, None, None, "d"]
    assert column(here / "r", "is_correct") == [False, False, False, True]
    assert column(here / "r", "hit_limit") == [False, True, None, True]
    assert column(here / "r", "error") == [None, None, "out of memory", None]
    assert column(here / "r", "response") == ["わかりません。", "第140条によれば", "", "d\nd\nd"]
    summary = loaded(here / "r" / "summary.json")
    assert (summary["accuracy"], summary["total_count"]) == (0.25, 4)
    assert "1 / 1 / 1" in ended.out


def test_a_think_block_that_never_closes_is_truncated(run: Run, here: Path) -> None:
    run({"*": "<think>\n最終回答\uff1aa"}, "--run-dir", "r", "--answer-by", "generate")
    assert column(here / "r", "outcome") == ["truncated"] * 4


def test_unparsed_answers_alone_are_no_failure(run: Run) -> None:
    assert run({"*": "わかりません。"}, "--run-dir", "r", "--answer-by", "generate").code == 0


def test_questions_that_the_script_does_not_know_fail_one_by_one(run: Run, here: Path) -> None:
    ended = run({"民法_1": "a"}, "--run-dir", "r")
    assert ended.code == 3
    assert column(here / "r", "outcome") == ["correct", "failed", "failed", "failed"]
    assert loaded(here / "r" / "manifest.json")["status"] == "done"


# --- how questions are put


def test_reasoning_is_generated_and_parsed(run: Run, here: Path) -> None:
    run({"*": "第140条による。\n最終回答\uff1ab"}, "--run-dir", "r", "--mode", "cot")
    assert column(here / "r", "answer_by") == ["generate"] * 4
    assert column(here / "r", "predicted_answer") == ["b"] * 4
    assert column(here / "r", "prompt_spec") == ["cot-closed-v1"] * 4


def test_the_condition_gold_shows_the_context_and_closed_does_not(run: Run, here: Path) -> None:
    run(ALL_RIGHT, "--run-dir", "closed")
    run(ALL_RIGHT, "--run-dir", "gold", "--condition", "gold", "--few-shot")
    context = "期間の初日は、算入しない。"
    assert [context in prompt for prompt in column(here / "closed", "prompt")] == [False] * 4
    assert [context in prompt for prompt in column(here / "gold", "prompt")] == [True] * 4
    assert column(here / "gold", "prompt_spec") == ["direct-gold-fewshot-v1"] * 4
    assert list(loaded(here / "gold" / "summary.json")["statistics"]["by_context"]) == ["context"]


def test_a_question_without_the_context_asked_for_stops_everything_first(
    run: Run, here: Path, questions: list[Question], question: MakeQuestion
) -> None:
    write_questions(here / "q.json", [*questions, question(id="商法_5", context="")])
    ended = run(ALL_RIGHT, "--run-dir", "r", "--condition", "gold")
    assert ended.code == 2
    assert "error: 商法_5#1: has no context for the condition gold" in ended.err
    assert not (here / "r").exists()


@pytest.mark.slow
def test_every_order_of_a_question_is_asked_and_told_apart(
    run: Run, here: Path, question: MakeQuestion
) -> None:
    original = question(gold="a")
    second = question(order=2, choices=permute(original.choices, (3, 0, 1, 2)), gold="b")
    write_questions(here / "q.json", [original, second])
    run({"民法_1#1": "a", "民法_1#2": "a"}, "--run-dir", "r")
    assert column(here / "r", "outcome") == ["correct", "wrong"]
    assert column(here / "r", "permutation") == [[0, 1, 2, 3], [3, 0, 1, 2]]
    statistics = loaded(here / "r" / "summary.json")["statistics"]
    assert (statistics["n"], statistics["questions"]) == (2, 1)
    assert list(statistics["by_order"]) == ["abcd", "dabc"]


def test_samples_asks_the_first_questions_only(run: Run, here: Path) -> None:
    run(ALL_RIGHT, "--run-dir", "r", "--samples", "2")
    assert column(here / "r", "file_name") == ["民法_1", "民法_2"]
    assert loaded(here / "r" / "manifest.json")["data"]["questions"] == 2


def test_more_samples_than_questions_are_all_questions(run: Run, here: Path) -> None:
    assert run(ALL_RIGHT, "--run-dir", "r", "--samples", "140").code == 0
    assert len(results(here / "r")) == 4


# --- where it is written


def test_the_manifest_explains_the_run(run: Run, here: Path, questions: list[Question]) -> None:
    run(ALL_RIGHT, "--run-dir", "r", "--seed", "5")
    manifest = loaded(here / "r" / "manifest.json")
    assert (manifest["kind"], manifest["status"], manifest["seed"]) == ("evaluate", "done", 5)
    assert manifest["started"] <= manifest["ended"]
    assert manifest["model"]["backend"] == "scripted"
    assert manifest["prompt_specs"] == {"direct-closed-v1": spec_hash(PromptSpec(), "")}
    assert manifest["data"] == {
        "path": "q.json",
        "sha256": file_sha256(here / "q.json"),
        "questions": 4,
        "prompts": 4,
    }
    assert manifest["questions"] == [
        {"id": asked.id, "order": 1, "fingerprint": fingerprint(asked)} for asked in questions
    ]


def test_runs_without_a_directory_of_their_own_never_share_one(run: Run, here: Path) -> None:
    outs = [run(ALL_RIGHT).out for _ in range(3)]
    directories = sorted((here / "runs").iterdir())
    assert len(directories) == 3
    for directory, out in zip(directories, sorted(outs), strict=True):
        assert "_scripted_direct-closed-v1" in directory.name
        assert f"run: runs/{directory.name}\n" in out
        assert len(results(directory)) == 4


def test_a_used_run_directory_is_refused_and_stays_as_it_is(run: Run, here: Path) -> None:
    run(ALL_RIGHT, "--run-dir", "r")
    before = (here / "r" / "results.jsonl").read_bytes()
    ended = run({"*": "a"}, "--run-dir", "r")
    assert ended.code == 2
    assert ended.err == (
        "error: r: already holds a run\n"
        "hint: --resume resumes it, --fresh replaces it; or name another directory\n"
    )
    assert (here / "r" / "results.jsonl").read_bytes() == before


def test_an_existing_output_is_refused_before_anything_is_asked(run: Run, here: Path) -> None:
    (here / "out.json").write_text("mine", encoding="utf-8")
    ended = run(ALL_RIGHT, "--run-dir", "r", "--output", "out.json")
    assert ended.code == 2
    assert "error: --output out.json: exists already" in ended.err
    assert (here / "out.json").read_text(encoding="utf-8") == "mine"
    assert not (here / "r").exists()


@pytest.mark.parametrize("output", [".", "q.json/out.json"])
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_asked(
    run: Run, here: Path, output: str
) -> None:
    ended = run(ALL_RIGHT, "--run-dir", "r", "--output", output)
    assert ended.code == 2
    assert ended.err.startswith("error: ")
    assert not (here / "r").exists()


def test_fresh_replaces_run_and_output(run: Run, here: Path) -> None:
    flags = ("--run-dir", "r", "--output", "out.json")
    run(ALL_RIGHT, *flags)
    assert run({"*": "a"}, *flags, "--fresh").code == 0
    assert column(here / "r", "predicted_answer") == ["a"] * 4
    assert loaded(here / "out.json")["summary"]["correct_count"] == 1


# --- refusals


@pytest.mark.parametrize(
    ("content", "expected"),
    [("{", "broken JSON"), ('["c"]', "expected an object"), ("", "is empty")],
)
def test_a_bad_script_file_ends_with_code_two(
    run: Run, here: Path, content: str, expected: str
) -> None:
    (here / "bad.json").write_text(content, encoding="utf-8")
    ended = run({}, "--script", "bad.json", "--run-dir", "r")
    assert ended.code == 2
    assert ended.err.startswith("error: bad.json: ")
    assert expected in ended.err
    assert not (here / "r").exists()


def test_the_scripted_backend_without_a_script_ends_with_code_two(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--data", "q.json", "--llm-backend", "scripted"]) == 2
    assert "error: --llm-backend scripted needs --script" in capsys.readouterr().err
    assert not (here / "runs").exists()


def test_heart01_wants_the_hugging_face_backend_named(run: Run, here: Path) -> None:
    ended = run(ALL_RIGHT, "--run-dir", "r", "--place", "heart01")
    assert ended.code == 2
    assert "forbidden at heart01 by the rule evaluation-names-backend-and-model" in ended.err
    assert not (here / "r").exists()


def test_heart01_forbids_a_model_server(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ["evaluate", "--data", "q.json", "--run-dir", "r", "--place", "heart01"]
    assert main([*argv, "--llm-backend", "ollama"]) == 2
    said = capsys.readouterr().err
    assert "forbidden at heart01 by the rule no-model-server: --llm-backend ollama" in said
    assert "hint: heart01 runs the Hugging Face backend only" in said
    assert not (here / "r").exists()


def test_an_unknown_place_ends_with_code_two(run: Run, here: Path) -> None:
    ended = run(ALL_RIGHT, "--run-dir", "r", "--place", "moon")
    assert ended.code == 2
    assert "error: --place moon: no such place" in ended.err
    assert not (here / "r").exists()


# --- other backends


class LastFirst(ScriptedBackend):
    """Answers the last question first."""

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        return super().score_choices(prompts[::-1])


def test_answers_may_come_in_any_order(here: Path) -> None:
    config = EvaluationConfig(
        Path("q.json"), PromptSpec(), "logits", "scripted",
        run_dir=Path("r"), output=Path("out.json"), quiet=True,
    )  # fmt: skip
    result = evaluate(config, lambda _config, _adapter: LastFirst(ALL_RIGHT))
    assert column(here / "r", "file_name") == list(ALL_RIGHT), "a finished run is in file order"
    assert [row["file_name"] for row in loaded(here / "out.json")["results"]] == list(ALL_RIGHT)
    assert [answer.question_id for answer in result.answers] == list(ALL_RIGHT)
    assert result.summary.accuracy.value == 1


class BreaksOff(ScriptedBackend):
    """Answers two questions, then raises."""

    def __init__(self, problem: BaseException) -> None:
        super().__init__(ALL_RIGHT)
        self._problem = problem

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        yield from super().score_choices(prompts[:2])
        self._break_off()

    def _break_off(self) -> NoReturn:
        raise self._problem


@pytest.mark.parametrize(
    ("problem", "status"),
    [(KeyboardInterrupt(), "interrupted"), (RuntimeError("a bug"), "failed")],
)
def test_a_run_that_breaks_off_keeps_what_it_has_and_says_so(
    here: Path, problem: BaseException, status: str
) -> None:
    config = EvaluationConfig(
        Path("q.json"), PromptSpec(), "logits", "scripted", run_dir=Path("r"), quiet=True
    )
    with pytest.raises(type(problem)):
        evaluate(config, lambda _config, _adapter: BreaksOff(problem))
    assert column(here / "r", "predicted_answer") == ["a", "b"]
    manifest = loaded(here / "r" / "manifest.json")
    assert manifest["status"] == status
    assert manifest["ended"] is not None
    assert not (here / "r" / "summary.json").exists()


# --- every way of asking


@pytest.mark.parametrize(
    "spec", [spec for spec in ALL_SPECS if spec.condition != "rag"], ids=lambda spec: spec.id
)
def test_every_spec_without_retrieval_runs_whole(run: Run, here: Path, spec: PromptSpec) -> None:
    flags = ["--condition", spec.condition, "--mode", spec.mode]
    flags += ["--thinking"] if spec.thinking else []
    flags += ["--few-shot"] if spec.few_shot else ["--no-few-shot"]
    assert run(ALL_RIGHT, "--run-dir", "r", *flags).code == 0
    assert column(here / "r", "prompt_spec") == [spec.id] * 4
    by_label = spec.mode == "direct" and not spec.thinking
    assert column(here / "r", "answer_by") == ["logits" if by_label else "generate"] * 4
    assert column(here / "r", "predicted_answer") == list(LABELS)
