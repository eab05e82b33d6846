"""What the backends for model servers share: where a server is, how it is asked, how its answers are read.

Importing this package imports no client; its modules do.
"""

from dataclasses import dataclass
from importlib.util import find_spec

from lawqa.errors import ConfigError, MissingExtraError

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
        problems = []
        if not self.timeout > 0:
            problems.append(f"--timeout is {self.timeout}, expected more than 0 seconds")
        if self.concurrency < 1:
            problems.append(f"--concurrency is {self.concurrency}, expected 1 or more")
        if self.retries < 0:
            problems.append(f"--request-retries is {self.retries}, expected 0 or more")
        if problems:
            raise ConfigError("\n".join(problems))


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
