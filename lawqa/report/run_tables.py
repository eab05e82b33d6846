"""Tables of a report's runs: accuracy overall and by what is known, votes, orders, cost."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import mean, median
from typing import get_args

from lawqa.amounts import percent
from lawqa.report.content import Entry, Report, ReportRun
from lawqa.report.figures import constant_floor, lost_answers, ties_text, votes_curve_text
from lawqa.report.phrase import Phrase
from lawqa.report.table import Cell, Table, Text
from lawqa.report.words import WORDS, condition_phrase, rule_phrase
from lawqa.scoring import (
    ScoredAnswer,
    accuracy_of,
    order_name,
    summarise_permutations,
    summarise_votes,
    votes_curve,
)
from lawqa.settings import Condition

NOTHING = "–"
"""An empty cell."""
RUN = WORDS["run"]
"""The heading of a column of runs."""
Groups = dict[str, dict[str, list[ScoredAnswer]]]
"""Answers by group, then by the id of their run."""
_WHOLE_TITLES = 4
"""Runs whose names fit the heads of a table's columns."""
_GROUPS = {
    "hit": WORDS["hit"],
    "miss": WORDS["miss"],
    "context": Phrase("with context", "条文あり"),
    "no_context": Phrase("no context", "条文なし"),
    **{condition: condition_phrase(condition) for condition in get_args(Condition)},
}


def accuracy_tables(report: Report) -> tuple[Table, ...]:
    """Return the accuracy with intervals, overall and by everything that is known."""
    made = [
        _overall(report.runs),
        _grouped(
            report, "law", Phrase("By law", "法令別"), WORDS["law"], lambda a, _: a.law or "?"
        ),
        _grouped(
            report,
            "condition",
            Phrase("By condition", "条件別"),
            Phrase("condition", "条件"),
            lambda _, e: e.condition,
        ),
        _grouped(
            report,
            "retrieval",
            Phrase("By retrieval of a gold article", "正解条文の検索結果別"),
            Phrase("retrieval", "検索"),
            lambda a, _: _hit(a),
        ),
        _by_order(report),
        _orders(report.runs),
        _votes(report.runs),
        _forced(report.runs),
    ]
    return tuple(table for table in made if table is not None)


