from __future__ import annotations

import codecs
import hashlib
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.choices import LABELS, ORIGINAL_ORDER, Order, permute, permute_label
from lawqa.errors import DataError
from lawqa.questions import (
    Question,
    choices_text,
    file_sha256,
    fingerprint,
    read_questions,
    write_questions,
)

pytestmark = pytest.mark.every_python

MakeQuestion = Callable[..., Question]
LEFT_OUT = object()
CHOICES = "a 一年\nb 二年\nc 三年\nd 四年"
ORDERS = st.permutations(range(4)).map(lambda order: (order[0], order[1], order[2], order[3]))
ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=30)
LINE = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=30).map(str.strip)
SOME_LINE = LINE.filter(bool)
QUESTIONS = st.lists(
    st.builds(
        Question,
        id=SOME_LINE,
        text=ANY_TEXT.map(str.strip).filter(bool),
        choices=st.lists(SOME_LINE, min_size=4, max_size=4, unique=True).map(tuple),
        gold=st.sampled_from(LABELS),
        context=ANY_TEXT,
        instruction=ANY_TEXT,
        references=st.lists(ANY_TEXT, max_size=3).map(tuple),
        order=st.integers(1, 24),
    ),
    min_size=1,
    max_size=4,
    unique_by=lambda question: question.id,
)


def sample(**changes: Any) -> dict[str, Any]:
    fields = {
        "ファイル名": "民法_1",
        "コンテキスト": "## 民法",
        "問題文": "何年ですか。",
        "指示": "1つ選んでください。",
        "選択肢": CHOICES,
        "output": "b",
        "references": ["https://example.jp"],
        **changes,
    }
    return {key: value for key, value in fields.items() if value is not LEFT_OUT}


def file_of(directory: Path, *samples: object) -> Path:
    path = directory / "questions.json"
    path.write_text(json.dumps({"samples": samples}, ensure_ascii=False), encoding="utf-8")
    return path


def error_of(path: Path) -> DataError:
    with pytest.raises(DataError) as caught:
        read_questions(path)
    assert str(path) in caught.value.message
    return caught.value


# --- reading and writing


def test_every_field_is_read(tmp_path: Path) -> None:
    assert read_questions(file_of(tmp_path, sample(回答オーダーマップ番号="3"))) == (
        Question(
            id="民法_1",
            text="何年ですか。",
            choices=("一年", "二年", "三年", "四年"),
            gold="b",
            context="## 民法",
            instruction="1つ選んでください。",
            references=("https://example.jp",),
            order=3,
        ),
    )


def test_context_instruction_references_and_order_may_be_missing(tmp_path: Path) -> None:
    spare = ("コンテキスト", "指示", "references")
    (read,) = read_questions(file_of(tmp_path, sample(**dict.fromkeys(spare, LEFT_OUT))))
    assert (read.context, read.instruction, read.references, read.order) == ("", "", (), 1)


@pytest.mark.slow
@given(QUESTIONS)
def test_what_was_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, questions: list[Question]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.json"
    write_questions(path, questions)
    assert read_questions(path) == tuple(questions)


def test_the_order_number_is_written_only_where_it_is_not_the_first(
    tmp_path: Path, question: MakeQuestion
) -> None:
    write_questions(tmp_path / "q.json", [question(), question(order=2)])
    first, second = json.loads((tmp_path / "q.json").read_text(encoding="utf-8"))["samples"]
    assert "回答オーダーマップ番号" not in first
    assert second["回答オーダーマップ番号"] == "2"


