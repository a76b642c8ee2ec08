"""Merges: what moves when two accounts become one, so that both histories are kept."""

import secrets

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session, aliased

from data.accounts import Account
from data.calls import Call, Note
from data.complaints import Complaint
from data.consents import ErasureRequest
from data.demands import Demand
from data.history import Noun
from data.identities import Identity
from data.invoices import Invoice, Proof
from data.notices import Notice, NoticeKind, OutboxMessage, OutboxStatus
from data.orders import Order
from data.receipts import Receipt
from data.recipients import Recipient
from data.repayments import Repayment
from data.reviews import Review
from data.verifications import Document, VerificationCase
from services import (
    audit,
    callers,
    clock,
    drafts,
    exclusions,
    ledger,
    lifecycles,
    name_keys,
    notices,
    phones,
    sessions,
    talks,
)
from services.access import Actor


def join(session: Session, actor: Actor, kept: Account, gone: Account) -> None:
    """Everything follows the kept account, the other closes; who calls has checked the pair."""
    lifecycles.take(session, actor, Noun.ACCOUNT, gone, "merge")
    gone.merged_into_id = kept.id
    sessions.end_of(session, gone.id)
    _free_request_keys(session, kept.id, gone.id)
    for table in (Recipient, Demand, Order, Receipt, Repayment, Invoice):
        session.execute(
            update(table)
            .where(table.customer_id == gone.id)
            .values(customer_id=kept.id, version=table.version + 1)
        )
    for table in (Review, Proof):
        session.execute(
            update(table).where(table.customer_id == gone.id).values(customer_id=kept.id)
        )
    session.execute(
        update(Complaint)
        .where(Complaint.opened_by_id == gone.id)
        .values(opened_by_id=kept.id, version=Complaint.version + 1)
    )
    exclusions.merge(session, kept.id, gone.id)
    session.execute(
        update(VerificationCase)
        .where(VerificationCase.account_id == gone.id)
        .values(account_id=kept.id, version=VerificationCase.version + 1)
    )
    for table in (Document, Notice):
        session.execute(update(table).where(table.account_id == gone.id).values(account_id=kept.id))
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.account_id == gone.id, OutboxMessage.status == OutboxStatus.PENDING)
        .values(account_id=kept.id)
    )
    talks.follow_merged(session, kept.id, gone.id)
    _merge_identities(session, kept.id, gone.id)
    _merge_desk_book(session, kept, gone)
    drafts.merge(session, kept.id, gone.id)
    _close_erasure(session, actor, kept.id, gone.id)
    ledger.book_merged(session, kept.id, gone.id)
    audit.record(session, actor, "customer_merge", "account", gone.id, kept_id=kept.id)
    notices.tell(session, NoticeKind.ACCOUNTS_MERGED, kept.id, f"account-{gone.id}")


def _merge_identities(session: Session, kept_id: int, gone_id: int) -> None:
    """The kept account's own identity at a provider stays; what it lacks, it takes over."""
    held = select(Identity.provider).where(Identity.account_id == kept_id).scalar_subquery()
    theirs = Identity.account_id == gone_id
    session.execute(delete(Identity).where(theirs, Identity.provider.in_(held)))
    session.execute(update(Identity).where(theirs).values(account_id=kept_id))


def _merge_desk_book(session: Session, kept: Account, gone: Account) -> None:
    """Calls, notes and numbers follow; the kept one is found by every name and number of both."""
    for table in (Call, Note):
        session.execute(
            update(table).where(table.customer_id == gone.id).values(customer_id=kept.id)
        )
    theirs = callers.contact_phones(session, gone.id)
    known = {one.phone_hash for one in callers.contact_phones(session, kept.id)}
    for one in theirs:
        if one.phone_hash in known:
            session.delete(one)
        else:
            one.account_id = kept.id
    session.flush()
    if gone.phone != phones.NOBODYS and gone.phone_hash not in known:
        callers.keep_contact_phone(session, kept, gone.phone, "")
    name_keys.forget(session, [gone.id])
    name_keys.keep(session, kept)


def _close_erasure(session: Session, actor: Actor, kept_id: int, gone_id: int) -> None:
    """What the closed account wished for does not befall the kept one: it is told so."""
    closed = session.scalars(
        update(ErasureRequest)
        .where(
            ErasureRequest.account_id == gone_id,
            ErasureRequest.withdrawn_at.is_(None),
            ErasureRequest.done_at.is_(None),
        )
        .values(withdrawn_at=clock.now())
        .returning(ErasureRequest.id)
    ).all()
    if closed:
        audit.record(session, actor, "close_erasure", "account", gone_id, kept_id=kept_id)
        notices.tell(session, NoticeKind.ERASURE_CLOSED, kept_id, f"account-{gone_id}")


def _free_request_keys(session: Session, kept_id: int, gone_id: int) -> None:
    """A wish is posted once per customer and key: where both used the same key, one gets anew."""
    mine = aliased(Demand)
    taken = exists().where(mine.customer_id == kept_id, mine.request_key == Demand.request_key)
    for demand in session.scalars(select(Demand).where(Demand.customer_id == gone_id, taken)):
        demand.request_key = secrets.token_hex(16)
    session.flush()
