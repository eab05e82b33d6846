"""The notebooks of `examples/` run from their first cell to their last, and show what they promise."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ipykernel", reason="run by ipykernel: pip install 'lawqa[dev]'")
nbclient = pytest.importorskip("nbclient", reason="run by nbclient: pip install 'lawqa[dev]'")
nbformat = pytest.importorskip("nbformat", reason="read by nbformat: pip install 'lawqa[dev]'")
pytest.importorskip("pandas", reason="the notebooks show frames: pip install 'lawqa[frames]'")
pytest.importorskip("bm25s", reason="the notebooks search an index: pip install 'lawqa[rag]'")

pytestmark = [pytest.mark.torch, pytest.mark.slow]

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where both notebooks run, the second on what the first one stored."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module", autouse=True)
def _the_kernel_lives_in_a_directory_of_its_own(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTER_DATA_DIR"):
            patched.setenv(name, str(tmp_path_factory.mktemp(name)))
        # As conftest.py does for this process: on two busy cores the threads of the toy model wait for
        # each other, which took 20 of the 33 seconds of whole_job.ipynb.
        patched.setenv("OMP_NUM_THREADS", "1")
        yield


def executed(name: str, workplace: Path) -> Any:  # nbformat has no types
    notebook = nbformat.read(EXAMPLES / name, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": str(workplace)}},
    )
    client.execute()
    return notebook


def shown(notebook: Any) -> list[tuple[str, dict[str, Any]]]:
    """For every cell that ends in a value its first line, and the forms in which it is shown."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            assert output.output_type != "error"
            if output.output_type == "stream":
                # Nothing but the bar of the one cell that asks for it, and tqdm's own wish for widgets.
                said = re.sub(r".*TqdmWarning: IProgress not found.*\n.*\n", "", output.text)
                assert not said or ("quiet=False" in cell.source and said.startswith("\r"))
            else:
                found.append((cell.source.splitlines()[-1], dict(output.data)))
    return found


def test_the_whole_job(workplace: Path) -> None:
    outputs = shown(executed("whole_job.ipynb", workplace))
    forms = [
        next((kind for kind in ("image/png", "text/html") if kind in data), "")
        for _, data in outputs
    ]
    assert forms == [
        "", "", "text/html", "image/png", "text/html", "text/html", "image/png", "text/html", "image/png",
        "text/html", "text/html", "text/html", "",
    ]  # fmt: skip
    html = [data["text/html"] for _, data in outputs if "text/html" in data]
    assert "optimiser steps" in html[0]
    summary = json.loads((workplace / "toy/runs/tuned/summary.json").read_text(encoding="utf-8"))
    correct = summary["final"]["accuracy"]["correct"]
    assert f">{correct} / 8<" in html[1]
    assert "tuned - base: " in html[2]
    assert "ECE " in html[3]
    assert "個人情報の保護に関する法律" in html[5]
    assert "seed0" in html[6]
    assert "points" in outputs[-1][1]["text/plain"] or "luck" in outputs[-1][1]["text/plain"]
    assert (workplace / "toy/report.html").is_file()


def test_two_stored_runs(workplace: Path) -> None:
    if not (workplace / "toy/runs/tuned").is_dir():
        pytest.skip("whole_job.ipynb did not store them")
    outputs = shown(executed("two_runs.ipynb", workplace))
    assert sum("image/png" in data for _, data in outputs) == 5
    assert sum("text/html" in data for _, data in outputs) == 3
    assert (workplace / "difference.pdf").read_bytes().startswith(b"%PDF")
    shutil.rmtree(workplace / "toy/runs")


@pytest.mark.parametrize("name", sorted(path.name for path in EXAMPLES.glob("*.ipynb")))
def test_a_notebook_is_stored_without_outputs(name: str) -> None:
    """They would hold times, paths and pictures of one machine, and every run would change them."""
    cells = json.loads((EXAMPLES / name).read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert code
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
