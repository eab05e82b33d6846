"""`lawqa pool pairs`: right and wrong samples of one prompt, of like length, with what was left out."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from lawqa.choices import LABELS, cyclic_orders, permute_label
from lawqa.cli import main
from lawqa.questions import Question, write_questions
from lawqa.records import load_pairs

RIGHT = (
    "条文の文言に照らして各選択肢を検討すると、これに反しないのは一つだけである。",
    "問題文が尋ねる要件を順に当てはめると、効果が生じるのはこの場合に限られることが分かるので、これを選ぶことになる。",
)
WRONG = (
    "条文の文言を読み違えて検討すると、要件を満たすように見えるものが残る。",
    "問題文が尋ねる要件を取り違えて順に当てはめると、効果が生じる場合はこれに限られるように見えるので、選ぶことになる。",
)
ENGLISH = "Reading the statute closely, only this choice follows from its words and so it is right."


@pytest.fixture
def here(
    tmp_path: Path, embedded_questions: tuple[Question, ...], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Four questions, four samples each in one order: mixed, mixed with English, all right, all wrong."""
    monkeypatch.chdir(tmp_path)
    asked = embedded_questions[:4]
    write_questions(tmp_path / "train.json", asked)
    script: dict[str, Any] = {}
    for place, question in enumerate(asked):
        gold = permute_label(question.gold, cyclic_orders()[0])
        other = LABELS[(LABELS.index(gold) + 1) % 4]
        right = [f"{reason}{question.id}\n最終回答：{gold}" for reason in RIGHT]
        wrong = [f"{reason}{question.id}\n最終回答：{other}" for reason in WRONG]
        english = [f"{ENGLISH}\n最終回答：{gold}", right[0]]
        texts = ([*right, *wrong], [*english, *wrong], [*right, *right], [*wrong, *wrong])[place]
        script[f"{question.id}#1"] = {"text": texts, "logprobs": [-0.1, -3.0, -3.5, -4.0]}
    (tmp_path / "script.json").write_text(json.dumps(script, ensure_ascii=False), encoding="utf-8")
    assert main(
        ["pool", "sample", "--pool", "pool.jsonl", "--data", "train.json", "--llm-backend", "scripted",
         "--script", "script.json", "--permutations", "1", "--samples-per-question", "4"]
    ) == 0  # fmt: skip
    return tmp_path


def pairs(*more: str, output: str = "pairs.jsonl") -> int:
    return main(["pool", "pairs", "--pool", "pool.jsonl", "--output-path", output, *more])


def test_right_and_wrong_samples_of_a_prompt_are_paired_and_the_rest_is_counted(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert pairs() == 0
    out = capsys.readouterr().out
    assert "questions: 2 of 4 have pairs; 2 have right or wrong ones alone in every order" in out
    assert "7 right ones that pass the filters, 8 wrong ones" in out
    assert "1 not in Japanese" in out
    found = load_pairs(here / "pairs.jsonl")
    assert sorted(Counter(pair.right.question_id for pair in found).values()) == [1, 2]
    for pair in found:
        gold = pair.right.origin.gold if pair.right.origin else ""
        assert pair.right.answer.endswith(f"最終回答：{gold}")
        assert not pair.wrong.answer.endswith(gold)
        assert ENGLISH not in pair.right.answer
        assert abs(len(pair.right.answer) - len(pair.wrong.answer)) < 15, "of like length"
    counts = json.loads((here / "pairs.pairing.json").read_text(encoding="utf-8"))
    assert (counts["pairs"], counts["questions_with_pairs"]) == (3, 2)
    assert counts["samples"]["wrong"] == 8


def test_caps_and_filters_are_the_user_s(here: Path) -> None:
    assert pairs("--pairs-per-question", "1") == 0
    assert len(load_pairs(here / "pairs.jsonl")) == 2
    assert pairs("--limit", "1", output="one.jsonl") == 0
    assert len(load_pairs(here / "one.jsonl")) == 1
    assert pairs("--without", "japanese", output="all.jsonl") == 0
    assert len(load_pairs(here / "all.jsonl")) == 4


def test_a_pool_without_a_pair_and_a_file_that_is_there_are_refused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (here / "pool.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    assert pairs() == 0
    assert pairs() == 2
    assert "--output-path pairs.jsonl: exists already" in capsys.readouterr().err
    (here / "pool.jsonl").write_text("".join(lines[-4:]), encoding="utf-8")
    assert pairs(output="none.jsonl") == 2
    assert (
        "no prompt has both a right sample that passes the filters (0)" in capsys.readouterr().err
    )
    assert not (here / "none.jsonl").exists()
