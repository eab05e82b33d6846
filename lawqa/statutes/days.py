"""Days given on the command line."""

from __future__ import annotations

from datetime import date, datetime

from lawqa.errors import ConfigError


def day_of(text: str | None, flag: str = "--as-of") -> date | None:
    """Return the day that a flag names; None where it is not given.

    Raises:
        ConfigError: it is not a day such as 2025-06-01.
    """
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError:
        raise ConfigError(
            f"{flag} is {text!r}, expected a day such as 2025-06-01",
            "year, month and day, two digits each",
        ) from None
