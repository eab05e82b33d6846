"""The backend for a server with the chat endpoint of the OpenAI API: vLLM, llama.cpp's server and others.

`lawqa.backends.remote` asks, repeats and reads; `lawqa.backends.remote.openai_answers` knows the wire format.
"""

from __future__ import annotations

from collections.abc import Mapping

from lawqa.backends.base import GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import Address
from lawqa.backends.remote.answer import ChatAnswer
from lawqa.backends.remote.asking import CompletionRequest, ask_once, request_seed
from lawqa.backends.remote.chat_backend import ChatBackend
from lawqa.backends.remote.client import ServerClient
from lawqa.backends.remote.openai_answers import OpenAIListing, read_chat, read_models
from lawqa.backends.remote.reading import short_text
from lawqa.backends.remote.request_error import RequestError
from lawqa.backends.remote.text import chat, few_names
from lawqa.backends.remote.window import TokenCount, check_whole, prompt_size
from lawqa.errors import BackendError


class OpenAIBackend(ChatBackend):
    """Asks a model on an OpenAI-style server.

    Args:
        model: its name on the server.
        address: where the server is, with the `/v1`.
        limits: deadlines, repeats, requests in flight.
        count: counts tokens with the model's own tokenizer; None to bound prompts by their bytes.

    Raises:
        BackendError: there is no server, or it does not have the model.
    """

    server = "an OpenAI-style server"
    key_variable = "OPENAI_API_KEY"
    no_logprobs = ("this server gives no log-probabilities", "--answer-by generate")
    hides_opened_thoughts = True

    def __init__(
        self,
        model: str,
        address: Address,
        limits: Limits | None = None,
        count: TokenCount | None = None,
    ) -> None:
        super().__init__(address, limits, count)
        self._name = model
        self._server = self._inspect()
        self._fingerprints: set[str] = set()

    @property
    def chat_template(self) -> str:
        """Empty: the server applies its own and does not show it."""
        return ""

    def describe(self) -> dict[str, object]:
        """Return the model's name and what the server says of itself; never the key."""
        return {
            "backend": "openai",
            "name": self._name,
            "server": {
                "url": self._address.url,
                "this_machine": self._address.loopback,
                **self._server,
                "fingerprints": sorted(self._fingerprints),
            },
            **self._describe_client(),
        }

    def _inspect(self) -> dict[str, str | None]:
        def read(
            value: object, headers: Mapping[str, str]
        ) -> tuple[dict[str, OpenAIListing], str | None]:
            return read_models(value, headers), short_text(headers.get("server"))

        async def look(client: ServerClient) -> dict[str, str | None]:
            known, software = await client.get("/models", read)
            if self._name not in known:
                raise BackendError(
                    f"the server at {self._address.url} does not have {self._name}; "
                    f"it has: {few_names(known)}",
                    "--llm-model takes a name from that list",
                )
            return {"software": software, "owned_by": known[self._name].owner}

        def not_there(problem: RequestError) -> BackendError:
            return BackendError(
                f"the server at {self._address.url} cannot be asked: {problem.reason}",
                f"is it running, does its address end so, is {self.key_variable} set if it wants a key?",
            )

        return ask_once(self._open, look, self._limits, not_there)

    async def _chat(
        self,
        client: ServerClient,
        request: CompletionRequest,
        settings: GenerationSettings,
        top_logprobs: int = 0,
    ) -> tuple[ChatAnswer, int]:
        listing = {"logprobs": True, "top_logprobs": top_logprobs} if top_logprobs else {}
        body = {
            "model": self._name,
            "messages": chat(request.prompt),
            "max_tokens": settings.max_new_tokens,
            "seed": request_seed(settings, request),
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            # -1 for all: vLLM and llama.cpp both take it, and both have another default.
            "top_k": settings.top_k or -1,
            "min_p": settings.min_p,
            "chat_template_kwargs": {"enable_thinking": request.prompt.spec.thinking},
            **listing,
        }
        answer = await client.post("/chat/completions", body, read_chat)
        if answer.fingerprint:
            self._fingerprints.add(answer.fingerprint)
        size = prompt_size(request.prompt, self._count)
        return answer, check_whole(size, answer.prompt_tokens)
