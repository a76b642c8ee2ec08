"""Operators' second factor: an authenticator app (TOTP, RFC 6238) and codes for when it is lost.

A step of 30 seconds is accepted once, one step before and after included, for clocks that differ.
"""

import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta

from pyotp import random_base32
from pyotp.totp import TOTP
from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole
from data.notices import NoticeKind
from data.sealing import keyed_hash
from data.sessions import SecondFactor
from services import audit, clock, notices, phones, sessions
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotAllowed, ServiceError
from services.settings import OperatorTotp, settings

ISSUER = "CarePilot"
STEP_SECONDS = 30
STEPS_APART = (-1, 0, 1)
MOST_WRONG_TRIES = 5
LOCK = timedelta(minutes=15)
RECOVERY_CODES = 8
# Without signs that look alike: 32 of them, 10 a code, are 50 bits.
_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Secret:
    """What goes into the authenticator app, shown once: as text, and as address for a QR code."""

    text: str = field(repr=False)
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the actor has a second factor, may have and must have one."""

    confirmed: bool
    recovery_left: int
    for_them: bool
    required: bool


def standing(session: Session, actor: Actor) -> Standing:
    """How the actor's own second factor stands."""
    actor.require(Permission.KEEP_ACCOUNT)
    factor = session.get(SecondFactor, actor.id)
    confirmed = factor is not None and factor.confirmed_at is not None
    return Standing(
        confirmed=confirmed,
        recovery_left=len(factor.recovery_hashes) if factor and confirmed else 0,
        for_them=_operates(session, actor.id or 0),
        required=settings().operator_totp is OperatorTotp.REQUIRED,
    )


def begin(session: Session, actor: Actor) -> Secret:
    """A new secret for the actor's authenticator app; it counts once a code confirms it."""
    actor.require(Permission.KEEP_ACCOUNT)
    return _begin(session, actor.id or 0)


def confirm(
    session: Session, actor: Actor, token: str, code: str
) -> tuple[str, ...] | ServiceError:
    """The app shows the right code: from now on it is asked for. Returns the recovery codes."""
    actor.require(Permission.KEEP_ACCOUNT)
    return _confirm(session, actor.id or 0, token, code)


def disable(session: Session, actor: Actor, code: str) -> ServiceError | None:
    """Take the actor's own factor off, with a code of the app or a recovery code."""
    actor.require(Permission.KEEP_ACCOUNT)
    if refusal := _check(session, actor.id or 0, code):
        return refusal
    forget(session, actor.id or 0)
    audit.record(session, actor, "disable_second_factor", "account", actor.id or 0)
    notices.tell_owner(session, NoticeKind.SECOND_FACTOR_REMOVED, actor.id or 0)
    return None


def begin_at_door(session: Session, token: str) -> Secret:
    """`begin` for an operator who must have a factor before acting in anything."""
    return _begin(session, _at_door(session, token, sessions.Awaited.SET_UP))


def confirm_at_door(session: Session, token: str, code: str) -> tuple[str, ...] | ServiceError:
    """`confirm` for an operator who must have a factor before acting in anything."""
    account_id = _at_door(session, token, sessions.Awaited.SET_UP)
    return _confirm(session, account_id, token, code)


def pass_door(session: Session, token: str, code: str) -> ServiceError | None:
    """The second step of signing in: a code of the app, or a recovery code, which is spent."""
    account_id = _at_door(session, token, sessions.Awaited.CODE)
    if refusal := _check(session, account_id, code):
        return refusal
    sessions.pass_factor(session, token)
    return None


def forget(session: Session, account_id: int) -> None:
    """Delete a factor and what it confirmed; whoever calls has asked whether they may."""
    factor = session.get(SecondFactor, account_id, with_for_update=True)
    if factor is None:
        raise Conflict("error.no_factor")
    session.delete(factor)
    session.flush()
    sessions.fail_factor(session, account_id)


