"""The same split on every machine: across hash seeds, and pinned for every Python."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from lawqa.questions import Question, write_questions
from lawqa.splits import find_groups, find_leaks, holdout, kfold

Craft = Callable[..., Question]

SCRIPT = """
import sys
from pathlib import Path
from lawqa.questions import read_questions
from lawqa.splits import find_groups, find_leaks, holdout, kfold
questions = read_questions(Path(sys.argv[1]))
print([(g.name, [str(link) for link in g.links]) for g in find_groups(questions)])
split = holdout(questions, test_size=15, dev_size=0.1, seed=5)
print([[q.key for q in part] for part in (split.train, split.dev, split.test)])
print([[q.key for q in fold.test] for fold in kfold(questions, seed=5)])
print(find_leaks(questions[:30], questions[30:]))
"""


@pytest.fixture
def questions(craft: Craft) -> list[Question]:
    """Sixty questions with pairs, triples, near ones and strangers."""
    made = [craft(n) for n in range(60)]
    for n in (3, 10, 17, 24, 31, 38):
        made[n] = craft(n, context=craft(n + 1).context)
        made[n + 20] = craft(n + 20, context=craft(n + 1).context[:140])
    return made


@pytest.mark.slow
def test_across_processes_with_different_hash_seeds(
    questions: list[Question],
    tmp_path: Path,
    run_python: Callable[..., CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "questions.json"
    write_questions(file, questions)
    said = set()
    for hash_seed in ("0", "1", "4294967295"):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        done = run_python("-c", SCRIPT, str(file))
        assert done.returncode == 0, done.stderr
        said.add(done.stdout)
    assert len(said) == 1


def test_pinned_for_every_python_and_machine(questions: list[Question]) -> None:
    # If this fails, splits made earlier can no longer be made again: say so in the changelog.
    split = holdout(questions, test_size=15, dev_size=0.1, seed=5)
    told = [[q.key for q in part] for part in (split.train, split.dev, split.test)]
    told += [[q.key for q in fold.test] for fold in kfold(questions, seed=5)]
    told.append([str(link) for group in find_groups(questions) for link in group.links])
    told.append([str(leak) for leak in find_leaks(questions[:30], questions[30:])])
    digest = hashlib.sha256("\n".join(map(str, told)).encode()).hexdigest()[:16]
    assert digest == "af45690b1114c4bb"
