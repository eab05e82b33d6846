from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence

import pytest

from lawqa.augment.comprehension import reading_drafts, thinned
from lawqa.augment.comprehension.defined import _Definition, _is_other
from lawqa.augment.comprehension.statements import _certain, sources
from lawqa.augment.provisions import parse_articles
from lawqa.augment.question_types import READING_TYPES, QuestionType, source_of
from lawqa.augment.questions.alterations import Alteration
from lawqa.augment.questions.drafts import Draft
from lawqa.augment.questions.statute_facts import statutes_of
from lawqa.augment.shortcuts import asks_for_wrong, credits_of
from lawqa.augment.shortcuts.surface import folded
from lawqa.augment.statutes import StatuteQuestions, make_statute_questions
from lawqa.choices import LABELS
from lawqa.questions import Question
from lawqa.statutes.article_names import ArticleName
from lawqa.statutes.articles import Article

Articles = tuple[Article, ...]


@pytest.fixture(scope="module")
def drafts(piers: Articles) -> dict[str, list[Draft]]:
    """All drafts of the law, by type."""
    provisions = parse_articles(piers).provisions
    (statute,) = statutes_of(provisions, provisions)
    made: dict[str, list[Draft]] = {}
    for draft in reading_drafts(statute, READING_TYPES, seed=0):
        made.setdefault(draft.type, []).append(draft)
    return made


def made_of(piers: Articles, types: Sequence[QuestionType] = READING_TYPES) -> StatuteQuestions:
    return make_statute_questions(piers, types=types)


def test_every_type_is_made(drafts: dict[str, list[Draft]]) -> None:
    assert set(drafts) == set(READING_TYPES)


def test_no_statement_is_verbatim_in_the_context(drafts: dict[str, list[Draft]]) -> None:
    for draft in drafts["judged"]:
        for choice in (draft.right, *draft.wrong):
            assert folded(choice) not in folded(draft.context)


def test_right_and_wrong_statements_end_in_the_same_words(drafts: dict[str, list[Draft]]) -> None:
    ends = {
        true: {
            choice[-8:]
            for draft in drafts["judged"]
            for choice in ((draft.right,) if true != asks_for_wrong(draft.text) else draft.wrong)
        }
        for true in (True, False)
    }
    assert ends[True] & ends[False]


def test_the_number_of_right_statements_is_the_recorded_one(drafts: dict[str, list[Draft]]) -> None:
    for draft in drafts["counted"]:
        stated = sum(fact.endswith("正しい") for fact in draft.facts)
        number = 4 - stated if asks_for_wrong(draft.text) else stated
        assert draft.right == ("一つ", "二つ", "三つ", "四つ")[number - 1]
        assert draft.label == LABELS[number - 1]
        assert len(re.findall(r"^[アイウエ] .+。$", draft.text, re.MULTILINE)) == 4


def test_counted_choices_are_in_their_order(piers: Articles) -> None:
    for generated in made_of(piers, ["counted"]).questions:
        assert generated.question.choices == ("一つ", "二つ", "三つ", "四つ")


def test_items_of_another_list_are_wrong(drafts: dict[str, list[Draft]]) -> None:
    lists = {
        "許可の申請書に添付しなければならない書類": "場所を示す図面|見積書|同意書|計画書",
        "認可の申請書に添付しなければならない書類": "履歴書|一覧表|決算書|証する写し",
        "廃止の届出書に添付しなければならない書類": "工程表|測量図|記録",
    }
    assert drafts["listed"]
    for draft in drafts["listed"]:
        own = next(items for asked, items in lists.items() if asked in draft.text)
        assert re.search(own, draft.right)
        assert not any(re.search(own, choice) for choice in draft.wrong)
        homes = [sum(bool(re.search(i, c)) for c in draft.wrong) for i in lists.values()]
        assert max(homes) <= 2  # three of one list would give the fourth away by its place


