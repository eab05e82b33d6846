"""The values of `--by`: those of `lawqa.scoring.By`, written out so that `--help` imports no statistics."""

from __future__ import annotations

from typing import Literal

RunBy = Literal["own", "plain", "vote", "soft", "orders", "orders-samples"]
"""How the prompts of a question become its final answer."""

By = Literal["own", "plain", "vote", "soft", "orders", "orders-samples", "prompts"]
"""The same, or single prompts."""
