"""Income: what a caregiver has earned, visit by visit, and when it can be paid out."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from data.cities import City
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent
from data.notices import NoticeKind
from data.orders import Order, Visit, VisitStatus
from services import clock, ledger, notices
from services.access import Actor, Permission

MOST_LISTED = 300
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Earned:
    """One redeemed visit's pay; frozen until `payable_at`."""

    order_id: int
    item_id: int
    starts_at: datetime
    redeemed_at: datetime
    total_fen: int
    commission_fen: int
    payable_at: datetime
    released: bool

    @property
    def pay_fen(self) -> int:
        return self.total_fen - self.commission_fen


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
        )
        .join(Visit, Visit.order_id == Order.id)
        .join(City, City.code == Order.city_code)
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
    )


def release_due(session: Session, actor: Actor) -> int:
    """Make pay payable whose days of waiting are over; return of how many visits."""
    actor.require(Permission.RUN_JOBS)
    released = 0
    for city in session.scalars(select(City)):
        due = session.execute(
            select(Order.item_id, Visit)
            .join(Visit, Visit.order_id == Order.id)
            .where(
                Order.city_code == city.code,
                Visit.status == VisitStatus.REDEEMED,
                Visit.redeemed_at <= clock.now() - timedelta(days=city.release_days),
                ~_released(),
            )
            .order_by(Visit.redeemed_at)
            .limit(MOST_AT_ONCE)
        ).all()
        for item_id, visit in due:
            ledger.book_released(session, visit)
            notices.tell(
                session,
                NoticeKind.PAY_RELEASED,
                visit.caregiver_id,
                f"visit-{visit.id}",
                order_id=visit.order_id,
                visit_id=visit.id,
                item_id=item_id,
                pay_fen=visit.pay_fen,
            )
        released += len(due)
    return released


def _released() -> ColumnElement[bool]:
    return exists().where(
        LedgerEntry.visit_id == Visit.id, LedgerEntry.event == LedgerEvent.RELEASED
    )
