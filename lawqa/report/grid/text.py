"""A summary as text and Markdown: verdict, grid, the differences judged, two plots in characters."""

from __future__ import annotations

from collections.abc import Sequence

from lawqa.amounts import counted, percent
from lawqa.report.grid.content import (
    WAY_WORDS,
    AgainstReference,
    GridContent,
    GridRow,
    GridRun,
)
from lawqa.report.note_words import cause_phrase, note_phrase
from lawqa.report.phrase import Phrase
from lawqa.report.table import Cell, Table, markdown_text, render_markdown, render_text, text_width
from lawqa.report.words import condition_phrase, rule_phrase
from lawqa.scoring.comparisons.multiple import p_text

NOT_MEASURED = Phrase("not measured yet", "まだ測っていない")
UNFINISHED = Phrase("unfinished", "途中")
WORDS = {
    "summary": Phrase("Summary", "まとめ"),
    "verdict": Phrase("Verdict", "判定"),
    "grid": Phrase(
        "Accuracy by way of asking, condition and side", "聞き方 × 条文 × base とアダプタの正答率"
    ),
    "significance": Phrase("Which differences are significant", "偶然と言えない差・言えない差"),
    "references": Phrase("Earlier figures of other runs", "研究室のこれまでの値（別の実行の値）"),
    "others": Phrase("Other runs", "ほかの実行"),
    "plots": Phrase("Plots", "図"),
    "accuracy_plot": Phrase(
        "Accuracy with its 95% interval; dotted: guessing, 25%",
        "正答率と 95% 区間（点線はでたらめに選んだ場合の 25%）",
    ),
    "difference_plot": Phrase(
        "Adapter less base in points, with the interval; dotted: no difference",
        "アダプタ − base（ポイント）と区間（点線は差なし）",
    ),
    "first": Phrase("Read this first", "先に読むこと"),
    "none": Phrase(
        "No base and adapter of the same way and condition are there to compare yet.",
        "同じ聞き方と条文の base とアダプタがまだそろっていないので、比べられない。",
    ),
}
_BAR = 40


def tables_of(grid: GridContent) -> tuple[Table, ...]:
    """Return the tables of a summary in their sequence; those without rows are left out."""
    tables = [_grid_table(grid.rows)]
    if grid.compared:
        tables.append(_significance_table(grid.compared))
    if grid.references:
        tables.append(_references_table(grid.references))
    if grid.others:
        tables.append(_others_table(grid.others))
    return tuple(tables)


def missing_of(grid: GridContent) -> Phrase | None:
    """Return a sentence on the cells without a run; None where every cell has one."""
    empty = [
        (row, side)
        for row in grid.rows
        for side, runs in (("base", row.base), ("adapter", row.adapter))
        if not runs
    ]
    if not empty:
        return None
    named = [f"{row.way}-{row.condition} ({side})" for row, side in empty]
    japanese = [
        f"{row.way}-{row.condition}（{'base' if side == 'base' else 'アダプタ'}）"
        for row, side in empty
    ]
    return Phrase(
        f"Not measured yet, {len(empty)} of {2 * len(grid.rows)} cells: {', '.join(named)}.",
        f"まだ測っていないもの（{2 * len(grid.rows)} のうち {len(empty)}）：{'、'.join(japanese)}。",
    )


def warnings_of(grid: GridContent) -> tuple[Phrase, ...]:
    """Return what must be read before the figures."""
    said = [Phrase(problem, f"読めない：{problem}") for problem in grid.problems]
    for row in grid.compared:
        name = f"{row.way}-{row.condition}"
        said += [Phrase(f"{name}: may not be judged", f"{name}：判定できない（{'、'.join(row.reasons)}）")
                 for _ in row.reasons[:1]]  # fmt: skip
        said += [
            Phrase(
                f"{name}: NOT THE ADAPTER ALONE: {'; '.join(row.differs)}",
                f"{name}：アダプタ以外も違う：{'、'.join(cause_phrase(one).ja for one in row.differs)}",
            )
            for _ in row.differs[:1]
        ]
    for run in (run for row in grid.rows for run in (*row.base, *row.adapter)):
        said += [
            Phrase(f"{run.name}: {note}", f"{run.name}：{note_phrase(note).ja}")
            for note in run.notes
        ]
    return tuple(said)


def grid_text(grid: GridContent, language: str = "en") -> str:
    """Return the summary for a terminal."""
    said = [f"! {phrase.in_(language)}" for phrase in warnings_of(grid)]
    parts = [grid.verdict.in_(language), "\n".join(said)] if said else [grid.verdict.in_(language)]
    for table in tables_of(grid):
        title = table.title.in_(language) if table.title else ""
        parts.append(f"{title}\n\n{render_text(table, language)}")
        if table.note:
            parts[-1] += f"\n{table.note.in_(language)}"
    missing = missing_of(grid)
    parts += [missing.in_(language)] if missing else []
    for name, drawing in character_plots(grid, language):
        parts.append(f"{WORDS[name].in_(language)}\n\n{drawing}")
    return "\n\n".join(parts) + "\n"


