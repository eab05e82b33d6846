"""What a user reads when a model or its GPU is not there."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import is_offline_mode
from safetensors import SafetensorError

from lawqa import hub
from lawqa.errors import BackendError
from lawqa.models import device, pretrained
from lawqa.models.device import compute_dtype
from lawqa.models.load import load_model
from lawqa.models.load_errors import not_loaded
from lawqa.models.pretrained import load_tokenizer
from lawqa.settings import ModelSettings

pytestmark = pytest.mark.torch


@pytest.fixture(autouse=True)
def usual_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines that fetch a model name HF_HOME only where it is set."""
    monkeypatch.delenv("HF_HOME", raising=False)


def problem_of(name: str, revision: str | None = None) -> BackendError:
    with pytest.raises(BackendError) as caught:
        load_tokenizer(name, revision)
    return caught.value


def test_offline_the_command_that_fetches_a_model_is_given_whole() -> None:
    problem = problem_of("nobody/no-such-model", "v1.0")
    assert "nobody/no-such-model (v1.0): no such directory" in problem.message
    assert "HF_HUB_OFFLINE forbids fetching it" in problem.message
    assert problem.hint.startswith(
        "HF_HUB_OFFLINE=0 hf download nobody/no-such-model --revision v1.0  "
    )


def test_the_switch_that_forbids_to_fetch_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("TRANSFORMERS_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", "~/models")
    problem = problem_of("nobody/no-such-model")
    assert f"cache ({Path.home()}/models/hub), and TRANSFORMERS_OFFLINE forbids" in problem.message
    # The library asks this switch first; the model has to come into the cache that is looked at.
    assert problem.hint.startswith("HF_HUB_OFFLINE=0 HF_HOME='~/models' hf download nobody/")


def test_where_fetching_was_tried_the_reason_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)

    def fails(*_arguments: object, **_more: object) -> Any:
        raise OSError("nobody/x is not a local folder\nIf this is a private repository")

    monkeypatch.setattr(pretrained.AutoTokenizer, "from_pretrained", fails)
    monkeypatch.setattr("lawqa.models.load_errors.hub_is_reachable", lambda: True)
    problem = problem_of("nobody/x")
    assert problem.message.endswith("it cannot be fetched: nobody/x is not a local folder")
    assert "where there is a network: hf download nobody/x;" in problem.hint


