"""Write what the trials beside other tools work on, questions to runs: toy.py DIR."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import lawqa
from lawqa.demo import write_toy

RUNS = {
    "base": (False, None),
    "base4": (True, None),
    "tuned4": (True, "adapter"),
    "tuned": (False, "adapter"),
}
"""A run's name, whether the model is in 4 bits, and its adapter."""


def main(directory: str) -> None:
    """Write the files of 40 training and 20 test questions, and lawqa's own runs."""
    write_toy(directory, questions=60)
    os.chdir(directory)
    parts = lawqa.split("selection.json", "split", test_size=20)
    records = lawqa.make_records(parts.paths["train"], "train.jsonl")
    lawqa.train(
        lawqa.TrainingRun(
            train_file=records.path,
            output_dir=Path("adapter"),
            model_name="model",
            load_in_4bit=True,
            training=lawqa.Hyperparameters(
                num_epochs=2, learning_rate=5e-3, batch_size=4, gradient_accumulation_steps=2
            ),
        )
    )
    for name, (four, adapter) in RUNS.items():
        run = lawqa.evaluate(
            lawqa.EvaluationConfig(
                parts.paths["test"],
                model_name="model",
                load_in_4bit=four,
                no_4bit=not four,
                adapter=Path(adapter) if adapter else None,
                run_dir=Path(f"runs/{name}"),
                label_forms="letter",
            )
        )
        print(name, run.summary.final.accuracy)


if __name__ == "__main__":
    main(sys.argv[1])
