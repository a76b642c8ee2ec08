"""Income: what a caregiver has earned, visit by visit, and when it can be paid out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from data.cities import City
from data.complaints import ExtraTime, ExtraTimeStatus
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent
from data.notices import NoticeKind
from data.orders import Order, Visit, VisitStatus
from services import clock, complaints, extra_times, ledger, notices, pricing
from services.access import Actor, Permission

MOST_LISTED = 300
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Earned:
    """One redeemed visit's pay; frozen until `payable_at`, or longer while something is amiss."""

    order_id: int
    item_id: int
    starts_at: datetime
    redeemed_at: datetime
    total_fen: int
    commission_fen: int
    payable_at: datetime
    released: bool
    rests: bool
    extra_fen: int

    @property
    def pay_fen(self) -> int:
        """With what she earned by extra time."""
        return self.total_fen - self.commission_fen + self.extra_fen


@dataclass(frozen=True, slots=True)
class Income:
    """Balances as the ledger has them, in fen, and the visits behind them, newest first."""

    frozen_fen: int
    payable_fen: int
    visits: tuple[Earned, ...]


def mine(session: Session, actor: Actor) -> Income:
    """What the actor has earned so far."""
    actor.require(Permission.READ_INCOME)
    rows = session.execute(
        select(
            Order.id,
            Order.item_id,
            Visit.starts_at,
            Visit.redeemed_at,
            Visit.total_fen,
            Visit.commission_fen,
            City.release_days,
            _released(),
            complaints.rests(),
            func.coalesce(ExtraTime.total_fen - ExtraTime.commission_fen, 0),
        )
        .join(Visit, Visit.order_id == Order.id)
        .join(City, City.code == Order.city_code)
        .outerjoin(
            ExtraTime,
            and_(ExtraTime.visit_id == Visit.id, ExtraTime.status == ExtraTimeStatus.AGREED),
        )
        .where(Visit.caregiver_id == actor.id, Visit.status == VisitStatus.REDEEMED)
        .order_by(Visit.redeemed_at.desc())
        .limit(MOST_LISTED)
    )
    me = actor.id
    return Income(
        frozen_fen=-ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN, me),
        payable_fen=-ledger.balance(session, LedgerAccount.CAREGIVER_PAYABLE, me),
        visits=tuple(_earned(*row) for row in rows),
    )


def _earned(
    order_id: int,
    item_id: int,
    starts_at: datetime,
    redeemed_at: datetime,
    total_fen: int,
    commission_fen: int,
    release_days: int,
    released: bool,
    rests: bool,
    extra_fen: int,
) -> Earned:
    return Earned(
        order_id=order_id,
        item_id=item_id,
        starts_at=starts_at,
        redeemed_at=redeemed_at,
        total_fen=total_fen,
        commission_fen=commission_fen,
        payable_at=redeemed_at + timedelta(days=release_days),
        released=released,
        rests=rests,
        extra_fen=extra_fen,
    )


def release_due(session: Session, actor: Actor) -> int:
    """Make pay payable whose days of waiting are over; return of how many visits.

    The pay of a visit with an open complaint or incident waits for its end.
    """
    actor.require(Permission.RUN_JOBS)
    released = 0
    for city in session.scalars(select(City)):
        due = session.execute(
            select(Order.item_id, Order.commission_bp, Visit)
            .join(Visit, Visit.order_id == Order.id)
            .where(
                Order.city_code == city.code,
                _earned_by(clock.now() - timedelta(days=city.release_days)),
                ~_released(),
                ~complaints.rests(),
            )
            .order_by(Visit.redeemed_at)
            .limit(MOST_AT_ONCE)
            .with_for_update(of=Visit, skip_locked=True)
        ).all()
        locked = [visit.id for _, _, visit in due]
        # Asked anew now that they are locked: a complaint or another worker may just have come.
        still = select(Visit.id).where(Visit.id.in_(locked), ~_released(), ~complaints.rests())
        to_release = set(session.scalars(still))
        extra = extra_times.agreed_pay(session, locked)
        for item_id, commission_bp, visit in due:
            if visit.id not in to_release:
                continue
            if visit.status is VisitStatus.REDEEMED:
                pay_fen = visit.pay_fen + extra.get(visit.id, 0)
            else:
                pay_fen = visit.fee_fen - pricing.share(visit.fee_fen, commission_bp)
            ledger.book_released(session, visit, pay_fen)
            notices.tell(
                session,
                NoticeKind.PAY_RELEASED,
                visit.caregiver_id,
                f"visit-{visit.id}",
                order_id=visit.order_id,
                visit_id=visit.id,
                item_id=item_id,
                pay_fen=pay_fen,
            )
            released += 1
    return released


def _earned_by(moment: datetime) -> ColumnElement[bool]:
    """Visits made by then, and those that were to be and whose family owes a fee for them."""
    made = and_(Visit.status == VisitStatus.REDEEMED, Visit.redeemed_at <= moment)
    called_off = Visit.status.in_((VisitStatus.CANCELLED, VisitStatus.MISSED))
    return or_(made, and_(called_off, Visit.fee_fen > 0, Visit.starts_at <= moment))


def _released() -> ColumnElement[bool]:
    return exists().where(
        LedgerEntry.visit_id == Visit.id, LedgerEntry.event == LedgerEvent.RELEASED
    )
