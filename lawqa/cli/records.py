"""`lawqa records`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import FlagCreatePairsOff

from lawqa.cli.evaluate import DEFAULT_DATA
from lawqa.cli.prompt_options import (
    ConditionFlag,
    ModeFlag,
    require_no_retrieval,
    resolve_condition,
    resolve_mode,
)
from lawqa.errors import ConfigError
from lawqa.prompting import PromptSpec
from lawqa.questions import read_questions


@dataclass(frozen=True)
class Records:
    """Make training records of questions."""

    output_path: Path
    """The JSONL file to write."""
    lawqa_path: Path = DEFAULT_DATA
    """The questions: lawqa_jp JSON, or JSONL."""
    mode: ModeFlag = None
    """direct: one letter; cot: reasoning and a final answer line. Default direct."""
    condition: ConditionFlag = None
    """Context: none (closed), the data set's own (gold), retrieved (rag). Default closed."""
    no_rag: FlagCreatePairsOff[bool] = False
    """The same as --condition closed."""
    top_k: int | None = None
    """How many articles to retrieve."""
    index: Path | None = None
    """The retrieval index."""
    few_shot: bool = False
    """Put two solved questions before each question."""
    samples: int | None = None
    """Use only the first so many questions."""
    fresh: FlagCreatePairsOff[bool] = False
    """Replace an earlier file."""

    def run(self) -> int:
        from lawqa.records import make_record, write_records

        condition, remarks = resolve_condition(
            self.condition,
            no_rag=self.no_rag,
            retrieval_flags={"--top-k": self.top_k, "--index": self.index},
        )
        require_no_retrieval(condition, self.index)
        if self.samples is not None and self.samples < 1:
            raise ConfigError(f"--samples is {self.samples}, expected 1 or more")
        spec = PromptSpec(resolve_mode(self.mode), condition, few_shot=self.few_shot)
        questions = read_questions(self.lawqa_path)[: self.samples]
        records = [make_record(question, spec) for question in questions]
        if self.output_path.exists() and not self.fresh:
            raise ConfigError(f"{self.output_path}: exists already", "--fresh replaces it")
        for remark in remarks:
            print(f"note: {remark}", file=sys.stderr)
        write_records(self.output_path, records)
        print(f"wrote {len(records)} {spec.id} records to {self.output_path}")
        return 0
