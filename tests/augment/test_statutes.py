from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from subprocess import CompletedProcess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lawqa.augment.question_types import QUOTED_TYPES, QuestionType, source_of
from lawqa.augment.statutes import StatuteQuestions, make_statute_questions
from lawqa.choices import LABELS
from lawqa.errors import ConfigError
from lawqa.questions import Question
from lawqa.statutes.article_names import ArticleName
from lawqa.statutes.articles import Article, write_articles

Judge = Callable[[Question, Sequence[Article]], list[str]]
Statute = tuple[Article, ...]

SCRIPT = """
import sys
from pathlib import Path
from lawqa.augment.statutes import make_statute_questions
from lawqa.statutes.articles import read_articles
made = make_statute_questions(read_articles(Path(sys.argv[1])), seed=3)
print(made)
"""


def golds(made: StatuteQuestions) -> Counter[str]:
    return Counter(generated.question.gold for generated in made.questions)


def test_every_type_is_made(statute: Statute) -> None:
    made = make_statute_questions(statute)
    sources = Counter(generated.source for generated in made.questions)
    assert set(sources) == {f"statute:{kind}" for kind in QUOTED_TYPES}
    assert len(made.questions) >= 40


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_every_question_is_right(seed: int, statute: Statute, judge: Judge) -> None:
    made = make_statute_questions(statute, seed=seed)
    faults = {
        generated.question.id: found
        for generated in made.questions
        if (found := judge(generated.question, statute))
    }
    assert faults == {}


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 99),
    limit=st.none() | st.integers(4, 60),
    types=st.sets(st.sampled_from(QUOTED_TYPES), min_size=1),
)
def test_labels_are_dealt_in_equal_shares(
    seed: int, limit: int | None, types: set[QuestionType], statute: Statute
) -> None:
    made = make_statute_questions(statute, seed=seed, limit=limit, types=sorted(types))
    assert len(set(golds(made).values())) == 1
    assert set(golds(made)) == set(LABELS)
    assert {source_of(g.question.id) for g in made.questions} <= {f"statute:{t}" for t in types}
    if limit is not None:
        assert len(made.questions) <= limit
    for kind in types:  # each type is balanced to within one
        of_type = Counter(g.question.gold for g in made.questions if g.source == f"statute:{kind}")
        assert max(of_type.values(), default=0) - min((of_type[x] for x in LABELS), default=0) <= 1


def test_ids_are_unique_and_tell_law_article_and_type(statute: Statute) -> None:
    made = make_statute_questions(statute)
    ids = [generated.question.id for generated in made.questions]
    assert len(set(ids)) == len(ids)
    assert "生成_技能検定事業法_第3条の2_穴埋め_1" in ids
    assert all(g.source == source_of(g.question.id) for g in made.questions)
    assert all(g.question.law == "生成" for g in made.questions)


@pytest.mark.parametrize("name", ["民法_1", "生成_民法", "生成_民法_第1条_要約_1", ""])
def test_other_questions_have_no_source(name: str) -> None:
    assert source_of(name) == ""


def test_a_question_keeps_its_id_under_a_limit(statute: Statute) -> None:
    whole = {g.question.id: g.question for g in make_statute_questions(statute).questions}
    some = make_statute_questions(statute, limit=12).questions
    assert len(some) == 12
    assert all(sorted(whole[g.question.id].choices) == sorted(g.question.choices) for g in some)


def test_a_limit_below_four_is_refused(statute: Statute) -> None:
    with pytest.raises(ConfigError, match="limit 3"):
        make_statute_questions(statute, limit=3)


def test_the_seed_changes_the_questions_and_nothing_else_does(statute: Statute) -> None:
    first = make_statute_questions(statute, seed=1)
    assert first == make_statute_questions(iter(statute), seed=1)
    assert first != make_statute_questions(statute, seed=2)


