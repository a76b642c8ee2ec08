from datetime import timedelta

import pytest
from sqlalchemy import select

from data.history import AuditEvent
from services import closures, special_days
from services.closures import DayKind
from services.errors import Conflict, Invalid, NotFound
from tests.factories import (
    FAR_OPERATOR,
    MONDAY,
    NANTONG,
    NASTY,
    OPERATOR,
    make_booking,
    make_order,
)

A_DAY = timedelta(days=1)
BEGINS = MONDAY.replace(hour=0) + A_DAY
ENDS = BEGINS + A_DAY
TOMORROW = BEGINS.date()


def close(session, actor=OPERATOR, starts=BEGINS, ends=ENDS, why="台风"):
    return closures.close(session, actor, NANTONG, starts, ends, why)


def audited(session):
    return [event.action for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id))]


def kinds(session):
    return special_days.kinds(session, NANTONG, TOMORROW, TOMORROW)


class TestClosedTimes:
    def test_nobody_is_booked_in_one_until_it_is_open_again(self, session):
        closure_id = close(session)
        with pytest.raises(Conflict, match="obstacle_city_closed"):
            make_booking(session)

        closures.reopen(session, OPERATOR, closure_id)
        make_booking(session)
        assert "close_time" in audited(session)
        assert "reopen_time" in audited(session)

    def test_before_it_is_closed_its_visits_are_counted(self, session):
        make_order(session)
        make_order(session, starts_at=MONDAY + 3 * A_DAY)

        assert closures.hits(session, OPERATOR, NANTONG, BEGINS, ENDS) == 1

    def test_it_is_listed_as_it_was_typed(self, session):
        closure_id = close(session, why=f"  {NASTY}  ")

        (listed,) = closures.ahead(session, OPERATOR, NANTONG)
        assert (listed.id, listed.words) == (closure_id, NASTY)

    @pytest.mark.parametrize(
        ("given", "refusal"),
        [
            ({"why": " "}, "missing"),
            ({"why": "长" * 101}, "too_long"),
            ({"ends": BEGINS}, "end_before_start"),
            ({"starts": BEGINS - 3 * A_DAY}, "day_is_past"),
            ({"ends": ENDS + 400 * A_DAY}, "day_too_far"),
        ],
    )
    def test_what_cannot_be_is_refused(self, session, given, refusal):
        with pytest.raises(Invalid, match=refusal):
            close(session, **given)

    def test_two_do_not_overlap(self, session):
        close(session)

        with pytest.raises(Conflict, match="closure_overlaps"):
            close(session, starts=BEGINS + A_DAY / 2, ends=ENDS + A_DAY)


class TestSpecialDays:
    def test_what_the_operators_say_counts_until_they_drop_it(self, session):
        closures.set_special_day(session, OPERATOR, NANTONG, TOMORROW, DayKind.HOLIDAY, "")
        assert kinds(session) == {TOMORROW: DayKind.HOLIDAY}
        closures.set_special_day(session, OPERATOR, NANTONG, TOMORROW, DayKind.WORKDAY, NASTY[:40])
        assert kinds(session) == {TOMORROW: DayKind.WORKDAY}

        (listed,) = closures.special_days(session, OPERATOR, NANTONG)
        assert (listed.day, listed.words) == (TOMORROW, NASTY[:40].strip())
        closures.drop_special_day(session, OPERATOR, listed.id)
        session.flush()
        assert kinds(session) == {}
        assert audited(session)[-3:] == ["set_special_day"] * 2 + ["drop_special_day"]

    def test_a_day_that_is_over_and_too_many_words_are_refused(self, session):
        with pytest.raises(Invalid, match="day_is_past"):
            closures.set_special_day(
                session, OPERATOR, NANTONG, TOMORROW - 2 * A_DAY, DayKind.HOLIDAY, ""
            )
        with pytest.raises(Invalid, match="too_long"):
            closures.set_special_day(
                session, OPERATOR, NANTONG, TOMORROW, DayKind.HOLIDAY, "长" * 41
            )


def test_another_citys_operator_neither_sees_nor_changes_anything(session):
    closure_id = close(session)
    closures.set_special_day(session, OPERATOR, NANTONG, TOMORROW, DayKind.HOLIDAY, "")
    (special,) = closures.special_days(session, OPERATOR, NANTONG)

    for refused in (
        lambda: closures.ahead(session, FAR_OPERATOR, NANTONG),
        lambda: closures.hits(session, FAR_OPERATOR, NANTONG, BEGINS, ENDS),
        lambda: close(session, FAR_OPERATOR, ENDS, ENDS + A_DAY),
        lambda: closures.reopen(session, FAR_OPERATOR, closure_id),
        lambda: closures.special_days(session, FAR_OPERATOR, NANTONG),
        lambda: closures.set_special_day(
            session, FAR_OPERATOR, NANTONG, TOMORROW, DayKind.HOLIDAY, ""
        ),
        lambda: closures.drop_special_day(session, FAR_OPERATOR, special.id),
    ):
        with pytest.raises(NotFound, match="not_found"):
            refused()
