"""Customers as the operators of their cities keep them: found, looked at, suspended, merged."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from data.demands import Demand, DemandStatus
from data.history import Noun
from data.ledger import LedgerAccount
from data.orders import AHEAD, WAITING, Order, OrderStatus, Visit, VisitStatus
from data.recipients import Recipient
from data.verifications import CaseStatus, VerificationCase
from services import (
    accounts,
    audit,
    callers,
    clock,
    ledger,
    lifecycles,
    merges,
    phones,
    recipients,
    sessions,
    visits,
)
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.wording import words

__all__ = ["AccountStatus", "Customer", "CustomerLine", "OrderStatus", "RecentOrder"]

LAST_ORDERS = 5
STAFF = (Role.DESK, Role.OPERATOR, Role.ANALYST)
MOVES = ("suspend", "restore")


@dataclass(frozen=True, slots=True)
class CustomerLine:
    """A customer in one line; orders are those of the operator's cities."""

    id: int
    name: str
    masked_phone: str
    city_code: str | None
    district_code: str | None
    status: AccountStatus
    orders: int
    last_order_at: datetime | None
    owed_fen: int


@dataclass(frozen=True, slots=True)
class RecentOrder:
    id: int
    item_id: int
    status: OrderStatus
    visit_status: VisitStatus
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Customer:
    """One customer in full: no whole phone, and of recipients no more than name and age."""

    line: CustomerLine
    decision_words: str
    joined_at: datetime
    recipients: tuple[tuple[str, int], ...]
    last_orders: tuple[RecentOrder, ...]
    open_orders: int
    waiting_requests: int
    open_demands: int
    open_moves: tuple[str, ...]


def count(session: Session, actor: Actor, typed: str = "") -> int:
    """How many customers of the actor's cities match what was typed."""
    actor.require(Permission.KEEP_CUSTOMERS)
    found = _found(actor, typed).with_only_columns(func.count(Account.id))
    return session.scalar(found) or 0


def listing(
    session: Session, actor: Actor, typed: str = "", *, limit: int = 25, offset: int = 0
) -> list[CustomerLine]:
    """Customers by a part of the name, the whole phone or its last four digits, newest first."""
    actor.require(Permission.KEEP_CUSTOMERS)
    page = _found(actor, typed).with_only_columns(Account.id).order_by(Account.id.desc())
    return _lines(session, actor, session.scalars(page.limit(limit).offset(offset)).all())


def one(session: Session, actor: Actor, customer_id: int) -> Customer:
    """One customer with everything that suspending or merging would touch."""
    actor.require(Permission.KEEP_CUSTOMERS)
    account = _reach(session, actor, customer_id)
    [line] = _lines(session, actor, [account.id])
    here = Order.city_code.in_(actor.cities)
    of_orders = session.execute(
        select(
            func.count(Order.id).filter(here, Order.status == OrderStatus.CONFIRMED),
            func.count(Order.id).filter(here, Order.status.in_(WAITING)),
        ).where(Order.customer_id == account.id)
    ).one()
    open_demands = select(func.count(Demand.id)).where(
        Demand.customer_id == account.id,
        Demand.city_code.in_(actor.cities),
        Demand.status == DemandStatus.OPEN,
    )
    cared_for = select(Recipient.name, Recipient.birth_date).where(
        Recipient.customer_id == account.id
    )
    return Customer(
        line=line,
        decision_words=account.decision_words,
        joined_at=account.created_at,
        recipients=tuple(
            (name, recipients.age(birth_date))
            for name, birth_date in session.execute(cared_for.order_by(Recipient.id))
        ),
        last_orders=_last_orders(session, actor, account.id),
        open_orders=of_orders[0],
        waiting_requests=of_orders[1],
        open_demands=session.scalar(open_demands) or 0,
        open_moves=lifecycles.open_moves(Noun.ACCOUNT, account.status, actor),
    )


