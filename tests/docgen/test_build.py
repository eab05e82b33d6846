"""The committed documents are what is generated; what they show runs."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from lawqa.cli import main
from lawqa.cli.lab.docs import parse_or_refuse
from lawqa.commands.expand import render_command
from lawqa.commands.policy import check_policy
from lawqa.commands.source import packaged_source, read_source
from lawqa.docgen import shown_commands, verify_text
from lawqa.docgen.build import generate
from lawqa.docgen.context import NOTICE, Interface
from lawqa.docgen.verify import check_registered
from lawqa.errors import ConfigError, PolicyError

STEP_I = "docs/heart01/StepI_A100_Qwen3_8B_本番学習指示.md"
STEP_J = "docs/heart01/StepJ_A100_Qwen3_8B_評価指示.md"
STEP_K = "docs/heart01/StepK_A100_Qwen3_8B_追加実験指示.md"
STEP_L = "docs/heart01/StepL_A100_Qwen3_8B_学習レシピ指示.md"
COMMON = "docs/heart01/共通_決まりと読み方.md"
APPENDIX = "docs/heart01/付録_手で打つ手順.md"
LOCAL = "docs/local/開発とデバッグ_3080.md"
HEART01 = (STEP_I, STEP_J, STEP_K, STEP_L, COMMON, APPENDIX)
PLACES = {
    **dict.fromkeys(HEART01, "heart01"),
    LOCAL: "local-3080",
    "docs/local/Ollamaベースライン_3080.md": "local-3080",
    "docs/lawqa_toml.md": "any",
    "README.md": "any",
    "README.ja.md": "any",
}


@pytest.mark.slow
def test_every_document_is_there_and_says_that_it_is_generated(
    generated: dict[Path, str], checkout: Path
) -> None:
    names = {str(path.relative_to(checkout)): text for path, text in generated.items()}
    assert set(PLACES) < set(names)
    declared = {document.file for document in packaged_source().documents}
    assert len(declared) >= 10
    assert declared < set(names)
    documents = {name: text for name, text in names.items() if name.startswith("docs/")}
    for name, text in documents.items():
        assert text.startswith(f"<!-- {NOTICE} -->\n"), name
        assert "Qwen3-8B" in text, f"{name} does not say which model belongs where"
        assert "【記入】" not in text or name.startswith(
            ("docs/logs/", "docs/heart01", "docs/local", "docs/cli")
        )


@pytest.mark.slow
def test_what_pip_installs_on_heart01_is_the_tested_set_and_its_torch(
    generated: dict[Path, str], checkout: Path
) -> None:
    lines = generated[checkout / "requirements-heart01.txt"].splitlines()
    torch = packaged_source().place("heart01").variables["torch"]
    assert lines[2:] == ["-c constraints.txt", torch, "-e .[all]"]
    assert all(line.startswith("# ") for line in lines[:2])


@pytest.mark.slow
def test_two_builds_say_the_same(generated: dict[Path, str], checkout: Path) -> None:
    from lawqa.cli.lab.docs import interface

    assert generate(checkout, interface()) == generated


@pytest.mark.parametrize("name", PLACES)
def test_every_shown_command_parses_and_is_allowed(checkout: Path, name: str) -> None:
    text = (checkout / name).read_text(encoding="utf-8")
    place = packaged_source().place(PLACES[name])
    shown = list(shown_commands(text))
    for command in shown:
        check_policy(place, command.argv, command.env, name=command.line)
        if command.argv[0] == "lawqa" and command.argv != ("lawqa", "--version"):
            parse_or_refuse(command.argv[1:])
    assert len(shown) >= {STEP_I: 14, STEP_J: 5, STEP_K: 24, STEP_L: 17, APPENDIX: 18}.get(name, 0)


def test_every_command_of_heart01_is_shown_as_it_is_and_in_no_document_twice(
    checkout: Path,
) -> None:
    texts = [(checkout / name).read_text(encoding="utf-8") for name in HEART01]
    text = "".join(texts)
    source = packaged_source()
    commands = source.at("heart01", "setup", "StepI", "StepJ", "StepK", "StepL")
    assert len(commands) > 60
    for command in commands:
        rendered = render_command(command, source.place("heart01"))
        shown_in = [one.count(f"打つ：\n\n```bash\n{rendered.shell}\n```") for one in texts]
        assert max(shown_in) == 1, command.id
        assert rendered.purpose_ja in text
        assert rendered.check_ja in text
        assert command.duration_ja in text
        for failure in command.failures:
            assert source.failures[failure].do_ja in text
        shown = [shown.argv for shown in shown_commands(f"```bash\n{rendered.shell}\n```")]
        assert shown == [rendered.argv]


def test_the_way_of_one_line_is_short(checkout: Path) -> None:
    text = (checkout / STEP_I).read_text(encoding="utf-8")
    assert len(text) < 9_000
    assert len(re.findall(r"^### \d", text, re.MULTILINE)) <= 20
    assert "```bash\nnohup make train-heart01 > train-heart01.log 2>&1 &\n```" in text


def test_the_development_machine_does_its_steps_in_the_order_that_works(checkout: Path) -> None:
    text = (checkout / LOCAL).read_text(encoding="utf-8")
    order = [
        "（`clone`）", "make setup", "lawqa place init local-3080", "（`debug-train`）",
        "（`debug-evaluate-adapter`）", "（`make-test`）", "（`commit`）", "（`push`）",
        "（`fetch-results`）",
    ]  # fmt: skip
    places = [text.index(step) for step in order]
    assert places == sorted(places)


def test_a_reader_of_the_preparations_starts_no_training(checkout: Path) -> None:
    text = (checkout / STEP_I).read_text(encoding="utf-8")
    preparations = text[text.index("\n## 3. ") : text.index("\n## 4. ")]
    programs = [shown.argv[0] for shown in shown_commands(preparations)]
    assert len(programs) > 10
    assert "make" not in programs
    assert "nohup" not in preparations


@pytest.mark.parametrize("name", [name for name in PLACES if name.startswith("docs/")])
def test_no_variable_is_left_in_a_document(checkout: Path, name: str) -> None:
    assert not re.findall(r"\{[a-z0-9_]+\}", (checkout / name).read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_placeholder_is_named_in_the_document_and_in_the_build_until_it_is_set(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document, source = copied / STEP_I, copied / "docs_src" / "commands.toml"
    assert main(["docs", "build", "--root", str(copied)]) == 0
    capsys.readouterr()
    assert "**`REPOSITORY_URL` は、担当者から聞いた値に置き換えて打ちます**" in document.read_text(
        "utf-8"
    )
    assert main(["docs", "build", "--root", str(copied)]) == 0
    said = "note: repository in docs_src/commands.toml is still REPOSITORY_URL"
    assert capsys.readouterr().err.count(said) == 1

    text = source.read_text(encoding="utf-8")
    url = "https://git.example.ac.jp/law/lawqa.git"
    source.write_text(text.replace("REPOSITORY_URL", url), encoding="utf-8")
    assert main(["docs", "build", "--root", str(copied)]) == 0
    assert "note: " not in capsys.readouterr().err
    made = document.read_text(encoding="utf-8")
    assert f"```bash\ngit clone {url} lawqa\n```" in made
    assert "担当者から聞いた" not in made


def test_an_exploration_is_labelled_and_the_main_experiment_too(checkout: Path) -> None:
    source = packaged_source()
    for name in HEART01:
        text = (checkout / name).read_text(encoding="utf-8")
        for section in re.split(r"^### ", text, flags=re.MULTILINE)[1:]:
            found = re.match(r"[^\n]*（`([a-z0-9-]+)`）\n\n([^\n]*)", section)
            if found is None:
                continue
            role = source.command(found[1]).role
            label = {"primary": "**主実験**", "exploration": "**探索**", "support": ""}[role]
            assert found[2].startswith(label), found[1]
            assert label or not found[2].startswith("**")


def test_a_dry_run_prints_what_the_documents_show_byte_for_byte(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = packaged_source()
    for target in ("train-heart01", "eval-heart01"):
        name, ids = APPENDIX, source.targets[target].commands
        assert main(["step", "run", "--dry-run", "--place", "heart01", *ids]) == 0
        printed = capsys.readouterr().out
        text = (checkout / name).read_text(encoding="utf-8")
        start = 0
        for command in ids:
            block = f"（`{command}`）\n"
            shown = re.search(r"```bash\n(.*?)\n```", text[text.index(block) :], re.DOTALL)
            assert shown is not None
            assert printed[start:].startswith(shown[1] + "\n")
            start += len(shown[1]) + 1
        assert start == len(printed)


@pytest.fixture
def copied(checkout: Path, tmp_path: Path) -> Path:
    """What documents are made of and what is made, with the values that a lab sets as we ship them."""
    for folder in ("docs_src", "docs"):
        shutil.copytree(checkout / folder, tmp_path / folder)
    for name in ("README.md", "README.ja.md", "Makefile"):
        shutil.copy(checkout / name, tmp_path / name)
    source = tmp_path / "docs_src" / "commands.toml"
    text = source.read_text(encoding="utf-8")
    for name, shipped in (("repository", "REPOSITORY_URL"), ("test_size", "0.3")):
        text, count = re.subn(
            rf'^{name} = ".*"$', f'{name} = "{shipped}"', text, flags=re.MULTILINE
        )
        assert count == 1, name
    source.write_text(text, encoding="utf-8")
    return tmp_path


@pytest.mark.slow
def test_a_stale_document_fails_the_check_with_a_diff_and_the_cure(
    copied: Path, generated: dict[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["docs", "build", "--root", str(copied)]) == 0
    capsys.readouterr()
    path = copied / APPENDIX
    path.write_text(
        path.read_text(encoding="utf-8").replace("--seed 0", "--seed 7", 1), encoding="utf-8"
    )
    assert main(["docs", "check", "--root", str(copied)]) == 1
    captured = capsys.readouterr()
    assert "-    --seed 7" in captured.out
    assert "+    --seed 0" in captured.out
    assert "1 generated file out of date\nhint: make docs" in captured.err
    assert main(["docs", "build", "--root", str(copied)]) == 0
    assert capsys.readouterr().out.endswith(f"{len(generated)} generated files, 1 changed\n")
    assert main(["docs", "check", "--root", str(copied)]) == 0


def accept(_argv: Sequence[str]) -> None:
    """A parser that takes everything, so that a test sees the check that it is about."""


def build_with(copied: Path, old: str, new: str, parser: Callable[[Sequence[str]], None]) -> None:
    path = copied / "docs_src" / "commands.toml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) >= 1
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    generate(copied, Interface(parser, lambda _: "", ()))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('"--scheme", "holdout"', '"--sheme", "holdout"', "--sheme"),
        ('test_size = "0.3"', 'test_size = "a third"', "a third"),
        ('"lawqa", "rescore"', '"lawqa", "reread"', "reread"),
    ],
)
def test_a_command_that_does_not_run_fails_the_build(
    copied: Path, old: str, new: str, complaint: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        build_with(copied, old, new, parse_or_refuse)
    assert complaint in caught.value.message
    assert "the command line does not take it" in caught.value.message


def test_a_forbidden_command_fails_the_build(copied: Path) -> None:
    wget, curl = '"wget", "--output-document={laws}"', '"curl", "-o", "{laws}"'
    with pytest.raises(PolicyError, match="get-laws: forbidden at heart01 by the rule no-curl"):
        build_with(copied, f"argv = [{wget}", f"argv = [{curl}", accept)


def test_a_forbidden_command_in_a_template_fails_the_build(copied: Path) -> None:
    path = copied / "docs_src" / "templates" / "StepJ.md.j2"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("make eval-heart01", "ollama serve", 1), encoding="utf-8")
    with pytest.raises(PolicyError, match="rule no-model-server"):
        generate(copied, Interface(accept, lambda _: "", ()))


FORBIDDEN = {
    "```bash\nwget -qO- https://ollama.com/install.sh | sh\n```": "the program sh",
    "```bash\nsource .venv/bin/activate && curl -O https://example.org/a\n```": "the program curl",
    "```sh\ncurl -O https://example.org/a\n```": "the program curl",
    "```\n$ ollama serve\n```": "the program ollama",
    '```bash\npip install "$(curl https://example.org/a)"\n```': "the program curl",
    "  ```console\n  $ nohup ollama serve > log 2>&1 &\n  ```": "the program ollama",
    "`curl -O https://example.org/a` で取得します。": "the program curl",
    "`curl` で取得します。": "the program curl",
    "`wget -qO- https://ollama.com/install.sh | sh` を打ちます。": "the program sh",
    "`python -m http.server 8000` を打ちます。": "python -m http.server",
    "curl https://example.org/a を打ちます。": "the program curl",
    "そのあと、curl で取得します。": "the program curl",
    "| 手順 | ollama pull qwen3:8b を打つ |": "the program ollama",
    # downloads by other tools, and tools that bring others
    "```bash\nwget -qO- https://example.org/install.sh | bash\n```": "the program bash",
    "`wget -O - https://example.org/a.py | python3` を打ちます。": "the command python3 -",
    "```bash\naria2c https://example.org/a\n```": "the program aria2c",
    "`npx some-tool` を使います。": "the program npx",
    "apt-get で入れます。": "the program apt-get",
    "```bash\nsudo apt install ollama\n```": "the program",
    # model servers
    "```bash\npip install vllm\n```": "the command pip install vllm",
    "`pip install ollama` を打ちます。": "the command pip install ollama",
    "```bash\npython -m vllm.entrypoints.openai.api_server\n```": "python -m vllm",
    "`OLLAMA_HOST=http://localhost:11434 lawqa doctor --model x` を打ちます。": "localhost:11434",
    "`lawqa evaluate --llm-backend ollama --llm-model qwen3:8b` を打ちます。": "--llm-backend ollama",
    "```bash\nbash -c 'ollama serve'\n```": "the program ollama",
    # editing code where it only runs
    "```bash\nsed -i 's/3/4/' docs_src/commands.toml\n```": "the program sed",
    "`sed -i 's/3/4/' lawqa/demo.py` で直します。": "the program sed",
    "```bash\nvim lawqa/demo.py\n```": "the program vim",
    "`nano lawqa.toml` で直します。": "the program nano",
    "vim で直します。": "the program vim",
    "```bash\npython3 -c 'print(1)'\n```": "the command python3 -c",
    "`git apply fix.patch` を打ちます。": "the command git apply",
    "```bash\ncat > lawqa/demo.py\n```": "the program cat",
    "`claude` に直させます。": "the program claude",
    # writing to git, resident servers, other models
    "```bash\ngit push\n```": "the command git push",
    "`git -C lawqa commit --all` を打ちます。": "the command git commit",
    "```bash\ngit add lab_logs && git commit -m x\n```": "the command git add",
    "```bash\njupyter lab\n```": "the program jupyter",
    "`tensorboard --logdir runs` を打ちます。": "the program tensorboard",
    "```bash\nHF_HOME=hf_home hf download Qwen/Qwen3-4B\n```": "hf download Qwen/Qwen3-4B",
    "`hf download Qwen/Qwen3-14B` を打ちます。": "hf download Qwen/Qwen3-14B",
    "```bash\nlawqa train --train-file t --model-name Qwen/Qwen3-1.7B\n```": "--model-name Qwen/Qwen3-1.7B",
    "```bash\nlawqa evaluate --data q.json\n```": "--llm-backend is not named",
    "```bash\nlawqa evaluate --llm-backend hf --hf-model-name Qwen/Qwen2-7B\n```": "Qwen/Qwen2-7B, expected",
}  # fmt: skip


@pytest.mark.parametrize("text", FORBIDDEN)
def test_a_forbidden_program_is_refused_wherever_a_document_names_it(text: str) -> None:
    source = packaged_source()
    with pytest.raises(PolicyError, match="forbidden at heart01 by the rule") as caught:
        verify_text(source, "heart01", f"# 題\n\n{text}\n", "StepX.md", accept)
    assert FORBIDDEN[text] in caught.value.message
    assert caught.value.message.startswith("StepX.md: ")


@pytest.mark.parametrize(
    "text",
    [
        "curl は使いません（入っていません）。",
        "heart01 has no curl: downloads go by git or wget.",
        "手順 `no-curl` と https://curl.se/docs のページ、`curly` な字。",
        "```text\n$ curl は表示の例\n```",
        "`error: the program curl` と出る",
        "`lawqa doctor | tail -3` を打ちます。",
        "`lawqa evaluate` は、どの問題にも答えさせます。`git pull` で受け取ります。",
        "`python -m tarfile -l lawqa-index.tar.gz` で中身が見えます。",
    ],
)
def test_a_text_that_denies_or_only_resembles_is_no_command(text: str) -> None:
    verify_text(packaged_source(), "heart01", f"# 題\n\n{text}\n", "StepX.md", accept)


def test_a_line_that_no_shell_reads_fails_the_build(copied: Path) -> None:
    path = copied / "docs_src" / "templates" / "StepJ.md.j2"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("make eval-heart01", "make 'eval-heart01", 1), encoding="utf-8")
    with pytest.raises(ConfigError, match="no shell reads this: No closing quotation"):
        generate(copied, Interface(accept, lambda _: "", ()))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{{ place.id }}", "{{ plaice }}", "'plaice' is undefined"),
        ("{{ place.id }}", "{{ place.idd }}", "has no attribute 'idd'"),
        ("{{ place.id }}", "{{ place.id }", "StepJ.md.j2, line 5"),
        ("{{ place.id }}", '{% include "none.j2" %}', "none.j2: there is no such template"),
        ("{{ place.id }}", '{{ value("none") }}', "variable {none} is not defined"),
        ("{{ place.id }}", '{{ one("none").shell }}', "none: no such step"),
    ],
)
def test_what_a_template_gets_wrong_is_said_with_its_name(
    copied: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, said: str
) -> None:
    path = copied / "docs_src" / "templates" / "StepJ.md.j2"
    path.write_text(path.read_text("utf-8").replace(old, new, 1), encoding="utf-8")
    assert main(["docs", "check", "--root", str(copied)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error
    if "undefined" in said or "attribute" in said:
        assert "docs_src/templates/StepJ.md.j2, line 5: " in error


@pytest.mark.slow
def test_a_number_that_a_text_repeats_agrees_with_its_variable(copied: Path) -> None:
    path = copied / "docs_src" / "templates" / "StepJ.md.j2"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("## 1. 目的", "## 1. 目的\n\ntest（28 問）を見ます。", 1), "utf-8")
    with pytest.raises(ConfigError, match=r"says 'test（28 問）', but n_test is 42"):
        generate(copied, Interface(accept, lambda _: "", ()))
    # The same text is right where the split is another.
    build_with(copied, 'test_size = "0.3"', 'test_size = "0.2"', accept)


EXPERIMENT = packaged_source().experiment


def registered(source_text: str, change: Callable[[str], str]) -> None:
    """Read a changed declaration and compare its experiment with what was registered."""
    changed = change(source_text)
    assert changed != source_text
    check_registered(read_source(changed, "commands.toml"))


@pytest.mark.parametrize("name", EXPERIMENT.variables)
def test_each_value_fixed_beforehand_changes_only_with_the_experiments_id(
    checkout: Path, name: str
) -> None:
    text = (checkout / "docs_src" / "commands.toml").read_text(encoding="utf-8")
    before = packaged_source().place("heart01").variables[name]
    line = f'\n{name} = "{before}"\n'
    if name == "model":  # the place's own
        line += 'hf_home = "hf_home"\n'
    assert line in text
    with pytest.raises(ConfigError) as caught:
        registered(text, lambda old: old.replace(line, line.replace(before, "another"), 1))
    said = f"{EXPERIMENT.id}: {name} is another, but was registered as {before}"
    assert said in caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('mode = "thinking"\ndecides', 'mode = "cot"\ndecides', "mode is cot"),
        ('"compare", "{work}/l', '"compare", "--json", "{work}/l', "argv of compare-thinking"),
        (', "--learn-from", "{learn_from}", "--samp', ', "--samp', "argv of crossval-thinking is"),
        ('"{seed}", "--run-dir"', '"{folds_of}", "--run-dir"', "base-thinking uses {folds_of}"),
        (f'id = "{EXPERIMENT.id}"', 'id = "e-2"', "e-2: what is fixed before it is run is not registered"),
        ('"votes", "thinking_budget"', '"thinking_budget"', "uses {votes}, which is not fixed"),
    ],
)  # fmt: skip
def test_what_decides_is_fixed_down_to_its_flags(
    checkout: Path, old: str, new: str, complaint: str
) -> None:
    text = (checkout / "docs_src" / "commands.toml").read_text(encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        registered(text, lambda before: before.replace(old, new))
    assert complaint in caught.value.message


def test_another_value_under_another_id_is_another_experiment(checkout: Path) -> None:
    text = (checkout / "docs_src" / "commands.toml").read_text(encoding="utf-8")
    changed = text.replace(f'id = "{EXPERIMENT.id}"', 'id = "e-2"').replace(
        'epochs = "3"\n', 'epochs = "4"\n', 1
    )
    with pytest.raises(ConfigError) as caught:
        check_registered(read_source(changed, "commands.toml"))
    table = str(caught.value.hint).partition("\n")[2]
    assert table.startswith("[registered.e-2]\n")
    check_registered(read_source(f"{changed}\n{table}\n", "commands.toml"))


def test_the_document_shows_the_sentence_of_every_outcome_and_the_second_claim(
    checkout: Path,
) -> None:
    text = (checkout / STEP_J).read_text(encoding="utf-8")
    for outcome in EXPERIMENT.outcomes:
        assert outcome.means_ja.split("{")[0] in text
    assert "アダプタは base より ○ ポイント高い（95% 区間 ○〜○、○ ○、○）。" in text
    for one in packaged_source().references:
        assert f"{one.title_ja}：{one.percent}（{one.correct} / {one.asked}）" in text
        assert one.source_ja in text
    assert "別の実行の値" in text


@pytest.mark.slow
def test_a_fourth_document_needs_a_table_and_a_template_alone(copied: Path) -> None:
    source = copied / "docs_src" / "commands.toml"
    file = "docs/heart01/StepZ_A100_Qwen3_8B_何か.md"
    table = f"""
