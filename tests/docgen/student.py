"""A lab on one disk, and a student who types what the documents show.

The lab is a bare repository, the Digital Agency's one, two machines, and stand-ins for the programs that
reach beyond a machine (`wget`, `hf`, `scp`, `ollama`). Each stand-in takes the words that a document shows
and refuses all others. Everything else is real: git, bash, Python, and lawqa, which runs in this process.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from lawqa.cli import main
from lawqa.cli.lab.docs import interface
from lawqa.commands.expand import render_command
from lawqa.commands.model import CommandSource
from lawqa.commands.policy import check_policy
from lawqa.commands.source import packaged_source, with_counts
from lawqa.docgen import shown_commands
from lawqa.docgen.context import template_context
from lawqa.docgen.extract import ShownCommand
from lawqa.docgen.rendering import open_templates, render_template
from lawqa.errors import ConfigError
from lawqa.pipelines.steps.processes import Ended
from lawqa.pipelines.steps.run import StepsConfig, run_steps
from lawqa.questions import Question, write_questions
from tests.augment.comprehension.conftest import LAW, TEXTS

NOT_RUN = {
    "pip install -r requirements-heart01.txt": "takes 3 GB from a package registry",
    "make setup": "takes 3 GB from a package registry",
    "make test": "runs this very test",
    "make demo": "runs in tests/test_demo.py",
    "make docs": "runs in tests/docgen/test_build.py",
    "tmux new-session -s lawqa": "takes over a terminal",
}
"""Lines that are not practised here, with the reason."""
SMALL = {
    "repository": "https://git.example.ac.jp/law/lawqa.git", "n_questions": "8", "dev_size": "0.2",
    "epochs": "1", "batch_size": "4", "accumulation": "2", "trial_steps": "2", "learning_rate": "5e-3",
    "max_context_tokens": "128", "max_seq_length": "1536", "votes": "4", "thinking_budget": "8",
    "max_new_tokens": "16", "folds": "2", "difficulty": "0",
    "made_limit": "16", "hard_limit": "12", "hard_held_out": "0.3",
    "policy_steps": "1", "policy_new_tokens": "16",
}  # fmt: skip
"""Sizes at which a toy model does in seconds what the lab's does in hours."""
SHELLS = ("bash", "console")
"""Languages of the blocks that are typed; `text` blocks show what is printed."""
_STAND_INS = {
    "wget": """\
for word; do case "$word" in
    --continue) ;;
    --output-document=*) to=${word#*=};;
    --directory-prefix=*) to=${word#*=}/; mkdir -p "$to";;
    'https://laws.e-gov.go.jp/bulkdownload?file_section=1&only_xml_flag=true') from=$LAB/laws.zip;;
    https://github.com/digital-go-jp/lawqa_jp/raw/6165cc9/data/selection.json) from=$LAB/selection.json;;
    *) exit 2;;
esac; done
cp "$from" "$to" && echo "‘$to’ saved"
""",
    "hf": """\
[ "$1" = download ] && [ $# = 2 ] || exit 2
there=${HF_HOME:-$HOME/.cache/huggingface}/hub/models--$(echo "$2" | sed s,/,--,g)
mkdir -p "$there/snapshots" "$there/refs"
cp -r "$LAB/model" "$there/snapshots/1" && printf 1 > "$there/refs/main"
""",
    "scp": """\
case "$1" in heart01:*) cp "$LAB/heart01/${1#heart01:}" "$2";; *) exit 2;; esac
""",
    "ollama": """\
[ "$*" = "pull qwen3:8b" ] && echo success
""",
    "python": f'exec {shlex.quote(sys.executable)} "$@"\n',
    # pip would take most of a student's time, and is not used.
    "python3": '[ "$*" = "-m venv .venv" ] && set -- -m venv --without-pip .venv\n'
    f'exec {shlex.quote(sys.executable)} "$@"\n',
}


Law = Sequence[tuple[str, str, Sequence[str]]]
"""Articles: number, caption, paragraphs."""


def law_xml(title: str, articles: Law) -> bytes:
    """A law as e-Gov publishes it."""
    body = ""
    for number, caption, paragraphs in articles:
        body += f'<Article Num="{number}"><ArticleCaption>{caption}</ArticleCaption>'
        body += f"<ArticleTitle>第{number}条</ArticleTitle>"
        for n, text in enumerate(paragraphs, start=1):
            body += f'<Paragraph Num="{n}"><ParagraphNum/><ParagraphSentence><Sentence>'
            body += f"{escape(text)}</Sentence></ParagraphSentence></Paragraph>"
        body += "</Article>"
    return (
        f"<Law><LawNum>令和九年法律第一号</LawNum><LawBody><LawTitle>{title}</LawTitle>"
        f"<MainProvision>{body}</MainProvision></LawBody></Law>"
    ).encode()


