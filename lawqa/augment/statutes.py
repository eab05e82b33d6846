"""Four-choice questions made of statutes without a language model.

    parse -> leave out what may not be used -> drafts by type -> one of each wording -> leak audit
          -> limit -> labels in equal shares

Deterministic for a seed: in every process, on every machine, under every Python version.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from lawqa.augment.comprehension import reading_drafts, thinned
from lawqa.augment.numerals import LARGE_NUMERAL
from lawqa.augment.placing import NamedDraft, draw_some, labels_of, limited, named_drafts
from lawqa.augment.provisions import Provision, parse_articles
from lawqa.augment.question_types import (
    QUOTED_TYPES,
    READING_TYPES,
    QuestionType,
    QuotedType,
)
from lawqa.augment.questions.altered_statements import altered_drafts
from lawqa.augment.questions.cloze import cloze_drafts
from lawqa.augment.questions.drafts import Draft, shuffled
from lawqa.augment.questions.statute_facts import Statute, statutes_of
from lawqa.augment.questions.which_provision import which_drafts
from lawqa.bars import Bar
from lawqa.choices import LABELS, Label
from lawqa.errors import ConfigError
from lawqa.questions import Question
from lawqa.statutes.article_names import ArticleName
from lawqa.statutes.articles import Article
from lawqa.statutes.folding import fold
from lawqa.statutes.law_names import canonical_title

MAX_SAME_ANSWER = 40
"""The most missing-word questions of one statute and kind with the same answer.

