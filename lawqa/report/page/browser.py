"""What the question browser of the page is given: questions and answers as JSON, each text once."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from lawqa.report.content import Entry, Report, RetrievedText
from lawqa.report.notes import notes_json
from lawqa.report.page.stored_texts import Once, Texts, usual_fields, without_usual
from lawqa.report.words import OUTCOME_NAMES, WORDS
from lawqa.scoring import order_name
from lawqa.statutes.article_names import article_name

_ARTICLE = re.compile(r"(附則)?([0-9]+(?:[_:,][0-9]+)*)")
_OFTEN_EQUAL = (
    "outcome", "order", "rule", "spec", "generated", "stopped", "prompt_tokens", "completion_tokens",
    "seconds", "label_mass", "hit",
)  # fmt: skip
# U+2028 and U+2029 end a line in older scripts; < > & could end the element or open a comment in it.
_UNSAFE = re.compile("[<>&\u2028\u2029\ud800-\udfff]")


def browser_data(report: Report) -> dict[str, object]:
    """Return the questions with every run's answers.

    Each line of a long text is in `lines` once; `texts` are lists of their numbers and are referred to by
    theirs, as are retrieved articles. An answer's fields complete the `usual` ones of its run. Answers follow
    the sequence of the questions and, within one, that of the runs.
    """
    texts, articles = Texts(), Once()
    numbers = {run.id: number for number, run in enumerate(report.runs)}
    bases = {pair.other: numbers[pair.base] for pair in report.pairs}
    by_question: dict[str, list[list[dict[str, object]]]] = {
        question.id: [[] for _ in report.runs] for question in report.questions
    }
    usual = []
    for number, run in enumerate(report.runs):
        entries = list(run.entries_of(by_question))
        rows = [_entry(entry, texts, articles) for entry in entries]
        usual.append(usual_fields(rows, _OFTEN_EQUAL))
        for entry, row in zip(entries, rows, strict=True):
            by_question[entry.answer.question_id][number].append(without_usual(row, usual[number]))
    questions = [
        {
            "id": q.id,
            "law": q.law,
            "text": q.text,
            "choices": list(q.choices),
            "gold": q.gold,
            "context": texts.number(q.context),
            "references": list(q.references),
            "answers": by_question[q.id],
        }
        for q in report.questions
    ]
    return {
        "runs": [
            {"id": run.id, "name": run.name, "base": bases.get(run.id), "usual": usual[number]}
            for number, run in enumerate(report.runs)
        ],
        "outcomes": list(OUTCOME_NAMES),
        "words": {name: [said.en, said.ja] for name, said in WORDS.items()},
        "questions": questions,
        "lines": texts.lines,
        "texts": texts.all,
        "articles": articles.all,
        "notes": notes_json(report.notes),
        "notes_file": report.notes_file,
    }


def manifests_data(report: Report) -> dict[str, object]:
    """Return what the page shows of each run's manifest; runs of the same questions share their list.

    The list is left out where the page does not show all questions.
    """
    questions, whole = Once(), len(report.questions) == report.asked
    manifests = []
    for run in report.runs:
        manifest = dict(run.manifest.to_json() if run.manifest else run.about)
        asked = manifest.pop("questions", None)
        manifests.append(
            [manifest, None if asked is None or not whole else questions.number(list(asked))]
        )
    return {"manifests": manifests, "questions": questions.all}


def embedded_json(value: Mapping[str, object]) -> str:
    """Return JSON that is safe inside a script element, whatever its strings hold; it parses to the same
    value.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _entry(entry: Entry, texts: Texts, articles: Once) -> dict[str, object]:
    a, result = entry.answer, entry.result
    fields: dict[str, object] = {
        "outcome": a.outcome,
        "label": a.predicted,
        "original": a.original_predicted,
        "gold": a.gold,
        "order": order_name(a.order),
        "repeat": a.repeat or None,
        "generated": result.answer_by == "generate" or None,
        "response": texts.number(result.response),
        "rule": entry.rule,
        "span": _utf16_span(result.response, entry.span),
        "spec": result.prompt_spec,
        "prompt": texts.number(result.prompt or ""),
        "prompt_tokens": result.prompt_tokens,
        "completion_tokens": result.completion_tokens,
        "seconds": result.seconds,
        "hit_limit": result.hit_limit or None,
        "stopped": result.stopped,
        "error": entry.error,
        "label_mass": result.label_mass,
        "forced": entry.forced,
        "probable": _probable(entry),
        "hit": a.gold_retrieved,
        "probabilities": a.label_logprobs and [round(math.exp(p), 4) for p in a.label_logprobs],
        "articles": [
            articles.number(
                {**vars(one), "article": _cited(one.article), "score": round(one.score, 2)}
            )
            for one in entry.articles
        ],
        "retrieved": entry.retrieved and _retrieved(result.prompt or "", entry.retrieved),
    }
    # Most fields are empty for most answers; the script takes a missing one as empty.
    return {
        key: value for key, value in fields.items() if value is not None and value not in ("", [])
    }


def _cited(number: str) -> str:
    """Return an article's number as one would cite it: 24_5 is 第24条の5; a document's section as it is."""
    match = _ARTICLE.fullmatch(number)
    return f"{match[1] or ''}{article_name(match[2])}" if match else number


def _retrieved(prompt: str, retrieved: RetrievedText) -> list[int]:
    """Return where the retrieved context begins and ends in the prompt, then where each part that is gold
    does.
    """
    return [
        place
        for span in (retrieved.span, *retrieved.gold)
        for place in _utf16_span(prompt, span) or ()
    ]


def _probable(entry: Entry) -> str | None:
    """Return the likeliest label where it is not the one that the text names."""
    probable = entry.result.scored_by_probability()
    if probable is None or probable.predicted == entry.answer.predicted:
        return None
    return probable.predicted


def _utf16_span(text: str, span: tuple[int, int] | None) -> list[int] | None:
    """Return the span in the units that scripts count by: a character beyond U+FFFF is two."""
    if span is None:
        return None
    return [len(text[:at].encode("utf-16-le", "surrogatepass")) // 2 for at in span]
