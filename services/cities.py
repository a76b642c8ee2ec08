"""The opened cities: their settings, what goes on in them, and opening, pausing, closing them."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from data.accounts import Account, AccountRole, AccountStatus
from data.caregivers import Caregiver, CaregiverStatus
from data.cities import City, CityStatus
from data.demands import Demand, DemandStatus
from data.history import Noun
from data.orders import WAITING, Order, OrderStatus, Visit
from data.regions import RegionLevel
from services import audit, clock, lifecycles, regions, visits
from services.access import Actor, Permission, Role
from services.errors import Conflict, Invalid, NotFound
from services.wording import words

__all__ = ["CityStatus"]

MOST_LISTED = 20
# The fewest and the most each setting may be.
LIMITS = {
    "redeem_lock_minutes": (1, 1440),
    "rejected_document_days": (1, 3650),
    "document_days": (30, 3650),
    "redeem_reminder_hours": (1, 168),
    "expiry_days": (1, 180),
    "photo_days": (1, 3650),
    "answer_minutes": (1, 24 * 60),
}
# Hours before a visit at which both sides may be reminded, and how many of them.
REMINDER_HOURS = (1, 2, 4, 12, 24, 48, 72)
MOST_REMINDERS = 3
# 0513-8500-1234, (0513) 85001234, 400 800 1234, 12345.
_HOTLINE = re.compile(r"\+?[0-9(][0-9 ()-]{3,}[0-9]")


@dataclass(frozen=True, slots=True)
class CityView:
    code: str
    name_zh: str
    name_en: str
    status: CityStatus
    hotline: str
    horizon_days: int


@dataclass(frozen=True, slots=True)
class CitySettings:
    """What an operator may set at once, hours in minutes of the day; the rules are elsewhere."""

    hotline: str
    redeem_lock_minutes: int
    operator_approves: bool
    verify_customers: bool
    rejected_document_days: int
    document_days: int
    redeem_reminder_hours: int
    expiry_days: int
    reminder_hours: tuple[int, ...]
    photo_days: int
    desk_from_minute: int
    desk_until_minute: int
    answer_minutes: int


@dataclass(frozen=True, slots=True)
class KeptCity:
    """A city as its operators see it."""

    code: str
    status: CityStatus
    settings: CitySettings
    open_orders: int
    open_demands: int
    caregivers: int
    customers: int
    open_moves: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenOrder:
    number: int
    starts_at: datetime
    caregiver_name: str


@dataclass(frozen=True, slots=True)
class Consequences:
    """What is under way in a city: the next orders, and how many of everything."""

    orders: tuple[OpenOrder, ...]
    open_orders: int
    open_demands: int
    requests: int


def opened(session: Session) -> list[CityView]:
    """The cities a family can choose, by code; public."""
    return [_view(city) for city in session.scalars(_OPENED)]


_OPENED = select(City).where(City.status != CityStatus.CLOSED).order_by(City.code)


def furthest_horizon(session: Session) -> int:
    """How many days ahead any city a family can choose takes visits; public."""
    furthest = func.max(City.horizon_days)
    return session.scalar(select(furthest).where(City.status != CityStatus.CLOSED)) or 1


def open_city(session: Session, code: str) -> City:
    """The settings of a city that takes new work, or a refusal; nobody closes it meanwhile."""
    city = session.scalar(select(City).where(City.code == code).with_for_update(read=True))
    if city is None or city.status is not CityStatus.OPEN:
        raise Conflict("error.city_not_open")
    return city


def mine(session: Session, actor: Actor) -> list[KeptCity]:
    """The actor's own cities with their settings and figures, by code."""
    actor.require(Permission.KEEP_CITIES)
    cities = session.scalars(_visible_to(actor).order_by(City.code)).all()
    orders = _by_city(session, actor, Order.city_code, _is_open_order())
    demands = _by_city(session, actor, Demand.city_code, _is_open_demand())
    caregivers = _by_city(
        session, actor, Caregiver.city_code, Caregiver.status == CaregiverStatus.APPROVED
    )
    customers = _by_city(session, actor, Account.city_code, _is_customer())
    return [
        KeptCity(
            code=city.code,
            status=city.status,
            settings=_settings(city),
            open_orders=orders.get(city.code, 0),
            open_demands=demands.get(city.code, 0),
            caregivers=caregivers.get(city.code, 0),
            customers=customers.get(city.code, 0),
            open_moves=lifecycles.open_moves(Noun.CITY, city.status, actor),
        )
        for city in cities
    ]


def consequences(session: Session, actor: Actor, code: str) -> Consequences:
    """What is under way in one of the actor's cities; the orders with the next visits first."""
    actor.require(Permission.KEEP_CITIES)
    city = _reach(session, actor, code)
    rows = session.execute(
        select(Order.id, Visit.starts_at, Account.name)
        .join_from(Order, Visit, Visit.id == visits.FOREMOST)
        .join(Account, Account.id == Visit.caregiver_id)
        .where(Order.city_code == city.code, _is_open_order())
        .order_by(Visit.starts_at, Order.id)
        .limit(MOST_LISTED)
    )
    return Consequences(
        orders=tuple(OpenOrder(*row) for row in rows),
        open_orders=_count(session, Order.city_code == city.code, _is_open_order()),
        open_demands=_count(session, Demand.city_code == city.code, _is_open_demand()),
        requests=_count(session, Order.city_code == city.code, Order.status.in_(WAITING)),
    )


