"""How articles are ranked: the weights, tuned on the 69 questions of the dev half."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lawqa.settings import WordRules


@dataclass(frozen=True)
class SearchSettings:
    """How articles are ranked."""

    choices: Literal["adaptive", "all", "none"] = "adaptive"
    """Whose words are searched for with the question's: choices that are no bare citations, all, or none."""
    citations: bool = True
    """Whether cited articles are looked up."""
    follow: bool = True
    """Whether references from and to the best article are followed one step."""
    choice_weight: float = 0.25
    """The weight of a word in a choice; in the question it is 1, so four choices weigh as much."""
    k3: float = 1.0
    """How soon a word repeated in question and choices stops counting."""
    other_paragraphs: float = 0.1
    """The part that the other paragraphs of an article add to the score of its best one."""
    other_parts: float = 0.5
    """The weight of supplementary provisions, appendices and preambles that the question does not ask for."""
    citation_weight: float = 0.5
    """What a citation is worth, as a part of the best word score."""
    citation_floor: float = 0.95
    """How near the best word score a citation lifts an article at least: 1 is up to it."""
    follow_weight: float = 1.0
    """The part of the best article's score that those linked to it gain, over sqrt(1 + their number)."""
    follow_below: int = 3
    """How many of the best articles keep their places."""
    words: WordRules = "rules"
    """How a short query is cut into words: by script and pairs of kanji, or by SudachiPy."""
    named_law: float = 3.0
    """What the word scores of a statute are multiplied by that a short query names."""
    caption_weight: float = 0.8
    """What the score of an article gains whose caption holds all words of a short query, as a part of it."""
    captions_read: int = 16
    """How many of the best articles' captions are read for a short query."""
