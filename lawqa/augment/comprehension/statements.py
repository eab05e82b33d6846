"""True and false statements in other words than the statute's, made of one sentence of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lawqa.augment.comprehension.ruby import holds_reading
from lawqa.augment.comprehension.wording import (
    FALSE_OF,
    OPTIONAL,
    TRUE_OF,
    commanded,
    loosened,
    modern,
    plainly,
    without_definitions,
)
from lawqa.augment.provisions import Provision
from lawqa.augment.questions.alterations import Alteration, alterations
from lawqa.augment.questions.drafts import shuffled
from lawqa.augment.questions.excerpts import Excerpt
from lawqa.augment.questions.modality import DeonticSentence, deontic_sentence
from lawqa.augment.questions.self_contained import stands_unaided
from lawqa.augment.questions.statute_facts import Statute, actor_class
from lawqa.augment.questions.which_provision import speaks_of_its_place

MIN_STATEMENT, MAX_STATEMENT = 28, 125
"""Characters of the sentence that a statement is made of."""

_BODY_KINDS = ("quantity", "actor", "timing", "procedure", "threshold", "order")
_TOPIC = re.compile(r"^([^、。「」（）]{2,40}?)(?:は|も)、")
_HARD = re.compile(
    r"[（「『〔]|この(?:条|項|号|章|節|款|目|編|法律|政令|省令|府令|規則)|本[条項]|(?<![一-龠])[法令](?:第|の規定)"
    r"|これより|附則|従前の例|なお|次に|次の|左の|当該各|それぞれ|前段|後段|その(?:他の?)?(?:旨の)?(?:期間|場合)は"
)
_OPENING = re.compile(r"ただし|この場合|その|当該|これ|それ|かかる|同[項条号法]")
# 委員は、…の決議によつて解職することができる: what is before は is whom it is done to, not who does it.
_DONE_TO = re.compile(
    r"は、[^。]*?決議(?:により|によつて|によって|をもつて|をもって)[^、。をに]*(?:解任|解職|選任|除名|解散)"
)
_CASE = re.compile(r"(?:とき|場合)(?:に)?は、")
_DELEGATED = re.compile(r"(?:政令|省令|府令|規則|条例)で定める")


@dataclass(frozen=True)
class Statement:
    """What is said of a provision."""

    provision: Provision
    text: str
    """With its full stop."""
    true: bool
    kind: str
    """What was altered; `kept` for a true one."""
    fact: str
    """The alteration for the record; empty for a true one."""


@dataclass(frozen=True)
class StatementSource:
    """A sentence that statements can be made of."""

    provision: Provision
    excerpt: Excerpt
    """The sentence as the statute has it."""
    sentence: str
    """The same without definitions."""
    true: tuple[Statement, ...]
    false: tuple[Statement, ...]


def sources(statute: Statute, seed: int) -> Iterator[StatementSource]:
    """Yield the sentences of a statute of which both a true and a false statement can be made, in order."""
    seen: set[str] = set()
    for excerpt in statute.excerpts:
        if excerpt.provision.key in seen or not _is_plain(excerpt):
            continue
        source = statement_source(excerpt, statute, seed)
        if source is not None:
            seen.add(excerpt.provision.key)
            yield source


def least_used(
    statements: Sequence[Statement], used: Counter[str], seed: int, name: str
) -> Statement:
    """Return one of the statements: of the kind used least so far, then as the seed has it."""
    least = min(used[s.kind] for s in statements)
    rarest = [s for s in statements if used[s.kind] == least]
    picked = shuffled(rarest, lambda s: s.text, seed, "statement", name)[0]
    used[picked.kind] += 1
    return picked


def is_plain_text(text: str) -> bool:
    """Return whether a sentence is short and means the same wherever it is quoted."""
    return (
        MIN_STATEMENT <= len(text) <= MAX_STATEMENT
        and not _DELEGATED.search(text)
        and is_quotable(text)
    )


def is_quotable(text: str) -> bool:
    """Return whether a text means the same wherever it is quoted."""
    return (
        stands_unaided(text)
        and not speaks_of_its_place(text)
        and not _HARD.search(text)
        and not holds_reading(text)
        and _OPENING.match(text) is None
    )


def _is_plain(excerpt: Excerpt) -> bool:
    return (
        excerpt.item is None
        and not excerpt.below
        and not excerpt.excepted
        and not excerpt.references
        and is_plain_text(without_definitions(excerpt.text))
    )


def statement_source(excerpt: Excerpt, statute: Statute, seed: int) -> StatementSource | None:
    """Return a sentence with its statements; None where no true or no false one can be made of it."""
    sentence = without_definitions(excerpt.text)
    name = f"{excerpt.provision.key}/{excerpt.text[:20]}"
    command = deontic_sentence(sentence)
    if command is not None and (not has_actor(sentence) or _DONE_TO.search(sentence)):
        return None
    true = list(_true(excerpt, sentence, command, seed, name))
    false = [
        *_false_by_force(excerpt, command, seed, name),
        *_false_by_body(excerpt, statute, seed, name),
    ]
    if not true or not false:
        return None
    return StatementSource(excerpt.provision, excerpt, sentence, tuple(true), tuple(false))


def has_actor(sentence: str) -> bool:
    """Return whether the subject of a sentence is somebody who can be obliged or allowed."""
    topic = _TOPIC.match(sentence)
    return topic is not None and (topic[1] == "何人" or actor_class(topic[1]) is not None)


def _has_power(sentence: str) -> bool:
    """Return whether an authority may do it: that it need not is then a point of law, not a truism."""
    topic = _TOPIC.match(sentence)
    return topic is not None and actor_class(topic[1]) == "authority"


def _true(
    excerpt: Excerpt, sentence: str, command: DeonticSentence | None, seed: int, name: str
) -> Iterator[Statement]:
    if command is None:
        if (text := plainly(sentence, seed, name)) is not None:
            yield _statement(excerpt, text, "kept", "", seed, name)
        return
    for meaning in TRUE_OF[command.force]:
        if command.force == "may" and meaning == OPTIONAL and not _has_power(sentence):
            continue
        text = commanded(command, meaning, seed, f"{name}/{meaning}")
        yield _statement(excerpt, text, "kept", "", seed, name)


def _false_by_force(
    excerpt: Excerpt, command: DeonticSentence | None, seed: int, name: str
) -> Iterator[Statement]:
    if command is None:
        return
    for meaning in dict.fromkeys(FALSE_OF[command.force]):
        text = commanded(command, meaning, seed, f"{name}/{meaning}")
        fact = f"{command.force}→{meaning}"
        yield _statement(excerpt, text, meaning, fact, seed, name)


def _false_by_body(excerpt: Excerpt, statute: Statute, seed: int, name: str) -> Iterator[Statement]:
    for change in alterations(excerpt, statute, seed):
        if change.kind not in _BODY_KINDS or not _certain(change, excerpt.text):
            continue
        altered = without_definitions(change.text)
        command = deontic_sentence(altered)
        if command is None:
            text = plainly(altered, seed, name)
        else:
            meaning = TRUE_OF[command.force][0]
            text = commanded(command, meaning, seed, f"{name}/{meaning}")
        if text is not None:
            fact = f"{change.before}→{change.after}"
            yield _statement(excerpt, text, change.kind, fact, seed, name)


def _certain(change: Alteration, sentence: str) -> bool:
    """Return whether the altered sentence is false whoever is meant.

    What only one actor may do another may perhaps do too; and a court is called by many names.
    """
    if change.kind == "order":
        return "予告" not in sentence
    if change.kind == "timing" and change.after == "あらかじめ":
        return _CASE.search(sentence) is not None  # else in advance of what?
    if change.kind == "quantity":
        short = change.after.endswith(("週間", "日"))
        return not (short and re.search("拘禁刑|懲役|禁錮", sentence))
    if change.kind != "actor":
        return True
    # A court beside a minister is recognised without reading; of two courts either may be meant.
    courts = any(name.endswith("裁判所") for name in (change.before, change.after))
    classes = {actor_class(change.before), actor_class(change.after)}
    return sentence.endswith("なければならない。") and not courts and "person" not in classes


def _statement(
    excerpt: Excerpt, text: str, kind: str, fact: str, seed: int, name: str
) -> Statement:
    said = modern(loosened(text, seed, name))
    return Statement(excerpt.provision, f"{said}。", kind == "kept", kind, fact)