@dataclass(frozen=True)
class Lab:
    """What is outside of the machines."""

    root: Path
    """Holds everything."""
    checkout: Path
    """Where the documents' templates are."""

    @classmethod
    def built(cls, root: Path, checkout: Path, model: Path, questions: Sequence[Question]) -> Lab:
        """Build the repositories, the downloads and the stand-ins."""
        lab = cls(root, checkout)
        (root / "bin").mkdir(parents=True)
        for name, text in _STAND_INS.items():
            program = root / "bin" / name
            program.write_text(f"#!/bin/sh\n{text}", encoding="utf-8")
            program.chmod(0o755)
        (root / "model").symlink_to(model)
        write_questions(root / "selection.json", questions)
        statutes: dict[str, Law] = {LAW: TEXTS}
        for question in questions:
            statutes[f"法{len(statutes)}"] = [("1", "", [question.context])]
        with zipfile.ZipFile(root / "laws.zip", "w") as laws:
            for number, (title, articles) in enumerate(statutes.items()):
                name = f"{number:03d}AC0000000001_20200401_0"
                laws.writestr(f"{name}/{name}.xml", law_xml(title, articles))
        identity = (
            "[user]\nname = student\nemail = student@example.org\n[init]\ndefaultBranch = main\n"
        )
        instead = (
            f'[url "{root}/lawqa_jp.git"]\ninsteadOf = https://github.com/digital-go-jp/lawqa_jp\n'
        )
        instead += f'[url "{root}/lawqa.git"]\ninsteadOf = {SMALL["repository"]}\n'
        (root / "gitconfig").write_text(identity + instead, encoding="utf-8")
        lab._repository("lawqa_jp", {"data/selection.json": root / "selection.json"}, "6165cc9")
        tops = (
            "README.md", "README.ja.md", "Makefile", "pyproject.toml", "requirements-heart01.txt",
            ".gitignore", "docs", "docs_src",
        )  # fmt: skip
        assets = {"lawqa/assets/articles.jsonl": checkout / "lawqa/assets/articles.jsonl"}
        assets["lawqa/assets/questions.json"] = root / "selection.json"
        lab._repository("lawqa", {**{name: checkout / name for name in tops}, **assets}, "start")
        return lab

    def environment(self) -> dict[str, str]:
        """What every terminal of the lab has."""
        path = f"{self.root / 'bin'}:{os.environ['PATH']}"
        return {
            "LAB": str(self.root),
            "PATH": path,
            "GIT_CONFIG_GLOBAL": str(self.root / "gitconfig"),
        }

    def _repository(self, name: str, content: Mapping[str, Path], tag: str) -> None:
        """A bare repository of one commit; a tag stands for the hash that documents name."""
        work = self.root / f"{name}.work"
        for there, source in content.items():
            (work / there).parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if source.is_dir() else shutil.copy)(source, work / there)
        line = f"git init -q && git add . && git commit -qm start && git tag {tag} && git clone -q --bare . ../{name}.git"  # noqa: E501
        run_in_bash(line, work, self.environment())


