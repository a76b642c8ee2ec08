"""Open work: the demands nobody makes yet, and the visits that somebody else must make."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, exists, false, func, or_, select
from sqlalchemy.orm import Session, aliased

from data.catalogue import CareItem
from data.demands import Demand, DemandStatus
from data.orders import STANDING, Order, Visit, VisitStatus
from data.recipients import Mobility, Recipient
from services import clock, recurrence, to_do
from services.to_do import ToDoKind

A_DAY = timedelta(days=1)
_PLANNED = VisitStatus.PLANNED


@dataclass(frozen=True, slots=True)
class Scope:
    """Which work of a city: from first to last day, in some districts, of some items, or in all.

    `movable`: also visits that somebody is to make, who may give them up to somebody else.
    `hourly`: no live-in care.
    """

    city_code: str
    first_on: date
    last_on: date
    district_codes: tuple[str, ...] = ()
    item_ids: tuple[int, ...] = ()
    movable: bool = False
    hourly: bool = False

    @property
    def since(self) -> datetime:
        return max(recurrence.moment(self.first_on, 0), clock.now())

    @property
    def until(self) -> datetime:
        return recurrence.moment(self.last_on + A_DAY, 0)


@dataclass(frozen=True, slots=True)
class Work:
    """One demand or one visit with what it asks; `before_id` is who is to make it so far.

    Prices are in fen per unit. One that is `sought` needs somebody; another only may change hands.
    """

    demand_id: int | None
    visit_id: int | None
    before_id: int | None
    sought: bool
    customer_id: int
    recipient_id: int
    item_id: int
    district_code: str
    cell: str
    starts_at: datetime
    ends_at: datetime
    units: int
    lowest_fen: int
    highest_fen: int
    skills: tuple[str, ...]
    wished_sex: str | None
    language: str
    mobility: Mobility
    required_certificates: tuple[str, ...]

    @property
    def live_in(self) -> bool:
        return self.ends_at - self.starts_at >= A_DAY

    @property
    def key(self) -> tuple[int | None, int | None]:
        return self.demand_id, self.visit_id


def of_demand(session: Session, demand: Demand) -> Work | None:
    """An open demand for one visit that is ahead, as work; None if it is no such."""
    row = session.execute(_demands(_day_of(demand)).where(Demand.id == demand.id)).one_or_none()
    return _of_demand(row) if row else None


def _day_of(demand: Demand) -> Scope:
    """All of a city on the day of a demand."""
    day = clock.in_city(demand.starts_at).date()
    return Scope(demand.city_code, day, day, item_ids=(demand.item_id,))


def find(session: Session, scope: Scope) -> list[Work]:
    """All open work of a scope, soonest first."""
    demands = [_of_demand(row) for row in session.execute(_demands(scope))]
    visits = [_of_visit(row) for row in session.execute(_of_visits(*_sought(scope)))]
    found = [one for one in (*demands, *visits) if not (scope.hourly and one.live_in)]
    return sorted(found, key=lambda one: (one.starts_at, one.demand_id or 0, one.visit_id or 0))


def of_visit(session: Session, visit_id: int) -> Work:
    """A visit as work, whoever is to make it."""
    return _of_visit(session.execute(_of_visits(Visit.id == visit_id)).one())


def of_caregiver(session: Session, caregiver_id: int) -> list[Work]:
    """The visits of a caregiver that somebody else must make, asked already or not, soonest
    first."""
    hers = Visit.caregiver_id == caregiver_id, to_do.visit_waits(ToDoKind.LEAVES)
    rows = session.execute(_of_visits(*hers).order_by(Visit.starts_at, Visit.id))
    return [_of_visit(row) for row in rows]


def counts(session: Session, city_code: str, first: date, last: date) -> dict[date, int]:
    """How much work is open in a city on each day from first to last."""
    found = {first + number * A_DAY: 0 for number in range((last - first).days + 1)}
    scope = Scope(city_code, first, last)
    demands = select(Demand.starts_at).where(*_open(scope))
    visits = select(Visit.starts_at).join(Order, Order.id == Visit.order_id).where(*_sought(scope))
    for starts_at in (*session.scalars(demands), *session.scalars(visits)):
        found[clock.in_city(starts_at).date()] += 1
    return found


def plans_waiting(session: Session, city_code: str) -> int:
    """How many regular plans wait for a caregiver: they are chosen one by one, with their fits."""
    waiting = select(func.count(Demand.id)).where(
        Demand.city_code == city_code,
        Demand.status == DemandStatus.OPEN,
        Demand.rule.is_not(None),
        Demand.starts_at > clock.now(),
    )
    return session.scalar(waiting) or 0


def _open(scope: Scope) -> list[ColumnElement[bool]]:
    """What is true of the open demands of a scope."""
    asked = [
        Demand.city_code == scope.city_code,
        Demand.status == DemandStatus.OPEN,
        Demand.rule.is_(None),
        Demand.starts_at > scope.since,
        Demand.starts_at < scope.until,
    ]
    if scope.district_codes:
        asked.append(Demand.district_code.in_(scope.district_codes))
    if scope.item_ids:
        asked.append(Demand.item_id.in_(scope.item_ids))
    return asked


def _demands(scope: Scope) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Demand.id,
            Demand.customer_id,
            Demand.recipient_id,
            Demand.item_id,
            Demand.district_code,
            Demand.cell,
            Demand.starts_at,
            Demand.ends_at,
            Demand.units,
            Demand.lowest_fen,
            Demand.highest_fen,
            Demand.skills,
            Demand.wished_sex,
            Recipient.language,
            Recipient.mobility,
            CareItem.required_certificates,
        )
        .join(Recipient, Recipient.id == Demand.recipient_id)
        .join(CareItem, CareItem.id == Demand.item_id)
        .where(*_open(scope))
    )


def _sought(scope: Scope) -> list[ColumnElement[bool]]:
    """What is true of the visits of a scope that are to be given out, joined with their orders."""
    offer = aliased(Visit)
    asked_already = exists().where(
        offer.replaces_id == Visit.id, offer.status == VisitStatus.OFFERED
    )
    asked = [
        Order.city_code == scope.city_code,
        Visit.starts_at > scope.since,
        Visit.starts_at < scope.until,
        or_(to_do.visit_waits(ToDoKind.LEAVES), _movable() if scope.movable else false()),
        ~asked_already,
    ]
    if scope.district_codes:
        asked.append(Order.district_code.in_(scope.district_codes))
    if scope.item_ids:
        asked.append(Order.item_id.in_(scope.item_ids))
    return asked


def _of_visits(*asked: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return (
        select(
            Visit.id,
            Visit.caregiver_id,
            to_do.visit_waits(ToDoKind.LEAVES).label("sought"),
            Order.customer_id,
            Order.recipient_id,
            Order.item_id,
            Order.district_code,
            Visit.cell,
            Visit.starts_at,
            Visit.ends_at,
            Order.units,
            Order.unit_price_fen,
            Demand.skills,
            Demand.wished_sex,
            Recipient.language,
            Recipient.mobility,
            CareItem.required_certificates,
        )
        .join(Order, Order.id == Visit.order_id)
        .join(Demand, Demand.id == Order.demand_id)
        .join(Recipient, Recipient.id == Order.recipient_id)
        .join(CareItem, CareItem.id == Order.item_id)
        .where(*asked)
    )


def _movable() -> ColumnElement[bool]:
    return and_(Visit.status == _PLANNED, Order.status.in_(STANDING))


def _of_demand(row: Row[Any]) -> Work:
    return Work(
        demand_id=row.id,
        visit_id=None,
        before_id=None,
        sought=True,
        lowest_fen=row.lowest_fen,
        highest_fen=row.highest_fen,
        **_alike(row),
    )


def _of_visit(row: Row[Any]) -> Work:
    """Whoever makes a visit makes it for the price that was agreed."""
    return Work(
        demand_id=None,
        visit_id=row.id,
        before_id=row.caregiver_id,
        sought=row.sought,
        lowest_fen=row.unit_price_fen,
        highest_fen=row.unit_price_fen,
        **_alike(row),
    )


def _alike(row: Row[Any]) -> dict[str, Any]:
    return {
        "customer_id": row.customer_id,
        "recipient_id": row.recipient_id,
        "item_id": row.item_id,
        "district_code": row.district_code,
        "cell": row.cell,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "units": row.units,
        "skills": tuple(row.skills),
        "wished_sex": row.wished_sex,
        "language": row.language,
        "mobility": row.mobility,
        "required_certificates": tuple(row.required_certificates),
    }
