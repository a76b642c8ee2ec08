"""Overrides: an operator says who comes, or who does not; every later run keeps to it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.caregivers import Caregiver
from data.demands import Demand
from data.dispatch import DispatchOverride, OverrideKind, OverrideReason
from data.orders import Order, Visit
from services import audit, clock
from services.access import Actor, Permission
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

__all__ = ["OverrideKind", "OverrideReason", "OverrideView"]


@dataclass(frozen=True, slots=True)
class Subject:
    """A demand, or a visit."""

    demand_id: int | None = None
    visit_id: int | None = None


@dataclass(frozen=True, slots=True)
class OverrideView:
    """What stands about a demand or visit, of whom, why, and who said so when."""

    id: int
    subject: Subject
    caregiver_id: int
    caregiver_name: str
    kind: OverrideKind
    reason: OverrideReason
    words: str
    made_by: str
    made_at: datetime
    item_id: int
    starts_at: datetime


def lay_down(
    session: Session,
    actor: Actor,
    subject: Subject,
    caregiver_id: int,
    kind: OverrideKind,
    reason: OverrideReason,
    said: str = "",
) -> int:
    """Pin a caregiver to a demand or visit, or forbid her for it; return the override's id.

    A pin takes the place of the one before, and of a ban on her; a ban that of her pin. Another
    reason than those of the list needs words.
    """
    actor.require(Permission.DISPATCH)
    said = words(said, "words", 300, required=reason is OverrideReason.OTHER)
    city_code = _held_city(session, actor, subject)
    known = select(Caregiver.id).where(
        Caregiver.id == caregiver_id, Caregiver.city_code == city_code
    )
    if session.scalar(known) is None:
        raise NotFound("error.caregiver_not_found")
    for one in session.scalars(_standing(subject)).all():
        hers = one.caregiver_id == caregiver_id
        if hers and one.kind is kind:
            raise Conflict("error.override_stands")
        if hers or (kind is OverrideKind.PIN and one.kind is OverrideKind.PIN):
            _lift(session, actor, one)
    session.flush()
    made = DispatchOverride(
        created_at=clock.now(),
        demand_id=subject.demand_id,
        visit_id=subject.visit_id,
        caregiver_id=caregiver_id,
        kind=kind,
        reason=reason,
        words=said,
        made_by_id=actor.id,
    )
    session.add(made)
    session.flush()
    audit.record(
        session, actor, f"dispatch_{kind}", "dispatch_override", made.id,
        reason=str(reason), caregiver=caregiver_id,
    )  # fmt: skip
    return made.id


def lift(session: Session, actor: Actor, override_id: int) -> None:
    """Let a run decide again."""
    actor.require(Permission.DISPATCH)
    one = session.scalar(
        _visible_to(actor)
        .where(DispatchOverride.id == override_id)
        .with_for_update(of=DispatchOverride)
    )
    if one is None:
        raise NotFound("error.override_not_found")
    if one.lifted_at is not None:
        raise Conflict("error.changed_meanwhile")
    _lift(session, actor, one)


def standing(session: Session, actor: Actor, city_code: str) -> list[OverrideView]:
    """What stands about work of a city that is still ahead, soonest first."""
    actor.require(Permission.DISPATCH)
    made_by = aliased(Account)
    starts_at = func.coalesce(Visit.starts_at, Demand.starts_at)
    rows = session.execute(
        _visible_to(actor)
        .join(Account, Account.id == DispatchOverride.caregiver_id)
        .join(made_by, made_by.id == DispatchOverride.made_by_id)
        .where(
            or_(Demand.city_code == city_code, Order.city_code == city_code),
            DispatchOverride.lifted_at.is_(None),
            starts_at > clock.now(),
        )
        .order_by(starts_at, DispatchOverride.id)
        .add_columns(
            Account.name,
            made_by.name.label("made_by"),
            func.coalesce(Order.item_id, Demand.item_id).label("item_id"),
            starts_at.label("starts_at"),
        )
    )
    return [
        OverrideView(
            one.id,
            Subject(one.demand_id, one.visit_id),
            one.caregiver_id,
            name,
            one.kind,
            one.reason,
            one.words,
            by,
            one.created_at,
            item_id,
            at,
        )
        for one, name, by, item_id, at in rows
    ]


def _held_city(session: Session, actor: Actor, subject: Subject) -> str:
    """The city of a demand or visit of the actor's that is ahead; it is locked."""
    if (subject.demand_id is None) == (subject.visit_id is None):
        raise Invalid("error.missing", field="subject")
    if subject.demand_id is not None:
        query = (
            select(Demand.city_code, Demand.starts_at)
            .where(Demand.id == subject.demand_id, Demand.city_code.in_(actor.cities))
            .with_for_update(of=Demand)
        )
    else:
        query = (
            select(Order.city_code, Visit.starts_at)
            .join(Visit, Visit.order_id == Order.id)
            .where(Visit.id == subject.visit_id, Order.city_code.in_(actor.cities))
            .with_for_update(of=Visit)
        )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound("error.nothing_waits")
    city_code, starts_at = found
    if starts_at <= clock.now():
        raise Conflict("error.start_in_past")
    return city_code


def _standing(subject: Subject) -> Select[*tuple[DispatchOverride]]:
    of = (
        DispatchOverride.demand_id == subject.demand_id
        if subject.demand_id is not None
        else DispatchOverride.visit_id == subject.visit_id
    )
    return select(DispatchOverride).where(of, DispatchOverride.lifted_at.is_(None))


def _lift(session: Session, actor: Actor, one: DispatchOverride) -> None:
    one.lifted_at, one.lifted_by_id = clock.now(), actor.id
    audit.record(session, actor, "dispatch_lift", "dispatch_override", one.id)


def _visible_to(actor: Actor) -> Select[*tuple[DispatchOverride]]:
    """Those about demands and visits of an operator's cities."""
    return (
        select(DispatchOverride)
        .outerjoin(Demand, Demand.id == DispatchOverride.demand_id)
        .outerjoin(Visit, Visit.id == DispatchOverride.visit_id)
        .outerjoin(Order, Order.id == Visit.order_id)
        .where(or_(Demand.city_code.in_(actor.cities), Order.city_code.in_(actor.cities)))
    )
