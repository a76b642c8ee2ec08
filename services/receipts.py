"""Receipts: staff record what a family paid, and take back what was recorded by mistake."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from data.accounts import Account, AccountStatus
from data.demands import Demand
from data.ledger import LedgerAccount
from data.notices import NoticeKind
from data.orders import Order
from data.receipts import Receipt, ReceiptMethod
from services import (
    accounts,
    agreements,
    audit,
    clock,
    customers,
    invoiced_money,
    ledger,
    notices,
    phones,
    proofs,
    statements,
)
from services.access import Actor, Permission
from services.errors import Conflict, NotFound
from services.payment_providers import (
    FURTHEST_BACK,
    MOST_REFERENCE,
    MOST_WORDS,
    STAFF,
    Payment,
    ReceiptForm,
    checked_day,
    fen,
    reference,
)
from services.scans import Page
from services.wording import words

__all__ = [
    "FURTHEST_BACK",
    "MOST_REFERENCE",
    "MOST_WORDS",
    "ReceiptForm",
    "ReceiptMethod",
    "checked_day",
    "fen",
    "reference",
]

MOST_FOUND = 10
MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class Payer:
    """A family as staff tell it apart, and what it owes in fen; less than nothing if overpaid.

    What is owed is for visits to come, too: how much of it, `coming_fen` says.
    """

    id: int
    name: str
    masked_phone: str
    status: AccountStatus
    city_code: str | None
    district_code: str | None
    owed_fen: int
    coming_fen: int

    @property
    def pays(self) -> bool:
        """Whether a payment can be recorded of it; of a merged account it is the kept one's."""
        return self.status in (AccountStatus.ACTIVE, AccountStatus.SUSPENDED)


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """A receipt with who recorded it, and who took it back and why."""

    id: int
    customer_id: int
    customer_name: str
    order_id: int | None
    method: ReceiptMethod
    amount_fen: int
    received_on: date
    reference: str
    words: str
    recorded_at: datetime
    recorded_by: str
    reversed_at: datetime | None
    reversed_by: str
    reversal_words: str
    reversible: bool


def record(
    session: Session,
    actor: Actor,
    form: ReceiptForm,
    request_key: str,
    pages: Sequence[Page] = (),
) -> int:
    """Record that a family paid, with pictures that prove it; return the receipt's id.

    The same request key records once, and so does a reference of the same way to pay.
    """
    actor.require(Permission.RECORD_RECEIPT)
    if (before := _recorded_before(session, actor, request_key)) is not None:
        return before
    return _keep(session, actor, STAFF.payment(request_key, form), pages)


def _keep(session: Session, actor: Actor, payment: Payment, pages: Sequence[Page]) -> int:
    """Make a payment that a provider told of a receipt, once, and book it."""
    family = reach(session, actor, payment.customer_id)
    # Nobody merges the account away or erases it meanwhile.
    session.refresh(family, with_for_update={"read": True})
    check_pays(family)
    order = _order_of(session, actor, payment)
    receipt = Receipt(
        created_at=clock.now(),
        city_code=order.city_code if order else city_of(session, actor, family),
        customer_id=family.id,
        order_id=payment.order_id,
        method=payment.method,
        amount_fen=payment.amount_fen,
        received_on=payment.received_on,
        reference=payment.reference,
        words=payment.words,
        recorded_by_id=actor.id,
        request_key=payment.id,
    )
    try:
        with session.begin_nested():
            session.add(receipt)
    except IntegrityError:
        if (before := _recorded_before(session, actor, payment.id)) is not None:
            return before
        raise Conflict("error.reference_recorded") from None
    proofs.store(session, receipt, pages)
    ledger.book_received(session, receipt)
    audit.record(session, actor, "record_receipt", "receipt", receipt.id)
    _tell(session, NoticeKind.RECEIPT_RECORDED, receipt)
    return receipt.id


def reverse(session: Session, actor: Actor, receipt_id: int, said: str) -> None:
    """Take back a receipt that was recorded by mistake, once: the family owes as before."""
    actor.require(Permission.REVERSE_RECEIPT)
    said = words(said, "reason", MOST_WORDS)
    receipt = _locked(session, actor, receipt_id)
    if receipt.reversed_at is not None:
        raise Conflict("error.receipt_reversed_already")
    invoiced_money.check_free(session, receipt)
    invoiced_money.check_left(session, receipt.customer_id, receipt.amount_fen)
    receipt.reversed_at, receipt.reversed_by_id = clock.now(), actor.id
    receipt.reversal_words = said
    session.flush()
    ledger.book_receipt_reversed(session, receipt)
    audit.record(session, actor, "reverse_receipt", "receipt", receipt.id)
    _tell(session, NoticeKind.RECEIPT_REVERSED, receipt)


def listing(
    session: Session,
    actor: Actor,
    *,
    customer_id: int | None = None,
    order_id: int | None = None,
    first: date | None = None,
    last: date | None = None,
    limit: int = MOST_LISTED,
) -> list[ReceiptView]:
    """The receipts of the actor's cities, newest first; the days are those they came in on."""
    actor.require(Permission.RECORD_RECEIPT)
    recorder, reverser = aliased(Account), aliased(Account)
    found = (
        _visible_to(actor)
        .join(Account, Account.id == Receipt.customer_id)
        .join(recorder, recorder.id == Receipt.recorded_by_id)
        .outerjoin(reverser, reverser.id == Receipt.reversed_by_id)
        .add_columns(Account.name, recorder.name, reverser.name)
        .order_by(Receipt.received_on.desc(), Receipt.id.desc())
    )
    for column, wanted in ((Receipt.customer_id, customer_id), (Receipt.order_id, order_id)):
        if wanted is not None:
            found = found.where(column == wanted)
    if first is not None:
        found = found.where(Receipt.received_on >= first)
    if last is not None:
        found = found.where(Receipt.received_on <= last)
    return [_view(actor, *row) for row in session.execute(found.limit(limit))]


