"""BM25 against its formula and against bm25s itself; the same index and order everywhere."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lawqa.errors import ConfigError, DataError, MissingExtraError
from lawqa.retrieval import bm25 as module
from lawqa.retrieval.bm25 import Bm25, Bm25Parameters, bigram_codes, query_weights
from lawqa.retrieval.tokens import mark_words, tokenise
from lawqa.statutes.normalise import normalise

pytestmark = pytest.mark.every_python

DOCUMENTS = [
    normalise(text)
    for text in (
        "建物の賃貸借がされている場合において",
        "有価証券の募集又は売出し",
        "公開買付けの期間は、三十日とする。",
        "",
        "公開買付けの期間は、30日とする。",
        "建物の賃貸借の期間は、三十年とする。期間は、更新する。",
    )
]


def needs_bm25s() -> None:
    pytest.importorskip("bm25s", reason="indexing needs pip install 'bm25s>=")


def weights(text: str, k3: float = 1e9) -> dict[int, float]:
    """With a k3 without bound a token counts as often as it occurs in the query."""
    return query_weights([(normalise(text), 1.0)], k3)


def by_the_formula(query: str, k1: float, b: float) -> list[float]:
    """Robertson and Zaragoza 2009, with Lucene's idf, straight from the definition."""
    documents = [Counter(tokenise(document)) for document in DOCUMENTS]
    lengths = [sum(document.values()) for document in documents]
    mean = sum(lengths) / len(lengths)
    scores = []
    for document, length in zip(documents, lengths, strict=True):
        score = 0.0
        for token, qtf in Counter(tokenise(query)).items():
            df = sum(token in other for other in documents)
            idf = math.log(1 + (len(documents) - df + 0.5) / (df + 0.5))
            tf = document[token]
            if tf:
                score += qtf * idf * tf / (tf + k1 * (1 - b + b * length / mean))
        scores.append(score)
    return scores


@pytest.mark.parametrize(("k1", "b"), [(0.9, 0.4), (1.5, 0.75), (0.0, 0.0), (2.0, 1.0)])
def test_scores_are_those_of_the_formula(k1: float, b: float) -> None:
    needs_bm25s()
    index = Bm25.build(DOCUMENTS, Bm25Parameters(k1=k1, b=b))
    query = "公開買付けの期間は30日か、建物の賃貸借の期間か"
    assert index.scores(weights(query)) == pytest.approx(by_the_formula(query, k1, b), rel=1e-5)


def test_scores_are_those_of_bm25s() -> None:
    bm25s = pytest.importorskip("bm25s", reason="indexing needs pip install 'bm25s>=")
    index = Bm25.build(DOCUMENTS)
    reference = bm25s.BM25(k1=0.9, b=0.4)
    reference.index([tokenise(document) for document in DOCUMENTS], show_progress=False)
    query = "公開買付けの期間"
    expected = reference.get_scores(tokenise(query))
    assert index.scores(weights(query)) == pytest.approx(expected.tolist(), rel=1e-5)


def test_kanji_and_arabic_numerals_score_alike() -> None:
    needs_bm25s()
    scores = Bm25.build(DOCUMENTS).scores(weights("買付けの期間は３０日"))
    assert scores[2] == scores[4] > 0


def test_an_index_opened_from_disk_is_the_same(tmp_path: Path) -> None:
    needs_bm25s()
    built = Bm25.build(DOCUMENTS)
    built.save(tmp_path)
    opened = Bm25.open(tmp_path, len(DOCUMENTS))
    query = weights("建物の期間")
    assert np.array_equal(opened.scores(query), built.scores(query))
    assert (opened.n_tokens, opened.n_postings) == (built.n_tokens, built.n_postings)


def test_bm25s_can_open_the_arrays(tmp_path: Path) -> None:
    bm25s = pytest.importorskip("bm25s", reason="indexing needs pip install 'bm25s>=")
    Bm25.build(DOCUMENTS).save(tmp_path)
    model = bm25s.BM25()
    model.load_scores(tmp_path, num_docs=len(DOCUMENTS), mmap=True)
    assert len(model.scores["data"]) == Bm25.build(DOCUMENTS).n_postings


