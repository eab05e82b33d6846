"""Generated blocks inside files that people write, between two marker lines; the form of commands there."""

from __future__ import annotations

import pytest

from lawqa.docgen import replace_block
from lawqa.errors import ConfigError


def test_a_missing_marker_is_named() -> None:
    with pytest.raises(ConfigError, match=r"README.md: has 0 blocks 'steps', expected one"):
        replace_block("text", "steps", "x\n", "README.md")
    text = "a\n# lawqa docs: begin steps\nold\n# lawqa docs: end steps\nb\n"
    assert replace_block(text, "steps", "new\n", "f") == text.replace("old", "new")
