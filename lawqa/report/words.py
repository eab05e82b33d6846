"""The words of a report, in both of its languages."""

from __future__ import annotations

import re

from lawqa.amounts import counted
from lawqa.report.phrase import Phrase, same
from lawqa.scoring.comparisons import Judged, power_sentence, significance_sentence
from lawqa.scoring.comparisons.multiple import confidence_name, p_text, signed

_CONDITIONS = {
    "closed": Phrase("no context", "条文なし"),
    "gold": Phrase("the data set's context", "付属の条文"),
    "rag": Phrase("retrieved statutes", "検索した条文"),
}


def condition_phrase(condition: str, *, short: bool = False) -> Phrase:
    """Return what a reader calls a condition, with the setting's own name in brackets.

    Args:
        condition: closed, gold, rag, or `?` where it is not known; another name is given back.
        short: without the brackets, in English by the setting's name alone: for a plot.
    """
    words = _CONDITIONS.get(condition)
    if words is None:
        return Phrase("not known", "不明") if condition == "?" else same(condition)
    if short:
        return Phrase(condition, words.ja)
    return Phrase(f"{words.en} ({condition})", f"{words.ja}（{condition}）")


WORDS: dict[str, Phrase] = {
    "report": Phrase("Report", "レポート"),
    "claim": Phrase("What can be claimed", "言えること"),
    "in_words": Phrase("Each comparison in words", "比較ごとの文"),
    "warnings": Phrase("Read this first", "先に読むこと"),
    "no_warnings": Phrase("No warning applies.", "警告はありません。"),
    "runs": Phrase("Runs", "実行"),
    "run": Phrase("run", "実行"),
    "results": Phrase("Accuracy, where and how sure", "正答率（どこで、どれくらい確かか）"),
    "paired": Phrase("Question by question", "問題ごとの比較"),
    "questions": Phrase("Questions", "問題"),
    "provenance": Phrase("Provenance", "実行の記録"),
    "theme": Phrase("Light / dark", "明 / 暗"),
    "skip": Phrase("Skip to the questions", "問題一覧へ移動"),
    "contents": Phrase("Contents", "目次"),
    "gained": Phrase("Wrong before, right now", "不正解 → 正解"),
    "lost": Phrase("Right before, wrong now", "正解 → 不正解"),
    "changes_read": Phrase(
        "Each line: the question, its answer before and now, in brackets the right one.",
        "各行：以前の回答 → 今の回答（正解）。",
    ),
    "none_changed": Phrase("none", "なし"),
    "search": Phrase("Search text", "文字列検索"),
    "filter_run": Phrase("Run", "実行"),
    "filter_outcome": Phrase("Outcome", "結果"),
    "filter_law": Phrase("Law", "法令"),
    "filter_change": Phrase("Against the base", "基準との比較"),
    "filter_base": Phrase("Base", "基準"),
    "own_base": Phrase("as in the tables", "表と同じ"),
    "sort": Phrase("Order", "並べ方"),
    "sort_file": Phrase("as in the file", "ファイルの順"),
    "sort_sure": Phrase("least sure first", "確信度の低い順"),
    "sort_apart": Phrase("most disagreement first", "答えが分かれた順"),
    "keys": Phrase(
        "j and k: next and previous question; Enter opens it. The address keeps the filters.",
        "j・k で次・前の問題、Enter で開く。絞り込みは URL に残る。",
    ),
    "besides": Phrase("Two answers side by side", "2 つの回答を並べる"),
    "filter_tag": Phrase("Tag", "タグ"),
    "notes": Phrase("Notes", "メモ"),
    "tags": Phrase("tags", "タグ"),
    "note": Phrase("note", "メモ"),
    "save_notes": Phrase("Save notes", "メモを保存"),
    "notes_kept": Phrase(
        "Kept by this browser. Save notes makes a file; beside the page it is read by the next lawqa report.",
        "このブラウザに残る。「メモを保存」のファイルをページと同じ場所に置くと、次の lawqa report が読む。",
    ),
    "filter_hit": Phrase("Gold article", "正解条文"),
    "any_run": Phrase("any run", "いずれか"),
    "all": Phrase("all", "すべて"),
    "correct": Phrase("correct", "正解"),
    "wrong": Phrase("wrong", "不正解"),
    "unparsed": Phrase("no answer", "回答なし"),
    "truncated": Phrase("cut off", "途中で切れた"),
    "failed": Phrase("failed", "実行失敗"),
    "changed": Phrase("changed", "変わった"),
    "unchanged": Phrase("unchanged", "変わらない"),
    "change_gained": Phrase("became right", "正解になった"),
    "change_lost": Phrase("became wrong", "不正解になった"),
    "hit": Phrase("retrieved", "検索できた"),
    "miss": Phrase("not retrieved", "検索できなかった"),
    "reset": Phrase("Clear filters", "絞り込みを解除"),
    "more": Phrase("Show more", "さらに表示"),
    "shown": Phrase("questions shown, of", "問を表示（全問数）"),
    "nothing_found": Phrase("No question matches.", "該当する問題はありません。"),
    "needs_script": Phrase(
        "The question browser needs JavaScript; everything above does not.",
        "問題の閲覧には JavaScript が必要です（ほかの部分は不要です）。",
    ),
    "context": Phrase("Context", "条文"),
    "no_context": Phrase(
        "The data set's context is not available; see the prompt.",
        "データセット付属の条文は手元にありません。プロンプトを見てください。",
    ),
    "sources": Phrase("Sources", "出典"),
    "choices": Phrase("Choices", "選択肢"),
    "choice": Phrase("choice", "選択肢"),
    "text": Phrase("text", "本文"),
    "gold": Phrase("gold", "正解"),
    "answered": Phrase("answered", "回答"),
    "shown_order": Phrase("choices shown in the order", "選択肢を示した順"),
    "repeat": Phrase("sample", "サンプル"),
    "prompt": Phrase("Prompt exactly as sent", "送ったプロンプト（そのまま）"),
    "response": Phrase("Text of the model", "モデルの出力"),
    "scored": Phrase(
        "No text was generated: the likeliest label of one forward pass.",
        "文章は生成していない（1 回の順伝播で最も確率の高い記号）。",
    ),
    "rule": Phrase("read by the rule", "読み取り規則"),
    "probabilities": Phrase("Label probabilities", "記号の確率"),
    "label_mass": Phrase("probability that a label comes next", "次が記号である確率"),
    "retrieved": Phrase("Retrieved articles", "検索した条文"),
    "law": Phrase("law", "法令"),
    "article": Phrase("article", "条"),
    "passages": Phrase("passages shown (gold starred)", "示した箇所（★ 正解）"),
    "score": Phrase("score", "スコア"),
    "whole": Phrase("whole", "全文"),
    "shortened": Phrase("shortened", "抜粋"),
    "retrieved_text": Phrase("The retrieved text", "検索された本文"),
    "gold_marked": Phrase(
        "Marked: what the question's own context quotes.", "印：問題のコンテキストにある部分。"
    ),
    "no_gold_text": Phrase(
        "None of it is in the question's own context.", "問題のコンテキストにある部分はない。"
    ),
    "is_gold": Phrase("gold article", "正解条文"),
    "forced": Phrase("forced answer (not counted)", "強制回答（集計外）"),
    "probable": Phrase("likeliest label, not the text's", "最も確率の高い記号（出力文と不一致）"),
    "error": Phrase("Error", "エラー"),
    "seconds": Phrase("seconds", "秒"),
    "prompt_tokens": Phrase("prompt tokens", "プロンプトのトークン数"),
    "completion_tokens": Phrase("generated tokens", "出力トークン数"),
    "stopped": Phrase("ended by", "終了の理由"),
    "hit_limit": Phrase("hit the token limit", "トークン上限に達した"),
    "not_asked": Phrase("not asked", "出題なし"),
    "command": Phrase("Command to reproduce it", "再現コマンド"),
    "manifest": Phrase("Manifest", "マニフェスト"),
    "made": Phrase("made", "作成"),
    "training": Phrase("Training", "学習"),
}
"""Labels of the page, by the name that templates and script use."""

