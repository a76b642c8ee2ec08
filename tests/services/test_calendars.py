from datetime import date, datetime, time, timedelta

import pytest
from sqlalchemy import select

from data.calendars import Closure
from data.history import AuditEvent
from services import calendars, clock, leaves
from services.calendars import VisitStatus
from services.errors import Conflict, Invalid, NotFound
from services.leaves import LeaveReason
from tests.factories import (
    DRAFT,
    FAR_OPERATOR,
    LI,
    MONDAY,
    NAMES,
    NANTONG,
    OPERATOR,
    ZHAO,
    ZHOU,
    make_booking,
    make_order,
    visit_of,
)

TODAY = MONDAY.date()
TOMORROW = TODAY + timedelta(days=1)
MORNING = (8 * 60, 12 * 60)
AFTERNOON = (14 * 60, 18 * 60)
WEEKLY = (7 * 60, 20 * 60)


def at(day, hour):
    return datetime.combine(day, time(hour), clock.CITY_TIME)


def day_of(session, day=TOMORROW, actor=LI):
    (found,) = calendars.view(session, actor, LI.id, day, day).days
    return found


def audited(session):
    return [
        (event.action, event.actor_id)
        for event in session.scalars(select(AuditEvent).order_by(AuditEvent.id))
        if "day_hours" in event.action
    ]


class TestView:
    def test_a_day_shows_its_hours_its_visits_and_what_is_left(self, session):
        visit_id = visit_of(session, make_order(session))
        day = day_of(session)

        assert (day.hours, day.own) == ((WEEKLY,), None)
        (held,) = day.appointments
        assert (held.visit_id, held.family_name) == (visit_id, NAMES[ZHOU])
        assert (held.status, held.starts_at) == (VisitStatus.PLANNED, at(TOMORROW, 9))
        assert day.free == (
            (at(TOMORROW, 7), at(TOMORROW, 9)),
            (at(TOMORROW, 11), at(TOMORROW, 20)),
        )

    def test_leave_and_closed_times_take_what_is_free(self, session):
        leaves.take(session, LI, LI.id, at(TOMORROW, 7), at(TOMORROW, 12), LeaveReason.TRAINING, ())
        session.add(
            Closure(
                created_at=clock.now(),
                city_code=NANTONG,
                starts_at=at(TOMORROW, 15),
                ends_at=at(TOMORROW, 22),
                words="台风",
            )
        )
        session.flush()
        day = day_of(session)

        assert day.free == ((at(TOMORROW, 12), at(TOMORROW, 15)),)
        assert day.leaves == ((at(TOMORROW, 7), at(TOMORROW, 12)),)
        assert [one.words for one in day.closures] == ["台风"]

    def test_an_operator_sees_those_of_her_own_city_only(self, session):
        assert day_of(session, actor=OPERATOR).hours == (WEEKLY,)
        with pytest.raises(NotFound, match="caregiver_not_found"):
            day_of(session, actor=FAR_OPERATOR)

    def test_a_caregiver_sees_nobody_elses(self, session):
        with pytest.raises(NotFound, match="caregiver_not_found"):
            day_of(session, actor=ZHAO)

    @pytest.mark.parametrize("last", [TODAY + timedelta(days=62), TODAY - timedelta(days=1)])
    def test_more_than_two_months_or_none_at_all_are_refused(self, session, last):
        with pytest.raises(Invalid, match="too_many_days"):
            calendars.view(session, LI, LI.id, TODAY, last)

    def test_holidays_are_marked(self, session):
        new_year = date(2031, 1, 1)

        assert day_of(session, new_year).special is calendars.DayKind.HOLIDAY


