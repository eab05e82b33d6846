"""What the lab's old result files know, in the words of its log forms."""

from __future__ import annotations

from pathlib import Path

from lawqa.docgen.logs import RunFacts
from lawqa.runs.stored import read_stored_run
from lawqa.scoring import summarise


def read_old_facts(path: Path) -> RunFacts:
    """Return the facts of a result file, read with today's parser; what it does not say is left empty.

    Raises:
        DataError: it is not a result file.
    """
    stored = read_stored_run(path)
    config = stored.about.get("config") or {}
    answers = stored.answers()
    summary = summarise(answers)
    a = summary.final.accuracy
    recorded = sum(answer.outcome == "correct" for answer in stored.answers("recorded"))
    rag = "なし"
    if config.get("rag_enabled"):
        rag = f"{config.get('retriever_type', '')}、top_k {config.get('top_k', '')}"
    few_shot = "あり" if config.get("few_shot_enabled") else "なし"
    fields = {
        "model": str(config.get("model_name") or config.get("llm_model") or ""),
        "rag": rag,
        "prompt": f"{'cot' if config.get('cot_enabled') else 'direct'}、例示（few-shot）{few_shot}",
        "data": f"{a.asked} 問：結果ファイル {path}",
        "accuracy": f"{a.value:.1%}（今の解析規則。記録では {recorded / len(answers):.1%}）",
        "interval": f"{a.interval.low:.1%} – {a.interval.high:.1%}",
        "correct": str(a.correct),
        "total": str(a.asked),
        **{key: str(summary.outcomes[key]) for key in ("unparsed", "truncated", "failed")},
        "predicted": " ".join(str(count) for count in summary.predicted.values()),
        "gold": " ".join(str(count) for count in summary.gold.values()),
        "path": str(path),
    }
    return RunFacts(f"研究室の以前の結果ファイル：{path.stem}", "evaluate", fields)
