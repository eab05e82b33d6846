"""`lawqa prefer` on a GPU: the fast path has the losses and gradients of the plain one, and learns."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device"),
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from lawqa.demo import embedded_questions
    from lawqa.models.tiny import train_tiny_tokenizer, write_tiny_model

    directory = tmp_path_factory.mktemp("prefer")
    texts = (f"{q.context}\n{q.text}" for q in embedded_questions())
    write_tiny_model(directory / "model", train_tiny_tokenizer(texts))
    return directory


def made_pairs(count: int) -> list[Any]:
    from lawqa.demo import embedded_questions
    from lawqa.prompting import PromptSpec
    from lawqa.records import make_record

    rows = []
    for question in embedded_questions()[:count]:
        right = make_record(question, PromptSpec(mode="cot"), reasoning="条文の要件に当てはまる。")
        rows += [right, replace(right, answer="条文の要件を満たさない場合に当たる。\n最終回答：x")]
    return rows


def test_weighted_rows_on_the_fast_path_are_those_of_the_plain_path(directory: Path) -> None:
    from lawqa.models.load import load_model
    from lawqa.records import tokenize_records
    from lawqa.settings import Hyperparameters, ModelSettings
    from lawqa.training.adapter import add_adapter
    from lawqa.training.data.collate import LeftPadCollator
    from lawqa.training.fast import FastPath
    from lawqa.training.loss_paths import PackedPath, PlainPath
    from lawqa.training.trainer import as_dataset

    loaded = load_model(ModelSettings(model_name=str(directory / "model"), load_in_4bit=True))
    model = add_adapter(loaded, Hyperparameters(lora_dropout=0.0))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.constant_(parameter, 0.01)
    records = tokenize_records(made_pairs(4), loaded.tokenizer, 0)
    batch = LeftPadCollator(0)(list(as_dataset(records)))
    batch = {key: tensor.cuda() for key, tensor in batch.items()}
    batch["weight"] = torch.linspace(-1, 1, len(records), device="cuda")
    found = []
    for path in (PlainPath(), PackedPath(FastPath(model), 10**6)):
        model.zero_grad(set_to_none=True)
        with torch.autocast("cuda", dtype=loaded.dtype):
            with torch.no_grad():
                losses = path.losses(model, batch)
            path.loss(model, batch).backward()
        gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
        found.append((losses, torch.cat(gradients)))
    (plain, plain_gradient), (fast, fast_gradient) = found
    assert torch.allclose(plain, fast, rtol=0.02)
    cosine = torch.cosine_similarity(plain_gradient, fast_gradient, dim=0)
    print(f"losses off by {float((plain / fast - 1).abs().max()):.2%}, cosine {float(cosine):.5f}")
    assert float(cosine) > 0.99


def test_preferences_are_learnt_on_the_fast_path(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    from lawqa.cli import main
    from lawqa.records import Pair, write_pairs

    rows = made_pairs(8)
    pairs = [Pair(right, wrong) for right, wrong in zip(rows[::2], rows[1::2], strict=True)]
    write_pairs(directory / "pairs.jsonl", pairs)
    pairs_file, adapter = str(directory / "pairs.jsonl"), str(directory / "adapter")
    done = main(
        ["prefer", "--model-name", str(directory / "model"), "--4bit", "--pairs", pairs_file,
         "--output-dir", adapter, "--num-epochs", "6", "--learning-rate", "5e-3", "--do-train"]
    )  # fmt: skip
    assert done == 0
    printed = capsys.readouterr()
    assert "fast path: micro-batches of" in printed.out + printed.err
    manifest = json.loads((directory / "adapter" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["figures"]["objective"]["margin_accuracy"][1] == 1.0


def test_a_policy_step_draws_scores_and_learns_on_the_fast_path(
    directory: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    from lawqa.cli import main
    from lawqa.demo import embedded_questions
    from lawqa.questions import write_questions

    write_questions(directory / "questions.json", embedded_questions()[:4])
    adapter = directory / "policy"
    done = main(
        ["prefer", "--policy", "--data", str(directory / "questions.json"), "--model-name",
         str(directory / "model"), "--4bit", "--output-dir", str(adapter), "--mode", "direct",
         "--max-new-tokens", "8", "--max-steps-override", "3", "--learning-rate", "5e-3", "--do-train"]
    )  # fmt: skip
    assert done == 0
    printed = capsys.readouterr()
    assert "fast path: micro-batches of" in printed.out + printed.err
    rows = [json.loads(line) for line in (adapter / "log.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3]
    # The engine and the training path see one model: before the first step it is its own base.
    assert abs(rows[0]["kl"]) < 1e-3
    print({name: round(value, 4) for name, value in rows[-1].items()})
