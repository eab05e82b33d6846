"""How much memory and time the commands take on a set and its runs as the number of questions grows.

    python benchmarks/scale.py 1000 10000 100000 --folder FOLDER [--only evaluate,compare] [--package TREE]

Makes a set of questions of the size of lawqa_jp's (2.7 KB each), asks them of a table that answers at
once, and runs on the two stored runs whatever reads one. Prints a Markdown table: the peak of resident
memory (that of the process, from `wait4`) and the seconds of each command, and what a further question
costs. `--package` measures the lawqa of another working tree.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_LAWS = ("金商法", "借地借家法", "薬機法")
_SENTENCE = (
    "第{}項の規定により届出書を提出した者は、内閣府令で定めるところにより、"
    "その書面を交付しなければならない。"
)
_ANSWERS = {"one": "この条文によれば届出は不要である。\n最終回答：c", "two": "最終回答：a"}


@dataclass(frozen=True)
class Measured:
    """What one command took."""

    mib: float
    """The most memory that was resident, MiB."""
    seconds: float
    """From its start to its end."""
    code: int
    """Its exit status."""


def write_set(path: Path, number: int) -> None:
    """Write a set of questions in lawqa_jp's layout, one after the other."""
    with path.open("w", encoding="utf-8") as file:
        file.write('{"samples": [\n')
        for count in range(number):
            context = "".join(_SENTENCE.format(count + line) for line in range(11))
            sample = {
                "ファイル名": f"{_LAWS[count % 3]}_第2章_選択式_関連法令_問題番号{count + 1}",
                "コンテキスト": context,
                "問題文": f"次のうち、第{count}条の届出について正しいものを一つ選びなさい。",
                "指示": "法令に照らして、選択肢から一つ選びなさい。",
                "選択肢": "\n".join(f"{label} 届出は{count}日以内に{who}が行う。" for label, who in zip(
                    "abcd", ("取締役", "監査役", "株主", "従業員"), strict=True)),
                "output": "abcd"[count % 4],
                "references": [f"https://laws.e-gov.go.jp/law/{count:06}"],
            }  # fmt: skip
            file.write((",\n" if count else "") + json.dumps(sample, ensure_ascii=False))
        file.write("\n]}\n")


def commands(folder: Path) -> dict[str, list[str]]:
    """The commands by what the table calls them, each after those that it needs."""
    one, two, data = (str(folder / name) for name in ("one", "two", "set.json"))
    ask = ["evaluate", "--data", data, "--llm-backend", "scripted", "--answer-by", "generate",
           "--mode", "cot", "--quiet"]  # fmt: skip
    out = str(folder / "out")
    return {
        "evaluate": [*ask, "--script", str(folder / "one.json"), "--run-dir", one],
        "evaluate, other answers": [*ask, "--script", str(folder / "two.json"), "--run-dir", two],
        "evaluate --resume, done": [*ask, "--script", str(folder / "one.json"), "--run-dir", one, "--resume"],
        "evaluate --resume, half": [*ask, "--script", str(folder / "one.json"), "--run-dir", f"{one}-half",
                                    "--resume"],
        "rescore --write": ["rescore", one, "--write"],
        "compare": ["compare", one, two],
        "export csv": ["export", one, "--format", "csv", "--output-path", f"{out}.csv"],
        "export parquet": ["export", one, "--format", "parquet", "--output-path", f"{out}.parquet"],
        "export lm-eval": ["export", one, "--format", "lm-eval", "--output-path", f"{out}-lm-eval"],
        "export inspect": ["export", one, "--format", "inspect", "--output-path", f"{out}.eval"],
        "report": ["report", one, two, "-o", f"{out}.html"],
        "runs list": ["runs", "list", str(folder)],
        "runs show": ["runs", "show", one],
        "runs diff": ["runs", "diff", one, two],
        "data check": ["data", "check", data],
    }  # fmt: skip


def halve(folder: Path) -> None:
    """Make a run of which half the answers are known, as an interrupt leaves it."""
    half = folder / "one-half"
    shutil.copytree(folder / "one", half)
    with (folder / "one" / "results.jsonl").open("rb") as lines:
        kept = list(lines)
    (half / "results.jsonl").write_bytes(b"".join(kept[: len(kept) // 2]))
    (half / "summary.json").unlink()


_BEFORE: Mapping[str, Callable[[Path], None]] = {"evaluate --resume, half": halve}


def measured(command: Sequence[str], package: Path) -> Measured:
    """Run one command of lawqa and measure it."""
    start = time.perf_counter()
    process = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "lawqa", *command], cwd=package,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(package)},
    )  # fmt: skip
    said = process.stderr.read().decode() if process.stderr else ""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        print(
            f"# {' '.join(command[:2])}: exit {process.returncode}: {said[-500:]}", file=sys.stderr
        )
    return Measured(usage.ru_maxrss / 1024, time.perf_counter() - start, process.returncode)


def measure_all(
    folder: Path, number: int, package: Path, only: Sequence[str]
) -> dict[str, Measured]:
    """Every command on a set of this many questions."""
    place = folder / str(number)
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    write_set(place / "set.json", number)
    for name, text in _ANSWERS.items():
        (place / f"{name}.json").write_text(json.dumps({"*": text}), encoding="utf-8")
    results = {}
    for name, command in commands(place).items():
        if (
            only
            and not any(name.startswith(one) for one in only)
            and not name.startswith("evaluate")
        ):
            continue
        if name in _BEFORE:
            _BEFORE[name](place)
        results[name] = measured(command, package)
        print(f"# {number} {name}: {results[name]}", file=sys.stderr, flush=True)
    return results


def table(results: Mapping[int, Mapping[str, Measured]]) -> str:
    """The results as a Markdown table."""
    numbers = sorted(results)
    heads = ["command", *(f"{number:,}" for number in numbers), "a further question"]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for name in results[numbers[0]]:
        cells = [
            f"{one.mib:,.0f} MiB, {one.seconds:,.1f} s" + (f", exit {one.code}" if one.code else "")
            for one in (results[number][name] for number in numbers)
        ]
        first, last = results[numbers[0]][name], results[numbers[-1]][name]
        each = (last.mib - first.mib) * 2**20 / max(numbers[-1] - numbers[0], 1)
        lines.append("| " + " | ".join([name, *cells, f"{each:,.0f} bytes"]) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure what the arguments name and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("numbers", type=int, nargs="+")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--package", type=Path, default=Path(__file__).resolve().parents[1])
    args = parser.parse_args()
    only = [one for one in args.only.split(",") if one]
    folder = args.folder.resolve()
    print(table({n: measure_all(folder, n, args.package.resolve(), only) for n in args.numbers}))


if __name__ == "__main__":
    main()
