"""The base ladder: every rung a run of its own, the cheapest first, one table and one report."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.scripted import ScriptedBackend
from lawqa.cli import main
from lawqa.cli.asking.ladder_text import ladder_text
from lawqa.errors import ConfigError
from lawqa.pipelines.evaluation.config import EvaluationConfig
from lawqa.pipelines.experiments.ladder.result import LadderResult
from lawqa.pipelines.experiments.ladder.run import LadderConfig, run_ladder
from lawqa.pipelines.experiments.ladder.rungs import RUNGS, Rung
from lawqa.prompting import Prompt, PromptSpec
from lawqa.questions import write_questions

ENTRY = {"text": "最終回答：c", "logprobs": [-2.0, -2.0, -0.6, -2.0]}


@pytest.fixture
def data(tmp_path: Path, questions: Any) -> Path:
    path = tmp_path / "questions.json"
    write_questions(path, questions[:8])
    return path


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"*": ENTRY}, ensure_ascii=False), encoding="utf-8")
    return path


def ladder(data: Path, script: Path, run_dir: Path, *more: str) -> int:
    return main(["ladder", "--data", str(data), "--run-dir", str(run_dir), "--llm-backend", "scripted",
                 "--script", str(script), *more])  # fmt: skip


def rows(run: Path) -> list[dict[str, Any]]:
    text = (run / "results.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.slow
def test_each_rung_is_an_ordinary_run_and_the_table_names_all(
    data: Path, script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = tmp_path / "ladder"
    assert ladder(data, script, run_dir, "--ensemble", "3", "--temperature", "0.7") == 0
    out, err = capsys.readouterr()
    assert "left out: direct-rag, orders-rag, cot-rag, thinking-rag: they need --index DIR" in err
    assert "8 rungs to ask, the cheapest first" in err
    assert (
        "cot-closed, cot-gold, thinking-closed, thinking-gold: --ensemble 3 cannot be divided over"
        in err
    )
    counts = {"direct": 8, "orders": 32, "cot": 24, "thinking": 24}
    for way, count in counts.items():
        for condition in ("closed", "gold"):
            run = run_dir / f"{way}-{condition}"
            assert len(rows(run)) == count
            assert json.loads((run / "manifest.json").read_text())["status"] == "done"
            assert f"{way}-{condition} " in out
    assert "chosen on the tuning half, judged on the other:" in out
    assert (run_dir / "report.html").is_file()
    assert main(["compare", str(run_dir / "orders-gold"), str(run_dir / "cot-gold")]) == 0
    assert main(["runs", "list", str(run_dir)]) == 0
    assert main(["rescore", str(run_dir / "cot-gold")]) == 0


@pytest.mark.slow
def test_the_halves_share_no_question_and_the_choice_is_made_on_the_first(
    data: Path, script: Path, tmp_path: Path, questions: Any
) -> None:
    """Only the tuning half knows better with reasoning: it is chosen, and fails on the other half."""
    run_dir = tmp_path / "ladder"
    assert ladder(data, script, run_dir, "--only", "direct-closed", "--seed", "3") == 0
    halves = json.loads((run_dir / "ladder.json").read_text())["halves"]
    assert not set(halves["tuning"]) & set(halves["judged"])
    assert len(halves["tuning"]) + len(halves["judged"]) == 8
    table: dict[str, Any] = {}
    for question in questions[:8]:
        wrong = "a" if question.gold != "a" else "b"
        said = question.gold if question.id in halves["tuning"] else wrong
        scored = wrong if question.id in halves["tuning"] else question.gold
        logprobs = [-0.1 if label == scored else -4.0 for label in "abcd"]
        table[question.id] = {"text": f"最終回答：{said}", "logprobs": logprobs}
    script.write_text(json.dumps(table, ensure_ascii=False), encoding="utf-8")
    options = ("--only", "direct-closed", "cot-closed", "--seed", "3", "--fresh")
    assert ladder(data, script, run_dir, *options, "--ensemble", "2") == 0
    (choice,) = json.loads((run_dir / "ladder.json").read_text())["choices"]
    assert choice["rung"] == "cot-closed"
    assert (choice["tuning"]["value"], choice["judged"]["value"]) == (1.0, 0.0)
    assert choice["against_baseline"]["difference"] == -1.0


@pytest.mark.slow
def test_what_is_done_is_not_asked_again(
    data: Path, script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = tmp_path / "ladder"
    assert ladder(data, script, run_dir, "--only", "direct") == 0
    before = (run_dir / "direct-gold" / "results.jsonl").read_bytes()
    capsys.readouterr()
    assert ladder(data, script, run_dir, "--only", "direct") == 0
    assert "2 of 2 rungs done already" in capsys.readouterr().err
    assert (run_dir / "direct-gold" / "results.jsonl").read_bytes() == before
    assert ladder(data, script, run_dir, "--only", "direct", "--samples", "4") == 2
    assert "is not the same run" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--only", "votes"], "--only votes: there is no such rung"),
        (["--only", "cot", "rag"], "--only rag: the condition rag needs an index"),
        (["--only", "direct-rag"], "--only direct-rag: the condition rag needs an index"),
        (["--time-budget", "0"], "--time-budget is 0.0, expected above 0"),
        (["--time-budget", "nan"], "--time-budget is nan, expected"),
        (["--thinking-budget", "0"], "thinking-budget is 0"),
        (["--ensemble", "0"], "--ensemble is 0"),
        (["--prompt", "nice"], "nice"),
        (["--only", "cot", "--temperature", "0"], "lawqa ladder --help"),
        (["--only", "direct", "--prior-correction"], "no rung asks for them"),
        (["--prompt", "standard", "--prompt", "standard"], "--prompt standard is given twice"),
        (["--script", "nowhere.json"], "nowhere.json: no such file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_written(
    data: Path, script: Path, tmp_path: Path, options: list[str], said: str,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    assert ladder(data, script, tmp_path / "ladder", *options) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "ladder").exists()


@pytest.mark.slow
def test_a_prior_is_shown_beside_the_plain_figure(
    data: Path, script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that answers "c" whatever is asked knows nothing, and is level without its prior."""
    run_dir = tmp_path / "ladder"
    assert ladder(data, script, run_dir, "--only", "direct", "orders", "--prior-correction") == 0
    out = capsys.readouterr().out
    assert "direct-closed: prior of the letters removed (PriDe): " in out
    prior = json.loads((run_dir / "ladder.json").read_text())["priors"]["direct-closed"]
    assert prior["priors"][0][2] == max(prior["priors"][0])
    plain = json.loads((run_dir / "direct-closed" / "summary.json").read_text())
    (closed, *_) = json.loads((run_dir / "ladder.json").read_text())["rungs"]
    assert plain["correct_count"] == closed["accuracy"]["correct"]  # it replaces nothing


