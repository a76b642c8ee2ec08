"""Income: what a caregiver has earned and owes, named, and when it can be paid out."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select
from sqlalchemy.orm import Session

from data.cities import City
from data.complaints import ExtraTime, ExtraTimeStatus
from data.ledger import LedgerAccount
from data.notices import NoticeKind
from data.orders import Order, Visit, VisitStatus
from data.refunds import Refund, RefundStatus
from data.reviews import Review
from services import clock, held_pay, ledger, notices, pay, pricing, recurrence
from services.access import Actor, Permission

MOST_LISTED = 300
MOST_AT_ONCE = 500
MONTHS = 12
AN_HOUR = timedelta(hours=1)


class IncomeKind(StrEnum):
    """What a row of an income is for."""

    VISIT = "visit"
    EXTRA_TIME = "extra_time"
    FEE = "fee"
    PENALTY = "penalty"
    REFUND = "refund"


@dataclass(frozen=True, slots=True)
class Earned:
    """One amount and its visit: what the family owes, less the commission.

    It is frozen until `payable_at` (None: until the visit is redeemed), or longer while something
    is amiss. A penalty, and her part of a refund, are negative and come off at once.
    """

    kind: IncomeKind
    order_id: int
    item_id: int
    starts_at: datetime
    earned_at: datetime
    total_fen: int
    commission_fen: int
    payable_at: datetime | None
    released: bool
    rests: bool

    @property
    def pay_fen(self) -> int:
        """What reaches the caregiver."""
        return self.total_fen - self.commission_fen

    @property
    def deducted(self) -> bool:
        """Whether it comes off what she earned."""
        return self.kind in (IncomeKind.PENALTY, IncomeKind.REFUND)


@dataclass(frozen=True, slots=True)
class Income:
    """Balances as the ledger has them, in fen, and the rows they consist of, newest first.

    What she owes comes off what would become payable next.
    """

    frozen_fen: int
    payable_fen: int
    debt_fen: int
    rows: tuple[Earned, ...]


@dataclass(frozen=True, slots=True)
class MonthOfWork:
    """What a calendar month of the city brought.

    Visits are redeemed ones, in the month they began, hours as planned; pay counts when it was
    earned. The rating is the mean overall score of the month's reviews, None without any.
    """

    month: date
    visits: int
    hours: float
    pay_fen: int
    rating: float | None


def mine(session: Session, actor: Actor) -> Income:
    """What the actor has earned so far."""
    actor.require(Permission.READ_INCOME)
    query = _of(actor.id).order_by(Visit.starts_at.desc()).limit(MOST_LISTED)
    found = session.execute(query).all()
    # What was due once is no more while it is held back.
    held = pay.frozen(session, [row.visit_id for row in found if row.released and row.rests])
    rows = [earned for row in found for earned in _rows(row, held)]
    rows += _given_back(session, actor.id, held)
    me = actor.id
    return Income(
        frozen_fen=-ledger.balance(session, LedgerAccount.CAREGIVER_FROZEN, me),
        payable_fen=-ledger.balance(session, LedgerAccount.CAREGIVER_PAYABLE, me),
        debt_fen=ledger.balance(session, LedgerAccount.CAREGIVER_DEBT, me),
        rows=tuple(sorted(rows, key=lambda one: one.earned_at, reverse=True)),
    )


def by_month(session: Session, actor: Actor) -> tuple[MonthOfWork, ...]:
    """The actor's work month by month, of the last twelve since the first there was any."""
    actor.require(Permission.READ_INCOME)
    months = [clock.today().replace(day=1)]
    while len(months) < MONTHS:
        months.insert(0, (months[0] - timedelta(days=1)).replace(day=1))
    since = recurrence.moment(months[0], 0)
    visits, pay_fen = Counter[date](), Counter[date]()
    hours = defaultdict[date, float](float)
    told = or_(Visit.starts_at >= since, Visit.redeemed_at >= since)
    for visit in session.execute(_of(actor.id).where(told)):
        for earned in _rows(visit, {}):
            pay_fen[_month(earned.earned_at)] += earned.pay_fen
        if visit.status is VisitStatus.REDEEMED:
            visits[_month(visit.starts_at)] += 1
            hours[_month(visit.starts_at)] += (visit.ends_at - visit.starts_at) / AN_HOUR
    for earned in _given_back(session, actor.id, {}, since):
        pay_fen[_month(earned.earned_at)] += earned.pay_fen
    said: dict[date, list[tuple[int, int]]] = defaultdict(list)
    for at, overall, weight in session.execute(
        select(Review.created_at, Review.overall, Review.weight).where(
            Review.caregiver_id == actor.id,
            Review.hidden_at.is_(None),
            Review.created_at >= since,
        )
    ):
        said[_month(at)].append((overall, weight))
    begun = min([*visits, *pay_fen, *said], default=None)
    return tuple(
        MonthOfWork(month, visits[month], hours[month], pay_fen[month], _mean(said[month]))
        for month in months
        if begun is not None and month >= begun
    )


def _month(moment: datetime) -> date:
    return clock.in_city(moment).date().replace(day=1)


def _mean(scores: Sequence[tuple[int, int]]) -> float | None:
    """The mean of scores, each counting for its weight."""
    weight = sum(weight for _, weight in scores)
    return sum(score * weight for score, weight in scores) / weight if weight else None


