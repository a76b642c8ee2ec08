"""Changes: a visit is cancelled, missed or moved, and what that costs whom.

Terms are frozen on the order when it is made; nobody pays a fee they were not shown.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver
from data.demands import Demand
from data.history import Noun
from data.notices import NoticeKind
from data.orders import (
    STANDING,
    EndReason,
    Order,
    OrderKind,
    Party,
    Visit,
    VisitStatus,
)
from services import (
    agreements,
    audit,
    availability,
    calendars,
    calls,
    clock,
    gate,
    ledger,
    lifecycles,
    notices,
    pay,
    pricing,
    tariffs,
    waiting_lists,
)
from services.access import Actor, Permission, Role
from services.availability import Taken
from services.calls import Outcome
from services.errors import Conflict, Invalid, NotFound
from services.pricing import Price
from services.wording import words

__all__ = ["EndReason", "Party"]

# Why a visit is called off; the others are said by the platform itself.
REASONS = (
    EndReason.PLANS_CHANGED,
    EndReason.ILLNESS,
    EndReason.HOSPITAL,
    EndReason.EMERGENCY,
    EndReason.WEATHER,
    EndReason.OTHER,
)


@dataclass(frozen=True, slots=True)
class Quote:
    """What ending a visit now would cost, in fen, by whose doing; before anybody decides.

    `free_until`: until when the family cancels or moves it for nothing; None if the time is over.
    """

    visit_id: int
    starts_at: datetime
    ends_at: datetime
    total_fen: int
    fees: dict[Party, int]
    no_show: dict[Party, int]
    own: Party
    free_until: datetime | None

    @property
    def fee_fen(self) -> int:
        """What the one who asks would owe."""
        return self.fees[self.own]

    @property
    def begun(self) -> bool:
        """Whether its time has come."""
        return self.starts_at <= clock.now()


def fee(order: Order, visit: Visit, party: Party, at: datetime) -> int:
    """What a party owes in fen for cancelling a visit at a moment.

    Fewer hours before the start than a step names cost its share. While the family may still ask
    for somebody else, it may cancel for nothing too.
    """
    if party is Party.CUSTOMER and at <= order.decline_until:
        return 0
    left = visit.starts_at - at
    for hours, share_bp in order.terms.get(f"{party}_fees", ()):
        if left < timedelta(hours=hours):
            return pricing.share(visit.total_fen, share_bp)
    return 0


def quote(session: Session, actor: Actor, visit_id: int) -> Quote:
    """What may be done to a visit now, and what it costs."""
    actor.require(Permission.FOLLOW_ORDERS)
    own = _party(actor)
    order, visit = _reach(session, actor, visit_id)
    return Quote(
        visit_id=visit.id,
        starts_at=visit.starts_at,
        ends_at=visit.ends_at,
        total_fen=visit.total_fen,
        fees={party: fee(order, visit, party, clock.now()) for party in Party},
        no_show={party: _no_show_fee(order, visit, party) for party in Party},
        own=own,
        free_until=_free_until(order, visit),
    )


def cancel_visit(
    session: Session,
    actor: Actor,
    visit_id: int,
    reason: EndReason,
    said: str,
    seen_fee_fen: int,
    *,
    fault: Party = Party.PLATFORM,
) -> None:
    """Call a visit off; a single order ends with it, a plan goes on.

    The family and the caregiver owe what their terms say. An operator says by whose doing, in
    words that stay; by nobody's it costs nothing.
    """
    actor.require(Permission.FOLLOW_ORDERS)
    own = _party(actor)
    said = words(said, "reason", 300, required=own is Party.PLATFORM)
    if reason not in REASONS:
        raise Invalid("error.missing", field="end_reason")
    order, visit = _reach(session, actor, visit_id, lock=True)
    lifecycles.take(session, actor, Noun.VISIT, visit, "cancel")
    if own is not Party.PLATFORM and visit.starts_at <= clock.now():
        raise Conflict("error.visit_time_has_come")
    owing = fault if own is Party.PLATFORM else own
    owed_fen = fee(order, visit, owing, clock.now())
    if owed_fen != seen_fee_fen:
        raise Conflict("error.fee_changed", now_fen=owed_fen)
    _settle(session, actor, order, visit, owing, owed_fen)
    visit.end_reason, visit.end_words = reason, said
    if own is Party.PLATFORM:
        audit.record(session, actor, "cancel_visit", "visit", visit.id, fault=fault, fee=owed_fen)
    if order.kind is OrderKind.SINGLE:
        lifecycles.take(session, actor, Noun.ORDER, order, "cancel")
        reopened = _look_for_another(session, actor, order, visit, owing)
        about = f"order-{order.id}"
        _tell(session, actor, NoticeKind.ORDER_CANCELLED, order, visit, about, reopened=reopened)
    else:
        _tell(session, actor, NoticeKind.VISIT_CANCELLED, order, visit, f"visit-{visit.id}")
    calls.mark(
        session, actor, Outcome.CANCELLED, order.customer_id, order.city_code,
        order_id=order.id, visit_id=visit.id,
    )  # fmt: skip


def miss(session: Session, actor: Actor, visit_id: int, party: Party, said: str) -> None:
    """Record that the family or the caregiver did not come; that side owes what its terms say."""
    actor.require(Permission.DECIDE_REQUEST)
    said = words(said, "reason", 300)
    if party is Party.PLATFORM:
        raise Invalid("error.missing", field="party")
    order, visit = _reach(session, actor, visit_id, lock=True)
    lifecycles.take(session, actor, Noun.VISIT, visit, "miss")
    if visit.starts_at > clock.now():
        raise Conflict("error.visit_time_ahead")
    _settle(session, actor, order, visit, party, _no_show_fee(order, visit, party))
    visit.end_reason, visit.end_words = EndReason.NO_SHOW, said
    audit.record(session, actor, "record_no_show", "visit", visit.id, party=party)
    if order.kind is OrderKind.SINGLE:
        lifecycles.take(session, actor, Noun.ORDER, order, "miss")
    _tell(session, actor, NoticeKind.VISIT_MISSED, order, visit, f"visit-{visit.id}")


def openings(session: Session, actor: Actor, visit_id: int) -> dict[str, list[datetime]]:
    """When the same caregiver could come instead, by ISO date; days without a time left out."""
    actor.require(Permission.CHANGE_ORDER)
    order, visit = _reach(session, actor, visit_id)
    caregiver = session.get_one(Caregiver, visit.caregiver_id)
    rules, now = calendars.rules(session, order.city_code), clock.now()
    length = visit.ends_at - visit.starts_at
    last = now + rules.horizon + length
    plan = calendars.around(session, [caregiver.id], now, last)[caregiver.id]
    own = Taken(visit.starts_at, visit.ends_at, visit.cell)
    around = now - calendars.A_WEEK, last + calendars.A_WEEK
    taken = [one for one in gate.taken(session, caregiver.id, *around) if one != own]
    found: dict[str, list[datetime]] = {}
    for day in availability.bookable_days(rules):
        starts = availability.starts(plan, rules, taken, length, visit.cell, day)
        if others := [start for start in starts if start != visit.starts_at]:
            found[day.isoformat()] = others
    return found


def moved_price(session: Session, actor: Actor, visit_id: int, starts_at: datetime) -> Price:
    """What a visit would cost if it were moved now: the same care at another time."""
    actor.require(Permission.CHANGE_ORDER)
    order, visit = _reach(session, actor, visit_id)
    return _moved_price(session, order, visit, starts_at)


def reschedule(
    session: Session, actor: Actor, visit_id: int, starts_at: datetime, seen_total_fen: int
) -> int:
    """Move a visit to another free time of the same caregiver; return the new visit's id.

    The family moves it while cancelling would be free; an operator at any time before it begins.
    """
    actor.require(Permission.CHANGE_ORDER)
    order, visit = _reach(session, actor, visit_id, lock=True)
    if actor.role is not Role.OPERATOR and fee(order, visit, Party.CUSTOMER, clock.now()):
        raise Conflict("error.too_late_to_move")
    if visit.starts_at <= clock.now():
        raise Conflict("error.visit_time_has_come")
    if starts_at == visit.starts_at:
        raise Invalid("error.moved_nowhere")
    price = _moved_price(session, order, visit, starts_at)
    if price.total_fen != seen_total_fen:
        raise Conflict("error.price_changed")
    ends_at = starts_at + (visit.ends_at - visit.starts_at)
    lifecycles.take(session, actor, Noun.VISIT, visit, "give_way")
    agreements.drop_offers(session, actor, visit)
    gate.hold(session, visit.caregiver_id)
    session.flush()  # It takes none of her time any more.
    caregiver = session.get_one(Caregiver, visit.caregiver_id)
    if met := calendars.obstacle(session, caregiver, Taken(starts_at, ends_at, visit.cell)):
        raise Conflict(f"error.obstacle_{met}")
    visit.ended_by, visit.end_reason = _party(actor), EndReason.PLANS_CHANGED
    if order.kind is OrderKind.SINGLE:  # Its demand would open again at the time it has now.
        demand = session.get_one(Demand, order.demand_id)
        demand.starts_at, demand.ends_at = starts_at, ends_at
        order.decline_until = min(order.decline_until, starts_at)
    new = gate.NewVisit(
        starts_at,
        ends_at,
        visit.cell,
        price,
        segment_id=visit.segment_id,
        occurs_on=visit.occurs_on,
        replaces_id=visit.id,
    )
    [new_id] = gate.place(session, order.id, visit.caregiver_id, [new])
    pay.book_cancelled(session, order, visit)
    ledger.book_extended(session, order, [new_id], price.total_fen)
    _tell_moved(session, actor, order, new_id, starts_at)
    calls.mark(
        session, actor, Outcome.CHANGED, order.customer_id, order.city_code,
        order_id=order.id, visit_id=new_id,
    )  # fmt: skip
    return new_id


def _look_for_another(
    session: Session, actor: Actor, order: Order, visit: Visit, owing: Party
) -> bool:
    """Whom the caregiver let down still needs care: open the demand again, if time is left.

    A family that cancels, or whom nobody let down, needs nobody else. Return whether it is open.
    """
    notice = calendars.rules(session, order.city_code).notice
    let_down = owing is Party.CAREGIVER and visit.starts_at > clock.now() + notice
    if let_down:
        waiting_lists.reopen(session, actor, order.demand_id, "step_back")
    else:
        waiting_lists.close(session, actor, order.demand_id)
    return let_down


def _settle(
    session: Session, actor: Actor, order: Order, visit: Visit, owing: Party, owed_fen: int
) -> None:
    """Note and book who owes what for a visit that does not take place."""
    visit.ended_by = owing
    visit.fee_fen = owed_fen if owing is Party.CUSTOMER else 0
    visit.penalty_fen = owed_fen if owing is Party.CAREGIVER else 0
    agreements.drop_offers(session, actor, visit)
    session.flush()
    pay.book_cancelled(session, order, visit)


def _no_show_fee(order: Order, visit: Visit, party: Party) -> int:
    name = {Party.CUSTOMER: "no_show_bp", Party.CAREGIVER: "caregiver_no_show_bp"}.get(party, "")
    return pricing.share(visit.total_fen, order.terms.get(name, 0))


def _free_until(order: Order, visit: Visit) -> datetime | None:
    """Until when the family cancels for nothing, if that is still to come."""
    costing = [hours for hours, share_bp in order.terms.get("customer_fees", ()) if share_bp]
    free = visit.starts_at - timedelta(hours=max(costing, default=0))
    until = min(max(free, order.decline_until), visit.starts_at)
    return until if until >= clock.now() else None


def _moved_price(session: Session, order: Order, visit: Visit, starts_at: datetime) -> Price:
    ends_at = starts_at + (visit.ends_at - visit.starts_at)
    sheet = tariffs.around(session, order.city_code, starts_at, ends_at)
    return pricing.moved(
        sheet, visit.price_parts, starts_at, ends_at, order.commission_bp, clock.now()
    )


def _tell(
    session: Session,
    actor: Actor,
    kind: NoticeKind,
    order: Order,
    visit: Visit,
    about: str,
    **more: bool,
) -> None:
    """Tell both sides, and the operators, but for whoever did it."""
    named = agreements.facts(order, visit.id) | {"due_at": visit.starts_at.isoformat()} | more
    for account_id in {order.customer_id, visit.caregiver_id} - {actor.id}:
        notices.tell(session, kind, account_id, about, **named)
    if actor.role is not Role.OPERATOR:
        notices.tell_operators(session, kind, order.city_code, about, **named)


def _tell_moved(
    session: Session, actor: Actor, order: Order, new_id: int, starts_at: datetime
) -> None:
    visit = session.get_one(Visit, new_id)
    _tell(session, actor, NoticeKind.VISIT_MOVED, order, visit, f"visit-{new_id}")
    named = agreements.facts(order, new_id)
    about = f"visit-{new_id}-{visit.code_issue}"
    notices.tell(session, NoticeKind.CODE_ISSUED, visit.caregiver_id, about, **named)


def _party(actor: Actor) -> Party:
    """Whose doing it is when this actor ends a visit."""
    if actor.may(Permission.WORK_VISIT):
        return Party.CAREGIVER
    actor.require(Permission.CANCEL_ORDER)
    return Party.PLATFORM if actor.role is Role.OPERATOR else Party.CUSTOMER


def _reach(
    session: Session, actor: Actor, visit_id: int, *, lock: bool = False
) -> tuple[Order, Visit]:
    """A visit of a standing order this actor may reach, a caregiver her own only."""
    order_id = session.scalar(select(Visit.order_id).where(Visit.id == visit_id))
    order = agreements.reach(session, actor, order_id or 0, lock=lock)
    its = select(Visit).where(Visit.id == visit_id)
    visit = session.scalars(its.with_for_update() if lock else its).one()
    if actor.role is Role.CAREGIVER and visit.caregiver_id != actor.id:
        raise NotFound("error.visit_not_found")
    if order.status not in STANDING:
        raise Conflict("error.visit_moved_on")
    if visit.status is not VisitStatus.PLANNED:
        raise Conflict("error.visit_moved_on")
    return order, visit
