"""What a client needs."""

from __future__ import annotations

import math

import pytest

from lawqa.backends.remote import Limits, require_packages
from lawqa.errors import ConfigError, MissingExtraError

pytestmark = pytest.mark.every_python


# --- limits and packages


def test_impossible_limits_are_told_together() -> None:
    with pytest.raises(ConfigError) as problem:
        Limits(timeout=0, concurrency=0, retries=-1)
    flags = [line.split()[0] for line in problem.value.message.split("\n")]
    assert flags == ["--timeout", "--concurrency", "--request-retries"]
    with pytest.raises(ConfigError, match="--timeout is nan"):
        Limits(timeout=math.nan)


def test_a_missing_client_is_reported_with_the_extra_that_brings_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lawqa.backends.remote.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="anyio is not installed") as problem:
        require_packages("openai")
    assert "pip install '" in problem.value.hint
