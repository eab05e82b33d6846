"""The test questions of `toy.py` as an inspect_ai task; `inspect eval inspect_task.py` runs it."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from inspect_ai import Epochs, Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.scorer import choice
from inspect_ai.solver import Generate, Solver, TaskState, multiple_choice, solver


@solver  # type: ignore[untyped-decorator]  # inspect_ai is not checked
def counted() -> Solver:
    """Append a line to `asked.txt` for each question; the KILL_AT-th one kills the process."""

    async def solve(state: TaskState, _generate: Generate) -> TaskState:
        with Path("asked.txt").open("a+", encoding="utf-8") as file:
            file.write(f"{state.sample_id}\n")
            file.seek(0)
            asked = len(file.readlines())
        if asked == int(os.environ.get("KILL_AT", "0")):
            os.kill(os.getpid(), signal.SIGKILL)
        return state

    return solve


@task  # type: ignore[untyped-decorator]  # inspect_ai is not checked
def four(
    file: str = "split/test.json", shuffle: int = -1, epochs: int = 1, count: bool = False
) -> Task:
    """Four choices, asked `epochs` times and answered by the mode; `shuffle` is the seed of the orders."""
    rows = json.loads(Path(file).read_text(encoding="utf-8"))["samples"]
    samples = [
        Sample(
            id=number,
            input=row["問題文"],
            choices=[line[2:] for line in row["選択肢"].splitlines()],
            target=row["output"].upper(),
        )
        for number, row in enumerate(rows)
    ]
    dataset = MemoryDataset(samples)
    if shuffle >= 0:
        dataset.shuffle_choices(seed=shuffle)
    steps = [counted(), multiple_choice()] if count else [multiple_choice()]
    return Task(dataset, solver=steps, scorer=choice(), epochs=Epochs(epochs, "mode"))
