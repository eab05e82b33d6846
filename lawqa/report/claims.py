"""The claim of a report in one sentence with its evidence, and everything that must be read before it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lawqa.report.content import Report, ReportRun, RunPair
from lawqa.report.figures import percent
from lawqa.report.words import (
    Phrase,
    evidence_phrase,
    note_phrase,
    power_phrase,
    rule_phrase,
)
from lawqa.scoring import Judged
from lawqa.scoring.comparisons.multiple import signed

ClaimKind = Literal["better", "worse", "none", "void", "one"]
"""void: a difference says nothing about new questions; one: there is one run, so nothing is compared."""

_VOID = ("LEAK", "UNKNOWN TRAINING")
_NOT_HELD_OUT = (*_VOID, "CHOSEN BY")


@dataclass(frozen=True)
class Claim:
    """What can be claimed."""

    kind: ClaimKind
    """Which way it goes."""
    text: Phrase
    """One sentence with its evidence."""


@dataclass(frozen=True)
class Caution:
    """Something that must be read before the figures."""

    severe: bool
    """Whether it takes the claim away or may turn it round."""
    where: str
    """The run's id; empty for all."""
    text: Phrase
    """What it is."""


def claims_of(report: Report) -> tuple[Claim, ...]:
    """What can be claimed: of one run alone, or of each against the base, the firmest first."""
    if not report.pairs:
        return (_alone(report.base),)
    made = [_of_pair(report, pair) for pair in report.pairs]
    rank = {"better": 0, "worse": 1, "none": 2, "void": 3}
    return tuple(sorted(made, key=lambda claim: rank[claim.kind]))


def headline(report: Report) -> Claim:
    """The one sentence of the first screen; several claims are counted in it."""
    claims = claims_of(report)
    if len(claims) == 1:
        return claims[0]
    significant = [claim for claim in claims if claim.kind in ("better", "worse")]
    void = sum(claim.kind == "void" for claim in claims)
    left = len(claims) - void
    if not left:
        return Claim("void", Phrase(
            f"No claim about new questions can be made for any of the {void} runs compared.",
            f"比較した {void} 件のいずれについても、新しい問題については何も主張できない。",
        ))  # fmt: skip
    aside = Phrase(
        f"; {void} more cannot be judged" if void else "",
        f"（ほかに判断できないものが {void} 件）" if void else "",
    )
    if not significant:
        return Claim("none", Phrase(
            f"No difference can be claimed in {left} comparisons (Holm-corrected){aside.en}.",
            f"{left} 件の比較のいずれでも、差があるとは言えない（Holm 補正）{aside.ja}。",
        ))  # fmt: skip
    kinds = {claim.kind for claim in significant}
    stand = "stands" if len(significant) == 1 else "stand"
    return Claim(kinds.pop() if len(kinds) == 1 else "none", Phrase(
        f"{len(significant)} of {left} differences {stand} (Holm-corrected){aside.en}.",
        f"比べた {left} 件の差のうち {len(significant)} 件は偶然とは言えない（Holm 補正）{aside.ja}。",
    ))  # fmt: skip


def cautions_of(report: Report) -> tuple[Caution, ...]:
    """Everything that must be read first, what takes a claim away before the rest."""
    found = [caution for run in report.runs for caution in _of_run(run)]
    found += [caution for pair in report.pairs for caution in _of_comparison(pair)]
    return tuple(sorted(found, key=lambda caution: not caution.severe))


def _alone(run: ReportRun) -> Claim:
    summary = run.summary
    a, floor = summary.final.accuracy, max(summary.floors.chance, summary.floors.constant)
    name, interval = _name(run), f"{percent(a.interval.low)} – {percent(a.interval.high)}"
    by = rule_phrase(summary.final.name) if summary.final.by != "plain" else Phrase("", "")
    if by.en:
        name = Phrase(f"{name.en}, by {by.en},", f"{name.ja}（{by.ja}）")
    if _has(run, *_VOID):
        return Claim("void", Phrase(
            f"No claim about new questions can be made: {_void_reason(run).en} "
            f"(on these questions {name.en} answers {percent(a.value)} rightly).",
            f"新しい問題については何も主張できない：{_void_reason(run).ja}"
            f"（この問題での {name.ja}の正答率は {percent(a.value)}）。",
        ))  # fmt: skip
    above = a.interval.low > floor
    return Claim("one", Phrase(
        f"{name.en} answers {percent(a.value)} of {a.asked} rightly (95 % interval {interval}), "
        + (f"above the {percent(floor)} of one letter always." if above else
           f"which is not clear of the {percent(floor)} that one letter always would reach."),
        f"{name.ja}の正答率は {a.asked} 問で {percent(a.value)}（95 % 区間 {interval}）。"
        + (f"いつも同じ記号を答えた場合の {percent(floor)} を上回る。" if above else
           f"いつも同じ記号を答えた場合の {percent(floor)} を上回るとは言えない。"),
    ))  # fmt: skip


