"""When a caregiver can come: a pure question of plan, visits, way and length."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.caregivers import WeeklyHours
from services import availability, clock, places
from services.availability import Calendar, Obstacle, Pace, Taken
from tests.factories import CHONGCHUAN, MONDAY, TONGZHOU

TODAY = date(2030, 1, 7)
TOMORROW = TODAY + timedelta(days=1)
HOUR = timedelta(hours=1)
HERE, FAR = (places.cell_of_district(code) for code in (CHONGCHUAN, TONGZHOU))
RULES = Pace(3 * HOUR, timedelta(days=21), 10 * HOUR, 40 * HOUR, 20)


def plan(*stretches):
    return Calendar(
        [
            WeeklyHours(weekday=day, starts_minute=first * 60, ends_minute=last * 60)
            for day, first, last in stretches
        ]
    )


EVERY_DAY = plan(*((day, 7, 20) for day in range(7)))
ROUND_THE_CLOCK = plan(*((day, 0, 24) for day in range(7)))


def at(hour, minute=0, day=TODAY):
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=clock.CITY_TIME)


def visit(hour, hours, day=TOMORROW, cell=HERE):
    return Taken(at(hour, day=day), at(hour, day=day) + hours * HOUR, cell)


def starts(calendar, taken, length, day):
    return availability.starts(calendar, RULES, taken, length, HERE, day)


def met(wanted, *taken, calendar=EVERY_DAY, rules=RULES):
    return availability.obstacle(calendar, rules, taken, wanted)


@pytest.fixture(autouse=True)
def monday_morning(clock):
    assert clock.moment == MONDAY == at(9)


class TestStarts:
    def test_lie_inside_the_plan_and_after_the_notice(self):
        assert starts(plan((0, 8, 14)), [], 2 * HOUR, TODAY) == [at(12)]

    def test_a_visit_in_the_way_takes_every_start_it_would_meet(self):
        assert starts(plan((1, 8, 12)), [visit(9, 1)], HOUR, TOMORROW) == [
            at(8, day=TOMORROW),
            at(10, day=TOMORROW),
            at(10, 30, day=TOMORROW),
            at(11, day=TOMORROW),
        ]

    def test_a_break_is_not_worked_through(self):
        week = plan((1, 8, 12), (1, 14, 18))
        assert starts(week, [], 4 * HOUR, TOMORROW) == [
            at(8, day=TOMORROW),
            at(14, day=TOMORROW),
        ]

    def test_the_next_one_is_the_first_of_the_first_day(self):
        week = plan((2, 10, 12), (4, 8, 12))
        wednesday = TODAY + timedelta(days=2)
        assert availability.next_start(week, RULES, [], HOUR, HERE) == at(10, day=wednesday)

    def test_without_a_plan_there_is_none(self):
        assert availability.next_start(Calendar([]), RULES, [], HOUR, HERE) is None

    @given(
        stretches=st.lists(
            st.tuples(st.integers(0, 6), st.integers(0, 23), st.integers(1, 24)).filter(
                lambda one: one[1] < one[2]
            ),
            max_size=5,
        ),
        busy=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 30)), max_size=6),
        away=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 60)), max_size=2),
        hours=st.integers(1, 72),
    )
    def test_every_one_offered_can_really_be_kept(self, stretches, busy, away, hours):
        length = timedelta(hours=hours)
        with clock.at(MONDAY):
            leaves = tuple((at(9) + a * HOUR, at(9) + (a + long) * HOUR) for a, long in away)
            week = replace(plan(*stretches), leaves=leaves)
            taken = [
                Taken(at(9) + start * HOUR, at(9) + (start + span) * HOUR, HERE)
                for start, span in busy
            ]
            for day in availability.bookable_days(RULES)[:8]:
                for start in starts(week, taken, length, day):
                    end = start + length
                    assert start >= MONDAY + RULES.notice
                    assert start.date() == day
                    assert availability.in_hours(week, start, end)
                    for begins, ends in (*leaves, *((v.starts_at, v.ends_at) for v in taken)):
                        assert ends <= start or begins >= end


class TestHours:
    def test_live_in_care_asks_for_working_days_only(self):
        no_sunday = plan(*((day, 8, 18) for day in range(6)))
        week_long = (at(8), at(8) + timedelta(days=7))
        assert availability.in_hours(EVERY_DAY, *week_long)
        assert not availability.in_hours(no_sunday, *week_long)
        assert availability.in_hours(no_sunday, at(8), at(8) + timedelta(days=5))

    def test_a_night_shift_is_one_stretch_over_midnight(self):
        assert availability.in_hours(ROUND_THE_CLOCK, at(22), at(22) + 10 * HOUR)
        assert not availability.in_hours(EVERY_DAY, at(18), at(18) + 14 * HOUR)

    def test_a_day_with_hours_of_its_own_follows_these(self):
        short = replace(EVERY_DAY, days={TOMORROW: ((9 * 60, 12 * 60),)})
        assert met(visit(10, 2), calendar=short) is None
        assert met(visit(13, 2), calendar=short) is Obstacle.OFF_HOURS
        assert met(visit(13, 2, day=TODAY + timedelta(days=2)), calendar=short) is None

    def test_a_day_without_hours_is_off(self):
        off = replace(EVERY_DAY, days={TOMORROW: ()})
        assert met(visit(10, 2), calendar=off) is Obstacle.OFF_HOURS
        assert not availability.in_hours(off, at(8), at(8) + timedelta(days=3))


class TestObstacles:
    def test_nothing_stands_in_the_way_of_a_free_hour(self):
        assert met(visit(10, 2)) is None

    def test_too_soon_and_too_far_ahead(self):
        assert met(visit(11, 1, day=TODAY)) is Obstacle.TOO_SOON
        assert met(visit(12, 1, day=TODAY)) is None
        assert met(visit(10, 1, day=TODAY + timedelta(days=22))) is Obstacle.TOO_FAR_AHEAD

    def test_leave_and_closed_times(self):
        span = (at(11, day=TOMORROW), at(15, day=TOMORROW))
        for away, obstacle in (("leaves", "on_leave"), ("closures", "city_closed")):
            calendar = replace(EVERY_DAY, **{away: (span,)})
            assert met(visit(10, 2), calendar=calendar) == obstacle
            assert met(visit(9, 2), calendar=calendar) is None
            assert met(visit(15, 2), calendar=calendar) is None

    def test_another_visit(self):
        assert met(visit(10, 2), visit(11, 2)) is Obstacle.BUSY
        assert met(visit(10, 2), visit(12, 2), visit(8, 2)) is None

    def test_the_way_between_two_visits(self):
        way = availability.travel(HERE, FAR, RULES.travel_kmh)
        assert way > HOUR
        assert met(visit(10, 2), visit(13, 1, cell=FAR)) is Obstacle.TRAVEL
        assert met(visit(13, 2), visit(11, 1, cell=FAR)) is Obstacle.TRAVEL
        assert met(visit(8, 1), visit(18, 1, cell=FAR)) is None
        assert (
            met(visit(10, 2), visit(13, 1, cell=FAR), rules=replace(RULES, travel_kmh=200)) is None
        )

    def test_the_rest_between_two_days(self):
        late = visit(13, 9, day=TODAY)
        calendar = ROUND_THE_CLOCK
        assert met(visit(7, 1), late, calendar=calendar) is Obstacle.REST
        assert met(visit(8, 1), late, calendar=calendar) is None
        assert met(late, visit(7, 1), calendar=calendar) is Obstacle.REST

    def test_live_in_care_arranges_its_own_rest_and_hours(self):
        living_in = Taken(at(20), at(20) + timedelta(days=3), HERE)
        after = Taken(living_in.ends_at + HOUR, living_in.ends_at + 3 * HOUR, HERE)
        calendar = ROUND_THE_CLOCK
        assert met(living_in, calendar=calendar) is None
        assert met(after, living_in, calendar=calendar) is None

    def test_a_week_has_so_many_hours(self):
        worked = [visit(8, 9, day=TODAY + timedelta(days=ahead)) for ahead in range(4)]
        friday = TODAY + timedelta(days=4)
        assert met(visit(8, 4, day=friday), *worked) is None
        assert met(visit(8, 5, day=friday), *worked) is Obstacle.WEEK_FULL
        assert met(visit(8, 5, day=TODAY + timedelta(days=7)), *worked) is None


class TestFreeTime:
    def test_is_the_plan_less_what_is_taken(self):
        calendar = replace(
            plan((1, 8, 12), (1, 14, 18)),
            leaves=((at(17, day=TOMORROW), at(20, day=TOMORROW)),),
        )
        found = availability.free(
            calendar, [visit(9, 1)], at(0, day=TOMORROW), at(23, day=TOMORROW)
        )
        assert found == [
            (at(8, day=TOMORROW), at(9, day=TOMORROW)),
            (at(10, day=TOMORROW), at(12, day=TOMORROW)),
            (at(14, day=TOMORROW), at(17, day=TOMORROW)),
        ]

    spans = st.lists(st.tuples(st.integers(0, 600), st.integers(1, 200)), max_size=6)

    @given(busy=spans, away=spans, hours=st.integers(1, 12))
    def test_intervals_and_quarter_hours_tell_the_same(self, busy, away, hours):
        quarter = timedelta(minutes=15)
        taken = [Taken(at(0) + a * quarter, at(0) + (a + n) * quarter, HERE) for a, n in busy]
        leaves = tuple((at(0) + a * quarter, at(0) + (a + n) * quarter) for a, n in away)
        calendar = replace(EVERY_DAY, leaves=leaves)
        spans = availability.free(calendar, taken, at(0), at(0) + timedelta(days=7))
        bits = availability.free_slots(
            calendar, [(one.starts_at, one.ends_at) for one in taken], TODAY, 7
        )
        assert bits == availability.slots(spans, TODAY, 7)
        room = availability.room(bits, hours * HOUR)
        for number in range(7 * availability.SLOTS_A_DAY):
            start = at(0) + number * quarter
            fits = any(a <= start and start + hours * HOUR <= b for a, b in spans)
            assert bool(room >> number & 1) == fits
