"""Exclusions: who is not brought together any more; what is agreed already stays agreed.

A side's wish is private: the other one is neither told nor shown why. What operators decide on
evidence may also keep somebody out of a whole city; it is told, and lifted with a reason.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Select,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.caregivers import Caregiver
from data.exclusions import Exclusion
from data.notices import NoticeKind
from data.orders import AHEAD, Order, Party, Visit
from services import audit, clock, kept_apart, notices, visits
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.wording import words

MOST_LISTED = 200


class Scope(StrEnum):
    """Whom it keeps from what: two from each other, or one from a whole city."""

    PAIR = "pair"
    CAREGIVER = "caregiver"
    CUSTOMER = "customer"


@dataclass(frozen=True, slots=True)
class Excluding:
    """What operators decide: why, on what evidence, and the last day (None: for good)."""

    scope: Scope
    words: str
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class ExclusionView:
    """Who is kept from whom since when, as operators read it, or the side whose wish it is."""

    id: int
    scope: Scope
    decided_by: Party
    customer_name: str
    caregiver_name: str
    words: str
    since: datetime
    last_day: date | None
    complaint_id: int | None


@dataclass(frozen=True, slots=True)
class Apart:
    """Whether a side wishes not to meet the other again, and how often they are to meet yet."""

    exclusion_id: int | None
    agreed_visits: int


def scope_of(one: Exclusion) -> Scope:
    """Whom an exclusion keeps from what."""
    if one.customer_id is None:
        return Scope.CAREGIVER
    return Scope.CUSTOMER if one.caregiver_id is None else Scope.PAIR


def apart(session: Session, actor: Actor, visit_id: int) -> Apart:
    """How the actor's side, or the caller's, wishes to go on with the other one of a visit."""
    actor.require(Permission.KEEP_APART)
    customer_id, visit = _two(session, actor, visit_id)
    wish = select(Exclusion.id).where(*_wish(customer_id, visit.caregiver_id, _side(actor)))
    return Apart(session.scalar(wish), agreed_visits(session, customer_id, visit.caregiver_id))


def keep_apart(session: Session, actor: Actor, visit_id: int) -> None:
    """Wish not to meet the other one of a visit again; twice is once."""
    actor.require(Permission.KEEP_APART)
    customer_id, visit = _two(session, actor, visit_id)
    side = _side(actor)
    _take_turns(session, customer_id)
    if session.scalar(select(Exclusion.id).where(*_wish(customer_id, visit.caregiver_id, side))):
        return
    caregiver = session.get_one(Caregiver, visit.caregiver_id)
    wish = Exclusion(
        created_at=clock.now(),
        city_code=caregiver.city_code,
        customer_id=customer_id,
        caregiver_id=visit.caregiver_id,
        decided_by=side,
        actor_id=actor.id,
    )
    session.add(wish)
    session.flush()
    audit.record(session, actor, "keep_apart", "exclusion", wish.id)


def meet_again(session: Session, actor: Actor, exclusion_id: int) -> None:
    """Take back a wish of the actor's side, or of the caller."""
    actor.require(Permission.KEEP_APART)
    wish = session.scalar(
        _visible_to(actor).where(Exclusion.id == exclusion_id).with_for_update(of=Exclusion)
    )
    if wish is None:
        raise NotFound("error.exclusion_not_found")
    wish.lifted_at, wish.lifted_by_id = clock.now(), actor.id
    audit.record(session, actor, "meet_again", "exclusion", wish.id)


def mine(session: Session, actor: Actor) -> list[ExclusionView]:
    """Whom the actor wished not to meet again."""
    actor.require(Permission.KEEP_APART)
    own = or_(Exclusion.customer_id == actor.id, Exclusion.caregiver_id == actor.id)
    return _views(session, _visible_to(actor).where(own))


