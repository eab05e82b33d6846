"""Adapters of every kind: applied as PEFT applies them, or refused; the base beside them is the base."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import peft
import pytest
import torch
import transformers

from lawqa.backends.base import GenerationSettings
from lawqa.backends.hf.backend import HFBackend
from lawqa.cli import main
from lawqa.errors import BackendError
from lawqa.models.load import LoadedModel, load_model
from lawqa.prompting import PromptSpec, build_prompt
from lawqa.questions import write_questions
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch

LONG = [pytest.mark.rough, pytest.mark.long]
TARGETS = ["q_proj", "down_proj"]
TASK = {"task_type": "CAUSAL_LM"}
Make = Callable[[], Any]


def lora(**settings: Any) -> Make:
    return lambda: peft.LoraConfig(
        **{"r": 4, "lora_alpha": 8, "target_modules": TARGETS, **TASK, **settings}
    )


def other(name: str, **settings: Any) -> Make:
    return lambda: getattr(peft, name)(**{"target_modules": TARGETS, **TASK, **settings})


FAST: dict[str, Make] = {
    "plain": lora(),
    "rsLoRA": lora(use_rslora=True),
    "rank and alpha patterns": lora(rank_pattern={"q_proj": 2}, alpha_pattern={"down_proj": 3}),
    "one layer": lora(layers_to_transform=[1]),
    "all but one": lora(target_modules="all-linear", exclude_modules=["o_proj"]),
    "fan_in_fan_out": lora(fan_in_fan_out=True),
    "bias where there is none": lora(bias="all"),
    "started at random": lora(init_lora_weights="gaussian"),
    "EVA": lora(init_lora_weights="eva"),
    "orthogonal": lora(init_lora_weights="orthogonal"),
}
PLAIN: dict[str, Make] = {
    "DoRA": lora(use_dora=True),
    "LoRA with a bias": lora(lora_bias=True),
    "a saved lm_head": lora(modules_to_save=["lm_head"]),
    "a saved norm": lora(modules_to_save=["norm"]),
    "trained tokens": lora(trainable_token_indices=[5, 6, 7]),
    "embeddings": lora(target_modules=[*TARGETS, "embed_tokens"]),
    "lm_head": lora(target_modules=[*TARGETS, "lm_head"]),
    "IA3": other("IA3Config", feedforward_modules=["down_proj"]),
    "LN tuning": other("LNTuningConfig", target_modules=["input_layernorm", "norm"]),
    "AdaLoRA": other("AdaLoraConfig", total_step=10, init_r=4, target_r=2),
    "VeRA": other("VeraConfig"),
    "OFT": other("OFTConfig", oft_block_size=4),
    "tokens alone": other(
        "TrainableTokensConfig", target_modules=["embed_tokens"], token_indices=[1, 6]
    ),
}
FLOAT_ONLY: dict[str, Make] = {
    "target_parameters": lora(target_modules=[], target_parameters=["mlp.down_proj.weight"]),
    "LoHa": other("LoHaConfig"),
    "LoKr": other("LoKrConfig"),
    "HRA": other("HRAConfig"),
    "SHiRA": other("ShiraConfig", r=2),
}
REFUSED: dict[str, tuple[Make, str]] = {
    "PiSSA": (lora(init_lora_weights="pissa"), "rewrites the base model's weights"),
    "PiSSA, fast": (lora(init_lora_weights="pissa_niter_4"), "rewrites the base model's weights"),
    "OLoRA": (lora(init_lora_weights="olora"), "rewrites the base model's weights"),
    "aLoRA": (lora(alora_invocation_tokens=[3, 4]), "aLoRA switches itself on"),
    "layers twice": (lora(layer_replication=[[0, 2], [1, 2]]), "it adds layers"),
    "prefix tuning": (
        lambda: peft.PrefixTuningConfig(num_virtual_tokens=3, **TASK),
        "PREFIX_TUNING is not applied",
    ),
    "prompt tuning": (
        lambda: peft.PromptTuningConfig(num_virtual_tokens=3, **TASK),
        "PROMPT_TUNING is not applied",
    ),
    "p-tuning": (
        lambda: peft.PromptEncoderConfig(num_virtual_tokens=3, encoder_hidden_size=16, **TASK),
        "P_TUNING is not applied",
    ),
}


@pytest.fixture
def made(tiny_dir: Path, tmp_path: Path) -> Callable[[Make], Path]:
    """Writes an adapter whose every trained weight has moved."""

    def make(config: Make) -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            base = transformers.AutoModelForCausalLM.from_pretrained(tiny_dir)
            torch.manual_seed(0)
            model = peft.get_peft_model(base, config())
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.data += 0.05 * torch.randn_like(parameter)
            model.save_pretrained(tmp_path / "adapter")
        return tmp_path / "adapter"

    return make


@pytest.fixture(scope="module")
def bases() -> dict[bool, torch.Tensor]:
    """Scores of the base alone, by whether it is in 4 bits."""
    return {}


def scores(backend: HFBackend, questions: Any) -> torch.Tensor:
    prompts = [build_prompt(question, PromptSpec()) for question in questions[12:16]]
    found = {one.key: one.logprobs for one in backend.score_choices(prompts)}  # type: ignore[union-attr]
    return torch.tensor([found[prompt.key] for prompt in prompts])


def as_peft_has_it(model: ModelSettings, adapter: Path) -> LoadedModel:
    loaded = load_model(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded.model = peft.PeftModel.from_pretrained(loaded.model, str(adapter)).eval()
    loaded.adapter = adapter
    return loaded


def cases() -> Iterator[Any]:
    for name, make in {**FAST, **PLAIN, **FLOAT_ONLY}.items():
        for in_4bit in (False, True):
            # PEFT's own loading starts orthogonal weights over the packed bytes, and fails.
            if not (in_4bit and (name in FLOAT_ONLY or name == "orthogonal")):
                # Every kind without quantisation, and of each family one over 4 bits; the rest is long.
                often = not in_4bit or name in ("plain", "DoRA", "IA3", "trained tokens")
                yield pytest.param(
                    make, in_4bit, name in FAST, id=f"{name}, {'nf4' if in_4bit else 'float'}",
                    marks=() if often else LONG,
                )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("make", "in_4bit", "fast"), list(cases()))
def test_it_is_applied_as_peft_applies_it_and_the_base_is_the_base(
    make: Make, in_4bit: bool, fast: bool, made: Callable[[Make], Path], tiny_dir: Path,
    questions: Any, bases: dict[bool, torch.Tensor], caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    adapter, config = made(make), ModelSettings(model_name=str(tiny_dir), load_in_4bit=in_4bit)
    if in_4bit not in bases:
        bases[in_4bit] = scores(HFBackend(load_model(config)), questions)
    backend = HFBackend(load_model(config, adapter))
    caplog.clear()
    adapted = scores(backend, questions)
    told = [record.message for record in caplog.records if record.levelname == "WARNING"]
    path = str(backend.describe()["path"])
    if fast:
        assert path.startswith("flat tokens")
        assert not told
    else:
        assert path.startswith("transformers: an adapter") or "LoRA layer with a bias" in path
        assert len(told) == 1
        assert told[0].startswith("asking through transformers' own forward pass: ")
        scores(backend, questions)
        assert len(caplog.records) == 1, "said once"
    base = scores(backend.without_adapter(), questions)
    assert torch.equal(base, bases[in_4bit])
    reference = scores(HFBackend(as_peft_has_it(config, adapter), path="plain"), questions)
    torch.testing.assert_close(adapted, reference, rtol=0, atol=1e-5)
    assert (adapted - base).abs().max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("in_4bit", [False, True])
def test_what_would_not_be_applied_as_it_was_trained_is_refused(
    name: str, in_4bit: bool, made: Callable[[Make], Path], tiny_dir: Path
) -> None:
    make, told = REFUSED[name]
    with pytest.raises(BackendError, match=told) as caught:
        load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=in_4bit), made(make))
    assert caught.value.hint


@pytest.mark.parametrize("name", ["LoHa", "LoKr", "HRA"])
def test_what_peft_does_not_know_over_4_bits_is_refused_there(
    name: str, made: Callable[[Make], Path], tiny_dir: Path
) -> None:
    with pytest.raises(BackendError, match=r"does not fit .* in nf4") as caught:
        load_model(
            ModelSettings(model_name=str(tiny_dir), load_in_4bit=True), made(FLOAT_ONLY[name])
        )
    assert "try --no-4bit" in caught.value.hint


def test_a_trained_bias_of_the_base_is_refused(
    made: Callable[[Make], Path], tiny_dir: Path
) -> None:
    from safetensors.torch import load_file, save_file

    adapter = made(lora(bias="all"))
    weights = adapter / "adapter_model.safetensors"
    bias = {"base_model.model.model.layers.0.self_attn.q_proj.bias": torch.ones(128)}
    save_file({**load_file(weights), **bias}, weights)
    content = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    (adapter / "adapter_config.json").write_text(json.dumps({**content, "bias": "all"}))
    with pytest.raises(BackendError, match="would replace biases of the base model"):
        load_model(ModelSettings(model_name=str(tiny_dir)), adapter)


def test_embeddings_saved_with_the_adapter_may_be_the_bases_own_and_no_others(
    made: Callable[[Make], Path], tiny_dir: Path
) -> None:
    from safetensors.torch import load_file, save_file

    adapter = made(PLAIN["embeddings"])
    weights = adapter / "adapter_model.safetensors"
    tensors = load_file(weights)
    (name,) = [name for name in tensors if name.endswith("embed_tokens.base_layer.weight")]
    load_model(ModelSettings(model_name=str(tiny_dir)), adapter)
    tensors[name][3] += 1
    save_file(tensors, weights)
    with pytest.raises(BackendError, match="would replace a weight of the base model"):
        load_model(ModelSettings(model_name=str(tiny_dir)), adapter)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["IA3", "LN tuning", "trained tokens", "a saved lm_head", "DoRA"])
def test_generated_text_too_is_that_of_the_adapter_and_of_the_base(
    name: str, made: Callable[[Make], Path], tiny_dir: Path, questions: Any
) -> None:
    config, settings = ModelSettings(model_name=str(tiny_dir)), GenerationSettings(max_new_tokens=8)
    prompts = [build_prompt(question, PromptSpec(mode="cot")) for question in questions[12:14]]

    def texts(backend: HFBackend) -> dict[str, str]:
        return {one.key: one.text for one in backend.generate(prompts, settings)}  # type: ignore[union-attr]

    adapter = made(PLAIN[name])
    backend = HFBackend(load_model(config, adapter))
    assert texts(backend) == texts(HFBackend(as_peft_has_it(config, adapter), path="plain"))
    assert texts(backend.without_adapter()) == texts(HFBackend(load_model(config)))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["IA3", "LN tuning", "trained tokens", "a saved lm_head"])
def test_the_base_column_is_a_run_without_the_adapter(
    name: str, made: Callable[[Make], Path], tiny_dir: Path, tmp_path: Path, questions: Any
) -> None:
    write_questions(tmp_path / "q.json", questions[12:16])
    asked = [
        "evaluate",
        "--data",
        str(tmp_path / "q.json"),
        "--no-4bit",
        "--hf-model-name",
        str(tiny_dir),
    ]
    lora_path = ["--hf-lora-path", str(made(PLAIN[name])), "--with-base"]
    assert main([*asked, *lora_path, "--run-dir", str(tmp_path / "with")]) == 0
    assert main([*asked, "--run-dir", str(tmp_path / "alone")]) == 0

    def logprobs(run: str) -> list[Any]:
        lines = (tmp_path / run / "results.jsonl").read_text(encoding="utf-8").splitlines()
        return sorted((row["file_name"], row["label_logprobs"]) for row in map(json.loads, lines))

    assert logprobs("with-base") == logprobs("alone")
    assert logprobs("with") != logprobs("alone")


# --- merging


MERGED = {name: {**FAST, **PLAIN, **FLOAT_ONLY}[name] for name in (
    "plain", "rsLoRA", "DoRA", "IA3", "LoHa", "LN tuning", "trained tokens", "a saved norm",
)}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        n if n in ("plain", "DoRA", "IA3", "a saved norm") else pytest.param(n, marks=LONG)
        for n in MERGED
    ],
)
def test_a_merged_model_answers_like_base_and_adapter(
    name: str, made: Callable[[Make], Path], tiny_dir: Path, tmp_path: Path, questions: Any
) -> None:
    adapter, output = made(MERGED[name]), tmp_path / "merged"
    assert main(["merge", str(adapter), "-o", str(output), "--model-name", str(tiny_dir)]) == 0
    merged = scores(HFBackend(load_model(ModelSettings(model_name=str(output)))), questions)
    model = ModelSettings(model_name=str(tiny_dir))
    adapted = scores(HFBackend(load_model(model, adapter)), questions)
    base = scores(HFBackend(load_model(model)), questions)
    assert (merged - adapted).abs().max() < 0.25 * (base - adapted).abs().max() + 0.02


@pytest.mark.parametrize("name", ["a saved lm_head", "lm_head", "embeddings", "LoRA with a bias"])
def test_what_cannot_be_merged_exactly_is_refused_and_leaves_nothing(
    name: str, made: Callable[[Make], Path], tiny_dir: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    adapter, output = made(PLAIN[name]), tmp_path / "new" / "merged"
    assert main(["merge", str(adapter), "-o", str(output), "--model-name", str(tiny_dir)]) == 2
    err = capsys.readouterr().err
    assert "cannot be merged" in err
    assert "use the adapter unmerged" in err
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


@pytest.mark.slow
def test_a_merge_that_peft_gets_wrong_is_noticed(
    made: Callable[[Make], Path], tiny_dir: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """As if PEFT left the adapter out: the check reads what was written."""
    monkeypatch.setattr(
        peft.PeftModel, "merge_and_unload", lambda model, **_: model.unload(), raising=False
    )
    adapter, output = made(lora()), tmp_path / "merged"
    assert main(["merge", str(adapter), "-o", str(output), "--model-name", str(tiny_dir)]) == 2
    assert "cannot be merged exactly: read back" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


@pytest.mark.slow
def test_a_full_disk_is_no_traceback_and_leaves_no_half_model(
    made: Callable[[Make], Path], tiny_dir: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    import resource

    adapter, output = made(lora()), tmp_path / "merged"
    command = ["merge", str(adapter), "-o", str(output), "--model-name", str(tiny_dir)]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))  # the tiny model has 1.2 MB
    try:
        code = main(command)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    err = capsys.readouterr().err
    assert code == 2
    assert "could not be written: " in err
    assert "nothing of it is left" in err
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]

    full = shutil._ntuple_diskusage(10**9, 10**9, 0)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    assert main(command) == 2
    assert "0.0 GiB are free" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["adapter"]


@pytest.mark.slow
def test_merging_an_adapter_that_does_nothing_says_so(
    made: Callable[[Make], Path], tiny_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adapter = made(lora(lora_alpha=0))
    command = ["merge", str(adapter), "-o", str(tmp_path / "m"), "--model-name", str(tiny_dir)]
    assert main(command) == 0
    assert "ADAPTER CHANGES NOTHING" in capsys.readouterr().err
