"""The 13 statutes that lawqa_jp cites."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lawqa.augment.question_types import QUOTED_TYPES, READING_TYPES, source_of
from lawqa.augment.shortcuts import asks_for_wrong, audit_shortcuts
from lawqa.augment.statutes import StatuteQuestions, make_statute_questions
from lawqa.pipelines.corpus.augment import StatutesConfig, write_statute_questions
from lawqa.questions import Question, read_questions
from lawqa.splits import find_leaks
from lawqa.statutes.articles import Article, read_articles, write_articles

Judge = Callable[[Question, Sequence[Article]], list[str]]
SAMPLE = 120  # questions judged of each type

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def articles(checkout: Path) -> tuple[Article, ...]:
    path = checkout.parent / "shared" / "data" / "statutes" / "articles_13laws.jsonl"
    if not path.is_file():
        pytest.skip(
            "there is no ../shared/data/statutes/articles_13laws.jsonl beside this checkout"
        )
    return tuple(read_articles(path))


@pytest.fixture(scope="module")
def made(articles: tuple[Article, ...]) -> StatuteQuestions:
    return make_statute_questions(articles)


def test_there_are_enough_and_they_balance(made: StatuteQuestions) -> None:
    assert len(made.questions) >= 5000
    assert len(set(Counter(g.question.gold for g in made.questions).values())) == 1
    kinds = Counter(g.source for g in made.questions)
    assert all(kinds[f"statute:{kind}"] >= 500 for kind in QUOTED_TYPES)
    assert len({g.question.id.split("_")[1] for g in made.questions}) == 13


def test_no_two_are_alike(made: StatuteQuestions) -> None:
    asked = Counter((g.question.text, *sorted(g.question.choices)) for g in made.questions)
    assert max(asked.values()) == 1
    assert all(len(set(g.question.choices)) == 4 for g in made.questions)


def test_contexts_hold_what_is_asked_and_stay_short(made: StatuteQuestions) -> None:
    lengths = sorted(len(g.question.context) for g in made.questions)
    assert lengths[len(lengths) // 2] < 800
    assert lengths[int(len(lengths) * 0.99)] < 2500


@pytest.mark.parametrize("kind", QUOTED_TYPES)
def test_a_sample_is_judged_by_its_articles(
    kind: str, made: StatuteQuestions, articles: tuple[Article, ...], judge: Judge
) -> None:
    of_type = [g for g in made.questions if g.source == f"statute:{kind}"]
    sample = random.Random(13).sample(of_type, SAMPLE)  # noqa: S311 - a sample to read, no secret
    faults = {g.question.id: f for g in sample if (f := judge(g.question, articles))}
    assert faults == {}


def test_nothing_leaks_into_lawqa_jp(
    articles: tuple[Article, ...], shared_data: Path, tmp_path: Path
) -> None:
    small = [article for article in articles if article.law_title == "借地借家法"]
    write_articles(tmp_path / "articles.jsonl", small)
    evaluated = shared_data / "lawqa_jp" / "selection.json"
    config = StatutesConfig(
        tmp_path / "articles.jsonl", tmp_path / "made.json", exclude_articles_of=evaluated
    )
    result = write_statute_questions(config)
    assert result.made.articles_left_out["cited by a question that is evaluated on"] >= 10
    written = read_questions(tmp_path / "made.json")
    assert len(written) >= 40
    assert find_leaks(written, read_questions(evaluated)) == ()


def test_questions_that_need_reading_keep_the_limits_of_the_audit(
    articles: tuple[Article, ...],
) -> None:
    main = [article for article in articles if article.part == "main"][:1200]
    made = make_statute_questions(main, types=READING_TYPES)
    questions = [generated.question for generated in made.questions]
    audit = audit_shortcuts(questions, lambda question: source_of(question.id))
    assert len(questions) >= 100
    assert audit.breaches == ()
    assert sum(asks_for_wrong(q.text) for q in questions) * 4 == len(questions)