def test_a_bare_list_is_read(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text(json.dumps([sample()]), encoding="utf-8")
    assert len(read_questions(path)) == 1


def test_jsonl_is_read_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    lines = [json.dumps(sample(ファイル名=name), ensure_ascii=False) for name in ("一", "二")]
    path.write_text("\n\n".join(lines) + "\n", encoding="utf-8")
    assert [read.id for read in read_questions(path)] == ["一", "二"]


def test_a_line_separator_inside_a_text_does_not_split_a_jsonl_line(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps(sample(問題文="前\u2028後"), ensure_ascii=False), encoding="utf-8")
    assert read_questions(path)[0].text == "前\u2028後"


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_a_byte_order_mark_and_crlf_do_not_matter(tmp_path: Path, suffix: str) -> None:
    items = [sample(選択肢=CHOICES.replace("\n", "\r\n")), sample(ファイル名="民法_2")]
    if suffix == ".json":
        text = json.dumps({"samples": items}, ensure_ascii=False, indent=1)
    else:
        text = "\n".join(json.dumps(item, ensure_ascii=False) for item in items)
    path = tmp_path / f"q{suffix}"
    path.write_bytes(codecs.BOM_UTF8 + text.replace("\n", "\r\n").encode())
    read = read_questions(path)
    assert [item.id for item in read] == ["民法_1", "民法_2"]
    assert read[0].choices == ("一年", "二年", "三年", "四年")


def test_a_full_width_space_may_follow_a_choice_letter(tmp_path: Path) -> None:
    (read,) = read_questions(file_of(tmp_path, sample(選択肢=CHOICES.replace(" ", "\u3000"))))
    assert read.choices == ("一年", "二年", "三年", "四年")


def test_law_and_key_come_from_id_and_order(question: MakeQuestion) -> None:
    asked = question(id="借地借家法_第3条_問題番号7", order=4)
    assert (asked.law, asked.key) == ("借地借家法", "借地借家法_第3条_問題番号7#4")


def test_choices_text_is_four_lettered_lines() -> None:
    assert choices_text(("一年", "二年", "三年", "四年")) == CHOICES


def test_file_sha256_is_of_the_bytes(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"\xffabc")
    assert file_sha256(path) == hashlib.sha256(b"\xffabc").hexdigest()


# --- orders of one question


@given(ORDERS)
def test_the_permutation_says_where_each_choice_came_from(
    tmp_path_factory: pytest.TempPathFactory, question: MakeQuestion, order: Order
) -> None:
    original = question(order=1)
    shown = question(
        order=2,
        choices=permute(original.choices, order),
        gold=permute_label(original.gold, order),
    )
    path = tmp_path_factory.getbasetemp() / "orders.json"
    write_questions(path, [shown, original])
    read_shown, read_original = read_questions(path)
    assert (read_shown.permutation, read_original.permutation) == (order, ORIGINAL_ORDER)


def test_the_lowest_order_number_is_the_original_where_the_first_is_missing(
    tmp_path: Path, question: MakeQuestion
) -> None:
    third = question(order=3)
    fourth = question(order=4, choices=permute(third.choices, (3, 2, 1, 0)), gold="c")
    write_questions(tmp_path / "q.json", [fourth, third])
    assert [read.permutation for read in read_questions(tmp_path / "q.json")] == [
        (3, 2, 1, 0),
        ORIGINAL_ORDER,
    ]


def test_orders_with_other_choices_are_an_error(tmp_path: Path) -> None:
    changed = sample(回答オーダーマップ番号="2", 選択肢=CHOICES.replace("四年", "五年"))
    error = error_of(file_of(tmp_path, sample(), changed))
    assert "民法_1#2 does not have the same choices as 民法_1#1" in error.message


@pytest.mark.parametrize("number", ["2", 2, "02", "24"])
def test_order_numbers_are_read(tmp_path: Path, number: object) -> None:
    (read,) = read_questions(file_of(tmp_path, sample(回答オーダーマップ番号=number)))
    assert read.order == int(str(number))


# --- what is wrong with an item


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"問題文": LEFT_OUT}, "item 1 (民法_1): field 問題文: is missing"),
        ({"選択肢": LEFT_OUT}, "item 1 (民法_1): field 選択肢: is missing"),
        ({"output": LEFT_OUT}, "item 1 (民法_1): field output: is missing"),
        ({"ファイル名": LEFT_OUT}, "item 1: field ファイル名: is missing"),
        ({"問題文": " \n"}, "field 問題文: is empty"),
        ({"問題文": None}, "field 問題文: expected text, found NoneType"),
        ({"ファイル名": 7}, "item 1: field ファイル名: expected text, found int"),
        ({"コンテキスト": ["文"]}, "field コンテキスト: expected text, found list"),
        ({"選択肢": "a 一年\nb 二年\nc 三年"}, "field 選択肢: 3 choices, expected 4"),
        ({"選択肢": CHOICES + "\ne 五年"}, "field 選択肢: 5 choices, expected 4"),
        ({"選択肢": "a 一年\na 二年\nc 三年\nd 四年"}, "field 選択肢: label a occurs 2 times"),
        ({"選択肢": "b 一年\na 二年\nc 三年\nd 四年"}, "are in the order b a c d, not a b c d"),
        (
            {"選択肢": "a 一年\n二年\nc 三年\nd 四年"},
            "line '二年' does not start with a-d and a space",
        ),
        ({"選択肢": "a 一年\nb\nc 三年\nd 四年"}, "line 'b' does not start with a-d and a space"),
        ({"選択肢": ["一", "二", "三", "四"]}, "field 選択肢: expected text, found list"),
        ({"output": "e"}, "field output: gold label is 'e', expected one of a b c d"),
        ({"output": "B"}, "gold label is 'B', expected one of a b c d"),
        ({"output": "ab"}, "gold label is 'ab', expected one of a b c d"),
        ({"output": 2}, "field output: expected text, found int"),
        ({"references": "https://example.jp"}, "field references: expected a list of strings"),
        ({"references": [1]}, "field references: expected a list of strings"),
        ({"回答オーダーマップ番号": "0"}, "order number is '0', expected 1 to 24"),
        ({"回答オーダーマップ番号": "x"}, "order number is 'x', expected 1 to 24"),
        ({"回答オーダーマップ番号": "③"}, "order number is '③', expected 1 to 24"),
        ({"回答オーダーマップ番号": 1.5}, "order number is 1.5, expected 1 to 24"),
        ({"回答オーダーマップ番号": True}, "order number is True, expected 1 to 24"),
        ({"回答オーダーマップ番号": "25"}, "order number is '25', expected 1 to 24"),
    ],
    ids=lambda value: None if isinstance(value, dict) else value,
)
def test_a_bad_field_is_named(tmp_path: Path, changes: dict[str, Any], expected: str) -> None:
    assert expected in error_of(file_of(tmp_path, sample(**changes))).message


