"""Invoices (发票): families ask for one for what they paid, operators issue it or say why not.

An invoice is made outside, at the tax office's platform; here stands who wants one for which
receipts and what became of it. A receipt is in one invoice at a time, and invoices never hold
more than a family paid and did not get back: before what is in one that was issued can go back,
that is cancelled by a red-letter one (红冲).
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account
from data.history import Noun
from data.invoices import BuyerKind, Invoice, InvoicedReceipt, InvoiceStatus
from data.notices import NoticeKind
from data.receipts import Receipt, ReceiptMethod
from services import (
    audit,
    clock,
    customers,
    invoiced_money,
    lifecycles,
    notices,
    proofs,
    tax_numbers,
)
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound
from services.scans import Page
from services.wording import words

__all__ = ["BuyerKind", "InvoiceStatus"]

MOST_TITLE, MOST_WORDS = 100, 200
MOST_LISTED = 200
# Fully digital invoices have twenty digits, older ones eight.
_NUMBER = re.compile(r"\d{8}|\d{20}", re.ASCII)


@dataclass(frozen=True, slots=True)
class InvoiceForm:
    """What a family asks for; `customer_id` is whom staff ask for."""

    receipt_ids: tuple[int, ...]
    buyer: BuyerKind
    title: str
    tax_number: str = ""
    customer_id: int | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """A receipt that no invoice holds."""

    id: int
    city_code: str
    method: ReceiptMethod
    amount_fen: int
    received_on: date
    reference: str


@dataclass(frozen=True, slots=True)
class InvoiceView:
    """An invoice without whose it is to be; `words` say why it was refused or cancelled."""

    id: int
    customer_id: int
    customer_name: str
    buyer: BuyerKind
    amount_fen: int
    status: InvoiceStatus
    asked_at: datetime
    number: str
    issued_on: date | None
    red_number: str
    words: str
    moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Buyer:
    """Whose an invoice is to be, and the receipts in it."""

    title: str
    tax_number: str
    receipts: tuple[Paid, ...]


def open_receipts(session: Session, actor: Actor, customer_id: int | None = None) -> list[Paid]:
    """What a family paid and has no invoice for yet, the last first."""
    actor.require(Permission.ASK_INVOICE)
    family_id = _whose(session, actor, customer_id)
    found = session.scalars(
        _free(actor, family_id).order_by(Receipt.received_on.desc(), Receipt.id.desc())
    )
    return [_paid(one) for one in found]


def most(session: Session, actor: Actor, customer_id: int | None = None) -> int:
    """What a family's next invoice can be for at the most, in fen."""
    actor.require(Permission.ASK_INVOICE)
    return max(invoiced_money.left(session, _whose(session, actor, customer_id)), 0)


def ask(session: Session, actor: Actor, form: InvoiceForm, request_key: str) -> int:
    """Ask for an invoice for these receipts of one city; the same request key asks once.

    It is for what was paid by them, or for what is left of all a family paid, if that is less.
    """
    actor.require(Permission.ASK_INVOICE)
    family_id = _whose(session, actor, form.customer_id)
    # One at a time, and no money goes back meanwhile.
    session.get_one(Account, family_id, with_for_update={"key_share": True})
    before = _asked_before(session, actor, request_key)
    if before is not None:
        return before
    title = words(form.title, "invoice_title", MOST_TITLE)
    company = form.buyer is BuyerKind.COMPANY
    tax_number = tax_numbers.checked(form.tax_number) if company else ""
    chosen = session.scalars(
        _free(actor, family_id)
        .where(Receipt.id.in_(form.receipt_ids))
        .order_by(Receipt.id)
        .with_for_update(of=Receipt)
        .execution_options(populate_existing=True)
    ).all()
    if not form.receipt_ids:
        raise Invalid("error.missing", field="invoice_receipts")
    if len(chosen) != len(set(form.receipt_ids)):
        raise Conflict("error.receipt_in_invoice")
    city_codes = {one.city_code for one in chosen}
    if len(city_codes) > 1:
        raise Invalid("error.invoice_of_one_city")
    left_fen = invoiced_money.left(session, family_id)
    if left_fen <= 0:
        raise Conflict("error.nothing_to_invoice")
    invoice = Invoice(
        created_at=clock.now(),
        city_code=city_codes.pop(),
        customer_id=family_id,
        asked_by_id=actor.id,
        request_key=request_key,
        buyer=form.buyer,
        amount_fen=min(left_fen, sum(one.amount_fen for one in chosen)),
    )
    invoice.title, invoice.tax_number = title, tax_number
    try:
        with session.begin_nested():
            session.add(invoice)
            session.flush()
            session.add_all(
                InvoicedReceipt(created_at=clock.now(), invoice_id=invoice.id, receipt_id=one.id)
                for one in chosen
            )
    except IntegrityError:
        if (before := _asked_before(session, actor, request_key)) is not None:
            return before
        raise Conflict("error.receipt_in_invoice") from None
    lifecycles.begin(session, actor, Noun.INVOICE, invoice, "ask")
    audit.record(session, actor, "ask_invoice", "invoice", invoice.id)
    notices.tell_operators(
        session, NoticeKind.INVOICE_ASKED, invoice.city_code, _about(invoice), **_facts(invoice)
    )
    return invoice.id


