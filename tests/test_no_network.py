"""Nothing is sent to anyone: evaluation and training on local files open no connection."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lawqa.questions import write_questions

pytestmark = pytest.mark.torch

# An audit hook sees every connection, whatever library opens it, and cannot be taken away.
WATCHED = """
import sys

def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto"):
        address = arguments[1] if event == "socket.connect" else arguments[0]
        print("NETWORK", event, address, file=sys.stderr)

sys.addaudithook(watch)
from lawqa.cli import main

code = main(sys.argv[1:])
import huggingface_hub.constants as constants
print("telemetry off:", constants.HF_HUB_DISABLE_TELEMETRY, file=sys.stderr)
sys.exit(code)
"""


@pytest.mark.slow
@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_no_connection_is_opened_and_telemetry_is_off(
    tmp_path: Path, tiny_dir: Path, questions: Any, command: str
) -> None:
    data = tmp_path / "q.json"
    write_questions(data, questions[:4])
    arguments = {
        "evaluate": ["--data", str(data), "--no-4bit", "--hf-model-name", str(tiny_dir),
                     "--run-dir", str(tmp_path / "r")],
        "train": ["--train-file", str(data), "--no-4bit", "--model-name", str(tiny_dir), "--output-dir",
                  str(tmp_path / "a"), "--max-steps-override", "1", "--do-train"],
    }[command]  # fmt: skip
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "DO_NOT_TRACK")
    }
    done = subprocess.run(  # noqa: S603 - the test's own words
        [sys.executable, "-c", WATCHED, command, *arguments],
        capture_output=True, text=True, check=False, env={**kept, "CUDA_VISIBLE_DEVICES": ""},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "telemetry off: True" in done.stderr
    assert "NETWORK" not in done.stderr
