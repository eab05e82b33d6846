"""What the backends for model servers share: where a server is, how it is asked, how its answers are read.

Importing this package imports no client; its modules do.
"""

from dataclasses import dataclass
from importlib.util import find_spec

from lawqa.errors import ConfigError, MissingExtraError
from lawqa.settings import RequestLimits
from lawqa.settings.ranges import require_in_range


@dataclass(frozen=True, kw_only=True)
class Limits(RequestLimits):
    """How a server is asked. Raises ConfigError for what cannot be."""

    backoff: float = 0.5
    """Seconds before the first repeat, at the most; doubled for each further one."""

    def __post_init__(self) -> None:
        require_in_range(self)
        if self.max_concurrency is not None and self.max_concurrency < self.concurrency:
            raise ConfigError(
                f"--max-concurrency is {self.max_concurrency}, fewer than --concurrency {self.concurrency}",
                "give it the most requests that may be in flight",
            )

    @property
    def most(self) -> int:
        """The most requests that may be in flight."""
        return self.max_concurrency or self.concurrency


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
