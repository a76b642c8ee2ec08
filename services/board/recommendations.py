"""Recommendations: the best five for one demand or one wish, each with her reasons."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.catalogue import CareItem
from data.demands import Demand, DemandStatus
from data.recipients import Mobility, Recipient
from services import callers
from services.access import Actor, Permission
from services.board import explanations, open_work, situations
from services.board.open_work import Work
from services.dispatch import batches, explaining
from services.errors import Conflict, Invalid, NotFound
from services.search import Wanted


@dataclass(frozen=True, slots=True)
class Recommended:
    """One of the best: her price (fen per unit), whether she offered herself, and why.

    `figures` are those that words are made of, `more` what she costs more than the best, by term
    in minutes.
    """

    caregiver_id: int
    name: str
    price_fen: int
    applied: bool
    figures: dict[str, Any]
    more: dict[str, float]


def for_demand(session: Session, actor: Actor, demand_id: int) -> list[Recommended]:
    """The best five for an open demand for one visit of the actor's cities."""
    actor.require(Permission.DECIDE_APPLICATION)
    demand = session.scalar(
        select(Demand).where(Demand.id == demand_id, Demand.city_code.in_(actor.cities))
    )
    if demand is None or demand.status is not DemandStatus.OPEN:
        raise NotFound("error.demand_not_found")
    if demand.rule is not None:
        raise Conflict("error.plans_are_chosen")
    work = open_work.of_demand(session, demand)
    return _best(session, demand.city_code, work) if work else []


def for_wish(
    session: Session, actor: Actor, customer_id: int, recipient_id: int, wanted: Wanted
) -> list[Recommended]:
    """The best five for what a caller wants for somebody of theirs at a time."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    callers.reach(session, actor, customer_id)
    if wanted.starts_at is None:
        raise Invalid("error.missing", field="start")
    if wanted.city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    recipient = session.get(Recipient, recipient_id)
    if recipient is None or recipient.customer_id != customer_id:
        raise NotFound("error.recipient_not_found")
    item = session.get(CareItem, wanted.item_id)
    if item is None:
        raise NotFound("error.item_not_found")
    length = timedelta(hours=wanted.units * item.hours_per_unit)
    work = Work(
        demand_id=None,
        visit_id=None,
        before_id=None,
        sought=True,
        customer_id=customer_id,
        recipient_id=recipient.id,
        item_id=item.id,
        district_code=wanted.district_code,
        cell=wanted.cell,
        starts_at=wanted.starts_at,
        ends_at=wanted.starts_at + length,
        units=wanted.units,
        lowest_fen=item.lowest_fen,
        highest_fen=wanted.most_fen or item.highest_fen,
        skills=(),
        wished_sex=str(wanted.sex) if wanted.sex else None,
        language=recipient.language,
        mobility=Mobility(recipient.mobility),
        required_certificates=tuple(item.required_certificates),
    )
    return _best(session, wanted.city_code, work)


def _best(session: Session, city_code: str, work: Work) -> list[Recommended]:
    problem = situations.alone(session, city_code, [work])
    found = explaining.recommended(batches.solve(problem), problem.demands[0].id)
    if not found:
        return []
    ids = [one.visit.caregiver_id for one in found]
    names = dict(session.execute(select(Account.id, Account.name).where(Account.id.in_(ids))).all())
    best = found[0].visit.terms
    return [
        Recommended(
            caregiver_id=one.visit.caregiver_id,
            name=names[one.visit.caregiver_id],
            price_fen=one.visit.price_fen,
            applied=one.visit.caregiver_id in problem.demands[0].offers,
            figures=explanations.figures(one),
            more=explanations.minutes(
                {term: cost - best[term] for term, cost in one.visit.terms.items()}
            ),
        )
        for one in found
    ]