@pytest.mark.slow
def test_across_processes_with_different_hash_seeds(
    statute: Statute,
    tmp_path_factory: pytest.TempPathFactory,
    run_python: Callable[..., CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path_factory.mktemp("statutes") / "articles.jsonl"
    write_articles(file, statute)
    said = set()
    for hash_seed in ("0", "1", "4294967295"):
        monkeypatch.setenv("PYTHONHASHSEED", hash_seed)
        done = run_python("-c", SCRIPT, str(file))
        assert done.returncode == 0, done.stderr
        said.add(done.stdout)
    assert said == {f"{make_statute_questions(statute, seed=3)}\n"}


def test_pinned_for_every_python_and_machine(statute: Statute) -> None:
    # If this fails, questions made earlier can no longer be made again: say so in the changelog.
    made = make_statute_questions(statute, seed=3)
    digest = hashlib.sha256("\n".join(str(g.question) for g in made.questions).encode()).hexdigest()
    assert digest[:16] == "840c95f84c437215"


def test_what_cannot_be_cited_is_left_out_and_counted(statute: Statute) -> None:
    made = make_statute_questions(statute)
    assert made.articles_left_out == {
        "no single article number": 1,
        "part appdx: cannot be cited without confusion": 1,
        "repealed (削除)": 1,
    }
    assert not any("第5条_" in g.question.id or "別表" in g.question.text for g in made.questions)


def test_excluded_articles_give_nothing_at_all(statute: Statute) -> None:
    cited = [ArticleName("技能検定\u3000事業法", "3_2"), ArticleName("技能検定事業法", "13")]
    made = make_statute_questions(statute, excluded=[*cited, ArticleName("他の法律", "1")])
    assert made.articles_left_out["cited by a question that is evaluated on"] == 2
    assert len(made.questions) >= 20
    for generated in made.questions:
        assert not {"技能検定事業法/main/3_2", "技能検定事業法/main/13"} & set(generated.articles)
        shown = "\n".join([generated.question.context, *generated.question.choices])
        assert "第3条の2" not in shown
        assert "第13条" not in shown
        assert "三十日" not in shown  # a wrong answer from an excluded article


def test_what_the_audit_names_is_left_out_and_counted(statute: Statute) -> None:
    whole = make_statute_questions(statute)
    victims = {g.question.id: "planted" for g in whole.questions[:5]}

    def audit(made: Sequence[Question]) -> dict[str, str]:
        assert set(victims) <= {question.id for question in made}
        return victims

    made = make_statute_questions(statute, audit=audit)
    assert made.questions_left_out["planted"] == 5
    assert not set(victims) & {g.question.id for g in made.questions}
    assert len(set(golds(made).values())) == 1


def test_every_question_made_is_kept_or_counted(statute: Statute) -> None:
    asked: list[int] = []

    def audit(made: Sequence[Question]) -> dict[str, str]:
        asked.append(len(made))
        return {}

    made = make_statute_questions(statute, limit=20, audit=audit)
    after = ("over the limit", "left over, so that labels and negative questions balance")
    dropped = sum(made.questions_left_out.get(reason, 0) for reason in after)
    assert asked == [len(made.questions) + dropped]


def test_one_wording_is_asked_once(statute: Statute, make_article: Callable[..., Article]) -> None:
    # 第三条の and 第四条の is all that differs: the second would ask the same once more.
    texts = [f"第{n}条の届出をした者は、その写しを五年間保存しなければならない。" for n in "三四"]
    twins = [make_article(str(20 + i), "", [text]) for i, text in enumerate(texts)]
    made = make_statute_questions([*statute, *twins], types=["cloze"])
    assert made.questions_left_out["same wording as another question"] == 1
    assert not any("第21条_" in g.question.id for g in made.questions)


def test_two_laws_do_not_mix(statute: Statute) -> None:
    other = [
        replace(
            article,
            id=f"other/{article.id}",
            law_title="別の検定法",
            paragraphs=tuple(
                replace(p, text=p.text.replace("検定", "鑑定")) for p in article.paragraphs
            ),
        )
        for article in statute
    ]
    for generated in make_statute_questions([*statute, *other]).questions:
        told = "\n".join([generated.question.text, *generated.question.choices])
        assert not ("検定事業者" in told and "鑑定事業者" in told)


def test_a_paragraph_of_a_list_alone_gives_nothing_and_stops_nothing(
    statute: Statute, make_article: Callable[..., Article]
) -> None:
    listed = make_article("30", "", ["\n一 図面\n二 見積書\n三 同意書"])
    assert make_statute_questions([*statute, listed]).questions


def test_nothing_to_make(make_article: Callable[..., Article]) -> None:
    made = make_statute_questions([make_article("1", "", ["削除"])])
    assert made.questions == ()
    assert made.articles_left_out == {"repealed (削除)": 1}
