"""Preferences: by which channels somebody is told, in which language, and when not."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from data.notices import NoticePreference
from services import callers, clock, phrases
from services.access import Actor, Permission
from services.errors import Conflict, Invalid

MINUTES = 24 * 60


@dataclass(frozen=True, slots=True)
class Preference:
    """How somebody is told; quiet hours in minutes of the city's day, none where both are alike."""

    language: str = phrases.DEFAULT
    by_text: bool = True
    by_wechat: bool = True
    by_call: bool = False
    quiet_from_minute: int = 22 * 60
    quiet_until_minute: int = 7 * 60


def mine(session: Session, actor: Actor) -> Preference:
    """The actor's own."""
    actor.require(Permission.KEEP_ACCOUNT)
    return _read(session.get(NoticePreference, actor.id))


def of_caller(session: Session, actor: Actor, customer_id: int) -> Preference:
    """Those of a customer the desk acts for."""
    actor.require(Permission.ACT_FOR_CUSTOMER)
    return _read(session.get(NoticePreference, callers.reach(session, actor, customer_id).id))


def keep(
    session: Session, actor: Actor, wanted: Preference, *, customer_id: int | None = None
) -> None:
    """Set the actor's own, or those of a customer the desk acts for."""
    actor.require(Permission.KEEP_ACCOUNT)
    owner_id = actor.id or 0
    if customer_id is not None:
        owner_id = callers.reach(session, actor, customer_id).id
    if wanted.language not in phrases.LANGUAGES:
        raise Invalid("error.missing", field="language")
    for minute in (wanted.quiet_from_minute, wanted.quiet_until_minute):
        if not 0 <= minute < MINUTES:
            raise Invalid("error.missing", field="quiet_hours")
    row = session.get(NoticePreference, owner_id, with_for_update=True)
    if row is None:
        row = NoticePreference(account_id=owner_id)
        try:
            with session.begin_nested():
                session.add(row)
        except IntegrityError:  # Kept from another window at this moment.
            raise Conflict("error.changed_meanwhile") from None
    for name in Preference.__slots__:
        setattr(row, name, getattr(wanted, name))


def of(session: Session, account_ids: Collection[int]) -> dict[int, Preference]:
    """Those of several accounts; whoever set none has the usual ones."""
    rows = session.scalars(
        select(NoticePreference).where(NoticePreference.account_id.in_(account_ids))
    )
    kept = {row.account_id: _read(row) for row in rows}
    return {number: kept.get(number, Preference()) for number in account_ids}


def next_loud(preference: Preference, at: datetime) -> datetime:
    """The first moment from `at` on that lies in no quiet hours."""
    first, until = preference.quiet_from_minute, preference.quiet_until_minute
    local = clock.in_city(at)
    minute = local.hour * 60 + local.minute
    quiet = first <= minute < until if first <= until else minute >= first or minute < until
    if not quiet:
        return at
    day = local.date() + timedelta(days=1 if minute >= until else 0)
    return datetime.combine(day, time(until // 60, until % 60), clock.CITY_TIME)


def _read(row: NoticePreference | None) -> Preference:
    if row is None:
        return Preference()
    kept = {name: getattr(row, name) for name in Preference.__slots__}
    if row.language not in phrases.LANGUAGES:  # One that is spoken no more.
        kept["language"] = phrases.DEFAULT
    return Preference(**kept)
