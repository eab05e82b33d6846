"""The base run against the others: the paired figures, and which answers changed."""

from __future__ import annotations

from dataclasses import dataclass

from lawqa.amounts import percent
from lawqa.report.content import Report, ReportRun, RunPair
from lawqa.report.note_words import note_phrase
from lawqa.report.paired_figures import paired_figures
from lawqa.report.phrase import Phrase
from lawqa.report.run_tables import NOTHING, RUN
from lawqa.report.table import Cell, Table
from lawqa.report.words import evidence_words, rule_phrase
from lawqa.scoring.comparisons import GoldTextPart
from lawqa.scoring.comparisons.multiple import p_text, signed

MOST_CHANGED = 500
"""Questions whose answers changed one way that are listed at most; the number says how many there are."""

_COLUMNS = (
    RUN,
    Phrase("base", "基準"),
    Phrase("by (this / base)", "最終の回答（この実行／基準）"),
    Phrase("questions (pairs)", "問題数（組数）"),
    Phrase("base's accuracy", "基準の正答率"),
    Phrase("this run's", "この実行の正答率"),
    Phrase("difference in points", "差（ポイント）"),
    Phrase("interval", "区間"),
    Phrase(
        "both / only base / only this / neither",
        "両方／基準だけ／この実行だけ／どちらも不正解",
    ),
    Phrase("test", "検定"),
    Phrase("p (raw)", "p（補正前）"),
    Phrase("p (Holm)", "p（Holm 補正）"),
    Phrase("significant from (points)", "有意になる最小の差（ポイント）"),
    Phrase("detectable (points)", "見える差（ポイント）"),
)

_INTERVAL_NOTE = Phrase(
    "Interval: Newcombe's paired score interval for one pair of answers a question, else the "
    "bootstrap by question; at the level that Holm's correction asks of the comparison, so that it "
    "contains 0 exactly where the difference may be luck. Significant from: with these discordant "
    "answers. Detectable: a true difference that such a comparison sees in 80% of cases.",
    "区間は、1 問に 1 組なら対応のある Newcombe のスコア区間、そのほかは問題単位のブートストラップ。"
    "Holm 補正がその比較に求める水準で作るので、0 を含むのは偶然かもしれないときだけ。"
    "「有意になる最小の差」は今回正誤が分かれた問題数でのもの。"
    "「見える差」は、このような比較が 80% の確率で検出する真の差。",
)


@dataclass(frozen=True)
class ChangedQuestion:
    """A question whose answers changed."""

    question_id: str
    law: str
    prompts: int
    """In how many of its orders and repeats."""
    before: str
    """What the base run answered in the first of them, in the original order; a dash for nothing."""
    after: str
    """What the other run answered there."""
    gold: str
    """The right label in the original order."""


def changes(
    base_run: ReportRun, other: ReportRun
) -> tuple[tuple[ChangedQuestion, ...], tuple[ChangedQuestion, ...]]:
    """Return questions that became right, and questions that became wrong, by the final answers of both runs.

    Where single prompts are compared, a question with several can be among both.
    """
    base = {answer.key: answer for answer in base_run.judged}
    gained: dict[str, ChangedQuestion] = {}
    lost: dict[str, ChangedQuestion] = {}
    for answer in other.judged:
        before = base.get(answer.key)
        if before is None or before.is_correct == answer.is_correct:
            continue
        among = gained if answer.is_correct else lost
        known = among.get(answer.question_id)
        among[answer.question_id] = ChangedQuestion(
            answer.question_id,
            answer.law,
            known.prompts + 1 if known else 1,
            known.before if known else before.original_predicted or "–",
            known.after if known else answer.original_predicted or "–",
            answer.original_gold,
        )
    return tuple(gained.values()), tuple(lost.values())


def paired_table(report: Report) -> Table | None:
    """Return each run against its base run; None where there is one run."""
    if not report.pairs:
        return None
    return Table(
        id="paired",
        title=Phrase(
            "Against the base run, on the questions that both were asked",
            "基準の実行との比較（両方に出題した問題）",
        ),
        columns=_COLUMNS,
        rows=tuple(_row(report, pair) for pair in report.pairs),
        note=_INTERVAL_NOTE,
    )


def _row(report: Report, pair: RunPair) -> tuple[Cell, ...]:
    more = "".join(f" + {run_id}" for run_id in pair.repeats)
    name = f"{report.run(pair.other).title}{more}"
    based = "".join((pair.base, *(f" + {run_id}" for run_id in pair.base_repeats)))
    if pair.judged is None:
        return (name, based, *[NOTHING] * 11, note_phrase(pair.problem))
    c, figures = pair.judged.comparison, paired_figures(pair.judged)
    by = rule_phrase(c.by_other)
    if c.by_other != c.by_base:
        against = rule_phrase(c.by_base)
        by = Phrase(f"{by.en} / {against.en}", f"{by.ja}／{against.ja}")
    return (
        name,
        based,
        by,
        figures.questions,
        percent(c.base.value),
        percent(c.other.value),
        figures.difference,
        Phrase(figures.interval, figures.interval.replace(" to ", " 〜 ")),
        figures.contingency,
        Phrase(c.test, evidence_words(c.test)),
        figures.p_raw,
        figures.p_holm or NOTHING,
        figures.significant_from or NOTHING,
        figures.detectable or NOTHING,
    )


def gold_text_table(report: Report) -> Table | None:
    """Return comparisons split by whether the gold text was in the prompt; None where nothing
    was retrieved.
    """
    rows: list[tuple[Cell, ...]] = []
    for pair in report.pairs:
        for part in pair.gold_text:
            c = part.comparison
            where = part.where(pair.base, pair.other)
            rows.append(
                (
                    f"{pair.other} - {pair.base}",
                    Phrase(where, _where_ja(part, pair)),
                    part.base,
                    part.other,
                    NOTHING if c is None else signed(c.difference),
                    NOTHING
                    if c is None
                    else f"{signed(c.interval.low)} to {signed(c.interval.high)}",
                    NOTHING if c is None else f"{c.test} {p_text(c.p_value)}",
                )
            )
    if not rows:
        return None
    return Table(
        id="gold-text",
        title=Phrase(
            "Reader and retriever apart: by whether the gold text was in the prompt",
            "読解と検索の切り分け（正解条文がプロンプトにあったか）",
        ),
        columns=(
            Phrase("comparison", "比較"),
            Phrase("gold text", "正解条文"),
            Phrase("base", "基準"),
            Phrase("this run", "この実行"),
            Phrase("difference in points", "差（ポイント）"),
            Phrase("95% interval", "95% 区間"),
            Phrase("p (raw)", "p（補正前）"),
        ),
        rows=tuple(rows),
        note=Phrase(
            "Where it was in both prompts the readers differ; where it was in one, the retrievers do. "
            "These p-values are not corrected for their number.",
            "両方にあった問題では読解の差、片方にだけあった問題では検索の差が表れる。"
            "p は個数の補正をしていない。",
        ),
    )


def _where_ja(part: GoldTextPart, pair: RunPair) -> str:
    if part.in_base is None or part.in_other is None:
        run_id = pair.other if part.in_base is None else pair.base
        there = part.in_other if part.in_base is None else part.in_base
        return f"{run_id} に{'ある' if there else 'ない'}"
    if part.in_base and part.in_other:
        return "両方にある"
    if part.in_base or part.in_other:
        return f"{pair.base if part.in_base else pair.other} にだけある"
    return "どちらにもない"
