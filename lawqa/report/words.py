"""The words of a report, in both of its languages."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lawqa.scoring import Judged, power_sentence, significance_sentence
from lawqa.scoring.several import confidence_name, p_text, signed


@dataclass(frozen=True)
class Said:
    """A text in both languages."""

    en: str
    """English."""
    ja: str
    """Japanese."""

    def in_(self, language: str) -> str:
        """The text in `ja`, or else in English."""
        return self.ja if language == "ja" else self.en


def same(text: str) -> Said:
    """A text that is the same in both languages: a name, a number."""
    return Said(text, text)


WORDS: dict[str, Said] = {
    "report": Said("Report", "レポート"),
    "claim": Said("What can be claimed", "言えること"),
    "warnings": Said("Read this first", "先に読むこと"),
    "no_warnings": Said("No warning applies.", "警告はありません。"),
    "runs": Said("Runs", "実行"),
    "run": Said("run", "実行"),
    "results": Said("Accuracy, where and how sure", "正答率（どこで、どれくらい確かか）"),
    "paired": Said("Question by question", "問題ごとの比較"),
    "questions": Said("Questions", "問題"),
    "provenance": Said("Where this comes from", "実行の記録"),
    "theme": Said("Light / dark", "明 / 暗"),
    "skip": Said("Skip to the questions", "問題一覧へ移動"),
    "contents": Said("Contents", "目次"),
    "gained": Said("Wrong before, right now", "不正解 → 正解"),
    "lost": Said("Right before, wrong now", "正解 → 不正解"),
    "none_changed": Said("none", "なし"),
    "search": Said("Search text", "文字列検索"),
    "filter_run": Said("Run", "実行"),
    "filter_outcome": Said("Outcome", "結果"),
    "filter_law": Said("Law", "法令"),
    "filter_change": Said("Against the base", "基準との比較"),
    "filter_hit": Said("Gold article", "正解条文"),
    "any_run": Said("any run", "いずれか"),
    "all": Said("all", "すべて"),
    "correct": Said("correct", "正解"),
    "wrong": Said("wrong", "不正解"),
    "unparsed": Said("no answer", "回答なし"),
    "truncated": Said("cut off", "途中で切れた"),
    "failed": Said("failed", "実行失敗"),
    "changed": Said("changed", "変わった"),
    "unchanged": Said("unchanged", "変わらない"),
    "change_gained": Said("became right", "正解になった"),
    "change_lost": Said("became wrong", "不正解になった"),
    "hit": Said("retrieved", "検索できた"),
    "miss": Said("not retrieved", "検索できなかった"),
    "reset": Said("Clear filters", "絞り込みを解除"),
    "more": Said("Show more", "さらに表示"),
    "shown": Said("questions shown, of", "問を表示（全問数）"),
    "nothing_found": Said("No question matches.", "該当する問題はありません。"),
    "needs_script": Said(
        "The question browser needs JavaScript; everything above does not.",
        "問題の閲覧には JavaScript が必要です（ほかの部分は不要です）。",
    ),
    "context": Said("Context", "条文"),
    "no_context": Said(
        "The data set's context is not at hand; see the prompt.",
        "データセット付属の条文は手元にありません。プロンプトを見てください。",
    ),
    "sources": Said("Sources", "出典"),
    "choices": Said("Choices", "選択肢"),
    "choice": Said("choice", "選択肢"),
    "text": Said("text", "本文"),
    "gold": Said("gold", "正解"),
    "answered": Said("answered", "回答"),
    "shown_order": Said("choices shown in the order", "選択肢を示した順"),
    "repeat": Said("sample", "サンプル"),
    "prompt": Said("Prompt exactly as sent", "送ったプロンプト（そのまま）"),
    "response": Said("Text of the model", "モデルの出力"),
    "scored": Said(
        "No text was generated: the likeliest label of one forward pass.",
        "文章は生成していない（1 回の順伝播で最も確率の高い記号）。",
    ),
    "rule": Said("read by the rule", "読み取り規則"),
    "probabilities": Said("Label probabilities", "記号の確率"),
    "label_mass": Said("probability that a label comes next", "次が記号である確率"),
    "retrieved": Said("Retrieved articles", "検索した条文"),
    "law": Said("law", "法令"),
    "article": Said("article", "条"),
    "passages": Said("passages shown (gold starred)", "示した箇所（★ 正解）"),
    "score": Said("score", "スコア"),
    "whole": Said("whole", "全文"),
    "shortened": Said("shortened", "抜粋"),
    "is_gold": Said("gold article", "正解条文"),
    "forced": Said("forced answer (not counted)", "強制回答（集計外）"),
    "error": Said("Error", "エラー"),
    "seconds": Said("seconds", "秒"),
    "prompt_tokens": Said("prompt tokens", "プロンプトのトークン数"),
    "completion_tokens": Said("written tokens", "出力トークン数"),
    "stopped": Said("ended by", "終了の理由"),
    "hit_limit": Said("ran into the token limit", "トークン上限に達した"),
    "not_asked": Said("not asked", "出題なし"),
    "command": Said("To make it again", "再現コマンド"),
    "manifest": Said("Manifest", "マニフェスト"),
    "made": Said("made", "作成"),
    "training": Said("Training", "学習"),
}
"""Labels of the page, by the name that templates and script use."""

OUTCOME_NAMES = ("correct", "wrong", "unparsed", "truncated", "failed")

_NOTES = {
    "LEAK": "漏えい",
    "UNKNOWN TRAINING": "学習内容が不明",
    "PROMPT MISMATCH": "学習時と違うプロンプト",
    "QUANTISATION DIFFERS": "学習時と違う量子化",
    "SHORTENED CONTEXTS": "文脈を短くして学習した",
    "CHOSEN BY": "評価問題で選んだ",
    "UNFINISHED": "未完了",
    "POOLED": "交差検証の合算",
    "BEGUN WITH": "版が途中で変わった",
    "LOW LABEL MASS": "記号の確率が低い",
    "NO SYSTEM ROLE": "システム役のないテンプレート",
    "FIXED DATE": "日付を固定したテンプレート",
    "FIXED SEED": "乱数を固定したテンプレート",
    "THE MODEL THINKS": "常に思考するモデル",
}


def note_said(note: str) -> Said:
    """A note that a run stored, which is in English; in Japanese its kind goes before it."""
    kind = next((japanese for prefix, japanese in _NOTES.items() if note.startswith(prefix)), "")
    return Said(note, f"{kind}：{note}" if kind else note)


def percent(share: float) -> str:
    """A share as a percentage with one decimal."""
    return f"{share:.1%}"


def points(share: float) -> str:
    """A difference of shares in points, with its sign in ASCII."""
    return signed(share)


def p_said(p_value: float) -> str:
    """A p-value as a reader wants it."""
    return p_text(p_value)


def rule_said(name: str) -> Said:
    """What a run's final answers are, as scoring names them: 'the vote of 8'."""
    for pattern, japanese in _RULES:
        found = re.fullmatch(pattern, name)
        if found:
            return Said(name, japanese.format(*found.groups()))
    return same(name)