def keep_settings(session: Session, actor: Actor, code: str, form: CitySettings) -> None:
    """Change the settings of one of the actor's cities; orders keep what they were made with."""
    actor.require(Permission.KEEP_CITIES)
    city = _reach(session, actor, code, lock=True)
    hotline = _hotline(form.hotline)
    for field, (fewest, most) in LIMITS.items():
        _check_range(field, getattr(form, field), fewest, most)
    if not 0 <= form.desk_from_minute < form.desk_until_minute <= 24 * 60:
        raise Invalid("error.desk_hours")
    reminders = sorted(set(form.reminder_hours), reverse=True)
    if not set(reminders) <= set(REMINDER_HOURS) or len(reminders) > MOST_REMINDERS:
        raise Invalid("error.reminders_out_of_range", most=MOST_REMINDERS)
    wanted = asdict(form) | {"hotline": hotline, "reminder_hours": reminders}
    changed = {field: value for field, value in wanted.items() if getattr(city, field) != value}
    if not changed:
        return
    before = {field: getattr(city, field) for field in changed}
    for field, value in changed.items():
        setattr(city, field, value)
    audit.record(
        session, actor, "change_city_settings", "city", city.id, before=before, after=changed
    )


def move(session: Session, actor: Actor, code: str, name: str) -> None:
    """Pause, resume, close or reopen one of the actor's cities; nothing open may be closed over."""
    actor.require(Permission.KEEP_CITIES)
    city = _reach(session, actor, code, lock=True)
    if name == "close":
        _check_nothing_open(session, city)
    lifecycles.take(session, actor, Noun.CITY, city, name)
    audit.record(session, actor, f"{name}_city", "city", city.id)


def add(session: Session, actor: Actor, code: str, hotline: str) -> None:
    """Open a city of the national list; who opens it is its first operator."""
    actor.require(Permission.KEEP_CITIES)
    path = regions.path(code)
    if not path or path[-1].level is not RegionLevel.CITY:
        raise NotFound("error.city_not_found")
    city = City(created_at=clock.now(), code=code, hotline=_hotline(hotline))
    try:
        with session.begin_nested():
            session.add(city)
    except IntegrityError:
        raise Conflict("error.city_exists") from None
    session.add(
        AccountRole(created_at=clock.now(), account_id=actor.id, role=Role.OPERATOR, city_code=code)
    )
    session.flush()
    lifecycles.begin(session, actor, Noun.CITY, city, "open")
    audit.record(session, actor, "open_city", "city", city.id)


def _check_nothing_open(session: Session, city: City) -> None:
    """What would be left behind in a closed city: confirmed orders, requests and demands."""
    here = Order.city_code == city.code
    if count := _count(session, here, _is_open_order()):
        raise Conflict("error.city_has_orders", count=count)
    if count := _count(session, here, Order.status.in_(WAITING)):
        raise Conflict("error.city_has_requests", count=count)
    if count := _count(session, Demand.city_code == city.code, _is_open_demand()):
        raise Conflict("error.city_has_demands", count=count)


def _check_range(field: str, value: int, fewest: int, most: int) -> None:
    if not fewest <= value <= most:
        raise Invalid("error.number_out_of_range", field=field, fewest=fewest, most=most)


def _hotline(typed: str) -> str:
    hotline = words(typed, "hotline", 20)
    if not _HOTLINE.fullmatch(hotline):
        raise Invalid("error.hotline_invalid")
    return hotline


def _is_open_order() -> ColumnElement[bool]:
    return Order.status == OrderStatus.CONFIRMED


def _is_open_demand() -> ColumnElement[bool]:
    return (Demand.status == DemandStatus.OPEN) & (Demand.starts_at > clock.now())


def _is_customer() -> ColumnElement[bool]:
    held = exists().where(AccountRole.account_id == Account.id, AccountRole.role == Role.CUSTOMER)
    return held & (Account.status == AccountStatus.ACTIVE)


def _count(session: Session, *conditions: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(*conditions)) or 0


def _by_city(
    session: Session,
    actor: Actor,
    city_code: InstrumentedAttribute[str] | InstrumentedAttribute[str | None],
    condition: ColumnElement[bool],
) -> dict[str | None, int]:
    """How many rows each of the actor's cities has."""
    counted = session.execute(
        select(city_code, func.count())
        .where(city_code.in_(actor.cities), condition)
        .group_by(city_code)
    )
    return dict(counted.all())


def _settings(city: City) -> CitySettings:
    return CitySettings(
        hotline=city.hotline,
        redeem_lock_minutes=city.redeem_lock_minutes,
        operator_approves=city.operator_approves,
        verify_customers=city.verify_customers,
        rejected_document_days=city.rejected_document_days,
        document_days=city.document_days,
        redeem_reminder_hours=city.redeem_reminder_hours,
        expiry_days=city.expiry_days,
        reminder_hours=tuple(city.reminder_hours),
        photo_days=city.photo_days,
        desk_from_minute=city.desk_from_minute,
        desk_until_minute=city.desk_until_minute,
        answer_minutes=city.answer_minutes,
    )


def _view(city: City) -> CityView:
    region = regions.region(city.code)
    return CityView(
        city.code,
        region.name_zh,
        region.name_en,
        city.status,
        city.hotline,
        city.horizon_days,
    )


def _reach(session: Session, actor: Actor, code: str, *, lock: bool = False) -> City:
    query = _visible_to(actor).where(City.code == code)
    city = session.scalar(query.with_for_update() if lock else query)
    if city is None:
        raise NotFound("error.city_not_found")
    return city


def _visible_to(actor: Actor) -> Select[City]:
    """A city belongs to its own operators."""
    return select(City).where(City.code.in_(actor.cities))