def test_the_exception_belongs_to_the_rule_that_is_asked_for(
    drafts: dict[str, list[Draft]],
) -> None:
    cases = {
        "点検": "災害により桟橋に近づくことができない場合",
        "料金": "国の機関が救難のために桟橋を利用する場合",
        "日没後": "港長が消火の設備を備えていると認めた場合",
        "規程": "試験的に機器を動かすにとどまる場合",
    }
    assert drafts["excepted"]
    for draft in drafts["excepted"]:
        word = next(word for word in cases if word in draft.text)
        assert draft.right == cases[word]
        assert all(choice.endswith("場合") for choice in draft.wrong)


def test_the_penalty_is_that_of_the_rule_that_is_broken(drafts: dict[str, list[Draft]]) -> None:
    penalties = {"許可を受け": "2年以下の拘禁刑", "秘密": "1年以下の拘禁刑又は50万円以下の罰金"}
    assert {d.right for d in drafts["penalised"]} == set(penalties.values())
    for draft in drafts["penalised"]:
        assert draft.right == next(right for word, right in penalties.items() if word in draft.text)


def test_a_court_does_not_stand_for_a_minister() -> None:
    sentence = "国土交通大臣は、許可をしたときは、その旨を通知しなければならない。"
    for other, certain in (("簡易裁判所", False), ("法務大臣", True)):
        text = sentence.replace("国土交通大臣", other)
        change = Alteration("actor", "国土交通大臣", other, text)
        assert _certain(change, sentence) is certain


def test_whom_something_is_done_to_is_no_actor(make_article: Callable[..., Article]) -> None:
    text = "監査委員は、桟橋の利用者が構成する総会の決議によつて解職することができる。"
    provisions = parse_articles([make_article("3", "", (text,))]).provisions
    (statute,) = statutes_of(provisions, provisions)
    assert list(sources(statute, 0)) == []


def test_a_reference_is_followed_to_the_provision_that_it_names(
    drafts: dict[str, list[Draft]],
) -> None:
    (draft,) = drafts["referred"]
    assert draft.right == "桟橋を設置しようとする者"
    assert "別の規定による許可" in draft.text
    assert "第3条" not in draft.text
    assert all(choice not in draft.text for choice in (draft.right, *draft.wrong))
    assert "第三条第一項の許可に" in draft.context
    assert "国土交通大臣の許可を受けなければならない" in draft.context


def test_a_reference_that_two_provisions_make_alike_is_not_asked_for(
    piers: Articles, make_article: Callable[..., Article]
) -> None:
    twin = make_article(
        "14", "（認可の条件）",
        ("国土交通大臣は、第九条第一項の認可に、係留する船舶の安全を確保するため必要な条件を付することができる。",),
        law="桟橋管理法",
    )  # fmt: skip
    provisions = parse_articles([*piers, twin]).provisions
    (statute,) = statutes_of(provisions, provisions)
    assert list(reading_drafts(statute, ["referred"], seed=0)) == []


def test_a_penalty_does_not_name_the_punished(
    piers: Articles, make_article: Callable[..., Article]
) -> None:
    penal = make_article(
        "24",
        "",
        ("第七条第二項の規定に違反したときは、役員を十万円以下の過料に処する。",),
        law="桟橋管理法",
    )
    provisions = parse_articles([*piers, penal]).provisions
    (statute,) = statutes_of(provisions, provisions)
    made = list(reading_drafts(statute, ["penalised"], seed=0))
    assert made
    assert not any("役員を" in choice for d in made for choice in (d.right, *d.wrong))


def test_a_list_that_is_announced_alike_gives_no_wrong_choice(
    piers: Articles, make_article: Callable[..., Article]
) -> None:
    texts = [
        a.paragraphs[0].text.replace("認可の", "許可の").replace("廃止の届出書", "許可の申請書")
        for a in piers
        if a.article in ("10", "11", "12")
    ]
    assert len({text.split("\n")[0] for text in texts}) == 1
    lists = [
        make_article(str(n), "", (text,), law="桟橋管理法") for n, text in enumerate(texts, 10)
    ]
    provisions = parse_articles(lists).provisions
    (statute,) = statutes_of(provisions, provisions)
    assert list(reading_drafts(statute, ["listed"], seed=0)) == []


