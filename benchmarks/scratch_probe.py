"""What a network without pretraining learns of four-choice questions: is there a pattern in their form?

    python benchmarks/scratch_probe.py TRAIN.json HELD.json [--choices-only] [--epochs 4] [--layers 6]

A transformer of random weights reads each choice with its question and context, character by character, and
gives it a number; a softmax over the four is trained on the right one. No letter a-d is shown, so a lean to a
letter cannot arise. What it gets right on questions of other laws, above a quarter, can be got right by form
alone; `--choices-only` hides question and context. Prints the loss and the share right by kind of question,
with Wilson's interval. Any device; minutes on a card.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from lawqa.choices import LABELS
from lawqa.questions import Question, read_questions
from lawqa.scoring.accuracy import wilson

_PAD, _UNKNOWN, _SEPARATOR, _FIRST = 0, 1, 2, 3


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("train", type=Path, nargs="+", help="question files; the last is held out")
    parser.add_argument("--choices-only", action="store_true")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--questions", type=int, default=16, help="questions of a step")
    parser.add_argument(
        "--letters", type=int, default=1024, help="the most of a text; the context's end goes"
    )
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--width", type=int, default=384)
    parser.add_argument("--learning-rate", type=float, default=5e-4)
    parser.add_argument(
        "--seconds", type=float, default=600, help="no further epoch begins after them"
    )
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


class Reader(nn.Module):  # type: ignore[misc]  # torch is not checked
    """A number for each text: a transformer encoder's mean over the text, projected."""

    def __init__(self, letters: int, longest: int, width: int, layers: int) -> None:
        super().__init__()
        self.letter = nn.Embedding(letters, width)
        self.place = nn.Embedding(longest, width)
        layer = nn.TransformerEncoderLayer(
            width, width // 64, 4 * width, 0.1, "gelu", batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.score = nn.Linear(width, 1)

    def forward(self, ids: Tensor) -> Tensor:
        """The numbers, (texts,), of ids (texts, length) padded with 0."""
        hidden = self.letter(ids) + self.place.weight[: ids.shape[1]]
        hidden = self.blocks(hidden, src_key_padding_mask=ids == _PAD)
        seen = (ids != _PAD).unsqueeze(-1).to(hidden.dtype)
        return self.score((hidden * seen).sum(1) / seen.sum(1)).squeeze(-1).float()


def kind_of(question: Question) -> str:
    """What `lawqa augment statutes` calls the kind, from the id; lawqa_jp's questions are one kind."""
    match = re.match(r"生成_.+_(?P<kind>[^_0-9]+)_\d+$", question.id)
    return match["kind"] if match else "lawqa_jp"


def main() -> None:
    """Train, then score the held-out questions."""
    options = arguments()
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train = [question for path in options.train[:-1] for question in read_questions(path)]
    held = read_questions(options.train[-1])
    if not train:
        raise SystemExit("name a file to train on and one to score")
    counted = Counter(letter for question in train for letter in "".join(_parts(question, False)))
    known = {
        letter: _FIRST + place for place, (letter, n) in enumerate(counted.most_common()) if n > 1
    }
    texts = [_encoded(question, known, options) for question in train]
    reader = Reader(_FIRST + len(known), options.letters, options.width, options.layers).to(device)
    _train(reader, train, texts, options, device)
    right: dict[str, list[bool]] = defaultdict(list)
    reader.eval()
    with torch.no_grad(), torch.autocast(device.type, torch.bfloat16):
        for question in held:
            scores = reader(_batch([_encoded(question, known, options)], device))
            right[kind_of(question)].append(LABELS[int(scores.argmax())] == question.gold)
    for kind, answers in [*sorted(right.items()), ("all", [a for s in right.values() for a in s])]:
        interval = wilson(sum(answers), len(answers))
        print(f"{kind}: {sum(answers)} of {len(answers)}, {sum(answers) / len(answers):.1%} "
              f"({interval.low:.1%} to {interval.high:.1%})", flush=True)  # fmt: skip


def _parts(question: Question, choices_only: bool) -> tuple[str, ...]:
    return (
        question.choices if choices_only else (*question.choices, question.text, question.context)
    )


def _encoded(
    question: Question, known: dict[str, int], options: argparse.Namespace
) -> list[list[int]]:
    rest = "" if options.choices_only else f"{question.text}\n{question.context}"
    tail = [_SEPARATOR, *(known.get(letter, _UNKNOWN) for letter in rest)]
    return [
        ([known.get(letter, _UNKNOWN) for letter in choice] + tail)[: options.letters]
        for choice in question.choices
    ]


def _batch(questions: Sequence[list[list[int]]], device: torch.device) -> Tensor:
    texts = [torch.tensor(text) for question in questions for text in question]
    return nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=_PAD).to(device)


def _train(
    reader: Reader, train: Sequence[Question], texts: Sequence[list[list[int]]],
    options: argparse.Namespace, device: torch.device,
) -> None:  # fmt: skip
    golds = torch.tensor([LABELS.index(question.gold) for question in train])
    steps = options.epochs * -(-len(train) // options.questions)
    optimiser = torch.optim.AdamW(reader.parameters(), options.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.learning_rate, steps)
    print(
        f"{len(train):,} questions, {sum(p.numel() for p in reader.parameters()):,} numbers, {steps:,} steps"
    )
    began = time.perf_counter()
    for epoch in range(options.epochs):
        if time.perf_counter() - began > options.seconds:
            break
        total = torch.zeros((), device=device)
        order = torch.randperm(len(train))
        for first in range(0, len(train), options.questions):
            picked = order[first : first + options.questions].tolist()
            ids = _batch([texts[place] for place in picked], device)
            with torch.autocast(device.type, torch.bfloat16):
                scores = reader(ids).view(-1, len(LABELS))
            loss = functional.cross_entropy(scores, golds[picked].to(device))
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            total += loss.detach() * len(picked)
        print(f"epoch {epoch + 1}: loss {total.item() / len(train):.3f} (guessing 1.386), "
              f"{time.perf_counter() - began:.0f} s", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
