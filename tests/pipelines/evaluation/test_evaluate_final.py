"""What is judged is what was asked: votes, orders and labels through the command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import Question, write_questions

Ask = Callable[..., None]


@pytest.fixture
def ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_questions: tuple[Question, ...]
) -> Ask:
    """Asks 12 questions; a script gives for each a text or a list of samples, by whether it is right."""
    monkeypatch.chdir(tmp_path)
    write_questions(Path("q.json"), embedded_questions[:12])
    wrong = {"a": "b", "b": "c", "c": "d", "d": "a"}

    def run(name: str, *flags: str, rights: Callable[[int], Any], **settings: Any) -> None:
        table: dict[str, Any] = {}
        for number, question in enumerate(embedded_questions[:12]):
            found = rights(number)
            said = [question.gold if ok else wrong[question.gold] for ok in found] if isinstance(
                found, list) else question.gold if found else wrong[question.gold]  # fmt: skip
            table[question.id] = settings.get("text", said)
        Path(f"{name}.script").write_text(json.dumps(table), encoding="utf-8")
        command = [
            "evaluate",
            "--data",
            "q.json",
            "--llm-backend",
            "scripted",
            "--run-dir",
            name,
            "--quiet",
        ]
        by = ["--answer-by", settings.get("by", "generate"), "--script", f"{name}.script"]
        assert main([*command, *by, *flags]) == 0

    return run


def compared(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["compare", *arguments, "--json"]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


@pytest.mark.slow
def test_a_vote_is_judged_not_its_first_sample(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("plain", rights=lambda i: i < 6)
    # Every first sample is wrong; the vote of four is right everywhere.
    ask("vote", "--ensemble", "4", rights=lambda _: [False, True, True, True])
    content = compared(capsys, "plain", "vote")
    (found,) = content["comparisons"].values()
    assert found["sentence"].startswith("vote - plain: +50.0 points, higher, more than luck (95%")
    assert (found["by_other"], found["by_base"]) == ("the vote of 4", "single answers")
    assert (found["only_other"], found["both"], found["p_value"]) == (6, 6, 2 / 2**6)
    assert [note for note in content["notes"] if "vote" in note] == [
        "SAMPLING DIFFERS: vote is judged by the vote of 4, plain by single answers"
    ]
    plain = compared(capsys, "plain", "vote", "--by", "plain")
    assert plain["comparisons"]["vote"]["difference"] == -0.5
    capsys.readouterr()
    assert main(["report", "plain", "vote", "-o", "r.md"]) == 0
    assert "vote - plain: +50.0 points, higher, more than luck" in capsys.readouterr().out
    assert "DIFFERENT DATA" not in Path("r.md").read_text(encoding="utf-8")
    assert main(["compare", "plain", "vote"]) == 0
    assert capsys.readouterr().out.startswith("vote - plain: +50.0 points, higher")


def test_the_averaged_answer_of_several_orders_is_judged(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("plain", rights=lambda i: i < 6)
    # The same letter in all four orders: every choice once, and a tie of four.
    ask("orders", "--permutations", "4", rights=lambda _: True, text="a")
    content = compared(capsys, "plain", "orders")
    (found,) = content["comparisons"].values()
    assert found["by_other"] == "the vote over 4 orders"
    final = content["runs"]["orders"]["final"]
    assert (final["ties"], final["expected"], final["accuracy"]["asked"]) == (12, 0.25, 12)
    assert found["other"]["value"] == final["accuracy"]["value"]


def test_summaries_say_the_final_answer_first_and_what_fewer_votes_would_have_given(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("vote", "--ensemble", "4", rights=lambda i: [i % 2 == 0, True, True, i % 3 == 0])
    out = capsys.readouterr().out
    summary = json.loads(Path("vote/summary.json").read_text(encoding="utf-8"))
    assert list(summary)[:3] == ["schema_version", "notes", "final"]
    assert summary["final"]["name"] == "the vote of 4"
    assert [point["k"] for point in summary["final"]["votes"]] == [1, 2, 4]
    assert summary["final"]["votes"][0]["accuracy"] == pytest.approx(summary["accuracy"])
    assert summary["final"]["votes"][-1]["accuracy"] == pytest.approx(summary["final"]["expected"])
    lines = [re.split(r"\s{2,}", line)[0] for line in out.splitlines()]
    assert lines.index("accuracy") < lines.index("single prompts")
    assert "vote of k prompts" in lines


def test_a_dead_head_is_drawn_also_where_older_runs_stored_an_a(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    flat = {"text": "", "logprobs": [-1.3862943611198906] * 4}
    ask("dead", rights=lambda _: True, text=flat, by="logits")
    rows = [json.loads(line) for line in Path("dead/results.jsonl").read_text("utf-8").splitlines()]
    drawn = [row["predicted_answer"] for row in rows]
    assert len(set(drawn)) > 1
    for row in rows:  # as lawqa stored it before
        row["predicted_answer"] = row["response"] = "a"
        row["outcome"] = "correct" if row["correct_answer"] == "a" else "wrong"
        row["is_correct"] = row["outcome"] == "correct"
    Path("dead/results.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8"
    )
    capsys.readouterr()
    assert main(["rescore", "dead"]) == 0
    out = capsys.readouterr().out
    assert f"{sum(label != 'a' for label in drawn)} answers are read differently" in out
    assert "level-labels-drawn" in out
    assert "12 (25.0%)" in out  # ties, and the accuracy if they were shared


def test_the_soft_vote_of_texts_is_refused_with_what_to_type(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("one", rights=lambda _: True)
    ask("two", "--ensemble", "2", rights=lambda _: [True, True])
    for command in (["compare", "one", "two", "--by", "soft"], ["rescore", "two", "--by", "soft"],
                    ["report", "one", "two", "--by", "soft", "-o", "r.md"]):  # fmt: skip
        capsys.readouterr()
        assert main(command) == 2, command
        err = capsys.readouterr().err
        assert "two: the soft vote needs label probabilities, and the run stores none" in err
        assert "--by vote" in err


@pytest.mark.slow
def test_groups_of_linked_questions_are_the_unit(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("one", rights=lambda i: i < 3)
    ask("two", rights=lambda i: i < 9)
    (found,) = compared(capsys, "one", "two", "--clusters", "group")["comparisons"].values()
    assert found["test"] == "exact sign-flip by group"
    assert 2 <= found["clusters"] < found["questions"] == 12
    Path("q.json").unlink()
    assert main(["compare", "one", "two", "--clusters", "group"]) == 2
    assert "--data FILE" in capsys.readouterr().err


@pytest.mark.slow
def test_seeds_can_be_put_together_and_kept_apart(
    ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    ask("base", rights=lambda i: i < 3)
    for seed in range(3):
        ask(f"s{seed}", rights=lambda i, seed=seed: i < 7 + seed)
    together = compared(capsys, "base", "s0", "s1", "s2", "--seeds", "together")
    (found,) = together["comparisons"].values()
    assert found["seeds_other"] == 3
    assert found["difference"] == pytest.approx(5 / 12)
    assert found["sentence"].startswith("s0+s1+s2 - base: +41.7 points")
    apart = compared(capsys, "base", "s0", "s1", "s2", "--seeds", "apart")
    assert len(apart["comparisons"]) == 3
    assert main(["compare", "base", "s0", "--seeds", "together"]) == 2