_BUILD = """
import sys
from pathlib import Path
from lawqa.retrieval.bm25 import Bm25
Bm25.build(["建物の賃貸借の期間", "有価証券の募集", "期間の更新"]).save(Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_the_files_do_not_depend_on_the_order_of_hashes(tmp_path: Path) -> None:
    needs_bm25s()
    contents = []
    for seed in ("1", "2"):
        directory = tmp_path / seed
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", _BUILD, str(directory)]
        subprocess.run(command, check=True, env=environment)  # noqa: S603 - fixed words
        contents.append({path.name: path.read_bytes() for path in directory.iterdir()})
    assert contents[0] == contents[1]


@pytest.mark.slow
def test_tokens_that_nearly_all_documents_hold_are_left_out_of_a_large_index() -> None:
    needs_bm25s()
    documents = [f"規定{chr(0x5000 + n % 3000)}{chr(0x5000 + n // 7)}" for n in range(6_000)]
    thrifty, whole = (Bm25.build(documents, Bm25Parameters(max_df=df)) for df in (0.2, 1.0))
    common = weights("規定")
    assert not thrifty.scores(common).any()
    assert whole.scores(common).all()
    assert whole.n_tokens == thrifty.n_tokens + 1
    assert whole.n_postings == thrifty.n_postings + 6_000


def test_paragraphs_that_all_say_the_same_keep_their_tokens() -> None:
    needs_bm25s()
    assert Bm25.build(["規定"] * 6_000).scores(weights("規定")).any()


def test_small_indexes_keep_every_token() -> None:
    needs_bm25s()
    assert Bm25.build(["規定甲", "規定乙"]).scores(weights("規定")).all()


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_bm25s()
    query = weights("公開買付けの期間、建物の賃貸借")
    whole = Bm25.build(DOCUMENTS).scores(query)
    monkeypatch.setattr(module, "_CHUNK", 5)
    assert np.array_equal(Bm25.build(DOCUMENTS).scores(query), whole)


def test_rarer_tokens_are_more_telling() -> None:
    needs_bm25s()
    index = Bm25.build(DOCUMENTS)
    rare, common, unknown = (
        bigram_codes(mark_words(token)).item() for token in ("募集", "期間", "猫犬")
    )
    idf = index.idf([rare, common, unknown])
    assert idf[rare] > idf[common] > 0
    assert unknown not in idf


def test_a_query_of_unknown_tokens_scores_nothing() -> None:
    needs_bm25s()
    index = Bm25.build(DOCUMENTS)
    assert not index.scores(weights("猫と犬")).any()
    assert not index.scores({}).any()


def test_nothing_to_index_is_an_error() -> None:
    needs_bm25s()
    with pytest.raises(DataError, match="no document"):
        Bm25.build(["", "一"])


def test_a_broken_index_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not whole"):
        Bm25.open(tmp_path, 3)


def test_without_bm25s_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bm25s", None)
    with pytest.raises(MissingExtraError) as caught:
        Bm25.build(DOCUMENTS)
    assert "pip install 'bm25s>=" in caught.value.hint


@pytest.mark.parametrize("wrong", [{"k1": -1.0}, {"b": 1.5}, {"max_df": 0.0}])
def test_parameters_out_of_range_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Bm25Parameters(**wrong)


@given(st.text("建物の賃貸借、。 第21条\n", max_size=30))
def test_codes_are_the_tokens(text: str) -> None:
    codes = bigram_codes(mark_words(normalise(text))).tolist()
    assert [chr(code >> 21) + chr(code & 0x1FFFFF) for code in codes] == tokenise(text)


@given(st.integers(1, 50), st.floats(0.1, 20))
def test_repetition_in_a_query_counts_less_and_less(times: int, k3: float) -> None:
    once, often, more = (
        query_weights([("期間、" * n, 1.0)], k3).popitem()[1] for n in (1, times, times + 1)
    )
    assert once == pytest.approx(1.0)
    assert often <= more < k3 + 1


def test_parts_of_a_query_have_weights() -> None:
    (weight,) = query_weights([("期間", 1.0), ("期間", 0.25)], k3=1.0).values()
    assert weight == pytest.approx(2 * 1.25 / 2.25)
