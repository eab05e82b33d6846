"""Notes of runs in Japanese: every kind that the package can write, whole."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import lawqa
from lawqa.pipelines.experiments.crossval_pool import Spread, pooled_note
from lawqa.report.note_words import CAUSE_WORDS, NOTE_SENTENCES, cause_phrase, note_phrase
from lawqa.runs.diff import CAUSES

ELSEWHERE = {
    "ECE", "ENSEMBLE", "FSDP", "NO MODE COUNTS AS TRAINED", "RAFT", "SAMPLING DIFFERS",
    "THE SAMPLER KNOWS THEM",
}  # fmt: skip
"""Begin so, and are no note of a run in a report: of `lawqa compare`, `probe`, trainings, pools, a paper."""

NOTHING = "this accuracy says nothing about new questions"
BEGINS = re.compile(r"([A-Z]{3,}(?: [A-Z-]{2,})*)(?:: | WITH)")
MIXED = re.compile(r"[A-Za-z]+(?: [a-z]+){2,}")
"""Three words of English one after another."""


def kinds() -> Iterator[str]:
    """What the notes of the package's sources begin with."""
    for file in Path(lawqa.__file__).parent.rglob("*.py"):
        if file.name in ("note_words.py", "cautions.py"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            text = node.value if isinstance(node, ast.Constant) else None
            if isinstance(text, str) and (match := BEGINS.match(text)):
                yield match[1]


def test_every_kind_of_note_has_a_japanese_sentence() -> None:
    written = set(kinds()) - ELSEWHERE
    assert len(written) > 25
    assert not [
        kind for kind in sorted(written) if not any(p.startswith(kind) for p, _ in NOTE_SENTENCES)
    ]


@pytest.mark.parametrize(
    "note",
    [
        f"LEAK: 12 of 60 questions were in the training of out; {NOTHING}",
        "LEAK: 1 of 60 questions was in the training of out, and 3 more share context or article with "
        f"one that was; {NOTHING}",
        "LEAK: 3 of 60 questions with the context or article of one that was in the training of out; "
        f"{NOTHING}",
        "UNKNOWN TRAINING: out has no manifest; nothing is known about its training, so leaks and prompt "
        "mismatches cannot be ruled out",
        "STATUTES READ: out has read 120 articles of 3 statutes as text; that is declared and no "
        "leak of questions",
        "STATUTES READ: out has read 120 articles of 民法 as text; 2 of 140 questions quote one of "
        "them; that is declared and no leak of questions",
        "PROMPT MISMATCH: out was trained on the prompt specs direct-rag-v1, not on cot-rag-v1",
        "QUANTISATION DIFFERS: trained over nf4 weights, evaluated over plain ones",
        "RAFT TRAINING: out was trained on retrieved contexts (--distractors 4); the gold articles are left "
        "out for 12 of the questions (--without-gold 0.2); here it gets neither",
        "BASE MISMATCH: out was trained over Qwen/Qwen3-8B, not over Qwen/Qwen3-4B: weights differ",
        "LOW LABEL MASS: in 8 of 8 scored answers (100%) all labels together have less than 0.1 of the "
        "probability (median 0.0078, lowest 0.004): the model was about to write something else; --answer-by "
        "generate reads what it writes",
        "ADAPTER CHANGES NOTHING: with out a probe prompt has the base model's logits, to the bit",
        "BEGUN WITH lawqa 0.1.0, resumed with 0.2.0",
        pooled_note(5, None),
        pooled_note(5, Spread(3, 0.021)),
    ],
)  # fmt: skip
def test_a_note_is_whole_in_japanese(note: str) -> None:
    phrase = note_phrase(note)
    assert phrase.en == note
    assert not MIXED.search(phrase.ja), phrase.ja
    assert "\0" not in phrase.ja


def test_what_a_note_leaves_out_leaves_no_brackets() -> None:
    of = "of 60 questions were in the training of out"
    assert "共有" not in note_phrase(f"LEAK: 12 {of}; {NOTHING}").ja
    more = f"LEAK: 12 {of}, and 3 more share context or article with one that was; {NOTHING}"
    assert "（条文を共有する問題がほかに 3 問）" in note_phrase(more).ja


def test_every_setting_that_differs_has_a_japanese_name() -> None:
    assert CAUSE_WORDS.keys() == {"model", *CAUSES}
    assert cause_phrase("prompt (mode: cot / direct)").ja == "プロンプト（mode: cot / direct）"
