"""`--report-to`: trackers get figures when they are asked for, and are not touched otherwise."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from transformers.integrations import is_mlflow_available

from lawqa.cli import main
from lawqa.errors import ConfigError
from lawqa.questions import write_questions
from lawqa.training.monitoring.log import read_log
from lawqa.training.monitoring.trackers import require_trackers

pytestmark = pytest.mark.torch

# As much of mlflow as transformers' callback calls, writing down what it receives.
MLFLOW = """
import json, os
from types import SimpleNamespace
__version__ = "3.0.0"
utils = SimpleNamespace(validation=SimpleNamespace(MAX_PARAM_VAL_LENGTH=6000, MAX_PARAMS_TAGS_PER_BATCH=100))
active = []

def told(event, **what):
    with open(os.environ["TOLD"], "a", encoding="utf-8") as file:
        file.write(json.dumps({"event": event, **what}) + "\\n")
    if event == os.environ.get("FAILS"):
        raise OSError("the server has gone")

def is_tracking_uri_set(): return True
def get_tracking_uri(): return "nowhere"
def active_run(): return active[-1] if active else None
def set_experiment(name): told("experiment", name=name)
def start_run(run_name=None, nested=False):
    told("start", name=run_name, telemetry_off=os.environ.get("MLFLOW_DISABLE_TELEMETRY"))
    active.append(SimpleNamespace(info=SimpleNamespace(run_id="1")))
def log_params(params, synchronous=True): told("params", names=sorted(params))
def log_metrics(metrics, step, synchronous=True): told("metrics", step=step, metrics=metrics)
def end_run(): active.clear(); told("end")
"""
WANDB = "raise AssertionError('nobody asked for wandb')\n"


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Trackers that are installed; the file in which mlflow records what it receives."""
    packages = tmp_path / "packages"
    for name, content in (("mlflow", MLFLOW), ("wandb", WANDB)):
        (packages / name).mkdir(parents=True)
        (packages / name / "__init__.py").write_text(content, encoding="utf-8")
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(packages)
    for variable in ("EXPERIMENT_NAME", "FLATTEN_PARAMS", "DISABLE_TELEMETRY"):
        monkeypatch.setenv(f"MLFLOW_{variable}", "")  # so that what lawqa sets goes again
        monkeypatch.delenv(f"MLFLOW_{variable}")
    monkeypatch.setenv("TOLD", str(tmp_path / "told.jsonl"))
    importlib.invalidate_caches()
    return tmp_path / "told.jsonl"


@pytest.fixture
def train(tmp_path: Path, tiny_dir: Path, questions: Any) -> list[str]:
    write_questions(tmp_path / "train.json", questions[:8])
    write_questions(tmp_path / "dev.json", questions[12:18])
    return [
        "train", "--no-4bit", "--model-name", str(tiny_dir), "--train-file", str(tmp_path / "train.json"),
        "--dev-file", str(tmp_path / "dev.json"), "--output-dir", str(tmp_path / "out"),
        "--num-epochs", "1", "--batch-size", "4", "--gradient-accumulation-steps", "1", "--do-train",
    ]  # fmt: skip


def events(told: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]


@pytest.mark.slow
def test_without_the_flag_an_installed_tracker_is_not_touched(told: Path, train: list[str]) -> None:
    assert is_mlflow_available()  # the stand-in would be found
    assert main(train) == 0
    assert not told.exists()
    assert {"mlflow", "wandb"}.isdisjoint(sys.modules)


@pytest.mark.slow
def test_a_tracker_that_is_asked_for_gets_what_the_log_holds(
    told: Path, train: list[str], tmp_path: Path
) -> None:
    assert main([*train, "--report-to", "mlflow", "tensorboard"]) == 0
    found = events(told)
    assert found[0] == {"event": "experiment", "name": "lawqa"}
    name = str(tmp_path / "out")
    assert found[1] == {"event": "start", "name": name, "telemetry_off": "true"}
    assert [one["event"] for one in found].count("end") == 1
    assert found[-1] == {"event": "end"}
    given = [(one["step"], one["metrics"]) for one in found if one["event"] == "metrics"]
    rows = read_log(tmp_path / "out")
    losses = [(row["step"], row["loss"]) for row in rows if "loss" in row]
    assert [(step, m["loss"]) for step, m in given if "loss" in m] == losses
    dev = [(row["step"], row["dev_accuracy"]) for row in rows if "dev_accuracy" in row]
    assert [(step, m["eval_accuracy"]) for step, m in given if "eval_accuracy" in m] == dev
    assert len(dev) == 2
    assert (tmp_path / "out" / "tensorboard").is_dir()
    assert "wandb" not in sys.modules


@pytest.mark.slow
@pytest.mark.usefixtures("told")
def test_a_tracker_does_not_change_what_is_learnt_and_may_come_and_go(
    train: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*train, "--report-to", "mlflow"]) == 0
    tracked = (tmp_path / "out" / "adapter_model.safetensors").read_bytes()
    assert main([*train, "--fresh"]) == 0
    assert (tmp_path / "out" / "adapter_model.safetensors").read_bytes() == tracked
    capsys.readouterr()
    assert main([*train, "--resume", "--report-to", "mlflow"]) == 0
    assert "training is done already" in capsys.readouterr().out


@pytest.mark.slow
def test_a_tracker_that_fails_on_the_way_does_not_end_the_training(
    told: Path,
    train: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FAILS", "metrics")
    assert main([*train, "--report-to", "mlflow", "--quiet"]) == 0
    err = capsys.readouterr().err
    assert err.endswith("! mlflow failed, training continues without it: the server has gone\n")
    assert err.count("mlflow") == 1
    assert [one["event"] for one in events(told)].count("metrics") == 1


def test_a_tracker_that_cannot_begin_is_the_users_to_mend(
    told: Path,
    train: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    del told
    monkeypatch.setenv("FAILS", "start")
    assert main([*train, "--report-to", "mlflow"]) == 2
    assert capsys.readouterr().err.endswith(
        "error: --report-to mlflow: cannot start: OSError: the server has gone\n"
        "hint: check mlflow's own settings and login, or leave it out\n"
    )


@pytest.mark.parametrize("command", ["train", "crossval run", "sweep"])
def test_a_tracker_that_is_not_installed_is_an_error_before_a_model_is_loaded(
    command: str, train: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = str(tmp_path / "train.json"), str(tmp_path / "out")
    words = {
        "train": [*train, "--no-4bit", "--model-name", "nowhere"],
        "crossval run": ["crossval", "run", "--input", data, "--output-dir", out],
        "sweep": ["sweep", "--train-file", data, "--output-dir", out],
    }[command]
    assert main([*words, "--no-4bit", "--model-name", "nowhere", "--report-to", "trackio"]) == 2
    assert capsys.readouterr() == (
        "",
        "error: --report-to trackio: trackio is not installed\n"
        "hint: pip install trackio; or leave it out: TensorBoard's events are always written\n",
    )
    assert not (tmp_path / "out").exists()


def test_a_tracker_that_is_switched_off_is_said_to_be(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del told
    monkeypatch.setenv("DISABLE_MLFLOW_INTEGRATION", "TRUE")
    with pytest.raises(ConfigError, match="transformers cannot use the mlflow that is installed"):
        require_trackers(["mlflow"])


@pytest.mark.slow
def test_a_server_in_the_environment_is_not_asked_for(
    train: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[object] = []
    monkeypatch.setenv("KUBEFLOW_TRAINER_SERVER_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("urllib.request.urlopen", lambda *given, **_: calls.append(given))
    assert main(train) == 0
    assert calls == []