def withdraw(session: Session, actor: Actor, invoice_id: int) -> None:
    """Want an invoice no more that was not issued yet: its receipts are free again."""
    actor.require(Permission.ASK_INVOICE)
    invoice = _reach(session, actor, invoice_id)
    lifecycles.take(session, actor, Noun.INVOICE, invoice, "withdraw")
    invoiced_money.let_go(session, invoice)
    audit.record(session, actor, "withdraw_invoice", "invoice", invoice.id)


def issue(
    session: Session,
    actor: Actor,
    invoice_id: int,
    number: str,
    issued_on: date,
    pages: Sequence[Page] = (),
) -> None:
    """Note that an invoice was issued, under which number and when, with pictures of it."""
    actor.require(Permission.ISSUE_INVOICE)
    number = _checked_number(number)
    invoice = _reach(session, actor, invoice_id)
    lifecycles.take(session, actor, Noun.INVOICE, invoice, "issue")
    asked_on = clock.in_city(invoice.created_at).date()
    if not asked_on <= issued_on <= clock.today():
        raise Invalid("error.invoice_day")
    try:
        with session.begin_nested():
            invoice.issued_number, invoice.issued_on = number, issued_on
    except IntegrityError:
        raise Conflict("error.invoice_number_used") from None
    proofs.store(session, invoice, pages)
    audit.record(session, actor, "issue_invoice", "invoice", invoice.id)
    _tell(session, NoticeKind.INVOICE_ISSUED, invoice)


def refuse(session: Session, actor: Actor, invoice_id: int, because: str) -> None:
    """Do not issue an invoice, and say why: its receipts are free again."""
    actor.require(Permission.ISSUE_INVOICE)
    because = words(because, "reason", MOST_WORDS)
    invoice = _reach(session, actor, invoice_id)
    lifecycles.take(session, actor, Noun.INVOICE, invoice, "refuse")
    invoice.words = because
    invoiced_money.let_go(session, invoice)
    audit.record(session, actor, "refuse_invoice", "invoice", invoice.id)
    _tell(session, NoticeKind.INVOICE_REFUSED, invoice)


def cancel(session: Session, actor: Actor, invoice_id: int, red_number: str, because: str) -> None:
    """Note the red-letter invoice that cancels one that was issued: its receipts are free again."""
    actor.require(Permission.ISSUE_INVOICE)
    because, red_number = words(because, "reason", MOST_WORDS), _checked_number(red_number)
    invoice = _reach(session, actor, invoice_id)
    if red_number == invoice.issued_number:
        raise Invalid("error.invoice_red_number")
    lifecycles.take(session, actor, Noun.INVOICE, invoice, "cancel")
    invoice.red_number, invoice.words = red_number, because
    invoiced_money.let_go(session, invoice)
    audit.record(session, actor, "cancel_invoice", "invoice", invoice.id)
    _tell(session, NoticeKind.INVOICE_CANCELLED, invoice)


def of_customer(
    session: Session, actor: Actor, customer_id: int | None = None
) -> list[InvoiceView]:
    """The invoices of a family, the last first."""
    actor.require(Permission.ASK_INVOICE)
    theirs = Invoice.customer_id == _whose(session, actor, customer_id)
    return _views(session, actor, _visible_to(actor).where(theirs).order_by(Invoice.id.desc()))


def queue(
    session: Session, actor: Actor, status: InvoiceStatus = InvoiceStatus.ASKED
) -> list[InvoiceView]:
    """The invoices of the actor's cities in a status: who waits longest first, else the last."""
    actor.require(Permission.ISSUE_INVOICE)
    waits = status is InvoiceStatus.ASKED
    found = _visible_to(actor).where(Invoice.status == status)
    return _views(session, actor, found.order_by(Invoice.id if waits else Invoice.id.desc()))


