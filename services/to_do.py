"""What waits for the operator: counts and ages, most urgent first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.caregivers import Caregiver, CaregiverStatus
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun, StatusChange
from data.orders import Order, Visit, VisitStatus
from services import clock
from services.access import Actor, Permission

LATE_AFTER = timedelta(minutes=15)
UNREDEEMED_AFTER = timedelta(days=1)


class ToDoKind(StrEnum):
    APPLICATIONS = "applications"
    CAREGIVERS = "caregivers"
    UNANSWERED = "unanswered"
    LATE = "late"
    LOCKED = "locked"
    UNREDEEMED = "unredeemed"


@dataclass(frozen=True, slots=True)
class ToDo:
    """How many things of a kind wait, and since when the oldest does (None: none waits)."""

    kind: ToDoKind
    count: int
    since: datetime | None


@dataclass(frozen=True, slots=True)
class Figure:
    """The last seven days, today last, and what today is compared with."""

    days: tuple[int, ...]
    yesterday: int


@dataclass(frozen=True, slots=True)
class DayFigures:
    """A city's day: what happened so far against yesterday at this hour; visits are whole days."""

    posted: Figure
    confirmed: Figure
    redeemed: Figure
    visits: Figure
    open_now: int


def today(session: Session, actor: Actor) -> list[ToDo]:
    """Everything that waits for this operator."""
    actor.require(Permission.SEE_TO_DO)
    now = clock.now()
    open_demands = (
        Demand.city_code.in_(actor.cities),
        Demand.status == DemandStatus.OPEN,
        Demand.starts_at > now,
    )
    applied = (
        select(func.count(Demand.id.distinct()), func.min(Application.created_at))
        .join(Demand, Demand.id == Application.demand_id)
        .where(Application.status == ApplicationStatus.SUBMITTED, *open_demands)
    )
    unanswered = select(func.count(Demand.id), func.min(Demand.created_at)).where(
        *open_demands, nobody_to_choose()
    )
    submitted = (
        select(func.max(StatusChange.created_at).label("at"))
        .join(Caregiver, Caregiver.id == StatusChange.subject_id)
        .where(
            StatusChange.noun == Noun.CAREGIVER,
            StatusChange.new_status == CaregiverStatus.SUBMITTED,
            Caregiver.city_code.in_(actor.cities),
            Caregiver.status == CaregiverStatus.SUBMITTED,
        )
        .group_by(Caregiver.id)
        .subquery()
    )
    queries: dict[ToDoKind, Select[int, Any]] = {
        ToDoKind.APPLICATIONS: applied,
        ToDoKind.LATE: _visits(actor, ToDoKind.LATE),
        ToDoKind.LOCKED: _visits(actor, ToDoKind.LOCKED),
        ToDoKind.CAREGIVERS: select(func.count(), func.min(submitted.c.at)),
        ToDoKind.UNANSWERED: unanswered,
        ToDoKind.UNREDEEMED: _visits(actor, ToDoKind.UNREDEEMED),
    }
    return [
        ToDo(kind, count, since)
        for kind, query in queries.items()
        for count, since in session.execute(query)
    ]


def nobody_to_choose() -> ColumnElement[bool]:
    """The condition under which no caregiver offers themselves for a demand."""
    return (
        ~select(Application.id)
        .where(
            Application.demand_id == Demand.id, Application.status == ApplicationStatus.SUBMITTED
        )
        .exists()
    )


def visit_waits(kind: ToDoKind) -> ColumnElement[bool]:
    """The condition under which a visit needs somebody: late, locked or not redeemed."""
    now = clock.now()
    match kind:
        case ToDoKind.LATE:
            return and_(Visit.status == VisitStatus.PLANNED, Visit.starts_at < now - LATE_AFTER)
        case ToDoKind.LOCKED:
            return and_(Visit.status == VisitStatus.FINISHED, Visit.locked_until > now)
        case ToDoKind.UNREDEEMED:
            done = Visit.checked_out_at < now - UNREDEEMED_AFTER
            return and_(Visit.status == VisitStatus.FINISHED, done)
        case _:
            return false()


def figures(session: Session, actor: Actor) -> DayFigures:
    """The last seven days of this operator's cities, today last."""
    actor.require(Permission.SEE_TO_DO)
    orders = Order.city_code.in_(actor.cities)
    demands = Demand.city_code.in_(actor.cities)
    # As a condition, not a join: SQLite would walk through every order there ever was.
    in_my_cities = select(Order.id).where(Order.id == Visit.order_id, orders).exists()
    held = Visit.status.in_([status for status in VisitStatus if status != VisitStatus.CANCELLED])
    return DayFigures(
        posted=_by_day(session, Demand.created_at, demands),
        confirmed=_by_day(session, Order.created_at, orders),
        redeemed=_by_day(session, Visit.redeemed_at, in_my_cities),
        visits=_by_day(session, Visit.starts_at, in_my_cities, held, whole_days=True),
        open_now=session.scalar(
            select(func.count(Demand.id)).where(
                demands, Demand.status == DemandStatus.OPEN, Demand.starts_at > clock.now()
            )
        )
        or 0,
    )


def _visits(actor: Actor, kind: ToDoKind) -> Select[int, Any]:
    return (
        select(func.count(Visit.id), func.min(Visit.starts_at))
        .join(Order, Order.id == Visit.order_id)
        .where(Order.city_code.in_(actor.cities), visit_waits(kind))
    )


def _by_day(
    session: Session,
    moment: InstrumentedAttribute[datetime] | InstrumentedAttribute[datetime | None],
    *conditions: ColumnElement[bool],
    whole_days: bool = False,
) -> Figure:
    midnight = clock.in_city(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight - timedelta(days=back) for back in range(6, -2, -1)]
    day = case(*((moment < end, number) for number, end in enumerate(starts[1:])))
    until = starts[-2] if whole_days else clock.now() - timedelta(days=1)
    counted = session.execute(
        select(day.label("day"), func.count(), func.count().filter(moment < until))
        .where(moment >= starts[0], moment < starts[-1], *conditions)
        .group_by("day")
    )
    figures = {number: (count, by_then) for number, count, by_then in counted}
    days = tuple(figures.get(number, (0, 0))[0] for number in range(7))
    return Figure(days=days, yesterday=figures.get(5, (0, 0))[1])
