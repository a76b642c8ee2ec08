"""Plans: orders of many visits, asked for, changed, paused, handed over and ended."""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountStatus
from data.caregivers import Caregiver, CaregiverStatus, Rate
from data.history import Noun
from data.notices import NoticeKind
from data.orders import OPEN, STANDING, Order, OrderKind, OrderStatus, Segment, Visit, VisitStatus
from services import (
    agreements,
    bookings,
    certificates,
    clock,
    courses,
    gate,
    kept_apart,
    ledger,
    lifecycles,
    notices,
    pay,
    places,
    price_bounds,
    recurrence,
)
from services.access import Actor, Permission, Role
from services.availability import Taken
from services.courses import Course, Planned
from services.errors import Conflict, Invalid, NotFound

# What begins sooner is cancelled or moved visit by visit, with its fee.
EARLIEST_CHANGE = timedelta(days=2)
# How visits still to come give their place up when a plan makes them no more.
_GIVE_UP = {
    VisitStatus.PLANNED: "give_way",
    VisitStatus.OFFERED: "turn_down",
    VisitStatus.UNFILLED: "forgo",
}


@dataclass(frozen=True, slots=True)
class SegmentView:
    """A stretch of a plan as everybody who may follow it sees it."""

    id: int
    caregiver_id: int
    weekdays: tuple[int, ...]
    weeks: int
    starts_minute: int
    units: int
    unit_price_fen: int
    from_on: date
    until_on: date | None
    skipped: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could take a plan over, at her own price in fen per unit."""

    id: int
    name: str
    price_fen: int
    distance: places.DistanceBand


def segments(session: Session, actor: Actor, order_id: int) -> list[SegmentView]:
    """The stretches of a plan this actor may follow, the last one first."""
    actor.require(Permission.FOLLOW_ORDERS)
    agreements.reach(session, actor, order_id)
    return [_view(one) for one in _segments(session, order_id)]


def candidates(session: Session, actor: Actor, order_id: int) -> list[Candidate]:
    """Who else offers what a plan takes, near enough and with what it needs, nearest first."""
    actor.require(Permission.DECIDE_REQUEST)
    order = agreements.reach(session, actor, order_id)
    where = courses.site(session, order)
    rows = session.execute(
        select(
            Caregiver.id,
            Caregiver.cell,
            Caregiver.radius_km,
            Caregiver.level,
            Account.name,
            Rate.price_fen,
        )
        .join(Account, Account.id == Caregiver.id)
        .join(Rate, (Rate.caregiver_id == Caregiver.id) & (Rate.item_id == order.item_id))
        .where(
            Caregiver.city_code == order.city_code,
            Caregiver.status == CaregiverStatus.APPROVED,
            Account.status == AccountStatus.ACTIVE,
            Caregiver.id.not_in((order.caregiver_id, order.customer_id)),
            Caregiver.id.not_in(kept_apart.not_for(order.customer_id, order.city_code)),
            *(certificates.holds(Caregiver.id, kind) for kind in where.item.required_certificates),
        )
    )
    bounds = price_bounds.in_force(session, order.city_code, clock.today(), order.item_id)
    found = [
        (
            away,
            Candidate(
                row.id,
                row.name,
                bounds[order.item_id, row.level].clamp(row.price_fen),
                places.band(away),
            ),
        )
        for row in rows
        if (away := places.distance_km(row.cell, where.cell)) <= row.radius_km
    ]
    return [one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].id))]


def preview_change(
    session: Session, actor: Actor, order_id: int, course: Course, caregiver_id: int | None = None
) -> list[Planned]:
    """The visits a plan would have from the course's first day on, instead of those it has."""
    actor.require(Permission.CHANGE_ORDER)
    order = agreements.reach(session, actor, order_id)
    where = courses.site(session, order)
    courses.check(course, where.item)
    caregiver = session.get(Caregiver, caregiver_id or order.caregiver_id)
    if caregiver is None:
        raise NotFound("error.caregiver_not_found")
    ending = {
        Taken(one.starts_at, one.ends_at, one.cell)
        for one in _still_planned(session, order, course.first_on)
    }
    last = courses.horizon(course, where.city)
    before = courses.days_before(session, order.id, course.first_on)
    return courses.lay(
        session, caregiver, where, course, course.first_on, last,
        without=ending, before=before, with_others=True,
    )  # fmt: skip


