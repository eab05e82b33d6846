"""Files that mean no good, and those that chance wrote: every reader reads them or says what is wrong."""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lawqa.answers import parse
from lawqa.backends.scripted import ScriptedBackend
from lawqa.cli import main
from lawqa.commands.source import read_source
from lawqa.errors import BackendError, DataError, LawqaError
from lawqa.files import parse_json, read_text
from lawqa.pipelines.adapters.manifest import AdapterManifest
from lawqa.questions import read_questions, write_questions
from lawqa.records import load_records
from lawqa.runs.result_log import read_results
from lawqa.runs.stored import read_stored_run
from lawqa.runs.upkeep.find import read_run
from lawqa.scoring import summarise
from lawqa.statutes.articles import read_articles
from lawqa.statutes.egov.files import LawStore, choose_revisions
from lawqa.statutes.egov.law_xml import LawName, parse_law

pytestmark = pytest.mark.rough

SAMPLE = {
    "ファイル名": "民法_1", "コンテキスト": "第一条", "問題文": "どれですか。", "指示": "a から d で答えよ。",
    "選択肢": "a 一\nb 二\nc 三\nd 四", "output": "b", "references": [],
}  # fmt: skip


def as_run(path: Path) -> None:
    """The file as the results of a run, and as its manifest."""
    directory = path.parent / "run"
    directory.mkdir(exist_ok=True)
    (directory / "manifest.json").write_bytes(path.read_bytes())
    (directory / "results.jsonl").write_bytes(path.read_bytes())
    read_run(directory)
    read_stored_run(directory)


def as_adapter(path: Path) -> None:
    (path.parent / "adapter_config.json").write_text('{"peft_type": "LORA"}', encoding="utf-8")
    (path.parent / "adapter_model.safetensors").touch()
    (path.parent / "manifest.json").write_bytes(path.read_bytes())
    AdapterManifest.read(path.parent)


def as_adapter_config(path: Path) -> None:
    (path.parent / "adapter_config.json").write_bytes(path.read_bytes())
    (path.parent / "adapter_model.safetensors").touch()
    AdapterManifest.read(path.parent)


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "questions": ("q.json", read_questions),
    "question lines": ("q.jsonl", read_questions),
    "records": ("r.jsonl", load_records),
    "articles": ("a.jsonl", lambda path: list(read_articles(path))),
    "run file": ("o.json", read_stored_run),
    "run": ("x.jsonl", as_run),
    "results": ("results.jsonl", lambda path: read_results(path.parent)),
    "script": ("s.json", ScriptedBackend.from_file),
    "adapter": ("m.json", as_adapter),
    "adapter config": ("ac.json", as_adapter_config),
    "statute": ("l.xml", lambda path: parse_law(path.read_bytes(), LawName("l"))),
    "statutes": ("l.zip", lambda path: [f.list() for f in [LawStore(path)]]),
    "commands": ("c.toml", lambda path: read_source(read_text(path), path.name)),
}


@pytest.fixture(params=READERS, scope="module")
def reader(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Writes bytes into a file of the reader's kind and reads it: what it gave, or what it refused with."""
    name, read = READERS[request.param]
    path = tmp_path_factory.mktemp("hostile") / name

    def of(content: bytes) -> object:
        path.write_bytes(content)
        try:
            return read(path)
        except LawqaError as problem:
            if not problem.message:
                raise AssertionError("an error without a word") from None
            return problem

    return of


def one(**fields: object) -> bytes:
    return json.dumps([{**SAMPLE, **fields}], ensure_ascii=False).encode()


HOSTILE = {
    "empty": b"",
    "nul": b"\0",
    "nul bytes": b"\0" * 4096,
    "nul inside": b'[{"a": "\0"}]',
    "deep lists": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "deep and closed": b"[" * 100_000 + b"]" * 100_000,
    "huge integer": b'[{"a": ' + b"9" * 100_000 + b"}]",
    "huge integer line": b"9" * 100_000 + b"\n",
    "huge exponent": b'{"schema_version": 1e999999, "results": [1e999999]}',
    "nan": b'{"results": [{"order": NaN}], "schema_version": NaN}',
    "duplicate keys": b'{"samples": [], "samples": [], "results": [], "results": []}',
    "half a surrogate": b'{"samples": "\\ud800", "messages": "\\udfff", "results": ["\\ud800"]}',
    "utf-16": json.dumps([SAMPLE]).encode("utf-16"),
    "utf-16 without a mark": json.dumps([SAMPLE]).encode("utf-16-le"),
    "utf-32": json.dumps([SAMPLE]).encode("utf-32"),
    "cp932": json.dumps([SAMPLE], ensure_ascii=False).encode("cp932"),
    "two marks": b"\xef\xbb\xbf\xef\xbb\xbf[]",
    "null": b"null\n",
    "true": b"true\n",
    "text": b'"text"\n',
    "number": b"1\n",
    "list of null": b"[null]\n",
    "object of null": b'{"samples": null, "results": null, "schema_version": null}\n',
    "results of null": b'{"results": [null], "schema_version": 1}\n',
    "xml bomb": b'<!DOCTYPE l [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><Law>&b;</Law>',
    "xml entity": b'<!DOCTYPE l [<!ENTITY a SYSTEM "file:///etc/passwd">]><Law>&a;</Law>',
    "deep xml": b"<a>" * 50_000,
    "zip head": b"PK\x03\x04" + b"\0" * 100,
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_every_reader_reads_it_or_says_what_is_wrong(reader: Any, content: bytes) -> None:
    reader(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
    ),
    max_leaves=12,
)
KEYS = (
    *SAMPLE, "回答オーダーマップ番号", "samples", "results", "schema_version", "messages", "answer",
    "question_id", "order", "prompt_spec", "prompt_hash", "fingerprint", "source", "origin", "input",
    "output", "file_name",
    "correct_answer", "predicted_answer", "response", "choices", "permutation", "label_logprobs", "repeat",
    "answer_by", "outcome", "hit_limit", "kind", "status", "data", "config", "notes", "model", "questions",
    "prompt_specs", "summary", "id", "law_id", "law_title", "paragraphs", "num", "text", "*", "logprobs",
)  # fmt: skip
words = st.sampled_from(
    ["a", "b", "1", "cot-closed-v1", "direct-closed-v1", "民法_1", "a 一\nb 二\nc 三\nd 四", "user",
     "correct", "failed", "logits", "generate", "evaluate", "train", "done", "running", "main",
     "\u202e", "\ud800", "\0"]
)  # fmt: skip
plain = words | st.sampled_from(
    [None, True, 0, 1, -1, 2**70, 1.5, [0, 1, 2, 3], [-1.0] * 4, [], {}]
)
shaped = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=12)
    ),
    max_leaves=30,
)


