"""What axe-core finds on the page: nothing, in light and dark, on a phone and on paper, folded open."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("selenium", reason="selenium is not installed: pip install 'lawqa[dev]'")
pytest.importorskip(
    "selenium_axe_python", reason="axe-core is not installed: pip install 'lawqa[dev]'"
)
pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

from selenium.webdriver import Chrome

from lawqa.questions import Question, write_questions

pytestmark = pytest.mark.slow

MakeRun = Callable[..., Path]
PLACES = {
    "light": (1200, "light", ""), "dark": (1200, "dark", ""), "phone": (390, "dark", ""),
    "paper": (1030, "light", "print"),
}  # fmt: skip
"""Width in CSS pixels, colour scheme, medium."""

# What is folded is filled when it is opened, and may hold more that is folded.
OPEN_ALL = """
const done = arguments[0];
// What is out of sight keeps the style of the last scheme that it was drawn in; a reader never sees that.
const all = (what) => [...document.querySelectorAll(what)];
for (const one of all("main > section, #list > li")) one.style.contentVisibility = "visible";
const FOLDED = ["#claim details", ".changed", "#provenance details:first-of-type",
  "#list > li:first-child details"];
const folded = () => all(FOLDED.join()).filter((one) => !one.open);
const open = () => {
  const closed = folded();
  if (!closed.length) return done();
  for (const one of closed) one.open = true;
  setTimeout(open, 50);
};
open();
"""
AXE = """
const done = arguments[0];
axe.run(document, { resultTypes: ["violations"] }).then((found) => done(found.violations.map(
  (one) => `${one.impact} ${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`)));
"""


@pytest.fixture
def many(
    make_run: MakeRun, tmp_path: Path, embedded_questions: tuple[Question, ...]
) -> tuple[Path, ...]:
    """Twenty runs of four kinds: labels with probabilities, texts, votes with failures, retrieval."""
    asked = embedded_questions[:2]
    write_questions(data := tmp_path / "q.json", asked)
    cot = {q.id: f"第3条による。\n最終回答：{q.gold}" for q in asked}
    votes = {q.id: ["最終回答：a", "わからない。"] for q in asked[1:]} | {
        asked[0].id: {"error": "no memory"}
    }
    kinds = (
        make_run("labels", 2, data=data),
        make_run(
            "texts", cot, "--mode", "cot", data=data, adapter="a/qlora", notes=("LEAK: 1 of 4",)
        ),
        make_run(
            "votes", votes, "--mode", "cot", "--ensemble", "2", "--temperature", "0.7", data=data
        ),
        make_run("found", {"*": "b"}, "--condition", "gold", data=data),
    )
    lines = (kinds[3] / "results.jsonl").read_text(encoding="utf-8").splitlines()
    article = {"law_title": "民法", "article": "140", "score": 1.0, "complete": True}
    rows = [
        json.loads(line) | {"retrieved_articles": [article], "gold_retrieved": True}
        for line in lines
    ]
    (kinds[3] / "results.jsonl").write_text(
        "\n".join(map(json.dumps, rows)) + "\n", encoding="utf-8"
    )
    copies = [shutil.copytree(run, tmp_path / f"{run.name}-{n}") for run in kinds for n in range(4)]
    return (*kinds, *copies)


def axe() -> str:
    return (files("selenium_axe_python") / "axe-core" / "axe.min.js").read_text("utf-8")


def findings(chrome: Chrome, place: str) -> list[str]:
    width, scheme, medium = PLACES[place]
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium, "features": features})
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    found: list[str] = chrome.execute_async_script(AXE)
    return found


@pytest.mark.parametrize(("runs", "places"), [(3, list(PLACES)), (20, ["dark"])])
def test_axe_finds_nothing(
    opened: Any, many: tuple[Path, ...], runs: int, places: list[str]
) -> None:
    chrome = opened(*many[1 : 1 + runs] if runs < len(many) else many)
    chrome.set_script_timeout(110)
    chrome.execute_async_script(OPEN_ALL)
    chrome.execute_script(axe())
    try:
        assert {place: findings(chrome, place) for place in places} == {
            place: [] for place in places
        }
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_axe_sees_text_that_is_hard_to_read(opened: Any, make_run: MakeRun) -> None:
    chrome = opened(make_run("one", 1, "--samples", "1"))
    chrome.execute_script("document.documentElement.style.setProperty('--soft', 'silver')")
    chrome.execute_script(axe())
    assert any("color-contrast" in one for one in findings(chrome, "light"))
