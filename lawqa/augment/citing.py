"""The articles that questions cite: in the headings of their contexts, in their text, in their choices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lawqa.questions import Question
from lawqa.statutes.article_names import ArticleName
from lawqa.statutes.citations import read_citations
from lawqa.statutes.headings import quoted_paragraphs
from lawqa.statutes.law_names import LawNames, canonical_title


def cited_articles(
    questions: Iterable[Question], law_titles: Sequence[str]
) -> tuple[ArticleName, ...]:
    """Return the articles that these questions cite, each once, by title and number.

    Of a text, citations of these statutes only are known: a name is read as theirs by its title or an
    abbreviation, and 同法 and 同条 by what went before. A range gives its two ends.

    Args:
        questions: whose contexts, texts and choices are read.
        law_titles: the full titles of the statutes at hand; each is given as it is written here.
    """
    titles = tuple(dict.fromkeys(law_titles))
    names = LawNames(titles)
    by_canonical = {canonical_title(title): title for title in titles}
    found = {
        ArticleName(_blankless(by_canonical.get(canonical_title(title), title)), article)
        for question in questions
        for title, article in (*_headed(question), *_mentioned(question, names))
    }
    return tuple(sorted(found, key=lambda cited: (cited.law_title, cited.article)))


def _headed(question: Question) -> Iterator[tuple[str, str]]:
    for quoted in quoted_paragraphs(question.context):
        yield quoted.law_title, quoted.article


def _mentioned(question: Question, names: LawNames) -> Iterator[tuple[str, str]]:
    asked = read_citations(question.text, names)
    # Each choice goes on from the question, not from the choice before it.
    readings = [asked, *(read_citations(c, names, asked.antecedents) for c in question.choices)]
    for reading in readings:
        for citation in reading.citations:
            if citation.law is not None:
                yield names.titles[citation.law], citation.article


def _blankless(title: str) -> str:
    return "".join(title.split())
