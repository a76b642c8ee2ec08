"""Guessing made slow: what failed before, for an account or from an address, delays the next try.

Every try counts as failed, before anything is compared, until it succeeds; one that comes too soon
is refused and does not count. Phones without an account are treated like all others.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, select, text
from sqlalchemy.orm import Session

from data.accounts import Account
from data.sealing import keyed_hash
from data.sessions import SignInAttempt
from services import addresses, clock, phones, sessions
from services.access import Actor, Permission
from services.errors import Conflict, NotAllowed, ServiceError

# After so many failures the next try waits 2, 4, 8 ... seconds, at most a quarter of an hour.
FREE_FOR_ACCOUNT, ACCOUNT_WINDOW = 3, timedelta(days=1)
FREE_FOR_ADDRESS, ADDRESS_WINDOW = 20, timedelta(hours=1)
# Setting out to a provider guesses nothing, and a whole hospital may share one address.
FREE_TRIPS = 60
LONGEST_WAIT = timedelta(minutes=15)
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")


class Kind(StrEnum):
    """What is tried; each is counted by itself for an account, all together for an address."""

    PASSWORD = "password"
    CODE = "code"
    ASKING = "asking"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A sign-in being tried: counted as failed until it succeeds."""

    account_id: int | None
    password_hash: str | None


def begin(session: Session, phone: str, client: sessions.Client) -> Attempt:
    """Count a try before the password is looked at, so that parallel guesses count too."""
    phone_hash = phones.whole_hash(phones.normalised(phone))
    count(session, Kind.PASSWORD, phone_hash, client.address)
    account = session.scalar(select(Account).where(Account.phone_hash == phone_hash))
    return Attempt(account.id, account.password_hash) if account else Attempt(None, None)


def begin_own(session: Session, actor: Actor) -> Attempt:
    """Before the actor's own password changes the old one is asked for; a guess counts here too."""
    actor.require(Permission.KEEP_ACCOUNT)
    account = session.get_one(Account, actor.id)
    if account.password_hash is not None:
        count(session, Kind.PASSWORD, account.phone_hash, "")
    return Attempt(account.id, account.password_hash)


def finish(session: Session, attempt: Attempt, client: sessions.Client) -> sessions.Opened:
    """The password was right: forget the failures and open a session."""
    account = session.get_one(Account, attempt.account_id)
    if account.password_hash != attempt.password_hash:  # Changed while it was compared.
        raise wrong_password()
    forget(session, account.phone_hash, Kind.PASSWORD)
    return sessions.open_session(session, account.id, client)


def count(session: Session, kind: Kind, phone_hash: str, address: str) -> None:
    """Count a try, or refuse it in words because it comes too soon after others."""
    key, address_hash = _key(kind, phone_hash), addresses.keyed(address)
    _take_turns(session, key, address_hash)
    if kind is not Kind.ASKING:
        of_account = SignInAttempt.phone_hash == key
        _check(session, of_account, FREE_FOR_ACCOUNT, ACCOUNT_WINDOW)
    if address_hash:
        from_address = SignInAttempt.address_hash == address_hash
        _check(session, from_address, FREE_FOR_ADDRESS, ADDRESS_WINDOW)
    session.add(SignInAttempt(created_at=clock.now(), phone_hash=key, address_hash=address_hash))
    session.flush()


def count_trip(session: Session, address: str) -> None:
    """Count a trip to a provider, or refuse it; apart from guesses: neither stops the other."""
    trips = addresses.keyed(address, "provider trip")
    if not trips:
        return
    _take_turns(session, trips)
    _check(session, SignInAttempt.address_hash == trips, FREE_TRIPS, ADDRESS_WINDOW)
    session.add(SignInAttempt(created_at=clock.now(), phone_hash="", address_hash=trips))
    session.flush()


def count_guest(session: Session, phone_hash: str, address: str) -> None:
    """Count a visitor who gives a phone to talk, or refuse it; apart from guesses too."""
    phone_key = keyed_hash("guest", phone_hash)
    address_hash = addresses.keyed(address, "guest")
    _take_turns(session, phone_key, address_hash)
    of_phone = SignInAttempt.phone_hash == phone_key
    _check(session, of_phone, FREE_FOR_ACCOUNT, ACCOUNT_WINDOW)
    if address_hash:
        from_address = SignInAttempt.address_hash == address_hash
        _check(session, from_address, FREE_FOR_ADDRESS, ADDRESS_WINDOW)
    attempt = SignInAttempt(created_at=clock.now(), phone_hash=phone_key, address_hash=address_hash)
    session.add(attempt)
    session.flush()


def forget(session: Session, phone_hash: str, *kinds: Kind) -> None:
    """The right one was given: the failures before it do not count any more."""
    keys = [_key(kind, phone_hash) for kind in kinds]
    session.execute(delete(SignInAttempt).where(SignInAttempt.phone_hash.in_(keys)))


def wrong_password() -> ServiceError:
    """The one answer to a wrong phone or password, whichever it was."""
    return NotAllowed("error.sign_in_failed")


def _check(session: Session, theirs: ColumnElement[bool], free: int, window: timedelta) -> None:
    now = clock.now()
    failures, last_at = session.execute(
        select(func.count(SignInAttempt.id), func.max(SignInAttempt.created_at)).where(
            theirs, SignInAttempt.created_at > now - window
        )
    ).one()
    if failures < free:
        return
    wait = min(timedelta(seconds=2 ** min(failures - free + 1, 10)), LONGEST_WAIT)
    if now < last_at + wait:
        raise _too_soon(last_at + wait - now)


def _too_soon(left: timedelta) -> Conflict:
    seconds = max(1, int(left.total_seconds() + 0.999))
    if seconds < 60:
        return Conflict("error.try_in_seconds", seconds=seconds)
    return Conflict("error.try_in_minutes", minutes=-(-seconds // 60))


def _take_turns(session: Session, *keys: str) -> None:
    """Guesses made at the same moment count one after the other; SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        for key in filter(None, keys):
            session.execute(_ONE_AT_A_TIME, {"key": key})


def _key(kind: Kind, phone_hash: str) -> str:
    return keyed_hash(f"attempt {kind}", phone_hash)
