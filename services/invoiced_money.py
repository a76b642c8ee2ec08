"""What invoices hold of what families paid: it neither goes back nor is invoiced again.

A receipt is in one invoice at a time, with all of it that was not given back. All that invoices
hold together is never more than a family paid and did not get back.
"""

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from data.invoices import LIVE, Invoice, InvoicedReceipt, InvoiceStatus
from data.receipts import Receipt
from data.repayments import Repayment, RepaymentStatus
from services import clock
from services.errors import Conflict


def check_free(session: Session, receipt: Receipt) -> None:
    """Refuse while an invoice holds a receipt; who calls has locked the receipt."""
    held = _holding().where(InvoicedReceipt.receipt_id == receipt.id)
    found = session.execute(held).one_or_none()
    if found is not None:
        issued = found.status is InvoiceStatus.ISSUED
        raise Conflict(
            "error.receipt_invoiced" if issued else "error.receipt_to_be_invoiced", number=found.id
        )


def check_left(session: Session, customer_id: int, amount_fen: int) -> None:
    """Refuse that money goes that invoices hold; who calls has locked the family's account."""
    left_fen = left(session, customer_id)
    if amount_fen > left_fen:
        newest = _holding().where(Invoice.customer_id == customer_id).order_by(Invoice.id.desc())
        held = session.execute(newest.limit(1)).one_or_none()
        if held is not None:
            raise Conflict("error.money_invoiced", left_fen=max(left_fen, 0), number=held.id)


def left(session: Session, customer_id: int) -> int:
    """What a family paid in fen, less what it got back and what invoices hold already."""
    theirs, stands = Receipt.customer_id == customer_id, Receipt.reversed_at.is_(None)
    received = select(func.sum(Receipt.amount_fen)).where(theirs, stands)
    repaid = select(func.sum(Repayment.amount_fen)).where(
        Repayment.customer_id == customer_id, Repayment.status == RepaymentStatus.RECORDED
    )
    held = select(func.sum(Invoice.amount_fen)).where(
        Invoice.customer_id == customer_id, Invoice.status.in_(LIVE)
    )
    first, *others = (int(session.scalar(one) or 0) for one in (received, repaid, held))
    return first - sum(others)


def let_go(session: Session, invoice: Invoice) -> None:
    """Free the receipts of an invoice that is none any more."""
    session.execute(
        update(InvoicedReceipt)
        .where(InvoicedReceipt.invoice_id == invoice.id, InvoicedReceipt.let_go_at.is_(None))
        .values(let_go_at=clock.now())
    )


def _holding() -> Select[int, InvoiceStatus]:
    return (
        select(Invoice.id, Invoice.status)
        .join(InvoicedReceipt, InvoicedReceipt.invoice_id == Invoice.id)
        .where(InvoicedReceipt.let_go_at.is_(None))
    )
