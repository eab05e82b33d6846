from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.scripted import ScriptedBackend
from lawqa.cli.asking.evaluate_text import result_text
from lawqa.errors import BackendError, DataError
from lawqa.files import write_json
from lawqa.models.files.adapter_folder import directory_hash
from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.pipelines.adapters.notes import notes_on_training
from lawqa.pipelines.evaluation.evaluate import EvaluationConfig, EvaluationResult, evaluate
from lawqa.prompting import PromptSpec
from lawqa.questions import Question, write_questions
from tests.pipelines.adapters.conftest import BASE, HASH, SPEC, MakeAdapter

# --- reading


def test_what_went_into_a_merged_model_is_read_beside_it(
    tmp_path: Path, adapter: MakeAdapter
) -> None:
    assert AdapterManifest.of_merged(tmp_path) is None
    training = adapter().training
    assert training is not None
    path = tmp_path / "merged.json"
    write_json(path, {"manifest": training.to_json()})
    merged = AdapterManifest.of_merged(tmp_path)
    assert merged == AdapterManifest(tmp_path, training)
    path.write_text('{"manifest": null}', encoding="utf-8")
    unknown = AdapterManifest.of_merged(tmp_path)
    assert unknown is not None
    (note,) = notes_on_training(unknown, [], SPEC, allow_leak=False, allow_prompt_mismatch=False)
    assert note.startswith("UNKNOWN TRAINING")


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"manifest": {"model": {}}}'])
def test_a_broken_note_beside_a_merged_model_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "merged.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"merged\.json") as caught:
        AdapterManifest.of_merged(tmp_path)
    assert "lawqa merge --fresh" in caught.value.hint


def test_a_directory_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match=r"no such directory, expected an adapter's") as caught:
        AdapterManifest.read(tmp_path / "nothing")
    assert "lawqa train --do-train" in caught.value.hint


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"status": "running"}, "kind train, status running"),
        ({"status": "interrupted"}, "kind train, status interrupted"),
        ({"status": "failed"}, "kind train, status failed"),
        ({"kind": "evaluate"}, "kind evaluate, status done"),
    ],
)
def test_an_unfinished_training_is_refused(
    adapter: MakeAdapter, fields: dict[str, str], found: str
) -> None:
    with pytest.raises(DataError, match=f"{found}; expected a finished training"):
        adapter(**fields)


def test_a_manifest_of_another_layout_is_refused(adapter: MakeAdapter) -> None:
    with pytest.raises(DataError, match="schema_version is 2, expected 1"):
        adapter(schema_version=2)


def test_the_quantisation_is_that_of_the_training(adapter: MakeAdapter) -> None:
    assert adapter().quantisation == "nf4"
    assert adapter(model={**BASE, "quantisation": None}).quantisation is None


def test_an_adapter_without_manifest_is_usable_and_that_is_said(
    adapter_dir: Path, trained_on: Question
) -> None:
    adapter = AdapterManifest.read(adapter_dir)
    (note,) = notes_on_training(
        adapter, [trained_on], PromptSpec("cot"), allow_leak=False, allow_prompt_mismatch=False
    )
    assert note.startswith(f"UNKNOWN TRAINING: {adapter_dir} has no manifest")
    assert adapter.quantisation is None
    assert adapter.check_base(BASE, SPEC, HASH, allow_prompt_mismatch=False) == []


# --- prompts


def test_a_changed_wording_or_template_is_refused_unless_allowed(adapter: MakeAdapter) -> None:
    changed = adapter(prompt_specs={SPEC.id: "another hash"})
    with pytest.raises(DataError, match="of direct-closed-v1 has changed since training"):
        changed.check_base(BASE, SPEC, HASH, allow_prompt_mismatch=False)
    assert changed.check_base(BASE, SPEC, HASH, allow_prompt_mismatch=True) == [
        "PROMPT MISMATCH: the wording or chat template of direct-closed-v1 has changed since training"
    ]


# --- base models


def test_the_base_that_it_was_trained_over_gives_no_note(adapter: MakeAdapter) -> None:
    assert adapter().check_base(dict(BASE), SPEC, HASH, allow_prompt_mismatch=False) == []


@pytest.mark.parametrize(
    "other",
    [
        {"name": "Qwen/Qwen3-1.7B"},
        {"commit": "badcafe"},
        {"directory_sha256": "ab"},
    ],
    ids=["name", "commit", "a directory instead"],
)
def test_another_base_is_refused(adapter: MakeAdapter, other: dict[str, str]) -> None:
    with pytest.raises(
        BackendError, match=r"was trained over Qwen/Qwen3-8B \(c0ffee\), not over"
    ) as caught:
        adapter().check_base({**BASE, **other}, SPEC, HASH, allow_prompt_mismatch=True)
    assert caught.value.hint.startswith("--hf-model-name Qwen/Qwen3-8B ")


