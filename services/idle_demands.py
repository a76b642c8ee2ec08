"""Idle demands: nobody applies, so they are offered again, or the family makes them better."""

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from data.cities import City
from data.demands import Demand, DemandStatus
from data.history import Noun
from data.notices import NoticeKind
from services import audit, catalogue, cities, clock, demands, lifecycles, notices, to_do
from services.access import Actor, Permission
from services.demands import Terms
from services.errors import Conflict, Invalid

# By itself; what a family makes better is offered anew beyond that.
MOST_OFFERS = 3
MOST_IN_ALL = 8


def reoffer_due(session: Session, actor: Actor) -> int:
    """Offer again what lay idle for the city's hours, and tell the family once; count them."""
    actor.require(Permission.RUN_JOBS)
    since = func.coalesce(Demand.offered_at, Demand.created_at)
    idle = [
        and_(Demand.city_code == code, since <= clock.now() - timedelta(hours=hours))
        for code, hours in session.execute(select(City.code, City.reoffer_hours))
    ]
    due = session.scalars(
        select(Demand)
        .where(
            Demand.status == DemandStatus.OPEN,
            Demand.starts_at > clock.now(),
            Demand.offers < MOST_OFFERS,
            to_do.nobody_to_choose(),
            or_(*idle),
        )
        .with_for_update(skip_locked=True)
    ).all()
    for demand in due:
        lifecycles.take(session, actor, Noun.DEMAND, demand, "reoffer")
        demands.announce(session, actor, demand, wider=True)
        notices.tell(
            session,
            NoticeKind.DEMAND_IDLE,
            demand.customer_id,
            f"demand-{demand.id}",
            demand_id=demand.id,
            item_id=demand.item_id,
        )
    return len(due)


def improve(session: Session, actor: Actor, demand_id: int, wanted: Terms) -> None:
    """Give a demand nobody applied for more pay or another time, and offer it anew."""
    actor.require(Permission.POST_DEMAND)
    demand = demands.locked(session, actor, demand_id)
    lifecycles.take(session, actor, Noun.DEMAND, demand, "improve")
    if demand.starts_at <= clock.now():
        raise Conflict("error.start_in_past")
    if not session.scalar(
        select(Demand.id).where(Demand.id == demand.id, to_do.nobody_to_choose())
    ):
        raise Conflict("error.somebody_applied")
    if demand.offers >= MOST_IN_ALL:
        raise Conflict("error.improved_too_often")
    item = catalogue.named(session, demand.item_id)
    city = cities.open_city(session, demand.city_code)
    if wanted.lowest_fen < demand.lowest_fen or wanted.highest_fen < demand.highest_fen:
        raise Invalid("error.price_lowered")
    demands.check_time_and_price(wanted, item, city)
    before = Terms(demand.starts_at, demand.units, demand.lowest_fen, demand.highest_fen)
    if wanted == before:
        raise Invalid("error.nothing_changed")
    demand.starts_at, demand.units = wanted.starts_at, wanted.units
    demand.ends_at = wanted.starts_at + timedelta(hours=wanted.units * item.hours_per_unit)
    demand.lowest_fen, demand.highest_fen = wanted.lowest_fen, wanted.highest_fen
    audit.record(
        session, actor, "improve_demand", "demand", demand.id,
        before=_noted(before), after=_noted(wanted),
    )  # fmt: skip
    demands.announce(session, actor, demand)


def _noted(terms: Terms) -> dict[str, Any]:
    """As the audit keeps it."""
    return asdict(terms) | {"starts_at": f"{clock.in_city(terms.starts_at):%Y-%m-%dT%H:%M}"}