def decide(
    session: Session,
    actor: Actor,
    wanted: Excluding,
    customer_id: int | None,
    caregiver_id: int | None,
    city_code: str,
    *,
    complaint_id: int | None = None,
) -> int:
    """Keep two apart, or one of them out of a city; those it names are told. Return its number."""
    actor.require(Permission.DECIDE_COMPLAINT)
    said = words(wanted.words, "evidence_words", 500)
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
    named = {
        "customer_id": customer_id if wanted.scope is not Scope.CAREGIVER else None,
        "caregiver_id": caregiver_id if wanted.scope is not Scope.CUSTOMER else None,
    }
    if actor.id in named.values():
        raise NotAllowed("error.exclude_oneself")
    if wanted.last_day is not None and wanted.last_day < clock.today():
        raise Invalid("error.exclusion_over")
    same = select(Exclusion.id).where(
        kept_apart.stands(),
        Exclusion.decided_by == Party.PLATFORM,
        Exclusion.city_code == city_code,
        *(getattr(Exclusion, column).is_not_distinct_from(one) for column, one in named.items()),
    )
    if session.scalar(same.limit(1)) is not None:
        raise Conflict("error.excluded_already")
    one = Exclusion(
        created_at=clock.now(),
        city_code=city_code,
        decided_by=Party.PLATFORM,
        actor_id=actor.id,
        words=said,
        last_day=wanted.last_day,
        complaint_id=complaint_id,
        **named,
    )
    session.add(one)
    session.flush()
    audit.record(session, actor, "exclude", "exclusion", one.id, complaint_id=complaint_id)
    _tell(session, NoticeKind.EXCLUDED, one)
    return one.id


def lift(session: Session, actor: Actor, exclusion_id: int, reason: str) -> None:
    """Let an exclusion that operators decided end now."""
    actor.require(Permission.DECIDE_COMPLAINT)
    reason = words(reason, "reason", 500)
    one = session.scalar(
        _visible_to(actor).where(Exclusion.id == exclusion_id).with_for_update(of=Exclusion)
    )
    if one is None:
        raise NotFound("error.exclusion_not_found")
    if actor.id in (one.customer_id, one.caregiver_id):
        raise NotAllowed("error.own_dispute")
    _lift(session, actor, one, reason)


def lift_of(session: Session, actor: Actor, complaint_id: int, reason: str) -> None:
    """Lift what was decided for a complaint, for its outcome is changed."""
    for one in session.scalars(
        select(Exclusion)
        .where(Exclusion.complaint_id == complaint_id, Exclusion.lifted_at.is_(None))
        .with_for_update()
    ).all():
        _lift(session, actor, one, reason)


def listing(session: Session, actor: Actor) -> list[ExclusionView]:
    """What operators decided in the actor's cities and is not lifted, newest first."""
    actor.require(Permission.DECIDE_COMPLAINT)
    return _views(session, _visible_to(actor))


def merge(session: Session, kept_id: int, gone_id: int) -> None:
    """What concerned a closed account concerns the kept one; the same wish twice is one."""
    kept = set(
        session.execute(
            select(Exclusion.caregiver_id, Exclusion.decided_by).where(
                Exclusion.customer_id == kept_id, Exclusion.lifted_at.is_(None)
            )
        ).all()
    )
    for one in session.scalars(select(Exclusion).where(Exclusion.customer_id == gone_id)).all():
        wished = one.decided_by is not Party.PLATFORM and one.lifted_at is None
        if wished and (one.caregiver_id, one.decided_by) in kept:
            one.lifted_at = clock.now()
        one.customer_id = kept_id


def forget_of(session: Session, account_ids: Sequence[int]) -> None:
    """What was written of exclusions goes with whom they name; wishes end with those they were."""
    theirs = or_(Exclusion.customer_id.in_(account_ids), Exclusion.caregiver_id.in_(account_ids))
    for one in session.scalars(select(Exclusion).where(theirs)).all():
        one.words = one.lifted_words = ""
        if one.decided_by is not Party.PLATFORM and one.lifted_at is None:
            one.lifted_at = clock.now()