def test_a_base_directory_may_move_but_not_change(adapter: MakeAdapter) -> None:
    here = {**BASE, "name": "models/a", "commit": None, "directory_sha256": "ab"}
    moved = {**here, "name": "elsewhere/b"}
    trained = adapter(model=here)
    assert trained.check_base(moved, SPEC, HASH, allow_prompt_mismatch=False) == []
    with pytest.raises(BackendError, match=r"trained over models/a \(ab\), not over .*b \(cd\)"):
        trained.check_base(
            {**moved, "directory_sha256": "cd"}, SPEC, HASH, allow_prompt_mismatch=False
        )


def test_another_quantisation_is_noted(adapter: MakeAdapter) -> None:
    plain = {**BASE, "quantisation": None}
    assert adapter().check_base(plain, SPEC, HASH, allow_prompt_mismatch=False) == [
        "QUANTISATION DIFFERS: trained over nf4 weights, evaluated over plain ones"
    ]


def test_another_dtype_of_products_is_noted(adapter: MakeAdapter) -> None:
    other = {**BASE, "dtype": "float32"}
    assert adapter().check_base(other, SPEC, HASH, allow_prompt_mismatch=False) == [
        "NUMBER TYPE DIFFERS: trained with products in bfloat16, evaluated in float32"
    ]


def test_without_a_manifest_the_base_that_peft_names_counts(
    adapter_dir: Path, tmp_path: Path
) -> None:
    unknown = AdapterManifest.read(adapter_dir)
    assert unknown.check_identity(BASE) == []
    (note,) = unknown.check_identity({**BASE, "name": "Qwen/Qwen3-8B-Base"})
    assert note.startswith(
        f"UNKNOWN BASE: {adapter_dir} says that it was trained over Qwen/Qwen3-8B, "
    )
    assert "applied to Qwen/Qwen3-8B-Base (c0ffee)" in note

    base = tmp_path / "base"
    base.mkdir()
    (base / "config.json").write_text("{}", encoding="utf-8")
    named = json.dumps({"peft_type": "LORA", "base_model_name_or_path": str(base)})
    (adapter_dir / "adapter_config.json").write_text(named, encoding="utf-8")
    here = {**BASE, "name": "elsewhere", "commit": None, "directory_sha256": directory_hash(base)}
    assert unknown.check_identity(here) == []
    with pytest.raises(BackendError, match=f"was trained over {base}, not over elsewhere"):
        unknown.check_identity({**here, "directory_sha256": "ab"})


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("adapter_model.safetensors", None, "adapter_model.safetensors is missing"),
        ("adapter_config.json", None, "is not an adapter: adapter_config.json is missing"),
        ("adapter_config.json", '{"peft_ty', "adapter_config.json"),
        ("adapter_config.json", "[]", "names no peft_type"),
    ],
)
def test_an_adapter_of_which_a_part_is_missing_or_broken_is_refused(
    adapter_dir: Path, name: str, content: str | None, told: str
) -> None:
    (adapter_dir / name).unlink()
    if content is not None:
        (adapter_dir / name).write_text(content, encoding="utf-8")
    with pytest.raises(BackendError, match=told) as caught:
        AdapterManifest.read(adapter_dir)
    assert caught.value.hint


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_what_is_not_a_directory_is_no_adapter(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BackendError, match=r"(no such directory|is a file), expected an adapter's"):
        AdapterManifest.read(tmp_path / name)


