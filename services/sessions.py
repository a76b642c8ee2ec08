"""Sessions: opened, resumed, listed and ended, and the tickets that set their cookies."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from data.notices import ConsoleText, Notice
from data.publications import Extract
from data.sealing import keyed_hash
from data.sessions import OneTimeCode, SecondFactor, SignInAttempt, SignInSession, SignInTicket
from services import addresses, audit, clock, devices, phones
from services.access import STAFF, Actor, Channel, Permission, Role
from services.devices import Device
from services.errors import Conflict, NotAllowed, NotFound
from services.settings import OperatorTotp, settings

COOKIE_NAME = "carepilot_session"
LIFETIME = timedelta(days=14)
IDLE = timedelta(days=3)
# Who acts for the platform signs in every day, and again after a night: a shift fits in.
STAFF_LIFETIME = timedelta(hours=24)
STAFF_IDLE = timedelta(hours=12)
TICKET_LIFETIME = timedelta(minutes=1)
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Client:
    """What a browser calls itself and where it comes from; neither is trusted."""

    device: str
    address: str = ""


NOBODYS = Client("")


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened: its token, and the one-time ticket that puts it into a cookie."""

    token: str
    ticket: str


class Awaited(StrEnum):
    """What an operator's session still lacks before it acts in anything."""

    CODE = "code"
    SET_UP = "set_up"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, in which role, and what the frame around every page needs.

    While a second factor is awaited the actor has no role: known, but allowed nothing.
    """

    actor: Actor
    name: str
    roles: tuple[Role, ...]
    city_code: str | None
    district_code: str | None
    unread: int
    seen_long_ago: bool
    awaits_factor: Awaited | None = None


@dataclass(frozen=True, slots=True)
class OpenSession:
    """One of a person's own signed-in browsers."""

    id: int
    device: Device
    address_prefix: str
    role: Role
    opened_at: datetime
    last_seen_at: datetime
    is_this: bool


def open_session(
    session: Session,
    account_id: int,
    client: Client,
    *,
    role: Role | None = None,
    second_factor_at: datetime | None = None,
) -> Opened:
    """A new session in the wanted role, or the first one the person holds."""
    account = session.get_one(Account, account_id)
    if account.status is AccountStatus.SUSPENDED:
        raise NotAllowed("error.account_suspended")
    if account.status is AccountStatus.MERGED:
        raise NotAllowed("error.account_merged")
    if account.status is AccountStatus.ERASED:
        raise NotAllowed("error.account_erased")
    held = _roles(session, account_id)
    if not held:
        raise NotAllowed("error.no_role_left")
    ticket = secrets.token_urlsafe(32)
    token = _token_of(ticket)
    now = clock.now()
    session.add_all(
        [
            SignInSession(
                created_at=now,
                token_hash=_hash(token),
                account_id=account_id,
                role=role if role in held else held[0],
                device=client.device[:200],
                address_prefix=addresses.prefix(client.address),
                last_seen_at=now,
                expires_at=now + LIFETIME,
                second_factor_at=second_factor_at,
            ),
            SignInTicket(
                created_at=now,
                ticket_hash=_hash(ticket),
                expires_at=now + TICKET_LIFETIME,
            ),
        ]
    )
    return Opened(token, ticket)


def renew(session: Session, actor: Actor, token: str, client: Client) -> Opened:
    """A new session in the place of one that ended with a new password, in the same role."""
    actor.require(Permission.KEEP_ACCOUNT)
    passed_at = session.scalar(
        select(SignInSession.second_factor_at).where(
            SignInSession.token_hash == _hash(token), SignInSession.account_id == actor.id
        )
    )
    return open_session(session, actor.id or 0, client, role=actor.role, second_factor_at=passed_at)


def open_demo(session: Session, role: Role, client: Client) -> Opened:
    """One click into the demo's account of a role; exists in demo mode only."""
    if not settings().demo:
        raise NotAllowed("error.not_allowed")
    phone_hash = phones.whole_hash(DEMO_PHONES[role])
    account_id = session.scalar(select(Account.id).where(Account.phone_hash == phone_hash))
    if account_id is None:
        raise Conflict("error.demo_missing")
    return open_session(session, account_id, client, role=role)