class Clocked(ScriptedBackend):
    """Every answer takes a second of a clock that nobody waits for."""

    def __init__(self) -> None:
        super().__init__({"*": ENTRY})
        self.now, self.opened = 0.0, 0

    def clock(self) -> float:
        return self.now

    def open(self, *_: object) -> Clocked:
        self.opened += 1
        return self

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        for answer in super().score_choices(prompts):
            self.now += 1
            yield answer

    def generate(
        self, prompts: Sequence[Prompt], settings: GenerationSettings
    ) -> Iterator[Completion | Failure]:
        for answer in super().generate(prompts, settings):
            self.now += 1
            yield answer


class NeverThinks(Clocked):
    """A model whose template has no thinking switch, such as Gemma's."""

    def render(self, prompt: Prompt) -> str:
        if prompt.spec.thinking:
            raise ConfigError("this model's chat template has no thinking switch", "")
        return "【解答方法】"


class KnowsProvisions(Clocked):
    """Right with context in the wording `provisions`, else wrong."""

    def __init__(self, gold: dict[str, str]) -> None:
        super().__init__()
        self.gold = gold
        self.asked: list[Prompt] = []

    def score_choices(self, prompts: Sequence[Prompt]) -> Iterator[ChoiceScores | Failure]:
        self.asked += prompts
        for prompt in prompts:
            right = "abcd".index(self.gold[prompt.question_id])
            knows = prompt.spec.wording == "provisions" and prompt.spec.condition == "gold"
            scores = [
                -0.1 if n == (right if knows else (right + 1) % 4) else -4.0 for n in range(4)
            ]
            yield from ScriptedBackend({"*": {"text": "a", "logprobs": scores}}).score_choices(
                [prompt]
            )