@pytest.mark.parametrize("name", ["adapter_model.safetensors", "adapter_config.json"])
def test_a_part_of_an_adapter_that_is_a_dead_link_is_named(adapter_dir: Path, name: str) -> None:
    (adapter_dir / name).unlink()
    (adapter_dir / name).symlink_to("gone")
    with pytest.raises(BackendError, match=f"{name} is a link to gone, where no file is"):
        AdapterManifest.read(adapter_dir)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"questions": [1]}, r"questions\[0\]' is 1, expected an object"),
        ({"questions": [{"id": "q"}]}, r"questions\[0\].fingerprint is missing or null"),
        ({"questions": [{"id": 7, "fingerprint": "f"}]}, r"questions\[0\].id' is 7, expected text"),
        ({"model": {}}, "model.name is missing or null"),
        ({"model": {"name": "m"}}, "model.quantisation is 'missing'"),
        ({"model": {**BASE, "quantisation": "int3"}}, "model.quantisation is 'int3'"),
        ({"model": {**BASE, "quantisation": ["nf4"]}}, "model.quantisation' is"),
        ({"model": {**BASE, "content": "c0ffee"}}, "model.content' is \"c0ffee\""),
        ({"prompt_specs": {SPEC.id: None}}, f"prompt_specs.{SPEC.id}' is null, expected text"),
        ({"written": [1]}, r"written is \[1\], expected an object or null"),
        ({"data": {"dev": [1]}}, r"data.dev is \[1\]"),
        ({"data": {"dev": {"questions": [{}]}}}, r"data.dev.questions\[0\].fingerprint is missing"),
    ],
)  # fmt: skip
def test_a_manifest_that_lost_a_part_is_refused_by_its_name(
    adapter: MakeAdapter, fields: dict[str, Any], told: str
) -> None:
    with pytest.raises(DataError, match=told) as caught:
        adapter(**fields)
    assert "train again" in caught.value.hint


# --- in an evaluation


class OverBase(ScriptedBackend):
    """Answers from a table and says that it is the base model."""

    def describe(self) -> dict[str, Any]:
        return dict(BASE)


def evaluated(directory: Path, question: Question, **fields: Any) -> EvaluationResult:
    write_questions(directory / "q.json", [question])
    config = EvaluationConfig(
        data=directory / "q.json",
        spec=fields.pop("spec", SPEC),
        answer_by="logits",
        backend="hf",
        adapter=directory / "adapter",
        run_dir=directory / "run",
        quiet=True,
        **fields,
    )
    return evaluate(config, lambda _config, _adapter: OverBase({"*": "b"}))


def stored(directory: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((directory / "run" / name).read_text(encoding="utf-8"))
    return content


def test_an_allowed_leak_stands_in_the_first_line_everywhere(
    tmp_path: Path, adapter: MakeAdapter, trained_on: Question
) -> None:
    adapter()
    result = evaluated(tmp_path, trained_on, allow_leak=True)
    assert result_text(result).startswith("! LEAK: 1 of 1 question was in the training of ")
    assert stored(tmp_path, "summary.json")["notes"][0].startswith("LEAK: ")
    assert stored(tmp_path, "manifest.json")["notes"][0].startswith("LEAK: ")


def test_a_leak_is_refused_before_anything_is_written(
    tmp_path: Path, adapter: MakeAdapter, trained_on: Question
) -> None:
    adapter()
    with pytest.raises(DataError, match="was in the training"):
        evaluated(tmp_path, trained_on)
    assert not (tmp_path / "run").exists()


def test_an_unknown_spec_is_refused_before_anything_is_written(
    tmp_path: Path, adapter: MakeAdapter, held_out: Question
) -> None:
    adapter()
    with pytest.raises(DataError, match="not on direct-gold-v1"):
        evaluated(tmp_path, held_out, spec=PromptSpec(condition="gold"))
    assert not (tmp_path / "run").exists()


def test_the_run_says_which_adapter_it_measured(
    tmp_path: Path, adapter: MakeAdapter, adapter_dir: Path, held_out: Question
) -> None:
    adapter()
    result = evaluated(tmp_path, held_out)
    assert result.notes == ()
    manifest = stored(tmp_path, "manifest.json")
    assert manifest["adapter"]["path"] == str(adapter_dir)
    assert manifest["adapter"]["manifest"]["prompt_specs"] == {SPEC.id: HASH}
    assert manifest["config"]["load_in_4bit"] is True


def test_an_unknown_training_stands_in_the_first_line(
    tmp_path: Path, adapter_dir: Path, held_out: Question
) -> None:
    result = evaluated(tmp_path, held_out)
    assert result_text(result).startswith(f"! UNKNOWN TRAINING: {adapter_dir} has no manifest")


def test_the_leak_comes_first_where_there_is_more_to_say(
    tmp_path: Path, adapter: MakeAdapter, trained_on: Question
) -> None:
    adapter(model={**BASE, "quantisation": None})
    mismatch = PromptSpec(condition="gold")
    result = evaluated(
        tmp_path, trained_on, spec=mismatch, allow_leak=True, allow_prompt_mismatch=True
    )
    printed = result_text(result).split("\n")[:3]
    assert [line.split(":")[0] for line in printed] == [
        "! LEAK",
        "! PROMPT MISMATCH",
        "! QUANTISATION DIFFERS",
    ]
