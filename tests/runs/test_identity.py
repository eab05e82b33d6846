"""What a model is: its content, whatever lies beside it, whatever it is called and however it is divided."""

from __future__ import annotations

import json
import os
import shutil
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.digests import REMEMBERED_FROM, digest_cache, hashed_while_read, sha256_of
from lawqa.doctor.verify import verified
from lawqa.errors import DataError
from lawqa.models.files.identity import PARTS, read_identity
from lawqa.pipelines.adapters.content import AdapterContent
from lawqa.runs.identity import model_differences, model_name

LARGE = REMEMBERED_FROM + 4096
MIB = 1 << 20


def write_tensors(path: Path, tensors: dict[str, bytes], **metadata: str) -> None:
    """A safetensors file of one-dimensional uint8 tensors."""
    header: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    offset = 0
    for name, content in tensors.items():
        end = offset + len(content)
        header[name] = {"dtype": "U8", "shape": [len(content)], "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(tensors.values()))


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value), encoding="utf-8")


TENSORS = {"embed": b"e" * 64, "layers.0": bytes(range(256)), "norm": b"n" * 16}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    directory = tmp_path / "model"
    directory.mkdir()
    write_tensors(directory / "model.safetensors", TENSORS)
    write_json(directory / "config.json", {"model_type": "qwen3", "transformers_version": "4.57"})
    write_json(directory / "generation_config.json", {"eos_token_id": [1, 2], "temperature": 0.6})
    write_json(directory / "tokenizer.json", {"model": {"vocab": {"a": 0}}})
    write_json(directory / "tokenizer_config.json", {"eos_token": "x", "chat_template": "{{ m }}"})
    return directory


def content(directory: Path) -> dict[str, str | None]:
    return dict(read_identity(directory).content)


def test_every_part_is_known(model: Path) -> None:
    found = content(model)
    assert tuple(found) == PARTS
    assert all(digest and len(digest) == 64 for digest in found.values())


@pytest.mark.parametrize(
    "name",
    ["README.md", "Modelfile", "model.gguf", ".gitattributes", "LICENSE", "a.png", ".DS_Store"],
)
def test_what_lies_beside_a_model_is_not_the_model(model: Path, name: str) -> None:
    before = content(model)
    (model / name).write_bytes(b"something")
    (model / "onnx").mkdir()
    assert content(model) == before


def reshard(model: Path) -> None:
    (model / "model.safetensors").unlink()
    names = list(TENSORS)
    write_tensors(model / "model-00001-of-00002.safetensors", {n: TENSORS[n] for n in names[2:]})
    write_tensors(model / "model-00002-of-00002.safetensors", {n: TENSORS[n] for n in names[:2]})
    placed = {n: f"model-0000{1 if n in names[2:] else 2}-of-00002.safetensors" for n in names}
    write_json(model / "model.safetensors.index.json", {"weight_map": placed})


def link_blobs(model: Path) -> None:
    """As the hub's cache does: files are links to blobs."""
    blobs = model.parent / "blobs"
    blobs.mkdir()
    for number, path in enumerate(sorted(model.iterdir())):
        blob = blobs / f"{number}"
        path.rename(blob)
        path.symlink_to(blob)


def template_of_its_own(model: Path) -> None:
    (model / "chat_template.jinja").write_text("{{ m }}", encoding="utf-8")
    write_json(model / "tokenizer_config.json", {"eos_token": "x"})


def other_writer(model: Path) -> None:
    write_tensors(model / "model.safetensors", TENSORS, format="pt")
    new = {"transformers_version": "5.0", "_name_or_path": "/there", "model_type": "qwen3"}
    (model / "config.json").write_text(json.dumps(new, indent=4), encoding="utf-8")


@pytest.mark.parametrize(
    "change", [reshard, link_blobs, template_of_its_own, other_writer], ids=lambda one: one.__name__
)
def test_the_same_content_is_the_same_model(model: Path, change: Callable[[Path], None]) -> None:
    before = content(model)
    change(model)
    assert content(model) == before


def one_byte(model: Path) -> None:
    write_tensors(model / "model.safetensors", {**TENSORS, "layers.0": bytes(range(255)) + b"x"})


