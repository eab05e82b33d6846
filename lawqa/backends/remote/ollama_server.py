"""An Ollama server and a model on it: is it there, what is it, which errors are transient."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import Address
from lawqa.backends.remote.asking import ask_once
from lawqa.backends.remote.client import ServerClient
from lawqa.backends.remote.ollama_answers import (
    OllamaListing,
    ShownModel,
    read_models,
    read_shown,
    read_version,
)
from lawqa.backends.remote.request_error import RequestError
from lawqa.backends.remote.text import few_names
from lawqa.errors import BackendError, ConfigError

KEY_VARIABLE = "OLLAMA_API_KEY"

# The first version whose chat endpoint takes `think`; before it thinking cannot be switched off.
_OLDEST = (0, 9, 0)


@dataclass(frozen=True)
class OllamaModel:
    """A model as the server knows it."""

    name: str
    """Its name with its tag."""
    digest: str | None
    """Of its manifest: distinguishes two models of one name."""
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

    def describe(self) -> dict[str, object]:
        """Return what the manifest keeps."""
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
    """Return what the server knows of a model.

    Raises:
        BackendError: there is no server, it is too old, or it does not have the model.
    """

    async def look(client: ServerClient) -> OllamaModel:
        version = _checked_version(await client.get("/api/version", read_version), address)
        entry = _entry(await client.get("/api/tags", read_models), name, address)
        shown = await client.post("/api/show", {"model": entry.name}, read_shown)
        return _model(entry, shown, version)

    def not_there(problem: RequestError) -> BackendError:
        return BackendError(
            f"the Ollama server at {address.url} cannot be asked: {problem.reason}",
            "ollama serve  starts it; --base-url names another one",
        )

    return ask_once(lambda: ServerClient(address, KEY_VARIABLE), look, limits, not_there)


def check_loaded_window(windows: Mapping[str, int | None], model: OllamaModel, window: int) -> None:
    """Make sure that the model runs with the context window that was asked for.

    Args:
        windows: what `ollama ps` reports of each loaded model.
        model: the model.
        window: the window asked for, in tokens.

    Raises:
        BackendError: the window is smaller: prompts would be cut.
    """
    loaded = windows.get(model.name)
    if loaded is not None and loaded < window:
        raise BackendError(
            f"{model.name} runs with a context window of {loaded} although "
            f"{window} was asked for, so prompts would be cut",
            f"ollama stop {model.name}  and ask again; or less context",
        )


def _checked_version(version: str, address: Address) -> str:
    match = re.match(r"(\d{1,9})\.(\d{1,9})\.(\d{1,9})", version)
    numbers = tuple(int(number) for number in match.groups()) if match else None
    # Builds from source call themselves 0.0.0.
    if numbers is not None and (0, 0, 0) < numbers < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        raise BackendError(
            f"Ollama {version} runs at {address.url}; it cannot switch thinking off",
            f"install Ollama {oldest} or later",
        )
    return version


def _entry(models: Mapping[str, OllamaListing], name: str, address: Address) -> OllamaListing:
    """Return the model in the server's list; raises BackendError where it is not."""
    entry = models.get(name) or models.get(f"{name}:latest")
    if entry is None:
        raise BackendError(
            f"the Ollama server at {address.url} does not have {name}; it has: {few_names(models)}",
            f"ollama pull {name}",
        )
    return entry


def _model(entry: OllamaListing, shown: ShownModel, version: str) -> OllamaModel:
    return OllamaModel(
        name=entry.name,
        digest=entry.digest,
        server_version=version,
        **vars(shown),
    )