def change(session: Session, actor: Actor, order_id: int, course: Course) -> None:
    """Let a plan follow another course from its first day on; a paused one goes on with it."""
    actor.require(Permission.CHANGE_ORDER)
    order = _changeable(session, actor, order_id, course.first_on)
    if course.unit_price_fen != order.unit_price_fen:
        raise Conflict("error.price_changed")
    kept_apart.check(session, order.customer_id, order.caregiver_id, order.city_code)
    _turn(session, actor, order, course, order.caregiver_id)
    kind = NoticeKind.PLAN_CHANGED
    if order.status is OrderStatus.PAUSED:
        lifecycles.take(session, actor, Noun.ORDER, order, "resume")
        kind = NoticeKind.PLAN_RESUMED
    _tell(session, actor, order, kind, course.first_on, order.caregiver_id)


def swap(session: Session, actor: Actor, order_id: int, caregiver_id: int, course: Course) -> None:
    """Hand a plan over to another caregiver, who agreed, from the course's first day on.

    What the one before her did stays hers; the price is the new one's own.
    """
    actor.require(Permission.DECIDE_REQUEST)
    order = _changeable(session, actor, order_id, course.first_on)
    if order.status is not OrderStatus.CONFIRMED:
        raise Conflict("error.order_moved_on")
    before = order.caregiver_id
    caregiver = bookings.bookable(session, caregiver_id, order.customer_id)
    if caregiver.id == before or caregiver.city_code != order.city_code:
        raise Conflict("error.caregiver_not_found")
    where = courses.site(session, order)
    bookings.check_rate(session, caregiver, order.item_id, course.unit_price_fen)
    bookings.check_suits(session, caregiver, where.item, where.cell)
    order.caregiver_id, order.unit_price_fen = caregiver.id, course.unit_price_fen
    _turn(session, actor, order, course, caregiver.id)
    kind = NoticeKind.CAREGIVER_SWAPPED
    _tell(session, actor, order, kind, course.first_on, caregiver.id, before)


def pause(session: Session, actor: Actor, order_id: int, from_on: date) -> None:
    """Leave a plan's visits out from a day on until it is taken up again."""
    actor.require(Permission.CHANGE_ORDER)
    order = _changeable(session, actor, order_id, from_on)
    _close(session, actor, order, from_on)
    lifecycles.take(session, actor, Noun.ORDER, order, "pause")
    _tell(session, actor, order, NoticeKind.PLAN_PAUSED, from_on, order.caregiver_id)


def end(session: Session, actor: Actor, order_id: int, last_on: date) -> None:
    """End a plan with a day; what is done stays, what was still to come is dropped."""
    actor.require(Permission.CHANGE_ORDER)
    after = last_on + timedelta(days=1)
    order = _changeable(session, actor, order_id, after)
    _close(session, actor, order, after)
    _tell(session, actor, order, NoticeKind.PLAN_ENDED, last_on, order.caregiver_id)
    complete_if_over(session, actor, order)


def extend_due(session: Session, actor: Actor) -> int:
    """Make the visits of plans that go on, so many days ahead; end those that are over.

    Returns how many visits were made. A day on which the caregiver cannot come, or is not brought
    to this family any more, is left out, and the family and the operators are told.
    """
    actor.require(Permission.RUN_JOBS)
    made = 0
    plans = select(Order).where(
        Order.kind == OrderKind.MONTHLY, Order.status == OrderStatus.CONFIRMED
    )
    for order in session.scalars(plans.with_for_update(skip_locked=True)).all():
        for segment in _segments(session, order.id):
            made += _extend(session, order, segment)
        complete_if_over(session, actor, order)
    return made


def _extend(session: Session, order: Order, segment: Segment) -> int:
    where = courses.site(session, order)
    last = clock.today() + timedelta(days=where.city.plan_ahead_days)
    if segment.until_on is not None:
        last = min(last, segment.until_on)
    if segment.made_until > last:
        return 0
    caregiver = session.get_one(Caregiver, segment.caregiver_id)
    gate.hold(session, caregiver.id)
    course, first = courses.of_segment(segment), segment.made_until
    before = courses.days_before(session, order.id, course.first_on)
    laid = courses.lay(session, caregiver, where, course, first, last, before=before)
    apart = kept_apart.are(session, order.customer_id, caregiver.id, order.city_code)
    free = [one for one in laid if one.obstacle is None and not apart]
    missed = [one for one in laid if one.obstacle or apart]
    segment.made_until = last + timedelta(days=1)
    segment.skipped = sorted({*segment.skipped, *(one.on.isoformat() for one in missed)})
    for one in missed:
        _tell_clash(session, order, one)
    if free:
        visit_ids = courses.make(session, segment, where, free, VisitStatus.PLANNED)
        ledger.book_extended(session, order, visit_ids, sum(one.price.total_fen for one in free))
    return len(free)