DEMO_PHONES = {
    Role.CUSTOMER: "+8613900000001",
    Role.CAREGIVER: "+8613900000002",
    Role.DESK: "+8613900000003",
    Role.OPERATOR: "+8613900000004",
    Role.ANALYST: "+8613900000005",
}


def take_ticket(session: Session, ticket: str) -> str | None:
    """Exchange a one-time ticket for its session's token; None if it is used, old or unknown."""
    taken = session.scalar(
        update(SignInTicket)
        .where(
            SignInTicket.ticket_hash == _hash(ticket),
            SignInTicket.used_at.is_(None),
            SignInTicket.expires_at > clock.now(),
        )
        .values(used_at=clock.now())
        .returning(SignInTicket.id)
        .execution_options(synchronize_session=False)
    )
    return None if taken is None else _token_of(ticket)


def resume(session: Session, token: str) -> Visitor | None:
    """Who holds this session now, or None if it ended, expired or its account was suspended."""
    found = session.execute(_HOLDER, {"token_hash": _hash(token)}).one_or_none()
    if found is None:
        return None
    grants = session.execute(_GRANTED.where(AccountRole.account_id == found.account_id)).all()
    role = found.role
    if role not in {held for held, _ in grants}:
        return None
    awaits = _awaited(role, found.second_factor_at, has_factor=found.has_factor)
    actor = Actor(
        id=found.account_id,
        role=role,
        cities=frozenset(city for held, city in grants if held == role and city),
        channel=Channel.PHONE if role is Role.DESK else Channel.APP,
    )
    return Visitor(
        actor=actor if awaits is None else Actor(found.account_id, None),
        name=found.name,
        roles=tuple(dict.fromkeys(held for held, _ in grants)),
        city_code=found.city_code,
        district_code=found.district_code,
        unread=found.unread,
        seen_long_ago=found.last_seen_at < clock.now() - SEEN_EVERY,
        awaits_factor=awaits,
    )


def _awaited(role: Role, passed_at: datetime | None, *, has_factor: bool) -> Awaited | None:
    if role is not Role.OPERATOR or (has_factor and passed_at is not None):
        return None
    if has_factor:
        return Awaited.CODE
    return Awaited.SET_UP if settings().operator_totp is OperatorTotp.REQUIRED else None


def _ago(span: timedelta) -> ColumnElement[datetime]:
    """So long before the moment a statement runs, not the one in which it was written."""
    return bindparam(None, callable_=lambda: clock.now() - span)


def _is_open() -> ColumnElement[bool]:
    """Neither ended nor too old nor idle for too long; in a staff role both come sooner."""
    return and_(
        SignInSession.ended_at.is_(None),
        SignInSession.expires_at > _ago(timedelta()),
        SignInSession.last_seen_at > _ago(IDLE),
        or_(
            SignInSession.role.not_in(STAFF),
            and_(
                SignInSession.created_at > _ago(STAFF_LIFETIME),
                SignInSession.last_seen_at > _ago(STAFF_IDLE),
            ),
        ),
    )


# Asked at every run of every page, so written once: that takes longer than to answer.
_HOLDER = (
    select(
        SignInSession.account_id,
        SignInSession.role,
        SignInSession.last_seen_at,
        SignInSession.second_factor_at,
        Account.name,
        Account.city_code,
        Account.district_code,
        select(func.count(Notice.id))
        .where(Notice.account_id == Account.id, Notice.read_at.is_(None))
        .scalar_subquery()
        .label("unread"),
        exists()
        .where(SecondFactor.account_id == Account.id, SecondFactor.confirmed_at.is_not(None))
        .label("has_factor"),
    )
    .join(Account, Account.id == SignInSession.account_id)
    .where(
        SignInSession.token_hash == bindparam("token_hash"),
        _is_open(),
        Account.status == AccountStatus.ACTIVE,
    )
)
_GRANTED = select(AccountRole.role, AccountRole.city_code).order_by(AccountRole.id)


def mine(session: Session, actor: Actor, token: str) -> list[OpenSession]:
    """The actor's own open sessions, this one first, then the one last seen."""
    actor.require(Permission.KEEP_ACCOUNT)
    rows = session.scalars(
        select(SignInSession)
        .where(SignInSession.account_id == actor.id, _is_open())
        .order_by(SignInSession.last_seen_at.desc(), SignInSession.id.desc())
    )
    this = _hash(token)
    found = [
        OpenSession(
            id=row.id,
            device=devices.read(row.device),
            address_prefix=row.address_prefix,
            role=row.role,
            opened_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_this=row.token_hash == this,
        )
        for row in rows
    ]
    return sorted(found, key=lambda one: not one.is_this)


