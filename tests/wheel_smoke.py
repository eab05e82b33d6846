"""Run by tox's `wheel` env, outside the checkout: the installed wheel works and is not the tree."""

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path


def lawqa(*arguments: str) -> str:
    """The standard output of a command of the installed package; any other exit code than 0 raises."""
    done = subprocess.run(
        [sys.executable, "-m", "lawqa", *arguments], capture_output=True, text=True, check=True
    )
    return done.stdout


def main(checkout: Path) -> None:
    import lawqa as package

    installed = Path(package.__file__).resolve()
    assert checkout.resolve() not in installed.parents or ".tox" in installed.parts, installed
    for name in (
        "py.typed", "assets/questions.json", "assets/commands.toml", "assets/articles.jsonl",
        "assets/logs/評価ログ.md.j2",
    ):  # fmt: skip
        assert files("lawqa").joinpath(*name.split("/")).is_file(), f"{name} is not in the wheel"
    assert "evaluate" in lawqa("--help")

    assert "crossval-thinking" in lawqa("step", "list", "--place", "heart01")

    questions = str(files("lawqa").joinpath("assets", "questions.json"))
    assert "60 questions" in lawqa("data", "check", questions)
    Path("script.json").write_text('{"*": "c"}', encoding="utf-8")
    lawqa(
        "evaluate", "--data", questions, "--llm-backend", "scripted", "--script", "script.json",
        "--output", "out.json", "--run-dir", "run", "--fresh",
    )  # fmt: skip
    summary = json.loads(Path("out.json").read_text(encoding="utf-8"))["summary"]
    assert (summary["correct_count"], summary["total_count"]) == (15, 60), summary
    print("the installed wheel evaluates 60 questions without torch: 15 correct, as scripted")


main(Path(sys.argv[1]))
