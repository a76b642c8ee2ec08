"""Coming in through a provider: the trip there and back, first sign-ins, links, own merges."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.accounts import Account
from data.identities import FlowKind, Identity, ProviderFlow
from data.notices import NoticeKind
from data.sealing import keyed_hash
from data.sessions import CodePurpose
from services import (
    accounts,
    audit,
    clock,
    consents,
    customers,
    gateways,
    notices,
    phones,
    sessions,
)
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotAllowed, NotFound, ServiceError
from services.providers import own_path
from services.wording import words

__all__ = ["FlowKind"]

FLOW_COOKIE = "carepilot_flow"
TRIP_LIFETIME = timedelta(minutes=10)
# From the provider's answer on: time to receive a code and fill in the rest.
FORM_LIFETIME = timedelta(minutes=20)


@dataclass(frozen=True, slots=True)
class Trip:
    """What goes along: the state through the provider, the browser's secret in a cookie."""

    state: str
    browser: str


@dataclass(frozen=True, slots=True)
class Claim:
    """A trip that came back, once, in the browser that set out."""

    flow_id: int
    kind: FlowKind
    back_to: str


@dataclass(frozen=True, slots=True)
class Proven:
    """Whom a provider vouches for, and where it lets us write; kind is it, or one app of it."""

    kind: str
    subject: str
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A person a provider vouches for and whom nobody here knows yet."""

    kind: str
    given_name: str


@dataclass(frozen=True, slots=True)
class JoinForm:
    """What the provider did not tell; the name counts only when the provider gave none."""

    name: str
    phone: str
    code: str
    role: Role
    agreed: bool


@dataclass(frozen=True, slots=True)
class LinkedIdentity:
    id: int
    kind: str
    since: datetime
    last_used_at: datetime


def nonce_of(state: str) -> str:
    """The nonce of a trip; derived, so that it need not be stored."""
    return keyed_hash("provider nonce", state)


def verifier_of(state: str) -> str:
    """The PKCE verifier of a trip (RFC 7636, 64 signs); derived like the nonce."""
    return keyed_hash("provider verifier", state)


def set_out(
    session: Session, provider: str, kind: FlowKind, back_to: str, account_id: int | None = None
) -> Trip:
    """Begin a trip to a provider; only hashes of what goes along are kept."""
    # WeChat takes letters and digits only.
    trip = Trip(state=secrets.token_hex(32), browser=secrets.token_hex(32))
    session.add(
        ProviderFlow(
            created_at=clock.now(),
            state_hash=_hash(trip.state),
            browser_hash=_hash(trip.browser),
            provider=provider,
            kind=kind,
            account_id=account_id,
            back_to=own_path(back_to),
            expires_at=clock.now() + TRIP_LIFETIME,
        )
    )
    return trip


def claim(session: Session, provider: str, state: str, browser: str) -> Claim | None:
    """The trip with this state, if it set out from this browser, lately, and is back first."""
    row = session.execute(
        update(ProviderFlow)
        .where(
            ProviderFlow.state_hash == _hash(state),
            ProviderFlow.browser_hash == _hash(browser),
            ProviderFlow.provider == provider,
            ProviderFlow.used_at.is_(None),
            ProviderFlow.expires_at > clock.now(),
        )
        .values(used_at=clock.now())
        .returning(ProviderFlow.id, ProviderFlow.kind, ProviderFlow.back_to)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return Claim(*row) if row else None


def come_in(
    session: Session, claimed: Claim, proven: Proven, client: sessions.Client
) -> sessions.Opened | None:
    """Open a session for a known identity; one nobody knows waits on its flow: None."""
    flow = session.get_one(ProviderFlow, claimed.flow_id)
    if flow.kind is not FlowKind.SIGN_IN:
        raise NotAllowed("error.not_allowed")
    identity = session.scalar(select(Identity).where(_is(proven.kind, _subject_hash(proven))))
    if identity is None:
        _wait(flow, proven)
        return None
    opened = sessions.open_session(session, identity.account_id, client)
    identity.last_used_at = flow.finished_at = clock.now()
    identity.address = proven.address or identity.address
    return opened


def link(session: Session, actor: Actor, claimed: Claim, proven: Proven) -> bool:
    """Attach the identity to the account that set out; False if it is another account's.

    Then both are proved: the session here, the identity there, and `merge_mine` may follow.
    """
    actor.require(Permission.KEEP_ACCOUNT)
    flow = session.get_one(ProviderFlow, claimed.flow_id)
    if flow.kind is not FlowKind.LINK or flow.account_id != actor.id:
        raise NotAllowed("error.not_allowed")
    identity = session.scalar(select(Identity).where(_is(proven.kind, _subject_hash(proven))))
    _wait(flow, proven)
    if identity is not None and identity.account_id != actor.id:
        return False
    flow.finished_at = clock.now()
    if identity is None:
        _attach(session, actor, flow)
    else:
        identity.last_used_at = clock.now()
        identity.address = proven.address or identity.address
    return True


def pending(session: Session, browser: str) -> Pending | None:
    """Who waits in this browser to be asked for the rest."""
    flow = _waiting(session, browser, ProviderFlow.kind == FlowKind.SIGN_IN)
    return Pending(flow.provider, flow.given_name) if flow else None


def send_code(session: Session, browser: str, phone: str, client: sessions.Client) -> None:
    """Send the code that confirms the phone of somebody who is about to join."""
    _to_join(session, browser)
    accounts.request_code(session, phone, CodePurpose.JOIN, client)


def join(
    session: Session, browser: str, form: JoinForm, client: sessions.Client
) -> sessions.Opened | ServiceError:
    """Make an account for whoever waits in this browser, or find theirs by phone, and come in.

    A known phone proves its account, which gains the identity and nothing else. A wrong code is
    returned, not raised: the try must stay counted.
    """
    flow = _to_join(session, browser, lock=True)
    name = words(flow.given_name or form.name, "name", 40)
    if form.role not in accounts.SELF_SERVICE:
        raise NotAllowed("error.not_allowed")
    if not form.agreed:
        raise Invalid("error.not_agreed")
    phone = phones.normalised(form.phone)
    phone_hash = phones.whole_hash(phone)
    if refusal := accounts.use_code(session, phone_hash, CodePurpose.JOIN, form.code, client):
        return refusal
    account = session.scalar(select(Account).where(Account.phone_hash == phone_hash))
    if account is None:
        account = _new(session, name, phone, form.role)
    opened = sessions.open_session(session, account.id, client)
    _attach(session, Actor(account.id, form.role), flow)
    flow.account_id, flow.finished_at = account.id, clock.now()
    return opened


def onward(session: Session, actor: Actor, browser: str) -> str | None:
    """Where the actor, who has just joined in this browser, wanted to go."""
    actor.require(Permission.KEEP_ACCOUNT)
    return session.scalar(
        select(ProviderFlow.back_to).where(
            ProviderFlow.browser_hash == _hash(browser),
            ProviderFlow.account_id == actor.id,
            ProviderFlow.finished_at > clock.now() - TRIP_LIFETIME,
        )
    )


def linked(session: Session, actor: Actor) -> Sequence[LinkedIdentity]:
    """The actor's own identities at providers, oldest first."""
    actor.require(Permission.KEEP_ACCOUNT)
    mine = select(Identity).where(Identity.account_id == actor.id).order_by(Identity.id)
    return [
        LinkedIdentity(one.id, one.provider, one.created_at, one.last_used_at)
        for one in session.scalars(mine)
    ]