def grid_markdown(grid: GridContent, language: str = "en") -> str:
    """Return the summary as Markdown."""
    parts = [
        f"# {markdown_text(grid.title)}",
        f"## {WORDS['verdict'].in_(language)}",
        f"**{markdown_text(grid.verdict.in_(language))}**",
    ]
    said = warnings_of(grid)
    if said:
        parts.append(f"## {WORDS['first'].in_(language)}")
        parts.append("\n".join(f"- {markdown_text(phrase.in_(language))}" for phrase in said))
    parts += [render_markdown(table, language) for table in tables_of(grid)]
    missing = missing_of(grid)
    parts += [markdown_text(missing.in_(language))] if missing else []
    for name, drawing in character_plots(grid, language):
        parts.append(f"### {WORDS[name].in_(language)}\n\n```text\n{drawing}\n```")
    parts.append(f"lawqa {grid.version}, {grid.made}")
    return "\n\n".join(parts) + "\n"


def character_plots(grid: GridContent, language: str) -> tuple[tuple[str, str], ...]:
    """Return the two plots in characters, each with the name of its caption; none without a run."""
    shown = [
        (label(run).in_(language), a.value, a.interval.low, a.interval.high)
        for run in plotted(grid)
        for a in (run.accuracy,)
    ]
    plots = [("accuracy_plot", _drawn(shown, 0.0, 1.0, 0.25))] if shown else []
    differences = [
        (cell_name(row).in_(language), c.difference, c.interval.low, c.interval.high)
        for row in grid.compared
        if row.judged is not None and (c := row.judged.comparison)
    ]
    if differences:
        plots.append(("difference_plot", _drawn(differences, -1.0, 1.0, 0.0)))
    return tuple(plots)


def plotted(grid: GridContent) -> tuple[GridRun, ...]:
    """Return the runs of the cells, row by row, base before adapter."""
    return tuple(run for row in grid.rows for run in (*row.base, *row.adapter))


def label(run: GridRun) -> Phrase:
    """Return what a plot calls a run."""
    cell = cell_name(run)
    return Phrase(
        f"{cell.en} {'adapter' if run.adapter else 'base'}",
        f"{cell.ja} {'アダプタ' if run.adapter else 'base'}",
    )


def cell_name(cell: GridRow | GridRun) -> Phrase:
    """Return what a plot calls a way of asking with a condition; the tables have the whole words."""
    condition = condition_phrase(cell.condition, short=True)
    return Phrase(f"{cell.way}-{condition.en}", f"{cell.way}・{condition.ja}")


def _drawn(
    values: Sequence[tuple[str, float, float, float]], low: float, high: float, dotted: float
) -> str:
    """Return a line for each value: name, interval as a bar, the value as a mark."""

    def place(value: float) -> int:
        return round((min(max(value, low), high) - low) / (high - low) * _BAR)

    width = max(text_width(name) for name, *_ in values)
    lines = []
    for name, at, start, end in values:
        line = [":" if i == place(dotted) else " " for i in range(_BAR + 1)]
        line[place(start) : place(end) + 1] = "-" * (place(end) - place(start) + 1)
        line[place(at)] = "o"
        figure = f"{100 * at:+.1f}" if low < 0 else percent(at)
        lines.append(f"{name}{' ' * (width - text_width(name))}  |{''.join(line)}|  {figure}")
    return "\n".join(lines)


def _grid_table(rows: Sequence[GridRow]) -> Table:
    return Table(
        id="grid",
        title=WORDS["grid"],
        columns=(
            Phrase("way of asking", "聞き方"),
            Phrase("condition", "条文"),
            "base",
            Phrase("adapter", "アダプタ"),
            Phrase("difference in points", "差（ポイント）"),
        ),
        rows=[
            (
                _starred(WAY_WORDS[row.way], row.primary),
                condition_phrase(row.condition),
                _side(row.base),
                _side(row.adapter),
                _difference(row),
            )
            for row in rows
        ],
        note=Phrase(
            "★: the row that the experiment decides by. Accuracy with its 95% interval; n: questions. "
            "A cross-validated adapter answers no question that it learned from.",
            "★ は主実験の行。正答率と 95% 区間、n は問題数。交差検証したアダプタでは、どの問題にも、"
            "その問題を学習していないアダプタが答えている。",
        ),
    )


def _starred(phrase: Phrase, primary: bool) -> Phrase:
    return Phrase(f"★ {phrase.en}", f"★ {phrase.ja}") if primary else phrase


