"""The tables of a report, without the marks of any format."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lawqa.report.content import Entry, Report, ReportRun
from lawqa.report.words import WORDS, Said, percent, rule_said, same
from lawqa.scoring import (
    Accuracy,
    accuracy_of,
    order_name,
    summarise_permutations,
    summarise_votes,
    votes_curve,
)


@dataclass(frozen=True)
class Share:
    """A count with its share of a whole, which may be shown as a shade."""

    count: int
    """The count."""
    share: float
    """From 0 to 1."""
    emphasised: bool = False
    """Whether it is where a right answer stands."""


Cell = Said | Accuracy | Share


@dataclass(frozen=True)
class Table:
    """A table; the first cell of each row heads it."""

    id: str
    """Its name, for links."""
    title: Said
    """What it shows."""
    columns: tuple[Said, ...]
    """Headings."""
    rows: tuple[tuple[Cell, ...], ...]
    """Cells, as many a row as there are columns."""
    note: Said | None = None
    """What must be known to read it."""


NOTHING = same("–")
"""A cell of a table that has nothing to say."""
RUN = WORDS["run"]
"""The heading of a column of runs."""
_GROUPS = {
    "hit": WORDS["hit"],
    "miss": WORDS["miss"],
    "context": Said("with context", "条文あり"),
    "no_context": Said("no context", "条文なし"),
}


def accuracy_tables(report: Report) -> tuple[Table, ...]:
    """Accuracy with intervals, overall and by everything that is known."""
    made = [
        _overall(report.runs),
        _grouped(report, "law", Said("By law", "法令別"), WORDS["law"],
                 lambda e: e.answer.law or "?"),
        _grouped(report, "condition", Said("By condition", "条件別"), Said("condition", "条件"),
                 lambda e: e.condition),
        _grouped(report, "retrieval", Said("By retrieval of a gold article", "正解条文の検索結果別"),
                 Said("retrieval", "検索"), _hit),
        _grouped(report, "order", Said("By order of the choices", "選択肢の順序別"),
                 Said("order", "順序"), lambda e: order_name(e.answer.order), least=2),
        _orders(report.runs),
        _votes(report.runs),
        _forced(report.runs),
    ]  # fmt: skip
    return tuple(table for table in made if table is not None)


def _overall(runs: Sequence[ReportRun]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        s, final = run.summary, run.summary.final
        longest = s.floors.longest_choice
        single = "" if s.n == s.questions else f" ({s.accuracy.correct} / {s.n})"
        rows.append((
            same(run.title), rule_said(final.name), final.accuracy,
            same(f"{final.accuracy.correct} / {final.accuracy.asked}"),
            same(f"{percent(s.accuracy.value)}{single}"),
            same(f"{final.ties} ({percent(final.expected)})" if final.ties else "0"),
            same(" / ".join(str(s.outcomes[o]) for o in ("unparsed", "truncated", "failed"))),
            same(percent(s.floors.chance)),
            same(f"{percent(s.floors.constant)} ({s.floors.constant_label})"),
            NOTHING if longest is None else same(percent(longest)),
        ))  # fmt: skip
    return Table(
        "overall",
        Said("Accuracy with its 95 % interval", "正答率と 95 % 区間"),
        (RUN, Said("final answer", "最終の回答"), Said("accuracy", "正答率"),
         Said("right / asked", "正解 / 出題"), Said("single prompts", "各プロンプト"),
         Said("ties (accuracy if shared)", "同点（分け合った場合の正答率）"),
         Said("no answer / cut off / failed", "回答なし／途中で切れた／失敗"),
         Said("floor: guessing", "下限：あてずっぽう"), Said("floor: one letter", "下限：同じ記号"),
         Said("floor: longest choice", "下限：最長の選択肢")),
        tuple(rows),
        Said("Right final answers among all questions asked; answers that failed, broke off or commit to "
             "nothing are not right. Ties are broken by the summed log-probability, else drawn by the "
             "question's id.",
             "正答率は、出題したすべての問題に対する最終の回答の正解の割合（失敗・途中切れ・回答なしは正解に数えない）。"
             "同点は対数確率の和、なければ問題の ID による抽選で決める。"),
    )  # fmt: skip


def _grouped(
    report: Report,
    name: str,
    title: Said,
    heading: Said,
    group: Callable[[Entry], str | None],
    least: int = 1,
) -> Table | None:
    by_run: dict[str, dict[str, list[Entry]]] = {}
    for run in report.runs:
        for entry in run.entries:
            key = group(entry)
            if key is not None:
                by_run.setdefault(key, {}).setdefault(run.id, []).append(entry)
    if len(by_run) < least:
        return None
    rows = []
    for key in sorted(by_run):
        found = by_run[key]
        row: list[Cell] = [_GROUPS.get(key, same(key))]
        for run in report.runs:
            entries = found.get(run.id)
            row.append(accuracy_of([e.answer for e in entries]) if entries else NOTHING)
        rows.append(tuple(row))
    return Table(name, title, (heading, *(same(run.title) for run in report.runs)), tuple(rows))


def _hit(entry: Entry) -> str | None:
    found = entry.answer.gold_retrieved
    return None if found is None else "hit" if found else "miss"


def _orders(runs: Sequence[ReportRun]) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        if len({answer.order for answer in run.answers}) > 1:
            s = summarise_permutations(run.answers)
            rows.append((
                same(run.title), same(f"{s.consistent} / {s.questions}"),
                NOTHING if s.consistency is None else same(percent(s.consistency)),
                NOTHING if s.averaged is None else s.averaged,
            ))  # fmt: skip
    if not rows:
        return None
    return Table(
        "consistency",
        Said("The same choice in every order", "順序を変えても同じ選択肢を選ぶか"),
        (RUN, Said("questions", "問題数"), Said("consistency", "一貫率"),
         Said("accuracy of the averaged answer", "平均した確率による正答率")),
        tuple(rows),
    )  # fmt: skip


def _votes(runs: Sequence[ReportRun]) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        if any(answer.repeat for answer in run.answers):
            s = summarise_votes(run.answers)
            rows.append((
                same(run.title), same(str(s.samples)), s.accuracy,
                same(", ".join(percent(one.value) for one in s.by_sample)),
                same(percent(s.agreement)), same(str(s.undecided)),
                same(", ".join(f"{p.k}: {percent(p.accuracy)}" for p in votes_curve(run.answers))),
            ))  # fmt: skip
    if not rows:
        return None
    return Table(
        "votes",
        Said("Majority of several samples", "複数サンプルの多数決"),
        (RUN, Said("samples", "サンプル数"), Said("accuracy of the majority", "多数決の正答率"),
         Said("each sample alone", "各サンプル"), Said("agreement", "一致率"), Said("undecided", "回答なし"),
         Said("vote of k prompts", "k 回の多数決")),
        tuple(rows),
        Said("The vote of k prompts: expected over all choices of k of them, ties shared.",
             "k 回の多数決：すべての選び方についての期待値（同点は分け合う）。"),
    )  # fmt: skip


def _forced(runs: Sequence[ReportRun]) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        forced = sum(entry.forced_outcome is not None for entry in run.entries)
        if forced:
            answers = [entry.forced_outcome or entry.answer for entry in run.entries]
            rows.append((same(run.title), same(str(forced)), accuracy_of(answers)))
    if not rows:
        return None
    return Table(
        "forced",
        Said("If texts without an answer are made to give one", "回答のない出力に回答を強制した場合"),
        (RUN, Said("forced answers", "強制した数"), Said("accuracy with them", "その場合の正答率")),
        tuple(rows),
        Said("Not the accuracy of the run: that counts no forced answer.",
             "実行の正答率ではない（強制した回答は数えない）。"),
    )  # fmt: skip