def test_the_same_item_of_the_same_list_in_two_laws_is_asked_for_once(
    piers: Articles, make_article: Callable[..., Article]
) -> None:
    twins = [
        make_article(a.article, a.caption, [p.text for p in a.paragraphs], law="灯台管理法")
        for a in piers
    ]
    once = make_statute_questions(piers, types=["listed"])
    both = make_statute_questions([*piers, *twins], types=["listed"])
    assert both.questions_left_out["same wording as another question"] >= 1
    assert len(both.questions) <= len(once.questions) + 4


@pytest.mark.parametrize(
    ("who", "other"),
    [
        ("商人", False),
        ("吸収合併存続会社", False),
        ("桟橋利用者", True),
    ],
)
def test_whoever_the_defined_may_be_as_well_is_no_wrong_choice(
    piers: Articles, who: str, other: bool
) -> None:
    provisions = parse_articles(piers).provisions
    own = _Definition(provisions[0], "桟橋管理者", "第三条の許可を受けて桟橋を設置した者")
    assert _is_other(who, own) is other


def test_a_definition_is_asked_for_without_its_term(drafts: dict[str, list[Draft]]) -> None:
    assert drafts["defined"]
    for draft in drafts["defined"]:
        assert "第3条の許可を受けて桟橋を設置した者" in draft.text
        assert "桟橋管理者について" not in draft.text
        assert "「桟橋管理者」とは" in draft.context


def test_what_is_also_said_of_the_defined_is_no_wrong_choice(
    piers: Articles, make_article: Callable[..., Article]
) -> None:
    also = make_article(
        "15", "",
        (
            "桟橋管理者は、桟橋の設備を損傷したときは、直ちに港長に通報しなければならない。",
            "桟橋利用者は、車両を乗り入れようとするときは、桟橋管理者の指示に従わなければならない。",
        ),
        law="桟橋管理法",
    )  # fmt: skip
    provisions = parse_articles([*piers, also]).provisions
    (statute,) = statutes_of(provisions, provisions)
    made = list(reading_drafts(statute, ["defined"], seed=0))
    assert made
    assert not any("損傷" in choice for draft in made for choice in draft.wrong)


def test_what_the_law_says_of_two_others_alike_is_no_wrong_choice(
    piers: Articles, make_article: Callable[..., Article]
) -> None:
    alike = make_article(
        "15",
        "",
        ("桟橋検査機関は、積荷の目録を船舶の内部に備え付けておかなければならない。",),
        law="桟橋管理法",
    )
    provisions = parse_articles([*piers, alike]).provisions
    (statute,) = statutes_of(provisions, provisions)
    made = list(reading_drafts(statute, ["defined"], seed=0))
    assert not any("積荷の目録" in choice for draft in made for choice in draft.wrong)


def test_what_is_applied_elsewhere_is_no_wrong_choice_for_the_defined(
    piers: Articles, make_article: Callable[..., Article]
) -> None:
    applied = make_article(
        "15",
        "",
        ("第七条及び第九条の二の規定は、桟橋管理者について準用する。",),
        law="桟橋管理法",
    )
    provisions = parse_articles([*piers, applied]).provisions
    (statute,) = statutes_of(provisions, provisions)
    made = list(reading_drafts(statute, ["defined"], seed=0))
    assert not any("料金" in c or "積荷の目録" in c for draft in made for c in draft.wrong)


@pytest.mark.parametrize("limit", [4, 8, 12, None])
def test_a_quarter_asks_for_the_wrong_choice(piers: Articles, limit: int | None) -> None:
    made = make_statute_questions(
        piers, types=["judged", "counted", "applied", "penalised"], limit=limit
    )
    asked = [asks_for_wrong(g.question.text) for g in made.questions]
    assert len(asked) == (limit or len(asked)) >= 4
    assert sum(asked) * 4 == len(asked)


def test_questions_that_never_ask_for_the_wrong_choice_are_all_kept(piers: Articles) -> None:
    made = make_statute_questions(piers, types=["listed", "excepted", "penalised"])
    assert made.questions_left_out.get("over the limit") is None
    assert len(made.questions) >= 4
    assert not any(asks_for_wrong(g.question.text) for g in made.questions)


