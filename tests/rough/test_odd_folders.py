"""Odd folders x commands: every cell says the exit code, the message, and what was left on disk."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lawqa.cli import main
from lawqa.questions import Question, write_questions

pytestmark = [pytest.mark.torch, pytest.mark.rough, pytest.mark.slow]

LONG = pytest.mark.long
WEIGHTS = "model.safetensors"


@pytest.fixture(scope="module")
def whole(
    tmp_path_factory: pytest.TempPathFactory, embedded_questions: tuple[Question, ...]
) -> Iterator[Path]:
    """A directory with a tiny model, an adapter over it, and questions."""
    import torch
    from safetensors.torch import save_file

    from lawqa.models.tiny import train_tiny_tokenizer, write_tiny_model

    torch.set_num_threads(1)
    here = tmp_path_factory.mktemp("whole")
    texts = (f"{q.context}\n{q.text}\n" + "\n".join(q.choices) for q in embedded_questions)
    write_tiny_model(here / "model", train_tiny_tokenizer(texts))
    (here / "adapter").mkdir()
    config = {"peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "target_modules": ["q_proj"],
              "base_model_name_or_path": "model"}  # fmt: skip
    (here / "adapter" / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
    prefix = "base_model.model.model.layers"
    lora = {f"{prefix}.{n}.self_attn.q_proj.lora_{part}.weight": torch.ones(shape)
            for n in (0, 1) for part, shape in (("A", (2, 128)), ("B", (128, 2)))}  # fmt: skip
    save_file(lora, here / "adapter" / "adapter_model.safetensors", {"format": "pt"})
    write_questions(here / "q.json", embedded_questions[:8])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lawqa.models.load.pick_device", lambda: torch.device("cpu"))
        yield here


def write(name: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_bytes(content)


def drop(*names: str) -> Callable[[Path], object]:
    return lambda folder: [(folder / name).unlink() for name in names]


def settings(name: str = "config.json", **fields: object) -> Callable[[Path], object]:
    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text(encoding="utf-8"))
        (folder / name).write_text(json.dumps({**content, **fields}), encoding="utf-8")

    return change


def tensors(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def rewritten(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        held = load_file(folder / WEIGHTS)
        change(held)
        save_file(held, folder / WEIGHTS, {"format": "pt"})

    return rewritten


def without(part: str) -> Callable[[Path], object]:
    return tensors(lambda held: [held.pop(name) for name in list(held) if part in name])


def pickled(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    (folder / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'exit 1'\ntR.")


def dead_link(name: str) -> Callable[[Path], object]:
    def linked(folder: Path) -> None:
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(
            "blobs/gone"
        )  # a snapshot of the hub's cache, copied without its blobs

    return linked


def directory_of(name: str) -> Callable[[Path], object]:
    def made(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return made


def cut_off(folder: Path) -> None:
    raw = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(raw[: len(raw) // 2])


def own_code(folder: Path) -> None:
    settings(
        model_type="mine", auto_map={"AutoConfig": "mine.C", "AutoModelForCausalLM": "mine.M"}
    )(folder)
    (folder / "mine.py").write_text(
        "raise SystemExit('the code of a model was run')", encoding="utf-8"
    )


def emptied(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def gone(folder: Path) -> None:
    shutil.rmtree(folder)


def only_adapter(folder: Path) -> None:
    emptied(folder)
    write("adapter_config.json", b'{"peft_type": "LORA", "base_model_name_or_path": "the/base"}')(
        folder
    )


# What the folder is, what is said of it, and what `plan` says, which reads the config alone: None for a plan.
FOLDERS: dict[str, tuple[Callable[[Path], object], str, str | None]] = {
    "an adapter beside it": (write("adapter_config.json", b"{}"), "and an adapter (adapter_c", "and an ad"),
    "an adapter's weights": (write("adapter_model.safetensors", b""), "and an adapter", "and an ad"),
    "a layer less": (without("layers.1."), "11 missing (", None),
    "a matrix less": (without("layers.0.mlp.down_proj"), "1 missing (", None),
    "no norms": (without("norm"), "9 missing (", None),
    "untied": (settings(tie_word_embeddings=False), "1 missing (lm_head.weight)", None),
    "fewer layers in the config": (
        settings(num_hidden_layers=1, layer_types=["full_attention"]), "11 without a place", None,
    ),
    "endless layers": (settings(num_hidden_layers=10**15), "says num_hidden_", "says num_hidden_"),
    "another shape": (settings(intermediate_size=257), "6 of another shape", None),
    "layer types of another length": (settings(layer_types=["full_attention"]), "cannot be loaded as", None),
    "heads that do not divide": (settings(hidden_size=130, head_dim=None), "", "not a multiple of num_att"),
    "an unknown architecture": (settings(model_type="x"), "cannot be loaded as", "its architecture is x"),
    "a config that is a list": (write("config.json", b"[]"), "holds a JSON list", "holds a JSON list"),
    "a config that is not JSON": (write("config.json", b"{"), "broken JSON", "broken JSON"),
    "a config of one number": (write("config.json", b"9" * 10**6), "cannot be read as", "cannot be read"),
    "no config": (drop("config.json"), "config.json is missing", "no model directory"),
    "a damaged generation config": (write("generation_config.json", b"{"), "broken JSON", "broken JSON"),
    "a damaged tokenizer config": (write("tokenizer_config.json", b"\0"), "broken JSON", "broken JSON"),
    "a damaged tokenizer": (write("tokenizer.json", b"{}"), "cannot be loaded as", None),
    "no tokenizer": (drop("tokenizer.json", "tokenizer_config.json"), "has no tokenizer", None),
    "no weights": (drop(WEIGHTS), "has no weights", None),
    "pickled weights": (pickled, "pickled weights", None),
    "weights cut off": (cut_off, "its header says", None),
    "weights that are none": (write(WEIGHTS, b"<html>404</html>"), "is cut off or not a safetensors", None),
    "weights that are a dead link": (dead_link(WEIGHTS), "model.safetensors is a link to blobs/gone", None),
    "weights that are a directory": (directory_of(WEIGHTS), "model.safetensors is a directory", None),
    "a config that is a dead link": (
        dead_link("config.json"), "config.json is a link to blobs/gone", "no model directory",
    ),
    "a tokenizer that is a dead link": (
        dead_link("tokenizer.json"), "tokenizer.json is a link to blobs/gone", None,
    ),
    "a template that is a dead link": (
        dead_link("chat_template.jinja"), "chat_template.jinja is a link to blobs/gone", None,
    ),
    "end tokens that are a dead link": (
        dead_link("generation_config.json"), "generation_config.json is a link to", "is a link to blobs",
    ),
    "quantised by nobody": (settings(quantization_config={}), "names no quant_method", None),
    "quantised in a list": (settings(quantization_config=[]), "is not a JSON object", "is not a JSON object"),
    "code of its own": (own_code, "needs code that comes with it (mine.py)", "its architecture is mine"),
    "an empty folder": (emptied, "the directory is empty", "no model directory"),
    "a file": (a_file, "is a file, expected", "no model directory"),
    "nothing": (gone, "no such directory", "no model directory"),
    "an adapter alone": (only_adapter, "is an adapter, not a model", "no model directory"),
}  # fmt: skip

COMMANDS: dict[str, list[str]] = {
    "evaluate": ["evaluate", "--data", "q.json", "--no-4bit", "--hf-model-name", "model", "--run-dir", "out"],
    "train": ["train", "--train-file", "q.json", "--no-4bit", "--model-name", "model", "--output-dir", "out",
              "--do-train"],
    "merge": ["merge", "adapter", "--model-name", "model", "-o", "out"],
    "plan": ["plan", "--model", "model"],
    "doctor": ["doctor", "--place", "practice", "--model", "model", "--data", "q.json"],
    "crossval": ["crossval", "run", "--input", "q.json", "--no-4bit", "--model-name", "model",
                 "--output-dir", "out", "--folds", "2"],
    "sweep": ["sweep", "--train-file", "q.json", "--no-4bit", "--model-name", "model", "--output-dir", "out",
              "--learning-rates", "1e-3", "--ranks", "4", "--epochs", "1", "--folds", "2"],
    "distill": ["distill", "--data", "q.json", "--no-4bit", "--hf-model-name", "model",
                "--output-path", "out"],
}  # fmt: skip

# The commands that share a loader say the same of every folder; by default each meets one of them.
ALWAYS = ("evaluate", "train", "merge", "plan")
SEEN_BY_ALL = "a layer less"
# These write down what they are about to do before they load a model.
LEAVE_SETTINGS = ("crossval", "sweep")


@pytest.fixture
def here(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(whole, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)

    def asked(*_: object) -> str:
        raise AssertionError("a question was put on the terminal")

    monkeypatch.setattr("builtins.input", asked)
    return tmp_path


def on_disk(here: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(here)): p.read_bytes() for p in sorted(here.rglob("*")) if p.is_file()
    }


@pytest.mark.parametrize(
    ("folder", "command"),
    [
        pytest.param(folder, command,
                     marks=() if command in ALWAYS or folder == SEEN_BY_ALL else LONG)
        for folder in FOLDERS
        for command in COMMANDS
    ],
)  # fmt: skip
def test_an_odd_folder_is_refused_with_a_reason_and_nothing_is_left(
    here: Path, folder: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    change, said, plan_says = FOLDERS[folder]
    change(here / "model")
    before = on_disk(here)
    code = main(COMMANDS[command])
    shown = capsys.readouterr()
    assert "Traceback" not in shown.err
    left = on_disk(here)
    if command not in LEAVE_SETTINGS:
        assert left == before
    else:
        assert {name: left[name] for name in before} == before
        assert not [name for name in left if name.endswith(("summary.json", "results.jsonl"))]
    if command == "plan" and plan_says is None:
        assert code == 0
    elif command == "plan":
        assert (code, plan_says in shown.err) == (2, True), shown.err
    elif command == "doctor":
        assert code == 2  # a problem; 1 is for warnings alone
        assert "problem  model: " in shown.out
    else:
        assert code == 2
        assert said in shown.err
        assert "model" in shown.err
