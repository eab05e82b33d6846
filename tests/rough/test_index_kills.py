"""An index build that is killed: what was there stays, and nothing half built is ever opened."""

from __future__ import annotations

import multiprocessing
import random
import time
from pathlib import Path

import pytest

from lawqa.errors import LawqaError
from lawqa.pipelines.corpus.indexes.building import IndexConfig, build_index
from lawqa.pipelines.corpus.indexes.manifest import IndexManifest
from lawqa.statutes.articles import Article, Paragraph, write_articles

pytest.importorskip("bm25s", reason="indexing needs lawqa[rag]")


def write_laws(path: Path, laws: int) -> Path:
    write_articles(
        path,
        (
            Article(
                f"L{law}/{number}", f"L{law}", f"第{law}試験法", "", "", "main", str(number), "（試験）",
                tuple(Paragraph(n, f"第{law}号の者は第{number}条の届出を{n}日以内にする。") for n in (1, 2)),
            )
            for law in range(laws)
            for number in range(1, 21)
        ),
    )  # fmt: skip
    return path


@pytest.mark.rough
def test_a_build_killed_at_any_moment_leaves_the_earlier_index_or_the_new_one(
    tmp_path: Path, rough: bool
) -> None:
    old = write_laws(tmp_path / "old.jsonl", 5)
    new = write_laws(tmp_path / "new.jsonl", 40)
    index = tmp_path / "index"
    hashes = {
        build_index(
            IndexConfig(articles=articles, output_dir=tmp_path / articles.stem, quiet=True)
        ).index_sha256
        for articles in (old, new)
    }
    before = time.monotonic()
    build_index(IndexConfig(articles=new, output_dir=tmp_path / "timed", quiet=True))
    takes = time.monotonic() - before
    build_index(IndexConfig(articles=old, output_dir=index, quiet=True))
    chance = random.Random(3)  # noqa: S311 - moments, not secrets
    met = set()
    for kill in range(50 if rough else 3):
        child = multiprocessing.get_context("fork").Process(
            target=build_index,
            args=(
                IndexConfig(
                    articles=new if kill % 2 else old, output_dir=index, fresh=True, quiet=True
                ),
            ),
        )
        child.start()
        # As many near the end, where files are moved, as in the middle.
        time.sleep(takes * chance.choice([chance.uniform(0, 1), chance.uniform(0.8, 1.2)]))
        child.kill()
        child.join()
        try:
            manifest = IndexManifest.read(index)
        except LawqaError:
            assert not index.exists(), "what is there is whole"
            met.add("none")
            continue
        manifest.verify(index)
        met.add(manifest.index_sha256)
    assert met <= {*hashes, "none"}
    final = build_index(IndexConfig(articles=new, output_dir=index, fresh=True, quiet=True))
    assert final.index_sha256 in hashes
    IndexManifest.read(index).verify(index)
    leftovers = {path.name for path in tmp_path.iterdir() if path.name.startswith(".index")}
    assert leftovers == set(), "what killed builds left is cleared by the next"
