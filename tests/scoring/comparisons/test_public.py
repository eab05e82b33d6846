"""What `lawqa.scoring.comparisons` offers."""

from __future__ import annotations

from lawqa.scoring import comparisons


def test_the_public_names_are_sorted_and_there() -> None:
    # Ruff's sort (RUF022): classes, then functions.
    assert comparisons.__all__ == sorted(
        comparisons.__all__, key=lambda name: (name[0].islower(), name)
    )
    assert all(hasattr(comparisons, name) for name in comparisons.__all__)
