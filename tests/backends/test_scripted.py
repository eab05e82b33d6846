from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lawqa.backends.base import ChoiceScores, Completion, Failure, GenerationSettings
from lawqa.backends.scripted import ScriptedBackend
from lawqa.choices import LABELS
from lawqa.errors import DataError
from lawqa.prompting import Prompt, PromptSpec, build_prompt
from lawqa.questions import Question

pytestmark = pytest.mark.every_python

MakeQuestion = Callable[..., Question]
SETTINGS = GenerationSettings(max_new_tokens=8)


@pytest.fixture
def prompt(question: MakeQuestion) -> Prompt:
    return build_prompt(question(), PromptSpec())


def generated(script: dict[str, Any], prompt: Prompt) -> Completion | Failure:
    (answer,) = ScriptedBackend(script).generate([prompt], SETTINGS)
    return answer


def scored(script: dict[str, Any], prompt: Prompt) -> ChoiceScores | Failure:
    (answer,) = ScriptedBackend(script).score_choices([prompt])
    return answer


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ({"民法_1#1": "a", "民法_1": "b", "*": "c"}, "a"),
        ({"民法_1#2": "a", "民法_1": "b", "*": "c"}, "b"),
        ({"民法_2": "b", "*": "c"}, "c"),
    ],
    ids=["key", "id", "otherwise"],
)
def test_the_closest_entry_answers(prompt: Prompt, script: dict[str, Any], text: str) -> None:
    answer = generated(script, prompt)
    assert isinstance(answer, Completion)
    assert answer.text == text


def test_a_prompt_without_entry_fails_in_both_ways_of_asking(prompt: Prompt) -> None:
    failure = Failure("民法_1#1", "the script has no entry for it")
    assert generated({"民法_2": "a"}, prompt) == failure
    assert scored({"民法_2": "a"}, prompt) == failure


def test_a_scripted_error_fails_in_both_ways_of_asking(prompt: Prompt) -> None:
    failure = Failure("民法_1#1", "out of memory")
    assert generated({"*": {"error": "out of memory"}}, prompt) == failure
    assert scored({"*": {"error": "out of memory"}}, prompt) == failure


def test_texts_come_whole_with_the_prompt_that_was_asked(prompt: Prompt) -> None:
    answer = generated({"*": {"text": " 思うに\nc ", "hit_limit": True}}, prompt)
    assert isinstance(answer, Completion)
    assert (answer.key, answer.text, answer.hit_limit) == ("民法_1#1", " 思うに\nc ", True)
    assert all(message.content in answer.prompt_text for message in prompt.messages)


def test_a_text_does_not_hit_the_limit_unless_the_script_says_so(prompt: Prompt) -> None:
    answer = generated({"*": "c"}, prompt)
    assert isinstance(answer, Completion)
    assert answer.hit_limit is False


@pytest.mark.parametrize("form", ["c", "(C)", "3", "③", "ウ"])
def test_a_label_gets_nearly_all_of_the_probability(prompt: Prompt, form: str) -> None:
    scores = scored({"*": form}, prompt)
    assert isinstance(scores, ChoiceScores)
    probabilities = [math.exp(value) for value in scores.logprobs]
    assert sum(probabilities) == pytest.approx(1)
    assert LABELS[probabilities.index(max(probabilities))] == "c"
    assert max(probabilities) > 0.9


def test_scripted_log_probabilities_are_normalised(prompt: Prompt) -> None:
    scores = scored({"*": {"text": "", "logprobs": [-1.0, -2.0, -3.0, -4.0]}}, prompt)
    assert isinstance(scores, ChoiceScores)
    assert sum(map(math.exp, scores.logprobs)) == pytest.approx(1)
    steps = [a - b for a, b in zip(scores.logprobs, scores.logprobs[1:], strict=False)]
    assert steps == pytest.approx([1, 1, 1])


def test_a_text_that_is_no_label_cannot_be_scored(prompt: Prompt) -> None:
    failure = scored({"*": "わかりません"}, prompt)
    assert failure == Failure("民法_1#1", "the script gives no label: 'わかりません'")


def test_every_prompt_gets_exactly_one_answer(question: MakeQuestion) -> None:
    prompts = [build_prompt(question(id=f"民法_{n}"), PromptSpec()) for n in range(5)]
    backend = ScriptedBackend({"民法_3": {"error": "x"}, "*": "a"})
    keys = [prompt.key for prompt in prompts]
    assert [answer.key for answer in backend.generate(prompts, SETTINGS)] == keys
    assert [answer.key for answer in backend.score_choices(prompts)] == keys