def test_in_advance_needs_something_to_be_in_advance_of() -> None:
    for sentence, certain in (
        ("所有者は、遅滞なく、船舶を移動しなければならない。", False),
        ("所有者は、航路を変えるときは、遅滞なく、船舶を移動しなければならない。", True),
    ):
        text = sentence.replace("遅滞なく", "あらかじめ")
        assert _certain(Alteration("timing", "遅滞なく", "あらかじめ", text), sentence) is certain


def test_no_limit_of_the_audit_is_broken_by_thinning(question: Callable[..., Question]) -> None:
    # Forty questions that the longest choice solves, and as many that it does not solve.
    made = [
        question(
            id=f"生成_港_第{n}条_判断_1",
            text="次のうち、正しいものを教えてください。",
            choices=tuple(
                f"{'甲乙丙丁'[place]}{n}"
                + ("の長い選択肢" if place == n % (4 if n < 40 else 3) else "")
                for place in range(4)
            ),
            gold="abcd"[n % 4],
            context="",
        )
        for n in range(80)
    ]
    before = sum(credits_of(q)["longest"] for q in made) / len(made)
    kept = thinned(made, seed=0)
    left = [q for q in made if q.id in kept]
    assert before > 0.5
    assert sum(credits_of(q)["longest"] for q in left) / len(left) <= 0.35
    assert thinned(made, seed=0) == kept


def test_labels_are_dealt_in_equal_shares(piers: Articles) -> None:
    made = made_of(piers)
    golds = Counter(g.question.gold for g in made.questions)
    assert len(made.questions) >= 8
    assert len(set(golds.values())) == 1
    assert {source_of(g.question.id) for g in made.questions} <= {
        f"statute:{kind}" for kind in READING_TYPES
    }


def test_the_seed_changes_the_questions_and_nothing_else_does(piers: Articles) -> None:
    one = make_statute_questions(piers, types=READING_TYPES, seed=1)
    assert one == make_statute_questions(iter(piers), types=READING_TYPES, seed=1)
    assert one != make_statute_questions(piers, types=READING_TYPES, seed=2)


def test_excluded_articles_give_nothing(piers: Articles) -> None:
    made = make_statute_questions(
        piers, types=READING_TYPES, excluded=[ArticleName("桟橋管理法", "5")]
    )
    assert made.questions
    assert not any("桟橋の安全を確保するため" in str(g.question) for g in made.questions)


def test_a_limit_is_filled_from_several_laws(
    piers: Articles, make_article: Callable[..., Article]
) -> None:
    other = [
        make_article(
            a.article,
            a.caption,
            [p.text.replace("桟橋", "灯台") for p in a.paragraphs],
            law="灯台管理法",
        )
        for a in piers
    ]
    made = make_statute_questions([*piers, *other], types=["judged"], limit=8)
    assert len(made.questions) <= 8
    assert made == make_statute_questions([*piers, *other], types=["judged"], limit=8)


def _lists(make_article: Callable[..., Article], *lists: tuple[str, Sequence[str]]) -> list[Draft]:
    articles = [
        make_article(
            str(number),
            "",
            [
                "\n".join(
                    [lead, *(f"{n} {item}" for n, item in zip("一二三四五", items, strict=False))]
                )
            ],
            law="桟橋管理法",
        )
        for number, (lead, items) in enumerate(lists, 10)
    ]
    provisions = parse_articles(articles).provisions
    (statute,) = statutes_of(provisions, provisions)
    return list(reading_drafts(statute, ["listed"], seed=0))


REGISTER = (
    "登録簿には、次に掲げる事項を記載しなければならない。",
    ["桟橋の水深及び延長", "登録をした年月日", "係留施設の構造の種別"],
)
NOTICE = (
    "港長は、次に掲げる事項を公示しなければならない。",
    ["灯火の点灯する時刻", "通航を禁止する区域", "水先人の乗船する地点"],
)
LONG = "の状況" * 60


