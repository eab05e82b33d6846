"""A run as a log of inspect_ai, version 2: one JSON file, or a .eval archive.

The layout is that of `EvalLog` in inspect_ai 0.3 (https://inspect.aisi.org.uk/eval-logs.html). It is written
without inspect_ai, which needs fifty packages; the tests open it with the real one. `inspect view` lists
every .eval file of a directory, but JSON only under names that begin with the time.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lawqa._version import __version__
from lawqa.files import UNSTORABLE, JsonObject, replaced_whole, write_json
from lawqa.made import Made
from lawqa.pipelines.interchange.described import Described, document, measured
from lawqa.questions import choices_text
from lawqa.runs.result import Result
from lawqa.scoring import ScoredAnswer

LOG_VERSION = 2
SCORER = "lawqa"
_STATUS = {"done": "success", "interrupted": "cancelled", "failed": "error", "running": "started"}
_STOPS = {"end": "stop", "limit": "max_tokens", "final-answer": "stop", "loop": "stop"}


def write_inspect_log(seen: Described, path: Path) -> None:
    """Write the log of a run; inspect_ai distinguishes its two forms by the ending of the name."""
    log = inspect_log(seen)
    if path.suffix.lower() == ".json":
        write_json(path, log)
        return
    with replaced_whole(path) as temporary, ZipFile(temporary, "w", ZIP_DEFLATED) as archive:
        for sample in log["samples"]:
            _put(archive, f"samples/{sample['id']}_epoch_{sample['epoch']}.json", sample)
        with archive.open(_entry("summaries.json"), "w") as file:
            for number, sample in enumerate(log["samples"]):
                file.write(b", " if number else b"[")
                file.write(_json_bytes(_summary(sample)))
            file.write(b"]")
        _put(archive, "header.json", {key: log[key] for key in log if key != "samples"})


def _put(archive: ZipFile, name: str, content: object) -> None:
    archive.writestr(_entry(name), _json_bytes(content))


def _entry(name: str) -> ZipInfo:
    """Return a compressed entry; its date is fixed: the same run gives the same file."""
    info = ZipInfo(name)
    info.compress_type = ZIP_DEFLATED
    return info


def _json_bytes(content: object) -> bytes:
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", UNSTORABLE)


def _summary(sample: JsonObject) -> JsonObject:
    """Return what a list of samples shows of one."""
    kept = ("id", "epoch", "input", "choices", "target", "metadata", "model_usage")
    short = {key: sample[key] for key in kept}
    scores = {
        name: {key: score[key] for key in ("value", "answer")}
        for name, score in sample["scores"].items()
    }
    failed = {"error": sample["error"]["message"]} if "error" in sample else {}
    return {**short, "scores": scores, "completed": True, **failed}


def inspect_log(seen: Described) -> JsonObject:
    """Return the log: a sample a prompt, an epoch a sample of it."""
    run = seen.run
    answers = run.answers(seen.reading)
    seen_of_all = _Seen(run.results)
    several = len(seen_of_all.orders) > 1

    def sample(place: int) -> JsonObject:
        return _sample(run.results[place], answers[place], seen.model, several=several)

    return {
        "version": LOG_VERSION,
        "status": _STATUS[run.manifest.status] if run.manifest else "success",
        "eval": _spec(seen, seen_of_all.sample_ids(several=several), epochs=seen_of_all.epochs),
        "plan": {"name": "lawqa", "steps": [], "config": {}},
        "results": _results(answers),
        "stats": {
            "started_at": seen.started,
            "completed_at": (run.manifest.ended if run.manifest else None) or seen.started,
            "model_usage": {seen.model: _usage(seen_of_all.read, seen_of_all.written)},
        },
        "samples": Made(sample, range(len(run.results))),
    }


class _Seen:
    """What the head of a log says of all results, seen in one pass over them."""

    def __init__(self, results: Iterable[Result]) -> None:
        self.orders: set[int] = set()
        self.epochs = 1
        self.read = self.written = 0
        self._prompts: dict[tuple[str, int], None] = {}
        for result in results:
            self.orders.add(result.order_number)
            self.epochs = max(self.epochs, 1 + result.repeat)
            self.read += result.prompt_tokens or 0
            self.written += result.completion_tokens or 0
            self._prompts[result.question_id, result.order_number] = None

    def sample_ids(self, *, several: bool) -> list[str]:
        """Return the ids of the samples, each once, in stored order."""
        return list(dict.fromkeys(_sample_id(*one, several=several) for one in self._prompts))


def _spec(seen: Described, sample_ids: list[str], *, epochs: int) -> JsonObject:
    manifest = seen.run.manifest
    # The same run gives the same ids, so that a second export is not a second evaluation.
    identity = hashlib.sha256(
        f"{seen.run.path.name} {seen.started} {seen.model}".encode(errors="surrogatepass")
    ).hexdigest()
    return {
        "eval_id": identity[:22],
        "run_id": identity[22:44],
        "created": seen.started,
        "task": seen.task,
        "task_id": identity[44:66],
        "task_version": 1,
        "dataset": {
            "name": "lawqa_jp",
            "samples": len(sample_ids),
            "sample_ids": sample_ids,
            "shuffled": False,
        },
        "model": seen.model,
        "config": {"epochs": epochs},
        "packages": {
            "lawqa": str((manifest.environment if manifest else {}).get("lawqa") or __version__)
        },
        "scorers": [{"name": SCORER, "metrics": [{"name": "accuracy"}, {"name": "stderr"}]}],
        "metadata": {"lawqa": seen.said()},
    }


def _results(answers: tuple[ScoredAnswer, ...]) -> JsonObject:
    accuracy = sum(answer.outcome == "correct" for answer in answers) / len(answers)
    failed = sum(answer.outcome == "failed" for answer in answers)
    spread = math.sqrt(accuracy * (1 - accuracy) / max(len(answers) - 1, 1))
    metrics = {"accuracy": accuracy, "stderr": spread}
    return {
        "total_samples": len(answers),
        "completed_samples": len(answers) - failed,
        "scores": [
            {
                "name": SCORER,
                "scorer": SCORER,
                "scored_samples": len(answers),
                "unscored_samples": 0,
                "metrics": {
                    name: {"name": name, "value": value} for name, value in metrics.items()
                },
            }
        ],
    }


def _sample(result: Result, answer: ScoredAnswer, model: str, *, several: bool) -> JsonObject:
    asked = result.prompt or f"{result.question}\n\n{choices_text(result.choices)}"
    usage = _usage(result.prompt_tokens or 0, result.completion_tokens or 0)
    answered = {
        "role": "assistant",
        "content": result.response,
        "source": "generate",
        "model": model,
    }
    sample: dict[str, object] = {
        "id": _sample_id(result.question_id, result.order_number, several=several),
        "epoch": result.repeat + 1,
        "input": result.question,
        "choices": list(result.choices),
        "target": result.gold.upper(),
        "messages": [{"role": "user", "content": asked, "source": "input"}, answered],
        "output": {
            "model": model,
            "choices": [{"message": answered, "stop_reason": _stop(result)}],
            "completion": result.response,
            "usage": usage,
            "time": result.seconds,
            "error": result.error,
        },
        "scores": {
            SCORER: {
                "value": "C" if answer.outcome == "correct" else "I",
                "answer": answer.predicted.upper() if answer.predicted else "",
                "explanation": result.response or result.error,
                "metadata": {"outcome": answer.outcome},
            }
        },
        "metadata": {**document(result), "lawqa": measured(result)},
        "model_usage": {model: usage},
    }
    if result.is_failed:
        message = result.error or "the backend broke"
        sample["error"] = {"message": message, "traceback": message, "traceback_ansi": message}
    return sample


def _sample_id(question_id: str, order_number: int, *, several: bool) -> str:
    """Name a sample after its question, and its choice order where several were shown."""
    return f"{question_id}#{order_number}" if several else question_id


def _stop(result: Result) -> str:
    return _STOPS.get(result.stopped or "end", "unknown")


def _usage(read: int, written: int) -> JsonObject:
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}
