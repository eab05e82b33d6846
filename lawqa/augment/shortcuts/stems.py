"""Whether a question asks for the choice that is wrong, or that does not belong."""

from __future__ import annotations

import re

_ASKED = 60
"""Characters at the end of a question in which it says what it asks for."""

_WRONG = re.compile(
    r"誤っ|誤つ|誤り|間違|不適切|不適当"
    r"|(?:正しく|適切で|適当で|妥当で)(?:は)?ない"
    r"|(?:該当し|含まれ|当たら|あたら|(?<!なければ)なら|とされ|でき|要し|掲げられてい|記載されてい|適用され|必要の|必要が|反し)ない"
    r"(?=もの|者|事項|行為|条文|場合|号|書類|とき|記述|とされている)"
)
_ASKS = re.compile(r"教えて|選[びん]|どれ|答え|いくつ")


def asks_for_wrong(text: str) -> bool:
    """Tell whether the last clause of a question asks for the false or the excluded choice."""
    asked = text.rstrip().splitlines()[0] if "\n" in text else text
    places = [match.start() for match in _ASKS.finditer(asked)]
    end = places[-1] if places else len(asked)
    clause = re.split(r"[、。」]", asked[max(0, end - _ASKED) : end])[-1]
    return _WRONG.search(clause) is not None
