"""`--label-forms letter`: the bare letter alone is a label, as lm-evaluation-harness scores it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import lawqa
from lawqa.backends.hf.backend import HFBackend
from lawqa.backends.hf.labels import label_token_ids
from lawqa.cli import main
from lawqa.models.load import load_model
from lawqa.pipelines.interchange.lm_eval_task import export_task
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.runs.manifest import Manifest
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch


@pytest.mark.slow
def test_the_bare_letters_alone_are_scored_and_that_is_recorded(
    tiny_dir: Path, questions: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=False))
    prompts = [build_prompt(question, PromptSpec()) for question in questions[:6]]
    backend = HFBackend(loaded, label_forms="letter")
    every = {item.key: item for item in HFBackend(loaded).score_choices(prompts)}
    for item in backend.score_choices(prompts):
        ids = loaded.tokenizer(item.prompt_text, add_special_tokens=False, return_tensors="pt")
        with torch.no_grad():
            logprobs = loaded.model(**ids).logits[0, -1].double().log_softmax(dim=0)
        (tokens,) = zip(*label_token_ids(loaded.tokenizer, item.prompt_text, "letter"), strict=True)
        assert [loaded.tokenizer.decode([token]) for token in tokens] == ["a", "b", "c", "d"]
        letters = logprobs[list(tokens)]
        assert item.logprobs == pytest.approx((letters - letters.logsumexp(0)).tolist(), abs=1e-4)
        assert item.label_mass < every[item.key].label_mass
    data, run = tmp_path / "q.json", tmp_path / "run"
    lawqa.write_questions(data, questions[:6])
    config = lawqa.EvaluationConfig(
        data, model_name=str(tiny_dir), label_forms="letter", run_dir=run
    )
    lawqa.evaluate(config)
    assert Manifest.read(run).config["label_forms"] == "letter"
    assert lawqa.read_stored_run(run).to_arrow().schema.metadata
    (run / "results.jsonl").write_text("")
    command = [
        "evaluate",
        "--data",
        str(data),
        "--no-4bit",
        "--model-name",
        str(tiny_dir),
        "--run-dir",
        str(run),
    ]
    assert main([*command, "--resume"]) == 2
    assert "--label-forms" in capsys.readouterr().err


def test_servers_and_scripts_are_not_asked_for_bare_letters(tmp_path: Path) -> None:
    for backend in ("openai", "scripted"):
        with pytest.raises(lawqa.LawqaError, match="--label-forms letter is for --llm-backend hf"):
            lawqa.evaluate(
                lawqa.EvaluationConfig(
                    tmp_path / "q.json",
                    backend=backend,
                    model_name="m",
                    label_forms="letter",  # type: ignore[arg-type]
                )
            )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of what lm_eval imports
def test_lm_eval_asks_the_same_prompts_and_picks_the_same_letters(
    tiny_dir: Path, questions: Any, tmp_path: Path
) -> None:
    lm_eval = pytest.importorskip("lm_eval", reason="the extra interop is not installed")
    from lm_eval.tasks import TaskManager

    data, run = tmp_path / "q.json", tmp_path / "run"
    lawqa.write_questions(data, questions[:8])
    task = export_task(tmp_path / "task", data=data)
    done = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(tiny_dir), "enable_thinking": False, "dtype": "float32"},
        tasks=[task.name], device="cpu", batch_size=1, apply_chat_template=True, log_samples=True,
        task_manager=TaskManager(include_path=str(tmp_path / "task"), include_defaults=False),
    )  # fmt: skip
    config = lawqa.EvaluationConfig(
        data, model_name=str(tiny_dir), dtype="float32", label_forms="letter", run_dir=run
    )
    lawqa.evaluate(config)
    mine = {row["file_name"]: row for row in map(json.loads, (run / "results.jsonl").open("rb"))}
    for sample in done["samples"][task.name]:
        row = mine[sample["doc"]["id"]]
        assert sample["arguments"][0][0] == row["prompt"]
        theirs = torch.tensor([reply[0][0] for reply in sample["resps"]], dtype=torch.float64)
        assert "abcd"[int(theirs.argmax())] == row["predicted_answer"]
        normalised = (theirs - theirs.logsumexp(0)).tolist()
        assert row["label_logprobs"] == pytest.approx(normalised, abs=1e-4)
