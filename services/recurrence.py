"""Recurrence rules of plans (RFC 5545), as far as plans need them: weekdays, in city time."""

import re
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from itertools import islice

from dateutil.rrule import WEEKLY, rrule

from services import clock
from services.errors import Invalid

MOST_VISITS = 400
MOST_WEEKS_APART = 8
A_YEAR = timedelta(days=366)
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
# All that is ever stored: no rule without days, none by the second, none with an end of its own.
_RULE = re.compile(
    r"DTSTART:(?P<first>\d{8})T000000\nRRULE:FREQ=WEEKLY;INTERVAL=(?P<weeks>\d);BYDAY=(?P<days>[A-Z,]+)"
)


def weekly(weekdays: Collection[int], weeks: int, first: date) -> str:
    """The rule of these weekdays (0 = Monday) in every so many weeks, counted from first's week."""
    chosen = sorted(set(weekdays))
    if not chosen:
        raise Invalid("error.plan_without_days")
    if not set(chosen) <= set(range(7)) or not 1 <= weeks <= MOST_WEEKS_APART:
        raise Invalid("error.plan_rule_unknown")
    named = ",".join(_DAYS[day] for day in chosen)
    return f"DTSTART:{first:%Y%m%d}T000000\nRRULE:FREQ=WEEKLY;INTERVAL={weeks};BYDAY={named}"


def parts(rule: str) -> tuple[tuple[int, ...], int]:
    """The weekdays of a rule, and in every how many weeks."""
    _, weeks, weekdays = _read(rule)
    return weekdays, weeks


def days(rule: str, first: date, last: date, skipped: Collection[str] = ()) -> list[date]:
    """The days of a rule from first to last, but those skipped (ISO); at most MOST_VISITS."""
    begins, weeks, weekdays = _read(rule)
    every = rrule(WEEKLY, begins, interval=weeks, byweekday=weekdays, until=_midnight(last))
    coming = (one.date() for one in every.xafter(_midnight(first), inc=True))
    found = list(islice((one for one in coming if one.isoformat() not in skipped), MOST_VISITS + 1))
    if len(found) > MOST_VISITS:
        raise Invalid("error.plan_too_long", most=MOST_VISITS)
    return found


def first_day(rule: str, first: date) -> date | None:
    """The first day of a rule from a day on, if it comes within a year."""
    begins, weeks, weekdays = _read(rule)
    last = _midnight(first + A_YEAR)
    every = rrule(WEEKLY, begins, interval=weeks, byweekday=weekdays, until=last)
    found = every.after(_midnight(first), inc=True)
    return found.date() if found else None


def next_month(month: date) -> date:
    """The first day of the month after this one."""
    return (month.replace(day=1) + timedelta(days=31)).replace(day=1)


def month_span(month: date) -> tuple[datetime, datetime]:
    """When a month begins in the city, and when the next one does."""
    return moment(month.replace(day=1), 0), moment(next_month(month), 0)


def moment(day: date, minute: int) -> datetime:
    """A minute of a day as the city's clocks show it."""
    return datetime.combine(day, time(), clock.CITY_TIME) + timedelta(minutes=minute)


def _read(rule: str) -> tuple[datetime, int, tuple[int, ...]]:
    if (found := _RULE.fullmatch(rule)) is None:
        raise Invalid("error.plan_rule_unknown")
    try:
        first = datetime.strptime(found["first"], "%Y%m%d")  # noqa: DTZ007 - a day has no zone
        weekdays = tuple(_DAYS.index(day) for day in found["days"].split(","))
    except ValueError:
        raise Invalid("error.plan_rule_unknown") from None
    return first, int(found["weeks"]), weekdays


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())
