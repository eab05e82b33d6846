"""The tokens that spell an answer's label."""

from __future__ import annotations

from lawqa.choices import LABELS, label_forms
from lawqa.errors import BackendError
from lawqa.prompting import ChatTokenizer
from lawqa.settings import LabelForms


def label_token_ids(
    tokenizer: ChatTokenizer, prompt_text: str, forms: LabelForms = "all"
) -> list[list[int]]:
    """Return for each label the tokens that spell it as the next token after this prompt.

    Of `choices.label_forms`, or of the bare letter alone, those that this tokenizer has as one token.

    Raises:
        BackendError: some label has no form of a single token there.
    """
    before = tokenizer.encode(prompt_text, add_special_tokens=False)
    spellings: list[list[int]] = []
    for label in LABELS:
        encoded = [
            tokenizer.encode(prompt_text + form, add_special_tokens=False)
            for form in (label_forms(label) if forms == "all" else (label,))
        ]
        single = {ids[-1] for ids in encoded if ids[:-1] == before}
        if not single:
            raise BackendError(
                f"label {label!r} is not a single token for this tokenizer", "--answer-by generate"
            )
        spellings.append(sorted(single))
    if len({token for ids in spellings for token in ids}) != sum(map(len, spellings)):
        raise BackendError("two labels share a token for this tokenizer", "--answer-by generate")
    return spellings
