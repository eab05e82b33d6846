"""The flags of retrieved contexts, shared by the commands that build prompts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lawqa.settings import RetrievalSettings

if TYPE_CHECKING:
    from lawqa.pipelines.evaluation.contexts import RagConfig
    from lawqa.prompting import Condition


@dataclass(frozen=True, kw_only=True)
class RetrievalFlags(RetrievalSettings):
    """Retrieved context, for the condition rag."""

    def given(self) -> dict[str, object]:
        """Return the flags by name; None or False where one was not given."""
        return {
            "--top-k": self.top_k,
            "--index": self.index,
            "--max-context-tokens": self.max_context_tokens,
            "--no-follow": not self.follow,
            "--dense": self.dense,
            "--use-reranker": self.use_reranker,
            "--reranker-model": self.reranker_model,
            "--rerank-top-n": self.rerank_top_n,
            "--as-of": self.as_of,
            "--as-of-strict": self.as_of_strict,
        }

    def unused(self, rag: RagConfig | None) -> list[str]:
        """Return a remark where flags were given and no prompt has a retrieved context.

        Args:
            rag: what `config` made of them.
        """
        given = [name for name, value in self.given().items() if value not in (None, False)]
        if rag is not None or not given:
            return []
        return [f"{', '.join(given)} unused: no prompt has a retrieved context"]

    def config(
        self, conditions: tuple[Condition, ...], tokenizer: str | None, revision: str | None = None
    ) -> RagConfig | None:
        """Return what the flags mean; None where no condition is `rag`.

        Args:
            conditions: the conditions of all prompts.
            tokenizer: the model whose tokenizer counts a context; None where there is none.
            revision: its revision.

        Raises:
            ConfigError: there is no index, or flags contradict each other.
        """
        if "rag" not in conditions:
            return None
        from lawqa.pipelines.evaluation.retrieving import rag_config

        return rag_config(self, tokenizer, revision)