OUTCOME_NAMES = ("correct", "wrong", "unparsed", "truncated", "failed")


def shown_phrase(shown: int, asked: int) -> Phrase:
    """Return which questions are shown one by one, where not all of them are."""
    return Phrase(
        f"{counted(shown, 'question')} of {asked:,} {'is' if shown == 1 else 'are'} shown one by one: first "
        "those on which runs differ in being right, then those that a run did not answer right. Figures and "
        "plots are of all; lawqa export writes every answer.",
        f"全 {asked:,} 問のうち {shown:,} 問を 1 問ずつ表示（実行によって正誤が違う問題、"
        "次に正解でない実行がある問題から）。表と図はすべての問題のもの。"
        "すべての回答は lawqa export で書き出せる。",
    )


def further_phrase(number: int) -> Phrase:
    """Return how many are not listed."""
    return Phrase(f"… and {number:,} more", f"…ほか {number:,} 問")


def rule_phrase(name: str) -> Phrase:
    """Return the rule of a run's final answers, as scoring names it: 'the vote of 8'."""
    for pattern, japanese in _RULES:
        match = re.fullmatch(pattern, name)
        if match:
            return Phrase(name, japanese.format(*match.groups()))
    return same(name)


def evidence_phrase(judged: Judged) -> Phrase:
    """Return the final answers compared, interval, test and p-value, each named."""
    c = judged.comparison
    level = confidence_name(c.confidence)
    low, high = signed(c.interval.low), signed(c.interval.high)
    raw, holm = p_text(c.p_value), p_text(judged.p_holm)
    several = judged.number > 1
    by = Phrase(f"by {c.by_other}", rule_phrase(c.by_other).ja)
    if c.by_base != c.by_other:
        by = Phrase(f"by {c.by_other} against {c.by_base}",
                  f"{rule_phrase(c.by_other).ja}と{rule_phrase(c.by_base).ja}")  # fmt: skip
    return Phrase(
        f"{by.en}; {level} interval {low} to {high}, {c.interval_method}; {c.test} {raw}"
        + (f" raw, {holm} Holm-corrected for {judged.number}" if several else ""),
        f"{by.ja}、{level} 区間 {low} 〜 {high}（{_METHODS[c.interval_method]}）、{_TESTS[c.test]} {raw}"
        + (f"（補正前）、{holm}（{judged.number} 件の Holm 補正後）" if several else ""),
    )


def evidence_words(test: str) -> str:
    """Return the Japanese name of a test."""
    return _TESTS.get(test, test)


def power_phrase(judged: Judged) -> Phrase:
    """Return the smallest significant difference with these discordant answers, and the detectable one."""
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
        else f"このような比較が 80% の確率で検出する真の差は {100 * needed:.1f} ポイント",
    ]
    sentences = [f"{text[0].upper()}{text[1:]}." for text in english]
    return Phrase(" ".join(sentences), "".join(f"{text}。" for text in japanese))


_TESTS: dict[str, str] = {
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
