"""A run as lm-evaluation-harness logs one: `results_DATE.json` and `samples_TASK_DATE.jsonl`.

The layout is that of `EvaluationTracker` and `result_schema.py` in lm_eval 0.4.13. A loglikelihood there is a
natural logarithm and not normalised over the choices; ours becomes one by adding the logarithm of the labels'
joint probability.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator
from pathlib import Path

from lawqa._version import __version__
from lawqa.choices import LABELS
from lawqa.files import JsonObject, write_json, written_whole
from lawqa.pipelines.interchange.described import Described, document, measured, moment
from lawqa.runs.result import Result
from lawqa.scoring import ScoredAnswer


def lm_eval_files(seen: Described, folder: Path) -> tuple[Path, Path]:
    """Return where the results and the samples of a run go: lm-eval's own names below its `--output_path`."""
    date = moment(seen.started).isoformat().replace(":", "-")
    place = folder / re.sub(r"[\"<>:/|\\?*\[\]]+", "__", seen.model)
    return place / f"results_{date}.json", place / f"samples_{seen.task}_{date}.jsonl"


def write_lm_eval_log(seen: Described, results: Path, samples: Path) -> None:
    """Write both files, a line of samples for each stored answer."""
    hashes = hashlib.sha256()
    with written_whole(samples) as file:
        for sample in _samples(seen):
            for part in ("doc_hash", "prompt_hash", "target_hash"):
                hashes.update(sample[part].encode())
            file.write(json.dumps(sample, ensure_ascii=False) + "\n")
    write_json(results, _results(seen, hashes.hexdigest()))


def _samples(seen: Described) -> Iterator[JsonObject]:
    answers = seen.run.answers(seen.reading)
    for number, (result, answer) in enumerate(zip(seen.run.results, answers, strict=True)):
        yield _sample(number, result, answer)


def _sample(number: int, result: Result, answer: ScoredAnswer) -> JsonObject:
    doc = {**document(result), "lawqa": {**measured(result), "outcome": answer.outcome}}
    target = LABELS.index(result.gold) if result.answer_by == "logits" else result.gold
    prompt = result.prompt or result.question
    if result.answer_by == "logits":
        # lm-eval's second value: whether the label was the likeliest of all tokens, sure above one half.
        metric = "acc"
        scored = [[repr(one), str(one > math.log(0.5))] for one in loglikelihoods(result)]
        arguments = {
            f"gen_args_{i}": {"arg_0": prompt, "arg_1": label} for i, label in enumerate(LABELS)
        }
        resps: list[object] = [[pair] for pair in scored]
        filtered: list[object] = [*scored]
    else:
        metric, arguments = "exact_match", {"gen_args_0": {"arg_0": prompt, "arg_1": "{}"}}
        resps, filtered = [[result.response]], [answer.predicted or "[invalid]"]
    return {
        "doc_id": number,
        "doc": doc,
        "target": str(target),
        "arguments": arguments,
        "resps": resps,
        "filtered_resps": filtered,
        "filter": "none" if result.answer_by == "logits" else "lawqa",
        "metrics": [metric],
        "doc_hash": _hash(json.dumps(doc, indent=2, ensure_ascii=False)),
        "prompt_hash": _hash(prompt),
        "target_hash": _hash(str(target)),
        metric: float(answer.outcome == "correct"),
    }


def loglikelihoods(result: Result) -> tuple[float, ...]:
    """Return the logarithms of the labels' probabilities as next token; NaN where none were scored.

    Where a run does not say how much probability the labels had together, they are normalised over the four.
    """
    if result.label_logprobs is None:
        return (math.nan,) * len(LABELS)
    mass = result.label_mass
    together = math.log(mass) if mass else 0.0
    return tuple(value + together for value in result.label_logprobs)


def _results(seen: Described, task_hash: str) -> JsonObject:
    answers = seen.run.answers(seen.reading)
    right = sum(answer.outcome == "correct" for answer in answers) / len(answers)
    spread = math.sqrt(right * (1 - right) / max(len(answers) - 1, 1))
    name = "acc,none" if seen.by_probability else "exact_match,lawqa"
    metric, filtered = name.split(",")
    task = seen.task
    counts = {"original": len(answers), "effective": len(answers)}
    return {
        "results": {task: {"alias": task, name: right, f"{metric}_stderr,{filtered}": spread}},
        "group_subtasks": {task: []},
        "configs": {
            task: {
                "task": task,
                "output_type": "multiple_choice" if seen.by_probability else "generate_until",
                "metadata": {"version": 1.0, "lawqa": seen.said()},
            }
        },
        "versions": {task: 1.0},
        "n-shot": {task: 0},
        "higher_is_better": {task: {metric: True}},
        "n-samples": {task: counts},
        "config": {"model": "lawqa", "model_args": seen.model},
        "date": moment(seen.started).timestamp(),
        "exported_by": f"lawqa {__version__}",
        "task_hashes": {task: task_hash},
        "model_source": "lawqa",
        "model_name": seen.model,
    }


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
