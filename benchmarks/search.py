"""Searching among 2,000 caregivers with 50,000 visits, and how their free time is found."""

import os
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from statistics import median
from time import perf_counter

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from benchmarks import databases, pages, servers
from benchmarks.bulk import people
from benchmarks.bulk.city import City
from benchmarks.bulk.orders import Slot, demand
from benchmarks.table import Row
from benchmarks.visitor import Visitor
from data import database
from data.accounts import Channel, Role
from data.calendars import Closure, DayHours, Leave
from data.caregivers import Caregiver, WeeklyHours
from data.orders import GONE, Order, Visit, VisitStatus
from services import availability, calendars, clock, gate, places, startup
from services.demo.nantong import CITY

CAREGIVERS, VISITS = 2_000, 50_000
DAYS_BEHIND, DAYS_AHEAD = 120, 30
MONTH = 30
PAGE_TARGET, MONTH_TARGET = 1.5, 3.0
# Of the days in the box, after "any time" and today.
DAYS_AWAY = 4
FEW, WARM_UP, RUNS = 20, 2, 15


def measure(folder: Path) -> Iterator[Row]:
    """The page as a family opens it, and for a time of theirs; a month's free time of everybody."""
    url = _crowded(folder)
    with databases.at(url):
        yield from _months()
        with (
            servers.ours(folder, url) as ours,
            servers.stock(folder, "empty") as stock,
            Visitor(stock) as peer,
            Visitor(ours.url, "find_caregivers", servers.cookie_of(Role.CUSTOMER)) as visitor,
        ):
            name = f"page find_caregivers, {CAREGIVERS:,} caregivers, {VISITS:,} visits"
            yield pages.row(name, visitor, peer, PAGE_TARGET)
            visitor.choose("find_day", DAYS_AWAY)
            yield pages.row(f"{name}, at a wanted time", visitor, peer, PAGE_TARGET)


def _months() -> Iterator[Row]:
    """Free quarter hours against the same rows read plainly; and the questions of many and few."""
    with database.reading() as session:
        ids = list(session.scalars(select(Caregiver.id).where(Caregiver.city_code == CITY)))
        first = clock.today()
        pairs = [
            (_seconds(_free, session, ids, first), _seconds(plain_rows, session, ids, first))
            for _ in range(WARM_UP + RUNS)
        ][WARM_UP:]
        ours, plain = (median(each) * 1000 for each in zip(*pairs, strict=True))
        name = f"availability of {len(ids):,} caregivers for a month"
        yield Row(f"{name}, against reading the rows", ours, plain, "ms", MONTH_TARGET)
        many = _questions(session, ids, first)
        few = _questions(session, ids[:FEW], first)
        yield Row(f"{name}, against {FEW}", many, few, "questions", 1.0)


def _free(session: Session, ids: list[int], first: date) -> None:
    """As the service finds it."""
    begins, ends = _span(first)
    plans = calendars.around(session, ids, begins, ends)
    taken = gate.taken_by(session, ids, begins, ends)
    for one in ids:
        spans = [(visit.starts_at, visit.ends_at) for visit in taken.get(one, ())]
        availability.free_slots(plans[one], spans, first, MONTH)


def plain_rows(session: Session, ids: list[int], first: date, days: int = MONTH) -> None:
    """The rows that say when they are free on so many days, read and left alone."""
    begins, ends = _span(first, days)
    week, hours, leave, closure = WeeklyHours, DayHours, Leave, Closure
    for query in (
        select(week.caregiver_id, week.weekday, week.starts_minute, week.ends_minute).where(
            week.caregiver_id.in_(ids)
        ),
        select(hours.caregiver_id, hours.on_day, hours.starts_minute, hours.ends_minute).where(
            hours.caregiver_id.in_(ids), hours.on_day.between(begins.date(), ends.date())
        ),
        select(leave.caregiver_id, leave.starts_at, leave.ends_at).where(
            leave.caregiver_id.in_(ids), leave.ends_at > begins, leave.starts_at < ends
        ),
        select(closure.city_code, closure.starts_at, closure.ends_at).where(
            closure.ends_at > begins, closure.starts_at < ends
        ),
        select(Visit.caregiver_id, Visit.starts_at, Visit.ends_at, Visit.cell)
        .where(
            Visit.caregiver_id.in_(ids),
            Visit.ends_at > begins,
            Visit.starts_at < ends,
            Visit.status.not_in(GONE),
        )
        .order_by(Visit.starts_at),
    ):
        session.execute(query).all()


def _span(first: date, days: int = MONTH) -> tuple[datetime, datetime]:
    begins = datetime.combine(first, time(), clock.CITY_TIME)
    return begins, begins + timedelta(days=days)


def _seconds(work: Callable[[Session, list[int], date], None], *args: object) -> float:
    started = perf_counter()
    work(*args)  # pyright: ignore[reportArgumentType] - as given
    return perf_counter() - started


def _questions(session: Session, ids: list[int], first: date) -> int:
    """How many statements it takes."""
    asked = list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(statement)

    event.listen(database.engine(), "before_cursor_execute", note)
    _free(session, ids, first)
    event.remove(database.engine(), "before_cursor_execute", note)
    return len(asked)


def _crowded(folder: Path) -> str:
    """The URL of a small demo with that many caregivers and visits more; filled once."""
    file = folder / f"crowd_{CAREGIVERS}.db"
    url = f"sqlite:///{file}"
    if not file.exists():
        os.environ["CAREPILOT_DEMO"] = "small"
        try:
            with databases.at(url):
                startup.prepare()
                fill()
        finally:
            del os.environ["CAREPILOT_DEMO"]
    return url


def fill() -> None:
    """Caregivers with a long order each, for the demo's family; no two visits of one overlap."""
    with database.engine().execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        city = City(connection, 0)
        people.caregivers(city, CAREGIVERS)
        city.write()
        for caregiver_id in city.caregiver_ids:
            _order(city, caregiver_id, VISITS // CAREGIVERS)
        city.finish()


def _order(city: City, caregiver_id: int, visits: int) -> None:
    customer_id = city.demo[Role.CUSTOMER]
    recipient_id = city.recipients[customer_id][0]
    item = next(item for item in city.items if item.fewest_units == 2)
    midnight = clock.in_city(city.now).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=DAYS_BEHIND)
    slot = Slot(caregiver_id, item, first, 2)
    district = city.district()
    demand_id = demand(city, slot, customer_id, recipient_id, district, first)
    order_id = city.add(
        Order,
        first,
        demand_id=demand_id,
        customer_id=customer_id,
        caregiver_id=caregiver_id,
        recipient_id=recipient_id,
        item_id=item.id,
        city_code=CITY,
        district_code=district,
        channel=Channel.APP,
        units=2,
        unit_price_fen=item.lowest_fen,
        commission_bp=0,
        terms={},
        decline_until=first,
    )
    days = sorted(city.chance.sample(range(DAYS_BEHIND + DAYS_AHEAD), visits))
    for day in days:
        starts_at = first + timedelta(days=day, hours=city.chance.choice((8, 9, 13, 14)))
        city.add(
            Visit,
            first,
            order_id=order_id,
            caregiver_id=caregiver_id,
            cell=places.cell_of_district(city.district()),
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=2),
            total_fen=item.lowest_fen * 2,
            commission_fen=0,
            price_parts={"base": item.lowest_fen * 2},
            status=VisitStatus.PLANNED if starts_at > city.now else VisitStatus.REDEEMED,
            done_tasks=[],
        )
