"""Key words: what is found by their rarest signs is what looking for each would find."""

from __future__ import annotations

import json
from pathlib import Path

from lawqa.answers import evidence
from lawqa.answers.text import keys
from lawqa.answers.text.page import read_page

GOLDEN = Path(__file__).parents[2] / "golden/answers_unseen.jsonl"
TEXTS = [json.loads(line)["text"] for line in GOLDEN.read_text(encoding="utf-8").splitlines()[::4]]


def test_the_keys_found_are_those_that_the_text_holds() -> None:
    assert evidence.RULES, "the wordings of all rules have registered their keys"
    for text in TEXTS:
        page = read_page(text)
        held = {key for key in keys._BITS if key in page.text}
        for by_sign, bits in ((keys._ALL, page.keys), (keys._EARLY, page.early_keys)):
            # without English, keys that only English wordings have need not be found
            wanted = {
                key
                for listed in by_sign.values()
                for _, of_use, key, _ in listed
                if key in held and (page.english or of_use == keys._ANY)
            }
            assert {key for key, bit in keys._BITS.items() if bits & bit} == wanted, text


def test_a_key_of_english_and_of_other_wordings_is_looked_for_in_any_text() -> None:
    bits = keys.key_bits(["zyx"], english=True)
    assert keys.keys_in("zyx", frozenset("zyx"), english=False) & bits == 0
    assert keys.key_bits(["zyx"], english=False) == bits
    assert keys.keys_in("zyx", frozenset("zyx"), english=False) & bits == bits
    assert keys.keys_in("zxy", frozenset("zyx"), english=True) & bits == 0
