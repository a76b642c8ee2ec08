"""A city of a few years: fills the demo's database with orders by Core bulk inserts.

On top of the demo's stage, so that its sign-ins work and their pages hold realistic amounts. The
same seed, orders and time give the same rows; no two visits of a caregiver overlap.
"""

import random
import secrets
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.orm import DeclarativeBase

from data import database
from data.accounts import Account, AccountRole, Channel, Role
from data.base import Base
from data.caregivers import Caregiver, CaregiverStatus, Certificate, WeeklyHours
from data.catalogue import CareItem, CertificateKind, Skill, Unit
from data.demands import Application, ApplicationStatus, Demand, DemandStatus
from data.history import Noun, StatusChange
from data.ledger import LedgerAccount, LedgerEntry, LedgerEvent, LedgerPosting
from data.notices import Notice, NoticeKind, OutboxChannel, OutboxMessage, OutboxStatus
from data.orders import Order, OrderStatus, Visit, VisitStatus
from data.recipients import Mobility, Recipient, Relation, Sex
from data.reviews import Review
from data.sealing import seal
from services import clock, phones, places, sessions, startup
from services.demo import people
from services.demo.stage import CITY

SEED = 20_000
ORDERS, CUSTOMERS, CAREGIVERS = 20_000, 2_000, 300
OPEN_DEMANDS = 60
DAYS_BEHIND, DAYS_AHEAD = 300, 14
DEMO_CUSTOMERS_ORDERS, DEMO_CAREGIVERS_ORDERS = 60, 300
CHUNK = 2_000
COMMISSION_BP = 1_500
NOTHING_SEALED = (Relation.PARENT, Relation.GRANDPARENT, Relation.SPOUSE)
KINDS = (
    CertificateKind.HEALTH,
    CertificateKind.ELDER_CARE,
    CertificateKind.ESCORT_TRAINING,
    CertificateKind.NURSING,
)


@dataclass(frozen=True, slots=True)
class Slot:
    """A stretch of one caregiver's time, and what is done in it."""

    caregiver_id: int
    item: Any
    starts_at: datetime
    units: int

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(hours=self.units * self.item.hours_per_unit)


