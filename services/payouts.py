"""Payouts: a city's pay that is due, locked, told to the bank and answered line by line.

CarePilot moves no money. A batch sets amounts aside, its file goes to the bank, and what the bank
says is noted. Every step is one transaction with an event key of its own in the ledger: whoever
goes on after a crash finds each line as it was left.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from data.cities import City
from data.history import Noun
from data.ledger import LedgerAccount
from data.notices import NoticeKind
from data.payouts import BatchStatus, Payout, PayoutAccount, PayoutBatch, PayoutStatus
from services import audit, clock, ledger, lifecycles, notices, pay
from services.access import Actor, Permission
from services.errors import Conflict, NotFound
from services.wording import words

__all__ = ["BatchStatus", "PayoutStatus"]

MOST_LISTED = 50


@dataclass(frozen=True, slots=True)
class Due:
    """What one caregiver can be paid in fen, and where to; without an account it waits."""

    caregiver_id: int
    name: str
    amount_fen: int
    bank: str | None
    tail: str | None
    account_id: int | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a city's next batch would hold, and who cannot be in it yet."""

    ready: tuple[Due, ...]
    without_account: tuple[Due, ...]

    @property
    def total_fen(self) -> int:
        return sum(one.amount_fen for one in self.ready)


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch with how many lines wait, arrived and came back, and what they come to in fen."""

    id: int
    city_code: str
    status: BatchStatus
    locked_at: datetime
    sent_at: datetime | None
    closed_at: datetime | None
    counts: dict[PayoutStatus, int]
    sums: dict[PayoutStatus, int]
    moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PayoutView:
    """One line of a batch."""

    id: int
    batch_id: int
    caregiver_id: int
    name: str
    bank: str
    tail: str
    amount_fen: int
    status: PayoutStatus
    locked_at: datetime
    settled_at: datetime | None
    failure_words: str


def preview(session: Session, actor: Actor, city_code: str) -> Preview:
    """Whom a city owes pay that has waited long enough, the most first."""
    actor.require(Permission.SETTLE_PAY)
    _city(session, actor, city_code)
    return _preview(session, city_code)


def lock(session: Session, actor: Actor, city_code: str, seen_fen: int) -> int:
    """Set aside what the city owes now, if it is what was seen; return the batch.

    Two who do so at once take turns; the second finds nothing left.
    """
    actor.require(Permission.SETTLE_PAY)
    _city(session, actor, city_code, lock=True)
    # Nor is any of it held back meanwhile: services/held_pay.py.
    here = select(Caregiver.id).where(Caregiver.city_code == city_code).order_by(Caregiver.id)
    session.execute(here.with_for_update(key_share=True)).all()
    due = _preview(session, city_code)
    if not due.ready:
        raise Conflict("error.nothing_to_pay_out")
    if due.total_fen != seen_fen:
        raise Conflict("error.payout_changed")
    batch = PayoutBatch(created_at=clock.now(), city_code=city_code, locked_by_id=actor.id)
    session.add(batch)
    session.flush()
    lifecycles.begin(session, actor, Noun.PAYOUT_BATCH, batch, "lock")
    payouts = [
        Payout(
            created_at=clock.now(),
            batch_id=batch.id,
            caregiver_id=one.caregiver_id,
            account_id=one.account_id,
            amount_fen=one.amount_fen,
        )
        for one in due.ready
    ]
    session.add_all(payouts)
    try:
        session.flush()
    except IntegrityError:
        raise Conflict("error.payout_changed") from None
    for payout in payouts:
        lifecycles.begin(session, actor, Noun.PAYOUT, payout, "lock")
        pay.book_payout_sent(session, payout)
    audit.record(session, actor, "lock_payouts", "payout_batch", batch.id, lines=len(payouts))
    return batch.id


def withdraw(session: Session, actor: Actor, batch_id: int) -> None:
    """Give a batch up whose file nobody took; all its amounts are due again."""
    actor.require(Permission.SETTLE_PAY)
    batch = reach(session, actor, batch_id, lock=True)
    lifecycles.take(session, actor, Noun.PAYOUT_BATCH, batch, "withdraw")
    waiting = _waiting(session, batch)
    pay.hold(session, *(one.caregiver_id for one in waiting))
    for payout in waiting:
        _end(session, actor, payout, "withdraw")
        pay.book_payout_failed(session, payout)
    batch.closed_at = clock.now()
    audit.record(session, actor, "withdraw_payouts", "payout_batch", batch.id)


def arrived(session: Session, actor: Actor, batch_id: int, payout_ids: Collection[int]) -> int:
    """Note that the bank paid these lines out; return how many. The last answer closes the batch.

    Lines that were answered before are left as they are.
    """
    actor.require(Permission.SETTLE_PAY)
    batch = _sent(session, actor, batch_id)
    paid = [one for one in _waiting(session, batch) if one.id in payout_ids]
    for payout in paid:
        _end(session, actor, payout, "arrive")
        pay.book_paid_out(session, payout)
        _tell(session, NoticeKind.PAID_OUT, payout)
    _close_if_answered(session, actor, batch)
    return len(paid)


def came_back(session: Session, actor: Actor, payout_id: int, because: str) -> None:
    """Note that the bank could not pay a line out, and why; it is due again."""
    actor.require(Permission.SETTLE_PAY)
    because = words(because, "reason", 200)
    batch_id = session.scalar(select(Payout.batch_id).where(Payout.id == payout_id))
    batch = _sent(session, actor, batch_id or 0)
    payout = session.get_one(Payout, payout_id, with_for_update=True)
    _end(session, actor, payout, "come_back")
    payout.failure_words = because
    pay.book_payout_failed(session, payout)
    _tell(session, NoticeKind.PAYOUT_FAILED, payout)
    _close_if_answered(session, actor, batch)


def batches(session: Session, actor: Actor) -> list[BatchView]:
    """The batches of the actor's cities, the last first."""
    actor.require(Permission.SETTLE_PAY)
    found = session.scalars(
        _visible_to(actor).order_by(PayoutBatch.id.desc()).limit(MOST_LISTED)
    ).all()
    rows = session.execute(
        select(Payout.batch_id, Payout.status, func.count(), func.sum(Payout.amount_fen))
        .where(Payout.batch_id.in_([one.id for one in found]))
        .group_by(Payout.batch_id, Payout.status)
    ).all()
    return [
        BatchView(
            id=batch.id,
            city_code=batch.city_code,
            status=batch.status,
            locked_at=batch.created_at,
            sent_at=batch.sent_at,
            closed_at=batch.closed_at,
            counts={row.status: row[2] for row in rows if row.batch_id == batch.id},
            sums={row.status: int(row[3]) for row in rows if row.batch_id == batch.id},
            moves=lifecycles.open_moves(Noun.PAYOUT_BATCH, batch.status, actor),
        )
        for batch in found
    ]


