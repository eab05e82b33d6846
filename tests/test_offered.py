"""`lawqa.offered`: names that are imported when they are asked for."""

from __future__ import annotations

import pytest

from lawqa.offered import imported_when_asked


def test_a_name_is_what_its_module_has() -> None:
    get = imported_when_asked("shop", {"fractions": ("Fraction",), "string": ("digits",)})
    assert get("Fraction")(1, 2) == 0.5
    assert get("digits") == "0123456789"


def test_another_name_is_an_attribute_that_the_package_lacks() -> None:
    get = imported_when_asked("shop", {"string": ("digits",)})
    with pytest.raises(AttributeError, match="module 'shop' has no attribute 'hexdigits'"):
        get("hexdigits")
