"""Where a server is."""

from __future__ import annotations

import pytest

from lawqa.backends.remote.address import find_address
from lawqa.errors import ConfigError

pytestmark = pytest.mark.every_python

# --- where a server is


@pytest.mark.parametrize(
    ("given", "url", "loopback"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", True),
        ("http://127.8.9.1:8000/", "http://127.8.9.1:8000", True),
        ("localhost", "http://localhost:11434", True),
        ("127.0.0.1:1", "http://127.0.0.1:1", True),
        ("[::1]:80", "http://[::1]:80", True),
        ("0.0.0.0", "http://127.0.0.1:11434", True),  # noqa: S104 - read, not bound to
        ("http://[::]:5", "http://[::1]:5", True),
        ("http://gpu01", "http://gpu01", False),
        ("https://10.0.0.5:443/api/", "https://10.0.0.5:443/api", False),
        ("localhost.example.org", "http://localhost.example.org:11434", False),
    ],
)
def test_addresses(given: str, url: str, loopback: bool) -> None:
    address = find_address(given, "NOT_SET_ANYWHERE", port=11434)
    assert (address.url, address.loopback) == (url, loopback)


def test_the_flag_comes_before_the_environment_and_that_before_the_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def found(given: str | None) -> str:
        return find_address(given, "OLLAMA_HOST", default="http://127.0.0.1:11434", port=11434).url

    monkeypatch.delenv("OLLAMA_HOST", raising=False)
    assert found(None) == "http://127.0.0.1:11434"
    monkeypatch.setenv("OLLAMA_HOST", "gpu01:5")
    assert found(None) == "http://gpu01:5"
    assert found("gpu02:6") == "http://gpu02:6"


def test_a_path_is_added_where_there_is_none() -> None:
    def found(given: str) -> str:
        return find_address(given, "NOT_SET_ANYWHERE", port=8000, path="/v1").url

    assert found("127.0.0.1") == found("http://127.0.0.1:8000/") == "http://127.0.0.1:8000/v1"
    assert found("http://127.0.0.1:8000/api/v3") == "http://127.0.0.1:8000/api/v3"


def test_without_an_address_nothing_is_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    with pytest.raises(ConfigError, match="neither --base-url nor OPENAI_BASE_URL") as problem:
        find_address(None, "OPENAI_BASE_URL", port=8000, path="/v1")
    assert problem.value.hint.endswith("--base-url http://127.0.0.1:8000/v1")


@pytest.mark.parametrize(
    "given",
    [
        "ftp://a",
        "http://",
        "http://a:port",
        "http://a:99999",
        "http://a/?x=1",
        "http://a/#x",
        "http://[",
        "http://[::1",
        "http://[x]/",
        "http://a b/",
        "http://a/\n",
        "http://u:secret@a\u2100/",
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match="--base-url"):
        find_address(given, "NOT_SET_ANYWHERE", port=8000)


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(ConfigError) as problem:
        find_address("https://me:hidden@gpu01", "NOT_SET_ANYWHERE", port=8000)
    assert "hidden" not in problem.value.message + problem.value.hint
