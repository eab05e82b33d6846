"""4-bit files run in the dtype that was asked for, whatever dtype their maker stored the rest in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

from lawqa.cli import main
from lawqa.models import quantisation
from lawqa.models.load import load_model
from lawqa.questions import write_questions
from lawqa.settings import ModelSettings

pytestmark = [pytest.mark.torch, pytest.mark.slow]


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path, questions: Any) -> Path:
    """The tiny model as published 4-bit files are: NF4, double quantisation, all else in bfloat16."""
    options = transformers.BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
    )
    model = transformers.AutoModelForCausalLM.from_pretrained(
        tiny_dir, quantization_config=options, dtype=torch.bfloat16, trust_remote_code=False
    )
    directory = tmp_path_factory.mktemp("stored")
    model.save_pretrained(directory / "model")
    transformers.AutoTokenizer.from_pretrained(tiny_dir, trust_remote_code=False).save_pretrained(
        directory / "model"
    )
    write_questions(directory / "train.json", questions[:8])
    write_questions(directory / "dev.json", questions[12:15])
    return directory


def test_bitsandbytes_is_imported_without_torchs_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    compiler, seen = torch.compile, []

    def double(x: int) -> int:
        return 2 * x

    def imported(name: str) -> None:
        seen.append(name)
        assert torch.compile(double) is double
        assert torch.compile(dynamic=False)(double) is double
        raise ImportError

    monkeypatch.setattr(quantisation, "import_module", imported)
    with pytest.raises(ImportError):
        quantisation.import_bitsandbytes()
    assert seen == ["bitsandbytes"]
    assert torch.compile is compiler


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_every_weight_that_is_not_quantised_is_cast(stored: Path, dtype: Any) -> None:
    loaded = load_model(ModelSettings(model_name=str(stored / "model"), dtype=dtype))
    asked = getattr(torch, dtype)
    assert {p.dtype for p in loaded.model.parameters()} == {asked, torch.uint8}
    with torch.no_grad():
        assert loaded.model(input_ids=torch.arange(8)[None]).logits.dtype == asked
    assert loaded.describe()["dtype"] == dtype


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("answer_by", ["logits", "generate"])
def test_evaluation_runs_in_each_dtype_and_names_it(
    stored: Path, tmp_path: Path, dtype: str, answer_by: str
) -> None:
    run = tmp_path / "run"
    assert main(["evaluate", "--data", str(stored / "dev.json"), "--hf-model-name", str(stored / "model"),
                 "--dtype", dtype, "--answer-by", answer_by, "--max-new-tokens", "4",
                 "--run-dir", str(run)]) == 0  # fmt: skip
    model = json.loads((run / "manifest.json").read_text(encoding="utf-8"))["model"]
    assert (model["dtype"], model["stored"], model["quantisation"]) == (dtype, "nf4", "nf4")


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_training_with_dev_questions_runs_in_each_dtype_and_evaluates(
    stored: Path, tmp_path: Path, dtype: str
) -> None:
    adapter, model = tmp_path / "adapter", str(stored / "model")
    assert main(["train", "--model-name", model, "--train-file", str(stored / "train.json"),
                 "--dev-file", str(stored / "dev.json"), "--output-dir", str(adapter), "--num-epochs", "1",
                 "--bnb-4bit-compute-dtype", dtype, "--do-train"]) == 0  # fmt: skip
    manifest = json.loads((adapter / "manifest.json").read_text(encoding="utf-8"))
    assert (manifest["model"]["dtype"], manifest["model"]["stored"]) == (dtype, "nf4")
    for asked in ("float32", "float16"):
        assert main(["evaluate", "--data", str(stored / "dev.json"), "--hf-model-name", model,
                     "--hf-lora-path", str(adapter), "--dtype", asked,
                     "--run-dir", str(tmp_path / asked)]) == 0  # fmt: skip
