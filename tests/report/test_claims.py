"""The sentences of the first screen, from runs that the real runner wrote."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lawqa.errors import ConfigError
from lawqa.pipelines.comparing.report import ReportConfig, make_report
from lawqa.questions import Question, write_questions
from lawqa.report.cautions import Caution, caution_kinds, cautions_of
from lawqa.report.claims import claims_of, headline
from lawqa.report.content import Report
from lawqa.report.phrase import Phrase

MakeRun = Callable[..., Path]
LEAK = "LEAK: 12 of 60 questions were in the training of out; this accuracy says nothing about new questions"


def made(*paths: Path, base: Path | None = None) -> Report:
    return make_report(ReportConfig(paths, base))


def cautions(report: Report) -> list[str]:
    return [f"{c.where} {c.text.en}" for c in cautions_of(report)]


@pytest.mark.slow
def test_a_clear_win_says_by_how_much_on_what_and_how_sure(make_run: MakeRun) -> None:
    report = made(make_run("adapted", 45, adapter="adapters/qlora"), make_run("base", 25))
    claim = headline(report)
    assert claim.kind == "better"
    assert claim.text.en == (
        "adapted - base: +33.3 points, higher, more than luck: adapter qlora (R2) is better than the base "
        "model (R1) on 60 held-out questions (by single answers; 95% interval +20.3 to +44.5, Newcombe's "
        "paired score; exact McNemar p < 0.001)."
    )
    assert claim.text.ja == (
        "adapted - base: +33.3 ポイント（高い）。"
        "偶然とは言えない：アダプタ qlora（R2）は元のモデル（R1）より、"
        "学習に使っていない 60 問で良い（1 回の回答、95% 区間 +20.3 〜 +44.5"
        "（対応のある Newcombe のスコア区間）、正確な McNemar 検定 p < 0.001）。"
    )
    assert [run.name for run in report.runs] == ["base", "adapted"], "the base model goes first"


@pytest.mark.slow
def test_a_loss_is_called_worse(make_run: MakeRun) -> None:
    claim = headline(made(make_run("base", 45), make_run("adapted", 25, adapter="a/qlora")))
    assert claim.kind == "worse"
    assert claim.text.en.startswith(
        "adapted - base: -33.3 points, lower, more than luck: adapter qlora"
    )
    assert "is worse than the base model (R1) on 60 held-out questions" in claim.text.en
    assert claim.text.ja.startswith("adapted - base: -33.3 ポイント（低い）")
    assert "問で悪い" in claim.text.ja


@pytest.mark.slow
def test_no_difference_says_the_bar_and_apart_from_it_what_is_detected(make_run: MakeRun) -> None:
    claim = headline(
        made(make_run("base", 30), make_run("adapted", 30, offset=4, adapter="a/qlora"))
    )
    assert claim.kind == "none"
    assert claim.text.en.startswith(
        "adapted - base: +0.0 points, equal, may be luck: no difference between adapter qlora (R2) and the "
        "base model (R1) can be claimed on 60 questions ("
    )
    # 4 won, 4 lost: 8 to 0 is p = 0.008, 7 to 1 is 0.070.
    assert (
        "With these 8 discordant questions the smallest significant difference is 13.3 points (p <= 0.05). "
        "A true difference of " in claim.text.en
    )
    found = re.search(r"A true difference of (\d+\.\d) points is detected in 80%", claim.text.en)
    assert found
    assert 10 < float(found[1]) < 40
    assert "正誤が分かれた 8 問で有意になる最小の差は 13.3 ポイント" in claim.text.ja


@pytest.mark.slow
def test_a_leak_takes_the_claim_away(make_run: MakeRun) -> None:
    report = made(make_run("base", 20), make_run("adapted", 55, adapter="a/qlora", notes=(LEAK,)))
    claim = headline(report)
    assert claim.kind == "void"
    assert claim.text.en == (
        "No claim about new questions can be made: R2 was asked questions that its adapter was trained on "
        "(on these 60 questions adapted - base: +58.3 points, higher)."
    )
    assert cautions(report)[0] == f"R2 {LEAK}"
    assert cautions_of(report)[0].severe
    assert cautions_of(report)[0].text.ja == (
        "漏えい：60 問のうち 12 問を out の学習に使った。この正答率から新しい問題については何も言えない"
    )


@pytest.mark.parametrize("note", ["UNKNOWN TRAINING: out has no manifest", LEAK])
def test_one_run_alone_has_no_claim_either_where_it_may_leak(make_run: MakeRun, note: str) -> None:
    claim = headline(made(make_run("adapted", 55, adapter="a/qlora", notes=(note,))))
    assert claim.kind == "void"
    assert claim.text.en.startswith("No claim about new questions can be made: ")


@pytest.mark.slow
def test_questions_that_chose_the_step_are_not_called_held_out(make_run: MakeRun) -> None:
    chosen = "CHOSEN BY: 5 of 60 questions decided which step of a was kept; this accuracy flatters"
    report = made(make_run("base", 20), make_run("x", 50, adapter="a/x", notes=(chosen,)))
    assert "on 60 questions (by single answers" in headline(report).text.en
    assert f"R2 {chosen}" in cautions(report)


def test_one_run_is_held_against_one_letter(make_run: MakeRun) -> None:
    good = headline(made(make_run("good", 50)))
    assert good.kind == "one"
    assert good.text.en.startswith(
        "good (R1) answers 83.3% of 60 rightly (95% interval 72.0% – 90.7%), above"
    )
    poor = headline(made(make_run("poor", 16)))
    assert "which is not clear of" in poor.text.en


@pytest.mark.slow
def test_several_runs_are_corrected_for_their_number(make_run: MakeRun) -> None:
    runs = [make_run("base", 25), make_run("one", 33), make_run("two", 50), make_run("three", 26)]
    report = made(*runs)
    alone = made(runs[0], runs[1])
    assert alone.pairs[0].comparison is not None
    assert alone.pairs[0].comparison.p_value < 0.05
    judged = report.pairs[0].judged
    assert judged is not None
    assert judged.p_holm == pytest.approx(2 * alone.pairs[0].comparison.p_value)
    assert [claim.kind for claim in claims_of(report)] == ["better", "better", "none"]
    assert headline(report).text.en == (
        "2 of 3 differences are more than luck (Holm-corrected); "
        "the largest: two (R3) is 41.7 points better than base (R1)."
    )
    assert all("Holm-corrected for 3)" in claim.text.en for claim in claims_of(report))
    for pair in report.pairs:
        assert pair.judged is not None
        interval = pair.judged.comparison.interval
        assert (interval.low <= 0 <= interval.high) == (pair.judged.p_holm > 0.05)


def test_failed_cut_off_and_empty_answers_are_counted(
    make_run: MakeRun, embedded_questions: tuple[Question, ...]
) -> None:
    table = {q.id: f"最終回答：{q.gold}" for q in embedded_questions}
    ids = list(table)
    odd = {
        ids[0]: {"error": "out of memory"},
        ids[1]: {"text": "<think>\nまだ", "hit_limit": True},
        ids[2]: "わからない。",
    }
    report = made(make_run("odd", {**table, **odd}, "--mode", "cot"))
    assert cautions(report) == [
        "R1 FAILED: 1, CUT OFF before an answer: 1, NO ANSWER committed to: 1 of 60; they count as not right"
    ]
    assert cautions_of(report)[0].severe


def test_a_collapse_is_said(make_run: MakeRun) -> None:
    assert any(
        " COLLAPSE: 100% of answers are c" in line
        for line in cautions(made(make_run("c", {"*": "c"})))
    )


@pytest.mark.slow
def test_other_settings_than_the_adapter_are_named(make_run: MakeRun) -> None:
    report = made(make_run("base", 30), make_run("other", 40, "--condition", "gold", adapter="a/x"))
    named = [line for line in cautions(report) if "NOT THE ADAPTER ALONE" in line]
    assert len(named) == 1
    assert "prompt (condition: closed / gold)" in named[0]
    plain = made(make_run("base2", 30), make_run("other2", 40, adapter="a/x"))
    assert not [line for line in cautions(plain) if "NOT THE ADAPTER ALONE" in line]


@pytest.mark.slow
def test_different_data_is_said(
    make_run: MakeRun, tmp_path: Path, embedded_questions: tuple[Question, ...]
) -> None:
    few = tmp_path / "few.json"
    write_questions(few, embedded_questions[:40])
    report = made(make_run("base", 30), make_run("few", 20, data=few))
    assert any(
        "R2 DIFFERENT DATA: compared on the 40 questions that both were asked; R1 was asked 20 others"
        in line
        for line in cautions(report)
    )
    first, *others = embedded_questions[:40]
    write_questions(few, [replace(first, text=f"{first.text}。"), *others])
    report = made(tmp_path / "base", make_run("reworded", 20, data=few))
    assert any("1 shared question is not worded as in R1" in line for line in cautions(report))


def test_runs_that_share_nothing_cannot_be_compared(
    make_run: MakeRun, tmp_path: Path, embedded_questions: tuple[Question, ...]
) -> None:
    parts = [tmp_path / "one.json", tmp_path / "two.json"]
    write_questions(parts[0], embedded_questions[:20])
    write_questions(parts[1], embedded_questions[20:])
    report = made(make_run("one", 30, data=parts[0]), make_run("two", 30, data=parts[1]))
    assert headline(report).kind == "void"
    assert "cannot be compared" in headline(report).text.en
    assert any("NOT COMPARABLE" in line for line in cautions(report))


@pytest.mark.slow
def test_the_base_can_be_named_and_runs_are_given_once(make_run: MakeRun, tmp_path: Path) -> None:
    one, two = make_run("one", 30), make_run("two", 40)
    assert [run.name for run in made(one, two, base=two).runs] == ["two", "one"]
    with pytest.raises(ConfigError, match="given twice"):
        made(one, tmp_path / "two" / ".." / "one")
    with pytest.raises(ConfigError, match="is not among the runs"):
        made(one, base=two)


@pytest.mark.slow
def test_runs_of_one_name_are_told_apart(make_run: MakeRun, tmp_path: Path) -> None:
    for name in ("x", "y"):
        make_run(name, 30)
        (tmp_path / name / "run").mkdir()
        for file in ("manifest.json", "results.jsonl"):
            (tmp_path / name / file).rename(tmp_path / name / "run" / file)
    report = made(tmp_path / "x" / "run", tmp_path / "y" / "run")
    assert [run.name for run in report.runs] == ["x/run", "y/run"]


@pytest.mark.slow
def test_an_adapter_is_held_against_the_run_that_differs_in_it_alone(make_run: MakeRun) -> None:
    gold = ("--condition", "gold")
    runs = (make_run("base", 25), make_run("adapted", 40, adapter="a/x"), make_run("base-gold", 30, *gold),
            make_run("adapted-gold", 50, *gold, adapter="a/x"))  # fmt: skip
    report = made(*runs)
    assert [(pair.base, pair.other) for pair in report.pairs] == [
        ("R1", "R2"),
        ("R1", "R3"),
        ("R3", "R4"),
    ]
    assert (
        "adapted-gold - base-gold: +33.3 points, higher, more than luck: adapter x (R4) is better than"
        in claims_of(report)[1].text.en
    )
    assert [
        line for line in cautions(report) if "NOT THE ADAPTER ALONE" in line and "R4" in line
    ] == []
    named = made(*runs, base=runs[0])
    assert {pair.base for pair in named.pairs} == {"R1"}
    assert any("R4 NOT THE ADAPTER ALONE" in line for line in cautions(named))


@pytest.mark.slow
def test_gains_and_losses_together_are_counted_without_a_side(make_run: MakeRun) -> None:
    report = made(make_run("base", 30), make_run("up", 45), make_run("down", 15))
    assert [claim.kind for claim in claims_of(report)] == ["better", "worse"]
    assert headline(report).kind == "none"
    assert headline(report).text.en == (
        "2 of 2 differences are more than luck (Holm-corrected); "
        "the largest: up (R2) is 25.0 points better than base (R1)."
    )


@pytest.mark.slow
def test_cautions_of_one_kind_are_folded_with_the_runs_they_concern(make_run: MakeRun) -> None:
    runs = [make_run(f"run{n}", 20 + n, "--condition", "gold") for n in range(4)]
    others = [make_run(f"other{n}", 20 + n) for n in range(2)]
    report = made(runs[0], *others, *runs[1:], base=runs[0])
    (kind,) = caution_kinds(cautions_of(report))
    assert kind.name == Phrase("NOT THE ADAPTER ALONE", "アダプタ以外も違う")
    assert kind.where == "R2, R3"
    many = tuple(
        Caution(False, f"R{n}", Phrase(f"A KIND: {n}", f"種類：{n}")) for n in (1, 2, 3, 5)
    )
    assert [one.where for one in caution_kinds(many)] == ["R1–R3, R5"]
    (single,) = caution_kinds(many[:1])
    assert single.name == Phrase("A KIND: 1", "種類：1")
