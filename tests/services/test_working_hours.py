"""Working hours: deadlines that count only while somebody is there."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.calendars import DayKind, SpecialDay
from services import clock, working_hours
from services.working_hours import Hours
from tests.factories import MONDAY, NANTONG

HOUR = timedelta(hours=1)
DESK = Hours(8 * 60, 20 * 60)
FRIDAY_EVENING = MONDAY + timedelta(days=4, hours=10)

moments = st.integers(0, 90 * 24 * 60).map(lambda minutes: MONDAY + timedelta(minutes=minutes))
works = st.integers(0, 120 * 60).map(lambda minutes: timedelta(minutes=minutes))
days = st.dates(date(2029, 12, 1), date(2030, 6, 30))


@st.composite
def desks(draw):
    """Any opening hours, with holidays and working weekends strewn in."""
    opens = draw(st.integers(0, 1380))
    closes = draw(st.integers(opens + 60, 1440))
    kinds = draw(st.dictionaries(days, st.sampled_from(DayKind), max_size=20))
    return Hours(opens, closes, kinds)


@given(moments, works, desks())
def test_as_much_work_passes_until_a_deadline_as_it_was_given(start, work, desk):
    assert working_hours.between(start, working_hours.after(start, work, desk), desk) == work


@given(moments, works, works, desks())
def test_more_work_is_never_due_sooner(start, work, more, desk):
    first = working_hours.after(start, work, desk)
    assert working_hours.after(start, work + more, desk) >= first >= start


@given(moments, works, works, desks())
def test_what_is_left_at_one_moment_is_due_at_the_same_as_the_whole(start, first, rest, desk):
    halfway = working_hours.after(start, first, desk)
    whole = working_hours.after(start, first + rest, desk)
    assert working_hours.after(halfway, rest, desk) == whole


@given(moments, works.filter(bool), desks())
def test_nothing_is_due_while_nobody_is_there(start, work, desk):
    due = clock.in_city(working_hours.after(start, work, desk))
    minute = due - timedelta(microseconds=1)
    opens, closes = desk.span(minute.date())
    assert desk.works(minute.date())
    assert opens <= minute <= closes


@pytest.mark.parametrize(
    ("hours", "due"),
    [
        (1, MONDAY + timedelta(days=4, hours=11)),
        (2, MONDAY + timedelta(days=7)),
        (13, MONDAY + timedelta(days=7, hours=11)),
        (14, MONDAY + timedelta(days=8)),
    ],
)
def test_a_weekend_does_not_count(hours, due):
    assert working_hours.after(FRIDAY_EVENING, hours * HOUR, DESK) == due


def test_a_holiday_does_not_count_and_a_working_saturday_does(session):
    saturday, monday = MONDAY.date() + timedelta(days=5), MONDAY.date() + timedelta(days=7)
    for day, kind in ((saturday, DayKind.WORKDAY), (monday, DayKind.HOLIDAY)):
        session.add(SpecialDay(created_at=clock.now(), city_code=NANTONG, on_day=day, kind=kind))
    session.flush()
    desk = working_hours.of_city(session, NANTONG, FRIDAY_EVENING)

    due = working_hours.after(FRIDAY_EVENING, 14 * HOUR, desk)
    assert due == MONDAY + timedelta(days=8)