def run_in_bash(line: str, folder: Path, env: Mapping[str, str]) -> str:
    """Type a line in a new terminal; what it prints. It has to end well."""
    done = subprocess.run(  # noqa: S603 - the test's own words
        ["/bin/bash", "-c", line], cwd=folder, env={**os.environ, **env}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, f"{line}\n{done.stdout}"
    return done.stdout


@cache
def small_source(place_id: str) -> CommandSource:
    """The declared commands, with small sizes at one place."""
    source = packaged_source()
    place = source.place(place_id)
    variables = with_counts({**place.variables, **SMALL})
    return replace(source, places={**source.places, place_id: replace(place, variables=variables)})


@dataclass
class Student:
    """Types what a document shows on one machine, line by line."""

    lab: Lab
    place: str
    """The machine's place; its folder in the lab has the same name."""
    patch: pytest.MonkeyPatch
    """Undoes what this process becomes while it is the machine's terminal."""
    ran: set[tuple[str, ...]] = field(default_factory=set)
    """Every command that was run, as its words."""
    said: list[str] = field(default_factory=list)
    """What the last `make` or `lawqa step run` printed of its steps."""

    @property
    def home(self) -> Path:
        """Where a new terminal opens."""
        return self.lab.root / self.place

    @property
    def top(self) -> Path:
        """The checkout, where all but the first command is typed."""
        return self.home / "lawqa" if (self.home / "lawqa").is_dir() else self.home

    def path(self, name: str) -> Path:
        """A file of the checkout."""
        return self.top / name

    def text(self, name: str) -> str:
        """A document as this machine's student reads it, at small sizes."""
        source = small_source(self.place)
        name = Path(name).name
        document = next(one for one in source.documents if Path(one.file).name.startswith(name))
        assert document.place == self.place
        sources = self.lab.checkout / "docs_src"
        context = template_context(source, document, interface(), sources)
        return render_template(
            open_templates(sources / "templates"), document.template_file, context
        )

    def readme(self, name: str) -> str:
        """The generated block of a README."""
        text = (self.lab.checkout / name).read_text(encoding="utf-8")
        return text[text.index("lawqa docs: begin steps") : text.index("lawqa docs: end steps")]

    def read(self, text: str) -> int:
        """Type every block in order, until one fails; the exit code of the last one."""
        self.home.mkdir(parents=True, exist_ok=True)
        for shown in shown_commands(text):
            self._choose(shown)
            code = self.type(shown)
            if code > 1:
                sys.stdout.write(f"{self.place}: {shown.line}: exit code {code}\n")
                return code
            self.ran.add(shown.argv)
        return 0

    def _choose(self, shown: ShownCommand) -> None:
        """Before one command is typed instead of another: take away what the other one made."""
        source = small_source(self.place)
        for command in source.at(self.place):
            rendered = render_command(command, source.place(self.place))
            if command.alternative_to and rendered.argv == shown.argv:
                for made in (self.top / path for path in rendered.outputs):
                    shutil.rmtree(
                        made.parent if made.name == "summary.json" else made, ignore_errors=True
                    )
                    made.unlink(missing_ok=True)

    def type(self, shown: ShownCommand) -> int:
        """Type one command."""
        check_policy(packaged_source().place(self.place), shown.argv, shown.env, name=shown.line)
        self._sit_down()
        program = shown.argv[0]
        if shown.line in NOT_RUN:
            self._stand_in_for(shown.line)
        elif program == "make":
            return self._make(shown)
        elif program == "lawqa":
            return self._lawqa(shown.argv[1:])
        elif program == "tail":
            assert shown.argv[1] == "-f"
            assert Path(shown.argv[2]).read_text(encoding="utf-8")
        else:
            run_in_bash(shown.line, Path(), {**self.terminal(), **shown.env})
        return 0

    def terminal(self) -> dict[str, str]:
        """The environment of a program that is started."""
        return {**self.lab.environment(), "HOME": str(self.home)}

    def _sit_down(self) -> None:
        """Open a new terminal of this machine: its folder, home and model cache."""
        cache = (
            self.top / "hf_home" if self.place == "heart01" else self.home / ".cache/huggingface"
        )
        self.patch.chdir(self.top)
        self.patch.setenv("HOME", str(self.home))
        self.patch.delenv("HF_HOME", raising=False)
        self.patch.setenv("XDG_CACHE_HOME", str(self.home / ".cache"))
        # huggingface_hub reads the environment when it is imported, which was before.
        self.patch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache / "hub"))

    def _stand_in_for(self, line: str) -> None:
        """What the next commands need of one that is not run: an environment with a lawqa in it."""
        if line.startswith(("pip", "make setup")):
            Path(".venv/bin").mkdir(parents=True, exist_ok=True)
            Path(".venv/bin/lawqa").touch()
            Path(".venv/bin/activate").touch()

    def _demo(self, run: Path) -> None:
        """What the demo leaves for others; tests/test_demo.py runs it."""
        shutil.copytree(self.lab.root / "model", run / "model")

    def _make(self, shown: ShownCommand) -> int:
        """Run the lines that make would run, one after the other."""
        log = Path(shown.line.partition(">")[2].split()[0]) if "nohup" in shown.line else None
        lines = run_in_bash(
            f"make -n -o .venv/installed {shlex.join(shown.argv[1:])}",
            Path(),
            self.lab.environment(),
        )
        for line in lines.splitlines():
            words = shlex.split(line)
            if Path(words[0]).name == "lawqa":
                code = self._lawqa(words[1:])
                if log is not None:
                    log.write_text("\n".join(self.said), encoding="utf-8")
                if code:
                    return code
        return 0

    def _lawqa(self, arguments: Sequence[str]) -> int:
        if list(arguments[:2]) != ["step", "run"]:
            return main(list(arguments))
        words = list(arguments[2:])
        place = words.pop(words.index("--place") + 1) if "--place" in words else self.place
        steps = tuple(word for word in words if word != "--place")
        config = StepsConfig(steps, place, {})
        source = small_source(place)
        self.said.clear()
        try:
            return run_steps(source, config, self.said.append, self._typed)
        except ConfigError as refused:
            self.said.append(refused.message)
            return 2

    def _typed(self, argv: Sequence[str], env: Mapping[str, str], log: Path) -> Ended:
        """Run a step as `lawqa step run` does, within this process."""
        assert argv[0] == "lawqa"
        assert env["LAWQA_PLACE"] in (self.place, "practice")
        self.ran.add(tuple(argv))
        if argv[1] == "demo":
            self._demo(Path(argv[argv.index("--run-dir") + 1]))
            return Ended(0)
        with log.open("a", encoding="utf-8") as file, redirect_stdout(file):
            return Ended(main(list(argv[1:])))


def unpractised(text: str, ran: set[tuple[str, ...]]) -> list[str]:
    """The commands of a document that nobody ran and that are not on the list of those that cannot be.

    A block in another language than those that are typed or shown counts as well.
    """
    strange = [f"a block of {kind!r}" for kind in re.findall(r"^```(.*)$", text, re.MULTILINE)[::2]
               if kind not in (*SHELLS, "text")]  # fmt: skip
    return strange + [
        shown.line
        for shown in shown_commands(text)
        if shown.argv not in ran and shown.line not in NOT_RUN
    ]


def chapters(text: str, *numbers: int) -> str:
    """Some chapters of a document, as they stand."""
    parts = text.split("\n## ")
    return "\n## ".join(part for part in parts[1:] if int(part.split(".")[0]) in numbers)
