"""The verdict on a comparison in the lab's words: the sentence of its declared outcome with its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lawqa.commands.expand import expand
from lawqa.commands.experiment import Experiment, OutcomeId
from lawqa.files import JsonObject
from lawqa.report.words import evidence_words
from lawqa.runs.manifest import Manifest, samples_of
from lawqa.scoring.comparisons import Judged, PairedComparison
from lawqa.scoring.comparisons.multiple import p_text

VERDICT_FIGURES = (
    "way", "questions", "points", "low", "high", "test", "p", "trainings", "discordant", "bar",
    "detectable", "reason",
)  # fmt: skip
"""Variables of an outcome's sentence that only a result has."""
VERDICT_NAMES = {"base": " base ", "other": "アダプタ"}
"""What the sentence calls the two sides."""

_VOID = ("LEAK", "UNKNOWN TRAINING", "UNFINISHED")


def asked_way(manifest: Manifest | None) -> str:
    """Return how a run was asked, such as `rag・thinking・8 票の多数決`; empty where no manifest says it."""
    if manifest is None:
        return ""
    config: JsonObject = manifest.config
    spec = config.get("spec") or {}
    way = "thinking" if spec.get("thinking") else str(spec.get("mode", ""))
    orders = int(config.get("permutations") or 1)
    samples = int(samples_of(manifest) or 1)
    parts = [str(spec.get("condition", "")), way]
    # How several answers become one is the rule of final answers, which comparisons name.
    if orders > 1:
        texts = config.get("answer_by") == "generate"
        parts.append(
            f"並び {orders} 通り、合わせて {orders * samples} 票"
            if texts
            else f"並び {orders} 通りの平均"
        )
    elif samples > 1:
        parts.append(f"{samples} 票の多数決")
    return "・".join(part for part in parts if part)


def void_reasons(
    notes: Sequence[str], comparison: PairedComparison, failed: int, asked: int
) -> tuple[str, ...]:
    """Return why a comparison may not be judged, in Japanese; empty where it may.

    Args:
        notes: of both runs.
        comparison: of their final answers.
        failed: answers of both that the backend failed to give.
        asked: questions that the larger of both runs was asked.
    """
    kinds = [kind for kind in _VOID if any(note.startswith(kind) for note in notes)]
    reasons = [f"`! {kind}` の行がある" for kind in kinds]
    if failed:
        reasons.append(f"failed が {failed} 件ある")
    if comparison.questions != asked:
        reasons.append(f"両方が答えた問題が {asked} 問のうち {comparison.questions} 問しかない")
    return tuple(reasons)


def verdict_sentence(
    experiment: Experiment,
    judged: Judged,
    *,
    way: str,
    reasons: Sequence[str] = (),
    names: Mapping[str, str] = VERDICT_NAMES,
) -> str:
    """Return the sentence that was decided beforehand for this result.

    Args:
        experiment: declares the sentences.
        judged: the comparison.
        way: how both runs were asked.
        reasons: why it may not be judged.
        names: what the sides are called, `base` and `other`.

    Raises:
        ConfigError: the sentence names a variable that a comparison does not have.
    """
    outcome = experiment.outcome(verdict_outcome(judged, reasons))
    figures = {**_figures(judged), "way": way, "reason": "、".join(reasons), **names}
    return expand(outcome.sentence_ja, figures, f"experiment: outcomes: {outcome.id}")


def verdict_outcome(judged: Judged, reasons: Sequence[str] = ()) -> OutcomeId:
    """Return which outcome a comparison is."""
    if reasons:
        return "void"
    if not judged.significant:
        return "undecided"
    return "higher" if judged.comparison.difference > 0 else "lower"


def _figures(judged: Judged) -> dict[str, str]:
    c = judged.comparison
    bar, needed = c.significant_at(judged.level), c.detectable_at(judged.level)
    points = 100 * c.difference
    p = p_text(c.p_value)
    if judged.number > 1:
        p += f"、{judged.number} 件の Holm 補正後 {p_text(judged.p_holm)}"
    return {
        "questions": str(c.questions),
        # Sentences on a significant difference say which way it goes.
        "points": f"{abs(points):.1f}" if judged.significant else f"{points:+.1f}",
        "low": f"{100 * c.interval.low:+.1f}",
        "high": f"{100 * c.interval.high:+.1f}",
        "test": evidence_words(c.test),
        "p": p,
        "trainings": f"学習 {max(c.seeds_base, c.seeds_other)} 回",
        "discordant": str(c.moved),
        "bar": "—" if bar is None else f"{100 * bar:.1f}",
        "detectable": "—" if needed is None else f"{100 * needed:.1f}",
    }


def side_of(manifest: Manifest | None, name: str) -> str:
    """Return what a run is, in Japanese: base or adapter, and how it was asked.

    Args:
        manifest: None for a result file.
        name: what it is called where nothing better is known.
    """
    if manifest is None:
        return f"結果ファイル {name}"
    adapters = manifest.adapters
    if not adapters:
        side = "base"
    elif manifest.config.get("pooled_folds"):
        side = f"アダプタ（交差検証 {manifest.config['pooled_folds']} 組、seed {manifest.seed}）"
    else:
        side = "アダプタ"
    way = asked_way(manifest)
    return f"{side}：{way}" if way else side
