"""No call of ours lets a library run the code of a model, or read its weights from a pickle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

LOADERS = {
    "from_pretrained", "from_config", "SentenceTransformer", "CrossEncoder", "SparseEncoder", "pipeline",
    "snapshot_download", "load_dataset", "getattr(library, kind)",
}  # fmt: skip
PICKLES = {"torch.load", "pickle.load", "pickle.loads", "joblib.load", "numpy.load", "np.load"}

# What takes no code from a model: by file, the callee, and why.
EXCEPT = {
    # PEFT has no such option: it reads an adapter's config and safetensors, which name no code.
    "PeftModel.from_pretrained",
    # Of tensors without storage, given in the call: there is no folder that code could come from.
    "type(empty).from_pretrained",
    # Ours: a shape from a config that has been read.
    "ModelShape.from_config",
}


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node


def sources(checkout: Path) -> list[Path]:
    found = [
        path
        for part in ("lawqa", "scripts", "examples")
        for path in (checkout / part).rglob("*.py")
    ]
    assert len(found) > 200
    return found


@pytest.mark.slow
def test_every_call_that_loads_says_that_no_code_is_trusted(checkout: Path) -> None:
    seen, silent = 0, []
    for path in sources(checkout):
        for callee, call in calls(ast.parse(path.read_text(encoding="utf-8"))):
            if callee.rpartition(".")[2] not in LOADERS and callee not in LOADERS:
                continue
            if callee in EXCEPT:
                continue
            seen += 1
            given = {word.arg: word.value for word in call.keywords}
            trusted = given.get("trust_remote_code")
            if not (isinstance(trusted, ast.Constant) and trusted.value is False):
                silent.append(f"{path.relative_to(checkout)}:{call.lineno}: {callee}")
    assert not silent
    assert seen >= 5, "the loaders have been renamed, and this test looks for the old names"


@pytest.mark.slow
def test_nothing_of_a_models_is_unpickled(checkout: Path) -> None:
    found = []
    for path in sources(checkout):
        for callee, call in calls(ast.parse(path.read_text(encoding="utf-8"))):
            if callee not in PICKLES:
                continue
            given = {word.arg: ast.unparse(word.value) for word in call.keywords}
            safe = given.get("weights_only") == "True" or (
                callee in ("np.load", "numpy.load")
                and given.get("allow_pickle", "False") == "False"
            )
            if not safe:
                found.append(f"{path.relative_to(checkout)}:{call.lineno}: {ast.unparse(call)}")
    assert not found


@pytest.mark.parametrize("line", ["AutoModel.from_pretrained(name)", "SentenceTransformer(name)"])
def test_the_search_sees_such_a_call(line: str) -> None:
    ((callee, _),) = calls(ast.parse(line))
    assert callee.rpartition(".")[2] in LOADERS