def test_an_item_that_is_no_object_is_named(tmp_path: Path) -> None:
    error = error_of(file_of(tmp_path, sample(), "民法_2"))
    assert "item 2: is not an object but str" in error.message


def test_every_field_at_fault_of_every_item_is_named_at_once(tmp_path: Path) -> None:
    path = file_of(
        tmp_path, sample(output="x", 問題文=""), sample(ファイル名="二"), sample(選択肢="a 一")
    )
    lines = error_of(path).message.split("\n")
    assert lines[0] == f"{path}: 3 problems"
    assert lines[1:] == [
        "  item 1 (民法_1): field 問題文: is empty",
        "  item 1 (民法_1): field output: gold label is 'x', expected one of a b c d",
        "  item 3 (民法_1): field 選択肢: 1 choice, expected 4",
    ]


def test_more_than_twenty_errors_are_counted(tmp_path: Path) -> None:
    items = [sample(ファイル名=f"民法_{number}", output="x") for number in range(1, 26)]
    lines = error_of(file_of(tmp_path, *items)).message.split("\n")
    assert lines[0].endswith(": 25 problems")
    assert lines[20].startswith("  item 20 (民法_20): ")
    assert lines[21:] == ["  … and 5 more"]


def test_twenty_errors_are_all_shown(tmp_path: Path) -> None:
    items = [sample(ファイル名=f"民法_{number}", output="x") for number in range(1, 21)]
    lines = error_of(file_of(tmp_path, *items)).message.split("\n")
    assert lines[20].startswith("  item 20 (民法_20): ")
    assert len(lines) == 21


def test_an_id_that_stands_twice_in_one_order_is_an_error(tmp_path: Path) -> None:
    path = file_of(tmp_path, sample(), sample(), sample(ファイル名="民法_2"))
    assert "民法_1#1: occurs 2 times" in error_of(path).message


