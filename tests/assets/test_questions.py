"""The questions that ship with lawqa: their form, their balance, and every quotation in them."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import pytest

LABELS = "abcd"
FIELDS = ["ファイル名", "コンテキスト", "問題文", "指示", "選択肢", "output", "references"]
LAWQA_JP_STATUTES = ("金融商品取引法", "医薬品、医療機器等", "借地借家法")
LAWQA_JP_LAW_IDS = ("323AC0000000025", "335AC0000000145", "403AC0000000090")
LAW_URL = "https://laws.e-gov.go.jp/law/"
EVIDENCE_FILE = Path(__file__).parent / "gold_evidence.json"
STATUTES = Path(__file__).resolve().parents[3] / "shared/data/statutes/articles_common_laws.jsonl"

Question = dict[str, Any]


class Place(NamedTuple):
    """Where a line of a statute stands; an article of one paragraph has paragraph 1."""

    law: str
    article: str
    paragraph: int
    item: int | None


@cache
def questions() -> list[Question]:
    text = (files("lawqa") / "assets" / "questions.json").read_text(encoding="utf-8")
    samples: list[Question] = json.loads(text)["samples"]
    return samples


@cache
def evidence() -> dict[str, str]:
    phrases: dict[str, str] = json.loads(EVIDENCE_FILE.read_text(encoding="utf-8"))
    return phrases


def choices(question: Question) -> list[str]:
    return [line[2:] for line in question["選択肢"].split("\n")]


def quoted_lines(context: str) -> list[str]:
    return [line for line in context.split("\n") if not line.startswith("#")]


def laws_of(context: str) -> list[str]:
    return re.findall(r"^## (.+)$", context, flags=re.MULTILINE)


def each_question() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("question", questions(), ids=lambda q: q["ファイル名"])


# --- form


def test_there_are_sixty_questions() -> None:
    assert len(questions()) == 60


def test_file_is_written_in_its_canonical_layout() -> None:
    text = (files("lawqa") / "assets" / "questions.json").read_text(encoding="utf-8")
    assert text == json.dumps({"samples": questions()}, ensure_ascii=False, indent=1) + "\n"


@each_question()
def test_fields_are_those_of_lawqa_jp(question: Question) -> None:
    assert list(question) == FIELDS
    *texts, references = question.values()
    assert all(isinstance(text, str) and text.strip() == text != "" for text in texts)
    assert isinstance(references, list)
    assert all(isinstance(reference, str) for reference in references)


@each_question()
def test_four_choices_stand_in_the_order_a_to_d(question: Question) -> None:
    lines = question["選択肢"].split("\n")
    assert [line[:2] for line in lines] == [f"{label} " for label in LABELS]
    assert all(choices(question))
    assert question["output"] in LABELS


@each_question()
def test_choices_of_a_question_differ(question: Question) -> None:
    assert len(set(choices(question))) == 4


@each_question()
def test_context_is_neither_a_scrap_nor_a_chapter(question: Question) -> None:
    assert 60 <= len(question["コンテキスト"]) <= 700


@each_question()
def test_references_name_one_law_each(question: Question) -> None:
    assert len(question["references"]) == len(set(laws_of(question["コンテキスト"]))) == 1
    assert question["references"][0].startswith(LAW_URL)


def test_ids_are_unique_and_name_law_and_article() -> None:
    ids = [question["ファイル名"] for question in questions()]
    assert len(set(ids)) == len(ids)
    form = re.compile(r"[^_]+_第\d+条(の\d+)*_選択式_デモ_問題番号\d+")
    assert [name for name in ids if not form.fullmatch(name)] == []


def test_no_two_questions_are_the_same() -> None:
    keys = [(q["コンテキスト"], q["問題文"], *sorted(choices(q))) for q in questions()]
    assert len(set(keys)) == len(keys)
    asked = Counter((q["問題文"], q["選択肢"]) for q in questions())
    assert max(asked.values()) == 1


# --- balance


def test_gold_labels_are_balanced() -> None:
    assert Counter(q["output"] for q in questions()) == dict.fromkeys(LABELS, 15)


def test_there_are_at_least_six_laws_and_short_names_match_them() -> None:
    titles = defaultdict(set)
    for question in questions():
        titles[question["ファイル名"].split("_")[0]].update(laws_of(question["コンテキスト"]))
    assert len(titles) >= 6
    assert all(len(found) == 1 for found in titles.values())
    assert len(set.union(*titles.values())) == len(titles)


@each_question()
def test_statutes_of_lawqa_jp_do_not_occur(question: Question) -> None:
    text = json.dumps(question, ensure_ascii=False)
    assert [name for name in (*LAWQA_JP_STATUTES, *LAWQA_JP_LAW_IDS) if name in text] == []


@pytest.mark.parametrize("extreme", [max, min], ids=["longest", "shortest"])
def test_length_of_a_choice_does_not_give_the_answer_away(
    extreme: Callable[[Sequence[int]], int],
) -> None:
    hits = 0.0
    for question in questions():
        lengths = [len(choice) for choice in choices(question)]
        gold = lengths[LABELS.index(question["output"])]
        hits += (gold == extreme(lengths)) / lengths.count(extreme(lengths))
    assert hits / len(questions()) <= 0.35


def test_about_a_quarter_ask_for_the_wrong_statement() -> None:
    wrong = re.compile("誤っている|合わない|当たらない|定められていない")
    share = sum(bool(wrong.search(q["問題文"])) for q in questions()) / len(questions())
    assert 0.2 <= share <= 0.3


def test_some_contexts_are_shared_by_two_questions() -> None:
    uses = Counter(q["コンテキスト"] for q in questions())
    assert sum(count == 2 for count in uses.values()) >= 4
    assert max(uses.values()) == 2


# --- every answer rests on its context


def test_evidence_and_questions_name_the_same_ids() -> None:
    assert list(evidence()) == [question["ファイル名"] for question in questions()]


@each_question()
def test_evidence_for_the_gold_stands_in_the_context(question: Question) -> None:
    phrase = evidence()[question["ファイル名"]]
    assert len(phrase) >= 4
    assert any(phrase in line for line in quoted_lines(question["コンテキスト"]))


# --- every quotation is exact

_CIRCLED = "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳"
_KANJI_DIGITS = "一二三四五六七八九"
_HEADING = re.compile(r"(?P<marks>#{2,5}) (?P<name>.+)")
_ARTICLE = re.compile(r"第(\d+)条((?:の\d+)*)")
_PARAGRAPH = re.compile(r"第(\d+)項")
_ITEM = re.compile(r"第(\d+)号")


def kanji_number(text: str) -> int:
    tens, ten, ones = text.rpartition("十")
    value = _KANJI_DIGITS.index(ones) + 1 if ones else 0
    if ten:
        value += 10 * (_KANJI_DIGITS.index(tens) + 1 if tens else 1)
    return value


def statute_lines(row: dict[str, Any]) -> Iterator[tuple[Place, str]]:
    """Each line of an article with its place; the number in front of it is not part of it."""
    for paragraph in row["paragraphs"]:
        number, item = paragraph["num"], None
        for line in paragraph["text"].split("\n"):
            if line.startswith("（罰則"):
                break
            text = re.sub(r"^[０-９]+　", "", line)
            if line[0] in _CIRCLED:
                number, item, text = _CIRCLED.index(line[0]) + 1, None, line[2:]
            elif numbered := re.match(r"([一二三四五六七八九十]+) ", line):
                item, text = kanji_number(numbered.group(1)), line[numbered.end() :]
            yield Place(row["law_title"], row["article"], number, item), text


@cache
def statutes() -> dict[Place, list[str]]:
    if not STATUTES.exists():
        pytest.skip(f"no statute texts beside this checkout: {STATUTES}")
    lines = defaultdict(list)
    with STATUTES.open(encoding="utf-8") as file:
        for row in map(json.loads, file):
            if row["part"] == "main":
                for place, text in statute_lines(row):
                    lines[place].append(text)
    return dict(lines)


@cache
def paragraph_counts() -> Counter[tuple[str, str]]:
    return Counter((place.law, place.article) for place in statutes() if place.item is None)


def article_key(name: str) -> str | None:
    match = _ARTICLE.fullmatch(name)
    return match.group(1) + match.group(2).replace("の", "_") if match else None


def headed(place: Place, marks: str, name: str) -> Place:
    """The place that this heading moves to; a heading at the wrong level is an error."""
    if marks == "##":
        return Place(name, "", 1, None)
    if marks == "###" and (key := article_key(name)):
        return Place(place.law, key, 1, None)
    alone = paragraph_counts()[place.law, place.article] == 1
    if marks == "####" and not alone and (found := _PARAGRAPH.fullmatch(name)):
        return place._replace(paragraph=int(found.group(1)), item=None)
    if marks == ("####" if alone else "#####") and (found := _ITEM.fullmatch(name)):
        return place._replace(item=int(found.group(1)))
    raise AssertionError(f"heading {marks} {name} does not fit under {place}")


def quotations(context: str) -> dict[Place, list[str]]:
    place, found = Place("", "", 1, None), defaultdict(list)
    for line in context.split("\n"):
        if heading := _HEADING.fullmatch(line):
            place = headed(place, heading["marks"], heading["name"])
            assert place not in found, f"{place} is headed twice"
        else:
            found[place].append(line)
    return dict(found)


@each_question()
def test_every_line_stands_word_for_word_where_its_headings_say(question: Question) -> None:
    quoted = quotations(question["コンテキスト"])
    assert quoted == {place: statutes().get(place) for place in quoted}


@each_question()
def test_reference_is_the_law_that_is_quoted(question: Question) -> None:
    (law,) = set(laws_of(question["コンテキスト"]))
    assert question["references"] == [LAW_URL + law_ids()[law]]


@cache
def law_ids() -> dict[str, str]:
    if not STATUTES.exists():
        pytest.skip(f"no statute texts beside this checkout: {STATUTES}")
    rows = map(json.loads, STATUTES.read_text(encoding="utf-8").splitlines())
    return {row["law_title"]: row["law_id"] for row in rows}


@each_question()
def test_one_altered_character_is_noticed(question: Question) -> None:
    context = question["コンテキスト"]
    assert context.endswith(quoted_lines(context)[-1])
    altered = quotations(context[:-2] + "〓" + context[-1])
    assert altered != {place: statutes().get(place) for place in altered}
