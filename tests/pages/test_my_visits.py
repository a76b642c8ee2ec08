"""A caregiver's visits: the next step, the code, the contact, and nobody else's."""

import base64
import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from data.database import reading, writing
from data.history import AuditEvent
from data.orders import Order, OrderStatus, Visit, VisitStatus
from services import bookings, redemption, visits
from tests.factories import (
    LI,
    NASTY,
    OPERATOR,
    ZHAO,
    ZHOU,
    cancel_order,
    code_of,
    demand_of,
    make_application,
    make_booking,
    make_finished_visit,
    make_redeemed_visit,
    make_visit,
    phone_of,
)
from tests.pages.screen import confirm, keys, said

PAGE = "pages/caregiver/my_visits.py"


def made(maker, **changes):
    with writing() as session:
        return maker(session, **changes)


def visit(visit_id):
    with reading() as session:
        return session.get_one(Visit, visit_id)


def test_a_visit_is_checked_in_from_two_hours_before(open_app, clock):
    visit_id = made(make_visit)
    app = open_app(PAGE, LI)
    assert f"check_in_{visit_id}" not in keys(app)
    clock.move(hours=21, minutes=30)
    app.run()
    assert f"check_in_{visit_id}" not in keys(app)
    assert "07:00 起可以打卡" in said(app)
    clock.move(minutes=30)
    app.run()
    app.button(key=f"check_in_{visit_id}").click().run()
    assert not app.exception
    assert visit(visit_id).status is VisitStatus.IN_PROGRESS


def test_checking_out_keeps_the_ticks_and_the_words(open_app, clock):
    visit_id = made(make_visit)
    clock.move(days=1)
    app = open_app(PAGE, LI)
    app.button(key=f"check_in_{visit_id}").click().run()
    clock.move(hours=2)
    app.checkbox(key=f"check_out_{visit_id}_task_0").check()
    app.checkbox(key=f"check_out_{visit_id}_task_2").check()
    app.text_area(key=f"check_out_{visit_id}_words").set_value(NASTY)
    app.button(key=f"check_out_{visit_id}_submit").click().run()
    assert not app.exception
    assert visit(visit_id).status is VisitStatus.FINISHED
    assert visit(visit_id).done_tasks == ["0", "2"]
    assert NASTY in [text.value for text in app.text]
    assert "进行中与待核销" in [heading.value for heading in app.subheader]


def test_a_late_visit_asks_to_be_checked_in(open_app, clock):
    made(make_visit)
    clock.move(days=1, minutes=20)
    app = open_app(PAGE, LI)
    assert [warning.value for warning in app.warning] == ["已过开始时间\uff0c请尽快打卡"]


def test_a_visit_cancelled_at_the_moment_of_the_click_is_refused_in_words(
    open_app, clock, monkeypatch
):
    visit_id = made(make_visit)
    clock.move(days=1)
    app = open_app(PAGE, LI)
    check_in = visits.check_in

    def too_late(session, actor, visit_id):
        cancel_order(session, OPERATOR, session.get_one(Visit, visit_id).order_id)
        session.flush()
        return check_in(session, actor, visit_id)

    monkeypatch.setattr(visits, "check_in", too_late)
    app.button(key=f"check_in_{visit_id}").click().run()
    assert [error.value for error in app.error] == ["该次服务的状态已变化，请刷新"]
    assert visit(visit_id).status is VisitStatus.PLANNED


def test_the_code_of_a_finished_visit_lies_open_with_its_image_inside_the_page(open_app):
    visit_id = made(make_finished_visit)
    app = open_app(PAGE, LI)
    with reading() as session:
        code = redemption.grouped(code_of(session, visit_id))
    assert [shown.value for shown in app.code] == [code]


@pytest.mark.parametrize("url", ["http://localhost:8501/my_visits", "https://a.cn/pilot/my_visits"])
def test_the_image_is_never_kept_where_others_could_fetch_it(open_app, monkeypatch, url):
    monkeypatch.setattr("components.visits._address", lambda: url)
    made(make_finished_visit)
    app = open_app(PAGE, LI)
    assert not app.exception
    (image,) = app.get("image")
    (source,) = [shown.url for shown in image.proto.imgs]
    assert source.startswith("data:image/svg+xml;base64,")
    assert b"<svg" in base64.b64decode(source.partition(",")[2])


def test_contact_and_address_take_a_click_leave_a_trace_and_do_not_stay(open_app):
    visit_id = made(make_visit)
    app = open_app(PAGE, LI)
    assert "濠河花园" not in said(app)
    app.button(key=f"contact_{visit_id}").click().run()
    shown = said(app)
    assert "濠河花园 3 幢 502 室" in shown
    assert phone_of(ZHOU).removeprefix("+86") in shown
    assert "高血压" in shown
    assert "本次查看已留下记录" in shown
    with reading() as session:
        events = session.execute(select(AuditEvent.action, AuditEvent.subject_id)).all()
    assert ("open_contact", visit_id) in events
    app.run()
    assert "濠河花园" not in said(app)


