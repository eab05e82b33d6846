"""A task of lm-evaluation-harness that asks lawqa_jp's questions in lawqa's words.

The task is a YAML file and the few lines of Python that read the question file; it needs lm_eval and
nothing of lawqa. With lm-eval's `--apply_chat_template` its prompts are lawqa's, byte for byte.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from lawqa._version import __version__
from lawqa.amounts import counted
from lawqa.choices import FINAL_ANSWER_CUE, LABELS
from lawqa.errors import ConfigError
from lawqa.few_shot import FEW_SHOT
from lawqa.files import replaced_whole, write_text
from lawqa.pipelines.interchange.described import task_name
from lawqa.prompting import Condition, Mode, PromptSpec, answer_text, wording_hash
from lawqa.prompts import Wording, wording_of
from lawqa.questions import read_questions
from lawqa.runs.directory import claim_output
from lawqa.settings import STANDARD_PROMPT, StrPath, as_path, checks_arguments

_FLAG = "--output-path"
_UTILS, _DATA, _README = "utils.py", "selection.json", "README.md"
_CHOICE_LINES = "\n".join(f"{label} {{{{choices[{n}]}}}}" for n, label in enumerate(LABELS))
_MOST_TOKENS = 1024


@dataclass(frozen=True)
class WrittenTask:
    """A task that was written."""

    name: str
    """What `lm_eval --tasks` calls it."""
    files: tuple[Path, ...]
    """Its files, the task's own first."""
    spec: PromptSpec
    """How it asks."""


@checks_arguments
def export_task(
    output_path: StrPath,
    *,
    prompt: str = STANDARD_PROMPT,
    mode: Mode = "direct",
    condition: Condition = "closed",
    few_shot: bool = False,
    data: StrPath | None = None,
    fresh: bool = False,
) -> WrittenTask:
    """Write an lm-eval task of lawqa_jp with a wording of lawqa.

    Example:
        >>> import lawqa
        >>> lawqa.export_task("tasks", prompt="none")
        Traceback (most recent call last):
        lawqa.errors.ConfigError: --prompt none: no such wording

    Args:
        output_path: the task's directory; several tasks may share one.
        prompt: the id of the wording.
        mode: direct scores the four letters, cot generates and looks for the last answer line.
        condition: closed or gold; lm-eval has no retrieved contexts.
        few_shot: put two solved questions first.
        data: a question file to put beside the task; without it the reader brings lawqa_jp's own.
        fresh: replace earlier files of the same names.

    Raises:
        ConfigError: the wording is not known, the condition cannot be exported, or a file is there already.
        DataError: the question file cannot be read, or lacks contexts.
    """
    folder = as_path(output_path, "output_path")
    source = None if data is None else as_path(data, "data")
    if condition == "rag":
        raise ConfigError(
            "--condition rag: a task of lm-eval has no retriever",
            "--condition gold  shows the data set's own contexts",
        )
    spec = PromptSpec(mode, condition, few_shot=few_shot, wording=wording_of(prompt).id)
    if source is not None:
        _require_askable(source, spec)
    name = task_name(spec.id)
    task = folder / f"{name}.yaml"
    if folder.exists() and not folder.is_dir():
        raise ConfigError(
            f"{_FLAG} {folder}: is a file, expected a directory", f"{_FLAG} DIRECTORY"
        )
    utils, readme, questions = folder / _UTILS, folder / _README, folder / _DATA
    texts = {task: _yaml(name, spec), utils: _utils(), readme: _readme(name, spec)}
    for path, text in texts.items():
        # Tasks that share a directory share these two files.
        shared = path != task and path.is_file() and path.read_text(errors="replace") == text
        claim_output(path, _FLAG, fresh=fresh or shared)
    if source is not None:
        claim_output(questions, _FLAG, fresh=fresh, sources=(source,))
    for path, text in texts.items():
        write_text(path, text)
    if source is None:
        return WrittenTask(name, tuple(texts), spec)
    with replaced_whole(questions) as temporary:
        shutil.copyfile(source, temporary)
    return WrittenTask(name, (*texts, questions), spec)


def _require_askable(source: Path, spec: PromptSpec) -> None:
    """Refuse a file that lawqa itself could not ask."""
    if source.suffix == ".jsonl":
        raise ConfigError(
            f"--data {source}: is JSONL, and the task reads lawqa_jp's JSON",
            "lawqa.write_questions(PATH, lawqa.read_questions(FILE))  writes that",
        )
    questions = read_questions(source)
    without = [q.id for q in questions if spec.condition == "gold" and not q.context.strip()]
    if without:
        raise ConfigError(
            f"--data {source}: {counted(len(without), 'question has', 'questions have')} no "
            f"context, such as {without[0]}",
            "--condition closed",
        )


