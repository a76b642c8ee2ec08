"""Months of the city's calendar, by which facts lie apart."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_
from sqlalchemy.orm import InstrumentedAttribute

from services import clock, recurrence

Moment = InstrumentedAttribute[datetime] | InstrumentedAttribute[date]


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month of the city, "2026-11", and the midnights it lies between."""

    name: str

    @property
    def first(self) -> date:
        return date.fromisoformat(f"{self.name}-01")

    @property
    def after(self) -> date:
        """The first day of the next."""
        year, month = divmod(self.first.year * 12 + self.first.month, 12)
        return date(year, month + 1, 1)

    def holds(self, moment: Moment) -> ColumnElement[bool]:
        """The condition that a row's moment lies in it."""
        first, after = (
            day if moment.type.python_type is date else recurrence.moment(day, 0)
            for day in (self.first, self.after)
        )
        return and_(moment >= first, moment < after)


def of(moment: datetime | date) -> Month:
    """The month a moment or a day lies in."""
    day = clock.in_city(moment).date() if isinstance(moment, datetime) else moment
    return Month(f"{day:%Y-%m}")
