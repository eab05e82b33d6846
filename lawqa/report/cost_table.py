"""What runs took: time, tokens, memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from lawqa.report.content import ReportRun
from lawqa.report.tables import NOTHING, RUN, Cell, Table
from lawqa.report.words import Said, same


def cost_table(runs: Sequence[ReportRun]) -> Table:
    """Speed, tokens and memory."""
    return Table(
        "cost",
        Said("Speed, tokens and memory", "速度・トークン数・メモリ"),
        (RUN, Said("seconds, whole run", "全体の秒数"),
         Said("seconds an answer (median)", "1 件の秒数（中央値）"),
         Said("prompt tokens, mean / most", "プロンプトのトークン数（平均／最大）"),
         Said("written tokens, mean / all", "出力トークン数（平均／合計）"),
         Said("peak memory", "最大メモリ"), Said("machine", "計算機")),
        tuple(_cost(run) for run in runs),
    )  # fmt: skip


def _cost(run: ReportRun) -> tuple[Cell, ...]:
    manifest = run.manifest
    figures: Any = manifest.get("figures") or {}
    model: Any = manifest.get("model") or {}
    seconds = [entry.result.seconds for entry in run.entries if entry.result.seconds is not None]
    prompts = [entry.result.prompt_tokens for entry in run.entries if entry.result.prompt_tokens]
    texts = [
        entry.result.completion_tokens
        for entry in run.entries
        if entry.result.completion_tokens is not None
    ]
    peak = figures.get("peak_memory_gib") or model.get("peak_memory_gib")
    whole = figures.get("seconds")
    return (
        same(run.title),
        same(f"{whole:,.1f}") if isinstance(whole, (int, float)) else NOTHING,
        same(f"{median(seconds):.3f}") if any(seconds) else NOTHING,
        same(f"{_mean(prompts):,.0f} / {max(prompts):,}") if prompts else NOTHING,
        same(f"{_mean(texts):,.0f} / {sum(texts):,}") if texts else NOTHING,
        same(f"{peak} GiB") if peak else NOTHING,
        same(_machine(manifest.get("environment") or {})),
    )


def _machine(environment: Any) -> str:
    device = environment.get("accelerator") or {}
    if device.get("type") == "cuda":
        mig = f", MIG {device['mig_profile']}" if device.get("mig_profile") else ""
        return f"{device.get('name')}, {device.get('memory_gib')} GiB{mig}"
    return "CPU" if environment else "–"


def _mean(values: Iterable[int]) -> float:
    found = list(values)
    return math.fsum(found) / len(found)
