"""What `import lawqa` offers and what that costs."""

from __future__ import annotations

import ast
import doctest
import inspect
import pkgutil
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path

import pytest

import lawqa
from lawqa.demo import embedded_questions

pytestmark = pytest.mark.every_python


WORK = (
    "compare_runs", "crossval", "evaluate", "export_run", "export_task", "import_run", "make_records",
    "plot", "publish", "rescore", "retrieve", "split", "train", "write_report",
)  # fmt: skip
"""What a command does, as a function."""
PARTS = {
    "build_prompt", "calibration_of", "compare", "parse", "read_questions", "read_stored_run", "summarise",
    "write_questions",
}  # fmt: skip
"""What such work is made of."""


def test_the_public_names_are_sorted_there_and_few() -> None:
    # Ruff's sort (RUF022): classes, then functions.
    assert lawqa.__all__ == sorted(lawqa.__all__, key=lambda name: (name[0].islower(), name))
    # A function for each step of the work and what it is given; parts of these are in the packages.
    assert len(lawqa.__all__) <= 33
    assert {*WORK} <= {*lawqa.__all__}
    for name in lawqa.__all__:
        found = getattr(lawqa, name)
        assert found.__name__ == name
        assert found.__doc__
    assert set(lawqa.__all__) <= set(dir(lawqa))


def test_every_function_is_work_that_is_described_or_a_part_of_it(checkout: Path) -> None:
    functions = {name for name in lawqa.__all__ if inspect.isfunction(getattr(lawqa, name))}
    assert functions == PARTS | {*WORK}
    described = (checkout / "docs" / "python.md").read_text(encoding="utf-8")
    assert [name for name in WORK if name not in described] == []


def test_type_checkers_see_the_names_that_are_offered(checkout: Path) -> None:
    tree = ast.parse((checkout / "lawqa" / "__init__.py").read_text(encoding="utf-8"))
    seen = {
        alias.asname or alias.name
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for one in block.body
        if isinstance(one, ast.ImportFrom)
        for alias in one.names
    }
    assert seen == {*lawqa.__all__}


def test_a_name_that_is_not_there_is_said() -> None:
    with pytest.raises(AttributeError, match="module 'lawqa' has no attribute 'train_qwen'"):
        lawqa.train_qwen  # noqa: B018


