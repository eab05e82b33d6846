"""On a GPU too, adapters that are not plain LoRA take the plain path and agree with PEFT."""

from __future__ import annotations

import importlib.util
import warnings
from pathlib import Path
from typing import Any

import pytest

HAS_TORCH = importlib.util.find_spec("torch") is not None
if HAS_TORCH:
    import torch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        not HAS_TORCH or not torch.cuda.is_available(), reason="no CUDA device (or no torch)"
    ),
]

HALF_TOLERANCE = 0.15
"""Nats. bfloat16 keeps 8 bits of a product."""
LORA = {"r": 4, "lora_alpha": 8, "target_modules": ["q_proj", "down_proj"]}
KINDS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "plain": ("LoraConfig", LORA, True),
    "rsLoRA": ("LoraConfig", {**LORA, "use_rslora": True}, True),
    "DoRA": ("LoraConfig", {**LORA, "use_dora": True}, False),
    "a saved norm": ("LoraConfig", {**LORA, "modules_to_save": ["norm"]}, False),
    "trained tokens": ("LoraConfig", {**LORA, "trainable_token_indices": [1, 6]}, False),
    "IA3": (
        "IA3Config",
        {"target_modules": ["q_proj", "down_proj"], "feedforward_modules": ["down_proj"]},
        False,
    ),
    "LN tuning": ("LNTuningConfig", {"target_modules": ["input_layernorm", "norm"]}, False),
}


@pytest.fixture(scope="module")
def questions() -> Any:
    from lawqa.demo import embedded_questions

    return embedded_questions()[:6]


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory, questions: Any) -> Path:
    from lawqa.models.tiny import train_tiny_tokenizer, write_tiny_model

    directory = tmp_path_factory.mktemp("models") / "tiny"
    texts = [f"{q.context}\n{q.text}\n" + "\n".join(q.choices) for q in questions]
    write_tiny_model(directory, train_tiny_tokenizer(texts))
    return directory


def scores(backend: Any, questions: Any) -> Any:
    from lawqa.prompting import PromptSpec, build_prompt

    prompts = [build_prompt(question, PromptSpec()) for question in questions]
    found = {one.key: one.logprobs for one in backend.score_choices(prompts)}
    return torch.tensor([found[prompt.key] for prompt in prompts])


@pytest.mark.parametrize("in_4bit", [False, True])
@pytest.mark.parametrize("name", KINDS)
def test_it_agrees_with_peft_and_the_base_is_the_base(
    name: str, in_4bit: bool, model_dir: Path, questions: Any, tmp_path: Path
) -> None:
    import peft
    import transformers

    from lawqa.backends.hf.backend import HFBackend
    from lawqa.models.load import load_model
    from lawqa.settings import ModelSettings

    kind, settings, fast = KINDS[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        base = transformers.AutoModelForCausalLM.from_pretrained(model_dir)
        torch.manual_seed(0)
        made = peft.get_peft_model(base, getattr(peft, kind)(task_type="CAUSAL_LM", **settings))
        for parameter in made.parameters():
            if parameter.requires_grad:
                parameter.data += 0.05 * torch.randn_like(parameter)
        made.save_pretrained(tmp_path)
    config = ModelSettings(model_name=str(model_dir), load_in_4bit=in_4bit, dtype="bfloat16")
    backend = HFBackend(load_model(config, tmp_path))
    adapted = scores(backend, questions)
    assert str(backend.describe()["path"]).startswith("flat tokens" if fast else "transformers: ")
    reference = load_model(config)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reference.model = peft.PeftModel.from_pretrained(reference.model, str(tmp_path)).eval()
    reference.adapter = tmp_path
    expected = scores(HFBackend(reference, path="plain"), questions)
    assert (adapted - expected).abs().max() < HALF_TOLERANCE
    alone = scores(HFBackend(load_model(config)), questions)
    assert torch.equal(scores(backend.without_adapter(), questions), alone)
