"""Stretches of the text that speak of another question: made-up prompts and worked examples."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from lawqa.answers.marks import Mark, Strength
from lawqa.answers.text.page import Page, fold_choices
from lawqa.answers.wording import word

_MOST = 50
_SHORT_PARAGRAPH = 200
_QUESTION = re.compile(
    r"\n[ #>\-]{0,6}(?:"
    r"\(?(?:質問|問題文?|設問|問い|例題|question|problem|user|human|ユーザー|法令条文|参考(?:条文"
    r"|法令)|関連(?:条文|法令)|条文)"
    r" ?(?:(?:\d{1,3}|[:)])[^\n]{0,400}|(?=\n))"
    r"|(?:user|human)(?=\n)"
    r"|(?:以下|次)の[^\n]{0,80}(?:答え|回答|解答|選択|選び|選ん)[^\n]{0,60}(?:ください|下さい"
    r"|なさい|せよ)[^\n]{0,40}"
    r"|(?:あなたは|you are)[^\n]{3,200})(?=\n|\Z)"
)
_LINE = r"[ #>\-(\[]{0,6}"
_NOUN = r"(?:問題文?|設問|質問|問い?|例題|課題|クイズ|question|problem|exercise|quiz|query)"
_CHINESE_NOUN = r"(?:问题|题目|題目|试题|例题|练习题?|[题題])"
_OTHER = (
    r"(?:(?:次|別|もう(?:一|1|ひと)つ|他|ほか|続いて|続き|新た|追加|関連|類似)の|次なる|新しい|新たな"
    r"|別な|追加|練習|類似|確認"
    r"|関連|演習|応用|(?:the )?next|another|one more|a new|new|additional|follow-up|practice|similar"
    r"|下一[个道]?|另一[个道]?)"
)
_NUMBER = r"(?:no\.? ?|第 ?)?(?:[2-9]|1[0-9]|[二三四五②-⑩])"
_TASK = r"(?:ください|下さい|なさい|せよ|ましょう)"
_NEXT_LINE = (
    # a later number, or a word for another one: 問題2, (問題2), 第2問, Question 2, 第2题, 次の問題：
    rf"{_LINE}(?:{_OTHER} ?(?:の ?)?(?:{_NOUN}|{_CHINESE_NOUN})|{_NOUN} ?{_NUMBER}|q\.? ?{_NUMBER}"
    rf"|第 ?(?:[2-9]|1[0-9]|[二三四五]) ?(?:問|题|題)|{_CHINESE_NOUN} ?{_NUMBER}|문제 ?{_NUMBER}|類題|类题)"
    r"(?:[ .]{0,3}[:。\n ]|[)\]])"
    # a turn of the person who asks
    rf"|{_LINE}(?:user|human|ユーザー?|利用者|質問者|用户|使用者|提问者?|사용자|usuario"
    rf"|utilisateur|benutzer"
    r"|instruction|指示|inst)(?:の質問|の問い|'s question)?[ )\]]{0,3}(?::|\n)| {0,3}\[/?inst\]"
    # a heading, in any of the languages that models slip into
    rf"|{_LINE}(?:q|{_NOUN}|quiz|{_CHINESE_NOUN}|问"
    rf"|질문|문제|pregunta|problema"
    r"|frage|aufgabe|domanda|pergunta|вопрос|задача|câu hỏi|pertanyaan|soal|سؤال|प्रश्न"
    r"|คำถาม)[ )\]]{0,2}[:.]"
    rf"| {{0,3}}#{{1,6}} {{0,3}}(?:{_NOUN}|input|入力|instruction|指示)[: ]{{0,2}}(?=\n)"
    # a sentence that hands over another one
    r"|[ >#]{0,5}(?:(?:それでは|では|さて)、? ?)?もう(?:一|1|ひと)問[。、:]"
    rf"|{_LINE}(?:请你?回答|請回答|请问|請問|다음)"
    rf"|[ >#]{{0,5}}(?:(?:それでは|では|さて)、? ?)?(?:{_OTHER} ?{_NOUN}|続いて)[^\n]{{0,20}}(?:です"
    rf"|ます|{_TASK})[。 ]{{0,2}}(?=\n)"
    rf"|[ >]{{0,3}}(?:以下|次)の[^\n]{{0,24}}{_NOUN}に[^\n]{{0,40}}{_TASK}"
    r"|[ >]{0,3}(?:あなたは[^\n]{2,40}(?:です|として)|you are an? [^\n]{2,60}(?:expert|assistant|lawyer"
    r"|professor)\b)"
    rf"|[ >#]{{0,5}}(?:here(?:'s| is| are)|(?:now,? |ok,? |so,? )?let(?:'s| us) (?:try|do|look at"
    rf"|move on to)|now for"
    rf"|moving on to)[^\n]{{0,12}}"
    r" (?:another|next|new|more|different|following)\b(?! (?:way|look|point|reason|argument|step|angle"
    r"|perspective))"
    rf"|[ >#]{{0,5}}(?:now,? )?(?:please )?(?:answer|solve) the (?:following|next) {_NOUN}"
    # the next turn of the one who answers
    r"|[ #>(\[]{0,4}(?:assistant|アシスタント|回答者|model|助手)[ )\]]{0,2}(?::|(?=\n))"
    # a heading in brackets, and what it asks in the same line
    rf"| {{0,3}}[(<](?:{_NOUN}|{_CHINESE_NOUN}|例題?|例) ?[0-9]{{0,2}}[)>] ?(?=\n?[^\n]{{4}})"
    r"|[ >#]{0,5}(?:now|next),? (?:please )?(?:consider|try|take|answer|solve)[^\n]{0,24} (?:question"
    r"|problem|scenario|case)\b"
    # a line that asks, numbered or not
    r"|[ #>(]{0,4}(?:[0-9]{1,3} ?[.、):]{1,2} {0,2})?(?:下列|以下(?:哪|关于)|关于|(?:次"
    r"|以下)の[^\n、。]{0,6}?(?:うち"
    r"|中|記述|文|各文|説明|選択肢)"
    r"|which (?:of|one))[^\n]{1,160}?(?:どれ(?:か|ですか|でしょうか)|いずれ(?:か|ですか)|選(?:べ|びなさい"
    r"|択しなさい|択せよ|んでください)"
    r"|的是|\?)[ 。?()_]{0,8}(?=\n|\Z|a[.):、 ])"
    r"|[ #>]{0,4}[0-9]{1,2} ?[.、)] {0,2}(?:下列|以下哪|次の(?:うち|記述|文)|which of the)[^\n]{1,120}"
)
_FIRST = (
    "<问次別他続新追関類練確演応以質問設例課題クユ利用提使指入そでさ续下另试練练题題类用请請关第あ回ア助사질문다"
    "tanofpsqyuhlmiewdb0-9вз¿câسप्ค\\[ほも"
)
"""With which signs a line begins that may hand over another question, bullets and brackets left out."""
_NEXT = re.compile(rf"\n(?=[ #>\-(\[]{{0,8}}[{_FIRST}])(?:{_NEXT_LINE})")
_SENTENCE_NEXT = re.compile(
    r"[。.](?<=[。.]) ?(?:次の|別の|続いての|next )(?:問題|質問|設問|question)[:、は]"
)
"""A sentence that hands over another question, in the line of the answer."""
_INLINE = re.compile(
    r"(?:[?:。]|か(?=[ 。(a])|は(?=[ (a:])|ください|なさい|せよ|选"
    r"|選)[ \n(\[]{0,4}a(?P<sign>[.):、,])[^\n]{1,400}?[ ;,。、.)(]b(?P=sign)"
    r"[^\n]{1,400}?[ ;,。、.)(]c(?P=sign)[^\n]{1,400}?[ ;,。、.)(]d(?P=sign)(?P<last>[^\n]{1,400})"
)
_ASKED = re.compile(
    r"\?|どれか|いずれか|どの|何か|選[びべ]|选|下列|次の(?:うち|中)|以下の?(?:うち|中|哪)|哪|何者"
    r"|which|what|who|correct|¿|cuál"
)
_LINE_ENDS = re.compile(r"[)\]\"'$ ]{0,4}(?:[.:、]|[.。]?[ ]?(?:\n|\Z))")
_VERDICT = re.compile(
    r"a[.):、,] {0,2}(?:[正誤×○不妥適对错]|(?:in)?correct|wrong|right|true|false)"
)
_CHOICES = re.compile(
    "".join(rf"\n[ >\-(]{{0,6}}{label}[ .):、][^\n]{{2,600}}(?=\n)\n{{0,1}}" for label in "abc")
    + r"\n[ >\-(]{0,6}d[ .):、][^\n]{2,600}"
)
_EXAMPLE = re.compile(
    r"\n {0,3}#{1,6} {0,3}(?:\d{1,2}\. {0,3})?(?:worked |concrete )?"
    r"(?P<section>examples?\b|sample\b|例|具体例)[^\n]{0,80}"
    r"|\n[ >\-]{0,4}\(?(?:example|例題?|回答例|出力例|解答例|参考例)[ \d)]{0,4}:?[ )]{0,3}(?=\n)"
)
_TOLD = re.compile(
    rf"(?:let's say|{word('suppose', 'imagine', 'assume')})(?: that)? (?:the|a"
    rf"|your)(?: \w{{1,20}})? "
    r"question (?:was|is|were|asks|reads|had)"
)
_GIVEN = re.compile(
    r"(?:下面|以下|如下)(?:是|为)?(?:一个|几个)?(?:例子|示例|样例)|(?:以下|次)(?:に|は)、?(?:回答"
    r"|解答|出力)?例(?:を|です|で)"
    r"|here(?:'s| is) an example(?: of|:)|the (?:following )?example below"
)
"""What hands over an example with question and answer, up to the words that put the real question."""
_GIVEN_END = re.compile(
    r"\n[ >#]{0,4}(?:请|现在|问题|题目|では|それでは|質問|問題|now|question|your turn)"
)
_EXAMPLE_WORDS = ("例", "example", "sample", "let's say", "suppose", "imagine", "assume")
_GIVEN_WORDS = ("例子", "示例", "样例", "例を", "例です", "例で", "an example", "example below")
_SECTION_END = re.compile(r"\n {0,3}(?:#{1,6}[^#]|-{3,} {0,3}(?:\n|\Z))")
_PARAGRAPH_END = re.compile(r"(?<!\n)\n {0,8}\n")
_BLANK = re.compile(r"\s+")


def next_question_at(page: Page, marks: Sequence[Mark]) -> int | None:
    """Where a prompt that the model makes up begins, if an answer stands before it; else None.

    A made-up prompt is headed as the next question, or lists four choices none of which is ours; where
    ours are not known, it is known by the heading of a question before its list.
    """
    claims = [m for m in marks if m.kind == "claim" and m.strength >= Strength.CLAIM]
    if not claims:
        return None
    cuts = (
        _headed_question_at(page, claims),
        _listed_choices_at(page, claims),
        _inline_choices_at(page, claims),
    )
    return min((cut for cut in cuts if cut is not None), default=None)


def speaks_of_others(page: Page) -> bool:
    """Whether the text may speak of another question somewhere: an example, a heading, a list of choices."""
    text = page.text
    return (
        any(True for _ in example_stretches(page))
        or _NEXT.search(text) is not None
        or _QUESTION.search(text) is not None
        or _next_sentence_at(text, 0) is not None
        or _CHOICES.search(text) is not None
        or (_may_list_inline(text) and _INLINE.search(text) is not None)
    )


def _may_list_inline(text: str) -> bool:
    """Whether all four choices may be listed in one line, each followed by the same sign."""
    return any(
        "d" + sign in text and "c" + sign in text and "b" + sign in text for sign in ".):、,"
    )


def _handed_in(page: Page, claims: list[Mark]) -> int | None:
    """Behind the first answer line, answer sentence or lone letter; reasoning may come before all of them."""
    lone = ("lone-line", "headed-line")
    paragraph = page.text.find("\n\n")
    return min(
        (
            m.span[1]
            for m in claims
            if m.strength >= Strength.STATED
            or m.rule in lone
            or m.span[1] < paragraph <= _SHORT_PARAGRAPH
            or (m.rule == "opening-label" and _LINE_ENDS.match(page.text, m.span[1]))
        ),
        default=None,
    )


def _headed_question_at(page: Page, claims: list[Mark]) -> int | None:
    """Where a heading announces another question behind an answer line; 次の問題：c is no such heading."""
    at = _handed_in(page, claims)
    if at is None:
        return None
    for heading in islice(_NEXT.finditer(page.text, at), _MOST):
        if not (page.choices and _ours(page, page.text[heading.end() : heading.end() + 1500])):
            return min(heading.start(), _next_sentence_at(page.text, at) or heading.start())
    return _next_sentence_at(page.text, at)


def _next_sentence_at(text: str, at: int) -> int | None:
    """Where a sentence hands over another question, in the line of the answer."""
    for key in ("の問題", "の質問", "の設問", "next question"):
        if key in text:
            handed = _SENTENCE_NEXT.search(text, at)
            return handed.start() if handed else None
    return None


def _inline_choices_at(page: Page, claims: list[Mark]) -> int | None:
    """Where, behind an answer line, a question with its choices in one line begins (`…?A:…;B:…;C:…;D:…`)."""
    at = _handed_in(page, claims)
    if at is None or not _may_list_inline(page.text):
        return None
    for listed in islice(_INLINE.finditer(page.text, at), _MOST):
        line = page.text.rfind("\n", at, listed.start()) + 1
        before = page.text[max(line, at) : listed.start() + 3]
        if _ASKED.search(before) and not _VERDICT.search(listed[0]):
            return max(line - 1, at)
    return None


def _listed_choices_at(page: Page, claims: list[Mark]) -> int | None:
    first = min(m.at for m in claims)
    heading = _QUESTION.search(page.text, first)
    for choices in islice(_CHOICES.finditer(page.text, first), _MOST):
        headed = heading is not None and heading.start() <= choices.start()
        if headed if not page.choices else not _ours(page, choices[0]):
            return heading.start() if heading and headed else choices.start()
    return None


def _ours(page: Page, listed: str) -> bool:
    """Whether one of the listed choices begins like one of the choices that were asked."""
    squeezed = "".join(filter(str.isalnum, listed))
    starts = ("".join(filter(str.isalnum, choice))[:60] for choice in fold_choices(page.choices))
    return any(start in squeezed for start in starts if start)


def example_stretches(page: Page) -> Iterator[tuple[int, int]]:
    """Where a worked example of another question stands.

    A section headed as an example, or introduced by `let's say the question was`, lasts until the next
    heading or rule; a line that only says `例：` introduces one paragraph.
    """
    text = page.text
    if not any(key in text for key in _EXAMPLE_WORDS):
        return
    given = any(key in text for key in _GIVEN_WORDS)
    text = "\n" + text
    told = islice(_TOLD.finditer(text), _MOST) if "question" in text else ()
    for found in islice(_GIVEN.finditer(text), _MOST) if given else ():
        end = _GIVEN_END.search(text, found.end())
        yield found.start() - 1, (end.start() if end else len(text)) - 1
    for found in (*islice(_EXAMPLE.finditer(text), _MOST), *told):
        long = found.re is _TOLD or found["section"]
        blank = _BLANK.match(text, found.end())
        start = blank.end() if blank and not long else found.end()
        end = (_SECTION_END if long else _PARAGRAPH_END).search(text, start)
        yield found.start() - 1, (end.start() if end else len(text)) - 1