@pytest.mark.slow
@pytest.mark.parametrize("proxy", [False, True])
def test_a_hub_out_of_reach_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, tiny_dir: Path, proxy: bool
) -> None:
    """Else a mistyped name costs a minute of tries; behind a proxy nobody here can know."""

    def unknown(*_: object) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    for name in (
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("no_proxy", "localhost")  # names no proxy
    if proxy:
        monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    hub.hub_is_reachable.cache_clear()
    try:
        for name, left_alone in (("nobody/x", not proxy), (str(tiny_dir), False)):
            with hub.offline_if_unreachable(name):
                assert is_offline_mode() is left_alone
            assert not is_offline_mode()
        if not proxy:
            problem = problem_of("nobody/x")
            assert problem.message.endswith(
                "it cannot be fetched: https://huggingface.co is out of reach"
            )
            assert "where there is a network: hf download nobody/x;" in problem.hint
    finally:
        hub.hub_is_reachable.cache_clear()


@pytest.mark.parametrize(
    "name", ["/no/such/model", "./model", "../model", "~/model", "a/b/c", "a/"]
)
def test_what_looks_like_a_path_is_not_sought_on_the_hub(name: str) -> None:
    problem = problem_of(name)
    assert problem.message == f"{name}: no such directory"
    assert "hf download" not in problem.hint


def test_an_adapter_given_as_a_model_is_recognised(tmp_path: Path) -> None:
    content = {"base_model_name_or_path": "Qwen/Qwen3-8B"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(content), encoding="utf-8")
    problem = problem_of(str(tmp_path))
    assert problem.message == f"{tmp_path}: is an adapter, not a model"
    assert problem.hint == f"--hf-model-name Qwen/Qwen3-8B --hf-lora-path {tmp_path}"


def test_a_model_that_was_cut_off_while_copied_is_named(tiny_dir: Path, tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(tiny_dir, copy)
    (copy / "model.safetensors").unlink()
    with pytest.raises(BackendError, match="has no weights: model") as caught:
        load_model(ModelSettings(model_name=str(copy)))
    assert "\n" not in caught.value.message


def test_weights_that_were_cut_off_while_copied_are_no_traceback(
    tiny_dir: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "model"
    shutil.copytree(tiny_dir, copy)
    weights = copy / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(BackendError, match=r"bytes long, its header says") as caught:
        load_model(ModelSettings(model_name=str(copy)))
    assert "was the copy cut off?" in caught.value.hint

    problem = not_loaded("nobody/x", None, SafetensorError("incomplete metadata"))
    assert "nobody/x: its weights in the Hugging Face cache cannot be read" in problem.message
    assert problem.hint.startswith("hf download nobody/x --force-download")


def test_an_adapter_that_was_cut_off_while_copied_is_no_traceback(
    tiny_dir: Path, tmp_path: Path
) -> None:
    config = '{"peft_type": "LORA", "r": 4, "target_modules": ["q_proj"], "task_type": "CAUSAL_LM"}'
    (tmp_path / "adapter_config.json").write_text(config, encoding="utf-8")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"\x80\0\0\0\0\0\0\0{")
    with pytest.raises(BackendError, match=r"adapter_model\.safetensors: cannot be read") as caught:
        load_model(ModelSettings(model_name=str(tiny_dir)), tmp_path)
    assert "was the copy cut off?" in caught.value.hint


@pytest.mark.parametrize(("in_4bit", "hint"), [(False, "--4bit"), (True, "top  shows")])
def test_a_model_larger_than_the_memory_is_the_users_to_mend(
    tiny_dir: Path, monkeypatch: pytest.MonkeyPatch, in_4bit: bool, hint: str
) -> None:
    def fails(*_arguments: object, **_more: object) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(pretrained.AutoModelForCausalLM, "from_pretrained", fails)
    with pytest.raises(BackendError, match="do not fit into what is free in main memory") as caught:
        load_model(ModelSettings(model_name=str(tiny_dir), load_in_4bit=in_4bit))
    assert hint in caught.value.hint


# --- the device; the suite's own pick_device is always the CPU


def without_cuda(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(device, "_GPU_CONTROL", tmp_path / "nvidiactl")
    monkeypatch.setattr(device, "_DRIVER_VERSION", tmp_path / "version")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_without_a_gpu_the_cpu_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_cuda(monkeypatch, tmp_path)
    assert device.pick_device() == torch.device("cpu")


def test_a_gpu_that_torch_cannot_use_is_not_passed_over_in_silence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    without_cuda(monkeypatch, tmp_path)
    (tmp_path / "nvidiactl").touch()
    text = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.82.01  Wed Oct 27\n"
    (tmp_path / "version").write_text(text, encoding="utf-8")
    with pytest.raises(BackendError, match=r"cannot use it with driver 470\.82\.01") as caught:
        device.pick_device()
    assert "CUDA_VISIBLE_DEVICES= runs on the CPU" in caught.value.hint
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert device.pick_device() == torch.device("cpu")


def test_each_process_of_a_launch_has_its_own_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: chosen[-1])
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert device.pick_device() == torch.device("cuda", 1)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(BackendError, match="process 2 has no GPU of its own: there are 2"):
        device.pick_device()


def test_a_dtype_that_the_gpu_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_how: False)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "Tesla T4")
    with pytest.raises(BackendError, match="Tesla T4 has no bfloat16"):
        compute_dtype("bfloat16", torch.device("cuda"))
    assert compute_dtype("auto", torch.device("cuda")) == torch.float16
    assert compute_dtype("bfloat16", torch.device("cpu")) == torch.bfloat16