def _overall(runs: Sequence[ReportRun]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        s, final = run.summary, run.summary.final
        longest = s.floors.longest_choice
        single = "" if s.n == s.questions else f" ({s.accuracy.correct} / {s.n})"
        rows.append(
            (
                run.title,
                rule_phrase(final.name),
                final.accuracy,
                f"{final.accuracy.correct} / {final.accuracy.asked}",
                f"{percent(s.accuracy.value)}{single}",
                ties_text(s),
                lost_answers(s),
                percent(s.floors.chance),
                constant_floor(s),
                NOTHING if longest is None else percent(longest),
            )
        )
    return Table(
        id="overall",
        title=Phrase("Accuracy with its 95% interval", "正答率と 95% 区間"),
        columns=(
            RUN,
            Phrase("final answer", "最終の回答"),
            Phrase("accuracy", "正答率"),
            Phrase("right / asked", "正解 / 出題"),
            Phrase("single prompts", "各プロンプト"),
            Phrase("ties (accuracy if shared)", "同点（分け合った場合の正答率）"),
            Phrase("no answer / cut off / failed", "回答なし／途中で切れた／失敗"),
            Phrase("floor: guessing", "下限：あてずっぽう"),
            Phrase("floor: one letter", "下限：同じ記号"),
            Phrase("floor: longest choice", "下限：最長の選択肢"),
        ),
        rows=tuple(rows),
        note=Phrase(
            "Right final answers among all questions asked; failed, truncated and unparsed answers "
            "are not right. Ties are broken by the summed log-probability, else drawn by the "
            "question's id.",
            "正答率は、出題したすべての問題に対する最終の回答の正解の割合（失敗・途中切れ・回答なしは正解に数えない）。"
            "同点は対数確率の和、なければ問題の ID による抽選で決める。",
        ),
    )


def _grouped(
    report: Report,
    name: str,
    title: Phrase,
    heading: Text,
    group: Callable[[ScoredAnswer, Entry], str | None],
) -> Table | None:
    """Return what each run is judged by, its final answers, in the groups that a question belongs to.

    The group is that of the judged answer and of the first prompt of its question.
    """
    groups: Groups = {}
    for run in report.runs:
        first: dict[str, int] = {}
        for place, prompt in enumerate(run.answers):
            first.setdefault(prompt.question_id, place)
        for answer in run.judged:
            key = group(answer, run.entries[first[answer.question_id]])
            if key is not None:
                groups.setdefault(key, {}).setdefault(run.id, []).append(answer)
    return _group_table(report, name, title, heading, groups) if groups else None


def _by_order(report: Report) -> Table | None:
    """Single prompts by the order of their choices; None where there is one order."""
    groups: Groups = {}
    for run in report.runs:
        for answer in run.answers:
            groups.setdefault(order_name(answer.order), {}).setdefault(run.id, []).append(answer)
    title = Phrase("By order of the choices, single prompts", "選択肢の順序別（各プロンプト）")
    heading = Phrase("order", "順序")
    return _group_table(report, "order", title, heading, groups) if len(groups) > 1 else None


def _group_table(report: Report, name: str, title: Phrase, heading: Text, groups: Groups) -> Table:
    rows = []
    for key in sorted(groups):
        row: list[Cell] = [_GROUPS.get(key, key)]
        for run in report.runs:
            answers = groups[key].get(run.id)
            row.append(accuracy_of(answers) if answers else NOTHING)
        rows.append(tuple(row))
    return Table(id=name, title=title, columns=(heading, *_heads(report.runs)), rows=tuple(rows))


def _heads(runs: Sequence[ReportRun]) -> list[str]:
    """Return the heads of columns of runs: of many runs their ids, which the list of runs explains."""
    return [run.title if len(runs) <= _WHOLE_TITLES else run.id for run in runs]


def _hit(answer: ScoredAnswer) -> str | None:
    hit = answer.gold_retrieved
    return None if hit is None else "hit" if hit else "miss"


def _orders(runs: Sequence[ReportRun]) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        if len({answer.order for answer in run.answers}) > 1:
            s = summarise_permutations(run.answers)
            rows.append(
                (
                    run.title,
                    f"{s.consistent} / {s.questions}",
                    NOTHING if s.consistency is None else percent(s.consistency),
                    NOTHING if s.averaged is None else s.averaged,
                )
            )
    if not rows:
        return None
    return Table(
        id="consistency",
        title=Phrase("The same choice in every order", "順序を変えても同じ選択肢を選ぶか"),
        columns=(
            RUN,
            Phrase("questions", "問題数"),
            Phrase("consistency", "一貫率"),
            Phrase("accuracy of the averaged answer", "平均した確率による正答率"),
        ),
        rows=tuple(rows),
    )


def _votes(runs: Sequence[ReportRun]) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        if any(answer.repeat for answer in run.answers):
            s = summarise_votes(run.answers)
            rows.append(
                (
                    run.title,
                    str(s.samples),
                    s.accuracy,
                    ", ".join(percent(one.value) for one in s.by_sample),
                    percent(s.agreement),
                    str(s.undecided),
                    votes_curve_text(votes_curve(run.answers)),
                )
            )
    if not rows:
        return None
    return Table(
        id="votes",
        title=Phrase("Majority of several samples", "複数サンプルの多数決"),
        columns=(
            RUN,
            Phrase("samples", "サンプル数"),
            Phrase("accuracy of the majority", "多数決の正答率"),
            Phrase("each sample alone", "各サンプル"),
            Phrase("agreement", "一致率"),
            Phrase("undecided", "回答なし"),
            Phrase("vote of k prompts", "k 回の多数決"),
        ),
        rows=tuple(rows),
        note=Phrase(
            "The vote of k prompts: expected over all choices of k of them, ties shared.",
            "k 回の多数決：すべての選び方についての期待値（同点は分け合う）。",
        ),
    )


def _forced(runs: Sequence[ReportRun]) -> Table | None:
    rows: list[tuple[Cell, ...]] = []
    for run in runs:
        forced = sum(entry.forced_outcome is not None for entry in run.entries)
        if forced:
            answers = [entry.forced_outcome or entry.answer for entry in run.entries]
            rows.append((run.title, str(forced), accuracy_of(answers)))
    if not rows:
        return None
    return Table(
        id="forced",
        title=Phrase(
            "If an answer is forced for texts without one", "回答のない出力に回答を強制した場合"
        ),
        columns=(
            RUN,
            Phrase("forced answers", "強制した数"),
            Phrase("accuracy with them", "その場合の正答率"),
        ),
        rows=tuple(rows),
        note=Phrase(
            "Not the accuracy of the run: that counts no forced answer.",
            "実行の正答率ではない（強制した回答は数えない）。",
        ),
    )


def cost_table(runs: Sequence[ReportRun]) -> Table:
    """Return the speed, tokens and memory."""
    return Table(
        id="cost",
        title=Phrase("Speed, tokens and memory", "速度・トークン数・メモリ"),
        columns=(
            RUN,
            Phrase("seconds, whole run", "全体の秒数"),
            Phrase("seconds an answer (median)", "1 件の秒数（中央値）"),
            Phrase("prompt tokens, mean / most", "プロンプトのトークン数（平均／最大）"),
            Phrase("generated tokens, mean / all", "出力トークン数（平均／合計）"),
            Phrase("peak memory", "最大メモリ"),
            Phrase("machine", "計算機"),
        ),
        rows=tuple(_cost(run) for run in runs),
    )


def _cost(run: ReportRun) -> tuple[Cell, ...]:
    manifest = run.manifest
    figures, model = (manifest.figures, manifest.model) if manifest else ({}, {})
    seconds, prompts, texts = list[float](), list[int](), list[int]()
    for entry in run.entries:
        result = entry.result
        seconds += [] if result.seconds is None else [result.seconds]
        prompts += [result.prompt_tokens] if result.prompt_tokens else []
        texts += [] if result.completion_tokens is None else [result.completion_tokens]
    peak = figures.get("peak_memory_gib") or model.get("peak_memory_gib")
    whole = figures.get("seconds")
    return (
        run.title,
        f"{whole:,.1f}" if isinstance(whole, (int, float)) else NOTHING,
        f"{median(seconds):.3f}" if any(seconds) else NOTHING,
        f"{mean(prompts):,.0f} / {max(prompts):,}" if prompts else NOTHING,
        f"{mean(texts):,.0f} / {sum(texts):,}" if texts else NOTHING,
        f"{peak} GiB" if peak else NOTHING,
        _machine(manifest.environment if manifest else {}),
    )


def _section(content: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return an object inside a manifest; empty where it has none."""
    section = content.get(name)
    return section if isinstance(section, Mapping) else {}


def _machine(environment: Mapping[str, object]) -> str:
    device = _section(environment, "accelerator")
    if device.get("type") == "cuda":
        mig = f", MIG {device['mig_profile']}" if device.get("mig_profile") else ""
        return f"{device.get('name')}, {device.get('memory_gib')} GiB{mig}"
    return "CPU" if environment else NOTHING