def config_of(data: Path, run_dir: Path, rungs: Sequence[Rung], **more: Any) -> LadderConfig:
    return LadderConfig(
        run_dir,
        tuple(
            (
                rung,
                EvaluationConfig(
                    data=data,
                    spec=PromptSpec(
                        rung.mode, rung.condition, rung.thinks, wording=rung.wording or "standard"
                    ),
                    backend="scripted",
                    permutations=rung.orders(2), ensemble=2 if rung.writes else 1,
                    quiet=True,
                ),
            )
            for rung in rungs
            if rung.condition != "rag"
        ),
        **more,
    )  # fmt: skip


def answered(result: LadderResult) -> dict[str, list[dict[str, Any]]]:
    kept = ("file_name", "pred", "gt", "outcome", "response")
    return {
        one.rung.name: [{key: row.get(key) for key in kept} for row in rows(one.run_dir)]
        for one in result.rungs
    }


@pytest.mark.slow
def test_one_model_is_loaded_for_all_rungs_and_none_where_all_are_done(
    data: Path, tmp_path: Path
) -> None:
    backend = Clocked()
    config = config_of(data, tmp_path / "ladder", RUNGS)
    first = run_ladder(config, backend.open, clock=backend.clock)
    assert (len(first.rungs), backend.opened) == (8, 1)
    again = Clocked()
    assert answered(run_ladder(config, again.open, clock=again.clock)) == answered(first)
    assert again.opened == 0


@pytest.mark.slow
def test_the_time_budget_ends_it_and_the_same_call_resumes(data: Path, tmp_path: Path) -> None:
    rungs = [rung for rung in RUNGS if rung.condition == "closed"]
    whole = Clocked()
    expected = answered(
        run_ladder(config_of(data, tmp_path / "whole", rungs), whole.open, clock=whole.clock)
    )
    said: list[str] = []
    ends: list[tuple[str, ...]] = []
    while not ends or ends[-1]:
        backend = Clocked()
        config = config_of(data, tmp_path / "cut", rungs, time_budget=1.0)
        cut = run_ladder(config, backend.open, said.append, backend.clock)
        ends.append(cut.unfinished)
        assert backend.now <= 60 + len(rungs)  # one answer more than the budget at most
        assert len(ends) < 5
    assert len(ends) > 1
    assert any(line.endswith("  does not fit") for line in said)
    assert not any(" 0 s" in line for line in said if line.endswith("fit"))
    assert any(line.endswith(("  fits", "  may fit")) for line in said)
    assert any("times by a trial of " in line for line in said)
    assert ends[0][0].endswith(" known)")
    assert answered(cut) == expected


@pytest.mark.slow
def test_a_model_without_thinking_is_asked_the_other_rungs(data: Path, tmp_path: Path) -> None:
    backend, said = NeverThinks(), list[str]()
    config = config_of(data, tmp_path / "ladder", RUNGS)
    result = run_ladder(config, backend.open, said.append, backend.clock)
    assert [one.rung.name for one in result.rungs] == [
        "direct-closed", "direct-gold", "orders-closed", "orders-gold", "cot-closed", "cot-gold",
    ]  # fmt: skip
    line = "left out: thinking-closed, thinking-gold: this model's chat template has no thinking switch"
    assert result.left_out == (line,)
    assert json.loads((tmp_path / "ladder" / "ladder.json").read_text())["left_out"] == [line]
    assert line in said
    thinking = [rung for rung in RUNGS if rung.thinks]
    with pytest.raises(ConfigError, match="no rung can be asked: left out: thinking-closed"):
        run_ladder(config_of(data, tmp_path / "none", thinking), backend.open, clock=backend.clock)
    assert not (tmp_path / "none").exists()


