"""A wide table of English outputs: committed, hedged, refused, or about something else."""

from __future__ import annotations

import pytest

from lawqa.answers import parse
from lawqa.choices import Label

pytestmark = pytest.mark.every_python

COMMITTED: list[tuple[str, Label | None]] = [
    (
        (
            "Reasoning:\n1. The question asks which filing is exempt.\n2. **Option a** is inc"
            "orrect because...\n3. **Option c** is correct because it matches [2].\n\nAnswer:"
            " c"
        ),
        "c",
    ),
    (
        (
            "Reasoning: The law [1] covers a and b. Thus c and d are left.\n\nAnswer: **d** ("
            "Article 7-2, Paragraph 1)"
        ),
        "d",
    ),
    (
        (
            "**Answer: None of the above.** However, as the task demands a single letter, **c"
            "** is the closest match."
        ),
        "c",
    ),
    ("Answer: No valid option. If a letter is absolutely required, choose **a**.", "a"),
    (
        (
            "Answer: None of the options can be verified.\n\nGiven the constraints, the most "
            "plausible answer is **d**."
        ),
        "d",
    ),
    ("Therefore, the correct answer is likely to be **b**.", "b"),
    ("The answer would likely be **d**, given the general rule.", "d"),
    ("By elimination, only option c remains, so the answer is c.", "c"),
    ("Thus, option (b) is the only one that violates the article.", "b"),
    ("So the answer must be d.", "d"),
    ("Based on the above, I select option a.", "a"),
    ("The statement that is incorrect is **Option d**.", "d"),
    ("Hence, **b** is the incorrect statement.", "b"),
    ("The correct provision is Article 24, Paragraph 1, which is option a.", "a"),
    ("Conclusion: Option c matches the definition and the others do not.", "c"),
    (
        ("### Conclusion\nThe correct option is:\n\n**b. A foreign company may file in English**"),
        "b",
    ),
    ("### Final Answer\n\n**b**", "b"),
    ("**Final Answer: d.** The others fail.", "d"),
    ("$$\n\\boxed{\\text{Option c}}\n$$", "c"),
    ("$\\boxed{\\text{c}}$ is my choice", "c"),
    ("The answer: \\( \\boxed{d} \\)", "d"),
    ("Correct answer: C. Incorrect: A, B, D.", "c"),
    ("A: wrong\nB: right\nC: wrong\nD: wrong\n\nAnswer: B", "b"),
    ("The answer is A.", "a"),
    ("The answer is a.", "a"),
    ("answer is (A) because of Article 3", "a"),
    ("Answer: (b) – see Article 2, Paragraph 3", "b"),
    ("Answer: b, because Article 2 says so; a, c and d do not apply.", "b"),
    ("Answer: d. Article 3-6 of the Order (not a, b or c)", "d"),
    ("The correct answer is not a but c.", "c"),
    ("Answer: c\n\nReasoning: the answer could also be b, but c fits better.", "c"),
    ("Answer: c\n\n(If the deadline were different, the answer would be d.)", "c"),
    (
        (
            "Initially I thought the answer is a. However, after reading [2], the correct ans"
            "wer is c."
        ),
        "c",
    ),
    ("Answer: a\n\nActually, let me reconsider. Paragraph 2 excludes it.\n\nAnswer: b", "b"),
    ("Question: Which one?\nChoices:\na x y\nb y z\nc z w\nd w v\nAnswer: c", "c"),
    (
        (
            "Answer: c\n\nQuestion: Which other one?\nChoices:\na x y\nb y z\nc z w\nd w v\nR"
            "easoning: ...\nAnswer: a"
        ),
        "c",
    ),
    (
        (
            "Let's test with an example. Suppose the question was: which is even? A) 3 B) 4. "
            "Then the answer is B.\n\n---\n\nFor the actual question, the answer is d."
        ),
        "d",
    ),
    ("Ans: b", "b"),
    ("The best choice seems to be c.", "c"),
    ("c, I think.", "c"),
    (
        (
            "Answer: d\n\n**Question 2:** Which of these is exempt?\n\na) first thing\nb) sec"
            "ond thing\nc) third thing\nd) fourth thing\n\nAnswer: b"
        ),
        "d",
    ),
    ("The option that violates the Act is d.", "d"),
    ("It is option b.", "b"),
    ("Option d.", "d"),
    ("**Option d**", "d"),
    ("**d.** Article 3", "d"),
    ("d: because of [1].", "d"),
    ("Choice: b", "b"),
    ("My choice is b.", "b"),
    ("Selected answer: b", "b"),
    ("Correct option - b", "b"),
    ("The correct answer is:\n\n- **b**", "b"),
    ("The correct answer is:\n\n> b) A company", "b"),
    ("The correct answer is **(b) A company must file**.", "b"),
    ('The correct answer is "c".', "c"),
    ("the answer is: c.", "c"),
    ("ANSWER: D", "d"),
    ("ANSWER IS D", "d"),
    ("The answer is d.\n\nd", "d"),
    ('```json\n{"answer": "b", "confidence": 0.8}\n```', "b"),
    ("{'answer': 'd'}", "d"),
    (
        (
            "For example, Article 3 requires a filing by the company itself, so the correct a"
            "nswer is c."
        ),
        "c",
    ),
    ("Answer: b is not permitted under the Act, so b.", "b"),
    (
        (
            "Reasoning: None of the listed laws covers cosmetics. Therefore, none of the opti"
            "ons (a–d) can be confirmed. In practice, Japanese law requires labelling, which"
            " matches option c.\n\nAnswer: None of the options are supported by the provision"
            "s. However, under general law, **c** would be the most appropriate choice."
        ),
        "c",
    ),
    (
        ("Therefore, the answer cannot be determined. However, the most likely answer is **d**."),
        "d",
    ),
    (
        (
            "the correct answer is **not explicitly listed** among the options. The closest o"
            "ption is **c**."
        ),
        "c",
    ),
    ("Since none of the options mentions this, the best answer is **a**.", "a"),
    ("None of the options a–d mentions the rule, but **option d** is the closest.", "d"),
    (
        (
            "Based on the process of elimination, **option b** is the most appropriate answer"
            ".\n\n**Answer: b**"
        ),
        "b",
    ),
    ("Although option a seems correct, option c is the correct answer.", "c"),
    (
        (
            "Option a seems to be the correct answer at first, but it is not. Option d is the"
            " correct answer."
        ),
        "d",
    ),
    (
        (
            "The correct answer would be option a if the contract were oral, but it was writt"
            "en; thus the answer is c."
        ),
        "c",
    ),
    ("**Option c** is incorrect, so **c** is the answer to the question.", "c"),
    ("Option d is the only incorrect statement.", "d"),
    ("Thus, the incorrect one is **d**.", "d"),
    ("The exception is c.", "c"),
    ("Hence option a.", "a"),
    ("Thus: b", "b"),
    ("I think it's b.", "b"),
    ("I believe the answer is d, but I'm not sure.", "d"),
    ("I would go with a.", "a"),
    ("My guess is c.", "c"),
    ("Answer is c", "c"),
    ("b\n\nb\n\nExplanation: because c is wrong.", "b"),
]