def _side(runs: Sequence[GridRun]) -> Cell:
    if not runs:
        return NOT_MEASURED
    first = runs[0]
    if not first.finished:
        return UNFINISHED
    if len(runs) == 1:
        return first.accuracy
    shown = ", ".join(percent(run.accuracy.value) for run in runs)
    return Phrase(f"{shown} ({counted(len(runs), 'seed')})", f"{shown}（{len(runs)} 回の学習）")


def _difference(row: GridRow) -> Cell:
    if row.judged is None:
        return "—"
    c = row.judged.comparison
    return f"{100 * c.difference:+.1f} ({100 * c.interval.low:+.1f} – {100 * c.interval.high:+.1f})"


def _significance_table(rows: Sequence[GridRow]) -> Table:
    return Table(
        id="significance",
        title=WORDS["significance"],
        columns=(
            Phrase("compared", "比べたもの"),
            Phrase("role", "主実験か探索か"),
            Phrase("difference in points", "差（ポイント）"),
            "p",
            Phrase("n", "問題数"),
            Phrase("result", "結果"),
            Phrase("significant from, points", "有意になる最小の差"),
            Phrase("detectable in 80%, points", "80% で検出する真の差"),
        ),
        rows=[_significance_row(row) for row in rows],
        note=Phrase(
            "Explorations are Holm-corrected for their number; the experiment's own comparison is judged by "
            'itself. "May be luck" does not mean that there is no difference.',
            "探索の差は、その数だけ Holm 補正してある。主実験の差は、それだけで判定する。"
            "「差があるとは言えない」は「差がない」という意味ではない。",
        ),
    )


def _significance_row(row: GridRow) -> tuple[Cell, ...]:
    judged = row.judged
    if judged is None:
        raise ValueError("a row without a comparison has no place here")
    c = judged.comparison
    bar, needed = c.significant_at(judged.level), c.detectable_at(judged.level)
    if row.reasons:
        result = Phrase("may not be judged", "判定できない")
    elif not judged.significant:
        result = Phrase("may be luck", "差があるとは言えない")
    else:
        up = c.difference > 0
        result = Phrase(
            f"{'higher' if up else 'lower'}, more than luck",
            f"アダプタが{'高い' if up else '低い'}（偶然とは言えない）",
        )
    how = row.adapter[0].how or f"{row.condition}・{row.way}"
    return (
        Phrase(f"{row.way}-{row.condition}: {rule_phrase(c.by_other).en}", how),
        Phrase("primary", "主実験") if row.primary else Phrase("exploration", "探索"),
        _difference(row),
        p_text(judged.p_holm).removeprefix("p ").removeprefix("= "),
        str(c.questions),
        result,
        "—" if bar is None else f"{100 * bar:.1f}",
        "—" if needed is None else f"{100 * needed:.1f}",
    )


def _references_table(references: Sequence[AgainstReference]) -> Table:
    return Table(
        id="references",
        title=WORDS["references"],
        columns=(
            Phrase("run", "実行"),
            Phrase("its accuracy", "正答率"),
            Phrase("earlier figure", "これまでの値"),
            Phrase("difference in points", "差（ポイント）"),
            Phrase("result", "結果"),
        ),
        rows=[
            (
                Phrase(
                    label(one.run).en, f"{'アダプタ' if one.run.adapter else 'base'}：{one.run.how}"
                ),
                one.run.accuracy,
                f"{one.reference}: {one.correct / one.asked:.1%} ({one.correct} / {one.asked})",
                f"{100 * one.difference:+.1f} ({100 * one.interval.low:+.1f} – "
                f"{100 * one.interval.high:+.1f})",
                Phrase("higher", "これまでの値より高い")
                if one.higher
                else Phrase("lower", "これまでの値より低い")
                if one.interval.high < 0
                else Phrase("cannot be distinguished", "高いとは言えない"),
            )
            for one in references
        ],
        note=Phrase(
            "A second claim, apart from the experiment. The figures are other runs', under conditions of "
            "their own, known by their counts alone: intervals are Newcombe's of independent shares, and a "
            "difference says nothing of what caused it.",
            "主実験とは別の、第 2 の主張。これまでの値は別の実行のもので、量子化・検索・プロンプトなどの"
            "条件が違い、正解数しか分からない。区間は対応のない Newcombe のスコア区間で、"
            "差が何によるものかは分からない。",
        ),
    )


def _others_table(runs: Sequence[GridRun]) -> Table:
    return Table(
        id="others",
        title=WORDS["others"],
        columns=(
            Phrase("run", "実行"),
            Phrase("how it was asked", "聞き方"),
            Phrase("accuracy", "正答率"),
        ),
        rows=[
            (
                run.name,
                Phrase(
                    label(run).en, f"{'アダプタ' if run.adapter else 'base'}：{run.how or '不明'}"
                ),
                run.accuracy if run.finished else UNFINISHED,
            )
            for run in runs
        ],
    )
