"""What a sentence commands, allows or forbids, turned into something else by its last words."""

from __future__ import annotations

import pytest

from lawqa.augment.questions.modality import DeonticSentence, deontic_sentence


@pytest.mark.parametrize(
    ("sentence", "command"),
    [
        (
            "甲は、届け出なければならない。",
            DeonticSentence("must", "甲は、届け出る", "甲は、届け出"),
        ),
        ("甲は、公表することができる。", DeonticSentence("may", "甲は、公表する", "甲は、公表し")),
        ("甲は、公表してはならない。", DeonticSentence("must not", "甲は、公表する", "")),
        (
            "甲は、公表することを要しない。",
            DeonticSentence("need not", "甲は、公表する", "甲は、公表し"),
        ),
        ("甲は、公正でなければならない。", None),
        ("甲は、努めなければならない。", None),
        ("期間は、三年とする。", None),
    ],
)
def test_what_a_sentence_commands(sentence: str, command: DeonticSentence | None) -> None:
    assert deontic_sentence(sentence) == command
