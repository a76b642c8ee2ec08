"""The task hall: the open demands of a city as one caregiver sees them."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, or_, select, true
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import CareItem, ItemGroup, Skill
from data.cities import City
from data.demands import Application, ApplicationStatus, Demand, Invitation
from data.history import Noun
from data.pushes import DemandPush, PushedCaregiver, PushStatus
from data.recipients import Mobility, Recipient, Sex
from services import (
    announcements,
    availability,
    calendars,
    clock,
    courses,
    demands,
    gate,
    lifecycles,
    loads,
    open_plans,
    places,
    price_bounds,
    pricing,
    recipients,
    tariffs,
)
from services.access import Actor, Permission
from services.availability import Calendar, Obstacle, Pace, Taken
from services.open_plans import Fit, Rhythm
from services.pricing import Sheet

__all__ = ["ApplicationStatus", "HallFilter", "HallTask", "PlanTask"]

MOST_SHOWN = 100
AGE_BAND_YEARS = 10
# Rows, not objects: a hall of hundreds is read on every rerun.
_SHOWN_OF_DEMAND = (
    "id item_id district_code place_id cell starts_at ends_at units lowest_fen highest_fen "
    "skills words created_at rule until_on wished_sex"
).split()


@dataclass(frozen=True, slots=True)
class HallFilter:
    groups: tuple[ItemGroup, ...] = ()
    skills: tuple[Skill, ...] = ()
    days_ahead: int | None = None
    within_km: int | None = None
    only_fitting: bool = False


@dataclass(frozen=True, slots=True)
class PlanTask:
    """What is regular about a demand: how often, how many of its visits fit, 30 days in fen."""

    rhythm: Rhythm
    visits: int
    fitting: int
    lowest_month_fen: int
    highest_month_fen: int


@dataclass(frozen=True, slots=True)
class PushedTask:
    """A push that told her, and what she would take the demand for: fen a unit, and in all."""

    push_id: int
    price_fen: int
    total_fen: int


@dataclass(frozen=True, slots=True)
class HallTask:
    """A demand as caregivers see it: a neighbourhood and an age band, never a home or a name."""

    id: int
    item_id: int
    district_code: str
    place_id: int | None
    cell: str
    distance: places.DistanceBand
    starts_at: datetime
    ends_at: datetime
    units: int
    lowest_fen: int
    highest_fen: int
    lowest_total_fen: int
    highest_total_fen: int
    skills: tuple[Skill, ...]
    words: str
    wished_sex: Sex | None
    recipient_sex: Sex
    recipient_age_from: int
    recipient_mobility: Mobility
    missing_certificates: tuple[str, ...]
    invited: bool
    push: PushedTask | None
    travel_minutes: int
    obstacles: tuple[Obstacle, ...]
    plan: PlanTask | None
    my_application: ApplicationStatus | None
    my_price_fen: int | None
    posted_at: datetime
    open_moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hall:
    """How many open demands pass, a hundred at most, and the first of them."""

    count: int
    shown: list[HallTask]


@dataclass(frozen=True, slots=True)
class _Looking:
    """Who looks, and what of her and her city a demand is held against; read once for all."""

    actor: Actor
    me: Caregiver
    city: City
    rules: Pace
    plan: Calendar
    taken: Sequence[Taken]
    sheet: Sheet
    sex: Sex


def tasks(session: Session, actor: Actor, wanted: HallFilter, limit: int = MOST_SHOWN) -> Hall:
    """The open demands of the actor's city that pass, soonest first.

    Those she was told of by a push come first, then those she is invited to, whatever else she
    wants to see.
    """
    actor.require(Permission.BROWSE_HALL)
    me = session.get(Caregiver, actor.id)
    if me is None or me.status is not CaregiverStatus.APPROVED:
        return Hall(0, [])
    held = announcements.certificates_of(session, me.id)
    looking = _looking(session, actor, me)
    needed = {
        item_id: tuple(kind for kind in required if kind not in held)
        for item_id, required in session.execute(
            select(CareItem.id, CareItem.required_certificates)
        )
    }
    query = _open_to(actor).where(
        or_(DemandPush.id.is_not(None), Invitation.id.is_not(None), _asked_for(wanted))
    )
    distances: dict[str, float] = {}
    count, shown = 0, list[HallTask]()
    for row in session.execute(query.execution_options(yield_per=MOST_SHOWN)):
        if row.cell not in distances:
            distances[row.cell] = places.distance_km(me.cell, row.cell)
        too_far = wanted.within_km is not None and distances[row.cell] > wanted.within_km
        called = row.invited or row.push_id is not None
        if not called and (too_far or not set(wanted.skills) <= set(row.skills)):
            continue
        missing = needed[row.item_id]
        waiting = row.application_status is ApplicationStatus.SUBMITTED
        must_fit = wanted.only_fitting and not waiting and not called
        if must_fit and missing:
            continue
        obstacles, fit = _in_the_way(row, looking)
        if must_fit and (obstacles if fit is None else not fit.fitting):
            continue
        count += 1
        if len(shown) < limit:
            task = _task(row, looking, distances[row.cell], missing, obstacles, fit)
            shown.append(_pushed(session, row, looking, task))
        if count == MOST_SHOWN:
            break
    return Hall(count, shown)


def _looking(session: Session, actor: Actor, me: Caregiver) -> _Looking:
    city = courses.city_of(session, me.city_code)
    now = clock.now()
    latest = now + timedelta(days=city.horizon_days + city.plan_ahead_days) + calendars.A_WEEK
    return _Looking(
        actor,
        me,
        city,
        availability.pace(city),
        calendars.around(session, [me.id], now, latest)[me.id],
        # This week's hours count from its Monday on, and a night before the first visit.
        gate.taken(session, me.id, now - calendars.A_WEEK, latest),
        tariffs.around(session, me.city_code, now, latest),
        me.sex,
    )


def _open_to(actor: Actor) -> Select[*tuple[Any, ...]]:
    """The open demands with whom they are for and what is between them and the caregiver."""
    return (
        demands.visible_to(actor)
        .with_only_columns(
            *(getattr(Demand, name) for name in _SHOWN_OF_DEMAND),
            Recipient.sex,
            Recipient.birth_date,
            Recipient.mobility,
            Application.status.label("application_status"),
            Application.price_fen,
            Invitation.id.is_not(None).label("invited"),
            DemandPush.id.label("push_id"),
        )
        .join(Recipient, Recipient.id == Demand.recipient_id)
        .outerjoin(
            Application,
            (Application.demand_id == Demand.id) & (Application.caregiver_id == actor.id),
        )
        .outerjoin(
            Invitation,
            (Invitation.demand_id == Demand.id) & (Invitation.caregiver_id == actor.id),
        )
        .outerjoin(
            DemandPush,
            (DemandPush.demand_id == Demand.id)
            & (DemandPush.status == PushStatus.UNDER_WAY)
            & _told(actor).exists(),
        )
        .order_by(DemandPush.id.is_(None), Invitation.id.is_(None), Demand.starts_at, Demand.id)
    )


def _told(actor: Actor) -> Select[int]:
    """That a push told her, and she has not said no."""
    return select(PushedCaregiver.id).where(
        PushedCaregiver.push_id == DemandPush.id,
        PushedCaregiver.caregiver_id == actor.id,
        PushedCaregiver.said_no_at.is_(None),
    )


def _in_the_way(
    row: Row[*tuple[Any, ...]], looking: _Looking
) -> tuple[tuple[Obstacle, ...], Fit | None]:
    """What stands in the way of a visit, or how much of a plan fits, as far as it is made ahead."""
    if row.rule is not None:
        laid = open_plans.spread(
            row,
            row.lowest_fen,
            looking.city,
            looking.plan,
            looking.taken,
            looking.sheet,
            ahead=True,
        )
        return (), open_plans.fit(laid)
    visit = Taken(row.starts_at, row.ends_at, row.cell)
    near = _within_a_week(looking.taken, visit)
    return availability.obstacles(looking.plan, looking.rules, near, visit), None


def _within_a_week(taken: Sequence[Taken], wanted: Taken) -> Sequence[Taken]:
    """Of the visits that take time, soonest first, those that can matter to one that is wanted."""
    since, until = wanted.starts_at - calendars.A_WEEK, wanted.ends_at + calendars.A_WEEK
    first = bisect_left(taken, since, key=attrgetter("ends_at"))
    return taken[first : bisect_left(taken, until, key=attrgetter("starts_at"))]


def _task(
    row: Row[*tuple[Any, ...]],
    looking: _Looking,
    kilometres: float,
    missing: tuple[str, ...],
    obstacles: tuple[Obstacle, ...],
    fit: Fit | None,
) -> HallTask:
    band, unwished = places.band(kilometres), row.wished_sex not in (None, looking.sex)
    years = recipients.age(row.birth_date)
    can = bool(fit.fitting) if fit else Obstacle.BUSY not in obstacles
    return HallTask(
        id=row.id,
        item_id=row.item_id,
        district_code=row.district_code,
        place_id=row.place_id,
        cell=row.cell,
        distance=band,
        travel_minutes=loads.travel_minutes(band, looking.rules.travel_kmh),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        units=row.units,
        lowest_fen=row.lowest_fen,
        highest_fen=row.highest_fen,
        lowest_total_fen=_total(looking.sheet, row, row.lowest_fen),
        highest_total_fen=_total(looking.sheet, row, row.highest_fen),
        skills=tuple(Skill(skill) for skill in row.skills),
        words=row.words,
        wished_sex=row.wished_sex,
        recipient_sex=row.sex,
        recipient_age_from=years // AGE_BAND_YEARS * AGE_BAND_YEARS,
        recipient_mobility=row.mobility,
        missing_certificates=missing,
        invited=row.invited,
        push=None,
        obstacles=obstacles,
        plan=_plan(row, fit, looking.sheet) if fit else None,
        my_application=row.application_status,
        my_price_fen=row.price_fen,
        posted_at=row.created_at,
        open_moves=_open_moves(
            looking.actor, row.application_status, barred=bool(missing) or unwished or not can
        ),
    )


def _pushed(
    session: Session, row: Row[*tuple[Any, ...]], looking: _Looking, task: HallTask
) -> HallTask:
    """The same with the push that told her, while she asks no more than the family pays."""
    if row.push_id is None or task.my_application is ApplicationStatus.SUBMITTED:
        return task
    asked_fen = price_bounds.asked(session, looking.me, row.item_id)
    if asked_fen is None or asked_fen > row.highest_fen:
        return task
    price_fen = max(asked_fen, row.lowest_fen)
    total_fen = _total(looking.sheet, row, price_fen)
    return replace(task, push=PushedTask(row.push_id, price_fen, total_fen))


def _plan(row: Row[*tuple[Any, ...]], fit: Fit, sheet: Sheet) -> PlanTask | None:
    if (rhythm := open_plans.rhythm(row)) is None:
        return None
    return PlanTask(
        rhythm,
        fit.visits,
        fit.fitting,
        open_plans.month_fen(row, row.lowest_fen, sheet),
        open_plans.month_fen(row, row.highest_fen, sheet),
    )


def _total(sheet: Sheet, row: Row[*tuple[Any, ...]], price_fen: int) -> int:
    """The whole visit at a price in fen per unit."""
    span = row.starts_at, row.ends_at
    return pricing.price(sheet, price_fen, row.units, *span, 0, row.created_at).total_fen


def _asked_for(wanted: HallFilter) -> ColumnElement[bool]:
    """What of the wish the database can tell."""
    asked: list[ColumnElement[bool]] = [true()]
    if wanted.groups:
        of_groups = select(CareItem.id).where(CareItem.group.in_(wanted.groups))
        asked.append(Demand.item_id.in_(of_groups))
    if wanted.days_ahead is not None:
        asked.append(Demand.starts_at < clock.now() + timedelta(days=wanted.days_ahead))
    return and_(*asked)


def _open_moves(actor: Actor, mine: ApplicationStatus | None, *, barred: bool) -> tuple[str, ...]:
    """What the caregiver may do about a demand: apply, apply again or withdraw."""
    if mine is None:
        return () if barred else ("apply",)
    hers = ("withdraw",) if barred else ("withdraw", "apply_again")
    moves = lifecycles.open_moves(Noun.APPLICATION, mine, actor)
    return tuple(move for move in moves if move in hers)
