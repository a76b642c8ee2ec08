"""The task hall: the open demands of a city as one caregiver sees them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, or_, select, true
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import CareItem, ItemGroup, Skill
from data.cities import City
from data.demands import Application, ApplicationStatus, Demand, Invitation
from data.history import Noun
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
    pricing,
    recipients,
    tariffs,
)
from services.access import Actor, Permission
from services.availability import Calendar, Obstacle, Taken
from services.open_plans import Rhythm
from services.pricing import Sheet

__all__ = ["ApplicationStatus", "HallFilter", "HallTask", "PlanTask"]

MOST_SHOWN = 100
AGE_BAND_YEARS = 10
# Rows, not objects: a hall of hundreds is read on every rerun.
_SHOWN_OF_DEMAND = (
    "id item_id district_code place_id cell starts_at ends_at units lowest_fen highest_fen "
    "skills words created_at rule until_on"
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
    recipient_sex: Sex
    recipient_age_from: int
    recipient_mobility: Mobility
    missing_certificates: tuple[str, ...]
    invited: bool
    travel_minutes: int
    obstacles: tuple[Obstacle, ...]
    plan: PlanTask | None
    my_application: ApplicationStatus | None
    my_price_fen: int | None
    posted_at: datetime
    open_moves: tuple[str, ...]


def tasks(session: Session, actor: Actor, wanted: HallFilter) -> list[HallTask]:
    """The open demands of the actor's city that pass, soonest first, a hundred at most.

    Those she is invited to come before them, whatever else she wants to see.
    """
    actor.require(Permission.BROWSE_HALL)
    me = session.get(Caregiver, actor.id)
    if me is None or me.status is not CaregiverStatus.APPROVED:
        return []
    held = announcements.certificates_of(session, me.id)
    city = courses.city_of(session, me.city_code)
    rules = availability.pace(city)
    ahead = timedelta(days=city.plan_ahead_days)
    latest = clock.now() + rules.horizon + ahead + calendars.A_WEEK
    # This week's hours count from its Monday on, and a night before the first visit.
    taken = gate.taken(session, me.id, clock.now() - calendars.A_WEEK, latest)
    plan = calendars.around(session, [me.id], clock.now(), latest)[me.id]
    sheet = tariffs.around(session, me.city_code, clock.now(), latest)
    needed = {
        item_id: tuple(kind for kind in required if kind not in held)
        for item_id, required in session.execute(
            select(CareItem.id, CareItem.required_certificates)
        )
    }
    query = (
        demands.visible_to(actor)
        .with_only_columns(
            *(getattr(Demand, name) for name in _SHOWN_OF_DEMAND),
            Recipient.sex,
            Recipient.birth_date,
            Recipient.mobility,
            Application.status.label("application_status"),
            Application.price_fen,
            Invitation.id.is_not(None).label("invited"),
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
        .where(or_(Invitation.id.is_not(None), _asked_for(wanted)))
        .order_by(Invitation.id.is_(None), Demand.starts_at, Demand.id)
    )
    distances: dict[str, float] = {}
    found: list[HallTask] = []
    for row in session.execute(query.execution_options(yield_per=MOST_SHOWN)):
        if row.cell not in distances:
            distances[row.cell] = places.distance_km(me.cell, row.cell)
        too_far = wanted.within_km is not None and distances[row.cell] > wanted.within_km
        if not row.invited and (too_far or not set(wanted.skills) <= set(row.skills)):
            continue
        missing = needed[row.item_id]
        visit = Taken(row.starts_at, row.ends_at, row.cell)
        obstacles = availability.obstacles(plan, rules, taken, visit)
        task = _plan(row, city, plan, taken, sheet)
        can = bool(task.fitting) if task else Obstacle.BUSY not in obstacles
        fits = not missing and (can if task else not obstacles)
        waiting = row.application_status is ApplicationStatus.SUBMITTED
        if wanted.only_fitting and not fits and not waiting and not row.invited:
            continue
        band = places.band(distances[row.cell])
        years = recipients.age(row.birth_date)
        found.append(
            HallTask(
                id=row.id,
                item_id=row.item_id,
                district_code=row.district_code,
                place_id=row.place_id,
                cell=row.cell,
                distance=band,
                travel_minutes=loads.travel_minutes(band, rules.travel_kmh),
                starts_at=row.starts_at,
                ends_at=row.ends_at,
                units=row.units,
                lowest_fen=row.lowest_fen,
                highest_fen=row.highest_fen,
                lowest_total_fen=_total(sheet, row, row.lowest_fen),
                highest_total_fen=_total(sheet, row, row.highest_fen),
                skills=tuple(Skill(skill) for skill in row.skills),
                words=row.words,
                recipient_sex=row.sex,
                recipient_age_from=years // AGE_BAND_YEARS * AGE_BAND_YEARS,
                recipient_mobility=row.mobility,
                missing_certificates=missing,
                invited=row.invited,
                obstacles=() if task else obstacles,
                plan=task,
                my_application=row.application_status,
                my_price_fen=row.price_fen,
                posted_at=row.created_at,
                open_moves=_open_moves(
                    actor,
                    row.application_status,
                    barred=bool(missing) or not can,
                ),
            )
        )
        if len(found) == MOST_SHOWN:
            break
    return found


def _plan(
    row: Row[*tuple[Any, ...]], city: City, plan: Calendar, taken: list[Taken], sheet: Sheet
) -> PlanTask | None:
    """How a plan fits the caregiver's time, as far as the city makes visits ahead."""
    if (rhythm := open_plans.rhythm(row)) is None:
        return None
    fit = open_plans.fit(
        open_plans.spread(row, row.lowest_fen, city, plan, taken, sheet, ahead=True)
    )
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
    moves = ("apply",) if mine is None else lifecycles.open_moves(Noun.APPLICATION, mine, actor)
    return tuple(move for move in moves if move == "withdraw" or not barred)
