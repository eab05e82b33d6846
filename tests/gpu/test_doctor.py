"""The doctor's probes on a CUDA device, asked through the runtime alone."""

from __future__ import annotations

import time

import pytest

from lawqa.cli.lab.doctor import findings_text
from lawqa.commands.source import packaged_source
from lawqa.doctor import PlannedRun, SystemProbes, examine

torch = pytest.importorskip("torch", reason="torch is not installed")

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device"),
]


def test_the_device_is_described_by_the_runtime() -> None:
    found = SystemProbes().gpu()
    assert found is not None
    assert 0 < found.free_gib <= found.total_gib
    assert found.name == torch.cuda.get_device_properties(torch.cuda.current_device()).name
    driver = SystemProbes().driver_cuda()
    assert driver is not None
    assert driver >= 12000


def test_a_four_bit_layer_is_right_on_this_device() -> None:
    assert 0.05 < SystemProbes().four_bit_error() < 0.15


def test_the_report_of_this_machine(tmp_path) -> None:  # type: ignore[no-untyped-def]
    source = packaged_source()
    patient = PlannedRun(
        source=source, place=source.place("heart01"), place_origin="--place", model="Qwen/Qwen3-8B",
        data=tmp_path / "selection.json", index=tmp_path / "index", work=tmp_path, hf_home=str(tmp_path),
        max_seq_length=3072,
    )  # fmt: skip
    start = time.perf_counter()
    findings = examine(patient)
    print(f"\n{findings_text(findings)}\n{time.perf_counter() - start:.1f} s")
    levels = {found.check: found.level for found in findings}
    assert [levels[name] for name in ("driver", "4 bits", "plan")] == ["ok"] * 3