def complete_if_over(session: Session, actor: Actor, order: Order) -> None:
    """Complete a plan whose last visit lies behind and that makes no more."""
    session.flush()
    today = clock.today()
    goes_on = exists().where(
        Segment.order_id == order.id, Segment.until_on.is_(None) | (Segment.until_on >= today)
    )
    unsettled = exists().where(
        Visit.order_id == order.id,
        Visit.status.in_((*OPEN, VisitStatus.OFFERED)),
    )
    if not session.scalar(select(goes_on | unsettled)):
        lifecycles.take(session, actor, Noun.ORDER, order, "complete")


def _turn(session: Session, actor: Actor, order: Order, course: Course, caregiver_id: int) -> None:
    """End what the plan was from the course's first day on, and make what it is to be."""
    caregiver = session.get_one(Caregiver, caregiver_id)
    gate.hold(session, caregiver.id)
    where = courses.site(session, order)
    courses.check(course, where.item)
    _close(session, actor, order, course.first_on)
    session.flush()
    last = courses.horizon(course, where.city)
    before = courses.days_before(session, order.id, course.first_on)
    laid = courses.lay(session, caregiver, where, course, course.first_on, last, before=before)
    planned = VisitStatus.PLANNED
    visit_ids = courses.place(session, order, caregiver.id, where, course, laid, planned)
    due_fen = sum(one.price.total_fen for one in laid if not one.by_stand_in)
    ledger.book_extended(session, order, visit_ids, due_fen)
    agreements.seek_stand_ins(session, order)


def _close(session: Session, actor: Actor, order: Order, from_on: date) -> None:
    """Let a plan make no visit from a day on; those planned give way and are owed no more."""
    for segment in _segments(session, order.id):
        if segment.until_on is None or segment.until_on >= from_on:
            segment.until_on = from_on - timedelta(days=1)
    for visit in _still_planned(session, order, from_on):
        if visit.status is VisitStatus.PLANNED:
            pay.book_cancelled(session, order, visit)
        lifecycles.take(session, actor, Noun.VISIT, visit, _GIVE_UP[visit.status])


def _changeable(session: Session, actor: Actor, order_id: int, from_on: date) -> Order:
    """A plan that stands, locked; changes begin early enough to cost nobody anything."""
    order = agreements.reach(session, actor, order_id, lock=True)
    if order.kind is not OrderKind.MONTHLY:
        raise NotFound("error.order_not_found")
    if order.status not in STANDING:
        raise Conflict("error.order_moved_on")
    if from_on < clock.today() + EARLIEST_CHANGE:
        raise Invalid("error.plan_change_too_soon", days=EARLIEST_CHANGE.days)
    return order


def _still_planned(session: Session, order: Order, from_on: date) -> list[Visit]:
    coming = select(Visit).where(
        Visit.order_id == order.id,
        Visit.status.in_(tuple(_GIVE_UP)),
        Visit.starts_at >= recurrence.moment(from_on, 0),
    )
    return list(session.scalars(coming.order_by(Visit.starts_at).with_for_update()))


def _segments(session: Session, order_id: int) -> list[Segment]:
    found = select(Segment).where(Segment.order_id == order_id)
    return list(session.scalars(found.order_by(Segment.id.desc())))


def _view(segment: Segment) -> SegmentView:
    weekdays, weeks = recurrence.parts(segment.rule)
    return SegmentView(
        id=segment.id,
        caregiver_id=segment.caregiver_id,
        weekdays=weekdays,
        weeks=weeks,
        starts_minute=segment.starts_minute,
        units=segment.units,
        unit_price_fen=segment.unit_price_fen,
        from_on=segment.from_on,
        until_on=segment.until_on,
        skipped=tuple(map(date.fromisoformat, segment.skipped)),
    )


def _tell(
    session: Session, actor: Actor, order: Order, kind: NoticeKind, on: date, *caregivers: int
) -> None:
    named = _facts(order, on)
    about = f"order-{order.id}-{clock.now():%Y%m%d%H%M%S}"
    for account_id in {order.customer_id, *caregivers} - {actor.id}:
        notices.tell(session, kind, account_id, about, **named)
    if actor.role is not Role.OPERATOR:
        notices.tell_operators(session, kind, order.city_code, about, **named)


def _tell_clash(session: Session, order: Order, missed: Planned) -> None:
    named = _facts(order, missed.on)
    about = f"order-{order.id}-{missed.on:%Y%m%d}"
    notices.tell(session, NoticeKind.PLAN_CLASH, order.customer_id, about, **named)
    notices.tell_operators(session, NoticeKind.PLAN_CLASH, order.city_code, about, **named)


def _facts(order: Order, on: date) -> dict[str, object]:
    return {
        "order_id": order.id,
        "item_id": order.item_id,
        "due_at": recurrence.moment(on, 0).isoformat(),
    }