内閣総理大臣 is the subject of every tenth sentence of 金商法: unlimited, it would be the best guess.
"""

_MAKERS: dict[QuotedType, Callable[[Statute, int], Iterator[Draft]]] = {
    "cloze": cloze_drafts,
    "altered": altered_drafts,
    "which": which_drafts,
}
_SPARE = 1.6
"""N drafts are made for each question wanted: some are duplicates, or solved by a cheap rule."""

_PER_LAW = 24
"""The most drafts of a type and law where a limit is to be filled from many laws."""
_INSTRUCTION = "以下の問題文に対する回答を、選択肢a、b、c、dの中から１つ選んでください。"
_REFERENCE = re.compile(
    rf"第{LARGE_NUMERAL}+(?:条(?:の{LARGE_NUMERAL}+)*|項|号(?:の{LARGE_NUMERAL}+)*)|同[条項号]"
)


@dataclass(frozen=True)
class GeneratedQuestion:
    """A question and where it comes from."""

    question: Question
    """The question; its context quotes what it was made of."""
    source: str
    """`statute:cloze` and the like, by type."""
    kind: str
    """What is asked for or altered, such as `quantity`."""
    articles: tuple[str, ...]
    """The ids of the articles it was made of; the first one holds the right answer."""
    facts: tuple[str, ...]
    """What was left out or altered."""


@dataclass(frozen=True)
class StatuteQuestions:
    """What was made of a file of articles."""

    questions: tuple[GeneratedQuestion, ...]
    """In the order of the statutes; a multiple of four, so that each label is right equally often."""
    articles_left_out: dict[str, int]
    """Articles that no question was made of, by reason."""
    questions_left_out: dict[str, int]
    """Questions that were made and not kept, by reason."""


Audit = Callable[[Sequence[Question]], Mapping[str, str]]
"""Says which questions may not be kept: ids and reasons."""


def make_statute_questions(
    articles: Iterable[Article],
    *,
    types: Sequence[QuestionType] = QUOTED_TYPES,
    seed: int = 0,
    limit: int | None = None,
    excluded: Collection[ArticleName] = (),
    audit: Audit = lambda _: {},
    quiet: bool = False,
) -> StatuteQuestions:
    """Return questions with exactly one right choice, from the main provisions of statutes.

    Args:
        articles: the statutes, in order.
        types: which types to make.
        seed: decides wrong answers, wordings, places of the right answer, and what a limit keeps.
        limit: keep at most N, drawn at random over all types and statutes; rounded down to a
            multiple of four.
        excluded: articles of which nothing may be used, neither as question nor as wrong answer.
        audit: what else may not be kept, such as near duplicates of questions that are evaluated on.
        quiet: no progress.

    Raises:
        ConfigError: the limit is below four.
    """
    if limit is not None and limit < len(LABELS):
        raise ConfigError(f"limit {limit}: expected {len(LABELS)} or more, one for each label")
    left_out: Counter[str] = Counter()
    articles_out: Counter[str] = Counter()
    laws = _by_law(articles)
    enough = None
    if limit is not None and not set(types) & set(QUOTED_TYPES):
        # Reading all laws of Japan takes minutes; a limit is filled from some of them, drawn at random.
        laws = dict(shuffled(laws.items(), lambda law: law[0], seed, "laws"))
        enough = _SPARE * limit
    drafts: list[Draft] = []
    with Bar("making questions", "statutes", len(laws), quiet=quiet) as bar:
        for own in bar.over(laws.values()):
            if enough is not None and len(drafts) >= enough:
                break
            of_law = _drafts(own, types, seed, excluded, articles_out)
            drafts += of_law if enough is None else draw_some(of_law, _PER_LAW, seed)
    named = named_drafts(_capped(_distinct(drafts, left_out), seed, left_out))
    verdicts = audit([_question(name, draft, "a", seed) for name, draft in named])
    left_out.update(verdicts.values())
    kept = [(name, draft) for name, draft in named if name not in verdicts]
    kept = _without_shortcuts(kept, seed, left_out)
    kept = limited(kept, limit, seed, left_out)
    labels = labels_of(kept, seed)
    questions = tuple(_generated(name, draft, labels[name], seed) for name, draft in kept)
    return StatuteQuestions(questions, _told(articles_out), _told(left_out))


def _by_law(articles: Iterable[Article]) -> dict[str, list[Article]]:
    laws: dict[str, list[Article]] = {}
    for article in articles:
        laws.setdefault(article.law_title, []).append(article)
    return laws


def _drafts(
    articles: Sequence[Article],
    types: Sequence[QuestionType],
    seed: int,
    excluded: Collection[ArticleName],
    left_out: Counter[str],
) -> Iterator[Draft]:
    """Yield the drafts of one law."""
    parsed = parse_articles(articles)
    usable, cited = _without(parsed.provisions, excluded)
    left_out.update(parsed.left_out + cited)
    for statute in statutes_of(parsed.provisions, usable):
        for kind, maker in _MAKERS.items():
            if kind in types:
                yield from maker(statute, seed)
        yield from reading_drafts(statute, [t for t in READING_TYPES if t in types], seed)


def _without_shortcuts(
    named: Sequence[NamedDraft], seed: int, left_out: Counter[str]
) -> list[NamedDraft]:
    """Return those of the reading types thinned out until no cheap solver does well on them."""
    reading = {
        name: _question(name, draft, draft.label or "a", seed)
        for name, draft in named
        if draft.type in READING_TYPES
    }
    kept = thinned(list(reading.values()), seed)
    left_out["a rule that does not read would be right too often"] += len(reading) - len(kept)
    return [entry for entry in named if entry[0] not in reading or entry[0] in kept]


def _told(counts: Counter[str]) -> dict[str, int]:
    return dict(sorted((+counts).items()))


def _without(
    provisions: Sequence[Provision], excluded: Collection[ArticleName]
) -> tuple[list[Provision], Counter[str]]:
    names = {(canonical_title(cited.law_title), cited.article) for cited in excluded}
    titles = {law: canonical_title(law) for law in {provision.law for provision in provisions}}
    usable, ids = [], set()
    for provision in provisions:
        if (titles[provision.law], provision.article.article) in names:
            ids.add(provision.article.id)
        else:
            usable.append(provision)
    return usable, Counter({"cited by a question that is evaluated on": len(ids)} if ids else {})


def _distinct(drafts: Iterable[Draft], left_out: Counter[str]) -> Iterator[Draft]:
    """Yield the drafts whose choices differ, and of those that ask the same of like sentences the first."""
    seen: set[tuple[str, ...]] = set()
    for draft in drafts:
        choices = {fold(choice) for choice in (draft.right, *draft.wrong)}
        law = draft.provisions[0].law
        wording = fold(_REFERENCE.sub("", draft.excerpt))
        # What every independent agency's reports hold is asked for once, not for each agency.
        key = (draft.type, "" if draft.type == "listed" else law, draft.kind, wording)
        if len(choices) < len(LABELS):
            left_out["choices not distinct"] += 1
        elif draft.type in ("cloze", "listed") and key in seen:
            left_out["same wording as another question"] += 1
        else:
            seen.add(key)
            yield draft


def _capped(drafts: Iterable[Draft], seed: int, left_out: Counter[str]) -> list[Draft]:
    """Return at most `MAX_SAME_ANSWER` missing-word questions of a statute and kind with one answer."""
    every = list(drafts)
    groups: dict[tuple[str, str, str], list[Draft]] = {}
    for draft in every:
        if draft.type == "cloze":
            key = (draft.provisions[0].law, draft.kind, draft.right)
            groups.setdefault(key, []).append(draft)
    dropped: set[int] = set()
    for group in groups.values():
        order = shuffled(group, lambda draft: draft.text, seed, "cap")
        dropped.update(map(id, order[MAX_SAME_ANSWER:]))
    left_out["same answer too often"] += len(dropped)
    return [draft for draft in every if id(draft) not in dropped]


def _generated(name: str, draft: Draft, label: Label, seed: int) -> GeneratedQuestion:
    return GeneratedQuestion(
        question=_question(name, draft, label, seed),
        source=f"statute:{draft.type}",
        kind=draft.kind,
        articles=tuple(dict.fromkeys(provision.article.id for provision in draft.provisions)),
        facts=draft.facts,
    )


def _question(name: str, draft: Draft, label: Label, seed: int) -> Question:
    fixed = draft.label is not None
    choices = list(draft.wrong) if fixed else shuffled(draft.wrong, str, seed, "choices", name)
    choices.insert(LABELS.index(label), draft.right)
    return Question(
        id=name,
        text=draft.text,
        choices=cast("tuple[str, str, str, str]", tuple(choices)),
        gold=label,
        context=draft.context,
        instruction=_INSTRUCTION,
        references=(f"https://laws.e-gov.go.jp/law/{draft.provisions[0].article.law_id}",),
    )