@given(st.binary(max_size=300))
def test_bytes_that_chance_wrote(reader: Any, content: bytes) -> None:
    reader(content)


@given(json_values)
def test_json_that_chance_wrote(reader: Any, value: object) -> None:
    reader(json.dumps(value).encode())


@given(st.lists(shaped, min_size=1, max_size=3))
def test_json_of_the_keys_that_readers_know(reader: Any, values: list[object]) -> None:
    reader(json.dumps(values[0]).encode())
    reader(b"".join(json.dumps(value).encode() + b"\n" for value in values))


MANIFEST = {
    "schema_version": 1, "kind": "evaluate", "status": "done", "notes": [], "started": "2026-01-01T00:00:00",
    "data": {"path": "q.json", "sha256": "0", "questions": 1}, "config": {"ensemble": 1}, "argv": ["lawqa"],
    "model": {"name": "m", "backend": "hf", "quantisation": None}, "prompt_specs": {"direct-closed-v1": "0"},
    "questions": [{"id": "民法_1", "order": 1, "fingerprint": "0"}], "adapter": None,
    "figures": {"seconds": 1}, "environment": {"lawqa": "0.1.0"},
}  # fmt: skip
ROW = {
    "question": "どれですか。", "choices": SAMPLE["選択肢"], "correct_answer": "b", "predicted_answer": "b",
    "is_correct": True, "response": "最終回答\uff1ab", "retrieved_docs_count": 0, "file_name": "民法_1",
    "references": [], "schema_version": 1, "order": 1, "repeat": 0, "permutation": [0, 1, 2, 3],
    "law": "民法", "prompt_spec": "direct-closed-v1", "answer_by": "generate",
    "outcome": "correct", "status": "answered",
    "rule": "final", "span": [0, 5], "label_logprobs": None, "label_mass": None, "hit_limit": False,
    "stopped": "end", "thinking_closed": False, "completion_tokens": 3, "prompt": "p", "prompt_tokens": 1,
    "seconds": 0.1, "error": None,
}  # fmt: skip


@given(st.sampled_from(["manifest", "row"]), st.data(), plain | json_values | st.just(...))
def test_a_run_with_one_odd_field(
    tmp_path_factory: Any, where: str, data: st.DataObject, value: object
) -> None:
    whole = MANIFEST if where == "manifest" else ROW
    key = data.draw(st.sampled_from(sorted(whole)))
    odd = {name: found for name, found in {**whole, key: value}.items() if found is not ...}
    run = tmp_path_factory.mktemp("one") / "run"
    run.mkdir()
    manifest, row = (odd, ROW) if where == "manifest" else (MANIFEST, odd)
    (run / "manifest.json").write_bytes(json.dumps(manifest).encode())
    (run / "results.jsonl").write_bytes(json.dumps(row).encode() + b"\n")
    for read in (read_run, lambda run: summarise(read_stored_run(run).answers())):
        with contextlib.suppress(LawqaError):
            read(run)


