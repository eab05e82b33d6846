"""Distillation: a pool beside the records, sampled and selected from in one go."""

from __future__ import annotations

import json
from pathlib import Path

from lawqa.pipelines.experiments.distill import DistillConfig
from lawqa.prompting import PromptSpec


def test_the_models_own_file_says_how_samples_are_drawn(tmp_path: Path) -> None:
    """As in `lawqa evaluate`; a flag wins, and what is not applied is named."""
    model = tmp_path / "model"
    model.mkdir()
    (model / "config.json").write_text("{}", encoding="utf-8")
    own = {"temperature": 0.33, "top_p": 0.9, "top_k": 7, "repetition_penalty": 1.05}
    (model / "generation_config.json").write_text(json.dumps(own), encoding="utf-8")
    config = DistillConfig(
        data=tmp_path / "q.json", output_path=tmp_path / "out.jsonl", spec=PromptSpec("cot"),
        model_name=str(model), top_p=0.7,
    )  # fmt: skip
    asked = config.asked()
    drawn = asked.generation()
    assert (drawn.temperature, drawn.top_p, drawn.top_k, drawn.min_p) == (0.33, 0.7, 7, 0.0)
    assert asked.sampling_sources() == {
        "temperature": "generation_config.json", "top_p": "given",
        "top_k_sampling": "generation_config.json", "min_p": "recommended without thinking",
    }  # fmt: skip
    assert "repetition_penalty 1.05" in "".join(asked.sampling_notes())
