"""The words figures are told in: bands, parts of the day, weeks and months of weeks."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache


class AgeBand(StrEnum):
    """Whole years at the time of the need, both ends within."""

    UNDER_3 = "0_2"
    CHILD = "3_17"
    FROM_18 = "18_29"
    FROM_30 = "30_39"
    FROM_40 = "40_49"
    FROM_50 = "50_59"
    FROM_60 = "60_69"
    FROM_70 = "70_79"
    FROM_80 = "80"


class Daypart(StrEnum):
    """Six hours of the city's day each, from midnight on."""

    NIGHT = "night"
    MORNING = "morning"
    AFTERNOON = "afternoon"
    EVENING = "evening"


class How(StrEnum):
    """How a caregiver came to a need: asked for herself, or by applying."""

    DIRECT = "direct"
    APPLICATION = "application"


class Answer(StrEnum):
    """What became of an offer: to a request the caregiver's answer, to an application the other's.

    One that was not answered because the need ended, or somebody else was taken, is closed.
    """

    ACCEPTED = "accepted"
    REFUSED = "refused"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"
    WAITING = "waiting"


class Dimension(StrEnum):
    """By what needs are told apart, one at a time."""

    AGE = "age"
    SEX = "sex"
    CHANNEL = "channel"
    HOUR = "hour"  # Weekday (0 = Monday) and daypart of the beginning: "0_morning".
    URGENCY = "urgency"
    PRICE = "price"
    HOME = "home"  # The district the caregiver came from; served needs only.


UNKNOWN = "unknown"  # The bucket of those of whom it is not known.
# How long before its time a need was posted: in less than so many hours, or longer.
URGENCIES = {"under_6h": 6, "under_24h": 24, "under_3d": 72, "under_7d": 168}
LONGER = "longer"
PRICES = "low", "usual", "high"  # Against the middle of what is offered for the same item.
WEEKDAYS = 7
# Account holders are grown up.
HOLDER_AGES = (UNKNOWN, *list(AgeBand)[list(AgeBand).index(AgeBand.FROM_18) :])
# The buckets of dimensions that have an order; published ones are told as "a|b", from a to b.
ORDERS: dict[Dimension, tuple[str, ...]] = {
    Dimension.AGE: (UNKNOWN, *AgeBand),
    Dimension.HOUR: tuple(f"{day}_{part}" for day in range(WEEKDAYS) for part in Daypart),
    Dimension.URGENCY: (*URGENCIES, LONGER),
    Dimension.PRICE: PRICES,
}


class Stage(StrEnum):
    """The way of a family, from the front door to the review."""

    OPENED = "opened"
    JOINED = "joined"
    VERIFIED = "verified"
    ASKED = "asked"
    MATCHED = "matched"
    REDEEMED = "redeemed"
    REVIEWED = "reviewed"


HOURS_A_DAYPART = 6


def age_band(born_on: date, on: date) -> AgeBand:
    """The band of somebody's age in whole years on a day."""
    years = on.year - born_on.year - ((on.month, on.day) < (born_on.month, born_on.day))
    return _band(max(years, 0))


@cache
def _band(years: int) -> AgeBand:
    reached = [band for band in AgeBand if int(band.split("_")[0]) <= years]
    return reached[-1]


def daypart(hour: int) -> Daypart:
    """The part of the day an hour (0 to 23, city time) lies in."""
    return list(Daypart)[hour // HOURS_A_DAYPART]


def week_of(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def month_of(day: date) -> date:
    """The first day of the calendar month a day's week belongs to: that of its Thursday.

    Months are so made of whole weeks, as ISO 8601 makes its years of them.
    """
    return (week_of(day) + timedelta(days=3)).replace(day=1)


def weeks_of_month(month: date) -> list[date]:
    """The Mondays of the weeks that belong to a month."""
    first = week_of(month.replace(day=4))  # The week with the 4th has the month's first Thursday.
    weeks = [first + timedelta(weeks=number) for number in range(5)]
    return [week for week in weeks if month_of(week) == month.replace(day=1)]


def is_closed(month: date, last_day: date) -> bool:
    """Whether all weeks of a month are over on a day, that day included."""
    return weeks_of_month(month)[-1] + timedelta(days=6) <= last_day


def stretched(bucket: str, order: Sequence[str]) -> list[str]:
    """The buckets a name stands for: itself, or all of an order from the first to the last.

    But not UNKNOWN among others: that nobody may be unknown is no figure of theirs.
    """
    first, _, last = bucket.partition("|")
    if not last:
        return [first]
    return [one for one in order[order.index(first) : order.index(last) + 1] if one != UNKNOWN]


def weekday_and_part(moment: datetime) -> str:
    """The bucket of `Dimension.HOUR` a moment in city time lies in."""
    return f"{moment.weekday()}_{daypart(moment.hour)}"
