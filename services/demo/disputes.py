"""Complaints of the demo: looked into, decided with points, contested, and appealed."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.orders import Order, Visit, VisitStatus
from services import clock, complaint_cases, complaint_messages, complaints, points, rulings
from services.access import Actor, Role
from services.complaint_messages import Audience
from services.complaints import ComplaintCategory
from services.demo import papers, words
from services.demo.cast import Carer
from services.exclusions import Excluding, Scope
from services.rulings import Ruling

A_DAY = timedelta(days=1)
# Old enough to have been heard, recent enough to be complained of.
BETWEEN = timedelta(days=20), timedelta(days=4)


def tell(session: Session, operator: Actor, carers: list[Carer], now: datetime) -> None:
    """The stages a complaint goes through, each with visits of its own."""
    if (hers := next(_visits(session, carers[:1], now), None)) is not None:
        _decided(session, operator, hers, now)
    visits = _visits(session, carers[1:], now)
    for stage in (_looked_into, _contested, _appealed):
        if (visit := next(visits, None)) is not None:
            stage(session, operator, visit, now)


def _looked_into(session: Session, operator: Actor, visit: Visit, now: datetime) -> None:
    """The operator has it and asked her; she has answered."""
    family, her = _sides(session, visit)
    with clock.at(now - 1.1 * A_DAY):
        number = complaints.lodge(
            session, family, visit.id, ComplaintCategory.QUALITY, words.LEFT_ALONE,
            [papers.drawn("PHOTO OF THE ROOM")],
        )  # fmt: skip
        session.flush()
    with clock.at(now - A_DAY):
        complaint_cases.take(session, operator, number)
        session.flush()
        complaint_messages.write(
            session, operator, number, words.ASKED_HER, "demo asks", Audience.CAREGIVER
        )
    with clock.at(now - A_DAY / 4):
        complaint_messages.write(session, her, number, words.SHE_SAYS, "demo answers")


def _decided(session: Session, operator: Actor, visit: Visit, now: datetime) -> None:
    """Words, points and an apology."""
    family, _ = _sides(session, visit)
    with clock.at(now - 3 * A_DAY):
        number = complaints.lodge(session, family, visit.id, ComplaintCategory.ATTITUDE, words.RUDE)
        session.flush()
    with clock.at(now - 2 * A_DAY):
        rulings.decide(session, operator, number, Ruling(words.HEARD, apology=True, points=2))
        session.flush()


def _contested(session: Session, operator: Actor, visit: Visit, now: datetime) -> None:
    """She does not accept the points."""
    _decided(session, operator, visit, now)
    _, her = _sides(session, visit)
    with clock.at(now - A_DAY):
        [given, *_] = points.mine(session, her).given
        points.contest(session, her, given.id, words.CONTESTED)


def _appealed(session: Session, operator: Actor, visit: Visit, now: datetime) -> None:
    """The two are kept apart; the family wants more and appeals."""
    family, _ = _sides(session, visit)
    with clock.at(now - 3 * A_DAY):
        number = complaints.lodge(session, family, visit.id, ComplaintCategory.PRICE, words.DEAR)
        session.flush()
    with clock.at(now - 2 * A_DAY):
        apart = Excluding(Scope.PAIR, words.APART, clock.today() + 90 * A_DAY)
        rulings.decide(session, operator, number, Ruling(words.WAS_AGREED, excluding=apart))
        session.flush()
    with clock.at(now - A_DAY / 3):
        rulings.appeal(session, family, number, words.NOT_TOLD)


def _visits(session: Session, carers: list[Carer], now: datetime) -> Iterator[Visit]:
    """Redeemed ones, each of another of these caregivers."""
    oldest, newest = BETWEEN
    made = session.scalars(
        select(Visit)
        .where(
            Visit.status == VisitStatus.REDEEMED,
            Visit.redeemed_at.between(now - oldest, now - newest),
            Visit.caregiver_id.in_([carer.id for carer in carers]),
        )
        .order_by(Visit.redeemed_at.desc())
    ).all()
    seen = set[int]()
    for visit in made:
        if visit.caregiver_id not in seen:
            seen.add(visit.caregiver_id)
            yield visit


def _sides(session: Session, visit: Visit) -> tuple[Actor, Actor]:
    order = session.get_one(Order, visit.order_id)
    return Actor(order.customer_id, Role.CUSTOMER), Actor(visit.caregiver_id, Role.CAREGIVER)