def payers(session: Session, actor: Actor, typed: str) -> list[Payer]:
    """Families by a part of the name, the whole phone or its last four digits, newest first."""
    actor.require(Permission.RECORD_RECEIPT)
    if not typed.strip():
        return []
    found = (
        _payers(actor)
        .where(
            accounts.matching(typed),
            Account.status.not_in((AccountStatus.MERGED, AccountStatus.ERASED)),
        )
        .order_by(Account.id.desc())
    )
    return with_balances(session, session.scalars(found.limit(MOST_FOUND)).all())


def payer(session: Session, actor: Actor, customer_id: int) -> Payer:
    """One family of the actor's cities, and what it owes."""
    actor.require(Permission.RECORD_RECEIPT)
    return with_balances(session, [reach(session, actor, customer_id)])[0]


def _locked(session: Session, actor: Actor, receipt_id: int) -> Receipt:
    """A receipt with its family's account, in the order in which invoices lock them."""
    receipt = session.scalar(_visible_to(actor).where(Receipt.id == receipt_id))
    if receipt is None:
        raise NotFound("error.receipt_not_found")
    session.get_one(Account, receipt.customer_id, with_for_update={"key_share": True})
    session.refresh(receipt, with_for_update=True)
    # It may have followed to the account that was kept of two.
    session.get_one(Account, receipt.customer_id, with_for_update={"key_share": True})
    return receipt


def _tell(session: Session, kind: NoticeKind, receipt: Receipt) -> None:
    about = f"receipt-{receipt.id}"
    notices.tell(session, kind, receipt.customer_id, about, price_fen=receipt.amount_fen)


def _recorded_before(session: Session, actor: Actor, request_key: str) -> int | None:
    """The receipt that the same click of the same person recorded already."""
    return session.scalar(
        select(Receipt.id).where(
            Receipt.recorded_by_id == actor.id, Receipt.request_key == request_key
        )
    )


def check_pays(family: Account) -> None:
    """Money comes from, and goes to, accounts that are somebody's."""
    if family.status is AccountStatus.MERGED:
        raise Conflict("error.payer_merged")
    if family.status is AccountStatus.ERASED:
        raise Conflict("error.account_erased")


def _order_of(session: Session, actor: Actor, payment: Payment) -> Order | None:
    """The order that is paid, if one is named: one of this family's, in the actor's cities."""
    if payment.order_id is None:
        return None
    order = session.scalar(agreements.visible_to(actor).where(Order.id == payment.order_id))
    if order is None or order.customer_id != payment.customer_id:
        raise NotFound("error.order_not_found")
    return order


def city_of(session: Session, actor: Actor, family: Account) -> str:
    """Where a payment for no order in particular belongs: home, else the last place of care."""
    if family.city_code in actor.cities:
        return family.city_code
    asked = select(Demand.city_code).where(
        Demand.customer_id == family.id, Demand.city_code.in_(actor.cities)
    )
    return session.scalars(asked.order_by(Demand.id.desc()).limit(1)).one()


def _view(
    actor: Actor, receipt: Receipt, family: str, recorder: str, reverser: str | None
) -> ReceiptView:
    return ReceiptView(
        id=receipt.id,
        customer_id=receipt.customer_id,
        customer_name=family,
        order_id=receipt.order_id,
        method=receipt.method,
        amount_fen=receipt.amount_fen,
        received_on=receipt.received_on,
        reference=receipt.reference,
        words=receipt.words,
        recorded_at=receipt.created_at,
        recorded_by=recorder,
        reversed_at=receipt.reversed_at,
        reversed_by=reverser or "",
        reversal_words=receipt.reversal_words,
        reversible=receipt.reversed_at is None and actor.may(Permission.REVERSE_RECEIPT),
    )


def with_balances(session: Session, found: Sequence[Account]) -> list[Payer]:
    """Families, and what each of them owes."""
    ids = [one.id for one in found]
    owed = ledger.balances(session, LedgerAccount.CUSTOMER_RECEIVABLE, ids)
    coming = statements.coming(session, ids)
    return [
        Payer(
            id=one.id,
            name=one.name,
            masked_phone=phones.masked(one.phone),
            status=one.status,
            city_code=one.city_code,
            district_code=one.district_code,
            owed_fen=owed.get(one.id, 0),
            coming_fen=coming.get(one.id, 0),
        )
        for one in found
    ]


def reach(session: Session, actor: Actor, customer_id: int) -> Account:
    """The account of a family whose money this actor sees to."""
    family = session.scalar(_payers(actor).where(Account.id == customer_id))
    if family is None:
        raise NotFound("error.customer_not_found")
    return family


def _payers(actor: Actor) -> Select[Account]:
    """The families whose money the staff of a city see to."""
    return select(Account).where(Account.id.in_(customers.ids(actor)))


def _visible_to(actor: Actor) -> Select[Receipt]:
    """The receipts of the staff's cities."""
    return select(Receipt).where(Receipt.city_code.in_(actor.cities))
