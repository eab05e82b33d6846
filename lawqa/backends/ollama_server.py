"""An Ollama server and a model on it: is it there, what is it, which errors may pass."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import ollama

from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import Address
from lawqa.backends.remote.asking import RequestError, ask_once
from lawqa.errors import BackendError, ConfigError

# The first version whose chat endpoint takes `think`; before it thinking cannot be switched off.
_OLDEST = (0, 9, 0)


@dataclass(frozen=True)
class OllamaModel:
    """A model as the server knows it."""

    name: str
    """Its name with its tag."""
    digest: str | None
    """Of its manifest: tells two models of one name apart."""
    template: str
    """The chat template, in Go's template language."""
    quantisation: str | None
    """Such as `Q4_K_M`."""
    parameters: str | None
    """Such as `8.2B`."""
    family: str | None
    """The architecture."""
    context_length: int | None
    """The longest context it was trained for, in tokens; Ollama gives no more."""
    can_think: bool
    """Whether it has a thinking switch."""
    server_version: str
    """Of the Ollama server."""

    def describe(self) -> dict[str, Any]:
        """For the manifest."""
        return {
            "name": self.name,
            "digest": self.digest,
            "quantisation": self.quantisation,
            "parameters": self.parameters,
            "family": self.family,
            "context_length": self.context_length,
        }

    def check_thinking(self, *, asked: bool) -> None:
        """Make sure that thinking is not asked of a model that cannot.

        Raises:
            BackendError: it is.
        """
        if asked and not self.can_think:
            raise BackendError(
                f"{self.name} has no thinking switch on this server", "leave --thinking out"
            )


def open_client(address: Address) -> Any:
    """A client of this server that sends nothing anywhere else.

    Redirections are not followed, and a proxy from the environment is not used for this machine. The
    client sets no time limits of its own: the asking does.
    """
    return ollama.AsyncClient(
        address.url,
        follow_redirects=False,
        trust_env=not address.loopback,
        verify=address.tls,
        timeout=None,
    )


def refuse_cloud_model(name: str) -> None:
    """Make sure that the server will not hand the questions on to ollama.com.

    Raises:
        ConfigError: the name is one of Ollama's cloud models.
    """
    tag = name.rpartition(":")[2]
    if tag == "cloud" or tag.endswith("-cloud"):
        raise ConfigError(
            f"--llm-model {name} is answered by ollama.com, not by the server that was named",
            "name a model that the server runs itself, such as qwen3:8b",
        )


def inspect_model(name: str, address: Address, limits: Limits) -> OllamaModel:
    """What the server knows of a model.

    Raises:
        BackendError: there is no server, it is too old, or it does not have the model.
    """

    async def look(client: Any) -> OllamaModel:
        with explained_errors():
            version = await _version(address)
            entry = _entry(await client.list(), name, address)
            return _model(entry, await client.show(entry.model), version)

    def not_there(problem: RequestError) -> BackendError:
        return BackendError(
            f"the Ollama server at {address.url} cannot be asked: {problem.reason}",
            "ollama serve  starts it; --base-url names another one",
        )

    return ask_once(lambda: open_client(address), look, limits, not_there)


def check_loaded_window(running: Any, model: OllamaModel, window: int) -> None:
    """Make sure that the model runs with the context window that was asked for.

    Args:
        running: what `ollama ps` reports.
        model: the model.
        window: the window asked for, in tokens.

    Raises:
        BackendError: the window is smaller: prompts would be cut.
    """
    for entry in running.models:
        if entry.model != model.name or entry.context_length is None:
            continue
        if entry.context_length < window:
            raise BackendError(
                f"{model.name} runs with a context window of {entry.context_length} although "
                f"{window} was asked for, so prompts would be cut",
                f"ollama stop {model.name}  and ask again; or less context",
            )


@contextmanager
def explained_errors() -> Iterator[None]:
    """Turn what the client raises into RequestError; a bug of ours keeps its own exception."""
    try:
        yield
    except ollama.ResponseError as problem:
        raise RequestError.from_status(problem.status_code, str(problem.error)) from None
    except (ConnectionError, httpx.ConnectError):  # the client has a word of its own for it
        raise RequestError("the server does not accept connections", passing=True) from None
    except httpx.HTTPError as problem:
        what = str(problem) or type(problem).__name__
        raise RequestError(f"the connection broke: {what}", passing=True) from None
    except ValueError as problem:  # broken JSON, or JSON of another shape
        raise RequestError(
            f"the server's answer is not what its API says: {problem}", passing=True
        ) from None


async def _version(address: Address) -> str:
    """The server's version; its client has no call for that."""
    async with httpx.AsyncClient(trust_env=not address.loopback, verify=address.tls) as client:
        response = await client.get(f"{address.url}/api/version")
    if response.status_code != httpx.codes.OK:
        raise RequestError.from_status(response.status_code, response.text)
    content = response.json()
    version = content.get("version") if isinstance(content, dict) else None
    if not isinstance(version, str):
        raise RequestError("it does not say its version, so it is no Ollama server")
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", version)
    numbers = tuple(int(number) for number in found.groups()) if found else None
    # Builds from source call themselves 0.0.0.
    if numbers is not None and (0, 0, 0) < numbers < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise BackendError(
            f"Ollama {version} runs at {address.url}; it cannot switch thinking off",
            f"install Ollama {oldest} or later",
        )
    return version


def _entry(listed: Any, name: str, address: Address) -> Any:
    """The model in the server's list; raises BackendError where it is not."""
    found = {entry.model: entry for entry in listed.models if entry.model}
    entry = found.get(name) or found.get(f"{name}:latest")
    if entry is None:
        known = ", ".join(sorted(found)) or "none"
        raise BackendError(
            f"the Ollama server at {address.url} does not have {name}; it has: {known}",
            f"ollama pull {name}",
        )
    return entry


def _model(entry: Any, shown: Any, version: str) -> OllamaModel:
    facts = shown.modelinfo or {}
    lengths = [
        value
        for key, value in facts.items()
        if key.endswith(".context_length") and isinstance(value, int)
    ]
    details = shown.details
    return OllamaModel(
        name=entry.model,
        digest=entry.digest,
        template=shown.template or "",
        quantisation=details.quantization_level if details else None,
        parameters=details.parameter_size if details else None,
        family=details.family if details else None,
        context_length=lengths[0] if lengths else None,
        can_think="thinking" in (shown.capabilities or ()),
        server_version=version,
    )
