from __future__ import annotations

import json
import re
import subprocess
import sysconfig
from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest

import lawqa
from lawqa.cli import main, parse_arguments
from lawqa.cli.asking.evaluate import Evaluate
from lawqa.cli.command_table import COMMANDS
from lawqa.cli.lab.demo import Demo
from lawqa.cli.results.compare import Compare
from lawqa.cli.results.rescore import Rescore
from lawqa.cli.training.records import Records
from lawqa.cli.training.train import Train
from lawqa.questions import Question, write_questions

pytestmark = pytest.mark.every_python

RunPython = Callable[..., subprocess.CompletedProcess[str]]

RETRIEVAL = (
    ("--top-k 10", "retrieval.top_k", 10),
    ("--index i", "retrieval.index", Path("i")),
    ("--max-context-tokens 900", "retrieval.max_context_tokens", 900),
    ("--no-follow", "retrieval.follow", False),
    ("--dense m", "retrieval.dense", "m"),
    ("--use-reranker", "retrieval.use_reranker", True),
    ("--reranker-model r", "retrieval.reranker_model", "r"),
    ("--rerank-top-n 3", "retrieval.rerank_top_n", 3),
    ("--as-of 2025-04-01", "retrieval.as_of", "2025-04-01"),
    ("--as-of-strict", "retrieval.as_of_strict", True),
)
CONSOLE = (
    ("--quiet", "console.quiet", True),
    ("--verbose", "console.verbose", True),
    ("--log-file l.txt", "console.log_file", Path("l.txt")),
)
EVALUATE = (
    *RETRIEVAL,
    ("--data q.json", "data", Path("q.json")),
    ("--output out.json", "output", Path("out.json")),
    ("--samples 20", "samples", 20),
    ("--condition closed", "condition", "closed"),
    ("--condition gold", "condition", "gold"),
    ("--condition rag", "condition", "rag"),
    ("--no-rag", "no_rag", True),
    ("--mode direct", "mode", "direct"),
    ("--mode cot", "mode", "cot"),
    ("--use-cot", "use_cot", True),
    ("--thinking", "thinking", True),
    ("--answer-by logits", "answer_by", "logits"),
    ("--answer-by generate", "answer_by", "generate"),
    ("--prompt standard", "prompt", "standard"),
    ("--few-shot", "few_shot", True),
    ("--no-few-shot", "few_shot", False),
    ("--ensemble 3", "generation.ensemble", 3),
    ("--permutations 1", "permutations", 1),
    ("--permutations 4", "permutations", 4),
    ("--permutations 24", "permutations", 24),
    ("--llm-backend hf", "backend", "hf"),
    ("--llm-backend ollama", "backend", "ollama"),
    ("--llm-backend openai", "backend", "openai"),
    ("--llm-backend scripted", "backend", "scripted"),
    ("--llm-model qwen3:8b", "server.llm_model", "qwen3:8b"),
    ("--base-url http://localhost:8000/v1", "server.base_url", "http://localhost:8000/v1"),
    ("--timeout 99", "server.timeout", 99.0),
    ("--concurrency 2", "server.concurrency", 2),
    ("--max-concurrency 8", "server.max_concurrency", 8),
    ("--request-retries 1", "server.retries", 1),
    ("--tokenizer d", "server.tokenizer", "d"),
    ("--script s.json", "script", Path("s.json")),
    ("--hf-model-name Qwen/Qwen3-1.7B", "model_name", "Qwen/Qwen3-1.7B"),
    ("--revision main", "revision", "main"),
    ("--label-forms letter", "label_forms", "letter"),
    ("--hf-lora-path runs/a", "adapter", Path("runs/a")),
    ("--with-base", "with_base", True),
    ("--hf-load-in-4bit", "load_in_4bit", True),
    ("--no-4bit", "no_4bit", True),
    ("--bnb-4bit-quant-type fp4", "quant_type", "fp4"),
    ("--dtype bfloat16", "dtype", "bfloat16"),
    ("--quantised-cache c", "quantised_cache", Path("c")),
    ("--max-new-tokens 64", "generation.max_new_tokens", 64),
    ("--temperature 0.7", "generation.temperature", 0.7),
    ("--top-p 0.9", "generation.top_p", 0.9),
    ("--top-k-sampling 20", "generation.top_k_sampling", 20),
    ("--min-p 0.1", "generation.min_p", 0.1),
    ("--thinking-budget 512", "generation.thinking_budget", 512),
    ("--no-stop-at-final-answer", "generation.stop_at_final_answer", False),
    ("--no-stop-at-loops", "generation.stop_at_loops", False),
    ("--no-force-answers", "generation.force_answers", False),
    ("--no-score-labels", "generation.score_labels", False),
    ("--kv-cache int8", "generation.kv_cache", "int8"),
    ("--token-budget 4096", "token_budget", 4096),
    ("--seed 7", "seed", 7),
    ("--place heart01", "place", "heart01"),
    ("--run-dir r", "run_dir", Path("r")),
    ("--resume", "resume", True),
    ("--fresh", "fresh", True),
    ("--allow-leak", "allow_leak", True),
    ("--allow-base-mismatch", "allow_base_mismatch", True),
    ("--allow-prompt-mismatch", "allow_prompt_mismatch", True),
    *CONSOLE,
)
TRAIN = (
    ("--model-name m", "model_name", "m"),
    ("--revision main", "revision", "main"),
    ("--train-file r.jsonl", "train_file", Path("r.jsonl")),
    ("--dev-file d.json", "dev_file", Path("d.json")),
    ("--output-dir a", "output_dir", Path("a")),
    ("--num-epochs 1", "num_epochs", 1.0),
    ("--num-epochs 0.5", "num_epochs", 0.5),
    ("--batch-size 8", "batch_size", 8),
    ("--gradient-accumulation-steps 2", "gradient_accumulation_steps", 2),
    ("--token-budget 4096", "token_budget", 4096),
    ("--learning-rate 5e-5", "learning_rate", 5e-5),
    ("--max-seq-length 768", "max_seq_length", 768),
    ("--lr-scheduler linear", "lr_scheduler", "linear"),
    ("--warmup-ratio 0.2", "warmup_ratio", 0.2),
    ("--weight-decay 0.01", "weight_decay", 0.01),
    ("--neftune-alpha 5", "neftune_alpha", 5.0),
    ("--use-rslora", "use_rslora", True),
    *CONSOLE,
    ("--report-to mlflow wandb", "report_to", ("mlflow", "wandb")),
    ("--use-dora", "use_dora", True),
    ("--lora-r 32", "lora_r", 32),
    ("--lora-alpha 64", "lora_alpha", 64),
    ("--lora-dropout 0.0", "lora_dropout", 0.0),
    ("--target-modules q_proj v_proj", "target_modules", ("q_proj", "v_proj")),
    ("--use-4bit", "load_in_4bit", True),
    ("--no-4bit", "no_4bit", True),
    ("--bnb-4bit-compute-dtype bfloat16", "dtype", "bfloat16"),
    ("--quantised-cache c", "quantised_cache", Path("c")),
    ("--bnb-4bit-compute-dtype float16", "dtype", "float16"),
    ("--bnb-4bit-quant-type nf4", "quant_type", "nf4"),
    ("--bnb-4bit-quant-type fp4", "quant_type", "fp4"),
    ("--place heart01", "place", "heart01"),
    ("--fp16", "fp16", True),
    ("--bf16", "bf16", True),
    ("--max-steps-override 50", "max_steps", 50),
    ("--max-steps-override -1", "max_steps", -1),
    ("--logging-steps 10", "logging_steps", 10),
    ("--save-minutes 2.5", "save_minutes", 2.5),
    ("--save-steps 5", "save_steps", 5),
    ("--save-total-limit 3", "save_total_limit", 3),
    ("--dev-condition gold", "dev_condition", "gold"),
    ("--prompt standard", "prompt", "standard"),
    ("--eval-steps 10", "eval_steps", 10),
    ("--patience 3", "patience", 3),
    ("--stop-on-collapse", "stop_on_collapse", True),
    ("--dev-questions 32", "dev_questions", 32),
    ("--dev-samples 4", "dev_samples", 4),
    ("--dev-max-new-tokens 512", "dev_max_new_tokens", 512),
    ("--extra r.jsonl=0.5 s.jsonl=2", "extra", (("r.jsonl=0.5", "s.jsonl=2"),)),
    ("--max-synthetic-share 0.5", "max_synthetic_share", 0.5),
    ("--init-adapter a", "init_adapter", Path("a")),
    ("--probe-questions 8", "probe_questions", 8),
    ("--probe-max-new-tokens 512", "probe_max_new_tokens", 512),
    ("--fsdp", "fsdp", True),
    ("--seed 7", "seed", 7),
    ("--resume", "resume", True),
    ("--fresh", "fresh", True),
    ("--do-train", "do_train", True),
)
RECORDS = (
    *RETRIEVAL,
    ("--hf-model-name Qwen/Qwen3-1.7B", "model_name", "Qwen/Qwen3-1.7B"),
    ("--revision main", "revision", "main"),
    ("--lawqa-path q.json", "data", Path("q.json")),
    ("--distractors 2", "distractors", 2),
    ("--without-gold 0.25", "without_gold", 0.25),
    ("--output-path r.jsonl", "output_path", Path("r.jsonl")),
    ("--mode cot", "mode", "cot"),
    ("--condition gold", "condition", "gold"),
    ("--no-rag", "no_rag", True),
    ("--prompt standard", "prompt", "standard"),
    ("--few-shot", "few_shot", True),
    ("--no-few-shot", "few_shot", False),
    ("--samples 5", "samples", 5),
    ("--mix closed=1,gold=2", "mix", "closed=1,gold=2"),
    ("--permutations 4", "permutations", 4),
    ("--seed 7", "seed", 7),
    ("--fresh", "fresh", True),
    *CONSOLE,
)
DEMO = (
    ("--data q.json", "data", Path("q.json")),
    ("--tokenizer t", "tokenizer", "t"),
    ("--run-dir r", "run_dir", Path("r")),
    ("--fresh", "fresh", True),
    ("--seed 7", "seed", 7),
    *CONSOLE,
)
REQUIRED = {
    "evaluate": (),
    "train": ("--train-file", "t.jsonl", "--output-dir", "a"),
    "records": ("--output-path", "r.jsonl"),
    "demo": (),
}
TABLES = {"evaluate": EVALUATE, "train": TRAIN, "records": RECORDS, "demo": DEMO}
CLASSES: dict[str, Any] = {"evaluate": Evaluate, "train": Train, "records": Records, "demo": Demo}