def evidence_said(judged: Judged) -> Said:
    """Whose answers, interval, test and p-value, each labelled."""
    c = judged.comparison
    level = confidence_name(c.confidence)
    low, high = points(c.interval.low), points(c.interval.high)
    raw, holm = p_said(c.p_value), p_said(judged.p_holm)
    several = judged.number > 1
    by = Said(f"by {c.by_other}", rule_said(c.by_other).ja)
    if c.by_base != c.by_other:
        by = Said(f"by {c.by_other} against {c.by_base}",
                  f"{rule_said(c.by_other).ja}と{rule_said(c.by_base).ja}")  # fmt: skip
    return Said(
        f"{by.en}; {level} interval {low} to {high}, {c.interval_method}; {c.test} {raw}"
        + (f" raw, {holm} Holm-corrected for {judged.number}" if several else ""),
        f"{by.ja}、{level} 区間 {low} 〜 {high}（{_METHODS[c.interval_method]}）、{_TESTS[c.test]} {raw}"
        + (f"（補正前）、{holm}（{judged.number} 件の Holm 補正後）" if several else ""),
    )


def reach_said(judged: Judged) -> Said:
    """What would have been significant with these discordant answers; apart from it, what is detected."""
    c = judged.comparison
    bar, needed = c.significant_at(judged.level), c.detectable_at(judged.level)
    english = [significance_sentence(judged), power_sentence(judged)]
    unit = "問" if c.clusters == c.questions else "組"
    japanese = [
        f"正誤が分かれた {c.moved} {unit}では、どんな差も有意にならない"
        if bar is None
        else f"正誤が分かれた {c.moved} {unit}で有意になる最小の差は {100 * bar:.1f} ポイント"
        f"（p ≤ {judged.level:.3g}）",
        f"{c.questions} 問では、どんな差も見分けられない"
        if needed is None
        else f"このような比較が 80 % の確率で検出する真の差は {100 * needed:.1f} ポイント",
    ]
    said = [f"{text[0].upper()}{text[1:]}." for text in english]
    return Said(" ".join(said), "".join(f"{text}。" for text in japanese))


_TESTS = {
    "exact McNemar": "正確な McNemar 検定",
    "exact sign-flip by question": "問題単位の正確な符号反転検定",
    "exact sign-flip by group": "組単位の正確な符号反転検定",
}
_METHODS = {
    "Newcombe's paired score": "対応のある Newcombe のスコア区間",
    "bootstrap by question": "問題単位のブートストラップ",
    "bootstrap by group": "組単位のブートストラップ",
}
_RULES = (
    ("single answers", "1 回の回答"),
    ("single prompts", "各プロンプトの回答"),
    (r"the vote of (\d+)", "{0} 回の多数決"),
    (r"the soft vote of (\d+)", "{0} 回の確率平均"),
    (r"the mean over (\d+) orders", "{0} 通りの順序の確率平均"),
    (r"the vote over (\d+) orders", "{0} 通りの順序の多数決"),
    (r"the mean over (\d+) orders of (\d+) samples", "{0} 通りの順序×{1} 回の確率平均"),
    (r"the vote over (\d+) orders of (\d+) samples", "{0} 通りの順序×{1} 回の多数決"),
)
