"""Accounts: one-time codes, signing up, and what people keep of themselves."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from data.accounts import Account, AccountRole
from data.notices import ConsoleText, NoticeKind
from data.sealing import keyed_hash
from data.sessions import CodePurpose, OneTimeCode
from services import (
    attempts,
    audit,
    cities,
    clock,
    consents,
    gateways,
    name_keys,
    notices,
    passwords,
    phones,
    regions,
    sessions,
)
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotAllowed, ServiceError
from services.passwords import NewPassword
from services.settings import settings
from services.wording import words

CODE_LIFETIME = timedelta(minutes=10)
CODE_WAIT = timedelta(seconds=60)
MOST_CODES_AN_HOUR = 5
MOST_WRONG_TRIES = 5
# Where nobody is told whether a phone has an account: only one that has gets the text.
_QUIET = (CodePurpose.SIGN_IN, CodePurpose.RESET)
SELF_SERVICE = (Role.CUSTOMER, Role.CAREGIVER)
_BETWEEN_DIGITS = str.maketrans("", "", "+-() ")


@dataclass(frozen=True, slots=True)
class SignUp:
    """What a new customer or caregiver tells us."""

    name: str
    phone: str
    code: str
    role: Role
    agreed: bool


@dataclass(frozen=True, slots=True)
class AccountView:
    name: str
    masked_phone: str
    roles: tuple[Role, ...]
    city_code: str | None
    district_code: str | None
    has_password: bool


def request_code(
    session: Session, phone: str, purpose: CodePurpose, client: sessions.Client = sessions.NOBODYS
) -> None:
    """Send a six-digit code to a phone, at most one a minute and five an hour.

    A phone without an account gets none to sign in with, but the answer and the work are the same.
    """
    if not gateways.current().ready:
        raise Conflict("error.no_text_gateway")
    phone = phones.normalised(phone)
    phone_hash = phones.whole_hash(phone)
    now = clock.now()
    sent = list(
        session.scalars(
            select(OneTimeCode.created_at).where(
                OneTimeCode.phone_hash == phone_hash,
                OneTimeCode.created_at > now - timedelta(hours=1),
            )
        )
    )
    if sent and max(sent) > now - CODE_WAIT:
        raise Conflict("error.code_too_soon", seconds=int(CODE_WAIT.total_seconds()))
    if len(sent) >= MOST_CODES_AN_HOUR:
        raise Conflict("error.code_too_many")
    attempts.count(session, attempts.Kind.ASKING, phone_hash, client.address)
    code = f"{secrets.randbelow(1_000_000):06d}"
    session.add(
        OneTimeCode(
            created_at=now,
            phone_hash=phone_hash,
            purpose=purpose,
            code_hash=_code_hash(phone_hash, code),
            expires_at=now + CODE_LIFETIME,
        )
    )
    known = _id_of(session, phone_hash) is not None
    notices.send_text(session, phone, code, withheld=purpose in _QUIET and not known)


def sign_up(
    session: Session, form: SignUp, password: NewPassword, client: sessions.Client
) -> sessions.Opened | ServiceError:
    """Create an account for a confirmed phone and open its first session.

    A wrong code is returned, not raised: the try must stay counted.
    """
    name = words(form.name, "name", 40)
    if form.role not in SELF_SERVICE:
        raise NotAllowed("error.not_allowed")
    if not form.agreed:
        raise Invalid("error.not_agreed")
    phone = phones.normalised(form.phone)
    phone_hash = phones.whole_hash(phone)
    passwords.check_owner(password, name, phone)
    if refusal := use_code(session, phone_hash, CodePurpose.SIGN_UP, form.code, client):
        return refusal
    if _id_of(session, phone_hash) is not None:
        raise Conflict("error.phone_taken")
    account = new(session, name, phone, form.role)
    account.password_hash, account.agreed_at = password.hash, clock.now()
    session.flush()
    consents.record_needed(session, account.id, form.role)
    return sessions.open_session(session, account.id, client)


def new(session: Session, name: str, phone: str | None, role: Role, city_code: str = "") -> Account:
    """An account without a password, opened only by a one-time code; the phone is normalised.

    Without a phone of its own nothing opens it.
    """
    own = (phones.whole_hash(phone), phones.tail_hash(phone)) if phone else phones.nobodys_hashes()
    account = Account(
        created_at=clock.now(),
        name=name,
        phone=phone or phones.NOBODYS,
        phone_hash=own[0],
        phone_tail_hash=own[1],
        city_code=city_code or None,
        roles=[AccountRole(created_at=clock.now(), role=role, city_code=city_code)],
    )
    session.add(account)
    name_keys.keep(session, account)
    return account


def matching(typed: str) -> ColumnElement[bool]:
    """The condition that finds accounts by a part of the name, the whole phone or its last four."""
    typed = words(typed, "name_or_phone", 40, required=False)
    digits = typed.translate(_BETWEEN_DIGITS)
    if not digits.isdecimal():
        return Account.name.icontains(typed, autoescape=True)
    if len(digits) == 4:
        return Account.phone_tail_hash == phones.tail_hash(digits)
    return Account.phone_hash == phones.whole_hash(phones.normalised(typed))


def sign_in_by_code(
    session: Session, phone: str, code: str, client: sessions.Client
) -> sessions.Opened | ServiceError:
    """Open a session for whoever proves to hold the phone."""
    phone_hash = phones.whole_hash(phones.normalised(phone))
    if refusal := use_code(session, phone_hash, CodePurpose.SIGN_IN, code, client):
        return refusal
    account_id = _id_of(session, phone_hash)
    if account_id is None:
        return _wrong_code()
    return sessions.open_session(session, account_id, client)


def reset_password(
    session: Session, phone: str, code: str, password: NewPassword, client: sessions.Client
) -> sessions.Opened | ServiceError:
    """Set a new password for whoever proves to hold the phone; every open session ends."""
    phone_hash = phones.whole_hash(phones.normalised(phone))
    if refusal := use_code(session, phone_hash, CodePurpose.RESET, code, client):
        return refusal
    account = session.scalar(select(Account).where(Account.phone_hash == phone_hash))
    if account is None:
        return _wrong_code()
    _set_password(session, account, password)
    sessions.end_of(session, account.id)
    audit.record(session, Actor(account.id, None), "reset_password", "account", account.id)
    notices.tell_owner(session, NoticeKind.PASSWORD_RESET, account.id)
    return sessions.open_session(session, account.id, client)


def console_inbox(session: Session, phone: str) -> str | None:
    """The newest text the demo's console gateway holds for a phone; nothing in production."""
    if not settings().demo:
        return None
    text = session.scalar(
        select(ConsoleText)
        .where(ConsoleText.phone_hash == phones.whole_hash(phones.normalised(phone)))
        .order_by(ConsoleText.id.desc())
        .limit(1)
    )
    return text.body if text else None