def _begin(session: Session, account_id: int) -> Secret:
    if not _operates(session, account_id):
        raise NotAllowed("error.factor_for_operators")
    factor = session.get(SecondFactor, account_id, with_for_update=True)
    if factor is None:
        factor = SecondFactor(account_id=account_id)
        session.add(factor)
    elif factor.confirmed_at is not None:
        raise Conflict("error.factor_set_up")
    factor.created_at, factor.secret = clock.now(), random_base32()
    session.flush()
    label = phones.masked(session.get_one(Account, account_id).phone)
    address = TOTP(factor.secret).provisioning_uri(name=label, issuer_name=ISSUER)
    return Secret(factor.secret, address)


def _confirm(
    session: Session, account_id: int, token: str, code: str
) -> tuple[str, ...] | ServiceError:
    factor = _locked(session, account_id)
    if factor is None:
        raise Conflict("error.no_factor")
    if factor.confirmed_at is not None:
        raise Conflict("error.factor_set_up")
    if refusal := _try(factor, account_id, code):
        return refusal
    codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
    factor.confirmed_at = clock.now()
    factor.recovery_hashes = [_recovery_hash(account_id, one) for one in codes]
    sessions.pass_factor(session, token)
    owner = Actor(account_id, Role.OPERATOR)
    audit.record(session, owner, "set_up_second_factor", "account", account_id)
    notices.tell_owner(session, NoticeKind.SECOND_FACTOR_ADDED, account_id)
    return codes


def _check(session: Session, account_id: int, code: str) -> ServiceError | None:
    """Spend a code of a confirmed factor; a wrong one is returned: the try must stay counted."""
    factor = _locked(session, account_id)
    if factor is None or factor.confirmed_at is None:
        raise Conflict("error.no_factor")
    return _try(factor, account_id, code)


def _try(factor: SecondFactor, account_id: int, code: str) -> ServiceError | None:
    now = clock.now()
    if factor.locked_until is not None and now < factor.locked_until:
        minutes = -(-int((factor.locked_until - now).total_seconds()) // 60)
        return Conflict("error.try_in_minutes", minutes=max(1, minutes))
    typed = "".join(code.split()).replace("-", "").upper()
    if _spend_step(factor, typed) or _spend_recovery(factor, account_id, typed):
        factor.wrong_tries, factor.locked_until = 0, None
        return None
    factor.wrong_tries += 1
    if factor.wrong_tries >= MOST_WRONG_TRIES:
        factor.wrong_tries, factor.locked_until = 0, now + LOCK
    return Invalid("error.factor_wrong")


def _spend_step(factor: SecondFactor, typed: str) -> bool:
    totp = TOTP(factor.secret)
    now = int(clock.now().timestamp()) // STEP_SECONDS
    fitting = [
        now + apart
        for apart in STEPS_APART
        if hmac.compare_digest(totp.generate_otp(now + apart).encode(), typed.encode())
    ]
    if not fitting or max(fitting) <= factor.last_step:
        return False
    factor.last_step = max(fitting)
    return True


def _spend_recovery(factor: SecondFactor, account_id: int, typed: str) -> bool:
    given = _recovery_hash(account_id, typed)
    left = [one for one in factor.recovery_hashes if not hmac.compare_digest(one, given)]
    if len(left) == len(factor.recovery_hashes):
        return False
    factor.recovery_hashes = left
    return True


def _at_door(session: Session, token: str, awaited: sessions.Awaited) -> int:
    visitor = sessions.resume(session, token)
    if visitor is None or visitor.awaits_factor is not awaited:
        raise NotAllowed("error.not_allowed")
    return visitor.actor.id or 0


def _locked(session: Session, account_id: int) -> SecondFactor | None:
    """The factor, read anew behind whoever else tries a code at this moment."""
    return session.get(SecondFactor, account_id, with_for_update=True, populate_existing=True)


def _operates(session: Session, account_id: int) -> bool:
    return bool(
        session.scalar(
            select(AccountRole.id)
            .where(AccountRole.account_id == account_id, AccountRole.role == Role.OPERATOR)
            .limit(1)
        )
    )


def _recovery_code() -> str:
    signs = "".join(secrets.choice(_SIGNS) for _ in range(10))
    return f"{signs[:5]}-{signs[5:]}"


def _recovery_hash(account_id: int, code: str) -> str:
    return keyed_hash("recovery code", f"{account_id}:{code.replace('-', '')}")
