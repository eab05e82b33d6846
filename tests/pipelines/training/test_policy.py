"""What a sampled text earns: right, well-formed and in Japanese, or little, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from lawqa.augment.reasoning import Sample
from lawqa.pipelines.training.policy import FORM_REWARD, policy_source, reward_of
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, write_questions
from lawqa.settings import PolicyRun, PolicySettings

COT, DIRECT = PromptSpec("cot"), PromptSpec()
REASON = "条文の文言に照らして各選択肢を検討すると、これに反しないのは一つだけである。"
ENGLISH = "Reading the statute closely, only this choice follows from its words and is right."


@pytest.mark.parametrize(
    ("spec", "text", "ended", "reward", "right"),
    [
        (COT, f"{REASON}\n最終回答：{{right}}", True, 1.0, True),
        (COT, f"{REASON}\n最終回答：{{wrong}}", True, FORM_REWARD, False),
        (COT, f"{REASON}\n最終回答：{{right}}", False, 0.0, True),
        (COT, f"{ENGLISH}\n最終回答：{{right}}", True, 0.0, True),
        (COT, f"{(REASON + chr(10)) * 9}最終回答：{{right}}", True, 0.0, True),
        (COT, "最終回答：{right}", True, 0.0, True),
        (COT, REASON, True, 0.0, False),
        (COT, "", True, 0.0, False),
        (DIRECT, "{right}", True, 1.0, True),
        (DIRECT, "{wrong}", True, FORM_REWARD, False),
        (DIRECT, "{right}", False, 0.0, True),
    ],
)
def test_a_text_earns_by_answer_and_form(
    spec: PromptSpec,
    text: str,
    ended: bool,
    reward: float,
    right: bool,
    embedded_questions: tuple[Question, ...],
) -> None:
    question = embedded_questions[0]
    wrong = "bcda"["abcd".index(question.gold)]
    written = text.format(right=question.gold, wrong=wrong)
    assert reward_of(Sample(question, 0, written, cut_off=not ended), spec) == (reward, right)


def test_every_question_is_put_in_every_order(
    tmp_path: Path, embedded_questions: tuple[Question, ...]
) -> None:
    write_questions(tmp_path / "q.json", embedded_questions[:3])
    run = PolicyRun(
        train_file=tmp_path / "q.json",
        output_dir=tmp_path / "adapter",
        policy=PolicySettings(condition="gold", permutations=4),
    )
    records = policy_source(run).records
    assert len({record.key for record in records}) == len(records) == 12
    assert {record.prompt_spec for record in records} == {"cot-gold-v1"}
    assert {record.source for record in records} == {"policy"}