def lines() -> Iterator[Any]:
    """Every row of the tables, in as few lines as can be: to parse one takes its time."""
    for command, table in TABLES.items():
        seen: dict[str, int] = {}
        packed: dict[int, list[tuple[str, str, object]]] = {}
        for row in table:
            packed.setdefault(seen.get(row[1], 0), []).append(row)
            seen[row[1]] = seen.get(row[1], 0) + 1
        for number, rows in packed.items():
            yield pytest.param(command, rows, id=f"{command} {number}")


def flag_fields(command: Any) -> Iterator[str]:
    """The fields that are flags, those of a group with its name before them."""
    for field in fields(command):
        if field.default_factory is not MISSING and is_dataclass(field.default_factory):
            group: Any = field.default_factory
            yield from (f"{field.name}.{name}" for name in flag_fields(group))
        else:
            yield field.name


def option(field: str) -> str:
    return "--" + field.rpartition(".")[2].replace("_", "-")


def error_of(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[str, str]:
    """Message and hint of a command that is to end with code 2 and print nothing else."""
    assert main(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    message, _, hint = err.removeprefix("error: ").rstrip("\n").partition("\nhint: ")
    return message, hint


# --- every flag


@pytest.mark.parametrize(("command", "rows"), list(lines()))
def test_every_flag_of_the_contract_is_read(
    command: str, rows: list[tuple[str, str, object]]
) -> None:
    given = [word for flag, _, _ in rows for word in flag.split()]
    parsed = parse_arguments([command, *REQUIRED[command], *given])
    assert type(parsed) is CLASSES[command]
    for flag, field, value in rows:
        found = attrgetter(field)(parsed)
        assert found == value, flag
        assert type(found) is type(value), flag


@pytest.mark.parametrize("command", TABLES)
def test_the_table_above_holds_every_flag_there_is(command: str) -> None:
    assert {field for _, field, _ in TABLES[command]} == set(flag_fields(CLASSES[command]))


@pytest.mark.parametrize("command", TABLES)
def test_without_a_flag_its_default_holds(command: str) -> None:
    parsed = parse_arguments([command, *REQUIRED[command]])
    for field in fields(CLASSES[command]):
        if field.default is not MISSING:
            assert getattr(parsed, field.name) == field.default


def test_rescore_and_compare_take_runs() -> None:
    runs = (Path("a"), Path("b.json"))
    given = parse_arguments(["rescore", "a", "b.json", "--write", "--json"])
    assert given == Rescore(runs, write=True, as_json=True)
    given = parse_arguments(["compare", "base", "a", "b.json", "--recorded", "--json"])
    assert given == Compare(Path("base"), runs, recorded=True, as_json=True)


# --- help and version


@pytest.mark.parametrize("command", TABLES)
def test_help_names_and_explains_every_flag(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    assert main([command, "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    words = out.replace(",", " ").split()
    assert [name for name in flag_fields(CLASSES[command]) if option(name) not in words] == []


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        (["--help"], ["evaluate", "train", "records", "rescore", "compare", "data", "demo"]),
        (["-h"], ["evaluate", "train", "records", "rescore", "compare", "data", "demo"]),
        (["rescore", "--help"], ["PATH", "--write", "--json"]),
        (["compare", "--help"], ["PATH", "--recorded", "--json"]),
        (["data", "--help"], ["check", "show"]),
        (["data", "check", "--help"], ["PATH"]),
        (["data", "show", "--help"], ["PATH", "--tokenizer", "--n"]),
    ],
)
def test_help_names_what_can_be_given(
    capsys: pytest.CaptureFixture[str], argv: list[str], named: list[str]
) -> None:
    assert main(argv) == 0
    words = capsys.readouterr().out.replace("[", " ").split()
    assert [name for name in named if name not in words] == []


@pytest.mark.slow
def test_every_command_that_help_lists_has_help_of_its_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["--help"]) == 0
    listed = re.findall(r"^  • (\S+)", capsys.readouterr().out, re.MULTILINE)
    assert {*listed} == {*COMMANDS}
    for command in listed:
        assert main([command, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"usage: lawqa {command} ")


@pytest.mark.parametrize(
    ("commit", "shown"), [(None, ""), ("0" * 40 + "+changes", f" ({'0' * 40}+changes)")]
)
def test_version_is_the_packages_and_names_the_commit_of_a_checkout(
    commit: str | None,
    shown: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lawqa.runs.environment.git_commit", lambda: commit)
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"lawqa {lawqa.__version__}{shown}\n"
    assert main(["--help"]) == 0
    assert "lawqa --version" in capsys.readouterr().out


# --- malformed options


@pytest.mark.parametrize(
    ("argv", "named"),
    [
        ([], "evaluate"),
        (["evalute"], "evalute"),
        (["data"], "check"),
        (["data", "check"], "PATH"),
        (["evaluate", "--sample-size", "3"], "--sample-size"),
        (["evaluate", "q.json"], "q.json"),
        (["evaluate", "--samples", "many"], "--samples"),
        (["evaluate", "--samples"], "--samples"),
        (["evaluate", "--condition", "open"], "--condition"),
        (["evaluate", "--llm-backend", "vllm"], "--llm-backend"),
        (["evaluate", "--permutations", "2"], "--permutations"),
        (["evaluate", "--no-no-rag"], "--no-no-rag"),
        (["train", "--output-dir", "a"], "--train-file"),
        (["train", "--train-file", "t"], "--output-dir"),
        (["records"], "--output-path"),
    ],
    ids=" ".join,
)
def test_malformed_options_are_named_and_end_with_code_two(
    capsys: pytest.CaptureFixture[str], argv: list[str], named: str
) -> None:
    assert main(argv) == 2
    assert named in capsys.readouterr().err


# --- what the flags mean


@pytest.mark.parametrize(
    "argv",
    [
        "records --lawqa-path q.json --output-path r.jsonl --top-k 3",
        "records --lawqa-path q.json --output-path r.jsonl --mix closed=1,rag=1",
        "distill --data q.json --output-path r.jsonl --llm-backend scripted --script s.json"
        " --condition rag",
        "crossval run --input q.json --output-dir c --condition rag",
        "crossval run --input q.json --output-dir c --mix closed=1,rag=1",
    ],
)
def test_retrieval_without_an_index_names_the_command_that_builds_one(
    here: Path, capsys: pytest.CaptureFixture[str], argv: str
) -> None:
    before = sorted(here.iterdir())
    message, hint = error_of(capsys, *argv.split())
    assert "needs --index" in message
    assert hint.startswith("lawqa index build")
    assert sorted(here.iterdir()) == before


# --- contradictions


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            "evaluate --condition rag --no-rag",
            "--condition rag and --no-rag contradict each other",
        ),
        (
            "evaluate --condition gold --no-rag",
            "--condition gold and --no-rag contradict each other",
        ),
        (
            "evaluate --mode direct --use-cot",
            "--mode direct and --use-cot contradict each other",
        ),
        (
            "evaluate --thinking --answer-by logits",
            "--answer-by logits cannot be: the next token after this prompt opens a think block, "
            "not an answer",
        ),
        (
            "evaluate --use-cot --answer-by logits",
            "--answer-by logits cannot be: the next token after this prompt opens reasoning, "
            "not an answer",
        ),
        ("evaluate --script s.json", "--script without --llm-backend scripted"),
        (
            "evaluate --llm-backend scripted --script s.json --hf-lora-path a",
            "--hf-lora-path is for --llm-backend hf",
        ),
        (
            "evaluate --llm-model qwen3:8b",
            "--llm-model qwen3:8b names a model on a server, but the backend is hf: say "
            "--llm-backend ollama, or --hf-model-name for a local model",
        ),
        (
            "evaluate --base-url http://x",
            "--base-url: for --llm-backend ollama and openai only",
        ),
        (
            "evaluate --samples 0 --temperature -1 --max-new-tokens 0 --token-budget -1",
            "--token-budget is -1, expected 0 or more and at most 2,147,483,647\n"
            "--samples is 0, expected 1 or more and at most 1,000,000,000\n"
            "--max-new-tokens is 0, expected 1 or more and at most 1,048,576\n"
            "--temperature is -1.0, expected 0 or more and at most 100",
        ),
        (
            "records --output-path r.jsonl --condition rag --no-rag",
            "--condition rag and --no-rag contradict each other",
        ),
        (
            "records --output-path r.jsonl --samples 0",
            "--samples is 0, expected 1 or more and at most 1,000,000,000",
        ),
        (
            "train --train-file t --output-dir a --fp16 --bf16",
            "--fp16 (float16) and --bf16 (bfloat16) contradict each other",
        ),
        (
            "train --train-file t --output-dir a --fp16 --bnb-4bit-compute-dtype bfloat16",
            "--fp16 (float16) and --bnb-4bit-compute-dtype (bfloat16) contradict each other",
        ),
        (
            "train --train-file t --output-dir a --num-epochs 0 --batch-size 0 "
            "--gradient-accumulation-steps 0 --learning-rate 0 --warmup-ratio 1 "
            "--max-seq-length 1 --token-budget -1 --max-steps-override 0 --lora-r 0 "
            "--lora-alpha 0 --lora-dropout 1 --weight-decay 1 --neftune-alpha -1 --logging-steps 0 "
            "--save-minutes -1 --save-steps -1 --save-total-limit 0",
            "--num-epochs is 0.0, expected above 0 and at most 10,000\n"
            "--batch-size is 0, expected 1 or more and at most 65,536\n"
            "--gradient-accumulation-steps is 0, expected 1 or more and at most 65,536\n"
            "--learning-rate is 0.0, expected above 0 and below 1\n"
            "--max-seq-length is 1, expected 2 or more and at most 1,048,576, or 0 for whole records\n"
            "--token-budget is -1, expected 0 or more and at most 2,147,483,647\n"
            "--warmup-ratio is 1.0, expected 0 or more and below 1\n"
            "--weight-decay is 1.0, expected 0 or more and below 1\n"
            "--neftune-alpha is -1.0, expected 0 or more and at most 1,000\n"
            "--lora-r is 0, expected 1 or more and at most 4,096\n"
            "--lora-alpha is 0, expected 1 or more and at most 1,000,000\n"
            "--lora-dropout is 1.0, expected 0 or more and below 1\n"
            "--max-steps-override is 0, expected 1 or more and at most 1,000,000,000, or -1 for all epochs\n"
            "--logging-steps is 0, expected 1 or more and at most 1,000,000,000\n"
            "--save-minutes is -1.0, expected 0 or more and at most 1,000,000\n"
            "--save-steps is -1, expected 0 or more and at most 1,000,000,000\n"
            "--save-total-limit is 0, expected 1 or more and at most 10,000",
        ),
    ],
    ids=lambda value: value[:60] if " --" in value else "",
)
def test_contradictions_are_named_and_end_with_code_two(
    capsys: pytest.CaptureFixture[str], argv: str, message: str
) -> None:
    found, _ = error_of(capsys, *argv.split())
    assert found == message


@pytest.mark.parametrize(
    "flags",
    ["--fp16", "--bnb-4bit-compute-dtype float16", "--fp16 --bnb-4bit-compute-dtype float16"],
)
def test_one_dtype_may_be_named_twice(capsys: pytest.CaptureFixture[str], flags: str) -> None:
    required = ["--train-file", "nothing.jsonl", "--output-dir", "a"]
    message, _ = error_of(capsys, "train", *required, *flags.split())
    assert message == "nothing.jsonl: no such file"


# --- what is not built yet


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, question: Callable[..., Question]
) -> Path:
    """An own working directory that holds one question and a script."""
    monkeypatch.chdir(tmp_path)
    write_questions(tmp_path / "q.json", [question()])
    (tmp_path / "s.json").write_text('{"*": "b"}', encoding="utf-8")
    return tmp_path


