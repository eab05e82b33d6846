"""The files that a forge, a citation tool or pre-commit reads say the same as the package."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import lawqa

ROOT = Path(__file__).parents[1]


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_a_commit_is_checked_by_the_linter_that_the_checks_use() -> None:
    pinned = dict(re.findall(r"^([a-z_-]+)==(\S+)$", text_of("constraints.txt"), re.MULTILINE))
    hooks = re.findall(r"\[([a-z]+)==(\S+)\]", text_of(".pre-commit-config.yaml"))
    assert [name for name, _ in hooks] == ["ruff", "ruff"]
    assert all(pinned[name] == version for name, version in hooks)


def test_a_citation_names_this_version() -> None:
    assert f"\nversion: {lawqa.__version__}\n" in text_of("CITATION.cff")


def test_the_documented_folder_of_data_is_not_taken_for_our_code() -> None:
    # `datasets/`, which the documents make, has the name of a package that we import.
    assert 'known-third-party = ["datasets"]' in text_of("pyproject.toml")


@pytest.mark.parametrize("name", [".github/workflows/test.yml", ".gitlab-ci.yml", ".ci/run"])
def test_every_forge_runs_what_a_person_runs(name: str) -> None:
    assert re.search(r"^\W*(run: )?make test$", text_of(name), re.MULTILINE)


def test_forges_run_every_python_that_the_package_promises() -> None:
    promised = re.findall(r"Python :: (3\.\d+)", text_of("pyproject.toml"))
    listed = re.findall(r"^ +(3\.\d+)$", text_of(".github/workflows/test.yml"), re.MULTILINE)
    assert sorted(listed) == sorted(promised)
    envs = re.findall(r"\bpy3\d+\b", text_of("tox.ini").split("\n\n")[0])
    assert sorted(envs) == sorted("py" + version.replace(".", "") for version in promised)
