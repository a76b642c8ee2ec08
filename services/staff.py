"""Staff: who works the desk, operates and analyses in a city, and who lets them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from data.notices import NoticeKind
from data.sessions import SecondFactor, SignInSession
from services import (
    accounts,
    audit,
    cities,
    clock,
    notices,
    phones,
    second_factors,
    sessions,
)
from services.access import STAFF, Actor, Permission, Role
from services.errors import Conflict, NotAllowed, NotFound
from services.wording import words

__all__ = ["ROLES", "AccountStatus", "Grant", "Member"]

ROLES = STAFF


@dataclass(frozen=True, slots=True)
class Grant:
    """A role held for one city."""

    role: Role
    city_code: str


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who works in the actor's cities; roles elsewhere are not told."""

    id: int
    name: str
    masked_phone: str
    status: AccountStatus
    grants: tuple[Grant, ...]
    last_seen_at: datetime | None
    is_me: bool
    has_factor: bool


def listing(session: Session, actor: Actor) -> list[Member]:
    """Everybody who works in the actor's cities, by name."""
    actor.require(Permission.KEEP_STAFF)
    last_seen = (
        select(func.max(SignInSession.last_seen_at))
        .where(SignInSession.account_id == Account.id)
        .scalar_subquery()
    )
    has_factor = exists().where(
        SecondFactor.account_id == Account.id, SecondFactor.confirmed_at.is_not(None)
    )
    rows = session.execute(
        _visible_to(actor).add_columns(last_seen, has_factor).order_by(Account.name, Account.id)
    ).all()
    grants: dict[int, list[Grant]] = {}
    for account_id, role, city_code in session.execute(
        select(AccountRole.account_id, AccountRole.role, AccountRole.city_code)
        .where(AccountRole.role.in_(ROLES), AccountRole.city_code.in_(actor.cities))
        .order_by(AccountRole.city_code, AccountRole.id)
    ):
        grants.setdefault(account_id, []).append(Grant(role, city_code))
    return [
        Member(
            id=account.id,
            name=account.name,
            masked_phone=phones.masked(account.phone),
            status=account.status,
            grants=tuple(grants.get(account.id, ())),
            last_seen_at=seen_at,
            is_me=account.id == actor.id,
            has_factor=factor,
        )
        for account, seen_at, factor in rows
    ]


def invite(
    session: Session, actor: Actor, name: str, phone: str, role: Role, city_code: str
) -> int:
    """Let somebody work in a city; return the account's id.

    A new phone gets an account without password, opened only by a one-time code. A phone that is
    known keeps its account and name: the role is added to it, and its owner is told.
    """
    actor.require(Permission.KEEP_STAFF)
    name = words(name, "name", 40)
    phone = phones.normalised(phone)
    _check_grant(session, actor, role, city_code)
    known = select(Account).where(Account.phone_hash == phones.whole_hash(phone))
    account = session.scalar(known.with_for_update())
    if account is not None:
        _give(session, actor, account, role, city_code)
        return account.id
    try:
        with session.begin_nested():
            account = accounts.new(session, name, phone, role, city_code)
    except IntegrityError:
        raise Conflict("error.changed_meanwhile") from None
    audit.record(
        session, actor, "staff_invite", "account", account.id, role=role, city_code=city_code
    )
    return account.id


def give(session: Session, actor: Actor, account_id: int, role: Role, city_code: str) -> None:
    """Give one who works here another role, and tell them."""
    actor.require(Permission.KEEP_STAFF)
    _check_grant(session, actor, role, city_code)
    _give(session, actor, _reach(session, actor, account_id), role, city_code)


def take_away(session: Session, actor: Actor, account_id: int, role: Role, city_code: str) -> None:
    """Take a role; what the person does in it ends at once. A city keeps its last operator."""
    actor.require(Permission.KEEP_STAFF)
    _check_grant(session, actor, role, city_code, opened=False)
    account = _reach(session, actor, account_id)
    _check_not_me(actor, account)
    if role is Role.OPERATOR:
        _check_another_operator(session, account.id, city_code)
    held = session.scalar(_held(account.id, role, city_code))
    if held is None:
        raise Conflict("error.staff_role_gone")
    session.delete(held)
    sessions.end_of(session, account.id, role)
    audit.record(
        session, actor, "staff_take_role", "account", account.id, role=role, city_code=city_code
    )


def reset_factor(session: Session, actor: Actor, account_id: int) -> None:
    """Take a lost second factor off another operator, who sets up a new one; sessions end."""
    actor.require(Permission.KEEP_STAFF)
    account = _reach(session, actor, account_id)
    if account.id == actor.id:
        raise NotAllowed("error.own_factor")
    second_factors.forget(session, account.id)
    sessions.end_of(session, account.id)
    audit.record(session, actor, "reset_second_factor", "account", account.id)
    notices.tell_owner(session, NoticeKind.SECOND_FACTOR_RESET, account.id)


def _give(session: Session, actor: Actor, account: Account, role: Role, city_code: str) -> None:
    _check_not_me(actor, account)
    if account.status is not AccountStatus.ACTIVE:
        raise Conflict("error.account_not_active")
    if session.scalar(_held(account.id, role, city_code)) is not None:
        raise Conflict("error.staff_role_held")
    granted = AccountRole(
        created_at=clock.now(), account_id=account.id, role=role, city_code=city_code
    )
    session.add(granted)
    session.flush()
    audit.record(
        session, actor, "staff_give_role", "account", account.id, role=role, city_code=city_code
    )
    notices.tell(
        session,
        NoticeKind.ROLE_GRANTED,
        account.id,
        f"role-{granted.id}",
        role=role,
        city_code=city_code,
    )


def _check_grant(
    session: Session, actor: Actor, role: Role, city_code: str, *, opened: bool = True
) -> None:
    if role not in ROLES:
        raise NotAllowed("error.not_staff_role")
    if city_code not in actor.cities:
        raise NotAllowed("error.not_your_city")
    if opened and city_code not in {city.code for city in cities.opened(session)}:
        raise Conflict("error.city_not_open")


def _check_not_me(actor: Actor, account: Account) -> None:
    if account.id == actor.id:
        raise NotAllowed("error.own_roles")


def _check_another_operator(session: Session, account_id: int, city_code: str) -> None:
    """Operators who take each other's role at the same moment queue at the city's rows."""
    operators = session.scalars(
        select(AccountRole)
        .where(AccountRole.role == Role.OPERATOR, AccountRole.city_code == city_code)
        .order_by(AccountRole.id)
        .with_for_update()
    ).all()
    others = {held.account_id for held in operators} - {account_id}
    if not session.scalar(
        select(Account.id)
        .where(Account.id.in_(others), Account.status == AccountStatus.ACTIVE)
        .limit(1)
    ):
        raise Conflict("error.last_operator")


def _held(account_id: int, role: Role, city_code: str) -> Select[AccountRole]:
    return select(AccountRole).where(
        AccountRole.account_id == account_id,
        AccountRole.role == role,
        AccountRole.city_code == city_code,
    )


def _reach(session: Session, actor: Actor, account_id: int) -> Account:
    account = session.scalar(
        _visible_to(actor).where(Account.id == account_id).with_for_update(of=Account)
    )
    if account is None:
        raise NotFound("error.staff_not_found")
    return account


def _visible_to(actor: Actor) -> Select[Account]:
    """Whoever holds a staff role in one of the actor's cities."""
    works_here = exists().where(
        AccountRole.account_id == Account.id,
        AccountRole.role.in_(ROLES),
        AccountRole.city_code.in_(actor.cities),
    )
    return select(Account).where(works_here)
