"""What of retrieved articles and contexts is gold: quoted by the question's own context."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from lawqa.made import Made
from lawqa.prompting import context_span
from lawqa.questions import Question
from lawqa.report.content import Entry, ReportRun, RetrievedText, ShownArticle
from lawqa.retrieval.gold_marks import GoldMarks
from lawqa.statutes.headings import gold_articles, quoted_paragraphs
from lawqa.statutes.locations import paragraph_of
from lawqa.statutes.normalise import normalise

_KEPT = 256


def with_gold_marked(
    runs: Sequence[ReportRun], questions: Mapping[str, Question]
) -> list[ReportRun]:
    """Mark in runs what was retrieved and is quoted by the question's own context.

    Args:
        runs: the runs; one that retrieved nothing stays as it is.
        questions: by id, those whose own context is at hand.
    """

    @lru_cache(_KEPT)
    def gold_of(question_id: str) -> _Gold:
        return _Gold(questions[question_id])

    def marked(entry: Entry) -> Entry:
        question = questions.get(entry.answer.question_id)
        if question is None or not entry.articles:
            return entry
        return gold_of(question.id).marked(entry)

    def with_marks(run: ReportRun) -> ReportRun:
        entries = Made(lambda place: marked(run.entries[place]), range(len(run.entries)))
        return replace(run, entries=entries)

    return list(map(with_marks, runs))


class _Gold:
    """The gold articles, paragraphs and text of a question."""

    def __init__(self, question: Question) -> None:
        context = question.context
        self._articles = {(normalise(one.law_title), one.article) for one in gold_articles(context)}
        self._paragraphs = {
            (normalise(one.law_title), one.article, one.paragraph)
            for one in quoted_paragraphs(context)
        }
        self._marks = GoldMarks(context)

    def marked(self, entry: Entry) -> Entry:
        articles = tuple(
            _marked_article(one, self._articles, self._paragraphs) for one in entry.articles
        )
        return replace(entry, articles=articles, retrieved=self._text(entry.result.prompt or ""))

    def _text(self, prompt: str) -> RetrievedText | None:
        span = context_span(prompt)
        if span is None:
            return None
        start, end = span
        gold = self._marks.spans(prompt[start:end])
        return RetrievedText(span, tuple((start + one, start + two) for one, two in gold))


def _marked_article(
    article: ShownArticle,
    gold: Collection[tuple[str, str]],
    paragraphs: Collection[tuple[str, str, int]],
) -> ShownArticle:
    law, number = normalise(article.law), article.article
    return replace(
        article,
        gold=(law, number) in gold,
        gold_passages=tuple(
            one for one in article.passages if (law, number, paragraph_of(one)) in paragraphs
        ),
    )