def lines(session: Session, actor: Actor, batch_id: int) -> list[PayoutView]:
    """What a batch consists of, by name."""
    actor.require(Permission.SETTLE_PAY)
    batch = reach(session, actor, batch_id)
    return _views(session, _EACH.where(Payout.batch_id == batch.id).order_by(Account.name))


def mine(session: Session, actor: Actor) -> list[PayoutView]:
    """What was told to the bank for the actor, the last first."""
    actor.require(Permission.READ_INCOME)
    hers = _EACH.where(Payout.caregiver_id == actor.id, Payout.status != PayoutStatus.WITHDRAWN)
    return _views(session, hers.order_by(Payout.id.desc()).limit(MOST_LISTED))


_EACH = (
    select(Payout, Account.name, PayoutAccount.bank, PayoutAccount.tail)
    .join(Account, Account.id == Payout.caregiver_id)
    .join(PayoutAccount, PayoutAccount.id == Payout.account_id)
)


def _views(session: Session, query: Select[Payout, str, str, str]) -> list[PayoutView]:
    return [
        PayoutView(
            id=payout.id,
            batch_id=payout.batch_id,
            caregiver_id=payout.caregiver_id,
            name=name,
            bank=bank,
            tail=tail,
            amount_fen=payout.amount_fen,
            status=payout.status,
            locked_at=payout.created_at,
            settled_at=payout.settled_at,
            failure_words=payout.failure_words,
        )
        for payout, name, bank, tail in session.execute(query)
    ]


