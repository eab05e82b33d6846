"""The mask of each kind of record with the real Qwen3 tokenizer, as files a person can read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lawqa.augment.reading import ReadingRecord, pack_readings
from lawqa.prompting import PromptSpec
from lawqa.records import make_record, masked_text, reading_record, tokenize_record

pytestmark = pytest.mark.torch

REASONING = "条文は期間の初日を算入しないと定めている。例外に当たる事情はない。"
KINDS = {
    "direct-closed": PromptSpec(),
    "direct-gold": PromptSpec(condition="gold"),
    "direct-closed-fewshot": PromptSpec(few_shot=True),
    "cot-closed": PromptSpec("cot"),
    "cot-gold": PromptSpec("cot", "gold"),
    "direct-closed-thinking": PromptSpec(thinking=True),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_mask_of_a_record(
    kind: str, questions: Any, qwen_tokenizer: Any, check_golden: Callable[[str, str], None]
) -> None:
    spec = KINDS[kind]
    reasoning = REASONING if spec.mode == "cot" or spec.thinking else ""
    record = make_record(questions[0], spec, reasoning=reasoning)
    tokenized = tokenize_record(record, qwen_tokenizer, 4096)
    check_golden(f"masks/{kind}.txt", masked_text(tokenized, qwen_tokenizer) + "\n")
    learnt = tokenized.input_ids[-tokenized.answer_tokens :]
    assert qwen_tokenizer.decode(learnt) == f"{record.answer}<|im_end|>"


def test_the_mask_of_a_text_to_read(
    qwen_tokenizer: Any, check_golden: Callable[[str, str], None]
) -> None:
    text = "## 例示法\n### 第1条の2（目的）\nこの法律は、例を示すことを目的とする。"
    article = ReadingRecord("x", "例示法", text)
    (packed,) = pack_readings([article], qwen_tokenizer, 64)
    record = reading_record("reading 1", packed.input_ids)
    check_golden("masks/reading.txt", masked_text(record, qwen_tokenizer) + "\n")
    assert record.answer_tokens == len(record.input_ids) - 1
