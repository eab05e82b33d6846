"""What the backends for model servers share: where a server is, how it is asked, how its answers are read.

Importing this package imports no client; its modules do.
"""

from dataclasses import dataclass
from importlib.util import find_spec

from lawqa.errors import MissingExtraError
from lawqa.settings.ranges import require_in_range

DEFAULT_TIMEOUT = 600.0
DEFAULT_CONCURRENCY = 4
DEFAULT_RETRIES = 3


@dataclass(frozen=True)
class Limits:
    """How a server is asked. Raises ConfigError for what cannot be."""

    timeout: float = DEFAULT_TIMEOUT
    """Seconds for one answer, with its repeated requests and its waiting in the server's own queue."""
    concurrency: int = DEFAULT_CONCURRENCY
    """How many requests are in flight at a time."""
    retries: int = DEFAULT_RETRIES
    """How often a request is repeated after an error that may pass."""
    backoff: float = 0.5
    """Seconds before the first repeat, at the most; doubled for each further one."""

    def __post_init__(self) -> None:
        require_in_range(self)


def require_packages(extra: str) -> None:
    """Make sure that what a server is asked with is installed, without importing it.

    Args:
        extra: `ollama` or `openai`: the extra that brings it.

    Raises:
        MissingExtraError: a package is missing.
    """
    for package in ("anyio", "httpx", "tenacity"):
        if find_spec(package) is None:
            raise MissingExtraError(package, extra)
