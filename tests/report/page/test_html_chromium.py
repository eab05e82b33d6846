"""The page in a real browser: opened, filtered, searched, read, by mouse and by keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

pytest.importorskip("selenium", reason="selenium is not installed: pip install 'lawqa[dev]'")
pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from lawqa.questions import Question, choices_text, write_questions

pytestmark = pytest.mark.slow

MakeRun = Callable[..., Path]
HOSTILE = (
    "</script><script>document.title='owned'</script>"
    "<img src=x onerror=\"document.title='owned'\">{{7*7}}"
)


@pytest.fixture
def pair(make_run: MakeRun) -> tuple[Path, Path]:
    return make_run("base", 25), make_run("adapted", 40, adapter="a/qlora")


def shown(chrome: Chrome) -> list[str]:
    """The ids of the questions in the list."""
    found: list[str] = chrome.execute_script(
        "return [...document.querySelectorAll('#list > li bdi:first-of-type')].map(e => e.textContent)"
    )
    return found


def count(chrome: Chrome) -> int:
    return int(chrome.find_element(By.ID, "count").text.split()[0])


def select(chrome: Chrome, name: str, value: str) -> None:
    Select(chrome.find_element(By.ID, name)).select_by_value(value)


def test_it_opens_with_the_claim_and_all_questions(opened: Any, pair: tuple[Path, Path]) -> None:
    chrome = opened(*pair)
    assert (
        "is better than the base model (R1)" in chrome.find_element(By.CSS_SELECTOR, ".claim").text
    )
    assert count(chrome) == 60
    assert chrome.find_element(By.TAG_NAME, "html").get_attribute("lang") == "en"


def test_the_rest_is_drawn_when_the_reader_gets_there(opened: Any, pair: tuple[Path, Path]) -> None:
    chrome = opened(*pair)
    assert len(shown(chrome)) == 10, "so that a long report opens at once"
    chrome.execute_script("document.querySelector('#more').scrollIntoView()")
    WebDriverWait(chrome, 10).until(lambda driver: len(shown(driver)) == 60)
    assert not chrome.find_element(By.ID, "more").is_displayed()


def test_filters_leave_what_they_say(
    opened: Any, pair: tuple[Path, Path], embedded_questions: tuple[Question, ...]
) -> None:
    chrome = opened(*pair)
    ids = [q.id for q in embedded_questions]
    select(chrome, "filter-change", "gained")
    assert shown(chrome) == ids[25:40]
    select(chrome, "filter-change", "lost")
    assert count(chrome) == 0
    assert "No question matches" in chrome.find_element(By.ID, "count").text
    select(chrome, "filter-change", "same")
    assert shown(chrome) == ids[:25] + ids[40:]
    select(chrome, "filter-run", "1")
    select(chrome, "filter-outcome", "wrong")
    assert shown(chrome) == ids[40:]
    law = embedded_questions[45].law
    select(chrome, "filter-law", law)
    assert shown(chrome) == [q.id for q in embedded_questions[40:] if q.law == law]
    chrome.find_element(By.CSS_SELECTOR, "#filters button[type=reset]").click()
    WebDriverWait(chrome, 10).until(lambda driver: count(driver) == 60)


def test_search_folds_width_and_case_and_looks_into_everything(
    opened: Any, make_run: MakeRun, embedded_questions: tuple[Question, ...]
) -> None:
    table = {q.id: f"最終回答：{q.gold}" for q in embedded_questions}
    special = embedded_questions[7].id
    chrome = opened(
        make_run("odd", {**table, special: "Ｑｗｅｎ thinks\n最終回答：a"}, "--mode", "cot")
    )
    box = chrome.find_element(By.ID, "search")
    box.send_keys("qwen THINKS")
    WebDriverWait(chrome, 10).until(lambda driver: count(driver) == 1)
    assert shown(chrome) == [special]
    box.clear()
    box.send_keys(embedded_questions[3].choices[2])
    WebDriverWait(chrome, 10).until(lambda driver: embedded_questions[3].id in shown(driver))
    assert count(chrome) < 10


def test_a_question_is_opened_and_closed_with_the_keyboard(
    opened: Any, make_run: MakeRun, embedded_questions: tuple[Question, ...]
) -> None:
    answer = "第54条による。\n最終回答：b"
    chrome = opened(make_run("cot", {"*": answer}, "--mode", "cot"))
    box = chrome.find_element(By.ID, "search")
    chrome.execute_script("arguments[0].focus()", box)
    for _ in range(20):
        chrome.switch_to.active_element.send_keys(Keys.TAB)
        if chrome.switch_to.active_element.tag_name == "summary":
            break
    summary = chrome.switch_to.active_element
    assert summary.tag_name == "summary"
    outline = (
        summary.value_of_css_property("outline-style"),
        summary.value_of_css_property("outline-width"),
    )
    assert outline == ("solid", "3px"), "where the focus is must be seen"
    summary.send_keys(Keys.ENTER)
    details = chrome.find_element(By.CSS_SELECTOR, "#list details[open]")
    WebDriverWait(chrome, 10).until(lambda _: details.find_elements(By.TAG_NAME, "mark"))
    assert "b" in details.find_element(By.TAG_NAME, "mark").text
    question = embedded_questions[0]
    text = details.text
    assert question.choices[0] in text
    assert question.context.split("\n")[-1][:20] in text
    assert "final-answer" in text
    gold = details.find_element(By.CSS_SELECTOR, ".choices tr.gold")
    assert gold.text.startswith(question.gold)
    assert "R1" in details.find_elements(By.CSS_SELECTOR, ".choices tbody tr")[1].text
    prompt = details.find_element(By.CSS_SELECTOR, ".body details summary")
    prompt.send_keys(Keys.ENTER)
    pre = details.find_element(By.CSS_SELECTOR, ".body details pre")
    WebDriverWait(chrome, 10).until(lambda _: "【解答方法】" in pre.text)
    summary.send_keys(Keys.ENTER)
    assert not chrome.find_elements(By.CSS_SELECTOR, "#list > li > details[open]")


def test_special_tokens_of_a_prompt_are_shown_and_set_off(opened: Any, make_run: MakeRun) -> None:
    run = make_run("one", {"*": "b"})
    rows = [
        json.loads(line)
        for line in (run / "results.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for row in rows:
        row["prompt"] = (
            "<|im_start|>user\n問<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
        )
    (run / "results.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8"
    )
    chrome = opened(run)
    chrome.execute_script("document.querySelector('#list details').open = true")
    WebDriverWait(chrome, 10).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".body details"))
    chrome.execute_script("document.querySelector('.body details').open = true")
    WebDriverWait(chrome, 10).until(
        lambda d: d.find_elements(By.CSS_SELECTOR, ".body details .special")
    )
    marked = [e.text for e in chrome.find_elements(By.CSS_SELECTOR, ".body details .special")]
    assert marked == ["<|im_start|>", "<|im_end|>", "<|im_start|>", "<think>", "</think>"]


def test_the_retrieved_text_has_its_gold_sentences_marked(
    opened: Any, make_run: MakeRun, tmp_path: Path, question: Callable[..., Question]
) -> None:
    gold = "期間の初日は、算入しない。"
    context = f"## 民法\n### 第140条\n{gold}"
    write_questions(tmp_path / "q.json", [question(context=context)])
    run = make_run("one", {"*": "b"}, "--condition", "gold", data=tmp_path / "q.json")
    row = json.loads((run / "results.jsonl").read_text(encoding="utf-8"))
    row["prompt"] = row["prompt"].replace(gold, f"{gold}\n別の文である。")
    article = {"law_title": "民法", "article": "140", "score": 1.0, "complete": True}
    row |= {"retrieved_articles": [article], "retrieved_size": 9, "gold_retrieved": True}
    (run / "results.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    chrome = opened(run)
    chrome.execute_script("document.querySelector('#list details').open = true")
    inner = WebDriverWait(chrome, 10).until(
        lambda d: d.find_element(By.CSS_SELECTOR, ".body details")
    )
    chrome.execute_script("arguments[0].open = true", inner)
    WebDriverWait(chrome, 10).until(lambda _: inner.find_elements(By.TAG_NAME, "mark"))
    assert [mark.text for mark in inner.find_elements(By.TAG_NAME, "mark")] == [gold]
    assert "別の文である。" in inner.find_element(By.CSS_SELECTOR, ".context").text
    assert "【問題】" not in inner.text


def test_a_manifest_is_read_when_it_is_opened(opened: Any, pair: tuple[Path, Path]) -> None:
    chrome = opened(*pair)
    second = chrome.find_elements(By.CSS_SELECTOR, "details.manifest")[1]
    assert not second.find_elements(By.TAG_NAME, "pre")
    chrome.execute_script("arguments[0].open = true", second)
    WebDriverWait(chrome, 10).until(lambda _: second.find_elements(By.TAG_NAME, "pre"))
    shown = json.loads(second.find_element(By.TAG_NAME, "pre").get_attribute("textContent"))
    assert shown == json.loads((pair[1] / "manifest.json").read_text(encoding="utf-8"))


def test_hostile_content_stays_text(
    opened: Any, make_run: MakeRun, tmp_path: Path, question: Callable[..., Question]
) -> None:
    data = tmp_path / "q.json"
    asked = [
        question(id=f"民法_{i}_{HOSTILE}", text=f"{HOSTILE}{i}", choices=(HOSTILE, "二", "三", "四"),
                 context=HOSTILE, references=("javascript:document.title='owned'", HOSTILE))
        for i in range(2)
    ]  # fmt: skip
    write_questions(data, asked)
    answers = {"*": f"{HOSTILE}\n最終回答：b", asked[1].id: {"error": HOSTILE}}
    run = make_run(
        "hostile", answers, "--mode", "cot", data=data, notes=(HOSTILE,), adapter=HOSTILE
    )
    chrome = opened(run)
    chrome.execute_script(
        "document.querySelectorAll('#list details').forEach(d => { d.open = true })"
    )
    WebDriverWait(chrome, 10).until(lambda d: d.find_elements(By.TAG_NAME, "mark"))
    chrome.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true })")
    body = chrome.find_element(By.TAG_NAME, "body").text
    assert chrome.title == "hostile"
    assert body.count("document.title='owned'") > 8
    assert "{{7*7}}" in body
    assert not chrome.find_elements(By.TAG_NAME, "img")
    assert not chrome.find_elements(By.CSS_SELECTOR, "#list a"), (
        "an address that is none is no link"
    )


def test_a_link_to_a_question_opens_it_even_if_it_is_filtered_out(
    opened: Any, pair: tuple[Path, Path], embedded_questions: tuple[Question, ...]
) -> None:
    wanted = embedded_questions[55].id
    chrome = opened(*pair, at=f"#q={quote(wanted)}")
    details = chrome.find_element(By.CSS_SELECTOR, "#list > li > details[open]")
    assert wanted in details.text
    select(chrome, "filter-change", "gained")
    assert wanted not in shown(chrome)
    link = chrome.find_element(By.CSS_SELECTOR, ".changes a")
    link.click()
    WebDriverWait(chrome, 10).until(
        lambda d: link.text in d.find_element(By.CSS_SELECTOR, "#list > li > details[open]").text
    )


def test_text_has_enough_contrast_in_both_themes(opened: Any, pair: tuple[Path, Path]) -> None:
    def background() -> str:
        found: str = chrome.execute_script("return getComputedStyle(document.body).backgroundColor")
        return found

    chrome = opened(*pair, dark=True)
    chrome.execute_script("document.querySelectorAll('#list details')[1].open = true")
    WebDriverWait(chrome, 10).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".probabilities"))
    assert background() == "rgb(20, 23, 27)", "as the system asks"
    assert chrome.execute_script(CONTRAST) == []
    chrome.find_element(By.ID, "theme").click()
    assert background() == "rgb(255, 255, 255)"
    assert chrome.execute_script(CONTRAST) == []


def test_what_was_read_is_in_view_however_long_the_text(opened: Any, make_run: MakeRun) -> None:
    answer = "\n".join(["長い理由。"] * 200) + "\n最終回答：b"
    chrome = opened(make_run("cot", {"*": answer}, "--mode", "cot"))
    chrome.execute_script("document.querySelector('#list details').open = true")
    seen = """const mark = document.querySelector("mark"); if (!mark) return false;
    const own = mark.getBoundingClientRect(), frame = mark.parentElement.getBoundingClientRect();
    return own.top >= frame.top && own.bottom <= frame.bottom"""
    WebDriverWait(chrome, 10).until(lambda d: d.execute_script(seen))


def test_the_language_is_switched(opened: Any, pair: tuple[Path, Path]) -> None:
    chrome = opened(*pair)
    assert chrome.find_element(By.ID, "h-results").text == "Accuracy, where and how sure"
    chrome.find_element(By.ID, "language").click()
    assert chrome.find_element(By.TAG_NAME, "html").get_attribute("lang") == "ja"
    assert chrome.find_element(By.ID, "h-results").text == "正答率（どこで、どれくらい確かか）"
    assert "問で良い" in chrome.find_element(By.CSS_SELECTOR, ".claim").text
    assert (
        Select(chrome.find_element(By.ID, "filter-outcome")).first_selected_option.text == "すべて"
    )


def test_a_phone_is_wide_enough(opened: Any, pair: tuple[Path, Path]) -> None:
    chrome = opened(*pair, width=390)
    chrome.execute_script("document.querySelectorAll('#list details')[1].open = true")
    WebDriverWait(chrome, 10).until(lambda d: d.find_elements(By.CSS_SELECTOR, ".probabilities"))
    assert chrome.execute_script("return document.documentElement.scrollWidth") == 390
    # What is wider than the screen scrolls in itself, and nothing else sticks out of it.
    out = chrome.execute_script(
        "return [...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > 391"
        " && !e.closest('.scroll, svg, .sr')).map(e => e.outerHTML.slice(0, 80))"
    )
    assert out == []


def test_orders_samples_failures_and_old_files_are_shown(
    opened: Any, make_run: MakeRun, tmp_path: Path, embedded_questions: tuple[Question, ...]
) -> None:
    table = {
        q.id: [f"最終回答：{q.gold}", "最終回答：a", "わからない。"] for q in embedded_questions
    }
    first = embedded_questions[0]
    old = tmp_path / "old.json"
    row = {
        "question": first.text, "choices": choices_text(first.choices),
        "correct_answer": first.gold, "predicted_answer": "unknown", "is_correct": False,
        "response": "エラー: HTTPConnectionPool", "retrieved_docs_count": 0, "file_name": first.id,
        "references": [],
    }  # fmt: skip
    old.write_text(
        json.dumps({"config": {"llm_model": "qwen3:8b"}, "results": [row]}), encoding="utf-8"
    )
    chrome = opened(
        make_run("orders", {"*": "c"}, "--permutations", "4"),
        make_run("samples", {**table, embedded_questions[1].id: {"error": "no memory"}},
                 "--mode", "cot", "--ensemble", "3", "--temperature", "0.7"),
        old,
    )  # fmt: skip
    details = chrome.find_element(By.CSS_SELECTOR, "#list details")
    chips = [chip.text for chip in details.find_elements(By.CSS_SELECTOR, ".chip")]
    assert chips[0].startswith("R1 1/4")
    assert chips[1].startswith("R2 ")
    assert "/3" in chips[1]
    assert chips[2].startswith("R3 !")
    chrome.execute_script("arguments[0].open = true", details)
    WebDriverWait(chrome, 10).until(
        lambda _: len(details.find_elements(By.CSS_SELECTOR, ".body details")) >= 7
    )
    assert "choices shown in the order bcda" in details.text
    assert "sample 3" in details.text
    assert "エラー: HTTPConnectionPool" in details.text
    select(chrome, "filter-outcome", "failed")
    assert shown(chrome) == [first.id, embedded_questions[1].id]


CONTRAST = """
const parse = (colour) => {
  const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number);
  return colour.startsWith("color(") ? [255 * r, 255 * g, 255 * b, a] : [r, g, b, a];
};
const linear = (v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const light = ([r, g, b]) => 0.2126 * linear(r / 255) + 0.7152 * linear(g / 255) + 0.0722 * linear(b / 255);
const behind = (element) => {
  for (let e = element; e; e = e.parentElement) {
    const colour = parse(getComputedStyle(e).backgroundColor);
    if (colour[3] > 0.5) return colour;
  }
  return [255, 255, 255];
};
const poor = [];
for (const e of document.querySelectorAll("body *")) {
  const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  if (!own || !e.checkVisibility() || ["SCRIPT", "STYLE", "OPTION"].includes(e.tagName)) continue;
  const style = getComputedStyle(e);
  const ink = light(parse(e.closest("svg") ? style.fill : style.color)), paper = light(behind(e));
  const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  if (ratio < 4.5) poor.push([e.tagName, e.textContent.slice(0, 20), ratio.toFixed(2)]);
}
return poor;
"""


def test_the_address_keeps_filters_and_order(
    opened: Any, pair: tuple[Path, Path], embedded_questions: tuple[Question, ...]
) -> None:
    chrome = opened(*pair)
    select(chrome, "filter-run", "1")
    select(chrome, "filter-outcome", "wrong")
    select(chrome, "sort", "sure")
    assert chrome.current_url.endswith("#run=1&outcome=wrong&sort=sure")
    chrome.find_element(By.CSS_SELECTOR, "#filters button[type=reset]").click()
    WebDriverWait(chrome, 10).until(lambda driver: "#" not in driver.current_url)
    law = embedded_questions[0].law
    chrome = opened(*pair, at=f"#law={quote(law)}&outcome=correct&run=0&sort=nonsense")
    wanted = [q.id for q in embedded_questions[:25] if q.law == law]
    assert shown(chrome) == wanted
    assert Select(chrome.find_element(By.ID, "sort")).first_selected_option.text == "as in the file"


def test_any_run_is_the_base_and_answers_that_differ_come_first(
    opened: Any, pair: tuple[Path, Path], embedded_questions: tuple[Question, ...]
) -> None:
    ids = [q.id for q in embedded_questions]
    chrome = opened(*pair)
    select(chrome, "filter-base", "1")
    select(chrome, "filter-change", "lost")
    assert shown(chrome) == ids[25:40], "what the adapter gained is lost from there"
    select(chrome, "filter-change", "")
    select(chrome, "sort", "apart")
    assert shown(chrome)[:15] == ids[25:40]


def test_two_answers_stand_side_by_side_with_what_differs_marked(
    opened: Any, make_run: MakeRun, embedded_questions: tuple[Question, ...]
) -> None:
    written = ["第3条により正しい。最終回答：{}", "第5条により正しい。最終回答：{}"]
    runs = [
        make_run(name, {q.id: text.format(q.gold) for q in embedded_questions},
                 "--answer-by", "generate", "--mode", "cot")
        for name, text in zip(("one", "two"), written, strict=True)
    ]  # fmt: skip
    chrome = opened(*runs, at=f"#q={quote(embedded_questions[0].id)}")
    chrome.find_element(By.XPATH, "//summary[contains(., 'side by side')]").click()
    columns = WebDriverWait(chrome, 10).until(
        lambda driver: driver.find_elements(By.CSS_SELECTOR, ".body .two pre")
    )
    assert [column.text for column in columns] == [
        text.format(embedded_questions[0].gold) for text in written
    ]
    marks = [column.find_elements(By.TAG_NAME, "mark") for column in columns]
    assert [[mark.text for mark in column] for column in marks] == [["3"], ["5"]]


def test_j_and_k_go_from_question_to_question(opened: Any, pair: tuple[Path, Path]) -> None:
    chrome = opened(*pair)
    here = "return document.activeElement.closest('details').querySelector('bdi').textContent"
    ids = shown(chrome)
    for keys, expected in (("j", 0), ("jj", 2), ("k", 1)):
        for key in keys:
            chrome.switch_to.active_element.send_keys(key)
        assert chrome.execute_script(here) == ids[expected]
    chrome.find_element(By.ID, "search").send_keys("jk")
    assert chrome.find_element(By.ID, "search").get_attribute("value") == "jk"


def test_on_paper_everything_found_is_there_and_nothing_is_clipped(
    opened: Any, pair: tuple[Path, Path]
) -> None:
    chrome = opened(*pair)
    chrome.execute_script("dispatchEvent(new Event('beforeprint'))")
    assert len(shown(chrome)) == 60
    chrome.execute_script("document.querySelector('#list details').open = true")
    chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    metrics = {
        "width": 1030,
        "height": 700,
        "deviceScaleFactor": 1,
        "mobile": False,
    }  # A4 landscape
    chrome.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        wide = chrome.execute_script(
            "return [...document.querySelectorAll('main *')].filter(e => e.offsetParent"
            " && e.getBoundingClientRect().right > 1031).map(e => e.outerHTML.slice(0, 80))"
        )
        assert wide == []
        assert chrome.find_element(By.CSS_SELECTOR, "#list details[open] .choices").is_displayed()
        assert not chrome.find_element(By.ID, "filters").is_displayed()
    finally:
        chrome.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_notes_are_kept_found_by_and_saved(
    opened: Any, pair: tuple[Path, Path], embedded_questions: tuple[Question, ...], tmp_path: Path
) -> None:
    wanted = embedded_questions[3].id
    chrome = opened(*pair, at=f"#q={quote(wanted)}")
    tags, note = (
        chrome.find_element(By.CSS_SELECTOR, f"details[open] .notes {tag}")
        for tag in ("input", "textarea")
    )
    tags.send_keys("但書, 要確認")
    note.send_keys("two articles", Keys.TAB)
    select(chrome, "filter-tag", "要確認")
    assert shown(chrome) == [wanted]
    chrome.refresh()
    assert shown(chrome) == [wanted], "the browser and the address keep both"
    behaviour = {"behavior": "allow", "downloadPath": str(tmp_path / "saved")}
    chrome.execute_cdp_cmd("Page.setDownloadBehavior", behaviour)
    chrome.find_element(By.ID, "save-notes").click()
    saved = tmp_path / "saved" / "report.notes.json"
    WebDriverWait(chrome, 10).until(lambda _: saved.is_file())
    assert json.loads(saved.read_text(encoding="utf-8")) == {
        "schema_version": 1, "notes": {wanted: {"tags": ["但書", "要確認"], "text": "two articles"}},
    }  # fmt: skip
    chrome.execute_script("localStorage.clear()")