[[documents]]
file = "{file}"
place = "heart01"
title = "StepZ：何か"
steps = ["StepZ"]

[[commands]]
id = "train-closed-again"
extends = "train-closed"
step = "StepZ"
outputs = ["{{adapters}}/again/manifest.json"]
"""
    source.write_text(source.read_text("utf-8") + table, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"templates/StepZ.md.j2: there is no such template"):
        generate(copied, Interface(accept, lambda _: "", ()))
    (copied / "docs_src" / "templates" / "StepZ.md.j2").write_text(
        '{{ notice }}\n{% import "_macros.md.j2" as m with context %}\n# {{ document.title }}\n'
        '{% for r in steps(*document.steps) %}\n{{ m.step("1." ~ loop.index, r) }}{% endfor %}\n',
        encoding="utf-8",
    )
    text = generate(copied, Interface(accept, lambda _: "", ()))[copied / file]
    assert text.count("（`train-closed-again`）") == 1
    assert "# StepZ：何か\n" in text


@pytest.mark.slow
def test_a_new_log_form_is_a_template_alone(copied: Path) -> None:
    form = copied / "docs_src" / "templates" / "logs" / "実験メモ.md.j2"
    form.write_text("{# kind: evaluate #}\n{{ notice }}\n# 実験メモ\n", encoding="utf-8")
    files = generate(copied, Interface(accept, lambda _: "", ()))
    assert files[copied / "docs" / "logs" / "実験メモ.md"].endswith("# 実験メモ\n")
    assert files[copied / "lawqa" / "assets" / "logs" / "実験メモ.md.j2"] == form.read_text("utf-8")


def test_an_input_from_nowhere_fails_the_build(copied: Path) -> None:
    made = 'outputs = ["{records}/rag.jsonl"]'
    with pytest.raises(ConfigError, match="made by no earlier command"):
        build_with(copied, made, made.replace("rag", "r"), accept)


def test_elsewhere_there_is_nothing_to_build(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["docs", "check", "--root", str(tmp_path)]) == 2
    assert "holds no docs_src/commands.toml" in capsys.readouterr().err


def test_the_makefile_runs_the_declared_steps(checkout: Path) -> None:
    makefile = (checkout / "Makefile").read_text(encoding="utf-8")
    for target in packaged_source().targets.values():
        assert re.search(rf"^{target.id}: ## ", makefile, re.MULTILINE)
        assert f"$(STEP_FLAGS) {' '.join(target.commands)}\n" in makefile


@pytest.mark.slow
def test_a_measurement_that_was_brought_home_sets_the_times_of_its_place(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from importlib.resources import files

    shipped = files("lawqa").joinpath("assets", "speeds-h200.json").read_text(encoding="utf-8")
    brought = copied / "docs_src" / "speeds-heart01.json"
    brought.write_text(shipped.replace("NVIDIA H200", "NVIDIA A100 MIG 2g.20gb"), "utf-8")
    assert main(["docs", "build", "--root", str(copied)]) == 0
    appendix, common, local = (
        (copied / name).read_text(encoding="utf-8") for name in (APPENDIX, COMMON, LOCAL)
    )
    assert re.search(r"- 所要：最長 \d+ 分（実測から）／GPU：20 GB 以内／再開：同じ行", appendix)
    assert "この計算機（NVIDIA A100 MIG 2g.20gb）で 2026-11-28 に" in common
    assert "所要：目安 " not in appendix
    assert "この計算機ではなく NVIDIA H200 で" in local  # nobody measured the 3080
    capsys.readouterr()
    brought.write_text(shipped.replace("Qwen3-8B", "Qwen3-4B"), "utf-8")
    assert main(["docs", "check", "--root", str(copied)]) == 2
    assert "was measured with Qwen/Qwen3-4B (nf4), but heart01 uses" in capsys.readouterr().err


AMBIGUOUS = ("控える", "控えて", "再開の印", "取り置い", "取り分け", "推測です")


@pytest.mark.parametrize("name", [name for name in PLACES if name.startswith("docs/")])
def test_the_japanese_has_no_words_that_can_be_misread(checkout: Path, name: str) -> None:
    text = (checkout / name).read_text(encoding="utf-8")
    assert [word for word in AMBIGUOUS if word in text] == []


def test_the_recipe_shows_each_stage_with_its_budget_and_what_follows(checkout: Path) -> None:
    text = (checkout / STEP_L).read_text(encoding="utf-8")
    recipe = packaged_source().recipe
    assert recipe is not None
    for stage in recipe.stages:
        row = re.search(
            rf"\| {recipe.number(stage.id)}\. [^|]*\| (\S+) 時間 \| (\S+ )*\S+ \|", text
        )
        assert row is not None, stage.id
        assert float(row[1]) == stage.budget_hours
        for outcome in stage.outcomes:
            assert outcome.then_ja.partition("{")[0] in text
    assert f"| 全部 | {recipe.budget_hours:g} 時間 |" in text
