"""How fast the answer parser reads: typical outputs per second, and milliseconds for a megabyte of trouble.

    python benchmarks/parser.py

The typical outputs are made up here; the labelled real outputs are timed as well where they are at hand.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from lawqa.answers import parse

FOLDER = Path(__file__).resolve().parents[2] / "shared/data/real_outputs"
SIZE = 1_000_000
CHOICES = (
    "届出書を提出した会社の取締役は、その責任を負う。",
    "届出書を提出した会社の監査役は、その責任を負う。",
    "届出書を提出した会社の株主は、その責任を負う。",
    "届出書を提出した会社の従業員は、その責任を負う。",
)
JAPANESE = "この規定は事業者に書面の交付を求めており、要件を満たさない限り届出は受理されません。"
ENGLISH = (
    "The provision asks the issuer to file a report before the offer, unless an exception applies. "
)
CUE = "回答（1文字のみ）: "


def typical_outputs() -> list[str]:
    """Outputs like those of Qwen3 under direct and chain-of-thought prompts, in like proportions."""
    reasoned = [
        f"Reasoning:\n1. {ENGLISH * 9}\n2. **Option c** is the exception.\n\nAnswer: c",
        f"Reasoning: {JAPANESE * 5}選択肢bがこれに当たります。\nAnswer: b",
        f"### 検討\n\n- a: 誤り。{JAPANESE * 3}\n- b: 正しい。{JAPANESE * 3}\n\n**正解：b**",
        f"a\n{JAPANESE * 4}\n" + f"{CUE}a\n" * 150 + "回答（1",
        f"？\n{JAPANESE * 5}したがって、正しい選択肢は d です。\n" + "d\n" * 80,
        f"{ENGLISH * 8}\n\nAnswer: None of the options is supported by the provisions.",
    ]
    return ["a", "b", "c", "d", "**d**", "c\n"] * 2 + reasoned * 3


def megabytes() -> dict[str, str]:
    """Texts of a million characters that a careless pattern would choke on."""
    shuffle = random.Random(0)  # noqa: S311 - not a secret, a fixed sequence
    return {
        "digits": "1" * SIZE,
        "spaces": "a" + " " * SIZE + "b",
        "line ends": "\n" * SIZE + "a",
        "opening brackets": "（" * SIZE,
        "mixed brackets": "[(" * (SIZE // 2),
        "cues": "回答" * (SIZE // 2),
        "cues cut off": "回答（1" * (SIZE // 4),
        "English cues": "Answer: " * (SIZE // 8),
        "boxes": "\\boxed{" * (SIZE // 7),
        "lone letters in a line": "a " * (SIZE // 2),
        "lone letters on lines": "a\n" * (SIZE // 2),
        "all letters on lines": "a\nb\nc\nd\n" * (SIZE // 8),
        "answer lines": f"{CUE}a\n" * (SIZE // 13),
        "numbered answer lines": "".join(f"回答 {i}: a\n" for i in range(SIZE // 12)),
        "answer sentences": "正解は a です。" * (SIZE // 9),
        "refusals": "正しい選択肢は存在せず、判断することができません。" * (SIZE // 25),
        "open think blocks": "<think>" * (SIZE // 7),
        "empty think blocks": "<think></think>" * (SIZE // 15),
        "chat tokens": "<|im_end|>" * (SIZE // 10),
        "made-up prompts": "c\n" + "質問: x\na 甲\nb 乙\nc 丙\nd 丁\n回答: a\n" * (SIZE // 30),
        "zero-width signs before a letter": "答え：" + "\u200b" * SIZE + "c",
        "zero-width signs between letters": "a\u200b" * (SIZE // 2),
        "spaces before a letter": "答え：" + " " * SIZE + "c",
        "marks of direction": "\u202e\u2066答え：c\u2069\u202c" * (SIZE // 8),
        "nested boxes": "\\boxed{" * (SIZE // 7) + "c",
        "tags": "<b>" * (SIZE // 3),
        "channels": "<|channel|>analysis<|message|>a<|end|>" * (SIZE // 38),
        "marks cut off": "".join(shuffle.choices(["<|", "<t", "[T", "</", "◁"], k=SIZE // 2)),
        "one choice again and again": f"最も適切なのは{CHOICES[1]}である。" * (SIZE // 35),
        "all choices in turn": "".join(
            f"{i}. {CHOICES[i % 4]}（{'abcd'[i % 4]}）が正しい。\n" for i in range(SIZE // 40)
        ),
        "quotations": "「" + "」「" * (SIZE // 2),
        "brackets with a letter": "".join(f"第{i}の場合（a）と" for i in range(SIZE // 12)),
        "soft words": "".join(f"{i}条ではbかもしれません。" for i in range(SIZE // 16)),
        "Chinese verbs": "".join(f"第{i}条，故本题选A。" for i in range(SIZE // 14)),
        "table rows": "".join(f"| {'abcd'[i % 4]} | × | {i} |\n" for i in range(SIZE // 16)),
        "fields": "".join(f'{{"choice": "a", "n": {i}}}\n' for i in range(SIZE // 26)),
        **more_trouble(),
        "random letters": "".join(shuffle.choices("a b c d \n。が", k=SIZE)),
        "random cues": "".join(
            shuffle.choices(
                ["回答", "正解", "は", "(", "a", " ", "none of ", "Answer:"], k=SIZE // 3
            )
        ),
    }


def more_trouble() -> dict[str, str]:
    """More of them: patterns alone, and with something else between each time."""
    return {
        "nested boxes with a letter": "\\boxed{" * (SIZE // 14) + "a" + "}" * (SIZE // 2),
        "boxes of boxes, numbered": "".join(f"\\boxed{{{i}\\boxed{{" for i in range(SIZE // 20)),
        "right answers": "正解" * (SIZE // 2),
        "right answers, numbered": "".join(f"正解{i}" for i in range(SIZE // 8)),
        "samples": "".join(f"出力例{i}：\n" for i in range(SIZE // 10)),
        "formats": "".join(f"回答形式{i}は次の例のとおり、回答" for i in range(SIZE // 22)),
        "speakers": "c\n" + "".join(f"学生：{i}はどれか。\n" for i in range(SIZE // 14)),
        "verdicts in a line": "".join(f"{'abcd'[i % 4]}：× " for i in range(SIZE // 5)) + "→ b",
        "arrows": "→ b" * (SIZE // 3),
        "Roman numbers": "".join(f"正解は iii{i} " for i in range(SIZE // 14)),
        "ordinals": "".join(f"{i}番目が、" for i in range(SIZE // 10)),
        "comparisons": "".join(f"{i}よりはbの方が、" for i in range(SIZE // 14)),
        "exceptions": "".join(f"{i}、a以外に" for i in range(SIZE // 10)),
        "combining marks": "a\u0301" * (SIZE // 2),
        "one letter under many marks": "答え：a" + "\u0301" * SIZE,
        "isolates": "\u2067\u2066" * (SIZE // 2) + "c",
        "variation selectors": "c\ufe0f" * (SIZE // 2),
        "tags with attributes": '<span class="a">' * (SIZE // 16),
        "closing tags": "</b>" * (SIZE // 4),
        "elements": "<answer>" * (SIZE // 8),
        "numbered elements": "".join(f"<answer>{i}</answer>" for i in range(SIZE // 24)),
        "wide table": "|" + " a | b | c | d |" * (SIZE // 16),
        "table of circles": "".join(f"| {'abcd'[i % 4]} | ○ |\n" for i in range(SIZE // 11)),
        "every sign of Unicode": "".join(map(chr, range(0x20, 0xD800))) * 18,
        "signs beyond the plane": "".join(map(chr, range(0x10000, 0x10000 + SIZE))),
        "lone surrogates": "\ud800a" * (SIZE // 2),
        "underscores": "_a_" * (SIZE // 3),
        "struck out": "~~a~~" * (SIZE // 5),
        "backslashes": "\\" * SIZE,
        "quoted choices, broken": "".join(
            f"回答：{CHOICES[i % 4][:14]}{i}" for i in range(SIZE // 22)
        ),
        "doubts": "".join(f"いや、{i}は違う。" for i in range(SIZE // 12)),
        "colons": "回答：" + "：" * SIZE,
        "conditions": "もし" * (SIZE // 2) + "b",
        "one long sentence": "".join(f"b が、{i}" for i in range(SIZE // 8)),
    }


def seconds(work: Callable[[], object], repeats: int) -> float:
    """Processor time of the quickest of several runs; the machine may be busy with other work."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def report(name: str, texts: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Print how many of these outputs are read in a second."""
    took = seconds(lambda: [parse(text, choices) for text, choices in texts], 7)
    mean = sum(len(text) for text, _ in texts) / len(texts)
    print(f"{name:34} {len(texts) / took:9,.0f} outputs/s   (mean {mean:,.0f} characters)")


def _real(item: dict[str, Any]) -> tuple[str, Sequence[str]]:
    choices = item["choices"] or ()
    if isinstance(choices, str):
        choices = [choice[2:] for choice in choices.splitlines()]
    return item["response"], choices


def main() -> None:
    """Print both tables."""
    report("typical outputs", [(text, CHOICES) for text in typical_outputs()])
    for name in ("dev.jsonl", "world_dev.jsonl"):
        if (FOLDER / name).is_file():
            lines = (FOLDER / name).read_text(encoding="utf-8").splitlines()
            report(f"labelled outputs, {name}", [_real(json.loads(line)) for line in lines])
    print()
    for name, text in megabytes().items():
        took = seconds(partial(parse, text, CHOICES), 3)
        print(f"{name:34} {took * 1000:9.1f} ms")


if __name__ == "__main__":
    main()
