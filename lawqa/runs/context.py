"""What a stored result says of its retrieved context."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from lawqa.files import JsonObject


@dataclass(frozen=True)
class RetrievedArticle:
    """An article that a context quoted."""

    law_title: str
    article: str | None
    """Its number, such as 27_13; None where it has none."""
    score: float
    """What it was ranked by."""
    complete: bool
    """Whether all of its text is in the context."""
    id: str = ""
    rank: int = 0
    """Its rank in the search, from 1; 0 where that was not stored."""
    law_id: str = ""
    """e-Gov's id of its law."""
    revision: str = ""
    """The revision of its law, date first; empty where unknown."""
    passages: tuple[str, ...] = ()
    """What of it is in the context, such as 第24条の5第2項第3号; empty where that was not stored."""

    @classmethod
    def from_json(cls, stored: JsonObject) -> RetrievedArticle:
        """Read one whose fields were checked."""
        return cls(
            law_title=stored["law_title"],
            article=stored["article"],
            score=float(stored["score"]),
            complete=stored["complete"],
            id=str(stored.get("id") or ""),
            rank=int(stored.get("rank") or 0),
            law_id=str(stored.get("law_id") or ""),
            revision=str(stored.get("revision") or ""),
            passages=tuple(map(str, stored.get("passages") or ())),
        )

    def to_json(self) -> JsonObject:
        """Return the JSON object that is stored."""
        first = {"id": self.id, "law_title": self.law_title, "article": self.article}
        return {**first, **asdict(self), "passages": list(self.passages)}


@dataclass(frozen=True)
class StoredContext:
    """What a result says of its retrieved context."""

    articles: tuple[RetrievedArticle, ...] = ()
    """Best first."""
    size: int | None = None
    """Its length, in tokens or characters as the manifest says."""
    gold_retrieved: bool | None = None
    """Whether an article that the question's own context quotes is in it; None where nobody looked."""

    @classmethod
    def of_row(cls, row: JsonObject) -> StoredContext | None:
        """Read what a row whose fields were checked says of it; None where it says nothing."""
        if not {"retrieved_articles", "retrieved_size", "gold_retrieved"} & row.keys():
            return None
        stored = row.get("retrieved_articles") or ()
        articles = tuple(RetrievedArticle.from_json(one) for one in stored)
        return cls(articles, row.get("retrieved_size"), row.get("gold_retrieved"))
