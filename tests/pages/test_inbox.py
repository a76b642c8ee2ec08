"""The inbox: every notice in words, unread ones counted in the menu, the code where it belongs."""

import pytest
from sqlalchemy import select

from components.catalogues import LANGUAGES, say
from data.chat import Talk
from data.database import reading, writing
from data.notices import Notice, NoticeKind
from services import catalogue, demands, messages, notices, redemption
from services.access import SYSTEM
from services.messages import Said
from tests.factories import (
    COMPANIONSHIP,
    DESK,
    LI,
    NANTONG,
    OPERATOR,
    STRANGER,
    ZHAO,
    ZHOU,
    cancel_order,
    code_of,
    make_demand,
    make_order,
    make_redeemed_visit,
    make_visit,
)
from tests.pages.screen import keys, said, speak_english, successes, words

PAGE = "pages/account/inbox.py"
PAY_FEN = 6800
ON = {"zh_CN": "1月14日 周一", "en": "Mon 14 Jan"}


def tell(actor, *kinds, **facts):
    """Let these notices reach a person; their ids."""
    with writing() as session:
        for number, kind in enumerate(kinds):
            notices.tell(
                session, kind, actor.id or 0, f"test-{number}", item_id=COMPANIONSHIP, **facts
            )
        notices.deliver(session)
        session.flush()
        return [notice.id for notice in notices.inbox(session, actor)][::-1]


def deliver():
    with writing() as session:
        notices.deliver(session)


def unread_of(actor):
    with reading() as session:
        return [notice.id for notice in notices.inbox(session, actor) if not notice.read]


def links(app):
    """The links of the page itself: the bell's leads here."""
    return [link for link in app.get("page_link") if not link.page.endswith("inbox")]


def is_read(notice_id):
    with reading() as session:
        return session.get_one(Notice, notice_id).read_at is not None


def test_an_empty_one_says_so(open_app, menu):
    app = open_app(PAGE, ZHOU)
    assert words("empty.inbox") in said(app)
    assert "read_all" not in keys(app)
    assert words("page.inbox") in menu


@pytest.mark.parametrize("kinds", [list(NoticeKind)[place::3] for place in range(3)])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_is_told_in_words(open_app, language, kinds):
    numbers = {"days": 7, "count": 3, "number": 5}
    facts = numbers | {"pay_fen": PAY_FEN, "price_fen": PAY_FEN, "level": "senior"}
    facts |= {"policy": "privacy"}
    tell(LI, *kinds, **facts, due_at="2030-01-14T09:00:00+08:00")
    app = open_app(PAGE, LI)
    if language == "en":
        speak_english(app)
    with reading() as session:
        item = catalogue.named(session, COMPANIONSHIP)
        name = item.name_zh if language == "zh_CN" else item.name_en
    while "inbox_more" in keys(app):
        app.button(key="inbox_more").click().run()
    page = said(app)
    blanks = numbers | {"item": name, "pay": "¥68", "price": "¥68"}
    blanks["date"] = ON[language]
    blanks["policy"] = say(language, "policy.privacy")
    blanks["level"] = say(language, "caregiver_level.senior")
    for kind in kinds:
        assert say(language, f"notice_text.{kind}", **blanks) in page
    assert not app.exception


@pytest.mark.parametrize(
    ("kind", "actor", "label"),
    [
        (NoticeKind.VISIT_FINISHED, ZHOU, "redeem"),
        (NoticeKind.ORDER_CONFIRMED, ZHOU, "my_orders"),
        (NoticeKind.CODE_ISSUED, LI, "my_visits"),
        (NoticeKind.REVIEW_RECEIVED, LI, "my_profile"),
    ],
)
def test_a_notice_links_to_the_page_it_is_about(open_app, kind, actor, label):
    tell(actor, kind)
    (link,) = links(open_app(PAGE, actor))
    assert link.label == words("inbox.open")
    assert link.page.endswith(label)


def test_a_link_to_a_page_of_another_role_is_not_drawn(open_app):
    tell(ZHOU, NoticeKind.REDEMPTION_LOCKED)
    assert not links(open_app(PAGE, ZHOU))


def test_unread_ones_are_counted_in_the_menu_until_read_one_by_one(open_app, menu):
    first, second = tell(ZHOU, NoticeKind.VISIT_FINISHED, NoticeKind.DEMAND_EXPIRED)
    app = open_app(PAGE, ZHOU)
    assert f"{words('page.inbox')} (2)" in menu
    app.button(key=f"read_{first}").click().run()
    assert successes(app) == [words("inbox.marked")]
    assert (is_read(first), is_read(second)) == (True, False)
    assert f"{words('page.inbox')} (1)" in menu
    assert f"read_{first}" not in keys(app)


def test_all_are_marked_read_with_one_click(open_app, menu):
    ids = tell(ZHOU, NoticeKind.VISIT_FINISHED, NoticeKind.DEMAND_EXPIRED)
    app = open_app(PAGE, ZHOU)
    app.button(key="read_all").click().run()
    assert successes(app) == [words("inbox.all_read")]
    assert all(is_read(one) for one in ids)
    assert words("page.inbox") in menu
    assert "read_all" not in keys(app)