@pytest.mark.slow
def test_a_second_wording_is_tried_on_the_tuning_half_and_asked_whole_where_it_is_better(
    data: Path, tmp_path: Path, questions: Any
) -> None:
    gold = {question.id: question.gold for question in questions[:8]}
    rungs = [Rung("direct", condition) for condition in ("closed", "gold")]
    tried = [Rung("direct", rung.condition, "provisions") for rung in rungs]
    config = config_of(data, tmp_path / "ladder", [*rungs, *tried])
    backend, said = KnowsProvisions(gold), list[str]()
    result = run_ladder(config, backend.open, said.append, backend.clock)
    assert [one.rung.name for one in result.rungs] == [
        "direct-closed", "direct-gold", "direct-gold-provisions",
    ]  # fmt: skip
    assert result.halves is not None
    closed, other = result.wordings
    assert (closed.chosen, other.chosen) == (False, True)
    assert (other.first.value, other.tuning.value) == (0.0, 1.0)
    assert other.judged is not None
    assert other.judged.difference == 1.0
    of_closed = [p for p in backend.asked if p.spec.id == "direct-closed-v1-provisions"]
    assert {
        p.question_id for p in of_closed[2:]
    } <= result.halves.tuning  # the first two: its trial
    best = next(choice for choice in result.choices if choice.condition == "gold")
    assert (best.name, best.baseline) == ("direct-gold-provisions", "direct-gold")
    text = ladder_text(result, "")
    assert "closed: provisions 0.0% of 4, standard 0.0% of 4: no better than standard" in text
    assert "gold: provisions 100.0% of 4, standard 0.0% of 4: provisions is asked" in text
    assert "on the other half provisions - standard" in text
    # What a tuning half left is an ordinary run that an interrupt ended.
    run = tmp_path / "ladder" / "direct-closed-provisions"
    assert json.loads((run / "manifest.json").read_text())["status"] == "interrupted"
    assert len(rows(run)) == len(result.halves.tuning)
    again = KnowsProvisions(gold)
    assert ladder_text(run_ladder(config, again.open, clock=again.clock), "") == text
    assert again.opened == 0


