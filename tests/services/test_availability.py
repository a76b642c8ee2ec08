"""When a caregiver can come: a pure question of plan, visits and length."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.caregivers import WeeklyHours
from services import availability, clock
from tests.factories import MONDAY

TODAY = date(2030, 1, 7)
HOUR = timedelta(hours=1)


def plan(*stretches):
    return [
        WeeklyHours(weekday=day, starts_minute=first * 60, ends_minute=last * 60)
        for day, first, last in stretches
    ]


def at(hour, minute=0, day=TODAY):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=clock.CITY_TIME)


@pytest.fixture(autouse=True)
def monday_morning(clock):
    assert clock.moment == MONDAY == at(9)


def test_starts_lie_inside_the_plan_and_after_the_notice():
    week = plan((0, 8, 14))
    assert availability.starts(week, [], 2 * HOUR, TODAY) == [at(12)]


def test_a_visit_in_the_way_takes_every_start_it_would_meet():
    week = plan((1, 8, 12))
    tomorrow = TODAY + timedelta(days=1)
    taken = [(at(9, day=tomorrow), at(10, day=tomorrow))]
    assert availability.starts(week, taken, HOUR, tomorrow) == [
        at(8, day=tomorrow),
        at(10, day=tomorrow),
        at(10, 30, day=tomorrow),
        at(11, day=tomorrow),
    ]


def test_a_break_is_not_worked_through():
    tomorrow = TODAY + timedelta(days=1)
    week = plan((1, 8, 12), (1, 14, 18))
    found = availability.starts(week, [], 4 * HOUR, tomorrow)
    assert found == [at(8, day=tomorrow), at(14, day=tomorrow)]


def test_live_in_care_asks_for_working_days_only():
    every_day = plan(*((day, 8, 18) for day in range(7)))
    no_sunday = plan(*((day, 8, 18) for day in range(6)))
    week_long = (at(8), at(8) + timedelta(days=7))
    assert availability.in_hours(every_day, *week_long)
    assert not availability.in_hours(no_sunday, *week_long)
    assert availability.in_hours(no_sunday, at(8), at(8) + timedelta(days=5))


def test_a_night_between_two_days_is_not_in_hours():
    week = plan(*((day, 0, 24) for day in range(7)))
    assert not availability.in_hours(week, at(22), at(22) + 4 * HOUR)
    assert availability.in_hours(week, at(20), at(20) + 3 * HOUR)


def test_nothing_is_free_without_a_plan():
    assert availability.next_start([], [], HOUR) is None


def test_the_next_start_is_the_first_of_the_first_day():
    week = plan((2, 10, 12), (4, 8, 12))
    assert availability.next_start(week, [], HOUR) == at(10, day=TODAY + timedelta(days=2))


@given(
    stretches=st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 23), st.integers(1, 24)).filter(
            lambda one: one[1] < one[2]
        ),
        max_size=5,
    ),
    busy=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 30)), max_size=6),
    hours=st.integers(1, 72),
)
def test_every_offered_start_can_really_be_kept(stretches, busy, hours):
    week = plan(*stretches)
    length = timedelta(hours=hours)
    with clock.at(MONDAY):
        taken = [(at(9) + start * HOUR, at(9) + (start + span) * HOUR) for start, span in busy]
        for day in availability.bookable_days()[:8]:
            for start in availability.starts(week, taken, length, day):
                assert start >= MONDAY + availability.NOTICE
                assert start.date() == day
                assert availability.in_hours(week, start, start + length)
                assert all(end <= start or begin >= start + length for begin, end in taken)
