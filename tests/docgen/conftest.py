"""The generated files of this checkout, made once."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.backends.conftest import model_server

__all__ = ["model_server"]

if importlib.util.find_spec("jinja2") is None:
    pytest.skip("jinja2 is not installed (extra docs)", allow_module_level=True)


@pytest.fixture(scope="session")
def generated(checkout: Path) -> dict[Path, str]:
    from lawqa.cli.lab.docs import interface
    from lawqa.docgen import generate

    return generate(checkout, interface())
