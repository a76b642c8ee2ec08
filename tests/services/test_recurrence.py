"""Rules of plans: which days they name, and which rules there are not."""

from datetime import date, timedelta

import pytest

from services import recurrence
from services.errors import Invalid

MONDAY = date(2030, 1, 7)


def named(weekdays, weeks=1, *, first=MONDAY, last=MONDAY + timedelta(days=30), skipped=()):
    rule = recurrence.weekly(weekdays, weeks, first)
    return [f"{day:%m-%d}" for day in recurrence.days(rule, first, last, skipped)]


def test_monday_to_friday():
    days = named(range(5), last=MONDAY + timedelta(days=8))
    assert days == ["01-07", "01-08", "01-09", "01-10", "01-11", "01-14", "01-15"]


def test_every_second_sunday_counts_from_the_first_week():
    assert named([6], 2) == ["01-13", "01-27"]


def test_the_weeks_go_on_counting_when_the_plan_is_looked_at_later():
    rule = recurrence.weekly([6], 2, MONDAY)
    later = recurrence.days(rule, date(2030, 1, 14), date(2030, 2, 28))
    assert later == [date(2030, 1, 27), date(2030, 2, 10), date(2030, 2, 24)]


def test_every_day_over_the_end_of_a_february():
    days = named(range(7), first=date(2030, 2, 26), last=date(2030, 3, 2))
    assert days == ["02-26", "02-27", "02-28", "03-01", "03-02"]


def test_skipped_days_are_left_out():
    assert named([0], skipped={"2030-01-14"}) == ["01-07", "01-21", "01-28", "02-04"]


def test_a_rule_says_what_it_was_made_of():
    assert recurrence.parts(recurrence.weekly([4, 0, 4], 3, MONDAY)) == ((0, 4), 3)


def test_a_plan_of_ten_thousand_visits_is_refused():
    with pytest.raises(Invalid, match="plan_too_long"):
        named(range(7), last=MONDAY + timedelta(days=10_000))


@pytest.mark.parametrize(
    ("weekdays", "weeks", "refusal"),
    [([], 1, "plan_without_days"), ([7], 1, "unknown"), ([0], 0, "unknown"), ([0], 9, "unknown")],
)
def test_refuses_what_is_no_rule(weekdays, weeks, refusal):
    with pytest.raises(Invalid, match=refusal):
        recurrence.weekly(weekdays, weeks, MONDAY)


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "RRULE:FREQ=DAILY",
        "DTSTART:20300107T000000\nRRULE:FREQ=SECONDLY;INTERVAL=1;BYDAY=MO",
        "DTSTART:20300107T000000\nRRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY=MO;COUNT=1000000",
        "DTSTART:20300107T000000\nRRULE:FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2",
    ],
)
def test_knows_no_other_rules(rule):
    with pytest.raises(Invalid, match="plan_rule_unknown"):
        recurrence.days(rule, MONDAY, MONDAY)


@pytest.mark.parametrize("rule", ["DTSTART:20300230T000000", "DTSTART:20300107T000000"])
def test_no_thirtieth_of_february_and_no_unknown_weekday(rule):
    day = "MO" if "0230" in rule else "XX"
    with pytest.raises(Invalid, match="plan_rule_unknown"):
        recurrence.days(f"{rule}\nRRULE:FREQ=WEEKLY;INTERVAL=1;BYDAY={day}", MONDAY, MONDAY)