def _of_pair(report: Report, pair: RunPair) -> Claim:
    base, other = report.run(pair.base), report.run(pair.other)
    called, against = _called(other, base), _called(base, other)
    if pair.judged is None:
        return Claim("void", Phrase(
            f"{_first(called.en)} cannot be compared with {against.en}: {pair.problem}.",
            f"{called.ja}と{against.ja}は比較できない：{pair.problem}",
        ))  # fmt: skip
    c = pair.judged.comparison
    line = _difference(pair.judged, other, base)
    void = next((run for run in (other, base) if _has(run, *_VOID)), None)
    if void is not None:
        return Claim("void", Phrase(
            f"No claim about new questions can be made: {_void_reason(void).en} (on these "
            f"{c.questions} questions {line.en}).",
            f"新しい問題については何も主張できない：{_void_reason(void).ja}（この {c.questions} 問では"
            f" {line.ja}）。",
        ))  # fmt: skip
    evidence = evidence_phrase(pair.judged)
    if not pair.judged.stands:
        reach = power_phrase(pair.judged)
        return Claim("none", Phrase(
            f"{line.en}, may be luck: no difference between {called.en} and {against.en} can be claimed on "
            f"{c.questions} questions ({evidence.en}). {reach.en}",
            f"{line.ja}。{called.ja}と{against.ja}に差があるとは言えない（{c.questions} 問、{evidence.ja}）。"
            f"{reach.ja}",
        ))  # fmt: skip
    fresh = other.adapter and not _has(other, *_NOT_HELD_OUT)
    held_out = Phrase("held-out ", "学習に使っていない ") if fresh else Phrase("", "")
    better = c.difference > 0
    return Claim("better" if better else "worse", Phrase(
        f"{line.en}, more than luck: {called.en} is {'better' if better else 'worse'} than {against.en} on "
        f"{c.questions} {held_out.en}questions ({evidence.en}).",
        f"{line.ja}。偶然とは言えない：{called.ja}は{against.ja}より、{held_out.ja}{c.questions} 問で"
        f"{'良い' if better else '悪い'}（{evidence.ja}）。",
    ))  # fmt: skip


def _difference(judged: Judged, other: ReportRun, base: ReportRun) -> Phrase:
    """`NAME - BASE: +50.0 points, higher`, as `lawqa compare` has it."""
    d = judged.comparison.difference
    way = ("higher", "高い") if d > 0 else ("lower", "低い") if d < 0 else ("equal", "同じ")
    named = f"{other.name} - {base.name}"
    return Phrase(
        f"{named}: {signed(d)} points, {way[0]}", f"{named}: {signed(d)} ポイント（{way[1]}）"
    )


def _of_run(run: ReportRun) -> list[Caution]:
    found = [Caution(note.startswith(_VOID), run.id, note_phrase(note)) for note in run.notes]
    summary, asked = run.summary, run.summary.n
    if summary.collapse is not None:
        c = summary.collapse
        found.append(Caution(True, run.id, Phrase(
            f"COLLAPSE: {c.sentence}",
            f"回答の偏り：回答の {100 * c.predicted_share:.0f} % が {c.label}（正解では "
            f"{100 * c.gold_share:.0f} %）",
        )))  # fmt: skip
    mass = run.label_mass
    if mass is not None and mass.sentence and not _has(run, "LOW LABEL MASS"):
        found.append(Caution(True, run.id, Phrase(
            mass.sentence,
            f"記号の確率が低い：採点した {mass.scored} 件のうち {mass.low} 件で、a〜d 全体の確率が "
            f"{mass.threshold:g} 未満（中央値 {mass.median:.2g}、最小 {mass.lowest:.2g}）。モデルは記号以外を"
            "書こうとしていた（--answer-by generate なら書いた文を読む）",
        )))  # fmt: skip
    failed, truncated, unparsed = (
        summary.outcomes[outcome] for outcome in ("failed", "truncated", "unparsed")
    )
    parts = (
        (failed, Phrase("FAILED", "実行失敗")),
        (truncated, Phrase("CUT OFF before an answer", "答える前に上限に達した")),
        (unparsed, Phrase("NO ANSWER committed to", "どの選択肢も選んでいない")),
    )
    counted = [(n, said) for n, said in parts if n]
    if counted:
        english = ", ".join(f"{said.en}: {n}" for n, said in counted)
        japanese = "、".join(f"{said.ja} {n} 件" for n, said in counted)
        found.append(Caution(bool(failed), run.id, Phrase(
            f"{english} of {asked}; they count as not right",
            f"{asked} 件のうち {japanese}（正解でないものとして数える）",
        )))  # fmt: skip
    if run.reread:
        found.append(Caution(False, run.id, Phrase(
            f"READ AGAIN: today's parser reads {run.reread} of {asked} stored answers differently "
            "from when they were stored",
            f"読み直し：保存時と読みが変わった回答が {asked} 件のうち {run.reread} 件ある",
        )))  # fmt: skip
    return found