def _of(caregiver_id: int | None) -> Select[*tuple[Any, ...]]:
    """The visits that brought a caregiver something, or cost her."""
    # Columns, for whole objects of so many rows take several times as long.
    return (
        select(
            Visit.id.label("visit_id"),
            Visit.status,
            Visit.starts_at,
            Visit.ends_at,
            Visit.redeemed_at,
            Visit.total_fen,
            Visit.commission_fen,
            Visit.fee_fen,
            Visit.penalty_fen,
            Order.id.label("order_id"),
            Order.item_id,
            Order.commission_bp,
            ExtraTime.total_fen.label("extra_fen"),
            ExtraTime.commission_fen.label("extra_commission_fen"),
            City.release_days,
            pay.released().label("released"),
            held_pay.rests().label("rests"),
        )
        .select_from(Visit)
        .join(Order, Order.id == Visit.order_id)
        .join(City, City.code == Order.city_code)
        .outerjoin(
            ExtraTime,
            and_(ExtraTime.visit_id == Visit.id, ExtraTime.status == ExtraTimeStatus.AGREED),
        )
        .where(
            Visit.caregiver_id == caregiver_id,
            or_(
                Visit.status == VisitStatus.REDEEMED,
                ExtraTime.id.is_not(None),
                Visit.fee_fen > 0,
                Visit.penalty_fen > 0,
            ),
        )
    )


def _rows(visit: Row[*tuple[Any, ...]], held: Mapping[int, int]) -> Iterator[Earned]:
    """What one visit brought, or cost: each amount by itself; `held` is frozen anew, by visit."""
    wait = timedelta(days=visit.release_days)
    released = visit.released and not held.get(visit.visit_id)

    def row(kind: IncomeKind, total_fen: int, commission_fen: int, at: datetime | None) -> Earned:
        return Earned(
            kind=kind,
            order_id=visit.order_id,
            item_id=visit.item_id,
            starts_at=visit.starts_at,
            earned_at=at or visit.starts_at,
            total_fen=total_fen,
            commission_fen=commission_fen,
            payable_at=at and at + wait,
            released=released or kind is IncomeKind.PENALTY,
            rests=visit.rests and kind is not IncomeKind.PENALTY,
        )

    if visit.status is VisitStatus.REDEEMED:
        yield row(IncomeKind.VISIT, visit.total_fen, visit.commission_fen, visit.redeemed_at)
    if visit.extra_fen is not None:
        amounts = visit.extra_fen, visit.extra_commission_fen
        yield row(IncomeKind.EXTRA_TIME, *amounts, visit.redeemed_at)
    if visit.fee_fen:
        commission_fen = pricing.share(visit.fee_fen, visit.commission_bp)
        yield row(IncomeKind.FEE, visit.fee_fen, commission_fen, visit.starts_at)
    if visit.penalty_fen:
        yield row(IncomeKind.PENALTY, -visit.penalty_fen, 0, visit.starts_at)


def _given_back(
    session: Session,
    caregiver_id: int | None,
    held: Mapping[int, int],
    since: datetime | None = None,
) -> list[Earned]:
    """Her part of what families were given back, newest first; or of all since a moment."""
    hers = (
        select(
            Refund.caregiver_fen,
            Refund.created_at,
            Visit.id.label("visit_id"),
            Visit.order_id,
            Visit.starts_at,
            Order.item_id,
            pay.released().label("released"),
        )
        .join(Visit, Visit.id == Refund.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .where(
            Visit.caregiver_id == caregiver_id,
            Refund.caregiver_fen > 0,
            Refund.status == RefundStatus.GRANTED,
        )
        .order_by(Refund.id.desc())
    )
    asked = hers.where(Refund.created_at >= since) if since else hers.limit(MOST_LISTED)
    return [
        Earned(
            kind=IncomeKind.REFUND,
            order_id=row.order_id,
            item_id=row.item_id,
            starts_at=row.starts_at,
            earned_at=row.created_at,
            total_fen=-row.caregiver_fen,
            commission_fen=0,
            payable_at=None,
            released=row.released and not held.get(row.visit_id),
            rests=False,
        )
        for row in session.execute(asked)
    ]


def release_due(session: Session, actor: Actor) -> int:
    """Make pay payable whose days of waiting are over; return of how many visits.

    The pay of a visit with an open complaint or incident waits for its end.
    """
    actor.require(Permission.RUN_JOBS)
    released = 0
    for city in session.scalars(select(City)):
        due = session.execute(
            select(Order.item_id, Visit)
            .join(Visit, Visit.order_id == Order.id)
            .where(
                Order.city_code == city.code,
                _earned_by(clock.now() - timedelta(days=city.release_days)),
                ~pay.released(),
                ~held_pay.rests(),
            )
            .order_by(Visit.redeemed_at)
            .limit(MOST_AT_ONCE)
            .with_for_update(of=Visit, skip_locked=True)
        ).all()
        locked = [visit.id for _, visit in due]
        pay.hold(session, *(visit.caregiver_id for _, visit in due))
        # Asked anew now that they are locked: a complaint or another worker may just have come.
        still = select(Visit.id).where(Visit.id.in_(locked), ~pay.released(), ~held_pay.rests())
        to_release = set(session.scalars(still))
        frozen = pay.frozen(session, locked)
        for item_id, visit in due:
            if visit.id not in to_release:
                continue
            pay_fen = frozen.get(visit.id, 0)
            pay.book_released(session, visit, pay_fen)
            released += 1
            if not pay_fen:  # All of it was given back.
                continue
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
    return released


def _earned_by(moment: datetime) -> ColumnElement[bool]:
    """Visits made by then, and those that were to be and whose family owes a fee for them."""
    made = and_(Visit.status == VisitStatus.REDEEMED, Visit.redeemed_at <= moment)
    called_off = Visit.status.in_((VisitStatus.CANCELLED, VisitStatus.MISSED))
    return or_(made, and_(called_off, Visit.fee_fen > 0, Visit.starts_at <= moment))