# --- what is wrong with a file


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"samples": [\n  {"a": }\n]}', "broken JSON at line 2, column 9: "),
        (b'{"samples": [', "broken JSON at line 1, column 14: "),
        (b"", "is empty"),
        (b" \n\t", "is empty"),
        (codecs.BOM_UTF8, "is empty"),
        (b"{}", "has no key 'samples' (found: nothing)"),
        (b'{"items": [], "b": 1}', "has no key 'samples' (found: b, items)"),
        (b'{"samples": {"a": 1}}', "'samples' is not a list but dict"),
        (b'{"samples": []}', "holds no question"),
        (b"[]", "holds no question"),
        ("問題".encode("cp932"), "is not UTF-8 (byte 0)"),
        ('{"a": "問題"}'.encode()[:9], "ends in the middle of a character"),
        (b'{"a": "' + "問題".encode("cp932"), "is not UTF-8 (byte 7)"),
        (b"[" * 200_000, "JSON nested too deeply"),
    ],
    ids=[
        "syntax", "cut off", "empty", "blank", "only a BOM", "no samples", "other keys",
        "samples not a list", "no sample", "empty list", "cp932", "cut in a character",
        "cp932 inside", "nested",
    ],
)  # fmt: skip
def test_a_bad_file_is_explained(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "q.json"
    path.write_bytes(content)
    assert expected in error_of(path).message


def test_a_wrong_encoding_comes_with_the_command_that_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text("問題", encoding="cp932")
    assert error_of(path).hint.endswith(f"iconv -f cp932 -t utf-8 {path}")


def test_a_missing_file_and_a_directory_are_told_apart(tmp_path: Path) -> None:
    assert error_of(tmp_path / "nothing.json").message.endswith(": no such file")
    assert error_of(tmp_path).message.endswith(": is a directory, expected a file")


def test_broken_jsonl_names_the_line_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(f'{json.dumps(sample())}\n\n{{"a" 1}}\n', encoding="utf-8")
    assert "broken JSON at line 3, column 6: " in error_of(path).message


def test_half_a_surrogate_pair_is_the_files_fault(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text(json.dumps([sample(問題文="\ud83d")]), encoding="utf-8")
    assert "surrogate" in error_of(path).message


# --- fingerprints


@given(ORDERS)
def test_a_fingerprint_does_not_see_the_order_of_choices(
    question: MakeQuestion, order: Order
) -> None:
    original = question()
    reordered = question(choices=permute(original.choices, order), order=2)
    assert fingerprint(reordered) == fingerprint(original)


def test_a_fingerprint_does_not_see_id_context_gold_width_or_space(question: MakeQuestion) -> None:
    plain = question(text="第1条と(2)はどれですか。", choices=("1年", "二年", "三年", "四年"))
    other = question(
        id="別名",
        context="",
        gold="d",
        instruction="選べ",
        text="第\uff11条と \uff082\uff09は\nどれですか。\u3000",
        choices=("1 年", "二年 ", "三年", "四年"),
    )
    assert fingerprint(other) == fingerprint(plain)


def test_a_fingerprint_does_not_see_the_width_of_a_choice(question: MakeQuestion) -> None:
    # As written the full-width one comes last among the four, folded it comes first.
    plain = question(choices=("1年", "二年", "三年", "四年"))
    wide = question(choices=("\uff11年", "二年", "三年", "四年"))
    assert fingerprint(wide) == fingerprint(plain)


@pytest.mark.parametrize(
    "change",
    [
        {"text": "期間の計算について、誤っているものはどれですか。"},
        {"choices": ("初日を算入する", "初日を算入しない", "月の日数による", "年の日数によらない")},
        {"choices": ("初日を算入する", "初日を算入しない", "月の日数による", "月の日数による")},
        {"choices": ("初日を算入する初日", "を算入しない", "月の日数による", "年の日数による")},
    ],
)
def test_a_fingerprint_sees_every_change_of_wording(
    question: MakeQuestion, change: dict[str, Any]
) -> None:
    assert fingerprint(question(**change)) != fingerprint(question())


# --- lawqa_jp itself


def test_lawqa_jp_is_read_whole(shared_data: Path) -> None:
    questions = read_questions(shared_data / "lawqa_jp" / "selection.json")
    assert Counter(read.law for read in questions) == {"金商法": 80, "薬機法": 39, "借地借家法": 21}
    assert len({fingerprint(read) for read in questions}) == 140
    assert {read.permutation for read in questions} == {ORIGINAL_ORDER}


def test_every_order_of_lawqa_jp_is_placed(shared_data: Path) -> None:
    orders = read_questions(shared_data / "lawqa_jp" / "selection_randomized.json")
    originals = {q.id: q for q in read_questions(shared_data / "lawqa_jp" / "selection.json")}
    assert len(orders) == 560
    assert len({read.key for read in orders}) == 560
    for read in orders:
        original = originals[read.id]
        assert permute(original.choices, read.permutation) == read.choices
        assert permute_label(original.gold, read.permutation) == read.gold
        assert fingerprint(read) == fingerprint(original)


def test_lawqa_jp_survives_a_round_trip(shared_data: Path, tmp_path: Path) -> None:
    orders = read_questions(shared_data / "lawqa_jp" / "selection_randomized.json")
    write_questions(tmp_path / "copy.json", orders)
    assert read_questions(tmp_path / "copy.json") == orders


def test_two_choices_with_the_same_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text(json.dumps([sample(選択肢="a 一\nb 二\nc 一\nd 四")]), encoding="utf-8")
    assert "two choices have the same text" in error_of(path).message
