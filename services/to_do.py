"""What waits for the operator: counts and ages, most urgent first."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from data.caregivers import Caregiver, CaregiverStatus
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun, StatusChange
from data.orders import Order, Visit, VisitStatus
from services import clock
from services.access import Actor, Permission

LATE_AFTER = timedelta(minutes=15)


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
class DayFigures:
    """A city's day in four numbers, each with its last seven days, oldest first."""

    posted: tuple[int, ...]
    confirmed: tuple[int, ...]
    redeemed: tuple[int, ...]
    open_now: int
    visits_today: int


def today(session: Session, actor: Actor) -> list[ToDo]:
    """Everything that waits for this operator."""
    actor.require(Permission.SEE_TO_DO)
    now = clock.now()
    mine = Demand.city_code.in_(actor.cities)
    applied = (
        select(func.count(Demand.id.distinct()), func.min(Application.created_at))
        .join(Demand, Demand.id == Application.demand_id)
        .where(
            mine,
            Application.status == ApplicationStatus.SUBMITTED,
            Demand.status == DemandStatus.OPEN,
            Demand.starts_at > now,
        )
    )
    unanswered = select(func.count(Demand.id), func.min(Demand.created_at)).where(
        mine,
        Demand.status == DemandStatus.OPEN,
        Demand.starts_at > now,
        ~select(Application.id).where(Application.demand_id == Demand.id).exists(),
    )
    onboarding = (
        select(func.count(Caregiver.id.distinct()), func.max(StatusChange.created_at))
        .join(
            StatusChange,
            (StatusChange.noun == Noun.CAREGIVER)
            & (StatusChange.subject_id == Caregiver.id)
            & (StatusChange.new_status == CaregiverStatus.SUBMITTED),
        )
        .where(Caregiver.city_code.in_(actor.cities), Caregiver.status == CaregiverStatus.SUBMITTED)
    )
    visits = (
        select(func.count(Visit.id), func.min(Visit.starts_at))
        .join(Order, Order.id == Visit.order_id)
        .where(Order.city_code.in_(actor.cities))
    )
    late = visits.where(Visit.status == VisitStatus.PLANNED, Visit.starts_at < now - LATE_AFTER)
    locked = visits.where(Visit.status == VisitStatus.FINISHED, Visit.locked_until > now)
    unredeemed = visits.where(
        Visit.status == VisitStatus.FINISHED, Visit.checked_out_at < now - timedelta(days=1)
    )
    queries: dict[ToDoKind, Select[int, datetime]] = {
        ToDoKind.APPLICATIONS: applied,
        ToDoKind.LATE: late,
        ToDoKind.LOCKED: locked,
        ToDoKind.CAREGIVERS: onboarding,
        ToDoKind.UNANSWERED: unanswered,
        ToDoKind.UNREDEEMED: unredeemed,
    }
    return [
        ToDo(kind, count, since)
        for kind, query in queries.items()
        for count, since in session.execute(query)
    ]


def figures(session: Session, actor: Actor) -> DayFigures:
    """The last seven days of this operator's cities, today last."""
    actor.require(Permission.SEE_TO_DO)
    midnight = clock.in_city(clock.now()).replace(hour=0, minute=0, second=0, microsecond=0)
    first = midnight - timedelta(days=6)

    def by_day(moments: Select[datetime]) -> tuple[int, ...]:
        days = [0] * 7
        for moment in session.scalars(moments):
            days[(clock.in_city(moment).date() - first.date()).days] += 1
        return tuple(days)

    orders = select(Order.created_at).where(Order.city_code.in_(actor.cities))
    demands = select(Demand.created_at).where(Demand.city_code.in_(actor.cities))
    visits = (
        select(type_coerce(Visit.redeemed_at, UtcDateTime))
        .join(Order, Order.id == Visit.order_id)
        .where(Order.city_code.in_(actor.cities))
    )
    return DayFigures(
        posted=by_day(demands.where(Demand.created_at >= first)),
        confirmed=by_day(orders.where(Order.created_at >= first)),
        redeemed=by_day(visits.where(Visit.redeemed_at >= first)),
        open_now=session.scalar(
            select(func.count(Demand.id)).where(
                Demand.city_code.in_(actor.cities),
                Demand.status == DemandStatus.OPEN,
                Demand.starts_at > clock.now(),
            )
        )
        or 0,
        visits_today=session.scalar(
            select(func.count(Visit.id))
            .join(Order, Order.id == Visit.order_id)
            .where(
                Order.city_code.in_(actor.cities),
                Visit.starts_at >= midnight,
                Visit.starts_at < midnight + timedelta(days=1),
                Visit.status != VisitStatus.CANCELLED,
            )
        )
        or 0,
    )