@pytest.mark.parametrize(
    ("third", "made"),
    [
        (["潮位の観測の結果", "曳船の隻数及び馬力", "荷役の機械の能力"], True),
        (["潮位の観測の結果", "曳船の隻数及び馬力", "定款に記載し、又は記録した事項"], False),
        (["潮位の観測の結果", "曳船の隻数及び馬力", "高さその他大きさを示す事項"], False),
        (["潮位の観測の結果", "曳船の隻数及び馬力", "その他必要な事項"], False),
        (["潮位の観測の結果", "曳船の隻数及び馬力", "第十条第一号、第二号及び前条第三号の事項"], False),
        (["潮位の観測の結果", *(f"{what}{LONG * 2}" for what in ("曳船", "荷役", "気象", "水質"))], False),
    ],
)  # fmt: skip
def test_a_list_is_asked_for_where_it_is_shown_whole_and_takes_in_nothing_else(
    third: list[str], made: bool, make_article: Callable[..., Article]
) -> None:
    report = ("報告書には、次に掲げる事項を記載しなければならない。", third)
    drafts = _lists(make_article, REGISTER, NOTICE, report)
    assert any("報告書" in draft.text for draft in drafts) is made
    for draft in drafts:
        assert all(choice in draft.context for choice in (draft.right, *draft.wrong))


def test_what_an_item_has_room_for_is_no_wrong_choice(make_article: Callable[..., Article]) -> None:
    rules = (
        "業務規程には、次に掲げる事項を定めておかなければならない。",
        [
            "係船料の収納の方法に関する事項",
            "業務を行う詰所及び見張所に関する事項",
            "潮位の観測の時刻",
        ],
    )
    request = (
        "申請書には、次に掲げる事項を記載しなければならない。",
        ["申請に係る詰所の名称", "荷役の機械の能力", "曳船の隻数及び馬力"],
    )
    asked = [
        d for d in _lists(make_article, REGISTER, NOTICE, rules, request) if "業務規程" in d.text
    ]
    assert asked
    assert not any("詰所の名称" in choice for draft in asked for choice in draft.wrong)


def test_when_a_list_holds_it_asks_for_the_case(make_article: Callable[..., Article]) -> None:
    lead = "港長は、次の各号のいずれかに該当するときは、{}を命ずることができる。"
    drafts = _lists(
        make_article,
        (lead.format("桟橋の閉鎖"), ["桟橋が損壊したとき", "潮位が著しく上昇したとき", "船舶が沈没したとき"]),
        (lead.format("荷役の中止"), ["危険物が漏出したとき", "強風が吹き続けたとき", "作業員が負傷したとき"]),
        (lead.format("灯火の増設"), ["濃霧が発生したとき", "停電が長引いたとき", "航路が変わったとき"]),
    )  # fmt: skip
    assert drafts
    assert all("場合として" in d.text or "場合に該当" in d.text for d in drafts)


def test_what_may_be_a_breach_is_no_wrong_choice_beside_one(
    make_article: Callable[..., Article],
) -> None:
    lead = "次の各号のいずれかに該当する者は、{}の罰金に処する。"
    drafts = _lists(
        make_article,
        (lead.format("三十万円以下"), ["規定に違反した者", "灯火を損壊した者", "標識を移転した者"]),
        (lead.format("二十万円以下"), ["許可を受けないで係留した者", "桟橋を占拠した者", "汚物を投棄した者"]),
        (lead.format("十万円以下"), ["通航の順序を乱した者", "測量を妨害した者", "曳船を怠つた者"]),
    )  # fmt: skip
    asked = [d for d in drafts if "30万円以下" in d.text]
    assert asked
    assert not any("ないで" in c or "怠" in c for d in asked for c in d.wrong)


@pytest.mark.parametrize(
    "item",
    [
        "第一項の検査の結果",
        "前号の水深の観測の結果",
        "当該桟橋の延長",
        "この節の規定による検査の結果",
        "前款の規定による検査の結果",
    ],
)
def test_an_item_that_leans_on_another_provision_is_no_choice(
    item: str, make_article: Callable[..., Article]
) -> None:
    lead = "報告書には、次に掲げる事項を記載しなければならない。"
    others = ["曳船の隻数及び馬力", "荷役の機械の能力"]
    assert _lists(make_article, REGISTER, NOTICE, (lead, ["潮位の観測の結果", *others]))
    # Without an item of the third list there are too few lists to ask.
    leaning = [item, f"{item}の写し", f"{item}の要約"]
    assert not _lists(make_article, REGISTER, NOTICE, (lead, leaning))
