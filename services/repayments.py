"""Repayments: staff record that money went back to a family that had paid more than it owes."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account
from data.history import Noun
from data.ledger import LedgerAccount
from data.notices import NoticeKind
from data.receipts import ReceiptMethod
from data.repayments import Repayment, RepaymentStatus
from services import audit, clock, customers, invoiced_money, ledger, lifecycles, notices, receipts
from services.access import Actor, Permission
from services.errors import Conflict, NotFound
from services.receipts import Payer, ReceiptForm
from services.wording import words

__all__ = ["RepaymentStatus", "RepaymentView"]

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class RepaymentView:
    """A repayment with who recorded it, and why it was taken back."""

    id: int
    method: ReceiptMethod
    amount_fen: int
    repaid_on: date
    reference: str
    words: str
    recorded_at: datetime
    recorded_by: str
    status: RepaymentStatus
    reversal_words: str
    moves: tuple[str, ...]


def record(session: Session, actor: Actor, form: ReceiptForm, request_key: str) -> int:
    """Record that money was given back, never more than the family is in credit; return its id.

    The same request key records once, and so does a reference of the same way to pay.
    """
    actor.require(Permission.RECORD_RECEIPT)
    family = receipts.reach(session, actor, form.customer_id)
    # One at a time, or two would give the same money back.
    session.refresh(family, with_for_update={"key_share": True})
    same = select(Repayment.id).where(
        Repayment.recorded_by_id == actor.id, Repayment.request_key == request_key
    )
    if (before := session.scalar(same)) is not None:
        return before
    receipts.check_pays(family)
    amount_fen = receipts.fen(form.amount)
    credit_fen = -ledger.balance(session, LedgerAccount.CUSTOMER_RECEIVABLE, family.id)
    if amount_fen > credit_fen:
        raise Conflict("error.repays_too_much", credit_fen=max(credit_fen, 0))
    invoiced_money.check_left(session, family.id, amount_fen)
    repayment = Repayment(
        created_at=clock.now(),
        city_code=receipts.city_of(session, actor, family),
        customer_id=family.id,
        method=form.method,
        amount_fen=amount_fen,
        repaid_on=receipts.checked_day(form.received_on),
        reference=receipts.reference(form),
        words=words(form.words, "receipt_words", receipts.MOST_WORDS, required=False),
        recorded_by_id=actor.id,
        request_key=request_key,
    )
    try:
        with session.begin_nested():
            session.add(repayment)
    except IntegrityError:
        raise Conflict("error.reference_recorded") from None
    lifecycles.begin(session, actor, Noun.REPAYMENT, repayment, "record")
    ledger.book_repaid(session, repayment)
    audit.record(session, actor, "record_repayment", "repayment", repayment.id)
    _tell(session, NoticeKind.MONEY_REPAID, repayment)
    return repayment.id


def take_back(session: Session, actor: Actor, repayment_id: int, said: str) -> None:
    """Take back what was recorded by mistake, once: the family is in credit as before."""
    actor.require(Permission.REVERSE_RECEIPT)
    said = words(said, "reason", receipts.MOST_WORDS)
    found = _visible_to(actor).where(Repayment.id == repayment_id).with_for_update()
    repayment = session.scalar(found.execution_options(populate_existing=True))
    if repayment is None:
        raise NotFound("error.repayment_not_found")
    lifecycles.take(session, actor, Noun.REPAYMENT, repayment, "take_back")
    repayment.taken_back_at, repayment.reversal_words = clock.now(), said
    session.flush()
    ledger.book_repayment_reversed(session, repayment)
    audit.record(session, actor, "take_back_repayment", "repayment", repayment.id)
    _tell(session, NoticeKind.REPAYMENT_TAKEN_BACK, repayment)


def of_customer(session: Session, actor: Actor, customer_id: int) -> list[RepaymentView]:
    """What was given back to a family in the actor's cities, newest first."""
    actor.require(Permission.RECORD_RECEIPT)
    rows = session.execute(
        _visible_to(actor)
        .join(Account, Account.id == Repayment.recorded_by_id)
        .add_columns(Account.name)
        .where(Repayment.customer_id == customer_id)
        .order_by(Repayment.repaid_on.desc(), Repayment.id.desc())
        .limit(MOST_LISTED)
    )
    return [
        RepaymentView(
            id=one.id,
            method=one.method,
            amount_fen=one.amount_fen,
            repaid_on=one.repaid_on,
            reference=one.reference,
            words=one.words,
            recorded_at=one.created_at,
            recorded_by=by,
            status=one.status,
            reversal_words=one.reversal_words,
            moves=lifecycles.open_moves(Noun.REPAYMENT, one.status, actor),
        )
        for one, by in rows
    ]


def in_credit(session: Session, actor: Actor) -> list[Payer]:
    """The families of the actor's cities to whom money is to be given back, the most first."""
    actor.require(Permission.RECORD_RECEIPT)
    credits = ledger.owed(session, LedgerAccount.CUSTOMER_RECEIVABLE)
    ids = [customer_id for customer_id, fen in credits.items() if fen > 0]
    theirs = customers.ids(actor).where(Account.id.in_(ids)).with_only_columns(Account)
    found = receipts.with_balances(session, session.scalars(theirs).all())
    owing = [one for one in found if one.pays and one.owed_fen < 0]
    return sorted(owing, key=lambda one: (one.owed_fen, one.id))[:MOST_LISTED]


def _tell(session: Session, kind: NoticeKind, repayment: Repayment) -> None:
    about = f"repayment-{repayment.id}"
    notices.tell(session, kind, repayment.customer_id, about, price_fen=repayment.amount_fen)


def _visible_to(actor: Actor) -> Select[Repayment]:
    """The repayments of the staff's cities."""
    return select(Repayment).where(Repayment.city_code.in_(actor.cities))
