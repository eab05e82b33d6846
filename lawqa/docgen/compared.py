"""The comparison of a log's runs, in Japanese: the sentences that were decided beforehand, and a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lawqa.commands.source import packaged_source
from lawqa.errors import tame
from lawqa.pipelines.comparing.comparison import Compared, compare_runs
from lawqa.report.grid.verdict import (
    VERDICT_NAMES,
    asked_way,
    side_of,
    verdict_sentence,
    void_reasons,
)
from lawqa.report.note_words import note_phrase
from lawqa.report.paired_figures import paired_figures
from lawqa.report.phrase import Phrase
from lawqa.report.table import Table, pipes_escaped, render_markdown
from lawqa.runs.manifest import MANIFEST, Manifest
from lawqa.runs.stored import short_names

_COLUMNS = (
    "比べたもの", "問題数", "正答率", "基準の正答率", "差（ポイント）", "差の区間",
    "両方 / 基準だけ / 比べた側だけ / どちらも不正解",
    "p（補正なし）", "p（Holm）", "有意になる最小の差", "80% で検出する真の差",
)  # fmt: skip


def compared_in_japanese(paths: Sequence[Path]) -> tuple[str, str]:
    """Compare all runs with the first one.

    Returns:
        The sentences of the verdict, and Markdown with everything that they rest on.

    Raises:
        LawqaError: the runs cannot be compared.
    """
    base, *others = paths
    comparison = compare_runs(base, others)
    names = {name: path for path, name in short_names(list(paths)).items()}
    manifests = {
        name: Manifest.read_if_there(path) if (path / MANIFEST).is_file() else None
        for name, path in names.items()
    }
    verdicts = [_verdict(comparison, name, manifests) for name in comparison.judged]
    notes = [f"- **{_noted(note)}**" for note in comparison.notes]
    rows = [_row(name, comparison, manifests) for name in comparison.judged]
    table = render_markdown(Table(_COLUMNS, rows), "ja", escape=pipes_escaped)
    parts = [
        f"基準：{_called(comparison.base, manifests)}",
        "\n".join(f"- {one}" for one in verdicts),
    ]
    parts += ["\n".join(notes)] if notes else []
    markdown = "\n\n".join([*parts, table])
    # Runs are named by their directories, which may be called anything.
    return " ".join(verdicts), tame(markdown.replace("<", "&lt;"))


def _called(name: str, manifests: Mapping[str, Manifest | None]) -> str:
    """Return a side of a comparison: what it is, or its name where several seeds make it up."""
    return side_of(manifests[name], name) if name in manifests else name


def _verdict(found: Compared, name: str, manifests: Mapping[str, Manifest | None]) -> str:
    judged = found.judged[name]
    summaries = [found.summaries[one] for one in (found.base, name) if one in found.summaries]
    reasons = void_reasons(
        [note.partition(": ")[2] for note in found.notes],
        judged.comparison,
        sum(summary.outcomes["failed"] for summary in summaries),
        max((summary.questions for summary in summaries), default=judged.comparison.questions),
    )
    base, other = manifests.get(found.base), manifests.get(name)
    usual = bool(base and other and not base.adapters and other.adapters)
    called = VERDICT_NAMES if usual else {
        "base": f"「{_called(found.base, manifests)}」",
        "other": f"「{_called(name, manifests)}」",
    }  # fmt: skip
    ways = [way for way in dict.fromkeys((asked_way(base), asked_way(other))) if way]
    return verdict_sentence(
        packaged_source().experiment,
        judged,
        way=" と ".join(ways) or "聞き方は不明",
        reasons=reasons,
        names=called,
    )


def _noted(note: str) -> str:
    """Return a note of a comparison, which begins with the run's name."""
    name, colon, rest = note.partition(": ")
    whole = note_phrase(note)
    return whole.ja if whole.ja != note or not colon else f"{name}：{note_phrase(rest).ja}"


def _row(
    name: str, found: Compared, manifests: Mapping[str, Manifest | None]
) -> tuple[str | Phrase, ...]:
    judged = found.judged[name]
    c, figures = judged.comparison, paired_figures(judged)
    interval = f"{100 * c.interval.low:+.1f} 〜 {100 * c.interval.high:+.1f}"
    return (
        _called(name, manifests),
        str(c.questions),
        f"{c.other.value:.1%}",
        f"{c.base.value:.1%}",
        figures.difference,
        interval,
        figures.contingency,
        figures.p_raw,
        figures.p_holm or "—",
        figures.significant_from or "—",
        figures.detectable or "—",
    )
