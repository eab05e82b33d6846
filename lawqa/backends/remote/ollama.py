"""The backend for an Ollama server.

Ollama applies the model's chat template itself. Each request states everything that decides an answer: greedy
options or sampled ones with a seed, thinking on or off, and a context window that no prompt can outgrow (the
default silently cuts law texts; `lawqa.backends.remote.window` explains the check).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lawqa.backends.base import GenerationSettings
from lawqa.backends.remote import Limits
from lawqa.backends.remote.address import Address
from lawqa.backends.remote.answer import ChatAnswer
from lawqa.backends.remote.asking import CompletionRequest, ask_once, request_seed
from lawqa.backends.remote.chat_backend import ChatBackend
from lawqa.backends.remote.client import ServerClient
from lawqa.backends.remote.ollama_answers import read_chat, read_loaded, read_windows
from lawqa.backends.remote.ollama_server import (
    KEY_VARIABLE,
    OllamaModel,
    check_loaded_window,
    inspect_model,
    refuse_cloud_model,
)
from lawqa.backends.remote.request_error import RequestError
from lawqa.backends.remote.text import chat
from lawqa.backends.remote.window import PromptSize, TokenCount, check_whole, prompt_size
from lawqa.errors import BackendError
from lawqa.prompting import Prompt

# Loading reads gigabytes from a disk; it is not the first question's fault.
_LOADING_SECONDS = 900.0
# Windows in steps: a slightly longer prompt in the next run does not make Ollama load the model again.
_WINDOW_STEP = 512


class OllamaBackend(ChatBackend):
    """Asks a model on an Ollama server.

    Args:
        model: its name, such as `qwen3:8b`.
        address: where the server is.
        limits: deadlines, repeats, requests in flight.
        count: counts tokens with the model's own tokenizer; None to bound prompts by their bytes.

    Raises:
        BackendError: there is no server, it is too old, or it does not have the model.
    """

    server = "Ollama"
    key_variable = KEY_VARIABLE
    no_logprobs = (
        "this Ollama server gives no log-probabilities",
        "Ollama 0.12.11 or later does; or --answer-by generate",
    )
    hides_opened_thoughts = False

    def __init__(
        self,
        model: str,
        address: Address,
        limits: Limits | None = None,
        count: TokenCount | None = None,
    ) -> None:
        refuse_cloud_model(model)
        super().__init__(address, limits, count)
        self._model: OllamaModel = inspect_model(model, address, self._limits)
        self._window: int | None = None

    @property
    def chat_template(self) -> str:
        """The server's own, in Go's template language; empty where the server renders without one."""
        return self._model.template

    def describe(self) -> dict[str, object]:
        """Return the model as the server knows it, the server's version, the context window asked for."""
        return {
            "backend": "ollama",
            **self._model.describe(),
            "num_ctx": self._window,
            "server": {
                "url": self._address.url,
                "this_machine": self._address.loopback,
                "version": self._model.server_version,
            },
            **self._describe_client(),
        }

    def make_room(self, prompts: Sequence[Prompt], settings: GenerationSettings) -> None:
        """Do as `NeedsRoom`: another window later would make Ollama load the model again.

        Raises:
            BackendError: the longest prompt does not fit the model's window, or the model does not load.
        """
        self._prepare(prompts, settings)

    def _prepare(self, prompts: Sequence[Prompt], settings: GenerationSettings) -> None:
        """Load the model with a window for the longest of the prompts and its answer."""
        sizes = {prompt.key: prompt_size(prompt, self._count) for prompt in prompts}
        if not sizes:
            return
        for prompt in prompts:
            self._model.check_thinking(asked=prompt.spec.thinking)
        window = self._window_for(sizes, settings.max_new_tokens)
        if self._window is None or window > self._window:
            self._load(window)

    def _load(self, window: int) -> None:
        loading = replace(self._limits, timeout=max(self._limits.timeout, _LOADING_SECONDS))

        async def load(client: ServerClient) -> None:
            # A chat without messages loads the model and answers nothing.
            body = {"model": self._model.name, "messages": [], "options": {"num_ctx": window}}
            await client.post("/api/chat", {**body, "stream": False}, read_loaded)

        async def look(client: ServerClient) -> None:
            check_loaded_window(await client.get("/api/ps", read_windows), self._model, window)

        def not_loaded(problem: RequestError) -> BackendError:
            return BackendError(
                f"{self._model.name} could not be loaded with a context window of {window}: "
                f"{problem.reason}",
                "ollama ps  shows what takes the memory; a shorter context or answer needs less",
            )

        ask_once(self._open, load, loading, not_loaded)
        ask_once(self._open, look, self._limits, not_loaded)
        self._window = window

    def _window_for(self, sizes: dict[str, PromptSize], max_new_tokens: int) -> int:
        longest = max(sizes, key=lambda key: sizes[key].at_most)
        needed = sizes[longest].at_most + max_new_tokens
        trained = self._model.context_length
        if trained is not None and needed > trained:
            hint = "a smaller --max-new-tokens, or a shorter context"
            if self._count is None:
                hint += "; --tokenizer DIR counts tokens instead of bounding them by bytes"
            raise BackendError(
                f"{longest}: the prompt may have {sizes[longest].at_most} tokens and its answer "
                f"{max_new_tokens}, more than the {trained} that {self._model.name} can read",
                hint,
            )
        rounded = -(-needed // _WINDOW_STEP) * _WINDOW_STEP
        return rounded if trained is None else min(rounded, trained)

    async def _chat(
        self,
        client: ServerClient,
        request: CompletionRequest,
        settings: GenerationSettings,
        top_logprobs: int = 0,
    ) -> tuple[ChatAnswer, int]:
        options = {
            "num_ctx": self._window,
            "num_predict": settings.max_new_tokens,
            "seed": request_seed(settings, request),
            "temperature": settings.temperature,
            "top_p": settings.top_p,
            "top_k": settings.top_k,
            "min_p": settings.min_p,
            # A Modelfile may set these, and then even a greedy answer is not the likeliest one.
            "repeat_penalty": 1.0,
            "presence_penalty": 0.0,
            "frequency_penalty": 0.0,
        }
        body: dict[str, object] = {
            "model": self._model.name,
            "messages": chat(request.prompt),
            "options": options,
            "stream": False,
        }
        if self._model.can_think:
            body["think"] = request.prompt.spec.thinking
        if top_logprobs:
            body |= {"logprobs": True, "top_logprobs": top_logprobs}
        answer = await client.post("/api/chat", body, read_chat)
        return answer, check_whole(
            prompt_size(request.prompt, self._count),
            answer.prompt_tokens,
            window=self._window,
            max_new_tokens=settings.max_new_tokens,
        )
