"""What is written into the page, and that nothing of it can be more than text."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.questions import Question, write_questions
from lawqa.report.markdown import report_markdown
from lawqa.report.page.browser import browser_data
from lawqa.report.page.html import report_html

MakeRun = Callable[..., Path]
HOSTILE = (
    "</script><script>document.title='owned'</script><img src=x onerror=alert(1)>"
    "{{ 1234567*7 }}{% x %}<!--\u2028"
)


class Page(HTMLParser):
    """Elements with their attributes, ids, and the contents of scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self._open: dict[str, str | None] | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = dict(attrs) if tag == "script" else None

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self.scripts.append((self._open, data))
            self._open = None

    @property
    def data(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(
            next(s for a, s in self.scripts if a.get("id") == "data")
        )
        return found


def text_of(data: dict[str, Any], number: int) -> str:
    return "\n".join(data["lines"][line] for line in data["texts"][number])


def entry_of(data: dict[str, Any], question: int = 0, run: int = 0, at: int = 0) -> dict[str, Any]:
    """An answer with what is usual in its run."""
    return {**data["runs"][run]["usual"], **data["questions"][question]["answers"][run][at]}


def page_of(*runs: Path, language: str | None = None) -> tuple[str, Page]:
    text = report_html(make_report(ReportConfig(runs)), language)
    return text, Page(text)


@pytest.mark.slow
def test_nothing_is_loaded_from_anywhere(make_run: MakeRun) -> None:
    text, page = page_of(make_run("one", 30))
    for tag, attributes in page.elements:
        assert tag not in ("link", "img", "iframe", "object", "embed", "base", "audio", "video"), (
            tag
        )
        for name in ("src", "data", "action", "srcset", "formaction"):
            assert name not in attributes, (tag, name)
        assert not [name for name in attributes if name.startswith("on")], tag
        for name in ("href", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#"), attributes
    addresses = set(re.findall(r"https?://[^\s\"'<>)\\]+", text))
    assert {a for a in addresses if "w3.org" not in a} <= set(
        re.findall(r"https?://[^\"]+", json.dumps(page.data))
    )
    assert "url(" not in re.sub(r"url\(#", "", text)
    assert "@import" not in text


@pytest.mark.slow
def test_the_policy_allows_the_three_scripts_and_nothing_else(make_run: MakeRun) -> None:
    _, page = page_of(make_run("one", 30))
    policy = next(
        a["content"] or ""
        for t, a in page.elements
        if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    running = [script for attributes, script in page.scripts if "type" not in attributes]
    hashes = [base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in running]
    assert len(running) == 3
    assert set(re.findall(r"'sha256-([^']+)'", policy)) == set(hashes)
    script_part = next(part for part in policy.split(";") if "script-src" in part)
    assert "unsafe" not in script_part


@pytest.mark.slow
def test_hostile_texts_stay_texts_in_page_and_markdown(
    make_run: MakeRun, tmp_path: Path, question: Callable[..., Question]
) -> None:
    data = tmp_path / "q.json"
    asked = [
        question(id=f"民法_{HOSTILE}_{i}", text=f"{HOSTILE}{i}", choices=(f"{HOSTILE}一", "二", "三", "四"),
                 context=HOSTILE, references=("javascript:alert(1)", HOSTILE))
        for i in range(3)
    ]  # fmt: skip
    write_questions(data, asked)
    run = make_run(
        "hostile",
        {"*": f"{HOSTILE}\n最終回答：b"},
        "--mode",
        "cot",
        data=data,
        notes=(HOSTILE,),
        adapter=HOSTILE,
    )
    text, page = page_of(run)
    assert "<img" not in text
    assert "document.title=" not in re.sub(r"\\u003c.*", "", text).replace(
        "document.title=&#39;", ""
    )
    assert str(1234567 * 7) not in text, "no template was run"
    assert len([t for t, _ in page.elements if t == "script"]) == 5
    entry = entry_of(page.data)
    assert text_of(page.data, entry["response"]) == f"{HOSTILE}\n最終回答：b"
    assert page.data["questions"][0]["text"] == f"{HOSTILE}0"
    assert text_of(page.data, page.data["questions"][0]["context"]) == HOSTILE
    markdown = report_markdown(make_report(ReportConfig((run,))))
    outside = re.sub(r"`{3,}console\n.*?\n`{3,}", "", markdown, flags=re.DOTALL)
    assert not re.search(r"(?<!\\)<", outside)


@pytest.mark.slow
def test_ids_are_unique_and_every_reference_has_its_element(make_run: MakeRun) -> None:
    _, page = page_of(make_run("one", 30), make_run("two", 40), make_run("three", 20))
    ids = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(ids) == len(set(ids))
    named = [ref for _, a in page.elements for ref in (a.get("aria-labelledby") or "").split()]
    links = [(a.get("href") or a.get("xlink:href") or "")[1:] for _, a in page.elements]
    assert {ref for ref in [*named, *links] if ref and not ref.startswith("q=")} <= set(ids)


@pytest.mark.slow
def test_controls_have_labels_and_tables_have_headings(make_run: MakeRun) -> None:
    text, page = page_of(make_run("one", 30), make_run("two", 40))
    assert text.count("<label") == len([t for t, _ in page.elements if t in ("select", "input")])
    headings = [a for t, a in page.elements if t == "th"]
    assert headings
    assert all(a.get("scope") in ("col", "row") for a in headings)
    assert text.count("<caption") == text.count("<table")
    assert [t for t, _ in page.elements if t == "h1"] == ["h1"]
    assert text.count('role="img" aria-labelledby=') == text.count("<svg")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "expected"),
    [("ja", '<html lang="ja" data-language="ja"'), (None, '<html lang="en">')],
)
def test_the_language_can_be_fixed(make_run: MakeRun, language: str | None, expected: str) -> None:
    text, _ = page_of(make_run("one", 30), language=language)
    assert expected in text


@pytest.mark.slow
def test_prompts_shared_by_runs_are_stored_once(
    make_run: MakeRun, embedded_questions: tuple[Question, ...]
) -> None:
    one, two = make_run("one", 30), make_run("two", 40)
    data = browser_data(make_report(ReportConfig((one, two))))
    first, second = data["questions"][0]["answers"]
    assert first[0]["prompt"] == second[0]["prompt"]
    assert embedded_questions[0].text in text_of(data, first[0]["prompt"])
    assert text_of(data, data["questions"][0]["context"]) == embedded_questions[0].context


@pytest.mark.slow
def test_orders_are_told_in_the_question_s_own_order(
    make_run: MakeRun, embedded_questions: tuple[Question, ...]
) -> None:
    run = make_run("perm", {"*": "a"}, "--permutations", "4")
    data = browser_data(make_report(ReportConfig((run,))))
    asked, question = data["questions"][0], embedded_questions[0]
    assert asked["choices"] == list(question.choices)
    assert asked["gold"] == question.gold
    entries = [entry_of(data, at=number) for number in range(4)]
    assert [e["order"] for e in entries] == ["abcd", "bcda", "cdab", "dabc"]
    assert [e["original"] for e in entries] == ["a", "b", "c", "d"], (
        "the first choice shown was another each time"
    )


def test_the_span_is_counted_as_scripts_count(make_run: MakeRun) -> None:
    run = make_run("odd", {"*": "😀😀 考えると\n最終回答：b"}, "--mode", "cot")
    data = browser_data(make_report(ReportConfig((run,))))
    entry = entry_of(data)
    units = text_of(data, entry["response"]).encode("utf-16-le")
    shown = units[2 * entry["span"][0] : 2 * entry["span"][1]].decode("utf-16-le")
    assert "b" in shown
    assert entry["rule"] == "final-answer"


def test_a_data_file_that_changed_gives_no_context(
    make_run: MakeRun, tmp_path: Path, embedded_questions: tuple[Question, ...]
) -> None:
    data = tmp_path / "q.json"
    write_questions(data, embedded_questions[:5])
    run = make_run("one", 3, data=data)
    assert make_report(ReportConfig((run,))).questions[0].context
    write_questions(data, embedded_questions[:4])
    report = make_report(ReportConfig((run,)))
    assert not report.questions[0].context
    assert browser_data(report)["questions"][0]["context"] is None
    given = make_report(ReportConfig((run,), data=(data,)))
    assert [bool(q.context) for q in given.questions] == [True] * 4 + [False]


@pytest.mark.slow
def test_training_curves_come_from_the_adapter_s_log(make_run: MakeRun, tmp_path: Path) -> None:
    adapter = tmp_path / "out"
    adapter.mkdir()
    (adapter / "manifest.json").write_text(
        json.dumps({"schema_version": 1, "kind": "train", "started": "s"})
    )
    rows = [{"step": i, "loss": 3.0 - i, "learning_rate": 0.1} for i in range(3)] + [
        {"step": 2, "dev_accuracy": 0.5}
    ]
    (adapter / "log.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"step": 3, "lo')
    run = make_run("adapted", 40, adapter="out")
    text, _ = page_of(run)
    for name in ("loss0", "rate0", "dev0"):
        assert f'id="f-{name}"' in text
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    manifest["adapter"]["manifest"] = {"started": "another time"}
    (run / "manifest.json").write_text(json.dumps(manifest, ensure_ascii=False))
    text, _ = page_of(run)
    assert "was trained again since it was evaluated" in text
    assert 'id="f-loss0"' not in text


@pytest.mark.slow
def test_markdown_has_the_claim_the_tables_and_what_changed(make_run: MakeRun) -> None:
    report = make_report(
        ReportConfig((make_run("base", 25), make_run("adapted", 40, adapter="a/qlora")))
    )
    english, japanese = report_markdown(report), report_markdown(report, "ja")
    assert english.splitlines()[2].startswith(
        "**adapted - base: +25.0 points, higher, more than luck: adapter qlora (R2) is better"
    )
    assert "### By law" in english
    assert "Wrong before, right now (15)" in english
    assert "lawqa evaluate --data" in english
    assert "### 法令別" in japanese
    assert "不正解 → 正解 (15)" in japanese
    for line in english.splitlines():
        if line.startswith("| R1 base"):
            assert "41.7% (30.1% – 54.3%, n = 60)" in line
            break
    else:
        pytest.fail("no row of the base run")


def test_every_colour_of_a_text_stands_out_in_both_themes() -> None:
    from importlib.resources import files

    css = files("lawqa.report.page").joinpath("templates", "report.css.j2").read_text("utf-8")
    for theme in re.findall(r"macro (?:light|dark)\(\) %}(.*?){%", css, re.DOTALL):
        colours = dict(re.findall(r"--([\w-]+):(#\w{6})", theme))
        inks = ("ink", "soft", "link", "good", "bad", "token", *(f"run-{i}" for i in range(8)))
        pairs = [(ink, paper) for ink in inks for paper in ("paper", "sheet")]
        pairs += [("warn-ink", "warn-paper"), ("severe-ink", "severe-paper"), ("mark-ink", "mark")]
        for ink, paper in pairs:
            assert contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)
