"""What limits cost, and what label probabilities say beside texts: in summary, JSON and report."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import Question, write_questions
from lawqa.runs.text_figures import _quantile

pytestmark = pytest.mark.every_python


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: Callable[..., Question]
) -> Path:
    """Four questions whose right answer is a."""
    monkeypatch.chdir(tmp_path)
    questions = [question(id=f"民法_{n}", text=f"問{n}", gold="a") for n in range(1, 5)]
    write_questions(tmp_path / "q.json", questions)
    return tmp_path


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def ask(script: object, *flags: str) -> str:
        (here / "s.json").write_text(json.dumps(script), encoding="utf-8")
        argv = ["evaluate", "--data", "q.json", "--llm-backend", "scripted", "--script", "s.json",
                "--mode", "cot", "--run-dir", "r", "--fresh", *flags]  # fmt: skip
        assert main(argv) == 0
        return capsys.readouterr().out

    return ask


def summary() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(Path("r/summary.json").read_text(encoding="utf-8"))
    return content


def rows() -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path("r/results.jsonl").read_text("utf-8").splitlines()]


def likely(label: str) -> list[float]:
    return [math.log(0.7 if one == label else 0.1) for one in "abcd"]


def test_answers_that_ran_into_a_limit_are_counted_with_their_accuracy(
    run: Callable[..., str],
) -> None:
    out = run({
        "民法_1": {"text": "理由。\n最終回答：a"},
        "民法_2": {"text": "理由。\n最終回答：b"},
        "民法_3": {"text": "理由が続く", "hit_limit": True},
        "民法_4": {"text": "<think>\n長い\n</think>\n\n最終回答：a", "thinking_closed": True},
    }, "--thinking")  # fmt: skip
    limits = summary()["limits"]
    assert (limits["answers"], limits["share"], limits["cut"]) == (2, 0.5, 1)
    assert (limits["accuracy"]["correct"], limits["accuracy"]["asked"]) == (1, 2)
    assert (limits["if_all_right"], limits["if_like_others"]) == (0.75, 0.5)
    budget = summary()["budget"]
    assert (budget["correct"], budget["asked"]) == (1, 1)
    assert "closed at the thinking budget (budget): 100.0%" in out
    assert "ran into a limit: 2 (50.0%), 1 of them cut off: 50.0%" in out
    assert "with a larger limit: at most 75.0% of all texts right" in out


def test_tokens_are_told_by_median_and_ninety_percent(run: Callable[..., str]) -> None:
    run({"*": {"text": "理由。\n最終回答：a"}})
    tokens = summary()["tokens"]
    assert tokens == {"median": 10, "p90": 10, "sum": 40}
    assert summary()["limits"] is None
    assert summary()["budget"] is None


@pytest.mark.parametrize(
    ("values", "median", "ninety"),
    [([5], 5, 5), ([1, 3], 2, 3), ([3, 1, 2], 2, 3), (list(range(1, 11)), 5.5, 9.5), ([], 0, 0)],
)
def test_quantiles(values: list[int], median: float, ninety: float) -> None:
    assert (_quantile(values, 0.5), _quantile(values, 0.9)) == (median, ninety)


def test_texts_without_an_answer_agree_with_nothing(run: Callable[..., str]) -> None:
    named = {"text": "最終回答：a", "logprobs": likely("a"), "label_mass": 0.9}
    cut = {"text": "理由", "hit_limit": True, "logprobs": likely("a"), "label_mass": 0.9}
    out = run({"民法_1": named, "*": cut})
    assert "label probabilities after 4 texts" in out
    assert "disagree in 0 of 1 that name a label" in out


@pytest.mark.slow
def test_where_text_and_probabilities_disagree_both_are_shown(
    run: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    out = run({
        "民法_1": {"text": "理由。\n最終回答：b", "logprobs": likely("a"), "label_mass": 0.9},
        "*": {"text": "理由。\n最終回答：a", "logprobs": likely("a"), "label_mass": 0.9},
    })  # fmt: skip
    labels = summary()["text_labels"]
    assert (labels["scored"], labels["disagree"], labels["accuracy"]["correct"]) == (4, 1, 4)
    assert summary()["accuracy"] == 0.75, "the text is the answer"
    assert labels["named"] == 4
    assert "text and likeliest label disagree in 1 of 4 that name a label" in out
    first = rows()[0]
    assert first["response"][: first["label_at"]] + first["label_after"] == "理由。\n最終回答："
    assert first["label_logprobs"] == pytest.approx(likely("a"))
    assert main(["report", "r", "-o", "r.md"]) == 0
    assert "disagree" in Path("r.md").read_text(encoding="utf-8")
    pytest.importorskip("matplotlib", reason="the report needs lawqa[report]")
    assert main(["report", "r", "-o", "r.html"]) == 0
    capsys.readouterr()
    assert '"probable": "a"' in Path("r.html").read_text(encoding="utf-8").replace('":"', '": "')


def test_soft_votes_and_orders_use_them(run: Callable[..., str]) -> None:
    script = {"*": {"text": ["最終回答：b", "最終回答：b"], "logprobs": likely("a")}}
    run(script, "--ensemble", "2")
    assert summary()["final"]["by"] == "vote"
    assert summary()["final"]["accuracy"]["correct"] == 0
    assert main(["rescore", "r", "--by", "soft"]) == 0
    run(script, "--ensemble", "8", "--permutations", "4")
    assert summary()["final"]["by"] == "orders-samples"
    assert summary()["final"]["name"] == "the mean over 4 orders of 2 samples"


def test_without_them_the_texts_vote(run: Callable[..., str]) -> None:
    script = {"*": {"text": ["最終回答：b", "最終回答：b"], "logprobs": likely("a")}}
    run(script, "--ensemble", "2", "--no-score-labels")
    assert summary()["text_labels"] is None
    assert {row["label_logprobs"] for row in rows()} == {None}
    assert "label_at" not in rows()[0]


def test_nothing_is_lost_or_read_inside_of_a_long_thought(run: Callable[..., str]) -> None:
    thought = "最終回答：d という考えもある。答えは c か。" * 100
    assert len(thought) > 2000
    text = f"<think>\n{thought}\n</think>\n\n検討した。\n最終回答：a"
    out = run({
        "民法_3": {"text": f"<think>\n{thought}", "hit_limit": True, "logprobs": likely("b")},
        "*": {"text": text, "logprobs": likely("a")},
    }, "--thinking", "--ensemble", "1")  # fmt: skip
    answers = rows()
    assert [row["predicted_answer"] for row in answers] == ["a", "a", None, "a"]
    assert [row["outcome"] for row in answers] == ["correct", "correct", "truncated", "correct"]
    assert answers[0]["response"] == text
    assert answers[0]["label_at"] == len(text) - 1
    assert answers[2]["label_at"] == len(answers[2]["response"])
    assert answers[2]["label_after"] == "\n</think>\n\n最終回答："
    assert answers[2]["forced_answer"] == "b", (
        "scored behind the whole text: forced, and not counted"
    )
    assert "75.0%" in out