@pytest.mark.parametrize(("text", "label"), COMMITTED)
def test_committed_in_english(text: str, label: Label | None) -> None:
    assert parse(text).label == label


UNCOMMITTED: list[tuple[str, Label | None]] = [
    (
        (
            "None of the options matches. The closest would be option b, but it cannot be sel"
            "ected because the law is not given. Therefore no answer can be given."
        ),
        None,
    ),
    ("Answer: b or d", None),
    ("Answer: **b** and **d** are both correct.", None),
    ("To answer this question, consider a tenant who dies. A landlord may object.", None),
    ("An answer based on a strict reading is not possible.", None),
    ("Answer: It depends on a number of factors.", None),
    ("Answer: The question is based on a law not provided. No option can be selected.", None),
    ("Options a and b are wrong. Options c and d are wrong too.", None),
    ("Option a is about filings. Option b concerns deadlines. Option c", None),
    ("A. wrong\nB. wrong\nC. wrong", None),
    ("I am unable to answer since the text is missing.", None),
    ("The correct answer is not listed among a, b, c and d.", None),
    ("Reasoning: Paris is the capital.\nAnswer: Paris.", None),
    ("abcd", None),
    ("Answer:", None),
    ("Plan B is better.", None),
    ("I got an A in law.", None),
    ("vitamin c.", None),
    ("cccccccccccccccccccc", None),
    ("None.", None),
    ("None", None),
    ("null", None),
    ("I don't know.", None),
    ("Sure! Please provide the question.", None),
    (
        (
            "Reasoning: The provisions are unrelated. If we had to guess, b would be plausibl"
            "e. But the instructions forbid guessing.\n\nAnswer: None of the options can be v"
            "alidated based on the provided texts."
        ),
        None,
    ),
    ("Answer: The correct answer is not provided in the options.", None),
    ("Answer: None. The question should be revised.", None),
    ("Answer: [No correct answer provided in the options]", None),
    ("Answer: (None of the above)", None),
    ("Answer: **No correct option**", None),
    ("Answer: Not determinable from the provisions", None),
    ("Answer: All of the options are correct.", None),
    ("Answer: All of the above", None),
    ("Answer: Both a and c", None),
    ("Answer: a, b, and c", None),
    ("Answer: **a** and **b**", None),
    ("Answer: a (if the deadline applies) or b (otherwise)", None),
    ("Answer: Either c or d", None),
    ("Answer: Insufficient information", None),
    ("Only option b violates Article 3.", None),
    ("Perhaps b?", None),
    (
        (
            "It seems like your message got cut off. Could you clarify which of a, b, c or d "
            "you mean?"
        ),
        None,
    ),
    (
        (
            "It looks like you've pasted the same text several times. Option A: summarise it."
            " Option B: translate it. Which would you prefer?"
        ),
        None,
    ),
    (
        (
            "If you are asking about option a, then Article 3 applies. If you are asking abou"
            "t option b, Article 4 applies."
        ),
        None,
    ),
    ("Here are your choices:\nA) Start over\nB) Continue\nC) Stop\nLet me know!", None),
]


@pytest.mark.parametrize(("text", "label"), UNCOMMITTED)
def test_uncommitted_in_english(text: str, label: Label | None) -> None:
    assert parse(text).label == label