@given(st.sampled_from([*SAMPLE, "回答オーダーマップ番号"]), plain | json_values)
@example("回答オーダーマップ番号", "9" * 5000)
def test_a_question_with_one_odd_field(tmp_path_factory: Any, key: str, value: object) -> None:
    path = tmp_path_factory.mktemp("one") / "q.json"
    path.write_bytes(json.dumps([{**SAMPLE, key: value}]).encode())
    try:
        found = read_questions(path)
    except DataError:
        return
    write_questions(path, found)
    assert read_questions(path) == found


# --- what must come out


def test_ten_megabytes_in_a_field_are_read(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    long = "第一条 期間の初日は、算入しない。" * 300_000
    path.write_bytes(one(コンテキスト=long))
    (found,) = read_questions(path)
    assert len(found.context) == len(long) > 5_000_000


def test_ten_megabytes_of_a_models_text_are_parsed() -> None:
    text = "理由を述べる。選択肢 a は誤り。" * 500_000 + "\n最終回答\uff1ab"
    assert parse(text).label == "b"


@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_line_ends_of_other_systems_change_no_question(tmp_path: Path, ending: str) -> None:
    path = tmp_path / "q.json"
    text = json.dumps([SAMPLE], ensure_ascii=False, indent=1)
    path.write_bytes(text.encode())
    expected = read_questions(path)
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", ending).encode())
    assert read_questions(path) == expected
    if ending == "\r\n":
        path = tmp_path / "q.jsonl"
        path.write_bytes((json.dumps(SAMPLE, ensure_ascii=False) + ending).encode())
        assert read_questions(path) == expected


def test_two_answers_in_one_question_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text(json.dumps([SAMPLE])[:-2] + ', "output": "c"}]', encoding="utf-8")
    with pytest.raises(DataError, match="key 'output' occurs more than once"):
        read_questions(path)


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", '{"a": -Infinity}'])
def test_what_is_no_json_number_is_refused(text: str) -> None:
    with pytest.raises(DataError, match="is not a JSON number"):
        parse_json(text, Path("x.json"))


def test_utf_16_comes_with_the_command_that_mends_it(tmp_path: Path) -> None:
    path = tmp_path / "q.json"
    path.write_text("[]", encoding="utf-16")
    with pytest.raises(DataError) as caught:
        read_questions(path)
    assert "iconv -f utf-16 " in caught.value.hint


def test_no_file_moves_the_terminals_cursor_or_turns_its_writing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "q.json"
    path.write_bytes(one(ファイル名="民法\x1b[2J\u202e_1\u2066", output="x"))
    assert main(["data", "check", str(path)]) == 2
    err = capsys.readouterr().err
    assert "民法\\u001b[2J\\u202e_1\\u2066" in err
    assert not set(err) & set("\x1b\u202e\u2066")


def test_members_of_a_zip_that_lead_outside_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "laws.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in (
            "../../evil.xml",
            "/etc/evil.xml",
            "a/../../evil.xml",
            "C:\\evil.xml",
            "good.xml",
        ):
            archive.writestr(name, "<Law/>")
    with LawStore(path) as store:
        files, refused = store.list()
        assert [file.path for file in files] == ["good.xml"]
        assert len(refused) == 4
        assert choose_revisions(files, date(2026, 1, 1)).files == files
    assert sorted(path.name for path in tmp_path.iterdir()) == ["laws.zip"]


def test_a_pickled_adapter_is_refused_unread(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}", encoding="utf-8")
    # What a pickle that is loaded would do: make a file.
    (tmp_path / "adapter_model.bin").write_bytes(
        b"cos\nmkdir\n(S'%s'\ntR." % bytes(tmp_path / "evil")
    )
    with pytest.raises(BackendError, match="is a pickle, which can run any code"):
        AdapterManifest.read(tmp_path)
    assert not (tmp_path / "evil").exists()


def test_a_models_text_reaches_no_path_and_no_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedded_file: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    evil = "{{ 7*7 }}{% raw %}../../x $(touch hacked) `touch hacked` <script>alert(1)</script> %s {0} \x1b[2J"
    (tmp_path / "s.json").write_text(
        json.dumps({"*": f"{evil}\n最終回答\uff1ac"}), encoding="utf-8"
    )
    flags = ["--llm-backend", "scripted", "--script", "s.json", "--answer-by", "generate"]
    assert main(["evaluate", "--data", str(embedded_file), *flags, "--run-dir", "r"]) == 0
    pytest.importorskip("jinja2", reason="the report needs lawqa[report]")
    assert main(["report", "r", "-o", "report.md"]) == 0
    rows = (tmp_path / "r" / "results.jsonl").read_text(encoding="utf-8").splitlines()
    assert all(json.loads(row)["response"].startswith(evil) for row in rows)
    assert {path.name for path in tmp_path.iterdir()} == {"r", "s.json", "report.md"}