def renamed_tensor(model: Path) -> None:
    write_tensors(model / "model.safetensors", {"e": TENSORS["embed"], **TENSORS})


def edit(name: str, **fields: Any) -> Callable[[Path], None]:
    def change(model: Path) -> None:
        whole = json.loads((model / name).read_text(encoding="utf-8"))
        write_json(model / name, {**whole, **fields})

    return change


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (one_byte, "weights"),
        (renamed_tensor, "weights"),
        (edit("config.json", rope_theta=1e6), "config"),
        (edit("tokenizer.json", model={"vocab": {"a": 1}}), "tokenizer"),
        (edit("tokenizer_config.json", bos_token="y"), "tokenizer"),  # noqa: S106 - no password
        (edit("tokenizer_config.json", chat_template="{{ n }}"), "chat_template"),
        (edit("generation_config.json", eos_token_id=[1]), "generation"),
    ],
)
def test_another_content_is_another_model_and_says_in_what(
    model: Path, change: Callable[[Path], None], part: str
) -> None:
    before = content(model)
    change(model)
    after = content(model)
    assert [one for one in PARTS if before[one] != after[one]] == [part]


def test_defaults_of_generation_that_are_not_used_do_not_matter(model: Path) -> None:
    before = content(model)
    edit("generation_config.json", temperature=0.1, top_k=3)(model)
    assert content(model) == before


# --- whole files, read once


def settled(path: Path) -> None:
    """Wait until a file's times are old enough for its digest to be remembered."""
    while time.time_ns() - path.stat().st_ctime_ns < 2_100_000_000:
        time.sleep(0.1)


