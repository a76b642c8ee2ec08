"""Duplicates: callers who may be one person, and how the desk makes them one."""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session, aliased

from data.accounts import Account, NameKey
from data.consents import Consent
from data.identities import Identity
from data.recipients import Recipient
from data.sessions import SignInSession
from services import callers, consents, contact_phones, customers, name_keys
from services.access import Actor, Permission, Role
from services.callers import Caller
from services.errors import Conflict, ServiceError

MOST_SHOWN = 5


class Alike(StrEnum):
    """What makes somebody seem the same person."""

    NAME = "name"
    NUMBER = "number"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """Another caller who may be the same; `mergeable` if the desk may make them one."""

    caller: Caller
    alike: Alike
    mergeable: bool


def of(session: Session, actor: Actor, customer_id: int) -> list[Duplicate]:
    """Who else of the desk's callers may be this one, by name before by number."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    account = callers.reach(session, actor, customer_id)
    alike = dict.fromkeys(sorted(contact_phones.shared_with(session, account)), Alike.NUMBER)
    alike |= dict.fromkeys(_of_that_name(session, account), Alike.NAME)
    found = []
    for number in sorted(alike, key=lambda one: (alike[one] is not Alike.NAME, one)):
        try:
            other = callers.one(session, actor, number)
        except ServiceError:  # Not one of this desk's.
            continue
        mergeable = actor.may(Permission.MERGE_CALLERS) and not _signed_in(
            session, (account.id, number)
        )
        found.append(Duplicate(other, alike[number], mergeable))
        if len(found) == MOST_SHOWN:
            break
    return found


def merge(session: Session, actor: Actor, kept_id: int, gone_id: int) -> None:
    """Two callers of the desk's become one, both histories kept.

    Whoever has ever signed in is an operator's business: nobody loses their way in by a call.
    """
    actor.require(Permission.MERGE_CALLERS)
    callers.reach(session, actor, kept_id)
    callers.reach(session, actor, gone_id)
    if gone_id not in {one.caller.id for one in of(session, actor, kept_id)}:
        raise Conflict("error.merge_not_alike")
    if _signed_in(session, (kept_id, gone_id)):
        raise Conflict("error.merge_ask_operator")
    customers.merge_proven(session, actor, kept_id, gone_id)


def _of_that_name(session: Session, account: Account) -> set[int]:
    """Who has the same name, and cares for somebody of the same name or born on the same day."""
    mine, theirs = aliased(Recipient), aliased(Recipient)
    same = exists().where(
        mine.customer_id == account.id,
        theirs.customer_id == NameKey.account_id,
        or_(mine.name == theirs.name, mine.birth_date == theirs.birth_date),
    )
    found = session.scalars(
        select(NameKey.account_id)
        .join(Account, Account.id == NameKey.account_id)
        .where(
            NameKey.key == name_keys.plain(account.name),
            NameKey.recipient_id.is_(None),
            Account.name == account.name,
            same,
        )
    )
    return set(found) - {account.id}


def _signed_in(session: Session, account_ids: tuple[int, int]) -> bool:
    """Whether one of them has ever come in: by a password, a provider, a code, an agreement."""
    itself = or_(
        Account.password_hash.is_not(None),
        Account.agreed_at.is_not(None),
        exists().where(SignInSession.account_id == Account.id),
        exists().where(Identity.account_id == Account.id),
        exists().where(
            Consent.account_id == Account.id,
            Consent.policy.in_(consents.NEEDED[Role.CUSTOMER]),
        ),
    )
    came = select(Account.id).where(Account.id.in_(account_ids), itself)
    return session.scalar(came.limit(1)) is not None