def phone(session: Session, actor: Actor, customer_id: int) -> str:
    """The whole phone number, own or shared; every look leaves an audit row."""
    actor.require(Permission.KEEP_CUSTOMERS)
    account = _reach(session, actor, customer_id)
    audit.record(session, actor, "open_phone", "account", account.id)
    return callers.reachable_at(session, account)


def move(session: Session, actor: Actor, customer_id: int, name: str, because: str = "") -> None:
    """Suspend or restore a customer; suspending needs words and ends every session at once.

    Orders already agreed go on. Who works here or still has visits to make is refused.
    """
    actor.require(Permission.KEEP_CUSTOMERS)
    if name not in MOVES:
        raise NotAllowed("error.not_allowed")
    because = words(because, "reason", 300, required=name == "suspend")
    account = _reach(session, actor, customer_id, lock=True)
    if account.id == actor.id:
        raise NotAllowed("error.own_case")
    if name == "suspend":
        _check_free_to_go(session, account.id)
        sessions.end_of(session, account.id)
    lifecycles.take(session, actor, Noun.ACCOUNT, account, name)
    account.decision_words = because
    audit.record(session, actor, f"customer_{name}", "account", account.id)


def other(session: Session, actor: Actor, kept_id: int, typed: str) -> Customer:
    """The account with this phone, to be looked at beside the one that would be kept."""
    actor.require(Permission.KEEP_CUSTOMERS)
    phone_hash = phones.whole_hash(phones.normalised(typed))
    gone_id = session.scalar(
        _visible_to(actor).with_only_columns(Account.id).where(Account.phone_hash == phone_hash)
    )
    if gone_id is None:
        raise NotFound("error.customer_not_found")
    _check_mergeable(session, actor, kept_id, gone_id, lock=False)
    return one(session, actor, gone_id)


def merge(session: Session, actor: Actor, kept_id: int, gone_id: int) -> None:
    """Two accounts of one person become one: everything follows the kept one, the other closes."""
    actor.require(Permission.KEEP_CUSTOMERS)
    kept, gone = _check_mergeable(session, actor, kept_id, gone_id, lock=True)
    merges.join(session, actor, kept, gone)


def merge_proven(session: Session, actor: Actor, kept_id: int, gone_id: int) -> None:
    """The same for a person who has proved to own both; whoever calls has seen the proofs."""
    if kept_id == gone_id:
        raise Invalid("error.merge_with_itself")
    both = {
        number: session.get_one(Account, number, with_for_update=True)
        for number in sorted((kept_id, gone_id))
    }
    if AccountStatus.SUSPENDED in {account.status for account in both.values()}:
        raise NotAllowed("error.account_suspended")
    _check_pair(session, both)
    merges.join(session, actor, both[kept_id], both[gone_id])


def _check_mergeable(
    session: Session, actor: Actor, kept_id: int, gone_id: int, *, lock: bool
) -> tuple[Account, Account]:
    if kept_id == gone_id:
        raise Invalid("error.merge_with_itself")
    # Always the lower number first, so that two merges of the same pair do not deadlock.
    both = {
        number: _reach(session, actor, number, lock=lock) for number in sorted((kept_id, gone_id))
    }
    _check_pair(session, both)
    return both[kept_id], both[gone_id]


def _check_pair(session: Session, both: dict[int, Account]) -> None:
    statuses = {account.status for account in both.values()}
    if AccountStatus.MERGED in statuses:
        raise Conflict("error.already_merged")
    if AccountStatus.ERASED in statuses:
        raise Conflict("error.account_erased")
    if session.scalar(
        select(AccountRole.id)
        .where(AccountRole.account_id.in_(both), AccountRole.role != Role.CUSTOMER)
        .limit(1)
    ):
        raise Conflict("error.merge_other_roles")
    numbers = session.scalars(
        select(VerificationCase.id_number_hash).where(
            VerificationCase.account_id.in_(both), VerificationCase.status == CaseStatus.APPROVED
        )
    )
    if len(set(numbers)) > 1:
        raise Conflict("error.merge_two_people")


