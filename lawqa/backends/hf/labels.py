"""The tokens that spell an answer's label."""

from __future__ import annotations

from lawqa.choices import LABELS
from lawqa.errors import BackendError
from lawqa.prompting import ChatTokenizer

# What a label can look like as the next token; each is used where the tokenizer has it as one token.
_FORMS = ("{lower}", " {lower}", "{upper}", " {upper}", "{wide_lower}", "{wide_upper}")
_TO_WIDE = 0xFEE0  # from ASCII to the full-width block


def label_token_ids(tokenizer: ChatTokenizer, prompt_text: str) -> list[list[int]]:
    """For each label the tokens that spell it as the next token after this prompt.

    Lower and upper case, with and without a space before it, half and full width.

    Raises:
        BackendError: some label has no form of a single token there.
    """
    before = tokenizer.encode(prompt_text, add_special_tokens=False)
    found: list[list[int]] = []
    for label in LABELS:
        wide = chr(ord(label) + _TO_WIDE)
        forms = {
            form.format(
                lower=label,
                upper=label.upper(),
                wide_lower=wide,
                wide_upper=chr(ord(label.upper()) + _TO_WIDE),
            )
            for form in _FORMS
        }
        encoded = [tokenizer.encode(prompt_text + form, add_special_tokens=False) for form in forms]
        single = {ids[-1] for ids in encoded if ids[:-1] == before}
        if not single:
            raise BackendError(
                f"label {label!r} is not a single token for this tokenizer", "--answer-by generate"
            )
        found.append(sorted(single))
    if len({token for ids in found for token in ids}) != sum(map(len, found)):
        raise BackendError("two labels share a token for this tokenizer", "--answer-by generate")
    return found
