"""The files of models and adapters, looked at before anything is loaded; imports no torch."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lawqa.models.files.adapter_folder import directory_hash

pytestmark = pytest.mark.torch


def test_the_directory_hash_sees_every_file_and_ignores_the_place(
    tiny_dir: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_dir, copy)
    assert directory_hash(copy) == directory_hash(tiny_dir)
    with (copy / "model.safetensors").open("r+b") as file:
        file.seek(-1, 2)
        last = file.read(1)[0]
        file.seek(-1, 2)
        file.write(bytes([last ^ 1]))
    assert directory_hash(copy) != directory_hash(tiny_dir)
