"""The task hall: the open demands of a city as one caregiver sees them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus
from data.catalogue import CareItem, ItemGroup, Skill
from data.demands import Application, ApplicationStatus, Demand
from data.history import Noun
from data.recipients import Mobility, Recipient, Sex
from services import announcements, clock, demands, gate, lifecycles, places, recipients
from services.access import Actor, Permission

__all__ = ["ApplicationStatus", "HallFilter", "HallTask"]

MOST_SHOWN = 200
AGE_BAND_YEARS = 10


@dataclass(frozen=True, slots=True)
class HallFilter:
    groups: tuple[ItemGroup, ...] = ()
    skills: tuple[Skill, ...] = ()
    days_ahead: int | None = None
    within_km: int | None = None
    only_fitting: bool = False


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
    skills: tuple[Skill, ...]
    words: str
    recipient_sex: Sex
    recipient_age_from: int
    recipient_mobility: Mobility
    missing_certificates: tuple[str, ...]
    in_my_hours: bool
    clashes: bool
    my_application: ApplicationStatus | None
    my_price_fen: int | None
    posted_at: datetime
    open_moves: tuple[str, ...]


def tasks(session: Session, actor: Actor, wanted: HallFilter) -> list[HallTask]:
    """The open demands of the actor's city that pass the filter, soonest first."""
    actor.require(Permission.BROWSE_HALL)
    me = session.get(Caregiver, actor.id)
    if me is None or me.status is not CaregiverStatus.APPROVED:
        return []
    session.refresh(me, ["weekly_hours"])
    held = announcements.certificates_of(session, me.id)
    taken = gate.taken(session, me.id, clock.now())
    query = (
        demands.visible_to(actor)
        .add_columns(Recipient, CareItem, Application)
        .join(Recipient, Recipient.id == Demand.recipient_id)
        .join(CareItem, CareItem.id == Demand.item_id)
        .outerjoin(
            Application,
            (Application.demand_id == Demand.id) & (Application.caregiver_id == actor.id),
        )
        .order_by(Demand.starts_at, Demand.id)
        .limit(MOST_SHOWN)
    )
    if wanted.groups:
        query = query.where(CareItem.group.in_(wanted.groups))
    if wanted.days_ahead is not None:
        query = query.where(Demand.starts_at < clock.now() + timedelta(days=wanted.days_ahead))
    found = []
    for demand, recipient, item, mine in session.execute(query):
        distance = places.distance_km(me.cell, demand.cell)
        if wanted.within_km is not None and distance > wanted.within_km:
            continue
        if not set(wanted.skills) <= set(demand.skills):
            continue
        years = recipients.age(recipient.birth_date)
        missing = tuple(kind for kind in item.required_certificates if kind not in held)
        in_my_hours = demands.in_hours(me, demand.starts_at, demand.ends_at)
        clashes = any(
            starts_at < demand.ends_at and ends_at > demand.starts_at
            for starts_at, ends_at in taken
        )
        fits = in_my_hours and not clashes and not missing
        waiting = mine is not None and mine.status is ApplicationStatus.SUBMITTED
        if wanted.only_fitting and not fits and not waiting:
            continue
        task = HallTask(
            id=demand.id,
            item_id=demand.item_id,
            district_code=demand.district_code,
            place_id=demand.place_id,
            cell=demand.cell,
            distance=places.band(distance),
            starts_at=demand.starts_at,
            ends_at=demand.ends_at,
            units=demand.units,
            lowest_fen=demand.lowest_fen,
            highest_fen=demand.highest_fen,
            skills=tuple(Skill(skill) for skill in demand.skills),
            words=demand.words,
            recipient_sex=recipient.sex,
            recipient_age_from=years // AGE_BAND_YEARS * AGE_BAND_YEARS,
            recipient_mobility=recipient.mobility,
            missing_certificates=missing,
            in_my_hours=in_my_hours,
            clashes=clashes,
            my_application=mine.status if mine else None,
            my_price_fen=mine.price_fen if mine else None,
            posted_at=demand.created_at,
            open_moves=_open_moves(actor, mine, barred=bool(missing) or clashes),
        )
        found.append(task)
    return found


def _open_moves(actor: Actor, mine: Application | None, *, barred: bool) -> tuple[str, ...]:
    """What the caregiver may do about a demand: apply, apply again or withdraw."""
    if mine is None:
        moves = ("apply",)
    else:
        moves = lifecycles.open_moves(Noun.APPLICATION, mine.status, actor)
    return tuple(move for move in moves if move == "withdraw" or not barred)
