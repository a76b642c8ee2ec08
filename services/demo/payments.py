"""Payments of the demo: most families have paid for visits that were made, some owe still."""

from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.orders import Order, Visit, VisitStatus
from services import clock, receipts
from services.access import Actor
from services.demo import papers
from services.receipts import ReceiptForm, ReceiptMethod

A_DAY = timedelta(days=1)
# Of ten visits in a row: how each was paid for; None: not yet.
_WAYS = (
    ReceiptMethod.BANK, ReceiptMethod.WECHAT, ReceiptMethod.BANK, None, ReceiptMethod.WECHAT,
    ReceiptMethod.BANK, ReceiptMethod.SPLIT, ReceiptMethod.WECHAT, None, ReceiptMethod.CASH,
)  # fmt: skip
PROVEN_EVERY = 20
MISTAKEN = "记到了另一家名下，已冲销"


def pay(session: Session, desk: Actor, operator: Actor, now: datetime) -> None:
    """Record, a day after each redeemed visit, what was paid for it; one was a mistake."""
    made = session.execute(
        select(Visit.redeemed_at, Visit.total_fen, Order.id, Order.customer_id)
        .join(Order, Order.id == Visit.order_id)
        .where(Visit.status == VisitStatus.REDEEMED, Visit.redeemed_at < now - A_DAY)
        .order_by(Visit.redeemed_at)
    ).all()
    last_id = None
    for number, visit in enumerate(made):
        method = _WAYS[number % len(_WAYS)]
        if method is None or not visit.total_fen:
            continue
        with clock.at(visit.redeemed_at + A_DAY):
            form = ReceiptForm(
                customer_id=visit.customer_id,
                method=method,
                amount=f"{visit.total_fen // 100}.{visit.total_fen % 100:02d}",
                received_on=clock.today(),
                reference=_reference(method, clock.today(), number),
                order_id=visit.id,
            )
            actor = desk if method is ReceiptMethod.CASH else operator
            pages = (papers.drawn("PAYMENT SLIP"),) if number % PROVEN_EVERY == 0 else ()
            last_id = receipts.record(session, actor, form, f"demo payment {number}", pages)
    if last_id is not None:
        with clock.at(now - timedelta(minutes=50)):
            receipts.reverse(session, operator, last_id, MISTAKEN)


def _reference(method: ReceiptMethod, day: date, number: int) -> str:
    """As the bank or the provider would number it; a cash receipt has a number of a pad's."""
    return f"{method.upper()}{day:%Y%m%d}{number:05d}"