def test_the_badge_stands_in_the_menu_of_every_page(open_app, menu):
    tell(ZHOU, NoticeKind.VISIT_FINISHED)
    open_app("pages/customer/post_demand.py", ZHOU)
    assert f"{words('page.inbox')} (1)" in menu


def test_the_newest_comes_first(open_app):
    tell(ZHOU, NoticeKind.VISIT_FINISHED, NoticeKind.DEMAND_EXPIRED)
    page = said(open_app(PAGE, ZHOU))
    newest = page.index(words("notice_text.demand_expired", item="老人陪伴"))
    assert newest < page.index(words("notice_text.visit_finished", item="老人陪伴"))


def test_the_caregiver_finds_the_code_and_nobody_else_does(open_app):
    with writing() as session:
        visit_id = make_visit(session)
        code = redemption.grouped(code_of(session, visit_id))
    deliver()
    assert f"`{code}`" in said(open_app(PAGE, LI))
    for other in (ZHOU, ZHAO):
        assert code not in said(open_app(PAGE, other))


def test_a_code_given_anew_replaces_the_old_one(open_app):
    with writing() as session:
        visit_id = make_visit(session)
        old = redemption.grouped(code_of(session, visit_id))
        session.flush()
        redemption.reissue(session, OPERATOR, visit_id)
        session.flush()
        new = redemption.grouped(code_of(session, visit_id))
    deliver()
    page = said(open_app(PAGE, LI))
    assert f"`{new}`" in page
    assert old not in page


def test_the_code_of_a_redeemed_visit_is_gone(open_app):
    with writing() as session:
        code = redemption.grouped(code_of(session, make_redeemed_visit(session)))
    deliver()
    page = said(open_app(PAGE, LI))
    assert words("notice_text.code_issued", item="老人陪伴") in page
    assert code not in page


def test_the_family_hears_of_its_order_in_its_own_inbox(open_app):
    with writing() as session:
        make_order(session)
    deliver()
    assert words("notice_text.order_confirmed", item="老人陪伴") in said(open_app(PAGE, ZHOU))
    assert words("empty.inbox") in said(open_app(PAGE, STRANGER))


def test_a_demand_that_expired_is_posted_again_from_its_notice(open_app, clock):
    with writing() as session:
        make_demand(session, words="父亲走路慢")
    clock.move(days=1)
    with writing() as session:
        demands.expire_due(session, SYSTEM)
    deliver()
    app = open_app(PAGE, ZHOU)
    [again] = [key for key in keys(app) if str(key).startswith("again_")]
    app.button(key=again).click().run()
    assert not app.exception
    assert app.title[0].value == words("page.post_demand")
    assert app.text_area(key="demand_words").value == "父亲走路慢"


@pytest.mark.parametrize("language", LANGUAGES)
def test_level_and_price_are_told_with_their_names_and_amounts(open_app, language):
    tell(LI, NoticeKind.LEVEL_CHANGED, level="senior")
    tell(LI, NoticeKind.PRICES_BOUNDED, price_fen=5500, due_at="2030-01-14T00:00:00+08:00")
    app = open_app(PAGE, LI)
    if language == "en":
        speak_english(app)
    with reading() as session:
        item = catalogue.named(session, COMPANIONSHIP)
    blanks = {
        "item": item.name_zh if language == "zh_CN" else item.name_en,
        "price": "¥55",
        "date": ON[language],
        "level": say(language, "caregiver_level.senior"),
    }
    for kind in (NoticeKind.LEVEL_CHANGED, NoticeKind.PRICES_BOUNDED):
        assert say(language, f"notice_text.{kind}", **blanks) in said(app)
    assert [link.page.rsplit("/", 1)[-1] for link in links(app)] == ["my_profile", "my_profile"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_family_whose_caregiver_cancels_reads_that_somebody_else_is_sought(open_app, language):
    with writing() as session:
        order_id = make_order(session)
        cancel_order(session, LI, order_id)
    deliver()
    apps = [open_app(PAGE, person) for person in (ZHOU, OPERATOR)]
    if language == "en":
        apps = [speak_english(app) for app in apps]
    familys, operators = apps
    assert say(language, "inbox.reopened") in said(familys)
    assert [link.page.rsplit("/", 1)[-1] for link in familys.get("page_link")].count(
        "my_orders"
    ) == 2
    assert say(language, "inbox.reopened") not in said(operators)


def test_an_answer_of_customer_service_opens_the_chat_on_the_spot(open_app, clock):
    with writing() as session:
        messages.ask(session, ZHOU, Said("能改期吗？", "a"), NANTONG)
        talk_id = session.scalars(select(Talk.id)).one()
        messages.answer(session, DESK, talk_id, Said("可以", "b"))
    clock.move(minutes=1)
    deliver()
    [notice_id] = unread_of(ZHOU)
    app = open_app(PAGE, ZHOU)
    assert "可以" not in said(app)
    app.button(key=f"to_chat_{notice_id}").click().run()
    app.session_state["chat_panel"] = True
    app.run()

    assert "可以" in said(app)
    assert is_read(notice_id)


def test_who_answers_chats_is_not_sent_to_one_of_their_own(open_app):
    tell(OPERATOR, NoticeKind.CHAT_ANSWERED)

    assert not [key for key in keys(open_app(PAGE, OPERATOR)) if (key or "").startswith("to_chat")]
