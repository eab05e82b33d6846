"""The solved questions that few-shot prompts show first."""

from __future__ import annotations

from dataclasses import dataclass

from lawqa.questions import Question


@dataclass(frozen=True)
class Example:
    """A solved question."""

    question: Question
    """The question, with its context and its right answer."""
    reasoning: str
    """What leads to the answer."""


# Two statutes of a few lines that neither lawqa_jp nor the embedded data set asks about.
FEW_SHOT = (
    Example(
        Question(
            id="例題",
            context="## 元号法\n#### 第1項\n元号は、政令で定める。\n"
            "#### 第2項\n元号は、皇位の継承があつた場合に限り改める。",
            text="元号法に基づき、元号を改める場合について正しいものを教えてください。",
            choices=(
                "元号は、国会の議決があった場合に改める",
                "元号は、内閣総理大臣が交代した場合に改める",
                "元号は、皇位の継承があった場合に限り改める",
                "元号は、一定の年数が過ぎるごとに改める",
            ),
            gold="c",
        ),
        "元号法は、元号を皇位の継承があつた場合に限り改めると定めている。"
        "国会の議決、内閣総理大臣の交代、年数の経過による改元は定められていない。",
    ),
    Example(
        Question(
            id="例題",
            context="## 国旗及び国歌に関する法律\n### 第1条\n#### 第1項\n国旗は、日章旗とする。\n"
            "### 第2条\n#### 第1項\n国歌は、君が代とする。",
            text="国旗及び国歌に関する法律の定めとして、誤っているものを教えてください。",
            choices=(
                "国旗は、日章旗である",
                "国旗は、都道府県ごとに定める",
                "国歌は、君が代である",
                "国旗と国歌は、ともに法律で定められている",
            ),
            gold="b",
        ),
        "国旗及び国歌に関する法律は、国旗を日章旗、国歌を君が代と定めている。"
        "国旗を都道府県ごとに定めるという規定はない。問題は誤っているものを求めている。",
    ),
)
"""In the sequence shown."""