def unlink(session: Session, actor: Actor, identity_id: int) -> None:
    """Let an identity of the actor's open nothing any more; some other way in must be left."""
    actor.require(Permission.KEEP_ACCOUNT)
    account = session.get_one(Account, actor.id, with_for_update=True)
    identity = session.scalar(
        select(Identity).where(Identity.id == identity_id, Identity.account_id == actor.id)
    )
    if identity is None:
        raise NotFound("error.identity_not_found")
    others = session.scalar(
        select(func.count(Identity.id)).where(
            Identity.account_id == actor.id, Identity.id != identity.id
        )
    )
    # The phone of an account is a way in wherever codes can be sent.
    if not (others or account.password_hash or gateways.current().ready):
        raise Conflict("error.last_way_in")
    session.delete(identity)
    audit.record(
        session, actor, "unlink_identity", "account", actor.id or 0, provider=identity.provider
    )


def mergeable(session: Session, actor: Actor, browser: str) -> str | None:
    """The kind of the identity proved in this browser that is another account's."""
    actor.require(Permission.KEEP_ACCOUNT)
    flow = _waiting(session, browser, _of_link(actor))
    return flow.provider if flow else None


def merge_mine(session: Session, actor: Actor, browser: str) -> None:
    """Take over the other account of a person who has proved both: by session and by identity."""
    actor.require(Permission.KEEP_ACCOUNT)
    flow = _waiting(session, browser, _of_link(actor), lock=True)
    if flow is None:
        raise Conflict("error.joining_expired")
    other = select(Identity.account_id).where(_is(flow.provider, flow.subject_hash or ""))
    gone_id = session.scalar(other)
    if gone_id is None:
        raise Conflict("error.joining_expired")
    flow.finished_at = clock.now()
    customers.merge_proven(session, actor, actor.id or 0, gone_id)