def flip(path: Path, offset: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        byte = file.read(1)
        file.seek(offset)
        file.write(bytes([byte[0] ^ 1]))


def test_a_change_in_the_middle_of_the_weights_is_seen(model: Path) -> None:
    path = model / "model.safetensors"
    write_tensors(path, {"w": bytes(LARGE)})
    before = content(model)["weights"]
    flip(path, LARGE // 2)  # past the first and before the last MiB
    assert content(model)["weights"] != before


@pytest.mark.slow
def test_a_large_file_is_read_once_and_again_when_it_changes(model: Path) -> None:
    path = model / "model.safetensors"
    write_tensors(path, {"w": bytes(LARGE)})
    settled(path)
    before = content(model)
    (entry,) = digest_cache().iterdir()
    lied = json.loads(entry.read_text(encoding="utf-8"))
    write_json(entry, {**lied, "digests": {"w": "remembered"}})
    assert content(model) != before, "the file was not read, what is remembered counts"
    with pytest.raises(DataError, match="its bytes are not those that its digest was made of"):
        read_identity(model, verify=True)
    assert content(model) == before, "the wrong digest is forgotten"

    times = path.stat()
    flip(path, LARGE // 2)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # as cp -p and touch -r do
    assert content(model)["weights"] != before["weights"]


@pytest.mark.parametrize("broken", ["{", "[]", '{"stamp": 1}', "\0"])
@pytest.mark.slow
def test_a_broken_cache_costs_time_and_nothing_else(model: Path, broken: str) -> None:
    write_tensors(model / "model.safetensors", {"w": bytes(LARGE)})
    settled(model / "model.safetensors")
    before = content(model)
    (entry,) = digest_cache().iterdir()
    entry.write_text(broken, encoding="utf-8")
    assert content(model) == before


@pytest.mark.slow
def test_the_doctor_reads_a_model_whole(model: Path) -> None:
    write_tensors(model / "model.safetensors", {"w": bytes(LARGE)})
    settled(model / "model.safetensors")
    assert verified(str(model)).level == "ok"
    (entry,) = digest_cache().iterdir()
    lied = json.loads(entry.read_text(encoding="utf-8"))
    write_json(entry, {**lied, "digests": {"w": "remembered"}})
    found = verified(str(model))
    assert (found.level, entry.exists()) == ("problem", False)
    assert "its bytes are not those that its digest was made of" in found.message
    assert verified(str(model / "nowhere")).level == "problem"


def test_an_unwritable_cache_is_no_error(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "XDG_CACHE_HOME", str(model / "config.json")
    )  # a file: nothing goes below it
    write_tensors(model / "model.safetensors", {"w": bytes(LARGE)})
    assert content(model) == content(model)


def test_a_file_that_changes_while_it_is_read_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text("1", encoding="utf-8")
    with hashed_while_read(path) as digest:
        assert digest == sha256_of(path)
    with pytest.raises(DataError, match="was changed while it was read"), hashed_while_read(path):
        path.write_text("2", encoding="utf-8")


def test_a_model_that_is_replaced_while_it_is_loaded_is_an_error(model: Path) -> None:
    found = read_identity(model)
    found.require_unchanged("while the model was loaded")
    copy = model / "copy"
    shutil.copy(model / "config.json", copy)
    copy.rename(model / "config.json")
    with pytest.raises(DataError, match=r"config\.json: was changed while the model was loaded"):
        found.require_unchanged("while the model was loaded")


def test_the_scale_of_an_adapter_is_part_of_it_and_the_place_of_its_base_is_not(
    tmp_path: Path,
) -> None:
    config = tmp_path / "adapter_config.json"
    settings = {"peft_type": "LORA", "lora_alpha": 32, "base_model_name_or_path": "here"}
    write_json(config, settings)
    write_tensors(tmp_path / "adapter_model.safetensors", TENSORS)
    before = AdapterContent.read(tmp_path).to_json()
    write_json(config, {**settings, "base_model_name_or_path": "there", "inference_mode": True})
    assert AdapterContent.read(tmp_path).to_json() == before
    write_json(config, {**settings, "lora_alpha": 64})
    after = AdapterContent.read(tmp_path).to_json()
    assert after["weights_sha256"] == before["weights_sha256"]
    assert after["config_sha256"] != before["config_sha256"]


# --- the one place that decides


def described(name: str = "m", **fields: Any) -> dict[str, Any]:
    return {"backend": "hf", "name": name, "revision": None, "commit": None, **fields}


def parts(**changes: str) -> dict[str, str]:
    return {**dict.fromkeys(PARTS, "same"), **changes}


@pytest.mark.parametrize(
    ("before", "now", "differ"),
    [
        (described(content=parts()), described("moved", content=parts()), []),
        (described(content=parts()), described(content=parts(config="x")), ["the model's config"]),
        (described(directory_sha256="a"), described("b", directory_sha256="a"), []),
        (described(directory_sha256="a"), described(directory_sha256="b"), ["the model's files"]),
        (
            described(directory_sha256="a"),
            described("moved", directory_sha256="a", content=parts()),
            [],
        ),
        (described(commit="a"), described(commit="a"), []),
        (described(commit="a"), described(commit="b"), ["the model's commit"]),
        (described(), described(revision="v2"), ["the model's revision"]),
        (described(), described("n"), ["the model's name"]),
        (described(commit="a"), described(directory_sha256="b"), ["the model's commit", "the model's files"]),
        (described(digest="a"), described(digest="b"), ["the model's digest"]),
        (
            described(backend="ollama", digest="a", server={"url": "http://a"}),
            described(backend="ollama", digest="a", server={"url": "http://b"}),
            [],
        ),
        (
            described(backend="openai", server={"url": "http://a"}),
            described(backend="openai", server={"url": "http://b"}),
            ["the server (--base-url)"],
        ),
        (described(script={"*": "a"}), described(script={"*": "b"}), ["the script"]),
        (described(script={"*": "a"}), described(script={"*": "a", "q": "b"}), ["the script"]),
        (described(script={"*": None}), described(script={"*": "b"}), []),
        (described(), described(script={"*": "b"}), []),
    ],
)  # fmt: skip
def test_whether_two_manifests_speak_of_the_same_model(
    before: dict[str, Any], now: dict[str, Any], differ: list[str]
) -> None:
    assert list(model_differences(before, now)) == differ


def test_a_model_is_called_by_its_name_and_what_tells_it_from_another() -> None:
    assert model_name(described()) == "m"
    assert model_name(described(commit="c0ffee")) == "m (c0ffee)"
    assert model_name(described(content=parts(weights="0123456789abcdef"))) == "m (0123456789ab)"
