"""The claims of a report, each in one sentence with its evidence, and the one that heads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lawqa.amounts import counted, percent
from lawqa.report.content import Report, ReportRun, RunPair
from lawqa.report.note_words import note_phrase
from lawqa.report.phrase import Phrase
from lawqa.report.words import evidence_phrase, power_phrase, rule_phrase
from lawqa.scoring.comparisons import Judged
from lawqa.scoring.comparisons.multiple import signed

ClaimKind = Literal["better", "worse", "none", "void", "one"]
"""void: a difference says nothing about new questions; one: there is one run, so nothing is compared."""

VOID = ("LEAK", "UNKNOWN TRAINING")
_NOT_HELD_OUT = (*VOID, "CHOSEN BY")


@dataclass(frozen=True)
class Claim:
    """What can be claimed."""

    kind: ClaimKind
    """Which way it goes."""
    text: Phrase
    """One sentence with its evidence."""


def claims_of(report: Report) -> tuple[Claim, ...]:
    """Return what can be claimed: of one run alone, or of each against the base, the firmest first."""
    if not report.pairs:
        return (_alone(report.base),)
    made = [_of_pair(report, pair) for pair in report.pairs]
    rank = {"better": 0, "worse": 1, "none": 2, "void": 3}
    return tuple(sorted(made, key=lambda claim: rank[claim.kind]))


def headline(report: Report) -> Claim:
    """Return the one sentence of the first screen; several claims are counted in it."""
    claims = claims_of(report)
    if len(claims) == 1:
        return claims[0]
    significant = [claim for claim in claims if claim.kind in ("better", "worse")]
    void = sum(claim.kind == "void" for claim in claims)
    left = len(claims) - void
    if not left:
        return Claim("void", Phrase(
            f"No claim about new questions can be made for any of the {counted(void, 'run')} compared.",
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
    best = _best(report)
    kinds = {claim.kind for claim in significant}
    are = "is" if len(significant) == 1 else "are"
    return Claim(kinds.pop() if len(kinds) == 1 else "none", Phrase(
        f"{len(significant)} of {left} differences {are} more than luck (Holm-corrected){aside.en}"
        + (f": {best.en}." if len(significant) == 1 else f"; the largest: {best.en}."),
        f"比べた {left} 件の差のうち {len(significant)} 件は偶然とは言えない（Holm 補正）{aside.ja}。"
        + (f"{best.ja}。" if len(significant) == 1 else f"最も大きいのは、{best.ja}。"),
    ))  # fmt: skip


def _best(report: Report) -> Phrase:
    """Return the largest gain that is more than luck, or the largest loss where there is no gain, with
    both runs named.
    """
    significant = [
        (pair.judged.comparison.difference, pair) for pair in report.pairs
        if pair.judged is not None and pair.judged.significant
        and not any(has_note(report.run(one), *VOID) for one in (pair.base, pair.other))
    ]  # fmt: skip
    largest, pair = max(significant, key=lambda one: (one[0] > 0, abs(one[0])))
    other, base = report.run(pair.other), report.run(pair.base)
    called, against = _called(other, base), _called(base, other)
    points = f"{abs(100 * largest):.1f}"
    return Phrase(
        f"{called.en} is {points} points {'better' if largest > 0 else 'worse'} than {against.en}",
        f"{called.ja}は{against.ja}より {points} ポイント{'良い' if largest > 0 else '悪い'}",
    )


def _alone(run: ReportRun) -> Claim:
    summary = run.summary
    a, floor = summary.final.accuracy, max(summary.floors.chance, summary.floors.constant)
    name, interval = _name(run), f"{percent(a.interval.low)} – {percent(a.interval.high)}"
    by = rule_phrase(summary.final.name) if summary.final.by != "plain" else Phrase("", "")
    if by.en:
        name = Phrase(f"{name.en}, by {by.en},", f"{name.ja}（{by.ja}）")
    if has_note(run, *VOID):
        return Claim("void", Phrase(
            f"No claim about new questions can be made: {_void_reason(run).en} "
            f"(on these questions {name.en} answers {percent(a.value)} rightly).",
            f"新しい問題については何も主張できない：{_void_reason(run).ja}"
            f"（この問題での {name.ja}の正答率は {percent(a.value)}）。",
        ))  # fmt: skip
    above = a.interval.low > floor
    return Claim("one", Phrase(
        f"{name.en} answers {percent(a.value)} of {a.asked} rightly (95% interval {interval}), "
        + (f"above the {percent(floor)} of one letter always." if above else
           f"which is not clear of the {percent(floor)} that one letter always would reach."),
        f"{name.ja}の正答率は {a.asked} 問で {percent(a.value)}（95% 区間 {interval}）。"
        + (f"いつも同じ記号を答えた場合の {percent(floor)} を上回る。" if above else
           f"いつも同じ記号を答えた場合の {percent(floor)} を上回るとは言えない。"),
    ))  # fmt: skip


def _of_pair(report: Report, pair: RunPair) -> Claim:
    """Return the claim on a pair, with whose adapter has read statutes."""
    claim = _judged_pair(report, pair)
    both = (report.run(pair.base), report.run(pair.other))
    have_read = [run.id for run in both if has_note(run, "STATUTES READ")]
    if not have_read:
        return claim
    return Claim(claim.kind, Phrase(
        f"{claim.text.en} The adapter of {' and '.join(have_read)} has read statutes as text.",
        f"{claim.text.ja}なお、{'、'.join(have_read)} のアダプタは条文を文章として学習している。",
    ))  # fmt: skip


def _judged_pair(report: Report, pair: RunPair) -> Claim:
    base, other = report.run(pair.base), report.run(pair.other)
    called, against = _called(other, base), _called(base, other)
    if pair.judged is None:
        return Claim("void", Phrase(
            f"{_first(called.en)} cannot be compared with {against.en}: {pair.problem}.",
            f"{called.ja}と{against.ja}は比較できない：{note_phrase(pair.problem).ja}",
        ))  # fmt: skip
    c = pair.judged.comparison
    line = _difference(pair.judged, other, base)
    void = next((run for run in (other, base) if has_note(run, *VOID)), None)
    if void is not None:
        return Claim("void", Phrase(
            f"No claim about new questions can be made: {_void_reason(void).en} (on these "
            f"{counted(c.questions, 'question')} {line.en}).",
            f"新しい問題については何も主張できない：{_void_reason(void).ja}（この {c.questions} 問では"
            f" {line.ja}）。",
        ))  # fmt: skip
    evidence = evidence_phrase(pair.judged)
    if not pair.judged.significant:
        reach = power_phrase(pair.judged)
        return Claim("none", Phrase(
            f"{line.en}, may be luck: no difference between {called.en} and {against.en} can be claimed on "
            f"{counted(c.questions, 'question')} ({evidence.en}). {reach.en}",
            f"{line.ja}。{called.ja}と{against.ja}に差があるとは言えない（{c.questions} 問、{evidence.ja}）。"
            f"{reach.ja}",
        ))  # fmt: skip
    fresh = other.adapter and not has_note(other, *_NOT_HELD_OUT)
    held_out = Phrase("held-out ", "学習に使っていない ") if fresh else Phrase("", "")
    better = c.difference > 0
    return Claim("better" if better else "worse", Phrase(
        f"{line.en}, more than luck: {called.en} is {'better' if better else 'worse'} than {against.en} on "
        f"{c.questions} {held_out.en}questions ({evidence.en}).",
        f"{line.ja}。偶然とは言えない：{called.ja}は{against.ja}より、{held_out.ja}{c.questions} 問で"
        f"{'良い' if better else '悪い'}（{evidence.ja}）。",
    ))  # fmt: skip


def _difference(judged: Judged, other: ReportRun, base: ReportRun) -> Phrase:
    """Return `NAME - BASE: +50.0 points, higher`, as `lawqa compare` has it."""
    d = judged.comparison.difference
    way = ("higher", "高い") if d > 0 else ("lower", "低い") if d < 0 else ("equal", "同じ")
    named = f"{other.name} - {base.name}"
    return Phrase(
        f"{named}: {signed(d)} points, {way[0]}", f"{named}: {signed(d)} ポイント（{way[1]}）"
    )


def _called(run: ReportRun, beside: ReportRun) -> Phrase:
    """Return what sentences call a run beside another."""
    if run.adapter and not beside.adapter:
        return Phrase(
            f"adapter {_last(run.adapter)} ({run.id})", f"アダプタ {_last(run.adapter)}（{run.id}）"
        )
    if beside.adapter and not run.adapter:
        return Phrase(f"the base model ({run.id})", f"元のモデル（{run.id}）")
    return _name(run)


def _first(called: str) -> str:
    """Return the same at the beginning of a sentence; a run's own name stays as it is."""
    return f"A{called[1:]}" if called.startswith("adapter ") else called


def _name(run: ReportRun) -> Phrase:
    return Phrase(f"{run.name} ({run.id})", f"{run.name}（{run.id}）")


def _last(path: str) -> str:
    """Return the distinctive end of an adapter's path; many are called `adapter`."""
    parts = [part for part in path.replace("\\", "/").split("/") if part]
    return (
        "/".join(parts[-2:]) if parts and parts[-1] in ("adapter", "out") else (parts or [path])[-1]
    )


def has_note(run: ReportRun, *kinds: str) -> bool:
    """Return whether a run carries a note of one of these kinds."""
    return any(note.startswith(kinds) for note in run.notes)


def _void_reason(run: ReportRun) -> Phrase:
    if has_note(run, "LEAK IN THE INDEX"):
        return Phrase(
            f"the index of {run.id} gives away questions that it was asked",
            f"{run.id} の索引に、評価した問題が入っている",
        )
    if has_note(run, "LEAK"):
        return Phrase(
            f"{run.id} was asked questions that its adapter was trained on",
            f"{run.id} のアダプタは、評価した問題で学習している",
        )
    return Phrase(
        f"nothing is known about what the adapter of {run.id} was trained on",
        f"{run.id} のアダプタが何を学習したかわからない",
    )