def _of_comparison(pair: RunPair) -> list[Caution]:
    found, base, c = [], pair.base, pair.comparison
    if c is None:
        return [Caution(True, pair.other, Phrase(
            f"NOT COMPARABLE with {base}: {pair.problem}", f"{base} と比較できない：{pair.problem}",
        ))]  # fmt: skip
    if c.left_out_base or c.left_out_other:
        found.append(Caution(True, pair.other, Phrase(
            f"DIFFERENT DATA: compared on the {c.questions} questions that both were asked; {base} was asked "
            f"{c.left_out_base} others, {pair.other} {c.left_out_other}",
            f"データが違う：両方に出題した {c.questions} 問で比較した（{base} だけ {c.left_out_base} 件、"
            f"{pair.other} だけ {c.left_out_other} 件）",
        )))  # fmt: skip
    if pair.reworded:
        found.append(Caution(True, pair.other, Phrase(
            f"DIFFERENT DATA: {pair.reworded} shared questions are not worded as in {base}",
            f"データが違う：共通の問題のうち {pair.reworded} 問は文面が {base} と違う",
        )))  # fmt: skip
    if pair.repeats or pair.base_repeats:
        ids = ", ".join((pair.other, *pair.repeats) if pair.repeats else (base, *pair.base_repeats))
        found.append(Caution(False, pair.other, Phrase(
            f"SEEDS: {ids} are repeats of one run and are compared together",
            f"シード：{ids} は同じ実行のくり返しとして、まとめて比較した",
        )))  # fmt: skip
    if pair.differs:
        named = "; ".join(pair.differs)
        found.append(Caution(False, pair.other, Phrase(
            f"NOT THE ADAPTER ALONE: {pair.other} also differs from {base} in {named}",
            f"アダプタ以外も違う：{pair.other} と {base} は次の設定も違う：{named}",
        )))  # fmt: skip
    return found


def _called(run: ReportRun, beside: ReportRun) -> Phrase:
    """What sentences call a run beside another."""
    if run.adapter and not beside.adapter:
        return Phrase(
            f"adapter {_last(run.adapter)} ({run.id})", f"アダプタ {_last(run.adapter)}（{run.id}）"
        )
    if beside.adapter and not run.adapter:
        return Phrase(f"the base model ({run.id})", f"元のモデル（{run.id}）")
    return _name(run)


def _first(called: str) -> str:
    """The same at the beginning of a sentence; a run's own name stays as it is."""
    return f"A{called[1:]}" if called.startswith("adapter ") else called


def _name(run: ReportRun) -> Phrase:
    return Phrase(f"{run.name} ({run.id})", f"{run.name}（{run.id}）")


def _last(path: str) -> str:
    """The distinctive end of an adapter's path; many are called `adapter`."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    return (
        "/".join(parts[-2:]) if parts and parts[-1] in ("adapter", "out") else (parts or [path])[-1]
    )


def _has(run: ReportRun, *kinds: str) -> bool:
    return any(note.startswith(kinds) for note in run.notes)


def _void_reason(run: ReportRun) -> Phrase:
    if _has(run, "LEAK IN THE INDEX"):
        return Phrase(
            f"the index of {run.id} gives away questions that it was asked",
            f"{run.id} の索引に、評価した問題が入っている",
        )
    if _has(run, "LEAK"):
        return Phrase(
            f"{run.id} was asked questions that its adapter was trained on",
            f"{run.id} のアダプタは、評価した問題で学習している",
        )
    return Phrase(
        f"nothing is known about what the adapter of {run.id} was trained on",
        f"{run.id} のアダプタが何を学習したかわからない",
    )