@pytest.mark.slow
def test_votes_are_asked_over_the_orders_and_the_data_comes_before_what_is_left_out(
    data: Path, script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = tmp_path / "ladder"
    options = ("--only", "cot-closed", "--only", "direct-closed", "--prompt", "provisions")
    assert ladder(tmp_path / "nowhere.json", script, run_dir, *options, "--top-k", "3") == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert ladder(data, script, run_dir, *options, "--ensemble", "4") == 0
    asked = rows(run_dir / "cot-closed")
    assert {(row["order"], row["repeat"]) for row in asked} == {(n, 0) for n in (1, 10, 17, 19)}
    assert {row["prompt_spec"] for row in asked} == {"cot-closed-v1-provisions"}
    assert "direct-closed" in capsys.readouterr().out
    assert ladder(data, script, run_dir, *options) == 2
    assert "--ensemble: then 4, now 8" in capsys.readouterr().err


@pytest.mark.slow
def test_ctrl_c_inside_reasoned_answers_over_an_index_and_the_same_command_gives_the_same_figures(
    data: Path, script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    articles = files("lawqa").joinpath("assets", "articles.jsonl")
    index = tmp_path / "index"
    assert main(["index", "build", "--articles", str(articles), "--output-dir", str(index)]) == 0
    texts = ["考えた。\n最終回答：c", "わからない。"]
    entry = {"text": texts, "logprobs": [-2.0, -2.0, -0.6, -2.0]}
    options = [
        "--only",
        "direct-rag",
        "cot-rag",
        "cot-gold",
        "--index",
        str(index),
    ]

    def write(**more: float) -> None:
        script.write_text(
            json.dumps({"*": {**entry, **more}}, ensure_ascii=False), encoding="utf-8"
        )

    write()
    assert ladder(data, script, tmp_path / "whole", *options) == 0
    write(delay=0.02)
    process = subprocess.Popen(  # noqa: S603 - the tests' own words
        [sys.executable, "-m", "lawqa", "ladder", "--data", data, "--run-dir", tmp_path / "cut",
         "--llm-backend", "scripted", "--script", script, *options],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    answers = tmp_path / "cut" / "cot-rag" / "results.jsonl"
    until = time.monotonic() + 60
    while not (answers.is_file() and answers.stat().st_size):
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < until
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    assert err.endswith(
        "answers so far are kept; run the same command again to resume\ninterrupted\n"
    )
    known = rows(answers.parent)
    assert 0 < len(known) < 64
    write()
    capsys.readouterr()
    assert ladder(data, script, tmp_path / "cut", *options) == 0
    assert f"  cot-rag     64 answers, {len(known)} known, " in capsys.readouterr().err

    def figures(run_dir: Path) -> dict[str, Any]:
        table: dict[str, Any] = json.loads((run_dir / "ladder.json").read_text(encoding="utf-8"))
        assert [rung.pop("seconds") >= 0 for rung in table["rungs"]] == [True] * 3
        return table

    assert figures(tmp_path / "cut") == figures(tmp_path / "whole")
    assert all(row["retrieved_docs_count"] for row in rows(answers.parent))


@pytest.mark.slow
def test_answers_that_failed_are_counted_where_the_table_is(
    data: Path, script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script.write_text(json.dumps({"*": {"error": "broke"}}), encoding="utf-8")
    run_dir = tmp_path / "ladder"
    assert ladder(data, script, run_dir, "--only", "direct-closed") == 3
    said = (
        f"direct-closed: 8 of 8 answers failed: see error in {run_dir}/direct-closed/results.jsonl"
    )
    err = capsys.readouterr().err
    assert said in err
    assert "run the same command again to ask them again" in err


def test_what_limits_cost_is_where_the_table_is(
    data: Path, script: Path, tmp_path: Path, questions: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """0% of a rung whose texts were all cut off says nothing of the model."""
    letters = {"logprobs": ENTRY["logprobs"]}
    cut = {"text": "理由が続く", "hit_limit": True, **letters}
    whole = {"text": f"最終回答：{questions[0].gold}", **letters}
    script.write_text(json.dumps({questions[0].id: whole, "*": cut}), encoding="utf-8")
    run_dir = tmp_path / "ladder"
    options = ("--only", "direct-closed", "cot-closed", "--ensemble", "1")
    assert ladder(data, script, run_dir, *options) == 0
    out = capsys.readouterr().out
    row = {line.split()[0]: line.split() for line in out.splitlines() if "-closed  " in line}
    assert row["cot-closed"][-1] == "87.5%"
    assert row["direct-closed"][-1] == "-", "one letter has no tokens to run out of"
    assert (
        "cot-closed: 7, 7 of them cut off, 0.0% of them right; with a larger limit: "
        "at most 100.0% of all texts right; 100.0% if those were right as often as the others"
    ) in out
    by_name = {
        rung["name"]: rung for rung in json.loads((run_dir / "ladder.json").read_text())["rungs"]
    }
    assert by_name["cot-closed"]["limits"]["share"] == 0.875
    assert by_name["direct-closed"]["limits"] is None


@pytest.mark.parametrize("way", ["direct", "cot"])
def test_every_rung_has_a_time_whichever_are_left(way: Any, data: Path, tmp_path: Path) -> None:
    """Where only texts are left, no pace of reading is known; they took "0 s", and all of them fitted."""
    backend, said = Clocked(), list[str]()
    config = config_of(data, tmp_path / "ladder", [Rung(way, "closed")], time_budget=0.5)
    run_ladder(config, backend.open, said.append, backend.clock)
    (line,) = [line for line in said if line.startswith(f"  {way}-closed")]
    assert line.endswith(" fit")
    assert ", 0 s" not in line


@pytest.mark.slow
def test_damaged_files_unused_flags_and_wrong_places_are_named(
    data: Path, script: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run_dir = tmp_path / "ladder"
    options = ("--only", "direct-closed")
    assert ladder(data, script, run_dir, *options, "--top-p", "0.5", "--ensemble", "2") == 0
    assert "note: --ensemble, --top-p unused: no rung writes text" in capsys.readouterr().err
    table = (run_dir / "ladder.json").read_bytes()
    for summary in (b"", b"{", None):
        path = run_dir / "direct-closed" / "summary.json"
        path.unlink() if summary is None else path.write_bytes(summary)
        assert ladder(data, script, run_dir, *options) == 0
        assert (run_dir / "ladder.json").read_bytes() == table
    capsys.readouterr()
    assert ladder(data, script, run_dir / "direct-closed", *options) == 2
    assert "holds a run of its own" in capsys.readouterr().err
    assert ladder(data, script, script, *options) == 2
    assert f"--run-dir {script}: {script} is a file" in capsys.readouterr().err
    assert ladder(data, script, tmp_path / "one", "--only", "cot-closed", "--ensemble", "1") == 0
    assert len(rows(tmp_path / "one" / "cot-closed")) == 8
    assert "1 rung to ask" in capsys.readouterr().err


@pytest.mark.slow
def test_texts_without_an_answer_decide_nothing_in_the_mean_over_orders(
    data: Path, script: Path, tmp_path: Path
) -> None:
    """Labels that were forced out of them are counted apart, as in a vote."""
    entry = {**ENTRY, "text": "、これ", "hit_limit": True, "stopped": "limit"}
    script.write_text(json.dumps({"*": entry}), encoding="utf-8")
    assert ladder(data, script, tmp_path / "ladder", "--only", "cot-closed", "--ensemble", "4") == 0
    run = tmp_path / "ladder" / "cot-closed"
    summary = json.loads((run / "summary.json").read_text(encoding="utf-8"))
    assert summary["final"]["accuracy"]["correct"] == 0
    assert summary["final"]["undecided"] == 8
    assert summary["forced"]
