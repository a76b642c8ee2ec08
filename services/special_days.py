"""Special days: public holidays and the weekends on which people work for them."""

from collections.abc import Mapping
from datetime import date
from functools import cache

import holidays
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.calendars import DayKind, SpecialDay


def kinds(session: Session, city_code: str, first: date, last: date) -> dict[date, DayKind]:
    """What the days from first to last are, those left out that are what their weekday says.

    What the operators say counts before what the calendar of holidays says.
    """
    published = {
        day: kind
        for year in range(first.year, last.year + 1)
        for day, kind in _published(year).items()
        if first <= day <= last
    }
    said = session.execute(
        select(SpecialDay.on_day, SpecialDay.kind).where(
            SpecialDay.city_code == city_code, SpecialDay.on_day.between(first, last)
        )
    )
    known = published | dict(said.all())
    return {day: kind for day, kind in known.items() if kind is not DayKind.ORDINARY}


@cache
def _published(year: int) -> Mapping[date, DayKind]:
    """A year's holidays and working weekends in mainland China, as far as they are decreed."""
    calendar = holidays.country_holidays("CN", years=year)
    working = dict.fromkeys(calendar.weekend_workdays, DayKind.WORKDAY)
    return working | dict.fromkeys(calendar, DayKind.HOLIDAY)
