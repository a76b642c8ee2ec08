"""Whose figures these are: the pseudonyms of caregivers, for the operators of their cities."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from data.accounts import Account
from data.caregivers import Caregiver
from services.access import Actor, Permission
from services.analytics import pseudonyms


def names(session: Session, actor: Actor) -> dict[str, str]:
    """The names of the caregivers of the actor's cities, by the pseudonym figures know them by.

    Their operators read these names in the list of caregivers too: no look leaves an audit row.
    """
    actor.require(Permission.DECIDE_CAREGIVER)
    rows = session.execute(
        select(Caregiver.id, Account.name)
        .join(Account, Account.id == Caregiver.id)
        .where(Caregiver.city_code.in_(actor.cities))
    )
    return {pseudonyms.of("caregiver", number): name for number, name in rows}
