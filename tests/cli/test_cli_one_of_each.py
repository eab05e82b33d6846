"""Every screen over one question, one run, one article, one record: nouns and verbs in the singular."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from lawqa.choices import LABELS
from lawqa.cli import main
from lawqa.questions import Question, write_questions

_SEVERAL = re.compile(
    r"(?<![-\d.,/])\b1 (?:[a-z0-9-]+ )?(?:adapters|answers|articles|choices|epochs|failures|fields|files"
    r"|folds|groups|items|laws|limits|models|orders|pairs|paragraphs|parts|passages|problems|prompts"
    r"|questions|records|rows|runs|samples|seconds|seeds|steps|texts|times|warnings)\b"
    r"|\b1 [a-z]+ (?:are|were|have|do|give|need|leak)\b"
)
"""One of what is written as several. `1 / 2 questions` and `0.1 seconds` are none."""
_SPACED_SHARE = re.compile(r"\d\.\d %|\d % (?:of answers|\))")
"""A share that was measured, in another form than `35.7%`."""

Screens = Callable[..., str]


@pytest.fixture
def screen(
    tmp_path: Path,
    embedded_questions: tuple[Question, ...],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Screens:
    """Runs a command where there is one question, two questions, one article and tables of answers.

    Returns what it printed on both streams; the exit code must be one of those expected.
    """
    monkeypatch.chdir(tmp_path)
    first = embedded_questions[0]
    other = next(one for one in embedded_questions if one.gold != first.gold)
    write_questions(Path("one.json"), [first])
    write_questions(Path("two.json"), [first, other])
    wrong = next(label for label in LABELS if label not in (first.gold, other.gold))
    for name, text in {"right": first.gold, "wrong": wrong, "silent": "わかりません"}.items():
        Path(f"{name}.json").write_text(json.dumps({"*": text}), encoding="utf-8")
    article = {
        "law_id": "901AC01", "law_title": "試験品取引法", "article": "5", "caption": "（公告）",
        "paragraphs": [{"num": 1, "text": "公開買取りの期間は、三十日前までに公告しなければならない。"}],
    }  # fmt: skip
    Path("articles.jsonl").write_text(json.dumps(article) + "\n", encoding="utf-8")

    def run(command: str, *codes: int) -> str:
        assert main(command.split()) in (codes or (0,)), command
        printed = capsys.readouterr()
        return printed.out + printed.err

    return run


def _evaluate(run: str, script: str, more: str = "", data: str = "one") -> str:
    return f"evaluate --llm-backend scripted --script {script}.json --data {data}.json --run-dir {run} {more}"


_READ = "--answer-by generate --mode cot"
_ONE_RUN = [(_evaluate("r", "right", _READ), 0)]
_TWO_RUNS = [
    (_evaluate("r", "right", data="two"), 0), (_evaluate("s", "wrong", data="two"), 0),
]  # fmt: skip
_POOL = [
    ("pool sample --pool p.jsonl --data one.json --llm-backend scripted --script right.json "
     "--samples-per-question 1", 0),
]  # fmt: skip
_INDEX = [("index build --articles articles.jsonl --output-dir index", 0)]

WALKS: dict[str, list[tuple[str, int]]] = {
    "evaluate": [*_ONE_RUN, (_evaluate("r", "right", f"{_READ} --resume"), 0)],
    "evaluate-no-answer": [(_evaluate("r", "silent", _READ), 0)],
    "evaluate-failed": [(_evaluate("r", "silent"), 3)],
    "evaluate-orders": [(_evaluate("r", "right", "--permutations 4"), 0)],
    "compare-one-question": [
        (_evaluate("r", "right"), 0), (_evaluate("s", "wrong"), 0), ("compare r s", 2),
        ("report r s -o r.md", 0),
    ],
    "compare": [*_TWO_RUNS, ("compare r s", 0), ("report r s -o r.md", 0)],
    "rescore": [*_ONE_RUN, ("rescore r", 0)],
    "runs": [
        *_ONE_RUN, ("runs list r", 0), ("runs show r", 0), ("runs diff r r", 0), ("runs pack r", 0),
        ("export r --format csv --output-path r.csv", 0),
    ],
    "records": [("records --data one.json --output-path r.jsonl", 0)],
    "split": [("split --data one.json --output-dir parts", 2)],
    "data": [("data check one.json", 0), ("data leaks one.json one.json", 1)],
    "pool": [
        *_POOL, *_POOL, ("pool select --pool p.jsonl --output-path r.jsonl", 0),
        ("pool pairs --pool p.jsonl --output-path q.jsonl", 2),
    ],
    "augment": [
        ("augment audit one.json", 1),
        ("augment reading --articles articles.jsonl --output-path r.jsonl", 0),
    ],
    "statutes": [("statutes stats articles.jsonl", 0)],
    "index": [
        *_INDEX, ("index info --index index", 0), ("index search --index index 公告", 0),
        ("index eval --index index --data one.json", 0),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", WALKS)
def test_one_is_written_as_one(name: str, screen: Screens) -> None:
    if name == "index":
        pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    shown = [screen(command, code) for command, code in WALKS[name]]
    shown += [path.read_text(encoding="utf-8") for path in Path().glob("r.md")]
    said = "\n".join(shown)
    assert re.search(r"\b1\b", said)
    assert [match.group() for match in _SEVERAL.finditer(said)] == []
    assert [match.group() for match in _SPACED_SHARE.finditer(said)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1 answers", True), ("1 cot-gold-v1 records", True), ("all 1 answer are known", True),
        ("of 1 questions", True), ("1 answer", False), ("0.1 seconds", False), ("11 answers", False),
        ("0 / 1 questions", True),
    ],
)  # fmt: skip
def test_what_counts_as_a_wrong_plural(text: str, found: bool) -> None:
    assert bool(_SEVERAL.search(text)) is found


def test_a_report_in_japanese_says_in_japanese_why_runs_are_not_comparable(screen: Screens) -> None:
    for command, code in WALKS["compare-one-question"][:2]:
        screen(command, code)
    said = screen("report r s -o r.md --lang ja")
    page = Path("r.md").read_text(encoding="utf-8")
    for text in (said, page):
        assert "共通の問題が 1 問しかない（1 問と 1 問のうち）。比較には 2 問以上が必要" in text
        assert "the runs share" not in text


def test_the_paired_table_of_a_japanese_report_has_no_english(screen: Screens) -> None:
    for command, code in _TWO_RUNS:
        screen(command, code)
    screen("report r s -o r.md --lang ja")
    page = Path("r.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith("| R2 s | R1 | "))
    assert "正確な McNemar 検定" in row
    assert " 〜 " in row
    assert " to " not in row
