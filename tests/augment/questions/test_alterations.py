from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from lawqa.augment.provisions import parse_articles
from lawqa.augment.questions.alterations import Alteration, alterations
from lawqa.augment.questions.cloze import cloze_drafts
from lawqa.augment.questions.modality import command_forms, other_commands
from lawqa.augment.questions.statute_facts import Statute, statutes_of
from lawqa.statutes.articles import Article

# Gives numbers, authorities and adverbs to alter to.
FILLER = (
    "期間は、十日以内、五十日以内、四年以内、八年以内とする。金額は、十万円以下、九百万円以下とする。",
    "文部科学大臣は、遅滞なく通知する。環境大臣は、直ちに通知する。法務大臣は、速やかに通知する。財務大臣は、あらかじめ通知する。",
)
Alter = Callable[[str], list[Alteration]]


@pytest.fixture(scope="module")
def build(make_article: Callable[..., Article]) -> Callable[[Sequence[str]], Statute]:
    def make(texts: Sequence[str]) -> Statute:
        articles = [make_article(str(n), "", [text]) for n, text in enumerate(texts, start=1)]
        provisions = parse_articles(articles).provisions
        (statute,) = statutes_of(provisions, provisions)
        return statute

    return make


@pytest.fixture(scope="module")
def alter(build: Callable[[Sequence[str]], Statute]) -> Alter:
    def altered(text: str) -> list[Alteration]:
        statute = build([text, *FILLER])
        excerpt = next(e for e in statute.excerpts if e.text == text)
        return list(alterations(excerpt, statute, 0))

    return altered


@pytest.mark.parametrize(
    ("text", "kind", "allowed"),
    [
        # A shorter time does not follow from a longer one, a longer one does.
        ("業者は、三十日以内に届け出なければならない。", "quantity", {"十日"}),
        ("大臣は、三十日以内の期間を定めて命ずることができる。", "quantity", {"五十日"}),
        ("届出は、その日の三十日前までにしなければならない。", "quantity", {"五十日"}),
        ("取消しの日から五年を経過しない者は、登録を受けることができない。", "quantity", {"八年"}),
        ("取消しの日から五年を経過した者は、申請することができる。", "quantity", {"四年", "五十日"}),
        ("違反した者は、百万円以下の罰金に処する。", "quantity", {"十万円"}),
        ("政令で定める金額は、百万円とする。", "quantity", {"十万円", "九百万円"}),
        ("資本金の額が百万円以上の業者は、監査を受けなければならない。", "quantity", {"十万円"}),
        ("資本金の額が百万円未満の業者は、監査を受けなければならない。", "quantity", {"九百万円"}),
        ("業者は、十分の一の持分を百万円で譲渡することができる。", "quantity", set()),
        ("業者は、変更の後遅滞なく届け出なければならない。", "timing", {"直ちに"}),
        ("業者は、変更したときは、直ちに届け出なければならない。", "timing", set()),
        ("業者は、変更しようとするときは、直ちに届け出なければならない。", "timing", {"あらかじめ"}),
        ("業者は、あらかじめ届け出なければならない。", "timing", {"遅滞なく", "速やかに"}),
        # Nobody else needs to do it either.
        ("文部科学大臣は、通知をすることを要しない。", "actor", set()),
        ("文部科学大臣は、通知をしなければならない。", "actor", {"環境大臣", "法務大臣", "財務大臣"}),
    ],
)  # fmt: skip
def test_only_what_does_not_follow(text: str, kind: str, allowed: set[str], alter: Alter) -> None:
    found = {change.after for change in alter(text) if change.kind == kind}
    assert found == allowed


@pytest.mark.parametrize(
    ("text", "kind", "end"),
    [
        ("資本金が五億円以上の者は、届け出るものとする。", "threshold", "円未満の者は、届け出るものとする。"),
        ("資本金が五億円を超える者は、届け出る。", "threshold", "円以上の者は、届け出る。"),
        ("届出は、会日の二週間前までにするものとする。", "order", "二週間後までにするものとする。"),
        ("申込みは、これを撤回したものとみなす。", "deeming", "撤回したものと推定する。"),
        ("賃借人に不利な内容の特約は、無効とする。", "voidness", "特約は、取り消すことができる。"),
        ("第九条の規定は、国については、適用しない。", "negation", "国については、適用する。"),
    ],
)  # fmt: skip
def test_other_facts(text: str, kind: str, end: str, alter: Alter) -> None:
    assert [c.text.endswith(end) for c in alter(text) if c.kind == kind] == [True]