def test_the_backend_says_that_there_is_no_model() -> None:
    backend = ScriptedBackend({"*": "a"})
    described = backend.describe()
    assert {key: described[key] for key in ("backend", "name", "entries")} == {
        "backend": "scripted", "name": "scripted", "entries": 1,
    }  # fmt: skip
    other = ScriptedBackend({"*": "b"}).describe()
    assert described["script"] != other["script"]  # what tells two scripts of one length apart
    assert backend.chat_template == ""


def test_a_script_is_read_from_a_file(tmp_path: Path, prompt: Prompt) -> None:
    path = tmp_path / "script.json"
    path.write_text('{"民法_1": "d"}', encoding="utf-8")
    (answer,) = ScriptedBackend.from_file(path).generate([prompt], SETTINGS)
    assert isinstance(answer, Completion)
    assert answer.text == "d"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{\n"*": c}', "broken JSON at line 2"),
        ('["c"]', "expected an object of question ids and texts"),
        ("", "is empty"),
    ],
)
def test_a_bad_script_file_is_explained(tmp_path: Path, content: str, expected: str) -> None:
    path = tmp_path / "script.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        ScriptedBackend.from_file(path)
    assert caught.value.message.startswith(f"{path}: ")
    assert expected in caught.value.message


@pytest.mark.parametrize(
    "entry",
    [
        {"txt": "c"},
        {"hit_limit": True},
        {"text": "c", "logprobs": [-1.0, -2.0]},
        {"text": "c", "logprobs": ["x"] * 4},
        [],
        ["c", 3],
        {"text": "c", "forced": "e"},
        {"text": "c", "stopped": "tired"},
        None,
    ],
    ids=json.dumps,
)
def test_a_bad_entry_is_the_files_fault(tmp_path: Path, prompt: Prompt, entry: object) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"民法_1": entry}), encoding="utf-8")
    with pytest.raises(DataError, match="民法_1"):
        list(ScriptedBackend.from_file(path).score_choices([prompt]))


def test_a_list_gives_each_repeat_its_own_text(prompt: Prompt) -> None:
    backend = ScriptedBackend({"*": ["a", "b", "c"]})
    settings = GenerationSettings(max_new_tokens=8, repeats=2, first_repeat=1)
    answers = list(backend.generate([prompt], settings))
    assert [(answer.repeat, getattr(answer, "text", None)) for answer in answers] == [
        (1, "b"),
        (2, "c"),
    ]
    beyond = list(backend.generate([prompt], GenerationSettings(max_new_tokens=8, first_repeat=3)))
    reason = "the script has 3 texts for it, and number 4 was asked"
    assert beyond == [Failure("民法_1#1", reason, 3)]


def test_a_text_answers_every_repeat(prompt: Prompt) -> None:
    settings = GenerationSettings(max_new_tokens=8, repeats=3)
    answers = list(ScriptedBackend({"*": "a"}).generate([prompt], settings))
    assert [answer.repeat for answer in answers] == [0, 1, 2]
    assert {getattr(answer, "text", None) for answer in answers} == {"a"}


@pytest.mark.parametrize("forced", ["d", [-3.0, -3.0, -3.0, -0.1]])
def test_a_forced_answer_comes_from_the_script(prompt: Prompt, forced: object) -> None:
    backend = ScriptedBackend({"*": {"text": "思うに", "forced": forced}})
    (answer,) = backend.score_after([prompt], ["思うに\n最終回答："])
    assert isinstance(answer, ChoiceScores)
    assert LABELS[answer.logprobs.index(max(answer.logprobs))] == "d"


def test_a_script_without_a_forced_answer_forces_none(prompt: Prompt) -> None:
    (answer,) = ScriptedBackend({"*": "思うに"}).score_after([prompt], ["思うに"])
    assert answer == Failure("民法_1#1", "the script forces no answer")


def test_how_a_text_ended_comes_from_the_script(prompt: Prompt) -> None:
    looped = generated({"*": {"text": "c", "stopped": "loop", "thinking_closed": True}}, prompt)
    assert isinstance(looped, Completion)
    assert (looped.stopped, looped.thinking_closed) == ("loop", True)
    cut = generated({"*": {"text": "c", "hit_limit": True}}, prompt)
    assert isinstance(cut, Completion)
    assert (cut.stopped, cut.hit_limit) == ("limit", True)
