"""Asking in several orders and several times, forcing answers, and scoring the base beside its adapter."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.scripted import ScriptedBackend
from lawqa.cli import main, parse_arguments
from lawqa.cli.asking.evaluate import Evaluate
from lawqa.cli.rerun import resume_command
from lawqa.errors import BackendError, ConfigError
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, evaluate, evaluate_with_base
from lawqa.prompting import Prompt, PromptSpec
from lawqa.questions import Question, write_questions
from lawqa.runs.stored import read_stored_run

MakeQuestion = Callable[..., Question]
GOLD = {"民法_1": "a", "民法_2": "b", "刑法_3": "c", "刑法_4": "d"}
UNSURE = "わかりません。"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: MakeQuestion) -> Path:
    """An own working directory with four questions in q.json."""
    monkeypatch.chdir(tmp_path)
    questions = [
        question(id=name, text=f"問{number}はどれですか。", gold=gold)
        for number, (name, gold) in enumerate(GOLD.items(), start=1)
    ]
    write_questions(tmp_path / "q.json", questions)
    return tmp_path


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """`lawqa evaluate` with these scripted answers and further flags, into the directory r."""

    def ask(script: object, *flags: str) -> tuple[int, str, str]:
        (here / "s.json").write_text(json.dumps(script), encoding="utf-8")
        code = main(
            ["evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json",
             "--run-dir", "r", *flags]
        )  # fmt: skip
        return code, *capsys.readouterr()

    return ask


Run = Callable[..., tuple[int, str, str]]


def config(**fields: Any) -> EvaluationConfig:
    settings = EvaluationConfig(
        Path("q.json"), PromptSpec(), "logits", "scripted", run_dir=Path("r"), quiet=True
    )
    return replace(settings, **fields)


def loaded(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def rows(run_dir: Path) -> list[dict[str, Any]]:
    text = (run_dir / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


# --- several orders


def test_every_question_is_asked_in_the_four_cyclic_orders(run: Run, here: Path) -> None:
    code, out, _ = run({"*": "b"}, "--permutations", "4")
    assert code == 0
    found = rows(here / "r")
    assert [row["file_name"] for row in found] == [name for name in GOLD for _ in range(4)]
    assert [row["permutation"] for row in found[:4]] == [
        [0, 1, 2, 3], [1, 2, 3, 0], [2, 3, 0, 1], [3, 0, 1, 2],
    ]  # fmt: skip
    assert [row["correct_answer"] for row in found[:4]] == ["a", "d", "c", "b"]
    summary = loaded(here / "r" / "summary.json")
    assert (summary["accuracy"], summary["total_count"]) == (0.25, 16)
    orders = summary["permutations"]
    assert {name: a["correct"] for name, a in orders["by_order"].items()} == {
        "abcd": 1, "bcda": 1, "cdab": 1, "dabc": 1,
    }  # fmt: skip
    assert (orders["questions"], orders["consistent"], orders["consistency"]) == (4, 0, 0.0)
    assert [line.split()[:1] for line in out.splitlines()].count(["cdab"]) == 1
    assert "same choice in every order: 0 of 4 questions (0.0%)" in out


def test_the_averaged_answer_is_that_of_the_choice_not_of_the_letter(run: Run, here: Path) -> None:
    # Follows the choice "初日を算入しない" wherever it stands: always the original b.
    script = {f"{name}#{order}": label for name in GOLD for order, label in
              {1: "b", 10: "a", 17: "d", 19: "c"}.items()}  # fmt: skip
    code, out, _ = run(script, "--permutations", "4")
    assert code == 0
    orders = loaded(here / "r" / "summary.json")["permutations"]
    assert (orders["consistent"], orders["averaged"]["correct"]) == (4, 1)
    averaged = {found["question_id"]: found for found in orders["averaged_answers"]}
    assert [averaged[name]["predicted"] for name in GOLD] == ["b"] * 4
    assert averaged["民法_1"]["probabilities"][1] == pytest.approx(0.97)
    assert "averaged answer  25.0%" in out


def test_all_24_orders(run: Run, here: Path) -> None:
    assert run({"*": "b"}, "--permutations", "24", "--samples", "2")[0] == 0
    found = rows(here / "r")
    assert [(row["file_name"], row["order"]) for row in found] == [
        (name, order) for name in list(GOLD)[:2] for order in range(1, 25)
    ]


def test_a_file_that_holds_orders_already_is_not_permuted_again(
    run: Run, here: Path, question: MakeQuestion
) -> None:
    write_questions(here / "q.json", [question(), question(order=2)])
    code, _, err = run({"*": "b"}, "--permutations", "4")
    assert (code, (here / "r").exists()) == (2, False)
    assert "民法_1#2: is one of several orders already" in err


# --- several answers


def test_the_majority_of_an_ensemble_is_counted_apart_from_its_samples(
    run: Run, here: Path
) -> None:
    script = {
        "民法_1": ["最終回答：a", "最終回答：b", "最終回答：a"],
        "民法_2": ["最終回答：a", "最終回答：b", "最終回答：c"],
        "刑法_3": [UNSURE, UNSURE, "最終回答：c"],
        "刑法_4": [UNSURE, UNSURE, UNSURE],
    }
    code, out, _ = run(script, "--ensemble", "3", "--mode", "cot", "--no-force-answers")
    assert code == 0
    found = rows(here / "r")
    assert [(row["file_name"], row["repeat"]) for row in found] == [
        (name, repeat) for name in GOLD for repeat in range(3)
    ]
    assert [row["response"] for row in found] == [
        text for texts in script.values() for text in texts
    ]
    summary = loaded(here / "r" / "summary.json")
    assert (summary["correct_count"], summary["total_count"]) == (4, 12)
    votes = summary["votes"]
    # A tie goes to the first label, so 民法_2 is read as a.
    assert (votes["accuracy"]["correct"], votes["accuracy"]["asked"]) == (2, 4)
    assert [one["correct"] for one in votes["by_sample"]] == [1, 1, 2]
    assert (votes["samples"], votes["undecided"]) == (3, 1)
    assert votes["agreement"] == pytest.approx((2 / 3 + 1 / 3 + 1 / 3 + 0) / 4)
    assert "majority of 3: 50.0%" in out
    assert "single samples: 25.0%, 25.0%, 50.0%" in out
    assert "no sample gave an answer: 1 question" in out
    manifest = loaded(here / "r" / "manifest.json")
    assert manifest["config"]["temperature"] == 0.7, "an ensemble samples without being told to"


def test_samples_in_several_orders_vote_on_choices(run: Run, here: Path) -> None:
    run({"*": ["b", "b"]}, "--ensemble", "8", "--permutations", "4")
    votes = loaded(here / "r" / "summary.json")["votes"]
    assert (votes["samples"], votes["accuracy"]["asked"]) == (8, 4)
    assert votes["agreement"] == 0.25
    rows = [
        json.loads(line) for line in (here / "r" / "results.jsonl").read_text("utf-8").splitlines()
    ]
    per_order = Counter((row["file_name"], row["order"]) for row in rows)
    assert set(per_order.values()) == {2}, "8 samples over 4 orders are 2 in each"
    assert len(per_order) == 4 * 4


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ("--ensemble 3 --temperature 0", "needs a --temperature above 0"),
        ("--ensemble 3 --answer-by logits", "--ensemble 3 needs --answer-by generate"),
        ("--ensemble 0", "--ensemble is 0, expected 1 or more"),
        ("--ensemble 6 --permutations 4", "expected a multiple of 4"),
        ("--ensemble 3 --temperature 0.5 --permutations 24", "expected a multiple of 24"),
        ("--mode cot --temperature 0 --top-p 0.9", "nothing is sampled at --temperature 0"),
        ("--thinking --thinking-budget 0", "--thinking-budget is 0, expected 1 or more"),
        ("--top-p 0", "--top-p is 0.0, expected above 0"),
        ("--top-k-sampling -1", "--top-k-sampling is -1"),
        ("--min-p 1", "--min-p is 1.0"),
        ("--thinking-budget 10", "--thinking-budget needs --thinking"),
        ("--thinking --thinking-budget 4096", "below --max-new-tokens (4096)"),
    ],
)
def test_settings_of_sampling_that_cannot_be(
    run: Run, here: Path, flags: str, message: str
) -> None:
    code, _, err = run({"*": "b"}, *flags.split())
    assert (code, (here / "r").exists()) == (2, False)
    assert message in err


class Asked(ScriptedBackend):
    """Keeps what it was asked."""

    def __init__(self, script: dict[str, Any]) -> None:
        super().__init__(script)
        self.asked: list[tuple[list[str], int, int]] = []
        self.settings: list[GenerationSettings] = []
        self.forced: list[tuple[str, str]] = []

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        keys = [prompt.question_id for prompt in prompts]
        self.asked.append((keys, settings.first_repeat, settings.repeats))
        self.settings.append(settings)
        return super().generate(prompts, settings)

    def score_after(
        self, prompts: Sequence[Prompt], texts: Sequence[str]
    ) -> Iterator[ChoiceScores | Failure]:
        keys = [prompt.question_id for prompt in prompts]
        assert len(keys) == len(set(keys)), "answers are distinguished by their prompts"
        self.forced += zip(keys, texts, strict=True)
        return super().score_after(prompts, texts)


def test_of_an_ensemble_only_the_missing_samples_are_asked(here: Path) -> None:
    cot = config(spec=PromptSpec("cot"), answer_by="generate", ensemble=4, temperature=0.5)
    evaluate(cot, lambda _config, _adapter: Asked({"*": ["a", "b", "c", "d"]}))
    missing = {("民法_2", 0), ("民法_2", 2), ("民法_2", 3), ("刑法_4", 2), ("刑法_4", 3)}
    kept = [row for row in rows(here / "r") if (row["file_name"], row["repeat"]) not in missing]
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept)
    (here / "r" / "results.jsonl").write_text(text, encoding="utf-8")
    backend = Asked({"*": ["a", "b", "c", "d"]})
    evaluate(replace(cot, resume=True), lambda _config, _adapter: backend)
    assert backend.asked == [(["民法_2"], 0, 1), (["民法_2", "刑法_4"], 2, 2)]
    assert [row["response"] for row in rows(here / "r")] == ["a", "b", "c", "d"] * 4


@pytest.mark.usefixtures("here")
def test_the_flags_of_generation_reach_the_backend() -> None:
    flags = (
        "--data q.json --llm-backend scripted --script s.json --run-dir r --thinking "
        "--temperature 0.6 --top-p 0.95 --top-k-sampling 20 --min-p 0.01 --max-new-tokens 900 "
        "--thinking-budget 512 --no-stop-at-final-answer --seed 3 --ensemble 2"
    )
    command = parse_arguments(["evaluate", *flags.split()])
    assert isinstance(command, Evaluate)
    backend = Asked({"*": ["a", "b"]})
    evaluate(command.resolve()[0], lambda _config, _adapter: backend)
    assert backend.settings == [
        GenerationSettings(
            max_new_tokens=900, temperature=0.6, top_p=0.95, top_k=20, min_p=0.01, seed=3,
            repeats=2, thinking_budget=512, stop_at_final_answer=False, stop_at_loops=True,
        )
    ]  # fmt: skip


@pytest.mark.slow
def test_a_run_of_several_samples_can_be_read_again_and_compared(
    run: Run, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run({"*": ["a", "b"]}, "--ensemble", "2")
    stored = read_stored_run(here / "r")
    assert [(r.question_id, r.repeat) for r in stored.results][:3] == [
        ("民法_1", 0), ("民法_1", 1), ("民法_2", 0),
    ]  # fmt: skip
    assert main(["rescore", "r"]) == 0
    assert "0 answers are read differently" in capsys.readouterr().out
    assert main(["compare", "r", "r"]) == 2
    assert "r: is given twice" in capsys.readouterr().err
    shutil.copytree("r", "again")
    assert main(["compare", "r", "again"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("again - r: +0.0 points, equal, may be luck (")
    assert "by the vote of 2, on 4 questions" in out
    assert main(["compare", "r", "again", "--by", "prompts"]) == 0
    assert "4 (8 pairs)" in capsys.readouterr().out


# --- how texts ended


def test_why_texts_ended_is_stored_and_counted(run: Run, here: Path) -> None:
    script = {
        "民法_1": {"text": "最終回答：a", "stopped": "final-answer"},
        "民法_2": {"text": "bbbb", "stopped": "loop"},
        "刑法_3": {"text": "思うに", "hit_limit": True, "forced": "c"},
        "刑法_4": {"text": "d", "thinking_closed": True},
    }
    code, out, _ = run(script, "--mode", "cot")
    assert code == 0
    assert [row["stopped"] for row in rows(here / "r")] == ["final-answer", "loop", "limit", "end"]
    assert [row["thinking_closed"] for row in rows(here / "r")] == [False, False, False, True]
    texts = loaded(here / "r" / "summary.json")["texts"]
    assert texts["stopped"] == {"end": 1, "final-answer": 1, "limit": 1, "loop": 1}
    assert texts["thinking_closed"] == 1
    assert "texts ended by: 1 end, 1 final-answer, 1 limit, 1 loop; 1 think blocks closed" in out


# --- forced answers


def test_forced_answers_are_stored_and_counted_apart(run: Run, here: Path) -> None:
    script = {
        "民法_1": "最終回答：a",
        "民法_2": {"text": UNSURE, "forced": "b"},
        "刑法_3": {"text": "思うに", "hit_limit": True, "forced": [-3.0, -2.0, -1.0, -4.0]},
        "刑法_4": {"text": UNSURE, "forced": "a"},
    }
    code, out, _ = run(script, "--mode", "cot")
    assert code == 0
    found = rows(here / "r")
    assert [row["outcome"] for row in found] == ["correct", "unparsed", "truncated", "unparsed"]
    assert [row["predicted_answer"] for row in found] == ["a", None, None, None]
    assert [row["forced_answer"] for row in found] == [None, "b", "c", "a"]
    assert found[2]["forced_logprobs"][2] == max(found[2]["forced_logprobs"])
    assert found[2]["forced_after"] == "\n最終回答："
    assert found[2]["response"] == "思うに"
    summary = loaded(here / "r" / "summary.json")
    assert (summary["accuracy"], summary["correct_count"]) == (0.25, 1)
    forced = summary["forced"]
    assert (forced["unanswered"], forced["forced"], forced["failed"]) == (3, 3, 0)
    assert (forced["accuracy"]["correct"], forced["accuracy"]["asked"]) == (3, 4)
    assert "accuracy                       25.0%" in out
    assert "with forced answers: 75.0%" in out
    assert "an answer was forced for 3 of 3 texts without one" in out


def test_answers_are_not_forced_where_that_is_not_wanted(run: Run, here: Path) -> None:
    _, out, _ = run({"*": {"text": UNSURE, "forced": "b"}}, "--mode", "cot", "--no-force-answers")
    assert [row["forced_answer"] for row in rows(here / "r")] == [None] * 4
    assert loaded(here / "r" / "summary.json")["forced"] is None
    assert "forced" not in out


def test_answers_can_be_forced_later(run: Run) -> None:
    script = {"*": {"text": UNSURE, "forced": "b"}}
    run(script, "--mode", "cot", "--no-force-answers")
    code, out, err = run(script, "--mode", "cot", "--resume")
    assert code == 0
    assert "4 of 4 answers known" in err
    assert "with forced answers: 25.0%" in out


def test_a_forced_answer_that_fails_is_no_failed_question_and_tried_again(
    run: Run, here: Path
) -> None:
    script: dict[str, Any] = {"*": {"text": UNSURE, "forced": "b"}, "民法_1": UNSURE}
    code, out, _ = run(script, "--mode", "cot")
    assert code == 0
    assert rows(here / "r")[0]["forced_error"] == "the script forces no answer"
    assert "an answer was forced for 3 of 4 texts without one, 1 failed" in out
    script["民法_1"] = {"text": UNSURE, "forced": "a"}
    assert run(script, "--mode", "cot", "--resume")[0] == 0
    first = rows(here / "r")[0]
    assert (first["forced_answer"], first["forced_error"]) == ("a", None)


def test_every_sample_without_an_answer_gets_its_own_forced_one(here: Path) -> None:
    backend = Asked({"*": {"text": [UNSURE, "b", "思うに"], "forced": "b"}})
    cot = config(spec=PromptSpec("cot"), answer_by="generate", ensemble=3, temperature=0.5)
    evaluate(cot, lambda _config, _adapter: backend)
    assert sorted(backend.forced) == sorted(
        (name, f"{text}\n最終回答：") for name in GOLD for text in (UNSURE, "思うに")
    )
    assert [row["forced_answer"] for row in rows(here / "r")] == ["b", None, "b"] * 4


class Unable(ScriptedBackend):
    """Cannot score a continued text."""

    def score_after(self, *_arguments: object) -> NoReturn:
        raise BackendError("a server gives no probabilities")


def test_a_backend_that_cannot_force_answers_says_so_in_a_note(here: Path) -> None:
    cot = config(spec=PromptSpec("cot"), answer_by="generate")
    result = evaluate(cot, lambda _config, _adapter: Unable({"*": UNSURE}))
    assert result.notes == ("answers are not forced: a server gives no probabilities",)
    assert loaded(here / "r" / "manifest.json")["notes"] == list(result.notes)
    assert result.figures.forced is None
    answered = evaluate(
        replace(cot, fresh=True), lambda _config, _adapter: Unable({"*": "最終回答：a"})
    )
    assert answered.notes[:1] != result.notes, "nothing had to be forced"


def test_an_open_think_block_is_closed_before_an_answer_is_forced(run: Run, here: Path) -> None:
    run({"*": {"text": "<think>\n迷う", "hit_limit": True, "forced": "c"}}, "--thinking")
    row = rows(here / "r")[0]
    assert (row["outcome"], row["forced_answer"]) == ("truncated", "c")
    assert row["forced_after"] == "\n</think>\n\n最終回答："


# --- an adapter and its base


class WithAdapter(ScriptedBackend):
    """Answers rightly with its adapter and always a without it."""

    opened = 0

    def __init__(self) -> None:
        super().__init__(GOLD)
        WithAdapter.opened += 1

    def describe(self) -> dict[str, Any]:
        return {"backend": "hf", "name": "m", "quantisation": None}

    def without_adapter(self) -> ScriptedBackend:
        return ScriptedBackend({"*": "a"})


@pytest.fixture
def adapter(here: Path) -> Path:
    """An adapter without a manifest."""
    (here / "adapter").mkdir()
    config = '{"peft_type": "LORA", "base_model_name_or_path": "m"}'
    (here / "adapter" / "adapter_config.json").write_text(config, encoding="utf-8")
    (here / "adapter" / "adapter_model.safetensors").write_bytes(b"weights")
    return Path("adapter")


def test_base_and_adapter_are_scored_on_one_load_into_two_runs(here: Path, adapter: Path) -> None:
    WithAdapter.opened = 0
    both = config(backend="hf", adapter=adapter, output=Path("out.json"))
    adapted, base = evaluate_with_base(both, lambda _config, _adapter: WithAdapter())
    assert WithAdapter.opened == 1
    assert (adapted.summary.accuracy.value, base.summary.accuracy.value) == (1.0, 0.25)
    assert (adapted.run_dir, base.run_dir) == (Path("r"), Path("r-base"))
    assert loaded(here / "r" / "manifest.json")["adapter"]["path"] == "adapter"
    assert loaded(here / "r-base" / "manifest.json")["adapter"] is None
    assert loaded(here / "r-base" / "manifest.json")["config"]["adapter"] is None
    assert loaded(here / "out.json")["summary"]["correct_count"] == 4
    assert loaded(here / "out-base.json")["summary"]["correct_count"] == 1


@pytest.mark.usefixtures("adapter")
def test_the_two_runs_are_printed_side_by_side_and_compared(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        "lawqa.pipelines.evaluation.evaluate.open_backend", lambda _config, _adapter: WithAdapter()
    )
    flags = "evaluate --data q.json --hf-lora-path adapter --with-base --run-dir r"
    assert main(flags.split()) == 0
    out = capsys.readouterr().out
    assert "r-base  " in out
    assert "run: r-base" in out
    assert "No difference from r-base is larger than luck." in out
    assert re.search(r"^against r-base +r$", out, re.MULTILINE)
    assert re.search(r"^questions +4$", out, re.MULTILINE)
    assert main(["compare", "r-base", "r"]) == 0
    compared = capsys.readouterr().out
    assert compared.startswith("r - r-base: +75.0 points, higher, may be luck (95% interval ")
    assert compared.splitlines()[0] in out


def test_base_and_adapter_go_on_together(here: Path, adapter: Path) -> None:
    both = config(backend="hf", adapter=adapter)
    evaluate_with_base(both, lambda _config, _adapter: WithAdapter())
    for name in ("r", "r-base"):
        results = here / name / "results.jsonl"
        results.write_bytes(b"".join(results.read_bytes().splitlines(keepends=True)[:1]))
    said: list[str] = []
    adapted, base = evaluate_with_base(
        replace(both, resume=True), lambda _config, _adapter: WithAdapter(), said.append
    )
    assert (adapted.summary.accuracy.value, base.summary.accuracy.value) == (1.0, 0.25)
    assert said == [
        f"{name}: 1 of 4 answers known, the others are asked now" for name in ("r", "r-base")
    ]


def test_another_adapter_at_the_same_path_is_another_run(here: Path, adapter: Path) -> None:
    one = config(backend="hf", adapter=adapter)
    evaluate(one, lambda _config, _adapter: WithAdapter())
    (here / "adapter" / "adapter_model.safetensors").write_bytes(b"other weights")
    with pytest.raises(ConfigError, match="the adapter's weights: then"):
        evaluate(replace(one, resume=True), lambda _config, _adapter: WithAdapter())


def test_a_base_run_in_the_way_is_found_before_a_model_is_loaded(here: Path, adapter: Path) -> None:
    evaluate(config(run_dir=Path("r-base")), lambda _config, _adapter: ScriptedBackend({"*": "a"}))
    WithAdapter.opened = 0
    with pytest.raises(ConfigError, match="r-base: already holds a run"):
        evaluate_with_base(
            config(backend="hf", adapter=adapter), lambda _config, _adapter: WithAdapter()
        )
    assert (WithAdapter.opened, (here / "r").exists()) == (0, False)


def test_with_base_needs_an_adapter(run: Run) -> None:
    code, _, err = run({"*": "a"}, "--with-base")
    assert code == 2
    assert err.startswith("error: --with-base needs --hf-lora-path")


# --- the command that resumes


@pytest.mark.parametrize(
    "flags",
    [
        "",
        "--mode cot --ensemble 3 --no-stop-at-loops --top-k-sampling 20",
        "--few-shot --permutations 4 --thinking --hf-lora-path 'my adapter'",
        "--condition rag --index i --no-follow --top-k 3",
        "--fresh --output out.json --samples 20 --place heart01",
    ],
)
def test_the_command_that_goes_on_means_the_same_settings(flags: str) -> None:
    command = parse_arguments(["evaluate", *shlex.split(flags)])
    assert isinstance(command, Evaluate)
    line = resume_command("evaluate", command, Path("runs/my run"))
    words = shlex.split(line)
    assert words[:2] == ["lawqa", "evaluate"]
    again = parse_arguments(words[1:])
    assert again == replace(command, run_dir=Path("runs/my run"), resume=True, fresh=False)


def test_backend_and_model_are_named_where_a_place_wants_them_named() -> None:
    line = resume_command("evaluate", Evaluate(), Path("r"), ("backend", "model_name"))
    assert line == (
        "lawqa evaluate --llm-backend hf --hf-model-name Qwen/Qwen3-8B --run-dir r --resume"
    )
