"""The values that a setting may have where there are a few: each list is written here and nowhere else.

Command line, pipelines and the packages that act on a value take its type from here, so that a new value is
one word in one place.
"""

from __future__ import annotations

from typing import Literal

Mode = Literal["direct", "cot"]
"""direct: the answer is one letter; cot: reasoning, then a final answer line."""

Condition = Literal["closed", "gold", "rag"]
"""closed: no context; gold: the data set's own context; rag: retrieved context."""

OwnCondition = Literal["closed", "gold"]
"""The conditions that need no index."""

Permutations = Literal[1, 4, 24]
"""In how many orders of its choices a question is put; see `lawqa.choices.orders`."""

AnswerBy = Literal["logits", "generate"]
"""`logits`: the likeliest label of one forward pass; `generate`: parsed from generated text."""

Way = Literal["direct", "cot", "thinking"]
"""How an answer comes about: one letter, reasoning, or a think block, with or without reasoning after it."""

LadderWay = Literal["direct", "orders", "cot", "thinking"]
"""direct: one letter by its probability; orders: the mean of that over 4 orders of the choices; cot: the vote
of several reasoned answers, over 4 orders where they can be divided; thinking: the same with the model's own
thinking."""

BackendName = Literal["hf", "ollama", "openai", "scripted"]
"""Who answers: a model in Hugging Face format, an Ollama or OpenAI-style server, or a table of answers."""

LocalBackend = Literal["hf", "scripted"]
"""Those that need no server."""

FinalRule = Literal["plain", "vote", "soft", "orders", "orders-samples"]
"""How the answers to the prompts of a question become one.

plain: the first sample in the first order. vote: the choice that most prompts picked. soft: the choice with
the highest mean probability over all prompts. orders: the same over the choice orders, first samples only.
orders-samples: over the samples of each order, then over the orders. A prompt without label probabilities
counts as probability 1 for its answer. Those of a text are of the place where its answer's label belongs.
"""

RunBy = Literal["own", FinalRule]
"""A rule; `own` for the one that the run's prompts call for."""

By = Literal[RunBy, "prompts"]
"""The same; `prompts` for no final answer: every prompt counts, a question's prompts as one cluster."""

Clusters = Literal["question", "group"]
"""What counts as one independent unit: a question, or a group of questions linked by article or wording."""

Seeds = Literal["auto", "together", "ensemble", "apart"]
"""Which runs are repeats of one: those that differ in the seed alone; all others; all others, which answer as
one; none."""

Language = Literal["ja", "en"]
"""The language of a report."""

LogFormat = Literal["lm-eval", "inspect"]
"""Whose logs are read."""

RunFormat = Literal["csv", "parquet", LogFormat]
"""What a run is written as."""

WordRules = Literal["rules", "sudachi"]
"""What cuts a query into words: script and pairs of kanji, or SudachiPy."""
