"""Invoices of the demo: some are issued, one was refused, some wait for the operator."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.receipts import Receipt
from services import clock, invoices, tax_numbers
from services.access import Actor, Role
from services.demo import papers
from services.invoices import BuyerKind, InvoiceForm

A_DAY = timedelta(days=1)
ASKED = 8
COMPANY = "演示公司（南通）"
WHY = "抬头和税号对不上，请核对后重新申请"
# Of a company that does not exist.
CODE = "91320600MA0000000"


def ask(session: Session, operator: Actor, now: datetime) -> None:
    """The last families who paid asked for an invoice; those who waited long enough have it."""
    paid = session.execute(
        select(Receipt.customer_id, Receipt.id, Receipt.created_at)
        .where(Receipt.reversed_at.is_(None), Receipt.created_at < now - A_DAY)
        .order_by(Receipt.id.desc())
        .limit(ASKED)
    ).all()
    for number, (customer_id, receipt_id, paid_at) in enumerate(reversed(paid)):
        family, company = Actor(customer_id, Role.CUSTOMER), number % 3 == 0
        form = InvoiceForm(
            receipt_ids=(receipt_id,),
            buyer=BuyerKind.COMPANY if company else BuyerKind.PERSONAL,
            title=COMPANY if company else "个人",
            tax_number=CODE + tax_numbers.check_sign(CODE) if company else "",
        )
        with clock.at(paid_at + A_DAY / 2):
            invoice_id = invoices.ask(session, family, form, f"demo invoice {number}")
            session.flush()
        if number == 0:
            with clock.at(paid_at + A_DAY):
                invoices.refuse(session, operator, invoice_id, WHY)
        elif number < ASKED // 2:
            with clock.at(paid_at + A_DAY):
                made, page = f"{number:020d}", papers.drawn("INVOICE")
                invoices.issue(session, operator, invoice_id, made, clock.today(), [page])