def test_contact_of_a_redeemed_visit_is_closed(open_app):
    visit_id = made(make_redeemed_visit)
    app = open_app(PAGE, LI)
    assert f"contact_{visit_id}" not in keys(app)
    assert not app.code


def test_the_pay_is_the_total_less_the_fee(open_app):
    visit_id = made(make_visit)
    app = open_app(PAGE, LI)
    with reading() as session:
        pay = session.get_one(Visit, visit_id).pay_fen / 100
    assert re.search(rf"报酬 ¥{pay:g}0?\b", said(app))


def test_past_visits_are_a_week_away(open_app):
    made(make_redeemed_visit)
    app = open_app(PAGE, LI)
    assert "老人陪伴" not in said(app)
    app.button(key="week_before").click().run()
    assert "老人陪伴" in said(app)
    app.button(key="week_after").click().run()
    assert "老人陪伴" not in said(app)


def test_a_day_of_the_week_shows_its_visits_only(open_app, clock):
    sooner = made(make_visit, starts_at=clock() + timedelta(days=2))
    later = made(make_visit, starts_at=clock() + timedelta(days=5))
    app = open_app(PAGE, LI)
    day = (clock() + timedelta(days=2)).date().isoformat()
    app.pills(key="day_of_20300107").set_value(day).run()
    assert f"contact_{sooner}" in keys(app)
    assert f"contact_{later}" not in keys(app)


def test_a_request_is_accepted_on_the_spot(open_app):
    order_id = made(make_booking)
    app = open_app(PAGE, LI)
    assert "预约请求（1）" in [heading.value for heading in app.subheader]
    app.button(key=f"accept_{order_id}").click().run()
    assert [notice.value for notice in app.success] == ["已接受预约"]
    with reading() as session:
        assert session.get_one(Order, order_id).status is OrderStatus.CONFIRMED


def test_a_request_is_declined_after_asking(open_app):
    order_id = made(make_booking)
    app = confirm(open_app(PAGE, LI), f"refuse_{order_id}")
    assert [notice.value for notice in app.success] == ["已婉拒预约"]
    assert f"accept_{order_id}" not in keys(app)


def test_a_request_taken_back_meanwhile_is_refused_in_words(open_app, monkeypatch):
    order_id = made(make_booking)
    app = open_app(PAGE, LI)
    accept = bookings.accept

    def too_late(session, actor, order_id):
        bookings.call_off(session, ZHOU, order_id)
        session.flush()
        accept(session, actor, order_id)

    monkeypatch.setattr(bookings, "accept", too_late)
    app.button(key=f"accept_{order_id}").click().run()
    assert [error.value for error in app.error]
    with reading() as session:
        assert session.get_one(Order, order_id).status is OrderStatus.REQUESTED


def test_the_soonest_visit_comes_first(open_app, clock):
    later = made(make_visit, starts_at=clock() + timedelta(days=5))
    sooner = made(make_visit, starts_at=clock() + timedelta(days=2))
    app = open_app(PAGE, LI)
    drawn = [key for key in (b.key for b in app.button) if key.startswith("contact_")]
    assert drawn == [f"contact_{sooner}", f"contact_{later}"]


def test_the_visit_she_is_at_comes_before_those_that_wait_for_their_codes(open_app, clock):
    started = made(make_visit, starts_at=clock() + timedelta(days=6))
    finished = [
        made(make_finished_visit, starts_at=clock() + timedelta(days=days)) for days in (2, 4, 5)
    ]
    clock.move(days=6)
    with writing() as session:
        visits.check_in(session, LI, started)
    app = open_app(PAGE, LI)
    drawn = [b.key for b in app.button if b.key.startswith("contact_")]
    assert drawn == [f"contact_{started}", f"contact_{finished[-1]}"]


def test_a_strangers_visit_does_not_appear(open_app):
    visit_id = made(make_visit)
    app = open_app(PAGE, ZHAO)
    assert not {key for key in keys(app) if key.endswith(f"_{visit_id}")}
    assert "还没有安排好的服务" in said(app)
    assert app.button(key="open_task_hall").label == "去接单大厅"


def test_an_application_alone_shows_no_contact(open_app):
    with writing() as session:
        demand_of(session, make_application(session))
    app = open_app(PAGE, LI)
    assert "还没有安排好的服务" in said(app)


def test_the_page_speaks_english(open_app):
    made(make_visit)
    app = open_app(PAGE, LI)
    app.segmented_control(key="language").set_value("en").run()
    assert app.title[0].value == "My visits"
    assert "Companionship" in said(app)