def agreed_visits(session: Session, customer_id: int, caregiver_id: int) -> int:
    """How many visits of these two are agreed and still to come: they stay agreed."""
    ahead = (
        select(func.count(Visit.id))
        .join(Order, Order.id == Visit.order_id)
        .where(
            Order.customer_id == customer_id,
            Visit.caregiver_id == caregiver_id,
            Visit.status.in_(AHEAD),
        )
    )
    return session.scalar(ahead) or 0


def _lift(session: Session, actor: Actor, one: Exclusion, reason: str) -> None:
    one.lifted_at, one.lifted_by_id, one.lifted_words = clock.now(), actor.id, reason
    audit.record(session, actor, "lift_exclusion", "exclusion", one.id)
    _tell(session, NoticeKind.EXCLUSION_LIFTED, one)


def _tell(session: Session, kind: NoticeKind, one: Exclusion) -> None:
    """Who is kept out is told; two who are kept apart are told by the outcome."""
    if scope_of(one) is not Scope.PAIR:
        named = one.customer_id or one.caregiver_id or 0
        notices.tell(session, kind, named, f"exclusion-{one.id}")


def _side(actor: Actor) -> Party:
    return Party.CAREGIVER if actor.role is Role.CAREGIVER else Party.CUSTOMER


def _two(session: Session, actor: Actor, visit_id: int) -> tuple[int, Visit]:
    """The family and the visit whose caregiver they met."""
    visit = visits.reach(session, actor, visit_id)
    return session.get_one(Order, visit.order_id).customer_id, visit


def _take_turns(session: Session, customer_id: int) -> None:
    """Who clicks twice at once takes turns."""
    family = select(Account.id).where(Account.id == customer_id)
    session.execute(family.with_for_update(key_share=True))


def _wish(customer_id: int, caregiver_id: int, side: Party) -> tuple[ColumnElement[bool], ...]:
    return (
        Exclusion.customer_id == customer_id,
        Exclusion.caregiver_id == caregiver_id,
        Exclusion.decided_by == side,
        Exclusion.lifted_at.is_(None),
    )


def _views(session: Session, query: Select[Exclusion]) -> list[ExclusionView]:
    customer, caregiver = aliased(Account), aliased(Account)
    rows = session.execute(
        query.add_columns(customer.name, caregiver.name)
        .outerjoin(customer, customer.id == Exclusion.customer_id)
        .outerjoin(caregiver, caregiver.id == Exclusion.caregiver_id)
        .order_by(Exclusion.id.desc())
        .limit(MOST_LISTED)
    )
    return [
        ExclusionView(
            id=one.id,
            scope=scope_of(one),
            decided_by=one.decided_by,
            customer_name=customer_name or "",
            caregiver_name=caregiver_name or "",
            words=one.words,
            since=one.created_at,
            last_day=one.last_day,
            complaint_id=one.complaint_id,
        )
        for one, customer_name, caregiver_name in rows
    ]


def _visible_to(actor: Actor) -> Select[Exclusion]:
    """A side's own wishes that stand, the desk's callers' too; the operators' own decisions."""
    wishes = select(Exclusion).where(Exclusion.lifted_at.is_(None))
    match actor.role:
        case Role.CUSTOMER:
            own = Exclusion.customer_id == actor.id
            return wishes.where(own, Exclusion.decided_by == Party.CUSTOMER)
        case Role.CAREGIVER:
            own = Exclusion.caregiver_id == actor.id
            return wishes.where(own, Exclusion.decided_by == Party.CAREGIVER)
        case Role.DESK:
            here = Exclusion.city_code.in_(actor.cities)
            return wishes.where(here, Exclusion.decided_by == Party.CUSTOMER)
        case Role.OPERATOR:
            here = Exclusion.city_code.in_(actor.cities)
            return wishes.where(here, Exclusion.decided_by == Party.PLATFORM)
        case _:
            return select(Exclusion).where(false())
