"""What was done in a city's month, in fen, as the deeds have it: to be held against the ledger."""

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.complaints import ExtraTime, ExtraTimeStatus
from data.orders import Order, Visit
from data.payouts import Payout, PayoutBatch, PayoutStatus
from data.receipts import Receipt, ReceiptMethod
from data.refunds import Refund
from data.repayments import Repayment


def redeemed(session: Session, city_code: str, since: datetime, until: datetime) -> tuple[int, int]:
    """What visits that were redeemed cost, and the commission in it."""
    total, commission = session.execute(
        select(func.sum(Visit.total_fen), func.sum(Visit.commission_fen))
        .join(Order, Order.id == Visit.order_id)
        .where(Order.city_code == city_code, Visit.redeemed_at >= since, Visit.redeemed_at < until)
    ).one()
    return int(total or 0), int(commission or 0)


def extra(session: Session, city_code: str, since: datetime, until: datetime) -> tuple[int, int]:
    """What agreed extra time cost, and the commission in it."""
    total, commission = session.execute(
        select(func.sum(ExtraTime.total_fen), func.sum(ExtraTime.commission_fen))
        .join(Visit, Visit.id == ExtraTime.visit_id)
        .join(Order, Order.id == Visit.order_id)
        .where(
            Order.city_code == city_code,
            ExtraTime.status == ExtraTimeStatus.AGREED,
            ExtraTime.answered_at >= since,
            ExtraTime.answered_at < until,
        )
    ).one()
    return int(total or 0), int(commission or 0)


def refunded(session: Session, city_code: str, since: datetime, until: datetime) -> int:
    """What was given back, less what was taken back again."""

    def total(moment: InstrumentedAttribute) -> int:
        found = (
            select(func.sum(Refund.amount_fen))
            .join(Visit, Visit.id == Refund.visit_id)
            .join(Order, Order.id == Visit.order_id)
            .where(Order.city_code == city_code, moment >= since, moment < until)
        )
        return int(session.scalar(found) or 0)

    return total(Refund.created_at) - total(Refund.taken_back_at)


def received(
    session: Session, city_code: str, since: datetime, until: datetime
) -> dict[ReceiptMethod, int]:
    """What families paid by the way it came, less what was taken back."""
    found = defaultdict[ReceiptMethod, int](int)
    for sign, moment in ((1, Receipt.created_at), (-1, Receipt.reversed_at)):
        rows = session.execute(
            select(Receipt.method, func.sum(Receipt.amount_fen))
            .where(Receipt.city_code == city_code, moment >= since, moment < until)
            .group_by(Receipt.method)
        )
        for method, total in rows:
            found[method] += sign * int(total)
    return found


def repaid(session: Session, city_code: str, since: datetime, until: datetime) -> int:
    """What families got back, less what they did not after all."""

    def total(moment: InstrumentedAttribute) -> int:
        found = select(func.sum(Repayment.amount_fen)).where(
            Repayment.city_code == city_code, moment >= since, moment < until
        )
        return int(session.scalar(found) or 0)

    return total(Repayment.created_at) - total(Repayment.taken_back_at)


def paid_out(session: Session, city_code: str, since: datetime, until: datetime) -> int:
    """What arrived at caregivers."""
    found = (
        select(func.sum(Payout.amount_fen))
        .join(PayoutBatch, PayoutBatch.id == Payout.batch_id)
        .where(
            PayoutBatch.city_code == city_code,
            Payout.status == PayoutStatus.PAID,
            Payout.settled_at >= since,
            Payout.settled_at < until,
        )
    )
    return int(session.scalar(found) or 0)
