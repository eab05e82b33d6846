"""The doctor with a machine of its own making: one test for each thing that it can find."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.cli.lab.doctor import findings_text, json_text
from lawqa.commands.source import packaged_source
from lawqa.doctor import Finding, Gpu, PlannedRun, examine, findings_exit_code
from lawqa.errors import BackendError, LawqaError
from lawqa.questions import file_sha256
from lawqa.templates.folder import has_second_template

pytestmark = pytest.mark.every_python

MIG = Gpu("NVIDIA A100 80GB PCIe MIG 2g.20gb", 19.2, 19.5, (8, 0), bf16=True)
VERSIONS = {
    "torch": "2.8.0", "transformers": "5.20.0", "peft": "0.20.0", "bitsandbytes": "0.50.2",
    "accelerate": "1.15.0", "numpy": "2.2.6",
}  # fmt: skip


@dataclass
class Machine:
    """A machine that answers from a table."""

    version: tuple[int, int, int] = (3, 11, 7)
    packages: Mapping[str, str] = field(default_factory=lambda: dict(VERSIONS))
    build: tuple[str | None, str | None] = ("12.8", None)
    newest_cuda: int | None = 12040
    device: Gpu | None = MIG
    error: float | Exception = 0.1
    variables: Mapping[str, str] = field(default_factory=dict)
    system: tuple[str, str] = ("Linux", "4.18.0-553.el8.x86_64")
    coding: tuple[str, str, str] = ("UTF-8", "utf-8", "utf-8")
    space: Mapping[str, float | None] = field(default_factory=dict)
    fault: LawqaError | None = None

    def python(self) -> tuple[int, int, int]:
        return self.version

    def package(self, name: str) -> str | None:
        return self.packages.get(name)

    def torch_build(self) -> tuple[str | None, str | None]:
        return self.build

    def driver_cuda(self) -> int | None:
        return self.newest_cuda

    def gpu(self) -> Gpu | None:
        return self.device

    def four_bit_error(self) -> float:
        if isinstance(self.error, Exception):
            raise self.error
        return self.error

    def environment(self) -> Mapping[str, str]:
        return self.variables

    def kernel(self) -> tuple[str, str]:
        return self.system

    def encodings(self) -> tuple[str, str, str]:
        return self.coding

    def free_gib(self, path: Path) -> float | None:
        return self.space.get(path.name, 100.0)

    def model_fault(self, _: Path) -> LawqaError | None:
        return self.fault


@pytest.fixture(scope="module")
def built_index(tmp_path_factory: pytest.TempPathFactory, embedded_file: Path) -> Path:
    """An index of the articles that come with lawqa."""
    from lawqa.pipelines.corpus.indexes.building import IndexConfig, build_index

    pytest.importorskip("bm25s", reason="bm25s is not installed (extra rag)")
    directory = tmp_path_factory.mktemp("built") / "index"
    articles = embedded_file.with_name("articles.jsonl")
    build_index(IndexConfig(articles=articles, output_dir=directory))
    return directory


@pytest.fixture
def planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_file: Path, built_index: Path
) -> PlannedRun:
    """Everything is there: a complete model in the cache, questions, an index."""
    monkeypatch.chdir(tmp_path)
    repository = tmp_path / "hf_home" / "hub" / "models--Qwen--Qwen3-8B"
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc", encoding="utf-8")
    weights = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    for name, text in {
        "config.json": "{}", "tokenizer.json": "{}", "model-1.safetensors": "1",
        "model-2.safetensors": "2", "model.safetensors.index.json": json.dumps(weights),
    }.items():  # fmt: skip
        (snapshot / name).write_text(text, encoding="utf-8")
    shutil.copytree(built_index, tmp_path / "index")
    (tmp_path / "selection.json").write_bytes(embedded_file.read_bytes())
    source = packaged_source()
    source = replace(source, checksums={"selection.json": file_sha256(tmp_path / "selection.json")})
    return PlannedRun(
        source=source,
        place=source.place("heart01"),
        place_origin="--place",
        model="Qwen/Qwen3-8B",
        data=Path("selection.json"),
        index=Path("index"),
        work=Path("results"),
        hf_home="hf_home",
        max_seq_length=3072,
    )


def look(planned: PlannedRun, machine: Machine, check: str) -> Finding:
    (found,) = [f for f in examine(planned, machine) if f.check == check]
    return found


def test_a_machine_that_is_well(planned: PlannedRun) -> None:
    findings = examine(planned, Machine())
    assert {f.level for f in findings} == {"ok"}, findings_text(findings)
    assert findings_exit_code(findings) == 0
    text = findings_text(findings)
    assert "NVIDIA A100 80GB PCIe MIG 2g.20gb, MIG 2g.20gb: 19.2 of 19.5 GiB free" in text
    assert text.endswith("0 problems, 0 warnings")
    assert [f.check for f in findings] == [
        "python", *VERSIONS, "kernel", "locale", "driver", "gpu", "capability", "4 bits", "model",
        "plan", "space: work", "space: shm", "data", "index", "place",
    ]  # fmt: skip


FINDINGS = [
    ("python", "problem", {"version": (3, 9, 1)}, "too old", "python3.11 -m venv"),
    ("python", "warning", {"version": (3, 14, 0)}, "newer than what lawqa is tested", ""),
    ("torch", "problem", {"packages": {}}, "is not installed", "pip install 'torch==2.8.0'"),
    ("peft", "warning", {"packages": {**VERSIONS, "peft": "0.30"}}, "0.30, tested with", "constraints"),
    ("model", "problem", {"fault": BackendError("2 missing", "copy it")}, "2 missing", "copy it"),
    ("model", "problem", {"fault": BackendError("cut off")}, "cut off", "hf download"),
    ("locale", "problem", {"coding": ("ANSI_X3.4-1968", "utf-8", "utf-8")}, "files ANSI", "PYTHONUTF8=1"),
    ("driver", "problem", {"build": ("13.0", None)}, "takes CUDA 12.4, torch is built for 13.0",
     "pip install --force-reinstall --no-deps 'torch==2.8.0'"),
    ("driver", "problem", {"build": ("12.8", "The NVIDIA driver on your system is too old")},
     "too old for this torch", "torch==2.8.0"),
    ("driver", "problem", {"newest_cuda": 11040}, "takes CUDA 11.4", "no torch that lawqa supports"),
    ("driver", "problem", {"build": (None, None)}, "torch is a CPU build", "torch==2.8.0"),
    ("driver", "problem", {"newest_cuda": None}, "no NVIDIA driver", "a session with a GPU"),
    ("gpu", "problem", {"device": None}, "torch sees no GPU", "the driver"),
    ("gpu", "warning", {"device": replace(MIG, free_gib=9.0)}, "only 9.0 of 19.5 GiB free", "Shut Down"),
    ("capability", "problem", {"device": replace(MIG, capability=(7, 0))}, "need 7.5", "another GPU"),
    ("capability", "warning", {"device": replace(MIG, bf16=False)}, "float16 with loss scaling", ""),
    ("allocator", "problem", {"variables": {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}},
     "denied inside a MIG slice", "unset PYTORCH_CUDA_ALLOC_CONF"),
    ("4 bits", "problem", {"error": 0.9}, "training on it would be wrong", "bitsandbytes"),
    ("4 bits", "problem", {"error": float("nan")}, "training on it would be wrong", "bitsandbytes"),
    ("4 bits", "problem", {"error": RuntimeError("no kernel image")}, "no kernel image", "bitsandbytes"),
    ("plan", "problem", {"device": replace(MIG, free_gib=5.0)}, "needs about", "--max-seq-length"),
    ("space: work", "problem", {"space": {"results": 0.5}}, "0.5 GiB free", "lawqa.toml (work)"),
    ("space: shm", "warning", {"space": {"shm": 0.06}}, "0.1 GiB free", ""),
    ("space: work", "warning", {"space": {"results": None}}, "cannot be known", ""),
    ("policy", "warning", {"variables": {"OLLAMA_HOST": "x"}}, "OLLAMA_HOST is x", "unset OLLAMA_HOST"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "level", "changes", "message", "fix"), FINDINGS, ids=lambda v: str(v)[:40]
)
def test_each_finding_has_its_level_and_its_cure(
    planned: PlannedRun, check: str, level: str, changes: dict[str, object], message: str, fix: str
) -> None:
    found = look(planned, Machine(**changes), check)  # type: ignore[arg-type]
    assert found.level == level
    assert message in found.message
    assert fix in found.fix
    assert findings_exit_code(examine(planned, Machine(**changes))) >= (
        2 if level == "problem" else 1
    )  # type: ignore[arg-type]


def test_a_whole_device_may_have_expandable_segments(planned: PlannedRun) -> None:
    whole = replace(MIG, name="NVIDIA H200")
    machine = Machine(
        device=whole, variables={"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True"}
    )
    assert "allocator" not in [f.check for f in examine(planned, machine)]


def test_an_old_kernel_is_explained_and_no_reason_to_stop(planned: PlannedRun) -> None:
    found = look(planned, Machine(), "kernel")
    assert found.level == "ok"
    assert "4.18.0" in found.message
    assert "can be ignored" in found.message
    assert "ignored" not in look(planned, Machine(system=("Linux", "6.8.0")), "kernel").message


def test_without_torch_the_rest_is_still_looked_at(planned: PlannedRun) -> None:
    packages = {name: found for name, found in VERSIONS.items() if name != "torch"}
    checks = [f.check for f in examine(planned, Machine(packages=packages))]
    assert "gpu" not in checks
    assert {"torch", "model", "data", "index", "place"} <= set(checks)


def test_a_model_that_is_not_there_is_downloaded(planned: PlannedRun) -> None:
    found = look(replace(planned, hf_home="elsewhere"), Machine(), "model")
    assert found.level == "problem"
    assert found.fix == "HF_HOME=hf_home hf download Qwen/Qwen3-8B"
    offline = Machine(variables={"HF_HUB_OFFLINE": "1"})
    found = look(replace(planned, hf_home="elsewhere"), offline, "model")
    assert found.fix.startswith("unset HF_HUB_OFFLINE\n")
    foreign = Machine(variables={"HF_HOME": "/somewhere/else"})
    found = look(planned, foreign, "model")
    assert found.fix == "unset HF_HOME\nHF_HOME=hf_home hf download Qwen/Qwen3-8B"


@pytest.mark.parametrize(
    ("gone", "named"),
    [("model-2.safetensors", "model-2.safetensors"), ("config.json", "config.json"),
     ("tokenizer.json", "tokenizer.json")],
)  # fmt: skip
def test_a_model_that_is_not_complete_names_what_is_missing(
    planned: PlannedRun, gone: str, named: str
) -> None:
    next(Path("hf_home").rglob(gone)).unlink()
    found = look(planned, Machine(), "model")
    assert (found.level, "not complete" in found.message, named in found.message) == (
        "problem", True, True,
    )  # fmt: skip
    assert "hf download" in found.fix


def test_a_torn_list_of_shards_is_a_model_that_is_not_complete(planned: PlannedRun) -> None:
    next(Path("hf_home").rglob("*.index.json")).write_text('{"weight_m', encoding="utf-8")
    assert "a whole model.safetensors.index.json" in look(planned, Machine(), "model").message


def test_the_environments_cache_comes_first(planned: PlannedRun) -> None:
    machine = Machine(variables={"HF_HOME": str(Path("hf_home").resolve()), "HF_HUB_OFFLINE": "1"})
    elsewhere = replace(planned, hf_home="elsewhere")
    assert look(elsewhere, machine, "model").level == "ok"
    assert look(elsewhere, machine, "offline").level == "ok"


def test_data_that_is_missing_broken_or_another_version(planned: PlannedRun) -> None:
    found = look(replace(planned, data=Path("nothing.json")), Machine(), "data")
    assert found.level == "problem"
    assert "git clone https://github.com/digital-go-jp/lawqa_jp" in found.fix
    text = Path("selection.json").read_text(encoding="utf-8")
    Path("selection.json").write_text(text + "\n", encoding="utf-8")
    found = look(planned, Machine(), "data")
    assert found.level == "warning"
    assert "another version" in found.message
    assert "checkout" in found.fix
    Path("selection.json").write_text("{", encoding="utf-8")
    assert look(planned, Machine(), "data").level == "problem"


def test_an_index_that_is_not_there_matters_where_the_experiment_needs_it(
    planned: PlannedRun,
) -> None:
    heart01 = packaged_source().place("heart01")
    there = replace(planned, index=Path(heart01.variables["index"]))
    found = look(there, Machine(), "index")
    assert found.level == "problem"
    assert "lawqa index build" in found.fix
    anywhere = replace(planned, place=packaged_source().place("any"), index=Path("nothing"))
    assert look(anywhere, Machine(), "index").level == "warning"


def test_a_model_that_the_place_forbids(planned: PlannedRun) -> None:
    found = [
        f
        for f in examine(replace(planned, model="Qwen/Qwen3-4B"), Machine())
        if f.check == "policy"
    ]
    assert [f.level for f in found] == ["problem", "problem"]
    assert "rule model-of-heart01" in found[0].message
    local = replace(planned, place=packaged_source().place("local-3080"))
    found = [f for f in examine(local, Machine()) if f.check == "policy"]
    assert ["training" in f.message for f in found] == [True]


def test_no_place_is_a_warning(planned: PlannedRun) -> None:
    found = look(replace(planned, place_origin="default"), Machine(), "place")
    assert found.level == "warning"
    assert "lawqa place init heart01" in found.fix


def test_the_exit_code_is_that_of_the_worst_finding() -> None:
    ok, warning, problem = (Finding("x", level, "") for level in ("ok", "warning", "problem"))
    assert [findings_exit_code(f) for f in ([ok], [ok, warning], [warning, problem])] == [0, 1, 2]


def test_a_command_of_several_lines_can_be_copied() -> None:
    shown = findings_text([Finding("data", "problem", "m", "wget \\\n    --x y\nlawqa z")])
    assert shown.splitlines()[1:-1] == [
        "         -> wget \\",
        "                --x y",
        "         -> lawqa z",
    ]


def test_json_holds_the_same_findings(planned: PlannedRun) -> None:
    findings = examine(planned, Machine(error=0.9))
    content = json.loads(json_text(findings))
    assert content["schema_version"] == 1
    assert [(f["check"], f["level"], f["message"], f["fix"]) for f in content["findings"]] == [
        (f.check, f.level, f.message, f.fix) for f in findings
    ]


def test_the_command_takes_place_model_data_and_index_from_its_flags(
    planned: PlannedRun,  # noqa: ARG001 - its files are what the flags name
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("lawqa.doctor.examination.SystemProbes", Machine)
    monkeypatch.setenv("HF_HOME", "hf_home")
    flags = ["--place", "heart01", "--data", "selection.json", "--index", "index"]
    assert main(["doctor", *flags]) == 1  # the embedded questions under the name of lawqa_jp's
    assert "another version" in capsys.readouterr().out
    assert main(["doctor", *flags, "--model", "Qwen/Qwen3-8B", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["findings"]
    assert main(["doctor", "--place", "heart01", "--model", "Qwen/Qwen3-4B"]) == 2
    assert "forbidden at heart01 by the rule model-of-heart01" in capsys.readouterr().err


# --- the chat template

_TURNS = "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>{% endfor %}"


@pytest.mark.parametrize(
    ("template", "level", "said"),
    [
        (_TURNS + "{{ '<assistant>' if add_generation_prompt }}", None, ""),
        (_TURNS + "<assistant><think>", "warning", "ends inside an open think block (<think>)"),
        (_TURNS + "{% endif %}", "problem", "is not valid Jinja"),
        ("{{ 'x' * 10 ** 10 }}", "problem", "it takes more than 512 MiB of memory"),
        ("{{ strftime_now('%Y') }}" + _TURNS + "<assistant>", "ok", "FIXED DATE"),
        ("", "problem", "has no chat template"),
    ],
)
def test_the_chat_template_is_looked_at(
    planned: PlannedRun, tmp_path: Path, template: str, level: str | None, said: str
) -> None:
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    (tmp_path / "model.safetensors").write_bytes(b"")
    config = {"chat_template": template, "eos_token": "</s>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    found = [
        finding
        for finding in examine(replace(planned, model=str(tmp_path)), Machine())
        if finding.check == "chat template"
    ]
    assert [finding.level for finding in found] == ([level] if level else [])
    assert all(said in finding.message for finding in found)


def test_two_chat_templates_that_differ_are_said(tmp_path: Path) -> None:
    own = _TURNS + "<assistant>"
    assert not has_second_template(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(own, encoding="utf-8")
    for other, differs in (
        (own, False),
        ("another", True),
        ([{"name": "default", "template": "x"}], True),
    ):
        config = json.dumps({"chat_template": other})
        (tmp_path / "tokenizer_config.json").write_text(config, encoding="utf-8")
        assert has_second_template(tmp_path) is differs
