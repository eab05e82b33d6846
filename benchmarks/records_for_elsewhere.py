"""Write two of our own records and their form for LLaMA-Factory: records_for_elsewhere.py DIR."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import lawqa
from lawqa.demo import embedded_questions

PAGE = Path(__file__).parents[1] / "docs" / "serving.md"


def main(directory: Path) -> None:
    """Run the code of the page on two records, one without and one with a context."""
    for name in ("train.jsonl", "lawqa.jsonl"):
        (directory / name).unlink(missing_ok=True)
    lawqa.write_questions(directory / "q.json", embedded_questions()[:2])
    lawqa.make_records(
        directory / "q.json", directory / "train.jsonl", mix={"closed": 1, "gold": 1}
    )
    page = PAGE.read_text(encoding="utf-8")
    convert = re.search(r"<!-- llamafactory -->\n```python\n(.*?)```", page, re.DOTALL)
    described = re.search(r"<!-- dataset_info -->\n```json\n(.*?)```", page, re.DOTALL)
    if convert is None or described is None:
        raise SystemExit(f"{PAGE}: holds no code between its marks")
    code = convert[1].replace('"train.jsonl"', repr(str(directory / "train.jsonl")))
    code = code.replace('"data/lawqa.jsonl"', repr(str(directory / "lawqa.jsonl")))
    exec(compile(code, str(PAGE), "exec"), {})  # noqa: S102 - our own page
    info = json.loads(described[1])
    (directory / "dataset_info.json").write_text(json.dumps(info, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
