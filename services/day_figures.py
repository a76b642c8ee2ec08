"""The day's figures: what happened so far today, and in the six days before."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, case, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.demands import Demand, DemandStatus
from data.orders import ASIDE, GONE, Order, Visit, VisitStatus
from services import clock
from services.access import Actor, Permission


@dataclass(frozen=True, slots=True)
class Figure:
    """The last seven days, today last, and what today is compared with."""

    days: tuple[int, ...]
    yesterday: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A city's day: what happened so far against yesterday at this hour; visits are whole days."""

    posted: Figure
    confirmed: Figure
    redeemed: Figure
    visits: Figure
    open_now: int


def figures(session: Session, actor: Actor) -> DayFigures:
    """The last seven days of this operator's cities, today last."""
    actor.require(Permission.SEE_TO_DO)
    now = clock.now()
    midnight = clock.in_city(now).replace(hour=0, minute=0, second=0, microsecond=0)
    given: dict[str, Any] = {f"midnight_{n}": midnight + timedelta(days=n - 6) for n in range(8)}
    given |= {"cities": list(actor.cities), "now": now}
    so_far = given | {"compared_until": now - timedelta(days=1)}
    whole_days = given | {"compared_until": midnight}
    counts = _day_counts()
    return DayFigures(
        posted=_by_day(session, counts["posted"], so_far),
        confirmed=_by_day(session, counts["confirmed"], so_far),
        redeemed=_by_day(session, counts["redeemed"], so_far),
        visits=_by_day(session, counts["visits"], whole_days),
        open_now=session.scalar(counts["open_now"], given) or 0,
    )


def _by_day(session: Session, counts: Select[*tuple[Any, ...]], given: dict[str, Any]) -> Figure:
    found = {day: (count, compared) for day, count, compared in session.execute(counts, given)}
    days = tuple(found.get(number, (0, 0))[0] for number in range(7))
    return Figure(days=days, yesterday=found.get(5, (0, 0))[1])


@cache
def _day_counts() -> dict[str, Select[*tuple[Any, ...]]]:
    """The questions behind the figures, put together once: that costs more than their answers."""
    cities = bindparam("cities", expanding=True)
    orders, demands = Order.city_code.in_(cities), Demand.city_code.in_(cities)
    # As a condition, not a join: SQLite would walk through every order there ever was.
    in_my_cities = select(Order.id).where(Order.id == Visit.order_id, orders).exists()
    held = Visit.status.in_([status for status in VisitStatus if status not in (*GONE, *ASIDE)])
    return {
        "posted": _day_count(Demand.created_at, demands),
        "confirmed": _day_count(Order.created_at, orders),
        "redeemed": _day_count(Visit.redeemed_at, in_my_cities),
        "visits": _day_count(Visit.starts_at, in_my_cities, held),
        "open_now": select(func.count(Demand.id)).where(
            demands, Demand.status == DemandStatus.OPEN, Demand.starts_at > bindparam("now")
        ),
    }


def _day_count(
    moment: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    *conditions: ColumnElement[bool],
) -> Select[*tuple[Any, ...]]:
    midnights = [bindparam(f"midnight_{number}") for number in range(8)]
    day = case(*((moment < end, number) for number, end in enumerate(midnights[1:])))
    compared = func.count().filter(moment < bindparam("compared_until"))
    return (
        select(day.label("day"), func.count(), compared)
        .where(moment >= midnights[0], moment < midnights[-1], *conditions)
        .group_by("day")
    )
