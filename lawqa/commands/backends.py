"""Which backends a place allows."""

from __future__ import annotations

from lawqa.commands.placefile import DEFAULT_PLACE
from lawqa.errors import PolicyError


def require_backend(place_id: str, backend: str) -> None:
    """Make sure that this backend may run at this place.

    Raises:
        ConfigError: there is no such place.
        PolicyError: the place forbids the backend.
    """
    if place_id == DEFAULT_PLACE:
        return
    from lawqa.commands.source import packaged_source  # all declared commands; see `placefile`

    place = packaged_source().place(place_id)
    if backend not in place.backends:
        raise PolicyError(
            f"--llm-backend {backend} is forbidden on {place_id}: {place.reason}",
            f"--llm-backend {place.backends[0]}",
        )