def _check_free_to_go(session: Session, account_id: int) -> None:
    """Refuse for staff, and for a caregiver whom a family still expects."""
    if session.scalar(
        select(AccountRole.id)
        .where(AccountRole.account_id == account_id, AccountRole.role.in_(STAFF))
        .limit(1)
    ):
        raise Conflict("error.works_here")
    if session.scalar(
        select(Visit.id)
        .where(
            Visit.caregiver_id == account_id,
            Visit.status.in_(AHEAD),
            Visit.ends_at > clock.now(),
        )
        .limit(1)
    ):
        raise Conflict("error.has_coming_visits")


def _lines(session: Session, actor: Actor, ids: Sequence[int]) -> list[CustomerLine]:
    """Everything about the few customers of one page, in the order of their ids."""
    # As a filter, not a condition: SQLite would read every order of the city.
    here = Order.city_code.in_(actor.cities)
    ordered = {
        customer_id: (number, last)
        for customer_id, number, last in session.execute(
            select(
                Order.customer_id,
                func.count(Order.id).filter(here),
                func.max(Order.created_at).filter(here),
            )
            .where(Order.customer_id.in_(ids))
            .group_by(Order.customer_id)
        )
    }
    owed = ledger.balances(session, LedgerAccount.CUSTOMER_RECEIVABLE, ids)
    found = {a.id: a for a in session.scalars(select(Account).where(Account.id.in_(ids)))}
    return [
        CustomerLine(
            id=account.id,
            name=account.name,
            masked_phone=phones.masked(account.phone),
            city_code=account.city_code,
            district_code=account.district_code,
            status=account.status,
            orders=ordered.get(account.id, (0, None))[0],
            last_order_at=ordered.get(account.id, (0, None))[1],
            owed_fen=owed.get(account.id, 0),
        )
        for account in map(found.__getitem__, ids)
    ]


def _last_orders(session: Session, actor: Actor, customer_id: int) -> tuple[RecentOrder, ...]:
    theirs = select(Order.id).where(Order.customer_id == customer_id)
    rows = session.execute(
        select(Order.id, Order.item_id, Order.status, Visit.status, Visit.starts_at)
        .join_from(Order, Visit, Visit.id == visits.FOREMOST)
        .where(Order.id.in_(theirs), Order.city_code.in_(actor.cities))
        .order_by(Order.id.desc())
        .limit(LAST_ORDERS)
    )
    return tuple(RecentOrder(*row) for row in rows)


def _reach(session: Session, actor: Actor, customer_id: int, *, lock: bool = False) -> Account:
    query = _visible_to(actor).where(Account.id == customer_id)
    account = session.scalar(query.with_for_update(of=Account) if lock else query)
    if account is None:
        raise NotFound("error.customer_not_found")
    return account


def _found(actor: Actor, typed: str) -> Select[Account]:
    found = _visible_to(actor).where(Account.status != AccountStatus.ERASED)
    return found.where(accounts.matching(typed)) if typed.strip() else found


def ids(actor: Actor) -> Select[int]:
    """The numbers of all customers whom the staff of these cities keep."""
    return _visible_to(actor).with_only_columns(Account.id)


def _visible_to(actor: Actor) -> Select[Account]:
    """Customers who chose one of the operator's cities, or asked for care there.

    Whoever ordered there has asked there: every order grew out of a demand.
    """
    is_customer = exists().where(
        AccountRole.account_id == Account.id, AccountRole.role == Role.CUSTOMER
    )
    # One list, not a question per account: SQLite would look up the demands of everybody.
    asked_here = select(Demand.customer_id).where(Demand.city_code.in_(actor.cities))
    return select(Account).where(
        is_customer, or_(Account.city_code.in_(actor.cities), Account.id.in_(asked_here))
    )
