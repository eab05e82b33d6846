"""The base run against the others: the paired figures, and which answers changed."""

from __future__ import annotations

from dataclasses import dataclass

from lawqa.report.content import Report, ReportRun
from lawqa.report.tables import NOTHING, RUN, Cell, Table
from lawqa.report.words import Said, p_said, percent, points, same


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
    """Questions that became right, and questions that became wrong, by the prompts that both were asked.

    A question with several prompts can be among both.
    """
    base = {answer.key: answer for answer in base_run.answers}
    gained: dict[str, Change] = {}
    lost: dict[str, Change] = {}
    for answer in other.answers:
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
        name, c = same(report.run(pair.other).title), pair.comparison
        if c is None:
            rows.append((name, same(pair.base), *[NOTHING] * 8, same(pair.problem)))
            continue
        needed = c.detectable_at(report.level)
        rows.append((
            name, same(pair.base),
            same(f"{c.questions}" + (f" ({c.prompts})" if c.prompts != c.questions else "")),
            same(percent(c.base.value)), same(percent(c.other.value)), same(points(c.difference)),
            same(f"{points(c.interval.low)} … {points(c.interval.high)}"),
            same(f"{c.both} / {c.only_base} / {c.only_other} / {c.neither}"),
            same(p_said(c.p_value)),
            NOTHING if pair.p_holm is None else same(p_said(pair.p_holm)),
            NOTHING if needed is None else same(f"{100 * needed:.1f}"),
        ))  # fmt: skip
    return Table(
        "paired",
        Said("Against the base run, on the questions that both were asked",
             "基準の実行との比較（両方に出題した問題）"),
        (RUN, Said("base", "基準"), Said("questions (prompts)", "問題数（出題数）"),
         Said("base's accuracy", "基準の正答率"), Said("this run's", "この実行の正答率"),
         Said("difference in points", "差（ポイント）"), Said("95 % interval", "95 % 区間"),
         Said("both / only base / only this / neither", "両方／基準だけ／この実行だけ／どちらも不正解"),
         same("p"), Said("p, Holm-corrected", "p（Holm 補正）"),
         Said("detectable at this n (points)", "この n で見える差（ポイント）")),
        tuple(rows),
        Said("Interval: paired bootstrap by question. "
             f"Detectable: seen 4 times in 5 at this n and discordance, by p = {report.level:.2g}.",
             "区間は問題単位の対応のあるブートストラップ。"
             f"「見える差」は、この問題数で 5 回に 4 回、p = {report.level:.2g} で検出できる差。"),
    )  # fmt: skip
