"""The HTTP of model servers: one JSON value out, one in, never more than a bounded number of bytes.

The clients that OpenAI and Ollama publish are not used. They read a body without a bound, decode it however
often a header says, and build their objects without validation, so that what a server sends reaches the code
behind them with any type at all.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

import httpx

from lawqa.backends.remote.address import Address
from lawqa.backends.remote.reading import error_text, parsed
from lawqa.backends.remote.request_error import RequestError
from lawqa.errors import ConfigError

Read = TypeVar("Read")

LONGEST_BODY = 16 * 2**20
"""Bytes of the longest answer that is read; one of 100,000 tokens has less than a tenth of them."""
_LONGEST_ERROR = 64 * 2**10
_GZIP = 16 + zlib.MAX_WBITS


class ServerClient:
    """Sends requests to one server and nothing anywhere else.

    Redirections are not followed, and a proxy from the environment is not used for this machine. There
    are no time limits of its own: `asking` sets them.

    Args:
        address: where the server is.
        key_variable: the environment variable that holds the server's key.

    Raises:
        ConfigError: the key cannot be sent.
    """

    def __init__(self, address: Address, key_variable: str) -> None:
        self._key = os.environ.get(key_variable, "").strip()
        if not (self._key.isascii() and self._key.isprintable()):
            raise ConfigError(
                f"{key_variable} holds characters that no HTTP header can carry",
                "a key is one line of ASCII: was something else pasted with it?",
            )
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        self._http = httpx.AsyncClient(
            headers=headers,
            follow_redirects=False,
            trust_env=not address.loopback,
            verify=address.tls,
            timeout=None,  # noqa: S113 - the whole request has a deadline
            limits=httpx.Limits(max_connections=None),
        )
        self._url = address.url

    async def __aenter__(self) -> ServerClient:  # noqa: PYI034 - Self needs 3.11
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *problem: object) -> None:
        await self._http.aclose()

    async def get(self, path: str, read: Callable[[object, Mapping[str, str]], Read]) -> Read:
        """Ask for a path; see `post`."""
        return await self._ask("GET", path, None, read)

    async def post(
        self, path: str, body: object, read: Callable[[object, Mapping[str, str]], Read]
    ) -> Read:
        """Send a JSON value and read the one that comes back.

        Args:
            path: the path below the server's address.
            body: the JSON value.
            read: turns the value and the headers (names in lower case) into what is returned; raises
                RequestError for a value that it does not expect.

        Raises:
            RequestError: no answer came, an error did, or one that the API does not define.
        """
        return await self._ask("POST", path, body, read)

    async def _ask(
        self,
        method: str,
        path: str,
        body: object,
        read: Callable[[object, Mapping[str, str]], Read],
    ) -> Read:
        with self._explained():
            async with self._http.stream(method, f"{self._url}{path}", json=body) as response:
                wrong = not httpx.codes.is_success(response.status_code)
                raw = await _bounded(response, _LONGEST_ERROR if wrong else LONGEST_BODY, cut=wrong)
                headers = {name.lower(): value for name, value in response.headers.items()}
            if wrong:
                raise RequestError.from_status(
                    response.status_code, error_text(raw) or response.reason_phrase
                )
            value = parsed(raw, headers.get("content-type", ""))
            return read(value, headers)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turn what httpx raises into RequestError, and keep the key out of what a server repeats."""
        try:
            yield
        except RequestError as problem:
            if self._key and self._key in problem.reason:
                hidden = problem.reason.replace(self._key, "…")
                raise RequestError(hidden, passing=problem.passing) from None
            raise
        except httpx.ConnectError as problem:
            raise RequestError(
                f"the connection failed: the server does not accept connections ({_said(problem)})",
                passing=True,
            ) from None
        except httpx.HTTPError as problem:
            raise RequestError(f"the connection failed: {_said(problem)}", passing=True) from None
        except (httpx.InvalidURL, UnicodeEncodeError) as problem:
            raise RequestError(f"the request cannot be sent: {_said(problem)}") from None


async def _bounded(response: httpx.Response, limit: int, *, cut: bool) -> bytes:
    """Return the body, decompressed; raises RequestError for one above the limit, or cuts it there."""
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    packed = encoding in ("gzip", "x-gzip")
    if not packed and encoding not in ("", "identity"):
        raise RequestError(
            f"the server's answer is not what its API says: it is compressed ({encoding}), "
            "which was not asked for"
        )
    unpack = zlib.decompressobj(_GZIP)
    whole = bytearray()
    async for chunk in response.aiter_raw():
        try:
            whole += unpack.decompress(chunk, limit + 1 - len(whole)) if packed else chunk
        except zlib.error:
            raise RequestError(
                "the server's answer is not what its API says: it is called gzip and is not",
                passing=True,
            ) from None
        if len(whole) > limit:
            if cut:
                break
            raise RequestError(f"the server's answer is longer than {limit // 2**20} MiB")
    return bytes(whole[:limit])


def _said(problem: Exception) -> str:
    return str(problem) or type(problem).__name__
