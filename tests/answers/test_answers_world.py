"""Answers of other models than the lab's: one table a kind of trouble, with and without the choices."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

pytestmark = pytest.mark.every_python

CHOICES = ("承認による更新", "時効の援用", "催告の抗弁", "相殺の主張")

QUESTIONS = (
    "請問下列何者正確？A:許可;B:處罰;C:強制;D:檢查。",
    "下列说法正确的是?A:许可;B:处罚;C:强制;D:检查。",
    "次のうち正しいものはどれか。a：甲は届出を要する、b：乙は届出を要する、c：丙は届出を要する、d：丁は届出を要する",
    "Question: Which is right?\nA. One thing\nB. Other thing\nC. Third thing\nD. Fourth thing",
    "Q: 届出の期間はどれか。",
    "ユーザー: 次の問題をお願いします。\na. 甲\nb. 乙\nc. 丙\nd. 丁",
    "Pregunta: ¿Cuál es correcta? A) uno B) dos C) tres D) cuatro",
    "User: another one?",
    "Human: Please answer: A. x1 B. x2 C. x3 D. x4",
    "题目：下列哪项正确?",
    "问：以下哪个正确？",
    "문제: 다음 중 옳은 것은?",
    "Frage: Was stimmt? a) eins b) zwei c) drei d) vier",
    "[INST] 次の問題 [/INST]",
    "### Instruction:\n次の質問に答えよ",
    "次の問題に答えてください。",
    "問2 届出の期間はどれか。",
    "Q2. Which?",
    "利用者：ほかの質問です。",
    "Exercise 2: Which one is correct?",
    "问题：\n谁可以起诉？",
)
FIRST = (
    "正解：c",
    "Answer: c",
    "答案：C",
    "[正确答案]C",
    "c\n",
    "C",
    "正解は c です。",
    "回答：c\n解説：条文のとおり。",
)
LATER = (
    "正解：a",
    "Answer: a",
    "答案：A",
    "[正确答案]A",
    "回答: a",
    "a",
    "正解は a です。",
)


@pytest.mark.parametrize("question", QUESTIONS)
def test_only_the_answer_before_a_made_up_question_counts(question: str) -> None:
    for first in FIRST:
        for later in LATER:
            text = f"{first}\n{question}\n{later}"
            for choices in (CHOICES, None):
                assert parse(text, choices).label == "c", text
            assert parse(f"{text}\n{question}\n{later}", CHOICES).label == "c", text


ECHOES = (
    "「回答: a」のように答えます。",
    "回答は「回答: a」の形式で書きます。",
    "出力形式：a",
    "出力形式：回答: a",
    "例如[正确答案]A",
    "例如[正确答案]A<eoa>",
    "请按照格式回答，例如：答案：A。",
    "Format: A",
    "Output format: Answer: A",
    "answer:\n1. **Analyze the request**\n   * Role",
    "Here is the process to arrive at the answer:\n\n1.  **Analyze**: x\n2.  **Think**: y",
    "回答形式：a、b、c、dのいずれか",
    "回答（例：a）",
    "回答例：a",
    'The format is "Answer: X" e.g. Answer: A',
    "答えは a のように1文字で出力します。",
    "最終回答：a（例）",
    "Task: choose one.\n*   Format: Answer: A",
    "① 27%",
    "①27%",
    "答え：①27%、②31%",
    "結論:\n1. 条文を確認する\n2. 判断する",
    "Answer format: (A)",
    "**Format:** A",
    "回答のフォーマット：「正解：a」",
    'respond with only the letter, e.g. "a".',
    "形式は「正解：b」とします。",
    "Output: single letter (A",
    "如：A",
    "请输出选项，比如A",
)


@pytest.mark.parametrize("text", ECHOES)
def test_an_echo_of_the_format_is_no_answer(text: str) -> None:
    assert parse(text, CHOICES).label is None
    assert parse(f"{text}\n\n正解：d", CHOICES).label == "d"


SEVERAL = (
    "正解は以下の通りです。\n- b\n- d",
    "正解は以下のとおりです：\nb. 時効の援用\nd. 相殺の主張",
    "正解は「b」と「d」です。",
    "正解は（b）と（d）です。",
    "正解はbです。さらにdも正解です。",
    "正解はbです。また、dも正しいです。",
    "正解はbである。さらにdも該当する。",
    "正しい選択肢は次の通り：a, b, c, d",
    "正しい選択肢はa、b、c、dです。",
    "b, e",
    "b,e",
    "bとe",
    "答え: b, e",
    "正解はB和D，但我无法确定。",
    "B和D都正确。无法给出单一答案。",
    "答案是B和D",
    "选B和D",
    "正确答案：BD",
    "答案：ABD",
    "【b】と【d】が正解",
    "(b)(d)",
    "b、d",
    "b d",
    "正解は b と d",
    "Answer: B and D",
    "Answer: b, d",
    "The correct answers are b and d.",
    "Both b and d are correct.",
    "bとdの両方が正しい。",
    "正解は2つあり、bとdです。",
    "答え：①、③",
    "①と③が正しい",
    "Answer:\n- b\n- d",
    "正解は次の2つです。\n1. b\n2. d",
    "b及びdが正解である。",
    "正解は\n(b)\n(d)\nです",
    "c or d",
    "正解はcまたはdです。",
    "cとdのどちらかが正解です。",
    "a、c、eの3つが正解です。",
)


@pytest.mark.parametrize("text", SEVERAL)
def test_two_choices_named_are_none(text: str) -> None:
    assert parse(text, CHOICES).label is None
    assert parse(text).label is None


NAMED = (
    ("正解：(a): 承認による更新", "a"),
    ("【a】：承認による更新", "a"),
    ("正解：【c】：催告の抗弁", "c"),
    ("時効の援用（b）", "b"),
    ("適切なのは時効の援用である（選択肢b）", "b"),
    ("選択肢c. 催告の抗弁 が正解と考えられます", "c"),
    ("正しいのはb: 時効の援用です", "b"),
    ("選択肢cの催告の抗弁が最も適切です", "c"),
    ("選択肢aの「承認による更新」が正しい", "a"),
    ("c肢が正しい", "c"),
    ("正解はc肢です", "c"),
    ("この記述はbに該当する。", "b"),
    ("したがってdに相当する。", "d"),
    ("消去法でcとなる。", "c"),
    ("消去法でc。", "c"),
    ("消去法によりcを選ぶ。", "c"),
    ("(c)のみ", "c"),
    ("cのみ", "c"),
    ("cだけです。", "c"),
    ("aは誤りという結論になります。", "a"),
    ("よって、aは誤りという結論です。", "a"),
    ("どれも決め手に欠ける。判断は難しい。しかし、条文を見れば正解はcである。", "c"),
    ("最初は判断できませんと思ったが、正解はcです。", "c"),
    ("不明な点もあるが、正解はcで間違いない。", "c"),
    ("a：×\nb：×\nc：○\nd：×", "c"),
    ("a：○\nb：○\nc：×\nd：○", "c"),
    ("a ×\nb ×\nc ○\nd ×", "c"),
    ("|a|×|\n|b|×|\n|c|○|\n|d|×|", "c"),
    ("| 選択肢 | 判定 |\n|---|---|\n| a | × |\n| b | × |\n| c | ○ |\n| d | × |", "c"),
    ("|c|○|", "c"),
    ("1. B", "b"),
    ("1. B\n", "b"),
    ("問1: B", "b"),
    ("a、b、dは誤り", "c"),
    ("a, b, d は誤りです。", "c"),
    ("aとbとdは誤りである。", "c"),
    ("a、b、dは正しくない。", "c"),
    ("<strong>c</strong>", "c"),
    ("<br>c", "c"),
    ("<p>c</p>", "c"),
    ('{"choice": "b"}', "b"),
    ('{"selected_option": "B"}', "b"),
    ('{"label": "b"}', "b"),
    ('{"answer": "b", "reason": "第3条"}', "b"),
    ('{"reason": "aは誤り", "choice": "b"}', "b"),
    ('```json\n{"choice": "b"}\n```', "b"),
    ("{'answer': 'b'}", "b"),
    ('{"正解": "b"}', "b"),
    ('{"回答":"b"}', "b"),
    ('{"answer": ["b"]}', "b"),
    ('{"final_answer": "(b)"}', "b"),
    ("<choice>b</choice>", "b"),
    ("<answer>b</answer>", "b"),
    ("<final_answer>\nB\n</final_answer>", "b"),
    ('<tool_call>\n{"name": "submit", "arguments": {"choice": "c"}}\n</tool_call>', "c"),
    ('<tool_call>{"name": "answer", "arguments": {"answer": "c"}}</tool_call>', "c"),
    ("<function=submit><parameter=answer>c</parameter></function>", "c"),
    ('<invoke name="submit"><parameter name="choice">c</parameter></invoke>', "c"),
    ('submit_answer(choice="c")', "c"),
    ("answer(choice='c')", "c"),
    ("[submit(option='C')]", "c"),
    ("\\fbox{c}", "c"),
    ("\\boxed{\\text{C}}", "c"),
    ("\\boxed{(C)}", "c"),
    ("$\\fbox{C}$", "c"),
    ("正解は\u2067c\u2069です", "c"),
    ("\u202bc\u202c", "c"),
    ("\u200ec", "c"),
    ("正解：с", "c"),
    ("с", "c"),
    ("А", "a"),
    ("正解はⅢです", "c"),
    ("Ⅲ", "c"),
    ("三", "c"),
    ("正解は三です。", "c"),
    ("3番", "c"),
    ("3番です", "c"),
    ("正解は3番です。", "c"),
    ("選択肢3", "c"),
    ("選択肢3です", "c"),
    ("正しいのは選択肢3です。", "c"),
    ("故本题选A。", "a"),
    ("应选D", "d"),
    ("故B项正确", "b"),
    ("选项C是正确的", "c"),
    ("因此，选项C是正确的。", "c"),
    ("答案选C", "c"),
    ("所以选择B。", "b"),
    ("本题应选C项。", "c"),
    ("答案为D。", "d"),
    ("综上所述，答案是D。", "d"),
    ("正确答案应为B。", "b"),
    ("选C", "c"),
    ("我选择C。", "c"),
    ("因此正确的选项是B。", "b"),
    ("故选D", "d"),
    ("故答案为：C", "c"),
    ("【答案】C", "c"),
    ("下列说法不正确的是D:保险", "d"),
    ("A、B、C项错误，D项正确。", "d"),
    ("D项正确，当选。", "d"),
    ("Ｃ", "c"),
    ("ｃ", "c"),
    ("𝐂", "c"),
    ("ⓒ", "c"),
    ("🅲", "c"),
    ("⒞", "c"),
    ("ウ", "c"),
    ("(ウ)", "c"),
    ("正解は「ウ」です", "c"),
    ("③", "c"),
    ("正解は③です", "c"),
    ("c.", "c"),
    ("c。", "c"),
    ("C)", "c"),
    ("[c]", "c"),
    ("*c*", "c"),
    ("_c_", "c"),
    ("~~a~~ c", "c"),
    ("「c」", "c"),
    ("c です", "c"),
    ("cです。", "c"),
    ("答えはcになります。", "c"),
    ("c、", "c"),
    ("- c", "c"),
    ("> c", "c"),
    ("### c", "c"),
    ("答c", "c"),
    ("ans: c", "c"),
    ("ANSWER=C", "c"),
    ("Answer - C", "c"),
    ("My answer: C", "c"),
    ("Final choice: C", "c"),
    ("option c", "c"),
    ("Option (C)", "c"),
    ("the third option", "c"),
    ("第3の選択肢", "c"),
)


@pytest.mark.parametrize(("text", "label"), NAMED)
def test_every_way_to_hand_in_a_letter(text: str, label: Label) -> None:
    assert parse(text, CHOICES).label == label
    assert parse(text).label == label


SOFT = (
    ("強いて言えばc", "c"),
    ("cではないでしょうか", "c"),
    ("正解はcかもしれません", "c"),
    ("正解はcかもしれない。", "c"),
    ("たぶんcです", "c"),
    ("おそらくc", "c"),
    ("多分c", "c"),
    ("cかな", "c"),
    ("cだと思います", "c"),
    ("cでしょう", "c"),
    ("正解はcでしょう。", "c"),
    ("cと思われます。", "c"),
    ("cの可能性が高いです。", "c"),
    ("どちらかといえばcです。", "c"),
    ("強いて選ぶとすればcでしょうか。", "c"),
    ("強いて挙げればc", "c"),
    ("cが無難です。", "c"),
    ("cに近いと思います。", None),
    ("Probably c.", "c"),
    ("I'd guess c.", "c"),
    ("My best guess is c.", "c"),
    ("I lean towards c.", "c"),
    ("If I had to choose, c.", "c"),
    ("Maybe c", "c"),
    ("可能是C。", "c"),
    ("我倾向于选C。", "c"),
    ("大概是C", "c"),
    ("bかcではないでしょうか", None),
    ("bかもしれないしcかもしれない。", None),
    ("正解はbかcかもしれません。", None),
    ("bの可能性もcの可能性もあります。", None),
    ("cかもしれませんが、判断できません。", None),
    ("正解はcかもしれませんが、確証がなく選べません。", None),
    ("cではないでしょうか？", "c"),
    ("cでは？", "c"),
    ("cではないかと存じます", "c"),
    ("cのような気がします。", "c"),
    ("cが有力です。", "c"),
    ("cでいいと思います", "c"),
    ("cかと", "c"),
)


@pytest.mark.parametrize(("text", "label"), SOFT)
def test_the_last_soft_word_counts_if_it_names_one_choice(text: str, label: Label | None) -> None:
    assert parse(text, CHOICES).label == label
    assert parse(text).label == label


QUOTED = (
    ("正解：c。時効の援用ではない。", "c"),
    ("回答：c\n時効の援用については第145条。", "c"),
    ("最終回答：c\n\n参考：時効の援用", "c"),
    ("時効の援用ではなく、cが正解。", "c"),
    ("時効の援用とは異なり、届出を要する。", None),
    ("時効の援用でしょうか？", None),
    ("正解は時効の援用ですか？", None),
    ("時効の援用か相殺の主張か。", None),
    ("・承認による更新\n・時効の援用\n・催告の抗弁\n・相殺の主張", None),
    ("選択肢は、承認による更新、時効の援用、催告の抗弁、相殺の主張の4つ。", None),
    ("時効の援用。", "b"),
    ("「時効の援用」", "b"),
    ("回答：時効の援用", "b"),
    ("正解は時効の援用です。", "b"),
    ("答えは「時効の援用」", "b"),
    ("したがって、時効の援用が正しい。", "b"),
    ("時効の援用と相殺の主張", None),
    ("回答：時効の援用（c）", "c"),
    ("回答：時効の援用\n正解はcです。", "c"),
)


@pytest.mark.parametrize(("text", "label"), QUOTED)
def test_words_of_a_choice_count_less_than_a_letter(text: str, label: Label | None) -> None:
    assert parse(text, CHOICES).label == label


MEANING = (
    # text, label, why it is read so
    ("正解はcかもしれません。", "c", "a soft commitment that is the last word counts"),
    (
        "The answer might be c.",
        None,
        "English `might be` only names a possibility; `my guess is c` commits",
    ),
    ("cでしょうか。", None, "a question; ではないでしょうか suggests, でしょうか asks"),
    ("cが考えられる。", "c", "one choice called likely, and no other"),
    ("aが考えられる。bも考えられる。", None, "two choices are thought of, none is chosen"),
    ("消去法により、c が残る。", None, "what is left over is not yet called the answer"),
    ("消去法でc。", "c", "elimination with its result handed in"),
    ("aは誤り。", None, "a grade of one choice says nothing of the others"),
    ("aは誤りという結論です。", "a", "a conclusion answers, here a question for the wrong one"),
    ("a、b、dは誤り。", "c", "three of four denied leave one"),
    ("选项C是正确的。", "c", "singles one out, as `option C is correct` ends an argument"),
    ("B项正确。D项正确。", None, "grades of two choices"),
    ("可能是C。", "c", "a guess in Chinese, soft"),
    ("B和D都正确，无法选择。", None, "two answers, then a refusal"),
    ("eです。", None, "a fifth choice cannot be right here"),
    ("正解はb。さらにdも正解。", None, "two answers in two sentences"),
    ("正解：b\n正解：d", "d", "without a word of doubt the later line corrects the earlier one"),
)


@pytest.mark.parametrize(("text", "label", "reason"), MEANING)
def test_open_questions_of_wording(text: str, label: Label | None, reason: str) -> None:
    assert parse(text).label == label, reason
