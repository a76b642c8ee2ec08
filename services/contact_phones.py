"""Contact phones: numbers somebody can be reached at that are not theirs alone."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account, ContactPhone
from services import audit, callers, phones
from services.access import Actor, Permission
from services.errors import Invalid, NotFound


@dataclass(frozen=True, slots=True)
class ContactPhoneView:
    """A shared number, masked; the words say whose it is."""

    id: int
    masked_phone: str
    words: str


def add(session: Session, actor: Actor, customer_id: int, phone: str, said: str) -> None:
    """Note another number of a caller's; one they have already only gets its words anew."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    account = callers.reach(session, actor, customer_id)
    callers.keep_contact_phone(session, account, phones.normalised(phone), said)
    audit.record(session, actor, "add_contact_phone", "account", account.id)


def drop(session: Session, actor: Actor, contact_phone_id: int) -> None:
    """Forget a number; the last one of somebody without a phone of their own stays."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    found = session.get(ContactPhone, contact_phone_id)
    if found is None:
        raise NotFound("error.contact_phone_not_found")
    account = callers.reach(session, actor, found.account_id)
    if account.phone == phones.NOBODYS and len(of(session, actor, account.id)) == 1:
        raise Invalid("error.last_contact_phone")
    session.delete(found)
    audit.record(session, actor, "drop_contact_phone", "account", account.id)


def of(session: Session, actor: Actor, customer_id: int) -> list[ContactPhoneView]:
    """A caller's shared numbers, masked, in the order they were noted."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    account = callers.reach(session, actor, customer_id)
    return [
        ContactPhoneView(one.id, phones.masked(one.phone), one.words)
        for one in callers.contact_phones(session, account.id)
    ]


def shared_with(session: Session, account: Account) -> set[int]:
    """The accounts that have a number in common with this one."""
    mine = [one.phone_hash for one in callers.contact_phones(session, account.id)]
    hashes = [*mine, account.phone_hash]
    others = session.scalars(
        select(ContactPhone.account_id)
        .where(ContactPhone.phone_hash.in_(hashes))
        .union(select(Account.id).where(Account.phone_hash.in_(mine)))
    )
    return set(others) - {account.id}