class Rows:
    """Rows waiting to be inserted, numbered from where each table ended."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._waiting: dict[Table, list[dict[str, Any]]] = {}
        self._last: dict[Table, int] = {}

    def add(self, model: type[DeclarativeBase], created_at: datetime, **values: Any) -> int:
        """Keep a row for the next `write`; return its id."""
        table: Table = model.__table__  # pyright: ignore[reportAssignmentType] - it is a Table
        if "id" not in values:
            if table not in self._last:
                self._last[table] = self.connection.scalar(select(func.max(table.c.id))) or 0
            self._last[table] += 1
            values["id"] = self._last[table]
        if "created_at" in table.c:
            values["created_at"] = created_at
        if "version" in table.c:
            values["version"] = 1
        self._waiting.setdefault(table, []).append(values)
        return values["id"]

    def write(self) -> None:
        """Insert what waits, referenced tables first."""
        for table in Base.metadata.sorted_tables:
            if waiting := self._waiting.pop(table, None):
                self.connection.execute(insert(table), waiting)

    def finish(self) -> None:
        """Let PostgreSQL number on from here, and know what it holds."""
        self.write()
        if self.connection.dialect.name == "postgresql":
            for table in self._last:
                self.connection.execute(
                    text(
                        f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"
                        f" (SELECT max(id) FROM {table.name}))"
                    )
                )
            self.connection.execute(text("ANALYZE"))


class City:
    """The people and things rows refer to, and chance."""

    def __init__(self, rows: Rows, orders: int) -> None:
        self.rows, self.orders, self.chance = rows, orders, random.Random(SEED)
        self.now = clock.now()
        read = rows.connection.execute
        self.items = [
            item
            for item in read(select(CareItem.__table__).order_by(CareItem.id))
            if set(item.required_certificates) <= set(KINDS)
        ]
        self.demo_ids = {
            role: rows.connection.scalar(
                select(Account.id).where(Account.phone_hash == phones.whole_hash(phone))
            )
            or 0
            for role, phone in sessions.DEMO_PHONES.items()
        }
        self.cells = {code: places.cell_of_district(code) for code in people.DISTRICT_WEIGHTS}
        self.caregiver_ids: list[int] = []
        self.recipient_ids: dict[int, list[int]] = {}

    def district(self) -> str:
        weights = people.DISTRICT_WEIGHTS
        return self.chance.choices(list(weights), list(weights.values()))[0]

    def name(self, given: str) -> str:
        return self.chance.choice(people.FAMILY_NAMES) + given


def fill(orders: int = ORDERS) -> None:
    """Stage the demo in the empty database at DATABASE_URL and add this many orders to it."""
    startup.prepare()
    writable = database.engine().execution_options(sqlite_begin="IMMEDIATE")
    with writable.begin() as connection:
        rows = Rows(connection)
        city = City(rows, orders)
        _people(city)
        rows.write()
        for number, slot in enumerate(_slots(city)):
            _order(city, slot, number)
            if number % CHUNK == CHUNK - 1:
                rows.write()
        for number in range(OPEN_DEMANDS):
            _open_demand(city, number)
        rows.finish()


def _people(city: City) -> None:
    demo_customer = city.demo_ids[Role.CUSTOMER]
    city.recipient_ids[demo_customer] = list(
        city.rows.connection.scalars(
            select(Recipient.id).where(Recipient.customer_id == demo_customer)
        )
    )
    for number in range(CUSTOMERS):
        customer_id = _account(city, Role.CUSTOMER, f"+86177{number:08d}")
        city.recipient_ids[customer_id] = [
            _recipient(city, customer_id) for _ in range(city.chance.choice((1, 1, 2)))
        ]
    city.caregiver_ids = [
        _caregiver(city, _account(city, Role.CAREGIVER, f"+86176{number:08d}"))
        for number in range(CAREGIVERS)
    ]


def _account(city: City, role: Role, phone: str) -> int:
    since = city.now - timedelta(days=DAYS_BEHIND + 30)
    sealed_id = secrets.token_hex(16)
    account_id = city.rows.add(
        Account,
        since,
        name=city.name(city.chance.choice(people.FEMALE_NAMES + people.MALE_NAMES)),
        sealed_id=sealed_id,
        phone_sealed=seal(phone, f"accounts|phone_sealed|{sealed_id}"),
        phone_hash=phones.whole_hash(phone),
        phone_tail_hash=phones.tail_hash(phone),
        city_code=CITY,
        district_code=city.district(),
        agreed_at=since,
    )
    city.rows.add(AccountRole, since, account_id=account_id, role=role, city_code="")
    return account_id


def _recipient(city: City, customer_id: int) -> int:
    return city.rows.add(
        Recipient,
        city.now - timedelta(days=DAYS_BEHIND + 29),
        customer_id=customer_id,
        name=city.name(city.chance.choice(people.FEMALE_NAMES)),
        sex=Sex.FEMALE,
        birth_date=date(city.chance.randint(1935, 1965), city.chance.randint(1, 12), 15),
        relation=city.chance.choice((Relation.PARENT, Relation.GRANDPARENT, Relation.SPOUSE)),
        mobility=city.chance.choice(list(Mobility)),
        language="普通话",
    )


def _caregiver(city: City, account_id: int) -> int:
    since, chance = city.now - timedelta(days=DAYS_BEHIND + 29), city.chance
    district = city.district()
    city.rows.add(
        Caregiver,
        since,
        id=account_id,
        city_code=CITY,
        district_code=district,
        cell=city.cells[district],
        sex=chance.choice(list(Sex)),
        birth_date=date(chance.randint(1968, 1996), chance.randint(1, 12), 15),
        worked_since=chance.randint(2014, 2024),
        radius_km=chance.choice((15, 20, 30, 50)),
        about=chance.choice(people.ABOUTS),
        training=chance.choice(people.TRAININGS),
        skills=[str(skill) for skill in chance.sample(list(Skill), k=3)],
        status=CaregiverStatus.APPROVED,
    )
    for kind in KINDS:
        city.rows.add(
            Certificate,
            since,
            caregiver_id=account_id,
            kind=kind,
            issuer="南通市职业技能培训中心(演示)",
            issued_on=since.date(),
            expires_on=since.date() + timedelta(days=1_500),
        )
    for weekday in range(7):
        city.rows.add(
            WeeklyHours,
            since,
            caregiver_id=account_id,
            weekday=weekday,
            starts_minute=7 * 60,
            ends_minute=20 * 60,
        )
    for move, old, new, actor_id, role in (
        ("submit", "draft", "submitted", account_id, Role.CAREGIVER),
        ("approve", "submitted", "approved", city.demo_ids[Role.OPERATOR], Role.OPERATOR),
    ):
        _step(city, since, Noun.CAREGIVER, account_id, (move, old, new), actor_id, role)
    return account_id


def _slots(city: City) -> list[Slot]:
    """As many stretches of time as there shall be orders, in the order of their start."""
    demo = city.demo_ids[Role.CAREGIVER]
    share = DEMO_CAREGIVERS_ORDERS * city.orders // ORDERS
    others = city.orders - share
    each = others / len(city.caregiver_ids)
    # A fifth more than needed, and then as many as needed: exactly that many in the end.
    spare = [slot for one in city.caregiver_ids for slot in _days(city, one, each * 1.2)]
    slots = city.chance.sample(spare, others) + _days(city, demo, share)[:share]
    return sorted(slots, key=lambda slot: (slot.starts_at, slot.caregiver_id))


def _days(city: City, caregiver_id: int, visits: float) -> list[Slot]:
    """About this many stretches of one caregiver's time, one after the other."""
    chance, slots = city.chance, []
    taken = _taken(city, caregiver_id)
    pace = (DAYS_BEHIND + DAYS_AHEAD) / visits
    midnight = clock.in_city(city.now).replace(hour=0, minute=0, second=0, microsecond=0)
    free_from, day = midnight - timedelta(days=DAYS_BEHIND), -DAYS_BEHIND + chance.random() * pace
    while day < DAYS_AHEAD:
        starts_at = midnight + timedelta(days=int(day), hours=chance.choice((8, 9, 13, 14)))
        day += pace * chance.uniform(0.6, 1.3)
        item = chance.choices(
            city.items, [4 if one.unit is Unit.HOUR else 1 for one in city.items]
        )[0]
        slot = Slot(
            caregiver_id,
            item,
            max(starts_at, free_from),
            chance.randint(item.fewest_units, min(item.most_units, item.fewest_units + 1)),
        )
        if not any(slot.starts_at < ends and slot.ends_at > starts for starts, ends in taken):
            slots.append(slot)
            free_from = slot.ends_at
    return slots


