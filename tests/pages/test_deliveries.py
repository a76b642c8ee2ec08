"""What became of messages outside the app, and those given up sent again."""

import pytest
from sqlalchemy import select, update

from components import deliveries as components
from components.catalogues import say
from data.accounts import Account
from data.database import reading, transact, writing
from data.notices import NoticeKind, OutboxChannel, OutboxMessage, OutboxStatus
from services import deliveries, delivery_reports, notices
from services.gateways import Failure
from tests.factories import DESK, FAR_OPERATOR, MONDAY, NAMES, NANTONG, OPERATOR, ZHOU
from tests.pages.screen import confirm, errors, keys, said, speak_english, successes, table, words

PAGE = "pages/operator/deliveries.py"
APPROVED = NoticeKind.VERIFICATION_APPROVED


def given_up(*kinds):
    """Texts to ZHOU that no gateway took; their numbers."""
    with writing() as session:
        session.get_one(Account, ZHOU.id).city_code = NANTONG
        for number, kind in enumerate(kinds):
            notices.tell(session, kind, ZHOU.id, f"test-{number}")
    transact(deliveries.deliver)
    texts = OutboxMessage.channel == OutboxChannel.TEXT
    with writing() as session:
        given_up = {"status": OutboxStatus.FAILED, "error": Failure.UNREACHABLE, "tries": 12}
        session.execute(update(OutboxMessage).where(texts).values(given_up))
        return session.scalars(select(OutboxMessage.id).where(texts)).all()


def status(message_id):
    with reading() as session:
        return session.get_one(OutboxMessage, message_id).status


def test_a_week_without_messages_says_so_and_that_no_gateway_is_there(open_app):
    app = open_app(PAGE, OPERATOR)
    shown = said(app)

    assert words("empty.deliveries") in shown
    assert words("deliveries.no_wechat") in shown


def test_a_dead_letter_is_told_with_its_reason_and_sent_again(open_app):
    [message_id] = given_up(APPROVED)
    app = open_app(PAGE, OPERATOR)
    shown = said(app)
    assert NAMES[ZHOU] in shown
    assert words(f"failure.{Failure.UNREACHABLE}") in shown
    failed = words(f"outbox_status.{OutboxStatus.FAILED}")
    assert table(app)[failed].sum() == 1
    app.button(key=f"resend_{message_id}").click().run()

    assert successes(app) == [words("deliveries.resent")]
    assert words("deliveries.none_dead") in said(app)
    assert status(message_id) is OutboxStatus.PENDING


def test_all_are_sent_again_after_a_question(open_app):
    message_ids = given_up(APPROVED, NoticeKind.VERIFICATION_REJECTED)
    app = confirm(open_app(PAGE, OPERATOR), "resend_all")

    assert successes(app) == [words("deliveries.resent")]
    assert {status(one) for one in message_ids} == {OutboxStatus.PENDING}


def test_what_a_colleague_has_sent_again_is_not_sent_twice(open_app):
    [message_id] = given_up(APPROVED)
    app = open_app(PAGE, OPERATOR)
    with writing() as session:
        delivery_reports.resend(session, OPERATOR, message_id)
    app.button(key=f"resend_{message_id}").click().run()

    assert successes(app) == []
    assert words("deliveries.none_dead") in said(app)


def test_what_a_colleague_sends_again_at_this_moment_is_refused_in_words(open_app, monkeypatch):
    [message_id] = given_up(APPROVED)
    resend = delivery_reports.resend

    def too_late(session, actor, number):
        resend(session, actor, number)
        resend(session, actor, number)

    app = open_app(PAGE, OPERATOR)
    monkeypatch.setattr(delivery_reports, "resend", too_late)
    app.button(key=f"resend_{message_id}").click().run()

    assert errors(app) == [words("error.not_given_up")]
    assert status(message_id) is OutboxStatus.FAILED


@pytest.mark.parametrize("kind", list(NoticeKind))
def test_every_notice_has_words_for_one_that_did_not_arrive(kind):
    letter = delivery_reports.DeadLetter(
        1, "", OutboxChannel.TEXT, kind, Failure.REFUSED, 1, MONDAY
    )
    assert components._about(letter)


def test_another_citys_operator_sees_none_of_them(open_app):
    [message_id] = given_up(APPROVED)
    app = open_app(PAGE, FAR_OPERATOR)

    assert NAMES[ZHOU] not in said(app)
    assert f"resend_{message_id}" not in keys(app)


def test_it_speaks_english(open_app):
    given_up(APPROVED)
    app = speak_english(open_app(PAGE, OPERATOR))

    assert say("en", "deliveries.dead", count=1) in said(app)


def test_the_desk_has_no_such_page(open_app):
    app = open_app("pages/desk/to_call.py", DESK)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(PAGE).run()
