"""The desk's list of calls: whom, what to say, and how each call ended."""

import pytest
from sqlalchemy import select

from data.accounts import Account
from data.calls import Call, Outcome
from data.database import reading, transact, writing
from data.history import AuditEvent
from data.notices import NoticeKind, OutboxChannel, OutboxMessage, OutboxStatus
from services import call_list, deliveries, notices, preferences
from services.preferences import Preference
from tests.factories import DESK, NANTONG, NASTY, OPERATOR, ZHOU, phone_of
from tests.pages.screen import errors, opened, questions, said, successes, words

PAGE = "pages/desk/to_call.py"


@pytest.fixture
def message_id(database):
    """ZHOU is to be called after a visit."""
    with writing() as session:
        session.get_one(Account, ZHOU.id).city_code = NANTONG
        preferences.keep(session, ZHOU, Preference(by_call=True))
        notices.tell(session, NoticeKind.VISIT_FINISHED, ZHOU.id, "visit-1", item_id=1)
    transact(deliveries.deliver)
    with reading() as session:
        by_call = OutboxMessage.channel == OutboxChannel.CALL
        return session.scalars(select(OutboxMessage.id).where(by_call)).one()


def message(message_id):
    with reading() as session:
        return session.get_one(OutboxMessage, message_id)


def calls():
    with reading() as session:
        return [(call.outcome, call.words) for call in session.scalars(select(Call))]


def asked(open_app, message_id, outcome=Outcome.INFORMED, told=""):
    """Say how a call ended, up to the last button."""
    key = f"tick_{message_id}"
    app = opened(open_app(PAGE, DESK), f"{key}_ask")
    app.pills(key=f"{key}_outcome").set_value(outcome)
    app.text_area(key=f"{key}_words").set_value(told)
    app.session_state[f"{key}_ask"] = True
    return app


def test_an_empty_list_says_so(open_app):
    assert words("empty.to_call") in said(open_app(PAGE, DESK))


def test_a_call_is_made_with_the_number_and_ticked_off_with_what_was_said(open_app, message_id):
    app = open_app(PAGE, DESK)
    assert "核销码念给我" in said(app)
    assert phone_of(ZHOU) not in said(app)
    app.button(key=f"to_call_phone_{message_id}").click().run()
    assert phone_of(ZHOU) in said(app)
    with reading() as session:
        assert session.scalars(select(AuditEvent.action)).all()[-1] == "open_phone"

    app = asked(open_app, message_id, Outcome.CHANGED, NASTY)
    app.button(key=f"tick_{message_id}").click().run()
    assert successes(app) == [words("to_call.done")]
    assert words("empty.to_call") in said(app)
    assert calls() == [(Outcome.CHANGED, NASTY)]
    assert message(message_id).status is OutboxStatus.DELIVERED


def test_who_does_not_answer_comes_back_and_is_marked_so(open_app, message_id, clock):
    app = asked(open_app, message_id, Outcome.NO_ANSWER).run()
    assert words("to_call.comes_back") in said(app)
    app.session_state[f"tick_{message_id}_ask"] = True
    app.button(key=f"tick_{message_id}").click().run()
    shown = said(app)
    assert words("to_call.count", due=0, later=1) in shown
    assert words("to_call.tries", count=1) in shown
    clock.move(hours=1)

    assert words("to_call.count", due=1, later=0) in said(open_app(PAGE, DESK))


def test_whom_a_colleague_calls_at_this_moment_is_refused_in_words(
    open_app, message_id, monkeypatch
):
    tick_off = call_list.tick_off

    def too_late(session, actor, number, outcome, said):
        tick_off(session, actor, number, Outcome.INFORMED)
        return tick_off(session, actor, number, outcome, said)

    app = asked(open_app, message_id, told="打通了")
    monkeypatch.setattr(call_list, "tick_off", too_late)
    app.button(key=f"tick_{message_id}").click().run()

    assert errors(app) == [words("error.called_already")]
    assert app.text_area(key=f"tick_{message_id}_words").value == "打通了"
    assert calls() == []


def test_whom_a_colleague_has_just_called_is_not_noted_twice(open_app, message_id):
    app = asked(open_app, message_id)
    with writing() as session:
        call_list.tick_off(session, DESK, message_id, Outcome.INFORMED, "打过了")
    app.button(key=f"tick_{message_id}").click().run()

    assert calls() == [(Outcome.INFORMED, "打过了")]
    assert successes(app) == []
    assert words("empty.to_call") in said(app)


def test_an_operator_has_no_such_page(open_app, message_id):
    app = open_app("pages/operator/today.py", OPERATOR)
    with pytest.raises(ValueError, match="page"):
        app.switch_page(PAGE).run()
    assert f"tick_{message_id}_ask" not in questions(app)