def view(session: Session, actor: Actor) -> AccountView:
    """The actor's own account."""
    actor.require(Permission.KEEP_ACCOUNT)
    account = session.get_one(Account, actor.id)
    roles = session.scalars(
        select(AccountRole.role).where(AccountRole.account_id == actor.id).order_by(AccountRole.id)
    )
    return AccountView(
        name=account.name,
        masked_phone=phones.masked(account.phone),
        roles=tuple(dict.fromkeys(roles)),
        city_code=account.city_code,
        district_code=account.district_code,
        has_password=account.password_hash is not None,
    )


def rename(session: Session, actor: Actor, name: str) -> None:
    """Change the actor's own name."""
    actor.require(Permission.KEEP_ACCOUNT)
    account = session.get_one(Account, actor.id)
    account.name = words(name, "name", 40)
    name_keys.keep(session, account)


def change_password(session: Session, actor: Actor, password: NewPassword) -> None:
    """Set a new password; every open session of the account ends."""
    actor.require(Permission.KEEP_ACCOUNT)
    account = session.get_one(Account, actor.id)
    _set_password(session, account, password)
    attempts.forget(session, account.phone_hash, attempts.Kind.PASSWORD)
    sessions.end_all(session, actor)
    audit.record(session, actor, "change_password", "account", actor.id or 0)
    notices.tell_owner(session, NoticeKind.PASSWORD_CHANGED, account.id)


def choose_region(
    session: Session, actor: Actor, city_code: str, district_code: str | None
) -> None:
    """Remember where the person wants care or works."""
    actor.require(Permission.KEEP_ACCOUNT)
    if city_code not in {city.code for city in cities.opened(session)}:
        raise Conflict("error.city_not_open")
    if district_code and not regions.district_of_city(district_code, city_code):
        raise Invalid("error.district_of_another_city")
    account = session.get_one(Account, actor.id)
    if (account.city_code, account.district_code) == (city_code, district_code):
        return
    audit.record(
        session, actor, "choose_region", "account", account.id,
        before=account.city_code, after=city_code,
    )  # fmt: skip
    account.city_code, account.district_code = city_code, district_code


def take_up_role(session: Session, actor: Actor, role: Role) -> None:
    """Add the customer's or caregiver's role to the actor's own account."""
    actor.require(Permission.KEEP_ACCOUNT)
    if role not in SELF_SERVICE:
        raise NotAllowed("error.not_allowed")
    held = session.scalar(
        select(func.count(AccountRole.id)).where(
            AccountRole.account_id == actor.id, AccountRole.role == role
        )
    )
    if held:
        raise Conflict("error.role_held")
    session.add(AccountRole(created_at=clock.now(), account_id=actor.id, role=role))
    audit.record(session, actor, "take_up_role", "account", actor.id or 0, role=role)


def use_code(
    session: Session,
    phone_hash: str,
    purpose: CodePurpose,
    code: str,
    client: sessions.Client = sessions.NOBODYS,
) -> ServiceError | None:
    """Spend a code; a wrong one is returned, not raised: the try must stay counted."""
    attempts.count(session, attempts.Kind.CODE, phone_hash, client.address)
    newest = session.scalar(
        select(OneTimeCode)
        .where(
            OneTimeCode.phone_hash == phone_hash,
            OneTimeCode.purpose == purpose,
            OneTimeCode.used_at.is_(None),
            OneTimeCode.expires_at > clock.now(),
        )
        .order_by(OneTimeCode.id.desc())
        .limit(1)
        .with_for_update()
    )
    if newest is None or newest.wrong_tries >= MOST_WRONG_TRIES:
        return Invalid("error.code_expired")
    if not secrets.compare_digest(newest.code_hash, _code_hash(phone_hash, code.strip())):
        newest.wrong_tries += 1
        return _wrong_code()
    newest.used_at = clock.now()
    attempts.forget(session, phone_hash, attempts.Kind.CODE, attempts.Kind.ASKING)
    return None


def _wrong_code() -> ServiceError:
    return Invalid("error.code_wrong")


def _set_password(session: Session, account: Account, password: NewPassword) -> None:
    passwords.check_owner(password, account.name, account.phone)
    account.password_hash = password.hash


def _id_of(session: Session, phone_hash: str) -> int | None:
    return session.scalar(select(Account.id).where(Account.phone_hash == phone_hash))


def _code_hash(phone_hash: str, code: str) -> str:
    return keyed_hash("one-time code", f"{phone_hash}:{code}")
