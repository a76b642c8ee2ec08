"""Callers: the customers a city's phone desk finds, enters and acts for."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from data.demands import Demand
from data.recipients import Recipient
from services import accounts, audit, cities, phones
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound
from services.wording import words

MOST_FOUND = 10


@dataclass(frozen=True, slots=True)
class Caller:
    """A customer as the desk tells them apart; the number is masked until a call-back."""

    id: int
    name: str
    masked_phone: str
    district_code: str | None
    recipients: int
    last_wish_at: datetime | None


def acted_for(session: Session, actor: Actor, customer_id: int | None) -> int:
    """Whose wish this is: the customer's own, or that of the caller the desk acts for."""
    if customer_id is None:
        if actor.role is not Role.CUSTOMER:
            raise NotAllowed("error.not_allowed")
        return actor.id or 0
    actor.require(Permission.ACT_FOR_CUSTOMER)
    return reach(session, actor, customer_id).id


def reach(session: Session, actor: Actor, customer_id: int) -> Account:
    """A customer's account this desk may act for."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    account = session.scalar(_visible_to(actor).where(Account.id == customer_id))
    if account is None:
        raise NotFound("error.customer_not_found")
    if account.status is not AccountStatus.ACTIVE:
        raise Conflict("error.customer_suspended")
    return account


def find(session: Session, actor: Actor, typed: str) -> list[Caller]:
    """The city's customers with this phone, these last four digits or this in their name."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    if not typed.strip():
        return []
    matching = _visible_to(actor).where(accounts.matching(typed))
    found = session.execute(_with_parts(matching).limit(MOST_FOUND))
    return [_caller(*row) for row in found]


def one(session: Session, actor: Actor, customer_id: int) -> Caller:
    """One caller this desk may act for."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    reach(session, actor, customer_id)
    found = _with_parts(select(Account).where(Account.id == customer_id))
    return _caller(*session.execute(found).one())


def register(session: Session, actor: Actor, name: str, phone: str, city_code: str) -> int:
    """Enter a first-time caller: an account without password, opened only by a one-time code.

    A phone that is known already is refused: nobody takes over an account by calling.
    """
    actor.require(Permission.ACT_FOR_CUSTOMER)
    name = words(name, "name", 40)
    phone = phones.normalised(phone)
    if cities.open_city(session, city_code).code not in actor.cities:
        raise Invalid("error.city_not_open")
    try:
        with session.begin_nested():
            account = accounts.new(session, name, phone, Role.CUSTOMER)
    except IntegrityError:
        raise Conflict("error.phone_known") from None
    account.city_code = city_code
    audit.record(session, actor, "register_caller", "account", account.id)
    return account.id


def phone(session: Session, actor: Actor, customer_id: int) -> str:
    """The whole number, to call back; every look leaves an audit row."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    account = reach(session, actor, customer_id)
    audit.record(session, actor, "open_phone", "account", account.id)
    return account.phone


def _with_parts(accounts: Select[Account]) -> Select[Account, int, datetime]:
    cared_for = (
        select(func.count(Recipient.id))
        .where(Recipient.customer_id == Account.id)
        .scalar_subquery()
    )
    last_wish = (
        select(func.max(Demand.created_at)).where(Demand.customer_id == Account.id)
    ).scalar_subquery()
    return accounts.add_columns(cared_for, last_wish).order_by(Account.name, Account.id)


def _caller(account: Account, recipients: int, last_wish_at: datetime | None) -> Caller:
    return Caller(
        id=account.id,
        name=account.name,
        masked_phone=phones.masked(account.phone),
        district_code=account.district_code,
        recipients=recipients,
        last_wish_at=last_wish_at,
    )


def ids(actor: Actor) -> Select[int]:
    """The numbers of all whom this desk may act for."""
    return _visible_to(actor).with_only_columns(Account.id)


def _visible_to(actor: Actor) -> Select[Account]:
    """Customers of the desk's cities: by the region they chose, by a wish there, or by none yet."""
    is_customer = exists().where(
        AccountRole.account_id == Account.id, AccountRole.role == Role.CUSTOMER
    )
    asked_here = exists().where(
        Demand.customer_id == Account.id, Demand.city_code.in_(actor.cities)
    )
    return select(Account).where(
        is_customer,
        Account.status.not_in((AccountStatus.MERGED, AccountStatus.ERASED)),
        or_(Account.city_code.in_(actor.cities), Account.city_code.is_(None), asked_here),
    )
