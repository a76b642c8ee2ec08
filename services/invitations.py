"""Invitations: a family or an operator asks caregivers by name to look at an open demand."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver, CaregiverStatus, Rate
from data.catalogue import CareItem
from data.demands import Application, ApplicationStatus, Demand, DemandStatus, Invitation
from data.notices import NoticeKind
from services import (
    availability,
    bookings,
    calendars,
    certificates,
    clock,
    demands,
    gate,
    kept_apart,
    notices,
    places,
    track_records,
)
from services.access import Actor, Permission, Role
from services.errors import Conflict
from services.track_records import Score

MOST_BY_FAMILY, MOST_BY_OPERATOR = 5, 20
MOST_SHOWN = 20
# Who took an application back, or lost it with an order since called off, may be asked again.
_ANSWERED = (ApplicationStatus.WITHDRAWN, ApplicationStatus.CLOSED)


@dataclass(frozen=True, slots=True)
class Suited:
    """A caregiver whom a demand suits; her price in fen per unit, None where she names none."""

    id: int
    name: str
    price_fen: int | None
    score: Score
    distance: places.DistanceBand
    in_hours: bool
    invited: bool


@dataclass(frozen=True, slots=True)
class Suiting:
    """Those whom a demand suits, the likeliest first, and how many more may be invited."""

    suited: tuple[Suited, ...]
    left: int


def suiting(session: Session, actor: Actor, demand_id: int) -> Suiting:
    """Who holds the papers, comes that far and is free, and has not applied; the invited too."""
    actor.require(Permission.INVITE_CAREGIVER)
    demand = demands.reach(session, actor, demand_id)
    rows = session.execute(_able(demand, session.get_one(CareItem, demand.item_id))).all()
    far = {cell: places.distance_km(cell, demand.cell) for cell in {row[0].cell for row in rows}}
    near = [row for row in rows if far[row[0].cell] <= row[0].radius_km]
    ids = [row[0].id for row in near]
    taken = gate.taken_by(session, ids, demand.starts_at, demand.ends_at)
    plans = calendars.around(session, ids, demand.starts_at, demand.ends_at)
    mean = track_records.city_means(session, [demand.city_code])[demand.city_code]
    ranked = []
    for caregiver, name, price_fen, invitation_id in near:
        if caregiver.id in taken:
            continue
        suited = Suited(
            id=caregiver.id,
            name=name,
            price_fen=price_fen,
            score=track_records.score(caregiver),
            distance=places.band(far[caregiver.cell]),
            in_hours=availability.in_hours(plans[caregiver.id], demand.starts_at, demand.ends_at),
            invited=invitation_id is not None,
        )
        dear = price_fen is not None and price_fen > demand.highest_fen
        # As the search ranks: a star weighs as much as five kilometres.
        fit = far[caregiver.cell] / 5 - track_records.liked(suited.score, mean)
        rank = (not suited.invited, not suited.in_hours, dear, fit, caregiver.id)
        ranked.append((rank, suited))
    ranked.sort(key=lambda one: one[0])
    return Suiting(
        tuple(suited for _, suited in ranked[:MOST_SHOWN]),
        max(0, _most(actor) - _count(session, demand.id)),
    )


def invite(session: Session, actor: Actor, demand_id: int, caregiver_id: int) -> int:
    """Ask a caregiver to look at an open demand; she is told. Return the invitation's id."""
    actor.require(Permission.INVITE_CAREGIVER)
    demand = demands.locked(session, actor, demand_id)
    if demand.status is not DemandStatus.OPEN or demand.starts_at <= clock.now():
        raise Conflict("error.demand_not_open")
    caregiver = bookings.bookable(session, caregiver_id, demand.customer_id)
    if caregiver.city_code != demand.city_code:
        raise Conflict("error.caregiver_too_far")
    _check_not_asked(session, demand, caregiver.id)
    most = _most(actor)
    if _count(session, demand.id) >= most:
        raise Conflict("error.too_many_invitations", most=most)
    item = session.get_one(CareItem, demand.item_id)
    bookings.check_suits(session, caregiver, item, demand.cell)
    if not gate.is_free(session, caregiver.id, demand.starts_at, demand.ends_at):
        raise Conflict("error.caregiver_busy")
    invitation = Invitation(
        created_at=clock.now(),
        demand_id=demand.id,
        caregiver_id=caregiver.id,
        invited_by_id=actor.id,
    )
    session.add(invitation)
    session.flush()
    notices.tell(
        session,
        NoticeKind.DEMAND_INVITED,
        caregiver.id,
        f"demand-{demand.id}",
        demand_id=demand.id,
        item_id=demand.item_id,
    )
    return invitation.id


def _check_not_asked(session: Session, demand: Demand, caregiver_id: int) -> None:
    mine = (Invitation.demand_id == demand.id, Invitation.caregiver_id == caregiver_id)
    if session.scalar(select(Invitation.id).where(*mine)) is not None:
        raise Conflict("error.invited_already")
    if session.scalar(_answers(demand).where(Application.caregiver_id == caregiver_id)):
        raise Conflict("error.applied_already")


def _answers(demand: Demand) -> Select[int]:
    """Who has applied for a demand and waits, or was told no."""
    return select(Application.caregiver_id).where(
        Application.demand_id == demand.id, Application.status.not_in(_ANSWERED)
    )


def _able(demand: Demand, item: CareItem) -> Select[Caregiver, str, int, int]:
    """The city's caregivers who may work and hold what the item takes, but those who answered."""
    kinds = (certificates.holds(Caregiver.id, kind) for kind in item.required_certificates)
    return (
        select(Caregiver, Account.name, Rate.price_fen, Invitation.id)
        .join(Account, Account.id == Caregiver.id)
        .outerjoin(Rate, (Rate.caregiver_id == Caregiver.id) & (Rate.item_id == item.id))
        .outerjoin(
            Invitation,
            (Invitation.caregiver_id == Caregiver.id) & (Invitation.demand_id == demand.id),
        )
        .where(
            Caregiver.city_code == demand.city_code,
            Caregiver.status == CaregiverStatus.APPROVED,
            Account.status == AccountStatus.ACTIVE,
            Caregiver.id != demand.customer_id,
            Caregiver.id.not_in(_answers(demand)),
            Caregiver.id.not_in(kept_apart.not_for(demand.customer_id, demand.city_code)),
            *kinds,
        )
    )


def _count(session: Session, demand_id: int) -> int:
    invited = select(func.count(Invitation.id)).where(Invitation.demand_id == demand_id)
    return session.scalar(invited) or 0


def _most(actor: Actor) -> int:
    return MOST_BY_OPERATOR if actor.role is Role.OPERATOR else MOST_BY_FAMILY
