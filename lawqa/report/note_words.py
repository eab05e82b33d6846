"""The notes that runs store, in Japanese: manifests, older ones too, keep them in English."""

from __future__ import annotations

import re

from lawqa.report.phrase import Phrase

NOTE_SENTENCES: tuple[tuple[str, str], ...] = (
    (r"POOLED: (\d+) folds?; .* One training seed: .*",
     "交差検証の合算：{0} 組。各組のアダプタは、ほかの組の問題の多くを共通に学習しているので、"
     "答えは独立ではない。学習は 1 回なので、学習し直したときのばらつきは区間にも p にも入っていない"
     "（標準偏差が 2・4・6 ポイントなら、p = 0.05 の検定が誤る割合は 3〜5%・5〜13%・8〜24%）"),
    (r"POOLED: (\d+) folds?; .* (\d+) training seeds, which differ by ([\d.]+) points.*",
     "交差検証の合算：{0} 組。学習 {1} 回の正答率のばらつき（標準偏差）は {2} ポイント。"
     "全部をまとめて比べた区間と p には入り、1 つだけを比べたものには入らない"),
    (r"ASKED OTHERWISE THAN TRAINED: the adapter learnt letters, with (\S+), and is asked with (\S+); .*",
     "学習と違う聞き方：アダプタは 1 文字の答え（{0}）で学習し、{1} で聞かれた"),
    (r"the runs share (\d+) of (\d+) and (\d+) questions? \(.*\); a comparison needs at least 2",
     "共通の問題が {0} 問しかない（{1} 問と {2} 問のうち）。比較には 2 問以上が必要"),
    (r"UNFINISHED: (\S+), ([\d,]+) of ([\d,]+) (?:question|prompt)s? answered",
     "未完了：{2} 件のうち {1} 件に答えた（{0}）"),
    (r"UNFINISHED: (\S+)", "未完了：{0}"),
    (r"UNFINISHED: the log does not hold every answer of its run",
     "未完了：取り込んだログに、その実行の答えがすべては入っていない"),
    (r"DIFFERENT DATA: (\S+) and (\S+) are compared on the (\d+) (?:question|prompt)s? that both were asked; "
     r"\S+ was asked (\d+) others, \S+ (\d+)",
     "データが違う：{0} と {1} は、両方に出題した {2} 問で比べた（{1} だけの問題 {3}、"
     "{0} だけの問題 {4}）"),
    (r"OTHER ORDERS OR SAMPLES: (\S+) and (\S+) are compared on the (\d+) prompts that both were asked; "
     r"\S+ was asked (\d+) others, \S+ (\d+)",
     "並べ方・サンプルが違う：{0} と {1} は、両方に出した {2} 件で比べた"
     "（{1} だけの {3} 件、{0} だけの {4} 件）"),
    (r"SEEDS: (.*) are repeats of one run and are compared together.*",
     "シード：{0} は同じ実行のくり返しとして、まとめて比べた"),
    (r"([\d.]+) ?% of answers are ([a-d]); gold has ([\d.]+) ?%",
     "回答の偏り：回答の {0}% が {1}（正解では {2}%）"),
    (r"LEAK: (\d+) of ([\d,]+) questions? (?:was|were) in the training of (.*?)"
     r"(?:, and (\d+) more share context or article with one that was)?; this accuracy says nothing about.*",
     "漏えい：{1} 問のうち {0} 問を {2} の学習に使った（条文を共有する問題がほかに {3} 問）。"
     "この正答率から新しい問題については何も言えない"),
    (r"LEAK: (\d+) of ([\d,]+) questions? with the context or article of one that was in the "
     r"training of (.*); "
     r"this accuracy says nothing about.*",
     "漏えい：{1} 問のうち {0} 問は、{2} の学習に使った問題と条文を共有する。"
     "この正答率から新しい問題については何も言えない"),
    (r"LEAK IN THE INDEX: the index gives away (\d+) of ([\d,]+) questions?: (.*); this accuracy "
     r"says nothing "
     r"about.*",
     "索引からの漏えい：{1} 問のうち {0} 問の内容が索引にある（{2}）。"
     "この正答率から新しい問題については何も言えない"),
    (r"UNKNOWN TRAINING: (.*) has no manifest; .*",
     "学習内容が不明：{0} にマニフェストがない。何で学習したかわからないので、"
     "漏えいもプロンプトの違いも否定できない"),
    (r"UNKNOWN TRAINING: the records of (.*) did not say which questions they held, .*",
     "学習内容が不明：{0} の学習データに問題の記録がないので、漏えいを否定できない"),
    (r"STATUTES READ: (.*) has read ([\d,]+) articles of (\d+) statutes as text.*",
     "条文を読ませて学習した：{0} は {2} 法令の条文 {1} 条を文章として学習した。宣言ずみで、"
     "問題の漏えいではない"),
    (r"STATUTES READ: (.*) has read ([\d,]+) articles of (.*?) as text.*",
     "条文を読ませて学習した：{0} は{2}の条文 {1} 条を文章として学習した。宣言ずみで、"
     "問題の漏えいではない"),
    (r"PROMPT MISMATCH: (.*) was trained on the prompt specs (.*), not on (\S+)",
     "学習時と違うプロンプト：{0} は {1} で学習した（今回は {2}）"),
    (r"PROMPT MISMATCH: the wording or chat template of (\S+) has changed since training",
     "学習時と違うプロンプト：{0} の文面かチャットテンプレートが、学習のあとで変わった"),
    (r"SHORTENED CONTEXTS: (\d+) of the (\d+) records that (.*) was trained on had a shortened context; .*",
     "文脈を短くして学習した：{2} の学習データ {1} 件のうち {0} 件は条文を短くしてあった。"
     "ここでは全文を読ませている"),
    (r"RAFT TRAINING: (.*) was trained on retrieved contexts \((.*?)\); the gold articles are left out for "
     r"(?:(\d+) of the )?questions \((.*?)\); here it gets neither",
     "RAFT の学習：{0} は検索した条文（{1}）で、一部の問題では正解条文を除いて（{3}）学習した。"
     "ここではどちらもしていない"),
    (r"MODE LOST: (.*?): (.*)", "答え方が失われた：{0}（{1}）"),
    (r"QUANTISATION DIFFERS: trained over (.*) weights, evaluated over (.*) ones",
     "学習時と違う量子化：学習は {0}、評価は {1} の重み"),
    (r"QUANTISATION DIFFERS: (.*) was trained over (.*) weights, and is trained further over (.*) ones",
     "学習時と違う量子化：{0} は {1} の重みで学習し、続きは {2} の重みで学習する"),
    (r"NUMBER TYPE DIFFERS: trained with products in (.*), evaluated in (.*)",
     "計算の型が違う：学習は {0}、評価は {1}"),
    (r"BASE MISMATCH: (.*) was trained over (.*), not over (.*?)(?:: (.*) differ)?",
     "元のモデルが違う：{0} は {1} の上で学習した（今回は {2}）"),
    (r"UNKNOWN BASE: (.*) says that it was trained over (.*), and is applied to (.*); .*",
     "元のモデルが不明：{0} は {1} の上で学習したとあり、{2} に付けた。同じものかわからない"),
    (r"UNKNOWN BASE: (.*) was trained over files of 4-bit weights; whether they were made from (.*) "
     r"is unknown",
     "元のモデルが不明：{0} は 4 ビットの重みのファイルの上で学習した。{1} から作ったものかわからない"),
    (r"CHOSEN BY: (\d+) of ([\d,]+) questions? decided which step of (.*) was kept; this accuracy flatters",
     "評価問題で選んだ：{1} 問のうち {0} 問で、{2} のどのステップを残すかを決めた。この正答率は高めに出る"),
    (r"GREEDY THINKING: .*",
     "貪欲法による思考：温度が 0。Qwen の作者は、思考がくり返しに陥り、正答率が下がると注意している"),
    (r"NOT APPLIED: the model's generation_config.json also asks for (.*)",
     "適用しない設定：モデルの generation_config.json にある {0} は使わない"),
    (r"CUT PROMPTS MAY PASS: .*",
     "切れたプロンプトを見逃すことがある：--tokenizer がないので、"
     "サーバーが半分以下を捨てたプロンプトは見分けられない"),
    (r"THE MODEL THINKS WITHOUT --thinking: .* block \((.*)\), so --max-new-tokens (\d+) holds .*",
     "常に思考するモデル：チャットテンプレートが思考の途中（{0}）から始めさせるので、"
     "--max-new-tokens {1} に思考と回答の両方が入る"),
    (r"NO LABEL PROBABILITIES AFTER TEXTS: (.*); soft votes and calibration have none, and .*",
     "出力文の後の記号の確率なし：{0}。確率平均と較正はできず、順序の平均は多数決になる"),
    (r"LOW LABEL MASS: in ([\d,]+) of ([\d,]+) scored answers \(.*\) all labels together have less "
     r"than (\S+) of "
     r"the probability \(median (\S+), lowest (\S+)\): .*",
     "記号の確率が低い：採点した {1} 件のうち {0} 件で、a〜d 全体の確率が {2} 未満（中央値 {3}、"
     "最小 {4}）。"
     "モデルは記号以外を書こうとしていた（--answer-by generate なら書いた文を読む）"),
    (r"NO SYSTEM ROLE: .*",
     "システム役のないテンプレート：システムの文を最初のユーザー発言の先頭に置く（学習でも評価でも）"),
    (r"FIXED DATE: .* every prompt says (.*), on .*",
     "日付を固定したテンプレート：テンプレートが日付を書くので、どの日に作っても {0} とする"),
    (r"FIXED SEED: .*",
     "乱数を固定したテンプレート：テンプレートが乱数を使うので、どのプロンプトも同じ引き方をする"),
    (r"TWO CHAT TEMPLATES: (\S+) is used, and the model's (\S+) holds another",
     "チャットテンプレートが 2 つある：{0} を使う（{1} のものは違う）"),
    (r"ADAPTER CHANGES NOTHING: with (.*) a probe prompt has the base model's logits, to the bit(?:: (.*))?",
     "アダプタに効果がない：{0} を付けても、試した問いのロジットが元のモデルと 1 ビットも違わない"),
    (r"BEGUN WITH lawqa (.*), resumed with (.*)", "版が途中で変わった：lawqa {0} で始め、{1} で再開した"),
    (r"IMPORTED: (.*) of (.*), task (.*): .*",
     "取り込んだ結果：{1} の {0}（課題 {2}）。聞き方と復号はそのツールのもの"),
    (r"UNKNOWN PROMPT: (\d+) of (\d+) answers are to words that are not lawqa's",
     "プロンプトが不明：{1} 件のうち {0} 件は lawqa の文面で聞いていない"),
    (r"READ DIFFERENTLY: (\d+) of (\d+) answers are counted otherwise than (.*) counted them",
     "数え方が違う：{1} 件のうち {0} 件は {2} と正誤が違う"),
    (r"SCORED BY TEXT: .*", "本文で採点：記号ではなく、選択肢の本文の確率で選んだ"),
    (r"SET ASIDE: not counted: (.*)", "数えなかった行：{0}"),
    (r"DAMAGED ROWS: taken for unknown: (.*)", "壊れた値（不明として扱った）：{0}"),
)  # fmt: skip
"""Every note that a run can carry, whole, with the figures and names that are put into the Japanese."""

