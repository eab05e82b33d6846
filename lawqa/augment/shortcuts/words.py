"""Solvers that know other questions of the file, but read neither context nor question of this one."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Sequence

from lawqa.augment.shortcuts.rules import credit
from lawqa.augment.shortcuts.stems import asks_for_wrong
from lawqa.augment.shortcuts.surface import folded
from lawqa.choices import LABELS
from lawqa.questions import Question

_FOLDS = 5
_GRAMS = (2, 4)
_END = 8
"""Characters at a choice's end that count as a word of their own."""
_RARE = 2


def known_answers(questions: Sequence[Question]) -> list[float]:
    """Return what is earned by answering with the choice that was right most often elsewhere in the file."""
    right: Counter[str] = Counter()
    offered: Counter[str] = Counter()
    for question in questions:
        offered.update(map(folded, question.choices))
        right[folded(_answer(question))] += 1
    earned = []
    for question in questions:
        own = folded(_answer(question))
        rates = []
        for text in map(folded, question.choices):
            times = offered[text] - 1
            rates.append((right[text] - (text == own) + 0.25) / (times + 1))
        earned.append(credit(rates, LABELS.index(question.gold)))
    return earned


def learned_words(questions: Sequence[Question]) -> list[float]:
    """Return what naive Bayes earns on the choices alone, learned on four fifths of the file and tried on the
    rest.

    Questions that ask for the wrong one are learned apart from the others.
    """
    earned = [0.0] * len(questions)
    for wrong in (False, True):
        places = [i for i, q in enumerate(questions) if asks_for_wrong(q.text) == wrong]
        words = {i: [_words(c) for c in questions[i].choices] for i in places}
        fold = {i: zlib.crc32(questions[i].id.encode()) % _FOLDS for i in places}
        for held in range(_FOLDS):
            odds = _odds([(words[i], questions[i]) for i in places if fold[i] != held])
            for i in places:
                if fold[i] == held:
                    values = [sum(odds.get(w, 0.0) for w in own) for own in words[i]]
                    earned[i] = credit(values, LABELS.index(questions[i].gold))
    return earned


def _answer(question: Question) -> str:
    return question.choices[LABELS.index(question.gold)]


def _words(choice: str) -> frozenset[str]:
    text = folded(choice)
    grams = {text[i : i + n] for n in _GRAMS for i in range(len(text) - n + 1)}
    return frozenset(grams | {f"{text[-_END:]}$"})


def _odds(known: Sequence[tuple[list[frozenset[str]], Question]]) -> dict[str, float]:
    """Return by how much each word speaks for a choice that has it."""
    right: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for words, question in known:
        for label, own in zip(LABELS, words, strict=True):
            every.update(own)
            if label == question.gold:
                right.update(own)
    prior = math.log(1 / 3)
    return {
        word: math.log((right[word] + 0.5) / (count - right[word] + 1.5)) - prior
        for word, count in every.items()
        if count >= _RARE
    }
