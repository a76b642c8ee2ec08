"""Signing in and out: attempts, sessions and the tickets that set cookies."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole, AccountStatus
from data.notices import ConsoleText, Notice
from data.sealing import keyed_hash
from data.sessions import OneTimeCode, SignInAttempt, SignInSession, SignInTicket
from services import audit, clock, phones
from services.access import Actor, Channel, Permission, Role
from services.errors import Conflict, NotAllowed, ServiceError
from services.settings import settings

COOKIE_NAME = "carepilot_session"
LIFETIME = timedelta(days=14)
IDLE = timedelta(days=3)
TICKET_LIFETIME = timedelta(minutes=1)
MOST_FAILURES = 5
LOCK = timedelta(minutes=15)
SEEN_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Client:
    """What a browser calls itself and where it comes from; neither is trusted."""

    device: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """A session just opened: its token, and the one-time ticket that puts it into a cookie."""

    token: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in, in which role, and what the frame around every page needs."""

    actor: Actor
    name: str
    roles: tuple[Role, ...]
    city_code: str | None
    district_code: str | None
    unread: int
    seen_long_ago: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in being tried: counted as failed until it succeeds."""

    id: int
    account_id: int | None
    password_hash: str | None


def begin_attempt(session: Session, phone: str) -> Attempt:
    """Count a try before the password is looked at, so that parallel guesses count too."""
    phone_hash = phones.whole_hash(phones.normalised(phone))
    failures = session.scalar(
        select(func.count(SignInAttempt.id)).where(
            SignInAttempt.phone_hash == phone_hash, SignInAttempt.created_at > clock.now() - LOCK
        )
    )
    if (failures or 0) >= MOST_FAILURES:
        raise Conflict("error.sign_in_locked", minutes=int(LOCK.total_seconds() // 60))
    attempt = SignInAttempt(created_at=clock.now(), phone_hash=phone_hash)
    session.add(attempt)
    account = session.scalar(select(Account).where(Account.phone_hash == phone_hash))
    session.flush()
    return Attempt(
        attempt.id, account.id if account else None, account.password_hash if account else None
    )


def finish_attempt(session: Session, attempt: Attempt, client: Client) -> Opened:
    """The password was right: forget the failures and open a session."""
    account = session.get_one(Account, attempt.account_id)
    session.execute(delete(SignInAttempt).where(SignInAttempt.phone_hash == account.phone_hash))
    return open_session(session, account.id, client)


def open_session(
    session: Session, account_id: int, client: Client, *, role: Role | None = None
) -> Opened:
    """A new session in the wanted role, or the first one the person holds."""
    account = session.get_one(Account, account_id)
    if account.status is AccountStatus.SUSPENDED:
        raise NotAllowed("error.account_suspended")
    if account.status is AccountStatus.MERGED:
        raise NotAllowed("error.account_merged")
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
                last_seen_at=now,
                expires_at=now + LIFETIME,
            ),
            SignInTicket(
                created_at=now,
                ticket_hash=_hash(ticket),
                expires_at=now + TICKET_LIFETIME,
            ),
        ]
    )
    return Opened(token, ticket)


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
    now = clock.now()
    unread = (
        select(func.count(Notice.id))
        .where(Notice.account_id == Account.id, Notice.read_at.is_(None))
        .scalar_subquery()
    )
    found = session.execute(
        select(SignInSession.role, SignInSession.last_seen_at, Account, unread)
        .join(Account, Account.id == SignInSession.account_id)
        .where(
            SignInSession.token_hash == _hash(token),
            SignInSession.ended_at.is_(None),
            SignInSession.expires_at > now,
            SignInSession.last_seen_at > now - IDLE,
            Account.status == AccountStatus.ACTIVE,
        )
    ).one_or_none()
    if found is None:
        return None
    role, last_seen_at, account, unread_notices = found
    grants = session.execute(
        select(AccountRole.role, AccountRole.city_code)
        .where(AccountRole.account_id == account.id)
        .order_by(AccountRole.id)
    ).all()
    if role not in {held for held, _ in grants}:
        return None
    return Visitor(
        actor=Actor(
            id=account.id,
            role=role,
            cities=frozenset(city for held, city in grants if held == role and city),
            channel=Channel.PHONE if role is Role.DESK else Channel.APP,
        ),
        name=account.name,
        roles=tuple(dict.fromkeys(held for held, _ in grants)),
        city_code=account.city_code,
        district_code=account.district_code,
        unread=unread_notices,
        seen_long_ago=last_seen_at < now - SEEN_EVERY,
    )


def keep_alive(session: Session, token: str) -> None:
    """Note that the session was used."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.token_hash == _hash(token))
        .values(last_seen_at=clock.now())
    )


def switch_role(session: Session, actor: Actor, token: str, role: Role) -> None:
    """Act in another role the person holds."""
    actor.require(Permission.KEEP_ACCOUNT)
    if role not in _roles(session, actor.id or 0):
        raise NotAllowed("error.not_allowed")
    session.execute(
        update(SignInSession)
        .where(SignInSession.token_hash == _hash(token), SignInSession.account_id == actor.id)
        .values(role=role)
    )


def end(session: Session, token: str) -> None:
    """End one session; its cookie opens nothing any more."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.token_hash == _hash(token), SignInSession.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def end_all(session: Session, actor: Actor) -> None:
    """End every session of the actor's own: after a new password, a lost phone."""
    actor.require(Permission.KEEP_ACCOUNT)
    end_of(session, actor.id or 0)
    audit.record(session, actor, "end_sessions", "account", actor.id or 0)


def end_of(session: Session, account_id: int) -> None:
    """End every session of an account; whoever calls has asked whether they may."""
    session.execute(
        update(SignInSession)
        .where(SignInSession.account_id == account_id, SignInSession.ended_at.is_(None))
        .values(ended_at=clock.now())
    )


def prune(session: Session, before: datetime) -> int:
    """Delete tickets, codes, attempts, demo texts and sessions nobody can use; return how many."""
    deletions = [
        delete(table).where(table.created_at < before).returning(table.id)
        for table in (SignInTicket, OneTimeCode, SignInAttempt, ConsoleText)
    ]
    deletions.append(
        delete(SignInSession).where(SignInSession.expires_at < before).returning(SignInSession.id)
    )
    return sum(len(session.execute(deletion).all()) for deletion in deletions)


def wrong_password() -> ServiceError:
    """The one answer to a wrong phone or password, whichever it was."""
    return NotAllowed("error.sign_in_failed")


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
