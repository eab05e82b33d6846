"""Everything that must be read before the figures of a report, folded by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lawqa.amounts import counted, percent
from lawqa.report.claims import VOID, has_note
from lawqa.report.content import Report, ReportRun, RunPair
from lawqa.report.note_words import cause_phrase, note_phrase
from lawqa.report.phrase import Phrase


@dataclass(frozen=True)
class Caution:
    """Something that must be read before the figures."""

    severe: bool
    """Whether it takes the claim away or may turn it round."""
    where: str
    """The run's id; empty for all."""
    text: Phrase


@dataclass(frozen=True)
class CautionKind:
    """Cautions of one kind."""

    severe: bool
    """Whether one of them takes a claim away or may turn it round."""
    name: Phrase
    """What they have in common; the whole text where there is one."""
    cautions: tuple[Caution, ...]

    @property
    def where(self) -> str:
        """The ids of the runs concerned, each once, neighbours as a range."""
        ids = dict.fromkeys(one.where for one in self.cautions if one.where)
        numbers = sorted(int(run_id.removeprefix("R")) for run_id in ids)
        ranges: list[list[int]] = []
        for number in numbers:
            if ranges and number == ranges[-1][-1] + 1:
                ranges[-1].append(number)
            else:
                ranges.append([number])
        return ", ".join(
            f"R{one[0]}–R{one[-1]}" if len(one) > 2 else ", ".join(f"R{n}" for n in one)
            for one in ranges
        )


def caution_kinds(cautions: Sequence[Caution]) -> tuple[CautionKind, ...]:
    """Fold cautions by kind: twenty runs give the same sentence twenty times.

    The kind is what a text says before its first colon; a text without one is a kind of its own.
    """
    kinds: dict[str, list[Caution]] = {}
    for caution in cautions:
        kinds.setdefault(caution.text.en.partition(":")[0], []).append(caution)
    return tuple(
        CautionKind(
            any(one.severe for one in same),
            Phrase(kind, same[0].text.ja.partition("：")[0]) if len(same) > 1 else same[0].text,
            tuple(same),
        )
        for kind, same in kinds.items()
    )


def cautions_of(report: Report) -> tuple[Caution, ...]:
    """Return everything that must be read first, what takes a claim away before the rest."""
    cautions = [caution for run in report.runs for caution in _of_run(run)]
    cautions += [caution for pair in report.pairs for caution in _of_comparison(pair)]
    return tuple(sorted(cautions, key=lambda caution: not caution.severe))


def _of_run(run: ReportRun) -> list[Caution]:
    cautions = [Caution(note.startswith(VOID), run.id, note_phrase(note)) for note in run.notes]
    summary, asked = run.summary, run.summary.n
    if summary.collapse is not None:
        c = summary.collapse
        cautions.append(Caution(True, run.id, Phrase(
            f"COLLAPSE: {c.sentence}",
            f"回答の偏り：回答の {percent(c.predicted_share, 0)} が {c.label}（正解では "
            f"{percent(c.gold_share, 0)}）",
        )))  # fmt: skip
    mass = run.label_mass
    if mass is not None and mass.sentence and not has_note(run, "LOW LABEL MASS"):
        cautions.append(Caution(True, run.id, Phrase(
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
    lost = [(n, said) for n, said in parts if n]
    if lost:
        english = ", ".join(f"{said.en}: {n}" for n, said in lost)
        japanese = "、".join(f"{said.ja}：{n} 件" for n, said in lost)
        cautions.append(Caution(bool(failed), run.id, Phrase(
            f"{english} of {asked}; they count as not right",
            f"{japanese}（{asked} 件のうち。正解でないものとして数える）",
        )))  # fmt: skip
    if run.reread:
        cautions.append(Caution(False, run.id, Phrase(
            f"READ AGAIN: today's parser reads {run.reread} of {asked} stored answers differently "
            "from when they were stored",
            f"読み直し：保存時と読みが変わった回答が {asked} 件のうち {run.reread} 件ある",
        )))  # fmt: skip
    return cautions


def _of_comparison(pair: RunPair) -> list[Caution]:
    cautions, base, c = [], pair.base, pair.comparison
    if c is None:
        return [Caution(True, pair.other, Phrase(
            f"NOT COMPARABLE with {base}: {pair.problem}", f"{base} "
            f"と比較できない：{note_phrase(pair.problem).ja}",
        ))]  # fmt: skip
    if not c.left_out_questions and (c.left_out_base or c.left_out_other):
        cautions.append(Caution(True, pair.other, Phrase(
            f"OTHER ORDERS OR SAMPLES: compared on the {counted(c.prompts, 'prompt')} that both were asked; "
            f"{base} was asked {c.left_out_base} others, {pair.other} {c.left_out_other}",
            f"並べ方・サンプルが違う：両方に出した {c.prompts} 件で比べた（{base} だけ {c.left_out_base} 件、"
            f"{pair.other} だけ {c.left_out_other} 件）",
        )))  # fmt: skip
    elif c.left_out_base or c.left_out_other:
        cautions.append(Caution(True, pair.other, Phrase(
            f"DIFFERENT DATA: compared on the {counted(c.questions, 'question')} that both were asked; "
            f"{base} was asked "
            f"{c.left_out_base} others, {pair.other} {c.left_out_other}",
            f"データが違う：両方に出題した {c.questions} 問で比較した（{base} だけ {c.left_out_base} 件、"
            f"{pair.other} だけ {c.left_out_other} 件）",
        )))  # fmt: skip
    if pair.reworded:
        cautions.append(Caution(True, pair.other, Phrase(
            f"DIFFERENT DATA: {counted(pair.reworded, 'shared question is', 'shared questions are')} "
            f"not worded as in {base}",
            f"データが違う：共通の問題のうち {pair.reworded} 問は文面が {base} と違う",
        )))  # fmt: skip
    if pair.repeats or pair.base_repeats:
        ids = ", ".join((pair.other, *pair.repeats) if pair.repeats else (base, *pair.base_repeats))
        cautions.append(Caution(False, pair.other, Phrase(
            f"SEEDS: {ids} are repeats of one run and are compared together",
            f"シード：{ids} は同じ実行のくり返しとして、まとめて比較した",
        )))  # fmt: skip
    if pair.differs:
        named = [cause_phrase(cause) for cause in pair.differs]
        cautions.append(Caution(False, pair.other, Phrase(
            f"NOT THE ADAPTER ALONE: {pair.other} also differs from {base} in "
            f"{'; '.join(one.en for one in named)}",
            f"アダプタ以外も違う：{pair.other} と {base} は次の設定も違う："
            f"{'、'.join(one.ja for one in named)}",
        )))  # fmt: skip
    return cautions
