"""The doctor's probes for real, on this CPU."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.doctor import SystemProbes

pytestmark = pytest.mark.torch


def test_a_four_bit_layer_is_right_on_this_cpu_forward_and_backward() -> None:
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed")
    assert 0.05 < SystemProbes().four_bit_error() < 0.15


def test_the_doctor_examines_this_machine_and_the_tiny_model(
    tiny_dir: Path, embedded_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["--place", "practice", "--model", str(tiny_dir), "--data", str(embedded_file)]
    assert main(["doctor", *flags, "--json"]) in (1, 2)
    findings = json.loads(capsys.readouterr().out)["findings"]
    levels = {found["check"]: found["level"] for found in findings}
    assert levels["python"] == "ok"
    assert levels["model"] == "ok"
    assert levels["4 bits"] == "ok"
    assert levels["data"] == "ok"
    assert levels["index"] == "problem"
    (index,) = [found for found in findings if found["check"] == "index"]
    assert index["fix"].startswith("lawqa index build ")