# Columns, and written once: whole objects of so many people take several times as long.
_PEOPLE = (
    select(Caregiver.id, Account.name, PayoutAccount.bank, PayoutAccount.tail, PayoutAccount.id)
    .join(Account, Account.id == Caregiver.id)
    .outerjoin(
        PayoutAccount,
        (PayoutAccount.caregiver_id == Caregiver.id) & PayoutAccount.replaced_at.is_(None),
    )
    .where(Caregiver.city_code == bindparam("city"))
)


def _preview(session: Session, city_code: str) -> Preview:
    rows = session.execute(_PEOPLE, {"city": city_code}).all()
    owed = ledger.owed(session, LedgerAccount.CAREGIVER_PAYABLE)
    waiting = set(
        session.scalars(select(Payout.caregiver_id).where(Payout.status == PayoutStatus.WAITING))
    )
    due = [
        Due(caregiver_id, name, owed[caregiver_id], bank, tail, account_id)
        for caregiver_id, name, bank, tail, account_id in rows
        if owed.get(caregiver_id, 0) > 0 and caregiver_id not in waiting
    ]
    due.sort(key=lambda one: (-one.amount_fen, one.caregiver_id))
    return Preview(
        tuple(one for one in due if one.account_id is not None),
        tuple(one for one in due if one.account_id is None),
    )


def _end(session: Session, actor: Actor, payout: Payout, move: str) -> None:
    lifecycles.take(session, actor, Noun.PAYOUT, payout, move)
    payout.settled_at = clock.now()


def _close_if_answered(session: Session, actor: Actor, batch: PayoutBatch) -> None:
    session.flush()
    if not _waiting(session, batch):
        lifecycles.take(session, actor, Noun.PAYOUT_BATCH, batch, "close")
        batch.closed_at = clock.now()


def _tell(session: Session, kind: NoticeKind, payout: Payout) -> None:
    about = f"payout-{payout.id}"
    notices.tell(session, kind, payout.caregiver_id, about, pay_fen=payout.amount_fen)


def _waiting(session: Session, batch: PayoutBatch) -> list[Payout]:
    its = select(Payout).where(Payout.batch_id == batch.id, Payout.status == PayoutStatus.WAITING)
    return list(session.scalars(its.order_by(Payout.id).with_for_update()))


def _sent(session: Session, actor: Actor, batch_id: int) -> PayoutBatch:
    """A batch whose file was taken to the bank, locked."""
    batch = reach(session, actor, batch_id, lock=True)
    if batch.status is not BatchStatus.SENT:
        raise Conflict("error.payout_batch_moved_on")
    return batch


def _city(session: Session, actor: Actor, code: str, *, lock: bool = False) -> City:
    """A city of the actor's; locked, nobody else settles it meanwhile."""
    if code not in actor.cities:
        raise NotFound("error.city_not_found")
    found = select(City).where(City.code == code)
    return session.scalars(found.with_for_update() if lock else found).one()


def reach(session: Session, actor: Actor, batch_id: int, *, lock: bool = False) -> PayoutBatch:
    """A batch of the actor's cities, locked until the transaction ends if asked."""
    query = _visible_to(actor).where(PayoutBatch.id == batch_id)
    batch = session.scalar(query.with_for_update() if lock else query)
    if batch is None:
        raise NotFound("error.payout_batch_not_found")
    return batch


def _visible_to(actor: Actor) -> Select[PayoutBatch]:
    return select(PayoutBatch).where(PayoutBatch.city_code.in_(actor.cities))
