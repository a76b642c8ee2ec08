"""What a city says of its days: times in which nobody is booked, and what dates are."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from data.calendars import Closure, DayKind, SpecialDay
from data.cities import City
from data.orders import AHEAD, Order, Visit
from services import audit, calendars, clock
from services.access import Actor, Permission
from services.errors import Conflict, NotFound
from services.wording import words

__all__ = ["DayKind"]

MOST_WORDS, MOST_DAY_WORDS = 100, 40


@dataclass(frozen=True, slots=True)
class ClosureView:
    id: int
    starts_at: datetime
    ends_at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class SpecialDayView:
    id: int
    day: date
    kind: DayKind
    words: str


def ahead(session: Session, actor: Actor, city_code: str) -> list[ClosureView]:
    """The closed times of one of the actor's cities that are not over, soonest first."""
    actor.require(Permission.KEEP_CITIES)
    _check_mine(actor, city_code)
    rows = session.scalars(
        select(Closure)
        .where(Closure.city_code == city_code, Closure.ends_at > clock.now())
        .order_by(Closure.starts_at)
    )
    return [ClosureView(row.id, row.starts_at, row.ends_at, row.words) for row in rows]


def hits(
    session: Session, actor: Actor, city_code: str, starts_at: datetime, ends_at: datetime
) -> int:
    """How many visits lie in a time of one of the actor's cities."""
    actor.require(Permission.KEEP_CITIES)
    _check_mine(actor, city_code)
    here = select(Order.id).where(Order.id == Visit.order_id, Order.city_code == city_code)
    counted = select(func.count(Visit.id)).where(
        Visit.status.in_(AHEAD),
        Visit.starts_at < ends_at,
        Visit.ends_at > starts_at,
        here.exists(),
    )
    return session.scalar(counted) or 0


def close(
    session: Session,
    actor: Actor,
    city_code: str,
    starts_at: datetime,
    ends_at: datetime,
    why: str,
) -> int:
    """Let nobody be booked in a time; visits agreed on stay. Return its number."""
    actor.require(Permission.KEEP_CITIES)
    _hold(session, actor, city_code)
    calendars.check_span(starts_at, ends_at)
    why = words(why, "closure_words", MOST_WORDS)
    if session.scalar(
        select(Closure.id).where(
            Closure.city_code == city_code, Closure.ends_at > starts_at, Closure.starts_at < ends_at
        )
    ):
        raise Conflict("error.closure_overlaps")
    closure = Closure(
        created_at=clock.now(),
        city_code=city_code,
        starts_at=starts_at,
        ends_at=ends_at,
        words=why,
    )
    session.add(closure)
    session.flush()
    _audit(session, actor, "close_time", closure)
    return closure.id


def reopen(session: Session, actor: Actor, closure_id: int) -> None:
    """Let a closed time be booked again."""
    actor.require(Permission.KEEP_CITIES)
    closure = session.get(Closure, closure_id, with_for_update=True)
    if closure is None or closure.city_code not in actor.cities:
        raise NotFound("error.closure_not_found")
    _audit(session, actor, "reopen_time", closure)
    session.delete(closure)


def special_days(session: Session, actor: Actor, city_code: str) -> list[SpecialDayView]:
    """The dates from today on for which a city has its own word, soonest first."""
    actor.require(Permission.KEEP_CITIES)
    _check_mine(actor, city_code)
    rows = session.scalars(
        select(SpecialDay)
        .where(SpecialDay.city_code == city_code, SpecialDay.on_day >= clock.today())
        .order_by(SpecialDay.on_day)
    )
    return [SpecialDayView(row.id, row.on_day, row.kind, row.words) for row in rows]


def set_special_day(
    session: Session, actor: Actor, city_code: str, day: date, kind: DayKind, why: str
) -> None:
    """Say what a date is in one of the actor's cities, over what was said before."""
    actor.require(Permission.KEEP_CITIES)
    _hold(session, actor, city_code)
    calendars.check_day(day)
    why = words(why, "day_words", MOST_DAY_WORDS, required=False)
    known = session.scalar(
        select(SpecialDay).where(SpecialDay.city_code == city_code, SpecialDay.on_day == day)
    )
    before = None if known is None else known.kind
    if known is None:
        known = SpecialDay(created_at=clock.now(), city_code=city_code, on_day=day)
        session.add(known)
    known.kind, known.words = kind, why
    session.flush()
    audit.record(
        session, actor, "set_special_day", "city", known.id, city=city_code,
        day=day.isoformat(), before=before, after=kind,
    )  # fmt: skip


def drop_special_day(session: Session, actor: Actor, special_day_id: int) -> None:
    """Let the calendar of holidays say again what a date is."""
    actor.require(Permission.KEEP_CITIES)
    special = session.get(SpecialDay, special_day_id, with_for_update=True)
    if special is None or special.city_code not in actor.cities:
        raise NotFound("error.special_day_not_found")
    audit.record(
        session, actor, "drop_special_day", "city", special.id, city=special.city_code,
        day=special.on_day.isoformat(), before=special.kind,
    )  # fmt: skip
    session.delete(special)


def _audit(session: Session, actor: Actor, action: str, closure: Closure) -> None:
    span = [f"{clock.in_city(at):%Y-%m-%dT%H:%M}" for at in (closure.starts_at, closure.ends_at)]
    audit.record(session, actor, action, "city", closure.id, city=closure.city_code, span=span)


def _hold(session: Session, actor: Actor, city_code: str) -> None:
    """Let nobody else say something of the city's days until the transaction ends."""
    _check_mine(actor, city_code)
    session.execute(select(City.id).where(City.code == city_code).with_for_update())


def _check_mine(actor: Actor, city_code: str) -> None:
    if city_code not in actor.cities:
        raise NotFound("error.city_not_found")
