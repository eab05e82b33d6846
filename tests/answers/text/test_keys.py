"""Key words: what is found by pairs of signs is what looking for each key would find."""

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
        for late, keys_found in enumerate((page.early_keys, page.keys)):
            # without English, keys that only English wordings have need not be found
            wanted = keys._ANY[late] | (keys._ENGLISH[late] if page.english else set())
            assert keys_found == {key for key in wanted if key in page.text}, text


def test_each_key_is_found_alone_and_between_signs_at_which_the_search_stops() -> None:
    for key in set().union(*keys._ANY, *keys._ENGLISH):
        early = key in keys._ANY[0] | keys._ENGLISH[0]
        for text in (key, f"選{key}選", f"の{key}の", f"{key}{key}"):
            assert key in keys.keys_in(text, keys.pairs_in(text), english=True, early=early), text


def test_a_key_of_english_and_of_other_wordings_is_looked_for_in_any_text() -> None:
    pairs = keys.pairs_in("zyx")
    keys.register(["zyx"], english=True)
    assert "zyx" not in keys.keys_in("zyx", pairs, english=False)
    keys.register(["zyx"])
    pairs = keys.pairs_in("zyx")
    assert "zyx" in keys.keys_in("zyx", pairs, english=False)
    assert "zyx" not in keys.keys_in("zxy", keys.pairs_in("zxy"), english=True)
    for registered in keys._ANY[1], keys._ENGLISH[1]:
        registered.discard("zyx")