class TestDays:
    def test_hours_of_its_own_stand_for_the_weekdays(self, session):
        calendars.set_days(session, LI, LI.id, {TOMORROW: None}, [AFTERNOON, MORNING])

        assert day_of(session).hours == (MORNING, AFTERNOON)
        assert day_of(session).own == (MORNING, AFTERNOON)
        assert day_of(session, TODAY).own is None

    def test_several_days_are_off_at_once_and_follow_their_week_again(self, session):
        days = [TOMORROW + timedelta(days=number) for number in range(3)]
        calendars.set_days(session, LI, LI.id, dict.fromkeys(days), [])
        assert [day_of(session, day).hours for day in days] == [(), (), ()]

        calendars.clear_days(session, LI, LI.id, dict.fromkeys(days, ()))
        assert [day_of(session, day).hours for day in days] == [(WEEKLY,)] * 3

    def test_on_a_day_off_nobody_books(self, session):
        calendars.set_days(session, LI, LI.id, {TOMORROW: None}, [])

        with pytest.raises(Conflict, match="obstacle_off_hours"):
            make_booking(session)

    def test_visits_agreed_on_stay(self, session):
        make_order(session)
        calendars.set_days(session, LI, LI.id, {TOMORROW: None}, [])

        assert len(day_of(session).appointments) == 1

    def test_who_changed_what_somebody_else_changed_meanwhile_is_refused(self, session):
        calendars.set_days(session, OPERATOR, LI.id, {TOMORROW: None}, [MORNING])

        with pytest.raises(Conflict, match="calendar_changed"):
            calendars.set_days(session, LI, LI.id, {TOMORROW: None}, [AFTERNOON])
        with pytest.raises(Conflict, match="calendar_changed"):
            calendars.clear_days(session, LI, LI.id, {TODAY: None, TOMORROW: None})
        assert day_of(session).own == (MORNING,)
        calendars.set_days(session, LI, LI.id, {TOMORROW: (MORNING,)}, [AFTERNOON])
        assert day_of(session).own == (AFTERNOON,)

    def test_who_changed_it_is_recorded(self, session):
        calendars.set_days(session, OPERATOR, LI.id, {TOMORROW: None}, [MORNING])
        calendars.clear_days(session, LI, LI.id, {TOMORROW: (MORNING,)})
        session.flush()

        assert audited(session) == [
            ("set_day_hours", OPERATOR.id),
            ("clear_day_hours", LI.id),
        ]

    @pytest.mark.parametrize(
        ("day", "stretches", "refusal"),
        [
            (TODAY - timedelta(days=1), [MORNING], "day_is_past"),
            (TODAY + timedelta(days=366), [MORNING], "day_too_far"),
            (TOMORROW, [MORNING, (11 * 60, 15 * 60)], "hours_overlap"),
            (TOMORROW, [(12 * 60, 8 * 60)], "end_before_start"),
            (TOMORROW, [(8 * 60, 25 * 60)], "end_before_start"),
            (TOMORROW, [(hour * 60, hour * 60 + 30) for hour in range(5)], "too_many_stretches"),
        ],
    )
    def test_what_cannot_be_is_refused(self, session, day, stretches, refusal):
        with pytest.raises(Invalid, match=refusal):
            calendars.set_days(session, LI, LI.id, {day: None}, stretches)
        assert day_of(session).own is None

    def test_no_day_or_too_many_are_refused(self, session):
        many = [TOMORROW + timedelta(days=number) for number in range(63)]
        for days in ([], many):
            with pytest.raises(Invalid, match="too_many_days"):
                calendars.set_days(session, LI, LI.id, dict.fromkeys(days), [])

    @pytest.mark.parametrize("actor", [FAR_OPERATOR, ZHAO])
    def test_nobody_elses_is_changed(self, session, actor):
        with pytest.raises(NotFound, match="caregiver_not_found"):
            calendars.set_days(session, actor, LI.id, {TOMORROW: None}, [])

    def test_one_who_is_not_approved_yet_keeps_hers(self, session):
        calendars.set_days(session, DRAFT, DRAFT.id, {TOMORROW: None}, [])

        assert calendars.view(session, DRAFT, DRAFT.id, TOMORROW, TOMORROW).days[0].own == ()