def buyer(session: Session, actor: Actor, invoice_id: int) -> Buyer:
    """Whose an invoice is to be, and what for; every look of staff leaves an audit row."""
    actor.require(Permission.ASK_INVOICE)
    invoice = _reach(session, actor, invoice_id)
    if actor.role is not Role.CUSTOMER:
        audit.record(session, actor, "open_invoice", "invoice", invoice.id)
    its = select(InvoicedReceipt.receipt_id).where(InvoicedReceipt.invoice_id == invoice.id)
    receipts = session.scalars(select(Receipt).where(Receipt.id.in_(its)).order_by(Receipt.id))
    return Buyer(invoice.title, invoice.tax_number, tuple(_paid(one) for one in receipts))


def waiting(session: Session, customer_ids: Collection[int]) -> int:
    """How many invoices these people asked for that were neither issued nor refused."""
    found = select(func.count(Invoice.id)).where(
        Invoice.customer_id.in_(customer_ids), Invoice.status == InvoiceStatus.ASKED
    )
    return session.scalar(found) or 0


def _asked_before(session: Session, actor: Actor, request_key: str) -> int | None:
    return session.scalar(
        select(Invoice.id).where(
            Invoice.asked_by_id == actor.id, Invoice.request_key == request_key
        )
    )


def _whose(session: Session, actor: Actor, customer_id: int | None) -> int:
    """The family meant: families mean themselves, staff one of their cities."""
    if actor.role is Role.CUSTOMER:
        if customer_id not in (None, actor.id):
            raise NotFound("error.customer_not_found")
        return actor.id or 0
    known = customers.ids(actor).where(Account.id == customer_id)
    if (found := session.scalar(known)) is None:
        raise NotFound("error.customer_not_found")
    return found


def _free(actor: Actor, customer_id: int) -> Select[Receipt]:
    """The receipts of a family that stand and that no invoice holds."""
    held = exists().where(
        InvoicedReceipt.receipt_id == Receipt.id, InvoicedReceipt.let_go_at.is_(None)
    )
    free = select(Receipt).where(
        Receipt.customer_id == customer_id, Receipt.reversed_at.is_(None), ~held
    )
    return free if actor.role is Role.CUSTOMER else free.where(Receipt.city_code.in_(actor.cities))


def _paid(receipt: Receipt) -> Paid:
    return Paid(
        id=receipt.id,
        city_code=receipt.city_code,
        method=receipt.method,
        amount_fen=receipt.amount_fen,
        received_on=receipt.received_on,
        reference=receipt.reference,
    )


def _checked_number(typed: str) -> str:
    number = "".join(typed.split())
    if not number:
        raise Invalid("error.missing", field="invoice_number")
    if _NUMBER.fullmatch(number) is None:
        raise Invalid("error.invoice_number")
    return number


def _tell(session: Session, kind: NoticeKind, invoice: Invoice) -> None:
    notices.tell(session, kind, invoice.customer_id, _about(invoice), **_facts(invoice))


def _about(invoice: Invoice) -> str:
    return f"invoice-{invoice.id}"


def _facts(invoice: Invoice) -> dict[str, int]:
    return {"invoice_id": invoice.id, "price_fen": invoice.amount_fen}


def _views(session: Session, actor: Actor, query: Select[Invoice]) -> list[InvoiceView]:
    rows = session.execute(
        query.join(Account, Account.id == Invoice.customer_id)
        .add_columns(Account.name)
        .limit(MOST_LISTED)
    )
    return [
        InvoiceView(
            id=invoice.id,
            customer_id=invoice.customer_id,
            customer_name=name,
            buyer=invoice.buyer,
            amount_fen=invoice.amount_fen,
            status=invoice.status,
            asked_at=invoice.created_at,
            number=invoice.issued_number,
            issued_on=invoice.issued_on,
            red_number=invoice.red_number,
            words=invoice.words,
            moves=lifecycles.open_moves(Noun.INVOICE, invoice.status, actor),
        )
        for invoice, name in rows
    ]


def _reach(session: Session, actor: Actor, invoice_id: int) -> Invoice:
    """An invoice this actor may see, locked."""
    found = _visible_to(actor).where(Invoice.id == invoice_id).with_for_update(of=Invoice)
    invoice = session.scalar(found.execution_options(populate_existing=True))
    if invoice is None:
        raise NotFound("error.invoice_not_found")
    return invoice


def _visible_to(actor: Actor) -> Select[Invoice]:
    """The family's own; those of the cities of staff."""
    if actor.role is Role.CUSTOMER:
        return select(Invoice).where(Invoice.customer_id == actor.id)
    return select(Invoice).where(Invoice.city_code.in_(actor.cities))