def test_records_with_reasoning_name_what_will_make_it(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = "records --lawqa-path q.json --output-path r.jsonl --mode cot"
    message, hint = error_of(capsys, *argv.split())
    assert "needs real reasoning" in message
    assert "lawqa distill" in hint
    assert not (here / "r.jsonl").exists()


# --- lawqa records, to the end


def test_records_are_written_as_the_flags_say(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = "records --lawqa-path q.json --output-path r.jsonl --condition gold --few-shot"
    assert main(argv.split()) == 0
    assert capsys.readouterr().out == "wrote 1 direct-gold-fewshot-v1 record to r.jsonl\n"
    (record,) = map(json.loads, (here / "r.jsonl").read_text(encoding="utf-8").splitlines())
    assert (record["prompt_spec"], record["answer"]) == ("direct-gold-fewshot-v1", "b")


def test_records_may_go_into_a_directory_that_is_not_there_yet(here: Path) -> None:
    argv = "records --lawqa-path q.json --output-path results/finetune/r.jsonl --no-rag"
    assert main(argv.split()) == 0
    assert (here / "results" / "finetune" / "r.jsonl").is_file()


def test_an_unused_flag_of_records_is_said_to_be_unused(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = "records --lawqa-path q.json --output-path r.jsonl --no-rag --top-k 0"
    assert main(argv.split()) == 0
    assert capsys.readouterr().err == "note: --top-k unused: the condition is closed\n"
    assert (here / "r.jsonl").is_file()


def test_a_record_file_is_replaced_only_when_asked(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "r.jsonl").write_text("mine", encoding="utf-8")
    argv = ["records", "--lawqa-path", "q.json", "--output-path", "r.jsonl"]
    message, hint = error_of(capsys, *argv)
    assert message == "--output-path r.jsonl: exists already"
    assert hint == "--fresh replaces it"
    assert (here / "r.jsonl").read_text(encoding="utf-8") == "mine"
    assert main([*argv, "--fresh"]) == 0


# --- lawqa data check


def test_data_check_counts_laws_labels_and_duplicates(
    here: Path, capsys: pytest.CaptureFixture[str], question: Callable[..., Question]
) -> None:
    asked = [
        question(),
        question(id="民法_2", gold="a"),
        question(id="刑法_3", gold="d", text="別の問", context=""),
    ]
    write_questions(here / "q.json", asked)
    assert main(["data", "check", "q.json"]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.split("\n")]
    assert lines[0] == "q.json: 3 items, 3 questions, orders 1"
    for row in ("law a b c d all", "民法 1 1 0 0 2", "刑法 0 0 0 1 1", "all 1 1 0 1 3"):
        assert row in lines
    assert "questions asked twice under different ids: 1" in lines
    assert "questions that share their context with another: 2" in lines
    assert "questions without context: 1" in lines
    assert lines[-2].startswith("sha256 ")


def test_data_check_reads_lawqa_jp(capsys: pytest.CaptureFixture[str], shared_data: Path) -> None:
    path = shared_data / "lawqa_jp" / "selection_randomized.json"
    assert main(["data", "check", str(path)]) == 0
    assert "560 items, 140 questions, orders 1 2 3 4\n" in capsys.readouterr().out


# --- the program


@pytest.mark.slow
def test_the_program_and_the_module_are_the_same(run_python: RunPython) -> None:
    program = Path(sysconfig.get_path("scripts"), "lawqa")
    if not program.is_file():
        pytest.skip(f"lawqa is not installed in {program.parent}")
    for arguments in (["--version"], ["evaluate", "--help"], ["data", "check", "nothing.json"]):
        as_program = run_python(str(program), *arguments)
        as_module = run_python("-m", "lawqa", *arguments)
        assert as_program.returncode == as_module.returncode
        assert as_program.stdout == as_module.stdout
        assert as_program.stderr == as_module.stderr
        assert as_module.stdout + as_module.stderr


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["data", "check", "x"]])
def test_help_and_file_errors_need_no_heavy_library(
    run_python: RunPython, arguments: list[str]
) -> None:
    heavy = ("torch", "transformers", "peft", "datasets", "scipy", "numpy", "tqdm")
    code = (
        "import sys; from lawqa.cli import main; "
        f"main({arguments!r}); "
        f"print('imported', [name for name in {heavy!r} if name in sys.modules])"
    )
    ended = run_python("-c", code)
    assert ended.returncode == 0
    assert ended.stdout.endswith("imported []\n")