CAUSE_WORDS = {
    "model": "モデル",
    "prompt": "プロンプト",
    "wording or chat template": "文面かチャットテンプレート",
    "quantisation": "量子化",
    "number type": "計算の型",
    "how the answer is taken": "答えの取り方",
    "choice orders": "選択肢の順序",
    "samples of each prompt": "サンプル数",
    "retrieval": "検索",
    "generation": "生成の設定",
}
"""What besides the adapter can make results differ, as `lawqa.runs.diff.causes` names it."""

_KINDS = {
    english.partition(":")[0]: japanese.partition("：")[0] for english, japanese in NOTE_SENTENCES
}
"""The kinds of notes in Japanese."""
_MISSING = "\0"
_EMPTY = re.compile(f"（[^（）]*{_MISSING}[^（）]*）")


def note_phrase(note: str) -> Phrase:
    """Return a note that a run stored, which is in English, in both languages.

    Of a note in other words than today's only the kind is in Japanese; the note follows it as it is.
    """
    for pattern, japanese in NOTE_SENTENCES:
        match = re.fullmatch(pattern, note, re.DOTALL)
        if match:
            # What the English leaves out is left out with its brackets.
            filled = japanese.format(*(_MISSING if one is None else one for one in match.groups()))
            return Phrase(note, _EMPTY.sub("", filled))
    kind = _KINDS.get(note.partition(":")[0], "")
    return Phrase(note, f"{kind}：{note}" if kind else note)


def cause_phrase(cause: str) -> Phrase:
    """Return a difference between settings, such as `prompt (mode: cot / direct)`, in both languages."""
    name, bracket, values = cause.partition(" (")
    if not bracket:
        return Phrase(cause, CAUSE_WORDS.get(cause, cause))
    return Phrase(cause, f"{CAUSE_WORDS.get(name, name)}（{values.removesuffix(')')}）")