def keep_alive(session: Session, token: str) -> None:
    """Note that the session was used."""
    _set(session, SignInSession.token_hash == _hash(token), last_seen_at=clock.now())


def switch_role(session: Session, actor: Actor, token: str, role: Role) -> None:
    """Act in another role the person holds."""
    actor.require(Permission.KEEP_ACCOUNT)
    if role not in _roles(session, actor.id or 0):
        raise NotAllowed("error.not_allowed")
    if role in STAFF and not _is_young(session, token):
        raise Conflict("error.session_too_old")
    own = SignInSession.account_id == actor.id
    if _set(session, SignInSession.token_hash == _hash(token), own, role=role):
        audit.record(session, actor, "switch_role", "account", actor.id or 0, to=role)


def pass_factor(session: Session, token: str) -> None:
    """The second factor was given in this session; whoever calls has checked it."""
    _set(session, SignInSession.token_hash == _hash(token), second_factor_at=clock.now())


def fail_factor(session: Session, account_id: int) -> None:
    """The second factor is gone: with a new one every session is asked again."""
    _set(session, SignInSession.account_id == account_id, second_factor_at=None)


def end(session: Session, token: str) -> None:
    """End one session; its cookie opens nothing any more."""
    _end(session, SignInSession.token_hash == _hash(token))


def end_all(session: Session, actor: Actor) -> None:
    """End every session of the actor's own: after a new password, a lost phone."""
    actor.require(Permission.KEEP_ACCOUNT)
    end_of(session, actor.id or 0)
    audit.record(session, actor, "end_sessions", "account", actor.id or 0)


def end_one(session: Session, actor: Actor, session_id: int) -> None:
    """End one of the actor's own sessions."""
    actor.require(Permission.KEEP_ACCOUNT)
    if not _end(session, SignInSession.account_id == actor.id, SignInSession.id == session_id):
        raise NotFound("error.session_not_found")
    audit.record(session, actor, "end_session", "session", session_id)


def end_others(session: Session, actor: Actor, token: str) -> None:
    """End every session of the actor's own but this one."""
    actor.require(Permission.KEEP_ACCOUNT)
    others = SignInSession.token_hash != _hash(token)
    _end(session, SignInSession.account_id == actor.id, others)
    audit.record(session, actor, "end_other_sessions", "account", actor.id or 0)


def end_of(session: Session, account_id: int, role: Role | None = None) -> None:
    """End every session of an account, or those in one role; whoever calls has asked."""
    in_role = [SignInSession.role == role] if role else []
    _end(session, SignInSession.account_id == account_id, *in_role)


def _end(session: Session, *whose: ColumnElement[bool]) -> int:
    return _set(session, *whose, SignInSession.ended_at.is_(None), ended_at=clock.now())


def _set(session: Session, *whose: ColumnElement[bool], **values: object) -> int:
    changed = update(SignInSession).where(*whose).values(**values).returning(SignInSession.id)
    return len(session.execute(changed).all())


def prune(session: Session, before: datetime) -> int:
    """Delete tickets, codes, attempts, demo texts, files and sessions nobody can use; how many."""
    deletions = [
        delete(table).where(table.created_at < before).returning(table.id)
        for table in (SignInTicket, OneTimeCode, SignInAttempt, ConsoleText, Extract)
    ]
    deletions.append(
        delete(SignInSession).where(SignInSession.expires_at < before).returning(SignInSession.id)
    )
    return sum(len(session.execute(deletion).all()) for deletion in deletions)


def _is_young(session: Session, token: str) -> bool:
    return bool(
        session.scalar(
            select(SignInSession.id).where(
                SignInSession.token_hash == _hash(token),
                SignInSession.created_at > clock.now() - STAFF_LIFETIME,
            )
        )
    )


def _roles(session: Session, account_id: int) -> list[Role]:
    return list(
        session.scalars(
            select(AccountRole.role)
            .where(AccountRole.account_id == account_id)
            .order_by(AccountRole.id)
        )
    )


def _token_of(ticket: str) -> str:
    return keyed_hash("session token", ticket)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
