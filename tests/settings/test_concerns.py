"""All the concerns, for questions that are asked of a flag or a field by its name."""

from __future__ import annotations

import pytest

from lawqa.settings import (
    CONCERNS,
    decides_result,
    declared,
    same_flags,
)
from lawqa.settings.declared import owners_of


def test_the_owner_of_every_setting_is_a_setting_or_a_flag() -> None:
    known = {one.name for kind in CONCERNS for one in declared(kind)}
    owners = {name for kind in CONCERNS for one in declared(kind) for name in owners_of(one)}
    assert {"learn_from", "dev_file", "no_4bit"} <= owners <= known


def test_a_flag_is_known_by_all_its_names() -> None:
    assert same_flags("--hf-model-name") == {"--model-name", "--hf-model-name"}
    assert same_flags("--llm-backend-of-nobody") == {"--llm-backend-of-nobody"}


@pytest.mark.parametrize(
    ("path", "decides"),
    [
        ("temperature", True),
        ("training.lora_alpha", True),
        ("load_in_4bit", True),
        ("rag.top_k", True),
        ("token_budget", False),
        ("training.save_steps", False),
        ("run_dir", False),
        ("server.limits.timeout", False),
        ("data", False),
        ("adapter", False),
    ],
)
def test_a_manifest_s_setting_decides_results_as_its_declaration_says(
    path: str, decides: bool
) -> None:
    assert decides_result(path.split(".")) is decides
