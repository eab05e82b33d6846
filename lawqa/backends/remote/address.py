"""Where a model server is. Nothing goes to another machine unless the user has named that machine."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit, urlunsplit

from lawqa.errors import ConfigError

# Servers listen there; a client with the same setting means this machine.
_ANY_INTERFACE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - recognised, not bound to

_EXAMPLE = "for example http://127.0.0.1:11434"


@dataclass(frozen=True)
class Address:
    """The address of a server."""

    url: str
    """Scheme, host, port and path, without a slash at the end."""
    loopback: bool
    """Whether it is this machine."""

    @property
    def tls(self) -> bool:
        """Whether certificates are checked; a client that needs none is made in a tenth of the time."""
        return self.url.startswith("https:")


def find_address(
    given: str | None, variable: str, *, default: str | None = None, port: int, path: str = ""
) -> Address:
    """Return the address from the flag, else from the environment, else the default.

    Args:
        given: what `--base-url` says; None without the flag.
        variable: the environment variable that the server's own tools read.
        default: the address on this machine; None if there is none.
        port: for an address that names neither scheme nor port.
        path: for an address without a path, such as `/v1`.

    Raises:
        ConfigError: there is no address, it is not one, or it holds a secret.
    """
    source, text = "--base-url", given
    if text is None:
        source, text = variable, os.environ.get(variable) or default
    if not text:
        raise ConfigError(
            f"no server is named: neither --base-url nor {variable} is given",
            f"for a server on this machine: --base-url http://127.0.0.1:{port}{path}",
        )
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        if "[" in parts.netloc:  # Python 3.10 takes anything between the brackets
            ipaddress.ip_address(str(parts.hostname).partition("%")[0])
    except ValueError:  # such as a bracket that is not closed; its text might repeat a password
        raise ConfigError(f"{source}: not an address of a server", _EXAMPLE) from None
    if not all(char.isprintable() and not char.isspace() for char in text):
        raise ConfigError(f"{source}: an address without blanks is expected", _EXAMPLE)
    number = _checked(parts, source)
    if number is None and "://" not in text:
        number = port
    name = str(parts.hostname)
    name = _ANY_INTERFACE.get(name, name)
    host = f"[{name}]" if ":" in name else name
    netloc = host if number is None else f"{host}:{number}"
    shown = urlunsplit((parts.scheme, netloc, parts.path.rstrip("/") or path, "", ""))
    return Address(shown, _is_loopback(name))


def _checked(parts: SplitResult, source: str) -> int | None:
    """Return the port of a well-formed address, None where it names none; raises ConfigError."""
    # An address with a password is not repeated: error messages end up in logs.
    if parts.username is not None or parts.password is not None:
        raise ConfigError(
            f"{source} holds a user name or password, which would end up in the manifest",
            "give a key through the environment instead: OPENAI_API_KEY or OLLAMA_API_KEY",
        )
    shown = parts.geturl()
    try:
        number = parts.port
    except ValueError:
        raise ConfigError(
            f"{source} {shown}: the port is not a number up to 65535", _EXAMPLE
        ) from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{source} {shown}: not an address of a server", _EXAMPLE)
    if parts.query or parts.fragment:
        raise ConfigError(f"{source}: an address without ? and # is expected", _EXAMPLE)
    return number


def _is_loopback(name: str) -> bool:
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:  # a host name: it may be any machine
        return False
