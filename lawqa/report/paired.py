"""The base run against the others: the paired figures, and which answers changed."""

from __future__ import annotations

from dataclasses import dataclass

from lawqa.report.content import Pair, Report, ReportRun
from lawqa.report.tables import NOTHING, RUN, Cell, Table
from lawqa.report.words import Said, p_said, percent, points, rule_said, same
from lawqa.scoring import GoldTextPart
from lawqa.scoring.several import confidence_name


@dataclass(frozen=True)
class Change:
    """A question whose answers changed."""

    question_id: str
    """The question."""
    law: str
    """Its law."""
    prompts: int
    """In how many of its orders and repeats."""
    before: str
    """What the base run answered in the first of them, in the original order; a dash for nothing."""
    after: str
    """What the other run answered there."""
    gold: str
    """The right label in the original order."""


def changes(base_run: ReportRun, other: ReportRun) -> tuple[tuple[Change, ...], tuple[Change, ...]]:
    """Questions that became right, and questions that became wrong, by the final answers of both runs.

    Where single prompts are compared, a question with several can be among both.
    """
    base = {answer.key: answer for answer in base_run.judged}
    gained: dict[str, Change] = {}
    lost: dict[str, Change] = {}
    for answer in other.judged:
        before = base.get(answer.key)
        if before is None or before.is_correct == answer.is_correct:
            continue
        among = gained if answer.is_correct else lost
        known = among.get(answer.question_id)
        among[answer.question_id] = Change(
            answer.question_id,
            answer.law,
            known.prompts + 1 if known else 1,
            known.before if known else before.original_predicted or "–",
            known.after if known else answer.original_predicted or "–",
            answer.original_gold,
        )
    return tuple(gained.values()), tuple(lost.values())


def paired_table(report: Report) -> Table | None:
    """Each run against its base run; None where there is one run."""
    if not report.pairs:
        return None
    rows: list[tuple[Cell, ...]] = []
    for pair in report.pairs:
        more = "".join(f" + {run_id}" for run_id in pair.repeats)
        name = same(f"{report.run(pair.other).title}{more}")
        based = same("".join((pair.base, *(f" + {run_id}" for run_id in pair.base_repeats))))
        if pair.judged is None:
            rows.append((name, based, *[NOTHING] * 11, same(pair.problem)))
            continue
        c, level = pair.judged.comparison, pair.judged.level
        bar, needed = c.significant_at(level), c.detectable_at(level)
        by = rule_said(c.by_other)
        if c.by_other != c.by_base:
            against = rule_said(c.by_base)
            by = Said(f"{by.en} / {against.en}", f"{by.ja}／{against.ja}")
        rows.append((
            name, based, by,
            same(f"{c.questions}" + (f" ({c.prompts})" if c.prompts != c.questions else "")),
            same(percent(c.base.value)), same(percent(c.other.value)), same(points(c.difference)),
            same(f"{points(c.interval.low)} … {points(c.interval.high)} "
                 f"({confidence_name(c.confidence)})"),
            same(f"{c.both} / {c.only_base} / {c.only_other} / {c.neither}"),
            same(c.test), same(p_said(c.p_value)),
            same(p_said(pair.judged.p_holm)) if pair.judged.number > 1 else NOTHING,
            NOTHING if bar is None else same(f"{100 * bar:.1f}"),
            NOTHING if needed is None else same(f"{100 * needed:.1f}"),
        ))  # fmt: skip
    return Table(
        "paired",
        Said("Against the base run, on the questions that both were asked",
             "基準の実行との比較（両方に出題した問題）"),
        (RUN, Said("base", "基準"), Said("by (this / base)", "最終の回答（この実行／基準）"),
         Said("questions (pairs)", "問題数（組数）"),
         Said("base's accuracy", "基準の正答率"), Said("this run's", "この実行の正答率"),
         Said("difference in points", "差（ポイント）"), Said("interval", "区間"),
         Said("both / only base / only this / neither", "両方／基準だけ／この実行だけ／どちらも不正解"),
         Said("test", "検定"), Said("p (raw)", "p（補正前）"), Said("p (Holm)", "p（Holm 補正）"),
         Said("significant from (points)", "有意になる最小の差（ポイント）"),
         Said("detectable (points)", "見える差（ポイント）")),
        tuple(rows),
        Said("Interval: Newcombe's paired score interval for one pair of answers a question, else the "
             "bootstrap by question; at the level that Holm's correction asks of the comparison, so that it "
             "holds 0 exactly where the difference may be luck. Significant from: with these discordant "
             "answers. Detectable: a true difference that such a comparison sees in 80 % of cases.",
             "区間は、1 問に 1 組なら対応のある Newcombe のスコア区間、そのほかは問題単位のブートストラップ。"
             "Holm 補正がその比較に求める水準で作るので、0 を含むのは偶然かもしれないときだけ。"
             "「有意になる最小の差」は今回正誤が分かれた問題数でのもの。"
             "「見える差」は、このような比較が 80 % の確率で検出する真の差。"),
    )  # fmt: skip


def gold_text_table(report: Report) -> Table | None:
    """Comparisons split by whether the gold text was in the prompt; None where nothing was retrieved."""
    rows: list[tuple[Cell, ...]] = []
    for pair in report.pairs:
        for part in pair.gold_text:
            c = part.comparison
            where = part.where(pair.base, pair.other)
            rows.append((
                same(f"{pair.other} - {pair.base}"), Said(where, _where_ja(part, pair)),
                part.base, part.other,
                NOTHING if c is None else same(points(c.difference)),
                NOTHING if c is None else same(
                    f"{points(c.interval.low)} … {points(c.interval.high)}"),
                NOTHING if c is None else same(f"{c.test} {p_said(c.p_value)}"),
            ))  # fmt: skip
    if not rows:
        return None
    return Table(
        "gold-text",
        Said("Reader and retriever told apart: by whether the gold text was in the prompt",
             "読解と検索の切り分け（正解条文がプロンプトにあったか）"),
        (Said("comparison", "比較"), Said("gold text", "正解条文"), Said("base", "基準"),
         Said("this run", "この実行"), Said("difference in points", "差（ポイント）"),
         Said("95 % interval", "95 % 区間"), Said("p (raw)", "p（補正前）")),
        tuple(rows),
        Said("Where it was in both prompts the readers differ; where it was in one, the retrievers do. "
             "These p-values are not corrected for their number.",
             "両方にあった問題では読解の差、片方にだけあった問題では検索の差が表れる。"
             "p は個数の補正をしていない。"),
    )  # fmt: skip


def _where_ja(part: GoldTextPart, pair: Pair) -> str:
    if part.in_base is None or part.in_other is None:
        run_id = pair.other if part.in_base is None else pair.base
        there = part.in_other if part.in_base is None else part.in_base
        return f"{run_id} に{'ある' if there else 'ない'}"
    if part.in_base and part.in_other:
        return "両方にある"
    if part.in_base or part.in_other:
        return f"{pair.base if part.in_base else pair.other} にだけある"
    return "どちらにもない"