def test_what_the_statute_says_elsewhere_is_no_alteration(
    build: Callable[[Sequence[str]], Statute],
) -> None:
    texts = ("業者は、変更の届出をしなければならない。", "業者は、変更の届出をすることができる。")
    statute = build(texts)
    first = next(e for e in statute.excerpts if e.text == texts[0])
    assert {change.after for change in alterations(first, statute, 0)} == {"することを要しない。"}


def test_a_number_of_the_same_article_is_no_wrong_answer(
    make_article: Callable[..., Article],
) -> None:
    texts = ["甲に係る契約の存続の期間は、五年とする。", "乙に係る契約の存続の期間は、七年とする。"]
    articles = [
        make_article("1", "", texts),
        make_article("2", "", ["これらの期間は、二年以内、三年以内、四年以内、六年以内とする。"]),
    ]
    provisions = parse_articles(articles).provisions
    (statute,) = statutes_of(provisions, provisions)
    drafts = [d for d in cloze_drafts(statute, 0) if d.excerpt in texts]
    assert len(drafts) == 2
    assert all({"五年", "七年"} & {draft.right} for draft in drafts)
    assert all(not {"五年", "七年"} & set(draft.wrong) for draft in drafts)


@pytest.mark.parametrize(
    ("sentence", "ends"),
    [
        ("書面を提出しなければならない。", {"提出することができる。", "提出することを要しない。"}),
        (
            "その旨を届け出なければならない。",
            {"届け出ることができる。", "届け出ることを要しない。"},
        ),
        ("監査を行わなければならない。", {"行うことができる。", "行うことを要しない。"}),
        ("登録を受けなければならない。", {"受けることができる。", "受けることを要しない。"}),
        ("承認を得なければならない。", {"得ることができる。", "得ることを要しない。"}),
        ("秘密を漏らしてはならない。", {"漏らすことができる。"}),
        ("広告を行つてはならない。", {"行うことができる。"}),
        ("これを利用してはならない。", {"利用することができる。"}),
        ("命ずることができる。", {"命ずることができない。", "命じなければならない。"}),
        ("定めることができる。", {"定めることができない。", "定めなければならない。"}),
        ("取り消すことができる。", {"取り消すことができない。", "取り消さなければならない。"}),
        ("請求することができない。", {"請求することができる。"}),
        ("提出することを要しない。", {"提出しなければならない。"}),
        ("確保に努めなければならない。", set()),
        ("法人でなければならない。", set()),
        ("記載されなければならない。", set()),
        ("登録を受けなければ、営業することができない。", set()),
        ("三年とする。", set()),
    ],
)
def test_commands_turned_round(sentence: str, ends: set[str]) -> None:
    changed = {sentence.removesuffix(before) + after for before, after in other_commands(sentence)}
    assert {text[-len(end) :] for text in changed for end in ends if text.endswith(end)} == ends
    assert len(changed) == len(ends)


@pytest.mark.parametrize(
    ("sentence", "form"),
    [
        ("書面を提出しなければならない。", "しなければならない"),
        ("書面を交付することができる。", "することができる"),
        ("これを利用してはならない。", "してはならない"),
        ("これを譲渡することができない。", "することができない"),
        ("これを提出することを要しない。", "することを要しない"),
        ("登録を取消してはならない。", None),
        ("届け出なければならない。", None),
        ("登録を受けなければ、これを利用してはならない。", None),
    ],
)
def test_forms_of_command(sentence: str, form: str | None) -> None:
    found = command_forms(sentence)
    assert (found and found[0]) == form
    if found:
        same = {"してはならない", "することができない"}
        assert not same <= {found[0], *found[1]}
        assert len({found[0], *found[1]}) == 4