def _yaml(name: str, spec: PromptSpec) -> str:
    """Return the task's file; every text is a JSON string, which is YAML too."""
    wording = wording_of(spec.wording)
    lines = [
        f"# Written by lawqa {__version__}: prompt spec {spec.id}, wording {wording.id} "
        f"{wording_hash(wording.id)}.",
        "# Its prompts are lawqa's where lm_eval is given --apply_chat_template.",
        f"task: {name}",
        "custom_dataset: !function utils.load",
        "test_split: test",
        f"description: {_quoted(_literal(wording.system))}",
        f"doc_to_text: {_quoted(_user_turn(spec, wording))}",
        'target_delimiter: ""',
        *(_scored() if spec.mode == "direct" else _generated()),
        *_shots(spec),
        "metadata:",
        "  version: 1.0",
        f"  prompt_spec: {spec.id}",
        f"  needs_context: {str(spec.condition == 'gold').lower()}",
    ]
    return "\n".join(lines) + "\n"


def _scored() -> list[str]:
    return [
        "output_type: multiple_choice",
        f"doc_to_choice: {json.dumps(LABELS)}",
        f"doc_to_target: \"{{{{'{''.join(LABELS)}'.index(gold)}}}}\"",
        "metric_list:",
        "  - {metric: acc, aggregation: mean, higher_is_better: true}",
    ]


def _generated() -> list[str]:
    """Return greedy text, of which the last answer line counts; lawqa's own parser reads more of them."""
    answer = rf"{FINAL_ANSWER_CUE}\s*([a-dA-D])"
    return [
        "output_type: generate_until",
        'doc_to_target: "{{gold}}"',
        f"generation_kwargs: {{until: [], do_sample: false, max_gen_toks: {_MOST_TOKENS}}}",
        "filter_list:",
        "  - name: final-answer",
        "    filter:",
        f"      - {{function: regex, regex_pattern: {_quoted(answer)}, group_select: -1}}",
        "      - {function: take_first}",
        "metric_list:",
        "  - {metric: exact_match, aggregation: mean, higher_is_better: true, ignore_case: true}",
    ]


def _shots(spec: PromptSpec) -> list[str]:
    if not spec.few_shot:
        return ["num_fewshot: 0"]
    lines = ["num_fewshot: 2", "fewshot_config:", "  sampler: first_n", "  samples:"]
    for example in FEW_SHOT:
        question = example.question
        shown = {
            "id": question.id,
            "question": question.text,
            "choices": list(question.choices),
            "gold": question.gold,
            "context": question.context,
            "answer": answer_text(question.gold, spec, example.reasoning),
        }
        lines.append(f"    - {_quoted(shown)}")
    return [*lines, '  doc_to_target: "{{answer}}"']


def _user_turn(spec: PromptSpec, wording: Wording) -> str:
    """Return the template of a user's turn, in the sequence of `build_prompt`."""
    headings, shown = wording.headings, spec.condition == "gold"
    parts = [
        f"{_literal(headings['question'])}\n{{{{question}}}}",
        f"{_literal(headings['choices'])}\n{_CHOICE_LINES}",
        f"{_literal(headings['ask'])}\n{_literal(wording.asks(spec.mode, context=shown))}",
    ]
    if shown:
        parts.insert(0, f"{_literal(headings['context'])}\n{{{{context}}}}")
    return "\n\n".join(parts)


def _literal(text: str) -> str:
    """Return text in which Jinja finds nothing to replace."""
    return text.replace("{", "{{ '{' }}") if "{" in text else text


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _utils() -> str:
    return files("lawqa").joinpath("assets", "lm_eval_task.txt").read_text(encoding="utf-8")


def _readme(name: str, spec: PromptSpec) -> str:
    turns = " --fewshot_as_multiturn true" if spec.few_shot else ""
    return f"""# {name}

lawqa_jp as a task of lm-evaluation-harness, in lawqa's words. The questions are those of Japan's Digital
Agency (https://github.com/digital-go-jp/lawqa_jp, Public Data License 1.0): put its `data/selection.json`
beside this file, or name it in `LAWQA_JP`.

    lm_eval run --model hf --model_args pretrained=Qwen/Qwen3-8B,enable_thinking=False \\
      --include_path . --tasks {name} --apply_chat_template{turns} --log_samples --output_path out
    lawqa import out/*/samples_{name}_*.jsonl --output-dir runs/lm-eval


`enable_thinking=False` closes Qwen3's think block as lawqa does. lm-eval scores the bare letters a to d:
`lawqa evaluate --label-forms letter` does the same; lawqa's default adds up all written forms of a label.
"""