def _taken(city: City, caregiver_id: int) -> list[tuple[datetime, datetime]]:
    found = city.rows.connection.execute(
        select(Visit.starts_at, Visit.ends_at).where(Visit.caregiver_id == caregiver_id)
    )
    return [(starts_at, ends_at) for starts_at, ends_at in found]


def _order(city: City, slot: Slot, number: int) -> None:
    """A demand that found its caregiver, and whatever became of it until now."""
    chance, rows, now = city.chance, city.rows, city.now
    posted_at = min(slot.starts_at, now) - timedelta(hours=chance.randint(30, 120))
    approved_at = posted_at + timedelta(hours=chance.randint(2, 24))
    demo_customer = city.demo_ids[Role.CUSTOMER]
    every = max(1, city.orders // DEMO_CUSTOMERS_ORDERS)
    customer_id = demo_customer if number % every == 0 else chance.choice(list(city.recipient_ids))
    operator_id = city.demo_ids[Role.OPERATOR]
    demand_id = _demand(city, slot, customer_id, posted_at, DemandStatus.MATCHED)
    rivals = chance.sample(city.caregiver_ids, chance.choice((0, 0, 1, 2)))
    price_fen = slot.item.lowest_fen + chance.randint(0, 20) * 100
    price_fen = min(price_fen, slot.item.highest_fen)
    for caregiver_id in {slot.caregiver_id, *rivals}:
        chosen = caregiver_id == slot.caregiver_id
        status = ApplicationStatus.APPROVED if chosen else ApplicationStatus.CLOSED
        _application(city, demand_id, caregiver_id, price_fen, status, posted_at, approved_at)
    total_fen = price_fen * slot.units
    recipient_id = rows.connection.info["recipients"][demand_id]
    visit_status = _visit_status(city, slot, number)
    redeemed_at = min(slot.ends_at + timedelta(hours=chance.randint(1, 8)), now)
    order_id = rows.add(
        Order,
        approved_at,
        demand_id=demand_id,
        customer_id=customer_id,
        caregiver_id=slot.caregiver_id,
        recipient_id=recipient_id,
        item_id=slot.item.id,
        city_code=CITY,
        district_code=rows.connection.info["districts"][demand_id],
        channel=Channel.APP,
        units=slot.units,
        unit_price_fen=price_fen,
        total_fen=total_fen,
        commission_fen=total_fen * COMMISSION_BP // 10_000,
        decline_until=approved_at + timedelta(hours=2),
        status=OrderStatus.CONFIRMED,
    )
    del operator_id, redeemed_at, visit_status, order_id