def test_a_training_is_one_call_and_says_what_is_missing(tmp_path: Path) -> None:
    run = lawqa.TrainingRun(train_file=tmp_path / "none.jsonl", output_dir=tmp_path / "a")
    with pytest.raises(lawqa.LawqaError, match=r"none\.jsonl: no such file"):
        lawqa.train(run)
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize("name", WORK)
def test_the_example_in_the_docstring_of_a_function_is_true(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    function = getattr(lawqa, name)
    (example,) = doctest.DocTestFinder().find(function, name, globs={})
    assert example.examples, f"{name} has no example"
    ran = doctest.DocTestRunner().run(example)
    assert (ran.failed, ran.attempted) == (0, len(example.examples))


def packages() -> list[str]:
    return [
        module.name for module in pkgutil.walk_packages(lawqa.__path__, "lawqa.") if module.ispkg
    ]


def test_nothing_public_is_named_like_a_package() -> None:
    """`from lawqa import records` must not give now a function, now a package, by who imported first."""
    pytest.importorskip("torch", reason="some packages import it")
    pytest.importorskip("transformers", reason="some packages import it")
    known = packages()
    assert len(known) > 40
    own = [f"lawqa.{name}" for name in lawqa.__all__ if f"lawqa.{name}" in known]
    for package in known:
        offered = getattr(import_module(package), "__all__", ())
        own += [f"{package}.{name}" for name in offered if f"{package}.{name}" in known]
    assert own == []
    assert not {name.rpartition(".")[2] for name in known} & {*lawqa.__all__}


MISTAKES: dict[str, list[tuple[Callable[[], object], str]]] = {
    "compare_runs": [
        (lambda: lawqa.compare_runs("none", "other"), "none: no such file"),
        (lambda: lawqa.compare_runs("none", []), "only one run was given"),
        (lambda: lawqa.compare_runs("none", "b", by="mean"), "compare_runs: by is 'mean'"),  # type: ignore[arg-type]
    ],
    "crossval": [
        (lambda: lawqa.crossval(lawqa.CrossvalConfig(input="q", output_dir="cv")), "q: is missing"),  # type: ignore[arg-type]
        (lambda: lawqa.crossval(None), "crossval: config is None"),  # type: ignore[arg-type]
    ],
    "evaluate": [
        (lambda: lawqa.evaluate(lawqa.EvaluationConfig("q.json")), "q.json: no such file"),  # type: ignore[arg-type]
        (lambda: lawqa.evaluate("q.json"), "evaluate: config is 'q.json', expected an EvaluationConfig"),  # type: ignore[arg-type]
    ],
    "export_run": [
        (lambda: lawqa.export_run("none", "csv", "a.csv"), "none: no such file"),
        (lambda: lawqa.export_run("none", "csv", "a.txt"), "the name ends in .txt, expected .csv"),
        (lambda: lawqa.export_run("none", "xlsx", "a.xlsx"), "export_run: format is 'xlsx'"),  # type: ignore[arg-type]
    ],
    "export_task": [
        (lambda: lawqa.export_task("t", prompt="none"), "--prompt none: no such wording"),
        (lambda: lawqa.export_task("t", condition="rag"), "a task of lm-eval has no retriever"),
        (lambda: lawqa.export_task("t", data="q.json"), "q.json: no such file"),
    ],
    "import_run": [
        (lambda: lawqa.import_run("none.jsonl", "run"), "none.jsonl: no such file"),
        (lambda: lawqa.import_run("none.eval", "run"), "none.eval: no such file"),
        (lambda: lawqa.import_run("none.csv", "run"), "the name ends in .csv, expected .jsonl"),
        (lambda: lawqa.import_run("results_1.json", "run"), "holds lm-eval's figures, not its answers"),
    ],
    "make_records": [
        (lambda: lawqa.make_records("q.json", "r.jsonl"), "q.json: no such file"),
        (lambda: lawqa.make_records("q.json", "r.jsonl", condition="rag"), "rag needs an index"),
        (
            lambda: lawqa.make_records(
                "q.json", "r.jsonl", condition="rag", rag=lawqa.RagConfig.from_index("index")
            ),
            "rag names no tokenizer",
        ),
        (lambda: lawqa.make_records("q.json", "r.jsonl", mix={}), "mix is empty"),
        (lambda: lawqa.make_records("q.json", "r.jsonl", mix={"gold": 0}), "mix['gold'] is 0"),
        (lambda: lawqa.make_records("q.json", "r.jsonl", samples="3"), "make_records: samples is '3'"),  # type: ignore[arg-type]
    ],
    "plot": [
        (lambda: lawqa.plot([], "accuracy"), "no run was given"),
        (lambda: lawqa.plot("none", "accuracy"), "none: no such file"),
        (lambda: lawqa.plot("none", "loss"), "none: no such directory"),
        (lambda: lawqa.plot(["a", "b"], "loss"), "loss is drawn of one training; 2 were given"),
        (lambda: lawqa.plot("none", "bars"), "plot: what is 'bars', expected 'accuracy', 'difference'"),  # type: ignore[arg-type]
    ],
    "publish": [
        (lambda: lawqa.publish("none", "out"), "none: is neither an adapter of lawqa nor a model"),
        (lambda: lawqa.publish(3, "out"), "publish: directory is 3"),  # type: ignore[arg-type]
    ],
    "rescore": [
        (lambda: lawqa.rescore("none"), "none: no such file"),
        (lambda: lawqa.rescore(3), "rescore: run is 3"),  # type: ignore[arg-type]
    ],
    "retrieve": [
        (lambda: lawqa.retrieve("民法", "none"), "none: holds no index"),
        (lambda: lawqa.retrieve("  ", "none"), "nothing to look for"),
        (lambda: lawqa.retrieve("民法", "none", choices="abcd"), "choices is 'abcd', expected a list"),
        (lambda: lawqa.retrieve("民法", "none", as_of="today"), "--as-of is 'today'"),
    ],
    "split": [
        (lambda: lawqa.split("q.json", "parts"), "q.json: no such file"),
        (lambda: lawqa.split("q.json", "parts", folds=5), "--folds says nothing to --scheme holdout"),
        (lambda: lawqa.split("", "parts"), "split: data is '', expected a path"),
    ],
    "train": [
        (lambda: lawqa.train(lawqa.TrainingRun(train_file="r", output_dir="a")), "r: no such file"),  # type: ignore[arg-type]
        (lambda: lawqa.train({}), "train: run is {}, expected a TrainingRun"),  # type: ignore[arg-type]
    ],
    "write_report": [
        (lambda: lawqa.write_report("none"), "none: no such file"),
        (lambda: lawqa.write_report([]), "no run was given"),
        (lambda: lawqa.write_report("none", "page.pdf"), "the name ends in .pdf"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("call", "said"),
    [
        pytest.param(*case, id=f"{name}-{n}")
        for name, cases in MISTAKES.items()
        for n, case in enumerate(cases)
    ],
)
def test_a_mistake_is_reported_with_a_hint_and_leaves_nothing(
    call: Callable[[], object], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    with pytest.raises(lawqa.LawqaError) as refused:
        call()
    assert said in refused.value.message
    assert refused.value.hint
    assert [*tmp_path.iterdir()] == []
    assert capfd.readouterr() == ("", "")


def test_contexts_are_counted_by_the_model_that_reads_them() -> None:
    rag = lawqa.RagConfig.from_index("index", top_k=3)
    config = lawqa.CrossvalConfig(input="q", output_dir="cv", rag=rag, model_name="m", revision="r")  # type: ignore[arg-type]
    assert config.rag is not None
    assert (config.rag.tokenizer, config.rag.revision, config.rag.top_k) == ("m", "r", 3)
    named = lawqa.RagConfig.from_index("index", tokenizer=Path("other"))
    assert named.counted_by("m", None).tokenizer == "other"


def test_every_function_that_does_work_has_its_mistakes_tried() -> None:
    assert sorted(MISTAKES) == sorted(WORK)


DEFAULTS = {
    "compare_runs": ("lawqa.cli.results.compare", "Compare"),
    "export_run": ("lawqa.cli.results.export", "Export"),
    "export_task": ("lawqa.cli.results.export", "Export"),
    "import_run": ("lawqa.cli.results.import_", "Import"),
    "make_records": ("lawqa.cli.training.records", "Records"),
    "publish": ("lawqa.cli.training.publish", "Publish"),
    "retrieve": ("lawqa.cli.law.index", "Search"),
    "split": ("lawqa.cli.questions.split", "SplitCommand"),
    "write_report": ("lawqa.cli.results.report", "ReportCommand"),
    "rescore": ("lawqa.cli.results.rescore", "Rescore"),
}


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_those_of_the_command(name: str) -> None:
    module, command = DEFAULTS[name]
    flags = {field.name: field.default for field in fields(getattr(import_module(module), command))}
    given = {
        name: parameter.default
        for name, parameter in inspect.signature(getattr(lawqa, name)).parameters.items()
        if parameter.default is not inspect.Parameter.empty and name in flags
    }
    # The command has a mode of its own for "not given", and a file name that is a path.
    resolved = {"mode": "direct", "output": "report.html"}
    assert {key: resolved.get(key, flags[key]) for key in given} == given
    assert given


@pytest.mark.slow
def test_paths_may_be_texts_or_objects_relative_ones_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib", reason="the report needs lawqa[report]")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "script.json").write_text('{"*": "最終回答：a"}', encoding="utf-8")
    for path in (str, Path):
        home = tmp_path / path.__name__
        lawqa.write_questions(path(f"{path.__name__}.json"), embedded_questions()[:12])
        data = path(f"{path.__name__}.json")
        assert len(lawqa.read_questions(data)) == 12
        parts = lawqa.split(data, path(home / "split"), test_size=4)
        made = lawqa.make_records(path(parts.paths["train"]), path(home / "train.jsonl"))
        assert made.total == len(parts.parts["train"])
        runs = [path(f"{path.__name__}/one"), path(f"{path.__name__}/two")]
        for run in runs:
            lawqa.evaluate(
                lawqa.EvaluationConfig(
                    path(parts.paths["test"]),  # type: ignore[arg-type]
                    lawqa.PromptSpec("cot"), backend="scripted",
                    script=path("script.json"), run_dir=run,  # type: ignore[arg-type]
                )
            )  # fmt: skip
        assert lawqa.compare_runs(runs[0], runs[1]).base == "one"
        assert [*lawqa.compare_runs(runs[0], runs[1:]).comparisons] == ["two"]
        assert lawqa.rescore(runs[0], write=True).path == Path(runs[0]) / "rescored.json"
        report = lawqa.write_report(runs, path(home / "report.md"), base=runs[0], data=data)
        assert report.path.stat().st_size == report.size
        assert lawqa.write_report(runs[0], path(home / "one.html")).path.is_file()
        assert lawqa.read_stored_run(runs[0]).path == Path(runs[0])
    assert capfd.readouterr() == ("", "")


def imported_by(code: str) -> set[str]:
    code += "\nimport sys; print(*sorted({m.split('.')[0] for m in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return set(done.stdout.split())


@pytest.mark.slow
def test_importing_all_of_it_brings_no_torch_and_importing_lawqa_nothing() -> None:
    heavy = {"torch", "transformers", "peft", "bitsandbytes"}
    assert not imported_by("from lawqa import *") & heavy
    assert not imported_by("import lawqa") & {*heavy, "numpy", "scipy", "tqdm", "tyro"}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["README.md", "README.ja.md"])
def test_the_example_of_the_readme_runs_and_prints_what_it_says(
    checkout: Path, tmp_path: Path, name: str
) -> None:
    text = (checkout / name).read_text(encoding="utf-8")
    found = re.search(r"<!-- example -->\n```python\n(.*?)```\n+```text\n(.*?)```", text, re.DOTALL)
    assert found, f"{name} has no example between <!-- example --> and its output"
    done = subprocess.run(  # noqa: S603 - the README's words
        [sys.executable, "-c", found[1]], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert (done.stdout, done.stderr) == (found[2], "")


@pytest.fixture
def workplace(tmp_path: Path, tiny_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with questions, a toy model and an index of their contexts, as the documents have it."""
    pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")
    from lawqa.pipelines.corpus.indexes.building import IndexConfig, build_index
    from lawqa.statutes.articles import Article, Paragraph, write_articles

    monkeypatch.chdir(tmp_path)
    lawqa.write_questions("selection.json", embedded_questions()[:12])
    (tmp_path / "model").symlink_to(tiny_dir)
    contexts = dict.fromkeys(question.context for question in embedded_questions()[:12])
    write_articles(
        tmp_path / "articles.jsonl",
        [
            Article(f"law/{n}", "law", "試験法", "", "", "main", str(n), "", (Paragraph(1, text),))
            for n, text in enumerate(contexts, start=1)
        ],
    )
    build_index(
        IndexConfig(articles=tmp_path / "articles.jsonl", output_dir=tmp_path / "index", quiet=True)
    )
    return tmp_path


JOB = r"<!-- job -->\n```python\n(.*?)```"


def test_both_readmes_show_the_same_job(checkout: Path) -> None:
    texts = [
        (checkout / name).read_text(encoding="utf-8") for name in ("README.md", "README.ja.md")
    ]
    one, other = (re.findall(JOB, text, re.DOTALL) for text in texts)
    assert len(one) == 1
    assert one == other


@pytest.mark.torch
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "blocks", "lines"),
    # Two runs are compared with the base, and three articles are found.
    [("README.md", JOB, 1), ("docs/python.md", r"```python\n(.*?)```", 12)],
)
def test_the_whole_job_of_the_documents_runs_and_prints_nothing_unasked(
    name: str, blocks: str, lines: int, checkout: Path, workplace: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    text = (checkout / name).read_text(encoding="utf-8")
    names: dict[str, object] = {}
    for block in re.findall(blocks, text, re.DOTALL):
        exec(compile(block, name, "exec"), names)  # noqa: S102 - our own document
    made = {path.name for path in workplace.iterdir()}
    assert {"adapter", "split", "runs", "report.html", "train.jsonl"} <= made
    printed = capfd.readouterr()
    assert (len(printed.out.splitlines()), printed.err) == (lines, "")
