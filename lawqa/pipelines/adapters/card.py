"""Model cards: what Hugging Face's tools and a reader need to know of an adapter or a merged model.

The block at the top is the hub's metadata (https://huggingface.co/docs/hub/model-cards);
the rest is for people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lawqa.amounts import counted
from lawqa.files import JsonObject
from lawqa.pipelines.adapters.modes import ProbedMode, modes_text
from lawqa.report.table import Table, pipes_escaped, render_markdown
from lawqa.runs.manifest import Manifest
from lawqa.scoring import Accuracy, wilson

CARD = "README.md"
_TAGS = ("lora", "qlora", "legal", "law", "japanese", "multiple-choice", "lawqa")
_APACHE = ("Qwen/Qwen3", "Qwen/Qwen2.5-1.5B", "Qwen/Qwen2.5-7B")
"""Base models whose licence is known here; of others the licence is named by who publishes."""

ATTRIBUTION = (
    "The questions of lawqa_jp are the work of the Digital Agency of Japan "
    "(https://github.com/digital-go-jp/lawqa_jp), under the Public Data License 1.0; statute texts are "
    "those of e-Gov (https://laws.e-gov.go.jp). "
    "出典：デジタル庁「lawqa_jp」（公共データ利用規約 第1.0版）を加工して作成。"
)


def licence_of(base: str) -> str | None:
    """Return the licence of a base model, where it is known: that of what is made of it."""
    return "apache-2.0" if base.startswith(_APACHE) else None


def adapter_card(
    manifest: Manifest,
    figures: JsonObject,
    *,
    dev_rows: Sequence[tuple[str, str]] = (),
    plot: str | None = None,
    results: Sequence[tuple[str, Accuracy]] = (),
    licence: str | None = None,
) -> str:
    """Write the card of an adapter.

    Args:
        manifest: of its training.
        figures: of its training, as the manifest keeps them.
        dev_rows: what was measured on the dev questions, named.
        plot: the file of its training curve; None where there is none.
        results: accuracies of runs with it on other questions, named.
        licence: as the hub names it; None for that of the base model, where it is known.
    """
    model, base = manifest.model, str(manifest.model["name"])
    quantised = f"{model['quantisation'] or 'not quantised'}, {model['dtype']}"
    parts = [
        _metadata(base, licence, library="peft"),
        "# LoRA adapter for Japanese-law four-choice questions",
        f"Trained by lawqa over {base} ({quantised}).",
        _training_table(manifest, figures, dev_rows),
    ]
    if figures.get("best"):
        parts.append(
            "The step was chosen by the dev questions, so their accuracy flatters; held-out questions tell."
        )
    if plot:
        parts.append(f"![loss and dev accuracy]({plot})")
    parts += [
        _results(results),
        _prompts(manifest.prompt_specs),
        _use(base, quantised=bool(model["quantisation"])),
        _data(manifest),
        f"## Licence\n\n{_licence_sentence(base, licence)}",
    ]
    return "\n\n".join(parts) + "\n" + modes_section(figures)


def modes_section(figures: JsonObject) -> str:
    """Return the last part of a card: what became of every mode; empty where none was probed.

    Args:
        figures: of the training, as its manifest keeps them.
    """
    modes = [ProbedMode.from_json(one) for one in figures.get("modes") or ()]
    if not modes:
        return ""
    return f"\n## Modes without and with the adapter\n\n```\n{modes_text(modes)}\n```\n"


def merged_card(
    content: JsonObject,
    *,
    licence: str | None = None,
    results: Sequence[tuple[str, Accuracy]] = (),
) -> str:
    """Write the card of a base model and adapter in one.

    Args:
        content: what the merge wrote of itself.
        licence: as the hub names it; None for that of the base model, where it is known.
        results: accuracies of runs with it, named.
    """
    stored = content.get("manifest")
    manifest = Manifest.from_json(stored) if isinstance(stored, Mapping) else None
    base = str(
        manifest.model["name"] if manifest else content.get("base", {}).get("name", "unknown")
    )
    parts = [
        _metadata(base, licence, library="transformers"),
        "# A model for Japanese-law four-choice questions",
        f"{base} and a LoRA adapter merged by lawqa into one bfloat16 model. `merged.json` beside this "
        "file says of what, and what merging did to the scores.",
        _results(results),
    ]
    if manifest is not None:
        parts += [_prompts(manifest.prompt_specs), _data(manifest)]
    parts += [
        "## Use\n\n```bash\nlawqa evaluate --model-name . --data selection.json\n```",
        f"## Licence\n\n{_licence_sentence(base, licence)}",
    ]
    modes = modes_section(manifest.figures) if manifest is not None else ""
    return "\n\n".join(parts) + "\n" + modes


def _metadata(base: str, licence: str | None, *, library: str) -> str:
    known = licence or licence_of(base)
    lines = [
        "---",
        f"base_model: {base}",
        f"library_name: {library}",
        "pipeline_tag: text-generation",
        "language:",
        "- ja",
        *([f"license: {known}"] if known else []),
        "tags:",
        *(f"- {tag}" for tag in (_TAGS if library == "peft" else _TAGS[2:])),
        "---",
    ]
    return "\n".join(lines)


def _training_table(
    manifest: Manifest, figures: JsonObject, dev_rows: Sequence[tuple[str, str]]
) -> str:
    data, training = manifest.data, manifest.config["training"]
    specs = ", ".join(manifest.prompt_specs) or "none: text to read"
    lora = ", ".join(str(training[f"lora_{name}"]) for name in ("r", "alpha", "dropout"))
    rows = [
        ("records", f"{data['records']} ({specs})"),
        ("optimiser steps", f"{figures['steps']}, ended by: {figures['ended']}"),
        ("loss (nats per answer token)", f"{figures['first_loss']:.3f} -> {figures['last_loss']:.3f}"),
        ("LoRA rank, alpha, dropout", lora),
        ("learning rate", f"{training['learning_rate']:g}, {training['lr_scheduler']}"),
        ("time", f"{figures['seconds']:.0f} s, {figures['tokens']:,} tokens"),
        *dev_rows,
    ]  # fmt: skip
    return render_markdown(Table(["", ""], rows), escape=pipes_escaped)


def _results(results: Sequence[tuple[str, Accuracy]]) -> str:
    if not results:
        return (
            "## Results\n\nNone are in this card: `lawqa evaluate` measures on questions that were held out, "
            "and `lawqa publish --results RUN` puts them here with their intervals."
        )
    rows = []
    for name, accuracy in results:
        interval = wilson(accuracy.correct, accuracy.asked)
        rows.append(
            (
                name, f"{accuracy.value:.1%}", f"{interval.low:.1%} - {interval.high:.1%}",
                f"{accuracy.correct} / {accuracy.asked}",
            )
        )  # fmt: skip
    table = render_markdown(
        Table(["run", "accuracy", "95% interval (Wilson)", "correct / asked"], rows),
        escape=pipes_escaped,
    )
    return f"## Results\n\n{table}"


def _prompts(specs: Mapping[str, str]) -> str:
    if not specs:
        return "## Prompt\n\nTrained on text to read, not on prompts."
    listed = "\n".join(f"- `{spec}` (hash {digest})" for spec, digest in specs.items())
    return (
        f"## Prompt\n\n{listed}\n\nOther words than these are another task. `lawqa prompts --prompt standard`"
        " shows them, and `lawqa export --format lm-eval-task` writes them for lm-evaluation-harness."
    )


def _use(base: str, *, quantised: bool) -> str:
    options = ", quantization_config=BitsAndBytesConfig(load_in_4bit=True)" if quantised else ""
    classes = "AutoModelForCausalLM, AutoTokenizer" + (", BitsAndBytesConfig" if quantised else "")
    flags = " --hf-load-in-4bit" if quantised else ""
    return f"""## Use

With PEFT:

```python
from peft import PeftModel
from transformers import {classes}

base = AutoModelForCausalLM.from_pretrained("{base}"{options})
model = PeftModel.from_pretrained(base, ".")
tokenizer = AutoTokenizer.from_pretrained(".")
```

With lawqa, which checks prompt, base model and leaks against `manifest.json`:

```bash
lawqa evaluate --model-name {base}{flags} --hf-lora-path . --data selection.json
```"""


def _data(manifest: Manifest) -> str:
    ids = {str(entry.get("id")) for entry in manifest.questions}
    return (
        f"## Data\n\nTrained on {counted(len(ids), 'question')}; `manifest.json` lists their ids "
        "and fingerprints, "
        f"which `lawqa evaluate` and `lawqa data leaks` refuse to measure on. {ATTRIBUTION}"
    )


def _licence_sentence(base: str, licence: str | None) -> str:
    if licence:
        return f"{licence}."
    known = licence_of(base)
    if known:
        return f"{known}, that of {base}."
    return f"That of {base}; who publishes this names it (`lawqa publish --licence`)."
