"""Supply: the hours caregivers offer, week by week; what a closed week told stays as it was.

Plans have no history. So a week is told by the plans of its own last days, and a week before the
first export by those of that day.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pyarrow as pa
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from services import availability, calendars, clock, recurrence
from services.analytics import facts, months, people, pseudonyms, terms
from services.analytics.months import Month
from services.analytics.people import Stretch
from services.analytics.schemas import SCHEMAS, Fact
from services.analytics.terms import Daypart
from services.availability import Calendar, Span

A_MINUTE, A_DAY, A_WEEK = timedelta(minutes=1), timedelta(days=1), timedelta(weeks=1)
_AT_ONCE = 500
_COLUMNS = tuple(SCHEMAS[Fact.SUPPLY].names)


def told(session: Session, since: date | None, today: date) -> list[Month]:
    """The months of the weeks from one day's to today's; from the first approval on if None."""
    if since is None:
        begun = [stretches[0][0] for stretches in people.approvals(session).values()]
        since = clock.in_city(min(begun)).date() if begun else today
    found, week = [], min(terms.week_of(since), terms.week_of(today))
    while week <= today:
        if not found or found[-1] != months.of(week):
            found.append(months.of(week))
        week += A_WEEK
    return found


def tables(
    session: Session, month: Month, today: date, kept: pa.Table | None, closed_before: date
) -> Iterator[pa.Table]:
    """A month's weeks up to today's; of those that began before a day, what was kept of them.

    A kept week stays even if it has not come yet: then the clock jumped back.
    """
    approved = people.approvals(session)
    week = terms.week_of(month.first + A_WEEK - A_DAY)  # The first that begins in the month.
    while week < month.after:
        if kept is not None and week < closed_before:
            yield kept.filter(pa.array(one == week for one in kept["week"].to_pylist()))
        elif week <= today:
            yield from _of_week(session, week, approved)
        week += A_WEEK


def _of_week(
    session: Session, week: date, approved: Mapping[int, Sequence[Stretch]]
) -> Iterator[pa.Table]:
    begins, ends = recurrence.moment(week, 0), recurrence.moment(week + A_WEEK, 0)
    away = {
        caregiver_id: absent
        for caregiver_id, stretches in approved.items()
        if (absent := _without(stretches, begins, ends)) != [(begins, ends)]
    }
    for ids in facts.batched(sorted(away), _AT_ONCE):
        plans = calendars.of(session, ids, week, week + A_WEEK - A_DAY)
        where = select(Caregiver.id, Caregiver.city_code, Caregiver.district_code)
        rows = [
            (week, caregiver_id, city_code, district_code, part, hours)
            for caregiver_id, city_code, district_code in session.execute(
                where.where(Caregiver.id.in_(ids)).order_by(Caregiver.id)
            )
            for part, hours in _offered(plans[caregiver_id], away[caregiver_id], begins, ends)
        ]
        if rows:
            yield pseudonyms.table(Fact.SUPPLY, _COLUMNS, rows)


def _without(stretches: Iterable[Stretch], begins: datetime, ends: datetime) -> list[Span]:
    """What of a week somebody was not approved in."""
    absent, since = [], begins
    for first, last in stretches:
        if first >= ends:
            break
        if first > since:
            absent.append((since, first))
        since = max(since, last or ends)
    if since < ends:
        absent.append((since, ends))
    return absent


def _offered(
    plan: Calendar, away: Sequence[Span], begins: datetime, ends: datetime
) -> Iterator[tuple[Daypart, float]]:
    """The hours of a week that are planned and not taken back, by part of the day."""
    present = replace(plan, leaves=(*plan.leaves, *away))
    free = availability.free(present, (), begins, ends)
    yield from people.by_daypart([part for span in free for part in _of_days(span)]).items()


def _of_days(span: Span) -> Iterator[people.Minutes]:
    """A span day by day, in minutes of each."""
    begins, ends = map(clock.in_city, span)
    while begins < ends:
        midnight = recurrence.moment(begins.date(), 0)
        last = min(ends, recurrence.moment(begins.date() + A_DAY, 0))
        yield (begins - midnight) / A_MINUTE, (last - midnight) / A_MINUTE
        begins = last
