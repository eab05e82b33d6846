"""Fixtures of the whole suite."""

from __future__ import annotations

import gc
import importlib
import importlib.util
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from functools import cache
from importlib.resources import as_file, files
from itertools import combinations
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from _pytest.mark.expression import Expression
from hypothesis import HealthCheck, settings
from tyro import _docstrings

from lawqa.prompting import ChatTokenizer
from lawqa.questions import Question, read_questions

_TESTS = Path(__file__).parent

# Read when huggingface_hub is imported, by whichever test comes first: none may ask a network.
os.environ["HF_HUB_OFFLINE"] = "1"
# bitsandbytes asks torch to compile when it is imported, here and in every process that a test starts.
os.environ["TORCHDYNAMO_DISABLE"] = "1"

# The same examples in every run, and no clock: a busy machine must not fail a test.
settings.register_profile(
    "lawqa",
    deadline=None,
    derandomize=True,
    max_examples=50,
    suppress_health_check=[HealthCheck.too_slow],
)
# The long version looks elsewhere each time; what it finds is kept in .hypothesis and printed.
settings.register_profile(
    "rough",
    deadline=None,
    max_examples=5000,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("lawqa")


def _beside(name: str) -> ModuleType:
    """A module beside this one; the tests are no package."""
    spec = importlib.util.spec_from_file_location(f"lawqa_test_{name}", _TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden", action="store_true", help="rewrite tests/golden; review the diff"
    )
    parser.addoption(
        "--rough", action="store_true", help="the long versions of the tests marked rough: hours"
    )
    parser.addoption(
        "--each-case", action="store_true", help="a test for every case of a table (many_cases.py)"
    )


def pytest_configure(config: pytest.Config) -> None:
    # A shell lets what it starts with & ignore Ctrl-C, nohup lets it ignore a hang-up, and so would every
    # process that a test sends one.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if config.getoption("--rough"):
        settings.load_profile("rough")
    config.pluginmanager.register(_beside("many_cases"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than there are processors: many tests wait, for a server, a browser or a clock."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Collect no garbage while modules are imported: there is none, and each look is at all of them."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


# Files of 15 seconds and more of a processor or of waiting, the longest first (29 November 2026).
_LONGEST = (
    "docgen/test_build_student.py",
    "pipelines/experiments/test_crossval_asking.py",
    "pipelines/training/test_resume.py",
    "report/page/test_html_chromium.py",
    "pipelines/evaluation/test_evaluate_model.py",
    "pipelines/training/test_train_processes.py",
    "models/test_load_adapter_kinds.py",
    "rough/test_odd_answers.py",
    "pipelines/evaluation/test_ranks.py",
    "pipelines/experiments/ladder/test_run.py",
    "pipelines/experiments/test_crossval.py",
    "models/adapters/test_audit.py",
    "pipelines/training/test_dev_generation.py",
    "rough/test_training_kills.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is part of the long version only, and begin with the files of the slowest tests.

    Else one process would be left alone with such a file at the end of `make test`.
    """
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    rank = {_TESTS / name: number for number, name in enumerate(_LONGEST)}
    items.sort(key=lambda item: (rank.get(item.path, len(rank)), -slow[item.path]))
    if config.getoption("--rough"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    never = [item.nodeid for item in left_out if not item.get_closest_marker("rough")]
    if never:
        raise pytest.UsageError(f"marked long and not rough, so that nothing runs them: {never}")
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("long")]


_MARK = re.compile(r"pytest\.mark\.(\w+)")
_OF_PYTEST = {"parametrize", "skipif", "usefixtures"}
_HAS_TORCH = all(importlib.util.find_spec(name) for name in ("torch", "transformers", "peft"))


def _marks_of_file(path: Path) -> tuple[set[str], set[str]]:
    """The markers that a file gives all of its tests, and those that it mentions at all."""
    text = path.read_text(encoding="utf-8")
    of_all = re.search(r"^pytestmark = (\[\n( .*\n)*|.*)", text, re.MULTILINE)
    return set(_MARK.findall(of_all[0] if of_all else "")), set(_MARK.findall(text)) - _OF_PYTEST


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave files alone of which `-m` takes nothing: importing torch takes longer than most tests."""
    if not config.option.markexpr or not collection_path.match("test_*.py"):
        return None
    asked = Expression.compile(config.option.markexpr)
    of_all, of_some = _marks_of_file(collection_path)

    def takes(marks: set[str]) -> bool:
        return asked.evaluate(lambda name, **_: name in marks)

    unsure = of_some - of_all
    possible = (
        of_all.union(some) for n in range(len(unsure) + 1) for some in combinations(unsure, n)
    )
    return None if any(map(takes, possible)) else True


class _WithoutTorch(pytest.Module):
    """A file that is skipped whole, with a reason, instead of failing at its imports."""

    def collect(self) -> Iterator[Any]:
        pytest.skip("torch, transformers or peft is not installed", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> pytest.Module | None:
    """Skip the files marked `torch` where there is none; LAWQA_REQUIRE_TORCH forbids that."""
    if _HAS_TORCH or "torch" not in _marks_of_file(module_path)[0]:
        return None
    if os.environ.get("LAWQA_REQUIRE_TORCH"):
        raise RuntimeError("this run is to test everything, but torch is not installed")
    module: pytest.Module = _WithoutTorch.from_parent(parent, path=module_path)
    return module


@pytest.fixture(autouse=True, scope="session")
def _disk_is_not_waited_for() -> Iterator[None]:
    """What a power cut would leave is nothing a test can see; the calls are tested where they matter."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture(autouse=True, scope="session")
def _classes_are_read_once() -> Iterator[None]:
    """Tyro reads the source of a command's classes at every call, for their docstrings."""
    with pytest.MonkeyPatch.context() as patched:
        tokens = _docstrings._ClassTokenization
        patched.setattr(tokens, "make", staticmethod(cache(tokens.make)))
        yield


def _set_libraries_aside(known: list[int] = [0]) -> None:  # noqa: B006 - kept from test to test
    """Every training ends with a full garbage collection, which would walk all that is imported."""
    if len(sys.modules) > known[0] + 50:
        gc.collect()
        gc.freeze()
        known[0] = len(sys.modules)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """On the CPU: these tests compare to the last digits; tests/gpu is for what a GPU computes."""
    _set_libraries_aside()
    if not item.get_closest_marker("torch"):
        return (yield)
    import torch

    # The tiny model gains nothing from threads, and on a busy machine they wait for each other.
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("lawqa.models.load.pick_device", lambda: torch.device("cpu"))
        if not item.get_closest_marker("plots"):  # a picture is a quarter of a tiny training
            patched.setattr(
                "lawqa.report.plots.training_plots.write_training_plot",
                lambda _, path: path.touch(),
            )
        return (yield)


@pytest.fixture(scope="session")
def rough(request: pytest.FixtureRequest) -> bool:
    """Whether the long versions of the tests were asked for."""
    return bool(request.config.getoption("--rough"))


@pytest.fixture(scope="session")
def _nowhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nowhere")


@pytest.fixture(autouse=True)
def _isolated(_nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the user's home, caches, settings or working directory, or the network's models."""
    for name in [name for name in os.environ if name.startswith("LAWQA_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(_nowhere))
    monkeypatch.setenv("HF_HOME", str(_nowhere / "huggingface"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    # A plugin may have imported it before the line above that is read then.
    if constants := sys.modules.get("huggingface_hub.constants"):
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.chdir(_nowhere)


@pytest.fixture(scope="session")
def checkout() -> Path:
    """The directory that holds tests, scripts and docs_src."""
    return _TESTS.parent


@pytest.fixture(scope="session")
def shared_data(checkout: Path) -> Path:
    """The lab's data beside the checkout."""
    path = checkout.parent / "shared" / "data"
    if not path.is_dir():
        pytest.skip("there is no ../shared/data beside this checkout")
    return path


@pytest.fixture(scope="session")
def embedded_file() -> Path:
    """The question file that comes with lawqa."""
    with as_file(files("lawqa").joinpath("assets", "questions.json")) as path:
        return path


@pytest.fixture(scope="session")
def embedded_questions(embedded_file: Path) -> tuple[Question, ...]:
    return read_questions(embedded_file)


@pytest.fixture(scope="session")
def question() -> Callable[..., Question]:
    """Makes a question; any field can be given."""

    def make(**fields: Any) -> Question:
        defaults: dict[str, Any] = {
            "id": "民法_1",
            "text": "期間の計算について、正しいものはどれですか。",
            "choices": ("初日を算入する", "初日を算入しない", "月の日数による", "年の日数による"),
            "gold": "b",
            "context": "## 民法\n### 第140条\n期間の初日は、算入しない。",
        }
        return Question(**{**defaults, **fields})

    return make


@pytest.fixture(scope="session")
def byte_tokenizer() -> Callable[..., ChatTokenizer]:
    """The class `ByteTokenizer` of fakes.py; its options are explained there."""
    made: Callable[..., ChatTokenizer] = _beside("fakes").ByteTokenizer
    return made


@pytest.fixture
def check_golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the file of this name in tests/golden, or writes it (--update-golden)."""

    def check(name: str, text: str) -> None:
        path = _TESTS / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        assert path.is_file(), f"{path} is missing: pytest --update-golden writes it"
        assert text == path.read_bytes().decode(), "pytest --update-golden accepts the new text"

    return check


@pytest.fixture
def run_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs this Python with some arguments in the working directory of the test."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the tests' own words
            [sys.executable, *arguments], capture_output=True, text=True, check=False, timeout=60
        )

    return run


@pytest.fixture(scope="session")
def preloaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Starts processes of the command line that find torch imported: `Preloaded` of preloaded.py."""
    with pytest.MonkeyPatch.context() as patched:
        # The processes import it by its name; last, so that nothing here hides what is installed.
        patched.setattr(sys, "path", [*sys.path, str(_TESTS)])
        yield importlib.import_module("preloaded").Preloaded(tmp_path_factory.mktemp("preloaded"))


@pytest.fixture(scope="session")
def questions() -> Any:
    from lawqa.demo import embedded_questions

    return embedded_questions()


@pytest.fixture(scope="session")
def tiny_tokenizer(questions: Any) -> Any:
    from lawqa.models.tiny import train_tiny_tokenizer

    return train_tiny_tokenizer(
        f"{q.context}\n{q.text}\n" + "\n".join(q.choices) for q in questions
    )


@pytest.fixture(scope="session")
def tiny_dir(tmp_path_factory: pytest.TempPathFactory, tiny_tokenizer: Any) -> Path:
    from lawqa.models.tiny import write_tiny_model

    directory = tmp_path_factory.mktemp("models") / "tiny"
    write_tiny_model(directory, tiny_tokenizer)
    return directory


@pytest.fixture(scope="session")
def stored_in_4bit(tmp_path_factory: pytest.TempPathFactory, tiny_dir: Path) -> Path:
    """The tiny model quantised by somebody else: FP4, single quantisation, held as bfloat16 for FSDP."""
    import torch
    import transformers

    options = transformers.BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_storage=torch.bfloat16
    )
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny_dir, quantization_config=options)
    directory = tmp_path_factory.mktemp("stored") / "tiny-4bit"
    model.save_pretrained(directory)
    transformers.AutoTokenizer.from_pretrained(tiny_dir).save_pretrained(directory)
    return directory


@pytest.fixture(scope="session")
def qwen_tokenizer() -> Any:
    path = Path(__file__).parents[1].parent / "shared" / "data" / "qwen3-tokenizer"
    if not path.is_dir():
        pytest.skip("the real Qwen3 tokenizer is not beside the checkout")
    from lawqa.models.pretrained import load_tokenizer

    return load_tokenizer(str(path))


@pytest.fixture(params=["tiny", "qwen3"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(
        "tiny_tokenizer" if request.param == "tiny" else "qwen_tokenizer"
    )