def send_merge_code(session: Session, actor: Actor, phone: str, client: sessions.Client) -> None:
    """Send the code that proves the phone of the actor's other account, if there is one."""
    actor.require(Permission.KEEP_ACCOUNT)
    _check_other_phone(session, actor, phone)
    accounts.request_code(session, phone, CodePurpose.MERGE, client)


def merge_by_phone(
    session: Session, actor: Actor, phone: str, code: str, client: sessions.Client
) -> ServiceError | None:
    """Take over the other account of a person who has proved its phone by a code.

    A wrong code is returned, not raised: the try must stay counted.
    """
    actor.require(Permission.KEEP_ACCOUNT)
    phone_hash = _check_other_phone(session, actor, phone)
    if refusal := accounts.use_code(session, phone_hash, CodePurpose.MERGE, code, client):
        return refusal
    gone_id = session.scalar(select(Account.id).where(Account.phone_hash == phone_hash))
    if gone_id is None:
        raise NotFound("error.phone_unknown")
    customers.merge_proven(session, actor, actor.id or 0, gone_id)
    return None


def prune(session: Session, before: datetime) -> int:
    """Delete trips nobody can come back from; return how many."""
    old = delete(ProviderFlow).where(ProviderFlow.expires_at < before)
    return len(session.execute(old.returning(ProviderFlow.id)).all())


def _new(session: Session, name: str, phone: str, role: Role) -> Account:
    try:
        with session.begin_nested():
            account = accounts.new(session, name, phone, role)
    except IntegrityError:  # The same phone joined at this moment.
        raise Conflict("error.changed_meanwhile") from None
    account.agreed_at = clock.now()
    session.flush()
    consents.record_needed(session, account.id, role)
    return account


def _attach(session: Session, actor: Actor, flow: ProviderFlow) -> None:
    identity = Identity(
        created_at=clock.now(),
        account_id=actor.id,
        provider=flow.provider,
        subject_hash=flow.subject_hash,
        last_used_at=clock.now(),
        address=flow.address,
    )
    try:
        with session.begin_nested():
            session.add(identity)
    except IntegrityError:  # One of the kind is held already, or somebody was quicker.
        raise Conflict("error.identity_held") from None
    audit.record(session, actor, "link_identity", "account", actor.id or 0, provider=flow.provider)
    about = f"identity-{identity.id}"
    notices.tell(session, NoticeKind.IDENTITY_LINKED, actor.id or 0, about, provider=flow.provider)


def _wait(flow: ProviderFlow, proven: Proven) -> None:
    flow.provider, flow.subject_hash = proven.kind, _subject_hash(proven)
    flow.address = proven.address
    flow.given_name = words(proven.name, "name", len(proven.name), required=False)[:40]
    flow.expires_at = clock.now() + FORM_LIFETIME


def _to_join(session: Session, browser: str, *, lock: bool = False) -> ProviderFlow:
    flow = _waiting(session, browser, ProviderFlow.kind == FlowKind.SIGN_IN, lock=lock)
    if flow is None:
        raise Conflict("error.joining_expired")
    return flow


def _waiting(
    session: Session, browser: str, condition: ColumnElement[bool], *, lock: bool = False
) -> ProviderFlow | None:
    query = select(ProviderFlow).where(
        ProviderFlow.browser_hash == _hash(browser),
        ProviderFlow.subject_hash.is_not(None),
        ProviderFlow.finished_at.is_(None),
        ProviderFlow.expires_at > clock.now(),
        condition,
    )
    return session.scalar(query.with_for_update() if lock else query)


def _of_link(actor: Actor) -> ColumnElement[bool]:
    return (ProviderFlow.kind == FlowKind.LINK) & (ProviderFlow.account_id == actor.id)


def _check_other_phone(session: Session, actor: Actor, phone: str) -> str:
    phone_hash = phones.whole_hash(phones.normalised(phone))
    if phone_hash == session.get_one(Account, actor.id).phone_hash:
        raise Invalid("error.merge_with_itself")
    return phone_hash


def _is(kind: str, subject_hash: str) -> ColumnElement[bool]:
    return (Identity.provider == kind) & (Identity.subject_hash == subject_hash)


def _subject_hash(proven: Proven) -> str:
    return keyed_hash("provider identity", f"{proven.kind}:{proven.subject}")


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
